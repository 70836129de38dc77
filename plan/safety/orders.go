package safety

import (
	"slices"

	"fairlead.dev/fairlead/plan"
)

// Orders are what actions wait for, and the other way round.
type Orders struct {
	after, next map[string][]string
}

// NewOrders reads what actions wait for.
func NewOrders(actions []plan.Action) Orders {
	o := Orders{map[string][]string{}, map[string][]string{}}
	for _, a := range actions {
		o.add(a)
	}
	return o
}

func (o Orders) add(a plan.Action) {
	o.after[a.ID] = slices.Clone(a.DependsOn)
	for _, id := range a.DependsOn {
		o.next[id] = append(o.next[id], a.ID)
	}
}

func (o Orders) has(id string) bool {
	_, ok := o.after[id]
	return ok
}

// Put lets one action wait for another. The caller has made sure that it closes no
// circle.
func (o Orders) Put(id, after string) {
	if !slices.Contains(o.after[id], after) {
		o.after[id] = append(o.after[id], after)
		o.next[after] = append(o.next[after], id)
	}
}

// WaitingFor marks every action that waits for one, directly or not, and that one.
func (o Orders) WaitingFor(id string) map[string]bool {
	found := map[string]bool{id: true}
	for queue := []string{id}; len(queue) > 0; queue = queue[1:] {
		for _, next := range o.next[queue[0]] {
			if !found[next] {
				found[next] = true
				queue = append(queue, next)
			}
		}
	}
	return found
}

// Write gives the actions what they wait for.
func (o Orders) Write(actions []plan.Action) {
	for i, a := range actions {
		actions[i].DependsOn = o.after[a.ID]
	}
}
