package picture

import (
	"fmt"
	"slices"
	"strings"
)

// Condensed draws sites that are alike as one node where the picture has more than most:
// sites of one cluster that are of one kind, change alike, accept no links and have links
// to the same sites at the same costs. Three at least are worth it.
func (p Picture) Condensed(most int) Picture {
	if len(p.Nodes) <= most {
		return p
	}
	return p.joined(p.alike(exactCost))
}

// Coarse draws fewer nodes than Condensed does, where that leaves more than most: the
// costs of links count no more, but for those that change, and the lowest and the highest are
// shown.
func (p Picture) Coarse(most int) Picture {
	fine := p.Condensed(most)
	if len(fine.Nodes) <= most {
		return fine
	}
	alike := p.alike(anyCost)
	out := p.joined(alike)
	for i, e := range out.Edges {
		if members := alike[e.From]; len(members) > 2 && e.Change != Changed {
			out.Edges[i].Cost, out.Edges[i].Most = p.costs(members, e)
		}
	}
	return out
}

// costs are the lowest and the highest of the links that are like one, but for the site
// that they come from.
func (p Picture) costs(from []string, like Edge) (least, most int64) {
	least, most = like.Cost, like.Cost
	for _, e := range p.Edges {
		if e.To == like.To && e.Change == like.Change && slices.Contains(from, e.From) {
			least, most = min(least, e.Cost), max(most, e.Cost)
		}
	}
	return least, most
}

// joined draws three sites or more that are alike as one.
func (p Picture) joined(alike map[string][]string) Picture {
	out := Picture{Name: p.Name, Groups: p.Groups}
	gone := map[string]bool{}
	for _, n := range p.Nodes {
		switch members := alike[n.Name]; {
		case len(members) < 3:
			out.Nodes = append(out.Nodes, n)
		case members[0] == n.Name:
			n.Members = members
			out.Nodes = append(out.Nodes, n)
		default:
			gone[n.Name] = true
		}
	}
	for _, e := range p.Edges {
		if !gone[e.From] {
			out.Edges = append(out.Edges, e)
		}
	}
	return out
}

// exactCost and anyCost say what of a link makes sites alike.
func exactCost(e Edge) string { return fmt.Sprint(e.Cost) }

func anyCost(e Edge) string {
	if e.Change == Changed {
		return exactCost(e)
	}
	return ""
}

// alike gives for each site that no link leads to those that are like it, itself included.
func (p Picture) alike(cost func(Edge) string) map[string][]string {
	links, entered := map[string][]string{}, map[string]bool{}
	for _, e := range p.Edges { // sorted, so that the same links give the same text
		links[e.From] = append(links[e.From], fmt.Sprintf("%q %s %d %s", e.To, cost(e), e.Was, e.Change))
		entered[e.To] = true
	}
	kinds := map[string][]string{}
	kindOf := map[string]string{}
	for _, n := range p.Nodes {
		if entered[n.Name] {
			continue
		}
		kind := fmt.Sprintf("%q %v %v %s %s", n.Group, n.Listens, n.Edge, n.Change, strings.Join(links[n.Name], ","))
		kinds[kind] = append(kinds[kind], n.Name)
		kindOf[n.Name] = kind
	}
	out := map[string][]string{}
	for name, kind := range kindOf {
		out[name] = kinds[kind]
	}
	return out
}
