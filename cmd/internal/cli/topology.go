package cli

import (
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/network"
)

// change is the network before and after a plan, as topology looks at it.
type change struct {
	// before is nil where it is not known: a cluster could not be read.
	before *network.Network
	after  network.Network
}

// changeOf leads from the network as last applied to the described one.
func (s session) changeOf(o plan.Observation) change {
	c := change{after: desired.AsNetwork(s.desired)}
	if countUnread(o) == 0 {
		applied := desired.AsNetwork(desired.LastApplied(o, s.desired))
		c.before = &applied
	}
	return c
}

// topology compares the two. Where a cluster could not be read the comparison would lie,
// and is left out.
func (c change) topology() plan.Topology {
	t := plan.Topology{After: shapeOf(c.after)}
	if c.before != nil {
		t.Before = shapeOf(*c.before)
		t.Effects = planned(topology.Compare(*c.before, c.after))
	}
	return t
}

// reportOf is the report of a plan.
func (o *common) reportOf(d description, c change, p plan.Plan) report.Report {
	return d.placed(report.Report{Plan: &p, Before: c.before, After: &c.after, Run: o.invocation.URL})
}

// driftReport is the report of drift, from the network as last applied to itself.
func (o *common) driftReport(d description, applied plan.Desired, p plan.Plan) report.Report {
	r := report.Report{Drift: &p, Run: o.invocation.URL}
	if plan.AllRead(p.Clusters) {
		n := desired.AsNetwork(applied)
		r.Before, r.After = &n, &n
	}
	return d.placed(r)
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
