package report

import (
	"slices"

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
