package apply

import (
	"time"

	"fairlead.dev/fairlead/plan"
)

// Phase is what an event says of a step or action.
type Phase string

// The phases. Each ends an action where the event says so, else a step.
const (
	Started Phase = "started"
	Done    Phase = "done"
	Failed  Phase = "failed"
	// Altered means done, and that an API server keeps something else than was written.
	Altered Phase = "altered"
	// Blocked means not tried, because something that it needs failed.
	Blocked Phase = "blocked"
	// Untouched means not tried, because the apply was interrupted before.
	Untouched Phase = "untouched"
	// Retrying means that an attempt failed and a fresh one follows.
	Retrying Phase = "retrying"
	// CleanupFailed means that what a failed attempt left could not be removed; the
	// next plan finds it. The action goes on.
	CleanupFailed Phase = "cleanup-failed"
)

// Event is one transition of one action. It never holds a secret.
type Event struct {
	Action string
	// Step is empty for an event about the whole action, but for a failure: there it is
	// the step that failed.
	Step  plan.Step
	Phase Phase
	// Ends is true for the last event of an action, whatever its phase.
	Ends bool
	// Attempt is the link's attempt number, 0 where there is none.
	Attempt int
	// Took is how long the step or action ran, for the phases that end one.
	Took time.Duration
	// Message is the reason of every phase but Started and Done.
	Message string
}

// Sink receives events, from several goroutines at once.
type Sink interface {
	Event(Event)
}

// Outcome is how one action ended.
type Outcome struct {
	Action plan.Action
	// State is Done, Altered, Failed, Blocked or Untouched.
	State Phase
	// Step is where a failed action stopped.
	Step plan.Step
	// Attempt is the link's attempt number at the end, 0 where there is none.
	Attempt int
	// Took is how long it ran; 0 when it was not tried.
	Took time.Duration
	// Err is the reason; nil when Done. errors.Is tells its class.
	Err error
	// Already is true where it was done before: nothing was left to do.
	Already bool
}

// Report is how an apply ended: one outcome for each action, in the plan's order.
type Report struct {
	Outcomes []Outcome
}

// Count returns how many actions ended in the state.
func (r Report) Count(state Phase) int {
	n := 0
	for _, o := range r.Outcomes {
		if o.State == state {
			n++
		}
	}
	return n
}

// Complete reports whether every action was done.
func (r Report) Complete() bool { return r.Count(Done) == len(r.Outcomes) }
