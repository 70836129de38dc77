package apply

import (
	"errors"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// schedule orders actions by what they wait for. Only Run's own goroutine calls
// its methods; each outcome slot is written by one action.
type schedule struct {
	actions  []plan.Action
	outcomes []Outcome
	sink     Sink
	// open marks actions that have not started; unmet counts what each waits for;
	// next lists who waits for it.
	open  []bool
	unmet []int
	next  [][]int
	queue []int
}

func newSchedule(actions []plan.Action, sink Sink) *schedule {
	n := len(actions)
	s := &schedule{
		actions: actions, sink: sink, outcomes: make([]Outcome, n),
		open: make([]bool, n), unmet: make([]int, n), next: make([][]int, n),
	}
	index := map[string]int{}
	for i, a := range actions {
		index[a.ID] = i
		s.open[i] = true
		s.outcomes[i] = Outcome{Action: a, State: Untouched}
	}
	for i, a := range actions {
		for _, id := range a.DependsOn {
			if j, ok := index[id]; ok {
				s.wait(i, j)
			}
		}
	}
	s.holdDeletes()
	for i := range actions {
		if s.unmet[i] == 0 {
			s.queue = append(s.queue, i)
		}
	}
	return s
}

// wait makes i wait for j.
func (s *schedule) wait(i, j int) {
	s.next[j] = append(s.next[j], i)
	s.unmet[i]++
}

// holdDeletes makes each delete wait for everything on its clusters that does not
// itself wait for it: nothing is pruned before, or where, something else failed.
func (s *schedule) holdDeletes() {
	type edge struct{ i, j int }
	var edges []edge
	for i, a := range s.actions {
		if a.Verb != plan.VerbDelete {
			continue
		}
		waiting := s.waitingFor(i)
		if s.makesRoom(waiting) {
			continue
		}
		for j, b := range s.actions {
			if b.Verb != plan.VerbDelete && !waiting[j] && shareCluster(a, b) {
				edges = append(edges, edge{i, j})
			}
		}
	}
	for _, e := range edges {
		s.wait(e.i, e.j)
	}
}

// makesRoom reports whether something that is not a delete waits for a delete: it
// clears a place that is needed, and holding it back could close a circle.
func (s *schedule) makesRoom(waiting map[int]bool) bool {
	for j := range waiting {
		if s.actions[j].Verb != plan.VerbDelete {
			return true
		}
	}
	return false
}

// waitingFor marks every action that waits for i, directly or not.
func (s *schedule) waitingFor(i int) map[int]bool {
	found := map[int]bool{}
	for queue := []int{i}; len(queue) > 0; queue = queue[1:] {
		for _, j := range s.next[queue[0]] {
			if !found[j] {
				found[j] = true
				queue = append(queue, j)
			}
		}
	}
	return found
}

func shareCluster(a, b plan.Action) bool {
	return slices.ContainsFunc(touched(a), func(c network.ClusterName) bool { return slices.Contains(touched(b), c) })
}

// touched lists the clusters that an action writes to.
func touched(a plan.Action) []network.ClusterName {
	if a.Link != nil && a.Link.To.Cluster != "" {
		return []network.ClusterName{a.Cluster, a.Link.To.Cluster}
	}
	return []network.ClusterName{a.Cluster}
}

// start takes up to limit actions that may start now.
func (s *schedule) start(limit int) []int {
	var out []int
	for len(s.queue) > 0 && len(out) < limit {
		i := s.queue[0]
		s.queue = s.queue[1:]
		if s.open[i] {
			s.open[i] = false
			out = append(out, i)
		}
	}
	return out
}

// finish takes the outcome of an action that has ended: what waited for it may
// start, or is blocked.
func (s *schedule) finish(i int) {
	for _, j := range s.next[i] {
		if state := s.outcomes[i].State; state != Done && state != Altered {
			s.block(j, "blocked by "+s.actions[i].ID)
			continue
		}
		if s.unmet[j]--; s.unmet[j] == 0 {
			s.queue = append(s.queue, j)
		}
	}
}

func (s *schedule) block(i int, why string) {
	if !s.open[i] {
		return
	}
	s.end(i, Blocked, why)
	for _, j := range s.next[i] {
		s.block(j, "blocked by "+s.actions[i].ID)
	}
}

// abandon ends everything that has not started.
func (s *schedule) abandon(state Phase, why string) {
	for i := range s.actions {
		if s.open[i] {
			s.end(i, state, why)
		}
	}
}

func (s *schedule) end(i int, state Phase, why string) {
	s.open[i] = false
	s.outcomes[i].State, s.outcomes[i].Err = state, errors.New(why)
	s.sink.Event(Event{Action: s.actions[i].ID, Phase: state, Ends: true, Message: why})
}
