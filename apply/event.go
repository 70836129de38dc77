package apply

import (
	"fairlead.dev/fairlead/plan"
)

// Phase is what an event says of a step or action.
type Phase string

// The phases. Done and Failed without a step end an action.
const (
	Started Phase = "started"
	Done    Phase = "done"
	Failed  Phase = "failed"
	// Blocked means not tried, because something that it needs failed.
	Blocked Phase = "blocked"
	// Untouched means not tried, because the apply was interrupted before.
	Untouched Phase = "untouched"
	// Retrying means that an attempt failed and a fresh one follows.
	Retrying Phase = "retrying"
)

// Event is one transition of one action. It never holds a secret.
type Event struct {
	Action string
	// Step is empty for an event about the whole action.
	Step  plan.Step
	Phase Phase
	// Attempt is the link's attempt number, 0 where there is none.
	Attempt int
	// Message is the reason of Failed, Blocked and Retrying.
	Message string
}

// Sink receives events, from several goroutines at once.
type Sink interface {
	Event(Event)
}

// Outcome is how one action ended.
type Outcome struct {
	Action plan.Action
	// State is Done, Failed, Blocked or Untouched.
	State Phase
	// Step is where a failed action stopped.
	Step plan.Step
	// Err is the reason; nil when Done. errors.Is tells its class.
	Err error
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
