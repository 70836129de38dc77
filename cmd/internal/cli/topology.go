package cli

import (
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/network"
)

// before gives the network as last applied; not ok where a cluster could not be read, for
// then it is not known.
func (s session) before(o plan.Observation) (n network.Network, ok bool) {
	if !plan.AllRead(states(o)) {
		return n, false
	}
	return desired.AsNetwork(desired.LastApplied(o, s.desired)), true
}

func states(o plan.Observation) (out []plan.Cluster) {
	for _, c := range o.Clusters {
		out = append(out, plan.Cluster{Name: c.Name, State: c.State})
	}
	return out
}

// topologyOf compares the network as last applied with the described one. Where a
// cluster could not be read the comparison would lie, and is left out.
func (s session) topologyOf(o plan.Observation) plan.Topology {
	described := desired.AsNetwork(s.desired)
	t := plan.Topology{After: shapeOf(described)}
	if before, ok := s.before(o); ok {
		t.Before = shapeOf(before)
		t.Effects = planned(topology.Compare(before, described))
	}
	return t
}

// reportOf is the report of a plan.
func (o *common) reportOf(s session, observation plan.Observation, p plan.Plan) report.Report {
	after := desired.AsNetwork(s.desired)
	r := report.Report{Plan: &p, After: &after, Run: o.invocation.URL}
	if before, ok := s.before(observation); ok {
		r.Before = &before
	}
	return s.placed(r)
}

// driftReport is the report of drift, from the network as last applied to itself.
func (o *common) driftReport(s session, observation plan.Observation, p plan.Plan) report.Report {
	p.Diagnostics = p.Diagnostics.Sorted()
	r := report.Report{Drift: &p, Run: o.invocation.URL}
	if applied, ok := s.before(observation); ok {
		r.Before, r.After = &applied, &applied
	}
	return s.placed(r)
}

// planned puts effects into the words of a plan.
func planned(effects []topology.Effect) []plan.Effect {
	out := make([]plan.Effect, 0, len(effects))
	for _, e := range effects {
		out = append(out, plan.Effect{Severity: string(e.Severity), Code: e.Code, Message: e.Message, Sites: e.Sites, Links: e.Links})
	}
	return out
}

func shapeOf(n network.Network) plan.Shape {
	f := topology.Of(n)
	return plan.Shape{Sites: f.Sites, Links: f.Links, Components: f.Components}
}
