package plan

import (
	"maps"

	"fairlead.dev/fairlead/plan/topology"
)

// moved leads from what was last applied to what runs. What could not be read counts as
// described, and what is left out, by a rule or as no part that was asked for, as applied.
func (m *maker) moved() Topology {
	is := m.running()
	was := present{sites: m.appliedSites(), ways: nil}
	recorded := m.appliedWays()
	for at, s := range was.sites {
		if _, runs := is.sites[at]; !runs && !m.in.Filter.matches(Action{Kind: KindSite, Name: string(s.name), Cluster: at.cluster, Namespace: at.namespace}) {
			is.sites[at] = s
		}
	}
	up := map[linkAt]bool{}
	for i, w := range is.ways {
		key := linkAt{w.link, w.at}
		up[key] = true
		a, known := recorded[key]
		if known && m.leaves(was, a, "cost") {
			is.ways[i].cost = a.cost
		}
		if !known {
			was.ways = append(was.ways, w) // no record tells when it came
		}
	}
	for key, w := range recorded {
		was.ways = append(was.ways, w)
		if !up[key] && m.leaves(was, w, LiveLinkDown) {
			is.ways = append(is.ways, w)
		}
	}
	t := Topology{Basis: BasisApplied}
	before, after := was.network(), is.network()
	t.Before, t.After, t.Effects = shapeOf(before), shapeOf(after), effectsOf(topology.Drifted(before, after))
	return t
}

// leaves reports whether what became of a recorded link is not to be told.
func (m *maker) leaves(was present, w way, what string) bool {
	about := Action{
		Kind: KindLink, Name: string(w.link), Cluster: w.at.cluster, Namespace: w.at.namespace,
		Link: &LinkWork{From: End{Site: was.sites[w.at].name}, To: End{Site: was.sites[w.to].name}},
	}
	return !m.in.Filter.matches(about) || m.rule(about, what) != nil
}

// appliedSites are the sites as their records have them, and as they are where none does.
func (m *maker) appliedSites() map[place]standing {
	out := maps.Clone(m.index.now().sites)
	for at, s := range out {
		if inv, ok := m.index.inventories[at]; ok && !s.fixed && inv.Broken == "" && inv.Content.Fields != nil {
			out[at] = standingOf(s.name, inv.Content.Fields, s.uid)
		}
	}
	return out
}

// appliedWays are the links that records have as brought up.
func (m *maker) appliedWays() map[linkAt]way {
	sites := m.index.now().sites
	uids := map[string]place{}
	for at, s := range sites {
		if s.uid != "" {
			uids[s.uid] = at
		}
	}
	out := map[linkAt]way{}
	for at := range sites {
		for _, w := range m.index.recordedWays(at, uids, nil) {
			out[linkAt{w.link, at}] = w
		}
	}
	return out
}
