package topology

import (
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// Outcome is what some sites and links do to the others when they fail together. Its
// lists are sorted and never nil.
type Outcome struct {
	// Sites and Links are those that fail; the links of failing sites are not listed.
	Sites []network.SiteName `json:"sites"`
	Links []network.LinkName `json:"links"`
	// Pairs counts the pairs of other sites that have a path before, CutOff those of
	// them that have none afterwards, and Rerouted those whose cheapest path is dearer.
	Pairs    int `json:"pairs"`
	CutOff   int `json:"cutOff"`
	Rerouted int `json:"rerouted"`
	// Separations say who is cut off from whom; each changed pair is in one at least.
	Separations []Separation `json:"separations"`
	// Reroutes are all pairs whose cheapest path is dearer, by name.
	Reroutes []Reroute `json:"reroutes"`
	// Effects is what Compare says of the network without them, the failing sites and
	// links themselves left out.
	Effects []Effect `json:"effects"`
}

// Separation is a group of sites that lose the same other sites.
type Separation struct {
	Sites []network.SiteName `json:"sites"`
	From  []network.SiteName `json:"from"`
}

// Reroute is a pair of sites whose cheapest path goes another way.
type Reroute struct {
	Detour
	// Via are the sites between the two on the new path, ViaBefore those on the old; of
	// several cheapest paths the first by name. Never nil.
	Via       []network.SiteName `json:"via"`
	ViaBefore []network.SiteName `json:"viaBefore"`
}

// Without tells what happens when sites and links fail together. Names that the network
// does not have change nothing.
func Without(n network.Network, sites []network.SiteName, links []network.LinkName) Outcome {
	left := n
	left.Sites = slices.DeleteFunc(slices.Clone(n.Sites), func(s network.Site) bool { return slices.Contains(sites, s.Name) })
	left.Links = slices.DeleteFunc(slices.Clone(n.Links), func(l network.Link) bool {
		return slices.Contains(links, l.Name) || slices.Contains(sites, l.From) || slices.Contains(sites, l.To)
	})
	c := newComparison(n, left)
	c.look()
	out := Outcome{
		Sites: sorted(sites), Links: sorted(links), Separations: []Separation{}, Reroutes: []Reroute{},
		Effects: slices.DeleteFunc(c.effects(), func(e Effect) bool { return e.Code == SitesRemoved || e.Code == LinksRemoved }),
	}
	for _, t := range c.lost() {
		out.Separations = append(out.Separations, Separation{Sites: t.sites, From: t.partners})
	}
	c.pairs(func(a, b int32, was, is int64) { out.take(c, a, b, was, is) })
	return out
}

func sorted[T ~string](list []T) []T {
	out := append([]T{}, list...)
	slices.Sort(out)
	return slices.Compact(out)
}

// take counts one pair of sites that has a path before.
func (o *Outcome) take(c *comparison, a, b int32, was, is int64) {
	switch {
	case was == none:
		return
	case is == none:
		o.CutOff++
	case is > was:
		o.Rerouted++
		a, b = c.before.web.orient(a, b)
		from, to := c.names[a], c.names[b]
		o.Reroutes = append(o.Reroutes, Reroute{
			Detour: Detour{From: from, To: to, Before: was, After: is},
			Via:    between(c.after.Path(from, to)), ViaBefore: between(c.before.Path(from, to)),
		})
	}
	o.Pairs++
}

// between leaves out the ends of a path.
func between(path []network.SiteName) []network.SiteName { return path[1 : len(path)-1 : len(path)-1] }
