// Package picture draws networks, also two in one with what changes between them, as Mermaid,
// DOT and SVG.
package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/network"
)

// Change says how a part of a picture differs from what was there before.
type Change string

// The changes; Same is also what a picture of one network has everywhere.
const (
	Same    Change = ""
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed"
	// Noted is what something else is known about than the shape of the network shows: an
	// action, drift or trouble.
	Noted Change = "noted"
)

// real reports whether the shape of the network changes.
func (c Change) real() bool { return c != Same && c != Noted }

// Picture is a network to be drawn: Mermaid, DOT and SVG are made of it. Its parts are
// sorted by name; names may hold anything, each format escapes them.
type Picture struct {
	Name   string
	Groups []Group
	Nodes  []Node
	Edges  []Edge
}

// Group is a cluster.
type Group struct {
	Name   string
	Change Change
}

// Node is a site, or several that are alike. Group is the name of its cluster.
type Node struct {
	Name, Group   string
	Listens, Edge bool
	Change        Change
	// Members are the names of several sites that are drawn as one; nil for a single one.
	Members []string
}

// Edge is a link; From and To are names of nodes. Was is its former cost where that is
// what changed, 0 otherwise. Most is the highest cost where it stands for several links of
// different costs, and Cost then the lowest; 0 otherwise.
type Edge struct {
	Name, From, To  string
	Cost, Was, Most int64
	Change          Change
}

// Of draws one network.
func Of(n network.Network) Picture { return OfChange(n, n) }

// OfChange draws two networks in one: what is new, gone, and not as it was. A
// site is changed when it is in another cluster, or begins or ceases to listen or to be
// an edge site; a link when its cost is; one with other ends is a new one beside the old.
// A link to a site that is not there is left out.
func OfChange(before, after network.Network) Picture {
	p := Picture{Name: cmp.Or(after.Name, before.Name)}
	p.addNodes(before, after)
	p.addGroups()
	p.addEdges(before, after)
	return p
}

// Changing is the part of a picture that changes, and the sites at the ends of its links.
func (p Picture) Changing() Picture {
	out, ends := Picture{Name: p.Name}, map[string]bool{}
	for _, e := range p.Edges {
		if e.Change.real() {
			out.Edges = append(out.Edges, e)
			ends[e.From], ends[e.To] = true, true
		}
	}
	groups := map[string]bool{}
	for _, n := range p.Nodes {
		if n.Change.real() || ends[n.Name] {
			out.Nodes = append(out.Nodes, n)
			groups[n.Group] = true
		}
	}
	for _, g := range p.Groups {
		if groups[g.Name] {
			out.Groups = append(out.Groups, g)
		}
	}
	return out
}

func (p *Picture) addNodes(before, after network.Network) {
	old := map[network.SiteName]Node{}
	for _, s := range before.Sites {
		old[s.Name] = nodeOf(s)
	}
	for _, s := range after.Sites {
		n := nodeOf(s)
		was, known := old[s.Name]
		switch {
		case !known:
			n.Change = Added
		case was.Group != n.Group || was.Listens != n.Listens || was.Edge != n.Edge:
			n.Change = Changed
		}
		delete(old, s.Name)
		p.Nodes = append(p.Nodes, n)
	}
	for _, n := range old {
		n.Change = Removed
		p.Nodes = append(p.Nodes, n)
	}
	slices.SortFunc(p.Nodes, func(x, y Node) int { return cmp.Compare(x.Name, y.Name) })
}

func nodeOf(s network.Site) Node {
	return Node{Name: string(s.Name), Group: string(s.Cluster), Listens: s.Listens(), Edge: s.Edge}
}

// addGroups makes a group for each cluster that has a node: a new or gone one where all
// its nodes are.
func (p *Picture) addGroups() {
	known := map[string]int{}
	for _, n := range p.Nodes {
		i, ok := known[n.Group]
		if !ok {
			known[n.Group] = len(p.Groups)
			change := n.Change
			if change == Changed {
				change = Same
			}
			p.Groups = append(p.Groups, Group{n.Group, change})
		} else if p.Groups[i].Change != n.Change {
			p.Groups[i].Change = Same
		}
	}
	slices.SortFunc(p.Groups, func(x, y Group) int { return cmp.Compare(x.Name, y.Name) })
}

func (p *Picture) addEdges(before, after network.Network) {
	type key struct{ name, from, to string }
	old := map[key]Edge{}
	keyOf := func(e Edge) key { return key{e.Name, e.From, e.To} }
	for _, l := range before.Links {
		e := edgeOf(l)
		old[keyOf(e)] = e
	}
	var all []Edge
	for _, l := range after.Links {
		e := edgeOf(l)
		was, known := old[keyOf(e)]
		switch {
		case !known:
			e.Change = Added
		case was.Cost != e.Cost:
			e.Change, e.Was = Changed, was.Cost
		}
		delete(old, keyOf(e))
		all = append(all, e)
	}
	for _, e := range old {
		e.Change = Removed
		all = append(all, e)
	}
	there := map[string]bool{}
	for _, n := range p.Nodes {
		there[n.Name] = true
	}
	p.Edges = slices.DeleteFunc(all, func(e Edge) bool { return !there[e.From] || !there[e.To] })
	slices.SortFunc(p.Edges, compareEdges)
}

func compareEdges(x, y Edge) int {
	return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To), cmp.Compare(x.Name, y.Name),
		cmp.Compare(x.Change, y.Change))
}

func edgeOf(l network.Link) Edge {
	return Edge{Name: string(l.Name), From: string(l.From), To: string(l.To), Cost: max(1, int64(l.Cost))}
}

// Label is what stands on a link: its cost, or both costs where it changes.
func (e Edge) Label() string {
	switch {
	case e.Change == Changed:
		return fmt.Sprintf("%d → %d", e.Was, e.Cost)
	case e.Most > e.Cost:
		return fmt.Sprintf("%d…%d", e.Cost, e.Most)
	}
	return fmt.Sprint(e.Cost)
}

// ReadableNodes is how many nodes a program that lays out by itself can place so that
// people follow the lines.
const ReadableNodes = 40

// Label is what stands in a node.
func (n Node) Label() string {
	if len(n.Members) == 0 {
		return n.Name
	}
	ordered := slices.SortedFunc(slices.Values(n.Members), natural)
	return fmt.Sprintf("%d sites: %s", len(ordered), words.Listed(ordered, 2))
}

// natural compares names as people count: shop2 before shop10.
func natural(a, b string) int { return cmp.Or(byNumbers(a, b), cmp.Compare(a, b)) }

func byNumbers(a, b string) int {
	for a != "" && b != "" {
		x, restA := leadingNumber(a)
		y, restB := leadingNumber(b)
		if x != "" && y != "" {
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = restA, restB
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a, b)
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(a, b)
}

// leadingNumber cuts digits from the front of a text, zeros before them left out.
func leadingNumber(s string) (digits, rest string) {
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	if end == 0 {
		return "", s
	}
	digits = strings.TrimLeft(s[:end], "0")
	return cmp.Or(digits, "0"), s[end:]
}
