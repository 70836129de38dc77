// Package topology says what a network's graph connects, and what a change of it
// does to connections. It is pure: it looks at the declared sites and links only.
package topology

import (
	"cmp"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// Facts describe the graph of one network.
type Facts struct {
	// Components are the groups of sites that reach each other, the largest first,
	// then by first name; each is sorted and none is empty. An edge site does no
	// transit: linked to two groups it belongs to both, and joins neither to the
	// other. An edge site with no link to another kind of site is on its own.
	Components [][]network.SiteName `json:"components"`
	Sites      int                  `json:"sites"`
	Links      int                  `json:"links"`
}

// Of gives the facts of a network, in time linear in its sites and links but for
// sorting. Links that name an unknown site, or two edge sites, connect nothing.
func Of(n network.Network) Facts {
	g := newGraph(n)
	components := make([][]network.SiteName, g.count)
	for site, groups := range g.groups {
		for _, group := range groups {
			components[group] = append(components[group], site)
		}
	}
	for _, c := range components {
		slices.Sort(c)
	}
	slices.SortFunc(components, func(a, b []network.SiteName) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), slices.Compare(a, b))
	})
	return Facts{Components: components, Sites: len(n.Sites), Links: len(n.Links)}
}

// graph knows the groups of each site: one, but for an edge site between several.
// Two sites reach each other exactly when they share a group.
type graph struct {
	groups map[network.SiteName][]int
	count  int
}

func newGraph(n network.Network) graph {
	edge := make(map[network.SiteName]bool, len(n.Sites))
	transit := forest{}
	for _, s := range n.Sites {
		if edge[s.Name] = s.Edge; !s.Edge {
			transit[s.Name] = s.Name
		}
	}
	for _, l := range n.Links {
		if transit.has(l.From) && transit.has(l.To) {
			transit.join(l.From, l.To)
		}
	}
	g := graph{groups: make(map[network.SiteName][]int, len(n.Sites))}
	g.addTransit(n.Sites, transit)
	g.addEdges(n, edge, transit)
	return g
}

func (g *graph) addTransit(sites []network.Site, transit forest) {
	number := map[network.SiteName]int{}
	for _, s := range sites {
		if !transit.has(s.Name) {
			continue
		}
		root := transit.root(s.Name)
		if _, ok := number[root]; !ok {
			number[root] = g.count
			g.count++
		}
		g.groups[s.Name] = []int{number[root]}
	}
}

// addEdges puts each edge site into the groups of its neighbours.
func (g *graph) addEdges(n network.Network, edge map[network.SiteName]bool, transit forest) {
	attach := func(site, to network.SiteName) {
		if edge[site] && transit.has(to) {
			g.groups[site] = append(g.groups[site], g.groups[to]...)
		}
	}
	for _, l := range n.Links {
		attach(l.From, l.To)
		attach(l.To, l.From)
	}
	for _, s := range n.Sites {
		if !edge[s.Name] {
			continue
		}
		groups := g.groups[s.Name]
		if len(groups) == 0 {
			groups = []int{g.count}
			g.count++
		}
		slices.Sort(groups)
		g.groups[s.Name] = slices.Compact(groups)
	}
}

// forest is a union of sets: each site points towards the root of its set.
type forest map[network.SiteName]network.SiteName

func (f forest) has(s network.SiteName) bool {
	_, ok := f[s]
	return ok
}

func (f forest) root(s network.SiteName) network.SiteName {
	for f[s] != s {
		f[s] = f[f[s]]
		s = f[s]
	}
	return s
}

func (f forest) join(a, b network.SiteName) { f[f.root(a)] = f.root(b) }
