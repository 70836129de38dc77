// Package origin says of a plan's actions whether a change of the description asks for them,
// or they are pending anyway.
package origin

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
)

// Against says of each action of head whether it is due to the change from a base: other
// is the plan for the base, made on the same observation, and source its description.
func Against(head, other plan.Plan, source plan.Source) plan.Plan {
	base := &plan.Base{Source: source, Origins: map[string]plan.Origin{}, Spared: []plan.Spared{}}
	pairs, spared := paired(head.Actions, other.Actions)
	for _, a := range head.Actions {
		was, known := pairs[a.ID]
		switch {
		case !known:
			base.Origins[a.ID] = plan.OriginChange
		case sameWork(a, was):
			base.Origins[a.ID] = plan.OriginAnyway
		default:
			base.Origins[a.ID] = plan.OriginBoth
		}
	}
	for _, a := range spared {
		base.Spared = append(base.Spared, plan.Spared{ID: a.ID, Verb: a.Verb, Why: a.Why})
	}
	slices.SortFunc(base.Spared, func(a, b plan.Spared) int { return cmp.Compare(a.ID, b.ID) })
	head.Base = base
	return head
}

// paired finds for each action, by its ID, the one of another plan that is on the same
// thing, or else has its ID; rest are those of the other plan that are left.
func paired(actions, others []plan.Action) (pairs map[string]plan.Action, rest []plan.Action) {
	pairs, left := map[string]plan.Action{}, map[string]plan.Action{}
	for _, o := range others {
		left[o.ID] = o
	}
	for _, key := range []func(plan.Action) string{plan.Identity, func(a plan.Action) string { return a.ID }} {
		byKey := map[string]plan.Action{}
		for _, o := range left {
			byKey[key(o)] = o
		}
		for _, a := range actions {
			o, found := byKey[key(a)]
			if _, done := pairs[a.ID]; found && !done {
				pairs[a.ID] = o
				delete(left, o.ID)
			}
		}
	}
	return pairs, slices.Collect(maps.Values(left))
}

// sameWork reports whether two actions do the same, wherever they are declared, in
// whatever order, and by whatever ID.
func sameWork(a, b plan.Action) bool {
	return bytes.Equal(workOf(a), workOf(b))
}

func workOf(a plan.Action) []byte {
	a.ID, a.DeclaredAt, a.DependsOn, a.Why = "", diag.Position{}, nil, ""
	if a.Object != nil {
		object := *a.Object
		object.Source, a.Object = "", &object
	}
	data, err := json.Marshal(a)
	if err != nil { // as in Identify: every type in a plan can be marshalled
		panic("plan: " + err.Error())
	}
	return data
}

// FromGit makes of a plan from one description to another, made on what was taken as
// applied, the comparison that it is: of no cluster, with nothing that drifted, and not to
// be applied. What a plan of clusters would be refused for stays, without the flags that
// lift it, which name a plan.
func FromGit(head plan.Plan, source plan.Source) plan.Plan {
	base := &plan.Base{Source: source, Alone: true, Origins: map[string]plan.Origin{}, Spared: []plan.Spared{}}
	head.Clusters, head.Actions = []plan.Cluster{}, slices.Clone(head.Actions)
	for i, a := range head.Actions {
		base.Origins[a.ID] = plan.OriginChange
		head.Actions[i].Cause = plan.CausePending
		if a.Why == plan.WhyNew {
			head.Actions[i].Why = "new in the description"
		}
		head.Actions[i].Fields = slices.Clone(a.Fields)
		for j := range a.Fields {
			head.Actions[i].Fields[j].Cause = plan.CausePending
		}
	}
	head.Summary = plan.Summarise(head.Actions, head.Summary.Unknown)
	head.Refusals = plan.Unflagged(head.Refusals)
	for i, r := range head.Refusals {
		if r.Number > 0 {
			head.Refusals[i].Number, head.Refusals[i].Override = 0, "apply will refuse it; if it is meant, plan shows the flag that lets it through"
		}
	}
	if head.Topology.Basis != "" {
		head.Topology.Basis = plan.BasisBase
	}
	head.ID, head.Base = plan.Identify(head), base
	return head
}
