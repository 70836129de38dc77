package topology

import (
	"cmp"
	"maps"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// web is a network by numbers. A site's number is its place among the sorted names of
// all sites that are looked at, which may be those of two networks.
type web struct {
	names   []network.SiteName
	number  map[network.SiteName]int32
	present []bool
	// edge sites start and end paths, and pass nothing on.
	edge    []bool
	listens []bool
	bonds   []bond
	// The arcs of site s are arcs[first[s]:first[s+1]], sorted by where they lead.
	first []int32
	arcs  []arc
	// idle links join nothing: an end is unknown, both are one site, or both are edge sites.
	idle []network.LinkName
}

// bond is what joins two sites directly: one link, or several of which the routers use
// one at a time. Which one that is, a description cannot say; the cheapest stands for
// it, of equals the first by name. The others are its standby.
type bond struct {
	a, b  int32 // a < b
	links []member
}

// member is one link of a bond; its cost is at least 1.
type member struct {
	name network.LinkName
	cost int64
}

func (b bond) cost() int64 { return b.links[0].cost }

// arc is a bond seen from one of its ends.
type arc struct {
	to, bond int32
	cost     int64
}

// siteNames are the names of the sites of some networks, sorted.
func siteNames(networks ...network.Network) []network.SiteName {
	all := map[network.SiteName]bool{}
	for _, n := range networks {
		for _, s := range n.Sites {
			all[s.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// newWeb numbers a network's sites by their places in names, which has them all.
func newWeb(n network.Network, names []network.SiteName) *web {
	w := &web{
		names: names, number: make(map[network.SiteName]int32, len(names)),
		present: make([]bool, len(names)), edge: make([]bool, len(names)), listens: make([]bool, len(names)),
	}
	for i, name := range names {
		w.number[name] = int32(i)
	}
	for _, s := range n.Sites {
		i := w.number[s.Name]
		w.present[i], w.edge[i], w.listens[i] = true, s.Edge, s.Listens()
	}
	w.tie(n.Links)
	w.wire()
	return w
}

// tie gathers the links between each two sites.
func (w *web) tie(links []network.Link) {
	place := map[[2]int32]int{}
	for _, l := range links {
		ends, ok := w.ends(l)
		if !ok {
			w.idle = append(w.idle, l.Name)
			continue
		}
		if _, known := place[ends]; !known {
			place[ends] = len(w.bonds)
			w.bonds = append(w.bonds, bond{a: ends[0], b: ends[1]})
		}
		b := &w.bonds[place[ends]]
		b.links = append(b.links, member{l.Name, max(1, int64(l.Cost))})
	}
	for _, b := range w.bonds {
		slices.SortFunc(b.links, func(x, y member) int { return cmp.Or(cmp.Compare(x.cost, y.cost), cmp.Compare(x.name, y.name)) })
	}
	slices.SortFunc(w.bonds, func(x, y bond) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	slices.Sort(w.idle)
}

// ends are the numbers of a link's sites, the lower first; not ok for an idle link.
func (w *web) ends(l network.Link) ([2]int32, bool) {
	from, hasFrom := w.number[l.From]
	to, hasTo := w.number[l.To]
	if !hasFrom || !hasTo || !w.present[from] || !w.present[to] || from == to || w.edge[from] && w.edge[to] {
		return [2]int32{}, false
	}
	return [2]int32{min(from, to), max(from, to)}, true
}

// wire lists the arcs of each site.
func (w *web) wire() {
	w.first = make([]int32, len(w.names)+1)
	for _, b := range w.bonds {
		w.first[b.a+1]++
		w.first[b.b+1]++
	}
	for i := range w.names {
		w.first[i+1] += w.first[i]
	}
	w.arcs = make([]arc, 2*len(w.bonds))
	next := slices.Clone(w.first)
	put := func(at, to, bond int32) {
		w.arcs[next[at]] = arc{to, bond, w.bonds[bond].cost()}
		next[at]++
	}
	for i, b := range w.bonds { // by a, then b: of the higher ends those that lead lower come first
		put(b.b, b.a, int32(i))
	}
	for i, b := range w.bonds {
		put(b.a, b.b, int32(i))
	}
}

func (w *web) arcsOf(site int32) []arc { return w.arcs[w.first[site]:w.first[site+1]] }

// orient puts the site first that only connects, then by name: as people say it.
func (w *web) orient(a, b int32) (int32, int32) {
	if w.listens[a] != w.listens[b] {
		if w.listens[a] {
			return b, a
		}
		return a, b
	}
	return min(a, b), max(a, b)
}
