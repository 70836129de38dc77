package topology

import (
	"cmp"
	mathbits "math/bits"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// Cut is one site or link that others hang on: when it fails, some that had a path to
// each other have none.
type Cut struct {
	// Site or Link is the one that fails; the other is empty.
	Site network.SiteName `json:"site,omitempty"`
	Link network.LinkName `json:"link,omitempty"`
	// Sites are those that hang on it: each loses more than half of the sites that it
	// reaches without it failing. Of two that lose each other at least one is among them.
	// Sorted; never nil.
	Sites []network.SiteName `json:"sites"`
	// Pairs counts the pairs of sites that lose each other.
	Pairs int `json:"pairs"`
}

// Cuts are the sites and links that others hang on (articulation sites and bridge
// links, edge sites and standby links taken into account): those with the most lost
// pairs first, then sites before links, then by name; never nil. Candidates are found in
// linear time; each is then judged by itself, in linear time again.
func (a *Analysis) Cuts() []Cut {
	w := a.web
	whole := w.parts(nothing)
	candidates := w.candidates()
	out := make([]Cut, len(candidates))
	each(len(candidates), func(_, i int) { out[i] = w.cut(candidates[i], whole) })
	out = slices.DeleteFunc(out, func(c Cut) bool { return c.Pairs == 0 })
	slices.SortFunc(out, func(x, y Cut) int {
		return cmp.Or(-cmp.Compare(x.Pairs, y.Pairs), cmp.Compare(x.Link, y.Link), cmp.Compare(x.Site, y.Site))
	})
	return out
}

func (w *web) cut(f failing, whole *parts) Cut {
	left := w.parts(f)
	c := Cut{Sites: []network.SiteName{}}
	if f.site >= 0 {
		c.Site = w.names[f.site]
	} else {
		c.Link = w.bonds[f.bond].links[0].name
	}
	was, is := newBits(len(w.names)), newBits(len(w.names))
	for site := range int32(len(w.names)) {
		if !w.present[site] || site == f.site {
			continue
		}
		whole.reach(site, was)
		left.reach(site, is)
		others := was.count() - 1
		if f.site >= 0 && was.has(f.site) {
			others--
		}
		lost := others - (is.count() - 1)
		c.Pairs += lost
		if 2*lost > others {
			c.Sites = append(c.Sites, w.names[site])
		}
	}
	c.Pairs /= 2
	return c
}

// failing is a site or a bond by its number; the other is -1.
type failing struct{ site, bond int32 }

// nothing fails.
var nothing = failing{-1, -1}

func siteFails(site int32) failing { return failing{site, -1} }
func bondFails(bond int32) failing { return failing{-1, bond} }

// candidates are the sites and bonds that may be cuts, and surely all that are. A bond
// with a standby is none.
func (w *web) candidates() []failing {
	t := &tarjan{web: w, entered: make([]int32, len(w.names)), site: make([]bool, len(w.names)), bond: make([]bool, len(w.bonds))}
	for site := range int32(len(w.names)) {
		switch {
		case w.edge[site]:
			for _, a := range w.arcsOf(site) { // how much hangs on them is judged later
				t.site[a.to], t.bond[a.bond] = true, true
			}
		case t.entered[site] == 0:
			t.visit(site, -1)
		}
	}
	var out []failing
	for site, found := range t.site {
		if found {
			out = append(out, siteFails(int32(site)))
		}
	}
	for i, found := range t.bond {
		if found && len(w.bonds[i].links) == 1 {
			out = append(out, bondFails(int32(i)))
		}
	}
	return out
}

// tarjan finds, in one search through the sites that do transit, those whose failure
// divides them and the bonds that do.
type tarjan struct {
	*web
	// entered counts from 1; 0 is a site that the search did not come to yet.
	entered []int32
	clock   int32
	site    []bool
	bond    []bool
}

// visit searches from a site that was reached by a bond, -1 for the first one, and gives
// the earliest site that it or what is behind it leads back to.
func (t *tarjan) visit(site, by int32) int32 {
	t.clock++
	t.entered[site] = t.clock
	lowest, behind := t.clock, 0
	for _, a := range t.arcsOf(site) {
		switch {
		case a.bond == by || t.edge[a.to]:
		case t.entered[a.to] > 0:
			lowest = min(lowest, t.entered[a.to])
		default:
			back := t.visit(a.to, a.bond)
			lowest = min(lowest, back)
			behind++
			t.bond[a.bond] = t.bond[a.bond] || back > t.entered[site]
			t.site[site] = t.site[site] || by >= 0 && back >= t.entered[site]
		}
	}
	t.site[site] = t.site[site] || by < 0 && behind > 1
	return lowest
}

// parts are what a network falls into when something fails: two sites reach each other
// when they are in one part. An edge site is in the part of each of its neighbours.
type parts struct {
	*web
	failing
	// part of each site that does transit.
	part []int32
	// members of each part, its edge sites included.
	members []bits
}

func (w *web) parts(f failing) *parts {
	p := &parts{web: w, failing: f, part: make([]int32, len(w.names))}
	for i := range p.part {
		p.part[i] = -1
	}
	var queue []int32
	for site := range int32(len(w.names)) {
		if w.edge[site] || !w.present[site] || p.part[site] >= 0 || p.fails(site) {
			continue
		}
		p.members = append(p.members, newBits(len(w.names)))
		queue = p.spread(append(queue[:0], site))
	}
	return p
}

func (p *parts) fails(site int32) bool { return site == p.site }

// spread puts all that the queue's site reaches into the last part.
func (p *parts) spread(queue []int32) []int32 {
	number := int32(len(p.members) - 1)
	p.part[queue[0]] = number
	for i := 0; i < len(queue); i++ {
		p.members[number].set(queue[i])
		for _, a := range p.arcsOf(queue[i]) {
			switch {
			case a.bond == p.bond || p.fails(a.to):
			case p.edge[a.to]:
				p.members[number].set(a.to)
			case p.part[a.to] < 0:
				p.part[a.to] = number
				queue = append(queue, a.to)
			}
		}
	}
	return queue
}

// reach sets into to what a site reaches, itself included.
func (p *parts) reach(site int32, into bits) {
	clear(into)
	into.set(site)
	if p.fails(site) {
		return
	}
	if !p.edge[site] {
		if part := p.part[site]; part >= 0 {
			copy(into, p.members[part])
		}
		return
	}
	for _, a := range p.arcsOf(site) {
		if a.bond == p.bond || p.fails(a.to) {
			continue
		}
		for i, word := range p.members[p.part[a.to]] {
			into[i] |= word
		}
	}
}

func (b bits) count() int {
	n := 0
	for _, word := range b {
		n += mathbits.OnesCount64(word)
	}
	return n
}
