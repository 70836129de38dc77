package topology

import (
	"cmp"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// ThresholdRule says what costs mean where several sites serve the same address. It is
// Skupper's rule; path costs are sums of link costs, and a site's own are 0.
const ThresholdRule = "a dearer path takes new connections once the cheaper one has more open connections than the difference"

// Analysis knows the cheapest paths between all sites of a network. Links are used in
// both directions, edge sites only begin and end paths, and a path costs the sum of its
// links. It does not depend on the order of sites and links, and is safe for concurrent
// use.
//
// Costs, ties and unused links are worked out at once; Cuts and Failures when they are
// asked for; what one failure does to each pair of sites, by Without.
type Analysis struct {
	web *web
	// costs has a row of all sites for each site.
	costs []int64
	tied  []bits
}

// Analyze works out the cheapest paths of a network: one search from each site, on all
// processors. Memory is 8 bytes for each two sites.
func Analyze(n network.Network) *Analysis { return analyze(newWeb(n, siteNames(n))) }

func analyze(w *web) *Analysis {
	count := len(w.names)
	a := &Analysis{web: w, costs: make([]int64, count*count), tied: make([]bits, count)}
	searches := make([]*search, workers())
	each(count, func(worker, i int) {
		if searches[worker] == nil {
			searches[worker] = newSearch(w)
		}
		s := searches[worker]
		s.from(int32(i))
		copy(a.costs[i*count:], s.cost)
		a.tied[i] = newBits(count)
		s.tied(a.tied[i])
	})
	return a
}

func (a *Analysis) cost(from, to int32) int64 { return a.costs[int(from)*len(a.web.names)+int(to)] }

// numbers gives the numbers of two sites; not ok when one is unknown.
func (a *Analysis) numbers(from, to network.SiteName) (int32, int32, bool) {
	f, hasFrom := a.web.number[from]
	t, hasTo := a.web.number[to]
	return f, t, hasFrom && hasTo
}

// Cost is that of the cheapest path between two sites, 0 from a site to itself. It is
// not ok when no path joins them, or one is unknown.
func (a *Analysis) Cost(from, to network.SiteName) (cost int64, ok bool) {
	f, t, known := a.numbers(from, to)
	if !known || a.cost(f, t) == none {
		return 0, false
	}
	return a.cost(f, t), true
}

// Tied reports whether two sites have several cheapest paths; which of them carries
// traffic is the routers' choice.
func (a *Analysis) Tied(from, to network.SiteName) bool {
	f, t, known := a.numbers(from, to)
	return known && a.tied[f].has(t)
}

// Path gives the sites of the cheapest path between two sites, both included; of several
// the first by the names along it. It is nil when no path joins them.
func (a *Analysis) Path(from, to network.SiteName) []network.SiteName {
	f, t, known := a.numbers(from, to)
	if !known || a.cost(f, t) == none {
		return nil
	}
	out := []network.SiteName{from}
	for at := f; at != t; {
		at = a.nextStep(at, t)
		out = append(out, a.web.names[at])
	}
	return out
}

// nextStep is the first neighbour through which a cheapest path leads on.
func (a *Analysis) nextStep(at, to int32) int32 {
	for _, step := range a.web.arcsOf(at) {
		if a.web.edge[step.to] && step.to != to || a.cost(step.to, to) == none {
			continue
		}
		if step.cost+a.cost(step.to, to) == a.cost(at, to) {
			return step.to
		}
	}
	panic("topology: a path without a next step") // costs come from these arcs
}

// UnusedLink is on no cheapest path of any two sites: it carries nothing until others
// fail.
type UnusedLink struct {
	Link network.LinkName `json:"link"`
	// StandbyOf is the link between the same two sites that is used instead. Which one
	// the routers use is decided by which was there first; this is the cheapest.
	StandbyOf network.LinkName `json:"standbyOf,omitempty"`
	// Cost is the link's, Cheapest what its two sites cost each other by another path;
	// both are 0 for a link that joins nothing.
	Cost     int64 `json:"cost"`
	Cheapest int64 `json:"cheapest"`
}

// Unused are the links on no cheapest path, by name; never nil.
func (a *Analysis) Unused() []UnusedLink {
	out := []UnusedLink{}
	for _, name := range a.web.idle {
		out = append(out, UnusedLink{Link: name})
	}
	for _, b := range a.web.bonds {
		direct := a.cost(b.a, b.b)
		for i, l := range b.links {
			switch {
			case i > 0:
				out = append(out, UnusedLink{Link: l.name, StandbyOf: b.links[0].name, Cost: l.cost, Cheapest: direct})
			case l.cost > direct: // part of a cheapest path is a cheapest path
				out = append(out, UnusedLink{Link: l.name, Cost: l.cost, Cheapest: direct})
			}
		}
	}
	slices.SortFunc(out, func(x, y UnusedLink) int { return cmp.Compare(x.Link, y.Link) })
	return out
}
