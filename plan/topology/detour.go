package topology

import "cmp"

// doom tells which sites a failure takes all cheapest paths from. It is the tree of
// dominators of the cheapest paths from one source: a site's parent is the last other
// one that all of them go through.
type doom struct {
	*search
	parent, depth []int32
	// only is the bond by which every cheapest path comes to a site; -1 when there are
	// several.
	only []int32
	// line lists the sites so that those behind one follow it: a site's are
	// line[place[site] : place[site]+size[site]].
	line        []int32
	place, size []int32
}

func newDoom(s *search) *doom {
	n := len(s.names)
	return &doom{search: s, parent: make([]int32, n), depth: make([]int32, n), only: make([]int32, n),
		line: make([]int32, n), place: make([]int32, n), size: make([]int32, n)}
}

// grow makes the tree for the last search.
func (d *doom) grow() {
	for _, site := range d.order {
		d.size[site] = 1
	}
	for _, site := range d.order[1:] {
		d.join(site)
	}
	for i := len(d.order) - 1; i > 0; i-- {
		site := d.order[i]
		d.size[d.parent[site]] += d.size[site]
	}
	// A parent comes before its children in the order; place is where its next child goes.
	d.place[d.source] = 0
	for i, site := range d.order {
		if i > 0 {
			parent := d.parent[site]
			d.place[site] = d.place[parent]
			d.place[parent] += d.size[site]
		}
		d.line[d.place[site]] = site
		d.place[site]++
	}
	for _, site := range d.order { // back to the site's own place
		d.place[site] -= d.size[site]
	}
}

// join finds the parent of a site whose predecessors have theirs.
func (d *doom) join(site int32) {
	d.only[site] = -1
	parent := int32(-1)
	for _, a := range d.arcsOf(site) {
		if !d.lastStep(a, site) {
			continue
		}
		if parent < 0 {
			parent, d.only[site] = a.to, a.bond
			continue
		}
		parent, d.only[site] = d.meet(parent, a.to), -1
	}
	d.parent[site], d.depth[site] = parent, d.depth[parent]+1
}

// meet is the last site that lies above both, or is one of them.
func (d *doom) meet(x, y int32) int32 {
	for x != y {
		switch cmp.Compare(d.depth[x], d.depth[y]) {
		case 1:
			x = d.parent[x]
		case -1:
			y = d.parent[y]
		default:
			x, y = d.parent[x], d.parent[y]
		}
	}
	return x
}

// behind are the sites that every cheapest path reaches through the given one, itself
// first.
func (d *doom) behind(site int32) []int32 {
	return d.line[d.place[site] : d.place[site]+d.size[site]]
}

// covers reports whether x is behind site, or is it.
func (d *doom) covers(site, x int32) bool {
	return d.cost[x] != none && d.place[x] >= d.place[site] && d.place[x] < d.place[site]+d.size[site]
}

// detour finds the new costs of sites that a failure takes all cheapest paths from. The
// costs of all others are as they were.
type detour struct {
	*search
	doom *doom
	// cost after the failure, of the sites that were hit last; none when they are cut off.
	cost []int64
	heap heap
}

// around works out the costs of the sites that were hit: those behind one site, with or
// without itself.
func (d *detour) around(f failing, hit []int32) {
	top := hit[0]
	if f.site >= 0 {
		top = f.site
	}
	for _, site := range hit {
		d.cost[site] = d.entrance(f, top, site)
		if d.cost[site] != none && len(hit) > 1 {
			d.heap.push(entry{d.cost[site], site})
		}
	}
	for len(d.heap) > 0 {
		if e := d.heap.pop(); e.cost == d.cost[e.site] && !d.edge[e.site] {
			d.relax(f, top, e)
		}
	}
}

// entrance is the cost of a site by way of a neighbour that was not hit.
func (d *detour) entrance(f failing, top, site int32) int64 {
	best := none
	for _, a := range d.arcsOf(site) {
		if !d.passes(a.to) || d.search.cost[a.to] == none || d.doom.covers(top, a.to) {
			continue
		}
		if step := d.step(f, a); step != none {
			best = min(best, d.search.cost[a.to]+step)
		}
	}
	return best
}

func (d *detour) relax(f failing, top int32, e entry) {
	for _, a := range d.arcsOf(e.site) {
		if a.to == f.site || !d.doom.covers(top, a.to) {
			continue
		}
		step := d.step(f, a)
		if step != none && e.cost+step < d.cost[a.to] {
			d.cost[a.to] = e.cost + step
			d.heap.push(entry{d.cost[a.to], a.to})
		}
	}
}

// step is the cost of an arc while something fails: a standby takes over.
func (d *detour) step(f failing, a arc) int64 {
	if a.bond != f.bond {
		return a.cost
	}
	if links := d.bonds[a.bond].links; len(links) > 1 {
		return links[1].cost
	}
	return none
}
