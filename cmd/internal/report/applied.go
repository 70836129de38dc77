package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// AppliedFormat names the version of the JSON of an apply's outcome.
const AppliedFormat = "fairlead.applied/v1"

// Applied is how an apply ended: every action of its plan, and what was left out.
type Applied struct {
	Format  string `json:"format"`
	Network string `json:"network"`
	// Run is the id of the run, as objects carry it.
	Run  string `json:"run"`
	Plan string `json:"plan"`
	// Saved is true where the plan was a saved one.
	Saved      bool  `json:"saved,omitempty"`
	DurationMs int64 `json:"durationMs"`
	// Outcomes are sorted by state, worst first, and then as in the plan.
	Outcomes []Outcome `json:"outcomes"`
	// LeftOut are clusters that could not be read, and were not touched.
	LeftOut []LeftOut `json:"leftOut"`
}

// Outcome is how one action ended.
type Outcome struct {
	Action plan.Action `json:"action"`
	State  State       `json:"state"`
	// Step is where a failed action stopped, Attempt the link's attempt by then, 0
	// where there is none.
	Step       plan.Step `json:"step,omitempty"`
	Attempt    int       `json:"attempt,omitempty"`
	DurationMs int64     `json:"durationMs"`
	// Reason says why it is not done.
	Reason string `json:"reason,omitempty"`
	// Already is true where it was done before this run.
	Already bool `json:"already,omitempty"`
}

// State is how an action ended.
type State string

// The states, worst first.
const (
	StateFailed State = "failed"
	// StateStale is a failure because the object was changed since it was planned.
	StateStale   State = "stale"
	StateBlocked State = "blocked"
	// StateAltered is what was done, and an API server keeps something else: its admission
	// changed it.
	StateAltered   State = "altered"
	StateUntouched State = "untouched"
	StateDone      State = "done"
)

// States lists every state, worst first.
func States() []State {
	return []State{StateFailed, StateStale, StateBlocked, StateUntouched, StateAltered, StateDone}
}

// LeftOut is a cluster that nothing was done on.
type LeftOut struct {
	Cluster network.ClusterName `json:"cluster"`
	State   plan.State          `json:"state"`
	Reason  string              `json:"reason"`
	// Unknown counts the described sites, links and objects that depend on it.
	Unknown int `json:"unknown"`
}

// Sort orders the outcomes as the report shows them.
func (a *Applied) Sort() {
	slices.SortStableFunc(a.Outcomes, func(x, y Outcome) int {
		return slices.Index(States(), x.State) - slices.Index(States(), y.State)
	})
}

// Count gives how many actions ended in a state.
func (a Applied) Count(s State) int {
	n := 0
	for _, o := range a.Outcomes {
		if o.State == s {
			n++
		}
	}
	return n
}

// Complete reports whether everything was done and nothing left out.
func (a Applied) Complete() bool {
	return len(a.LeftOut) == 0 && a.Count(StateDone) == len(a.Outcomes)
}

// doneShown is how many finished actions the report lists.
const doneShown = 20

func (p *printer) applied(a Applied) {
	p.line("%s %s, in %s (run %s).", p.paint(bold, "Applied:"), a.counts(), duration(a.DurationMs), a.Run)
	done := 0
	for _, o := range a.Outcomes {
		if o.State != StateDone {
			p.missed(o)
			continue
		}
		if done++; done <= doneShown {
			p.line("  %s %s: %s", p.paint(green, "✓"), nameOf(o.Action), whenDone(o))
		}
	}
	if done > doneShown {
		p.line("  … and %d more done", done-doneShown)
	}
	for _, l := range a.LeftOut {
		p.line("  %s cluster %s was left out, it is %s: %s; %s", p.paint(red, "!"), l.Cluster, l.State, l.Reason, unknownThere(l.Unknown))
	}
	if a.Count(StateAltered) > 0 {
		p.line("%s", p.paint(yellow, "Not everything is as described: what a cluster alters stays so until the description or its admission changes."))
	}
	if len(a.LeftOut) > 0 || a.carriedOut() < len(a.Outcomes) {
		p.line("%s", p.paint(yellow, "Not everything was applied; "+a.goOn()))
	}
}

// carriedOut counts the actions that leave nothing to do, whatever a cluster made of them.
func (a Applied) carriedOut() int { return a.Count(StateDone) + a.Count(StateAltered) }

// goOn says how to finish. Of a saved plan what is stale stays so, however often it is applied.
func (a Applied) goOn() string {
	const anew = "make a new plan, review it, and apply that."
	switch stale := a.Count(StateStale) + a.Count(StateBlocked); {
	case !a.Saved || a.Count(StateStale) == 0:
		return "run it again to finish."
	case len(a.LeftOut) == 0 && a.carriedOut()+stale == len(a.Outcomes):
		return "what is stale stays so, however often this plan is applied: " + anew
	}
	return "run it again to finish what is not stale; for the rest " + anew
}

func whenDone(o Outcome) string {
	if o.Already {
		return "done before"
	}
	return "done in " + duration(o.DurationMs)
}

// missed says of an action that is not done where it stopped and why.
func (p *printer) missed(o Outcome) {
	where := ""
	if o.State == StateFailed || o.State == StateStale {
		if o.Step != "" {
			where = fmt.Sprintf(", at %q", StepWord(o.Step))
		}
		if o.Attempt > 1 {
			where += fmt.Sprintf(", attempt %d", o.Attempt)
		}
		where += ", after " + duration(o.DurationMs)
	}
	c, mark := red, "✗"
	if o.State == StateAltered {
		mark = "!"
	}
	if o.State == StateBlocked || o.State == StateUntouched || o.State == StateAltered {
		c = yellow
	}
	reason := strings.ReplaceAll(strings.TrimSpace(o.Reason), "\n", "\n      ")
	p.line("  %s %s: %s%s", p.paint(c, mark), nameOf(o.Action), stateWords[o.State]+where, because(o.State, reason))
}

var stateWords = map[State]string{
	StateFailed: "failed", StateStale: "stale", StateBlocked: "", StateUntouched: "not started", StateAltered: "done, and", StateDone: "done",
}

// because joins a reason to what was said; that of a blocked action stands alone.
func because(s State, reason string) string {
	switch {
	case s == StateBlocked || reason == "":
		return reason
	case s == StateAltered:
		return " " + reason
	}
	return ": " + reason
}

// nameOf is an action's kind and name, as people call it.
func nameOf(a plan.Action) string { return string(a.Kind) + " " + NameOf(a) }

func (a Applied) counts() string {
	var parts []string
	for _, s := range []State{StateDone, StateAltered, StateFailed, StateStale, StateBlocked, StateUntouched} {
		if n := a.Count(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, countWords[s]))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

var countWords = map[State]string{
	StateFailed: "failed", StateStale: "stale", StateBlocked: "blocked", StateUntouched: "not started", StateAltered: "altered", StateDone: "done",
}

func unknownThere(n int) string {
	if n == 1 {
		return "1 described thing that needs it is unknown"
	}
	return fmt.Sprintf("%d described things that need it are unknown", n)
}

// duration is a time for people, from a second on to a tenth of one.
func duration(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	if d >= time.Second {
		d = d.Round(100 * time.Millisecond)
	}
	return d.String()
}
