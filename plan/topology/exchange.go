package topology

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// Node is a site while a network changes.
type Node struct {
	Name network.SiteName
	// EdgeBefore and EdgeAfter tell whether it does no transit then.
	EdgeBefore, EdgeAfter bool
	// Moves is true for a site that is made anew in another place: nothing passes from
	// its old place to the new one.
	Moves bool
}

// Strand is one link while a network changes; Before and After tell when it is there.
type Strand struct {
	From, To      network.SiteName
	Before, After bool
}

// Exchange is a part of a changing network in which sites are connected before and
// after, but not by what stays: there, what goes has to wait for all that comes.
type Exchange struct {
	// Strands are the indices of those that go or come, sorted.
	Strands []int
	// Sites are those of the part that begin or cease to do transit, sorted.
	Sites []network.SiteName
}

// Exchanges finds the parts of a change that need an order. Whatever is done outside
// of them, and however far each of them is, sites that are connected before and after
// stay connected, as long as within each part everything comes before anything goes.
//
// Two sites that are joined by what stays count as one. Every way between two of the
// rest goes through the same blocks, the largest parts that no single site holds
// together, in the same sequence, so that each block can be judged and carried out by
// itself. Sites that do no transit may join blocks that would do without each other,
// which asks for more order than is needed, never for less. It takes linear time, but
// for comparing the sites of one block. The result does not depend on the order of nodes.
func Exchanges(nodes []Node, strands []Strand) []Exchange {
	c := newChange(nodes, strands)
	var out []Exchange
	for _, part := range c.merged(c.blocks()) {
		if c.swaps(part) {
			out = append(out, c.exchange(part))
		}
	}
	slices.SortFunc(out, func(a, b Exchange) int { return slices.Compare(a.Strands, b.Strands) })
	return out
}

// change is a multigraph of what is left when all that stays is drawn together.
type change struct {
	nodes   map[network.SiteName]Node
	strands []Strand
	forest  forest
	// at lists the strands at each root; a strand between two of one root is not there.
	at map[network.SiteName][]int
}

func newChange(nodes []Node, strands []Strand) *change {
	c := &change{nodes: map[network.SiteName]Node{}, strands: slices.Clone(strands), forest: forest{}, at: map[network.SiteName][]int{}}
	for _, n := range nodes {
		c.nodes[n.Name], c.forest[n.Name] = n, n.Name
	}
	for i := range c.strands {
		s := &c.strands[i]
		from, to := c.nodes[s.From], c.nodes[s.To]
		known := c.forest.has(s.From) && c.forest.has(s.To)
		s.Before = s.Before && known && !(from.EdgeBefore && to.EdgeBefore)
		s.After = s.After && known && !(from.EdgeAfter && to.EdgeAfter)
		if s.Before && s.After && from.steady() && to.steady() {
			c.forest.join(s.From, s.To)
		}
	}
	for i, s := range c.strands {
		if !s.Before && !s.After || c.forest.root(s.From) == c.forest.root(s.To) {
			continue
		}
		for _, end := range []network.SiteName{s.From, s.To} {
			c.at[c.forest.root(end)] = append(c.at[c.forest.root(end)], i)
		}
	}
	return c
}

// steady reports whether the site does transit before, after and in between.
func (n Node) steady() bool { return !n.EdgeBefore && !n.EdgeAfter && !n.Moves }

// ends are the roots that a strand joins.
func (c *change) ends(i int) [2]network.SiteName {
	return [2]network.SiteName{c.forest.root(c.strands[i].From), c.forest.root(c.strands[i].To)}
}

// blocks are the biconnected components, as strands, by the depth-first search of
// Hopcroft and Tarjan.
func (c *change) blocks() [][]int {
	roots := make([]network.SiteName, 0, len(c.at))
	for root := range c.at {
		roots = append(roots, root)
	}
	slices.Sort(roots)
	w := &walk{change: c, entered: map[network.SiteName]int{}}
	for _, root := range roots {
		if w.entered[root] == 0 {
			w.visit(root, -1)
		}
	}
	return w.found
}

// walk is the state of one search. entered counts from 1.
type walk struct {
	*change
	entered map[network.SiteName]int
	stack   []int
	found   [][]int
}

// visit searches from a site that was reached by a strand, and gives the earliest site
// that it or what is behind it leads back to.
func (w *walk) visit(site network.SiteName, by int) int {
	w.entered[site] = len(w.entered) + 1
	lowest := w.entered[site]
	for _, i := range w.at[site] {
		ends := w.ends(i)
		next := ends[0]
		if next == site {
			next = ends[1]
		}
		switch entered := w.entered[next]; {
		case i == by || entered > w.entered[site]:
		case entered > 0:
			w.stack = append(w.stack, i)
			lowest = min(lowest, entered)
		default:
			depth := len(w.stack)
			w.stack = append(w.stack, i)
			back := w.visit(next, i)
			lowest = min(lowest, back)
			if back >= w.entered[site] {
				w.found = append(w.found, slices.Clone(w.stack[depth:]))
				w.stack = w.stack[:depth]
			}
		}
	}
	return lowest
}

// merged joins the blocks that meet at a site that moves.
func (c *change) merged(blocks [][]int) [][]int {
	owner := map[network.SiteName]int{}
	var out [][]int
	sets := forest{}
	key := func(i int) network.SiteName { return network.SiteName(fmt.Sprint(i)) }
	for b, block := range blocks {
		sets[key(b)] = key(b)
		for _, site := range c.sitesOf(block) {
			if !c.nodes[site].Moves {
				continue
			}
			if first, ok := owner[site]; ok {
				sets.join(key(b), key(first))
			}
			owner[site] = b
		}
	}
	index := map[network.SiteName]int{}
	for b, block := range blocks {
		root := sets.root(key(b))
		if _, ok := index[root]; !ok {
			index[root] = len(out)
			out = append(out, nil)
		}
		out[index[root]] = append(out[index[root]], block...)
	}
	return out
}

// sitesOf are the roots that strands join, sorted.
func (c *change) sitesOf(block []int) []network.SiteName {
	var out []network.SiteName
	for _, i := range block {
		ends := c.ends(i)
		out = append(out, ends[:]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// swaps reports whether two sites of a block are connected before and after, but not
// by what stays.
func (c *change) swaps(block []int) bool {
	before := c.graph(block, func(s Strand) bool { return s.Before }, func(n Node) bool { return n.EdgeBefore })
	after := c.graph(block, func(s Strand) bool { return s.After }, func(n Node) bool { return n.EdgeAfter })
	stays := c.graph(block, func(s Strand) bool { return s.Before && s.After }, func(n Node) bool { return !n.steady() })
	kinds := map[string]network.SiteName{} // sites that are alike stand for each other
	for _, site := range c.sitesOf(block) {
		key := fmt.Sprint(before.groups[site], after.groups[site], stays.groups[site])
		kinds[key] = min(cmp.Or(kinds[key], site), site)
	}
	for _, x := range kinds {
		for _, y := range kinds {
			if share(before.groups[x], before.groups[y]) && share(after.groups[x], after.groups[y]) && !share(stays.groups[x], stays.groups[y]) {
				return true
			}
		}
	}
	return false
}

// graph is a block at one time.
func (c *change) graph(block []int, there func(Strand) bool, edge func(Node) bool) graph {
	n := network.Network{}
	for _, site := range c.sitesOf(block) {
		n.Sites = append(n.Sites, network.Site{Name: site, Edge: edge(c.nodes[site])})
	}
	for _, i := range block {
		if there(c.strands[i]) {
			ends := c.ends(i)
			n.Links = append(n.Links, network.Link{From: ends[0], To: ends[1]})
		}
	}
	return newGraph(n)
}

func (c *change) exchange(block []int) Exchange {
	var out Exchange
	for _, i := range block {
		if c.strands[i].Before != c.strands[i].After {
			out.Strands = append(out.Strands, i)
		}
	}
	slices.Sort(out.Strands)
	for _, site := range c.sitesOf(block) {
		if n := c.nodes[site]; n.EdgeBefore != n.EdgeAfter {
			out.Sites = append(out.Sites, site)
		}
	}
	return out
}
