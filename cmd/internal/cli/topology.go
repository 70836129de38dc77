package cli

import (
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/network"
)

// topologyOf compares the network as last applied with the described one. Where a
// cluster could not be read the comparison would lie, and is left out.
func (s session) topologyOf(o plan.Observation) plan.Topology {
	described := desired.AsNetwork(s.desired)
	t := plan.Topology{After: shapeOf(described)}
	for _, c := range o.Clusters {
		if c.State != plan.StateOK {
			return t
		}
	}
	before := desired.AsNetwork(desired.LastApplied(o, s.desired))
	t.Before = shapeOf(before)
	t.Effects = planned(topology.Compare(before, described))
	return t
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
