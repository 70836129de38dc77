package drift

import (
	"maps"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/effects"
	"fairlead.dev/fairlead/plan/ignore"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/world"
)

// moved is what became of a network since it was last applied.
type moved struct {
	world *world.World
	part  plan.Filter
	rules []ignore.Rule
}

// topology leads from what was last applied to what runs. What could not be read counts as
// described, and what is left out, by a rule or as no part that was asked for, as applied.
func (d moved) topology() plan.Topology {
	is := effects.Outcome{World: d.world}.Running()
	was := world.Present{Sites: d.appliedSites(), Ways: nil}
	recorded := d.appliedWays()
	for at, s := range was.Sites {
		if _, runs := is.Sites[at]; !runs && !d.part.Matches(plan.Action{Kind: plan.KindSite, Name: string(s.Name), Cluster: at.Cluster, Namespace: at.Namespace}) {
			is.Sites[at] = s
		}
	}
	up := map[world.LinkAt]bool{}
	for i, w := range is.Ways {
		key := world.LinkAt{Name: w.Link, At: w.At}
		up[key] = true
		a, known := recorded[key]
		if known && d.leaves(was, a, "cost") {
			is.Ways[i].Cost = a.Cost
		}
		if !known {
			was.Ways = append(was.Ways, w) // no record tells when it came
		}
	}
	for key, w := range recorded {
		was.Ways = append(was.Ways, w)
		if !up[key] && d.leaves(was, w, plan.LiveLinkDown) {
			is.Ways = append(is.Ways, w)
		}
	}
	t := plan.Topology{Basis: plan.BasisApplied}
	before, after := was.Network(), is.Network()
	t.Before, t.After, t.Effects = effects.ShapeOf(before), effects.ShapeOf(after), effects.EffectsOf(topology.Drifted(before, after))
	return t
}

// leaves reports whether what became of a recorded link is not to be told.
func (d moved) leaves(was world.Present, w world.Way, what string) bool {
	about := plan.Action{
		Kind: plan.KindLink, Name: string(w.Link), Cluster: w.At.Cluster, Namespace: w.At.Namespace,
		Link: &plan.LinkWork{From: plan.End{Site: was.Sites[w.At].Name}, To: plan.End{Site: was.Sites[w.To].Name}},
	}
	return !d.part.Matches(about) || ignore.For(d.rules, about, what) != nil
}

// appliedSites are the sites as their records have them, and as they are where none does.
func (d moved) appliedSites() map[plan.Place]world.Site {
	out := maps.Clone(d.world.Now().Sites)
	for at, s := range out {
		if inv, ok := d.world.Inventories[at]; ok && !s.Fixed && inv.Broken == "" && inv.Content.Fields != nil {
			out[at] = world.SiteOf(s.Name, inv.Content.Fields, s.UID)
		}
	}
	return out
}

// appliedWays are the links that records have as brought up.
func (d moved) appliedWays() map[world.LinkAt]world.Way {
	now := d.world.Now()
	uids := now.ByUID()
	out := map[world.LinkAt]world.Way{}
	for at := range now.Sites {
		for _, w := range d.world.RecordedWays(at, uids, nil) {
			out[world.LinkAt{Name: w.Link, At: at}] = w
		}
	}
	return out
}
