package plan

import (
	"maps"

	"fairlead.dev/fairlead/plan/topology"
)

// moved is what became of a network since it was last applied.
type moved struct {
	world *index
	part  Filter
	rules []ruled
}

// topology leads from what was last applied to what runs. What could not be read counts as
// described, and what is left out, by a rule or as no part that was asked for, as applied.
func (d moved) topology() Topology {
	is := outcome{world: d.world}.running()
	was := present{sites: d.appliedSites(), ways: nil}
	recorded := d.appliedWays()
	for at, s := range was.sites {
		if _, runs := is.sites[at]; !runs && !d.part.matches(Action{Kind: KindSite, Name: string(s.name), Cluster: at.cluster, Namespace: at.namespace}) {
			is.sites[at] = s
		}
	}
	up := map[linkAt]bool{}
	for i, w := range is.ways {
		key := linkAt{name: w.link, at: w.at}
		up[key] = true
		a, known := recorded[key]
		if known && d.leaves(was, a, "cost") {
			is.ways[i].cost = a.cost
		}
		if !known {
			was.ways = append(was.ways, w) // no record tells when it came
		}
	}
	for key, w := range recorded {
		was.ways = append(was.ways, w)
		if !up[key] && d.leaves(was, w, LiveLinkDown) {
			is.ways = append(is.ways, w)
		}
	}
	t := Topology{Basis: BasisApplied}
	before, after := was.network(), is.network()
	t.Before, t.After, t.Effects = shapeOf(before), shapeOf(after), effectsOf(topology.Drifted(before, after))
	return t
}

// leaves reports whether what became of a recorded link is not to be told.
func (d moved) leaves(was present, w way, what string) bool {
	about := Action{
		Kind: KindLink, Name: string(w.link), Cluster: w.at.cluster, Namespace: w.at.namespace,
		Link: &LinkWork{From: End{Site: was.sites[w.at].name}, To: End{Site: was.sites[w.to].name}},
	}
	return !d.part.matches(about) || ruleFor(d.rules, about, what) != nil
}

// appliedSites are the sites as their records have them, and as they are where none does.
func (d moved) appliedSites() map[place]standing {
	out := maps.Clone(d.world.now().sites)
	for at, s := range out {
		if inv, ok := d.world.inventories[at]; ok && !s.fixed && inv.Broken == "" && inv.Content.Fields != nil {
			out[at] = standingOf(s.name, inv.Content.Fields, s.uid)
		}
	}
	return out
}

// appliedWays are the links that records have as brought up.
func (d moved) appliedWays() map[linkAt]way {
	sites := d.world.now().sites
	uids := map[string]place{}
	for at, s := range sites {
		if s.uid != "" {
			uids[s.uid] = at
		}
	}
	out := map[linkAt]way{}
	for at := range sites {
		for _, w := range d.world.recordedWays(at, uids, nil) {
			out[linkAt{name: w.link, at: at}] = w
		}
	}
	return out
}
