package apply

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// sink gathers events.
type sink struct {
	mu     sync.Mutex
	events []Event
}

func (s *sink) Event(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

func act(id string, verb plan.Verb, cluster network.ClusterName, after ...string) plan.Action {
	return plan.Action{ID: id, Verb: verb, Cluster: cluster, DependsOn: after}
}

// drive runs a schedule one action at a time; bad names those that fail.
func drive(s *schedule, bad ...string) (order []string) {
	for {
		next := s.start(1)
		if len(next) == 0 {
			s.abandon(Blocked, "circle")
			return order
		}
		i := next[0]
		order = append(order, s.actions[i].ID)
		s.outcomes[i].State = Done
		if slices.Contains(bad, s.actions[i].ID) {
			s.outcomes[i].State, s.outcomes[i].Err = Failed, errors.New("bad")
		}
		s.finish(i)
	}
}

func states(s *schedule) map[string]Phase {
	out := map[string]Phase{}
	for _, o := range s.outcomes {
		out[o.Action.ID] = o.State
	}
	return out
}

func TestScheduleOrders(t *testing.T) {
	t.Parallel()
	s := newSchedule([]plan.Action{
		act("link/a", plan.VerbCreate, "one", "site/a"),
		act("site/a", plan.VerbCreate, "one"),
		act("link/old", plan.VerbDelete, "one"),
	}, &sink{})
	if got, want := drive(s), []string{"site/a", "link/a", "link/old"}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// What was done and altered keeps nothing from going on.
func TestScheduleOfAltered(t *testing.T) {
	t.Parallel()
	s := newSchedule([]plan.Action{act("site/a", plan.VerbCreate, "one"), act("link/a", plan.VerbCreate, "one", "site/a")}, &sink{})
	s.outcomes[s.start(1)[0]].State = Altered
	s.finish(0)
	if got := drive(s); !slices.Equal(got, []string{"link/a"}) {
		t.Errorf("went on with %v", got)
	}
}

// One failure stays one failure: what needs it is blocked, nothing is pruned on
// its cluster, and all else goes on.
func TestScheduleFailure(t *testing.T) {
	t.Parallel()
	s := newSchedule([]plan.Action{
		act("site/a", plan.VerbCreate, "one"),
		act("link/a", plan.VerbCreate, "one", "site/a"),
		act("link/b", plan.VerbCreate, "two"),
		act("link/old1", plan.VerbDelete, "one"),
		act("link/old2", plan.VerbDelete, "two"),
	}, &sink{})
	drive(s, "site/a")
	want := map[string]Phase{
		"site/a": Failed, "link/a": Blocked, "link/b": Done, "link/old1": Blocked, "link/old2": Done,
	}
	for id, state := range want {
		if got := states(s)[id]; got != state {
			t.Errorf("%s is %s, want %s", id, got, state)
		}
	}
}

// A site that is made in the place of another waits for the delete, and the
// delete does not wait for it.
func TestScheduleDeleteBeforeCreate(t *testing.T) {
	t.Parallel()
	s := newSchedule([]plan.Action{
		act("site/new", plan.VerbCreate, "one", "site/old"),
		act("site/old", plan.VerbDelete, "one"),
	}, &sink{})
	if got, want := drive(s), []string{"site/old", "site/new"}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// Two sites renamed in place on one cluster: each delete makes room for a create,
// and neither may wait for the other's.
func TestScheduleTwoReplacedInPlace(t *testing.T) {
	t.Parallel()
	s := newSchedule([]plan.Action{
		act("site/ax", plan.VerbCreate, "one", "site/a"), act("site/bx", plan.VerbCreate, "one", "site/b"),
		act("link/l", plan.VerbCreate, "one", "site/ax", "site/bx"),
		act("site/a", plan.VerbDelete, "one"), act("site/b", plan.VerbDelete, "one"),
	}, &sink{})
	drive(s)
	for id, state := range states(s) {
		if state != Done {
			t.Errorf("%s is %s", id, state)
		}
	}
}

func TestScheduleCircle(t *testing.T) {
	t.Parallel()
	events := &sink{}
	s := newSchedule([]plan.Action{
		act("a", plan.VerbCreate, "one", "b"), act("b", plan.VerbCreate, "one", "a"), act("c", plan.VerbCreate, "one"),
	}, events)
	drive(s)
	if got := states(s); got["a"] != Blocked || got["b"] != Blocked || got["c"] != Done {
		t.Errorf("%v", got)
	}
	if len(events.events) != 2 {
		t.Errorf("%v", events.events)
	}
}
