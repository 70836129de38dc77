package text

import (
	"fmt"
	"strings"
	"time"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
)

// doneShown is how many finished actions the report lists.
const doneShown = 20

func (p *printer) applied(a report.Applied) {
	p.line("%s %s, in %s (run %s).", p.paint(bold, "Applied:"), countStates(a), duration(a.DurationMs), a.Run)
	done := 0
	for _, o := range a.Outcomes {
		if o.State != report.StateDone {
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
		p.line("  %s cluster %s was left out, it is %s: %s; %s", p.paint(red, "!"), l.Cluster, l.State, l.Reason,
			unknownThere(l.Unknown))
	}
	if a.Count(report.StateAltered) > 0 {
		p.line("%s", p.paint(yellow, "Not everything is as described: what a cluster alters stays so until the description or its admission changes."))
	}
	if len(a.LeftOut) > 0 || carriedOut(a) < len(a.Outcomes) {
		p.line("%s", p.paint(yellow, "Not everything was applied; "+goOn(a)))
	}
}

// carriedOut counts the actions that leave nothing to do, whatever a cluster made of them.
func carriedOut(a report.Applied) int {
	return a.Count(report.StateDone) + a.Count(report.StateAltered)
}

// goOn says how to finish. Of a saved plan what is stale stays so, however often it is applied.
func goOn(a report.Applied) string {
	const anew = "make a new plan, review it, and apply that."
	switch stale := a.Count(report.StateStale) + a.Count(report.StateBlocked); {
	case !a.Saved || a.Count(report.StateStale) == 0:
		return "run it again to finish."
	case len(a.LeftOut) == 0 && carriedOut(a)+stale == len(a.Outcomes):
		return "what is stale stays so, however often this plan is applied: " + anew
	}
	return "run it again to finish what is not stale; for the rest " + anew
}

func whenDone(o report.Outcome) string {
	if o.Already {
		return "done before"
	}
	return "done in " + duration(o.DurationMs)
}

// missed says of an action that is not done where it stopped and why.
func (p *printer) missed(o report.Outcome) {
	where := ""
	if o.State == report.StateFailed || o.State == report.StateStale {
		if o.Step != "" {
			where = fmt.Sprintf(", at %q", report.StepWord(o.Step))
		}
		if o.Attempt > 1 {
			where += fmt.Sprintf(", attempt %d", o.Attempt)
		}
		where += ", after " + duration(o.DurationMs)
	}
	c, mark := red, "✗"
	if o.State == report.StateAltered {
		mark = "!"
	}
	if o.State == report.StateBlocked || o.State == report.StateUntouched || o.State == report.StateAltered {
		c = yellow
	}
	reason := strings.ReplaceAll(strings.TrimSpace(o.Reason), "\n", "\n      ")
	p.line("  %s %s: %s%s", p.paint(c, mark), nameOf(o.Action), stateWords[o.State]+where, because(o.State, reason))
}

var stateWords = map[report.State]string{
	report.StateFailed: "failed", report.StateStale: "stale", report.StateBlocked: "",
	report.StateUntouched: "not started", report.StateAltered: "done, and", report.StateDone: "done",
}

// because joins a reason to what was said; that of a blocked action stands alone.
func because(s report.State, reason string) string {
	switch {
	case s == report.StateBlocked || reason == "":
		return reason
	case s == report.StateAltered:
		return " " + reason
	}
	return ": " + reason
}

// nameOf is an action's kind and name, as people call it.
func nameOf(a plan.Action) string { return string(a.Kind) + " " + report.NameOf(a) }

func countStates(a report.Applied) string {
	var parts []string
	for _, s := range []report.State{report.StateDone, report.StateAltered, report.StateFailed, report.StateStale,
		report.StateBlocked, report.StateUntouched} {
		if n := a.Count(s); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, countWords[s]))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

var countWords = map[report.State]string{
	report.StateFailed: "failed", report.StateStale: "stale", report.StateBlocked: "blocked",
	report.StateUntouched: "not started", report.StateAltered: "altered", report.StateDone: "done",
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
