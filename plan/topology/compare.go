package topology

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/network"
)

// The codes of effects that only Compare gives.
const (
	SinglePointGained = "single-point-gained"
	OnlyPathGained    = "only-path-gained"
	CostRaised        = "cost-raised"
	SinglePointLost   = "single-point-lost"
	OnlyPathLost      = "only-path-lost"
	CostLowered       = "cost-lowered"
	TiesGained        = "ties-gained"
	LinksUnused       = "links-unused"
	LinksUsed         = "links-used"
	// PathsNotCompared says that a network is too large for all but what Effects gives.
	PathsNotCompared = "paths-not-compared"
)

// MostCompared is how many sites a network has at most for Compare to look at paths: as
// many take seconds and some hundred megabytes, which grow with the square.
const MostCompared = 3000

// ranks are the codes of effects, the most serious first.
var ranks = []string{
	ConnectionLost, SinglePointGained, OnlyPathGained, CostRaised, SitesRemoved, LinksRemoved,
	ConnectionGained, SinglePointLost, OnlyPathLost, CostLowered, TiesGained, LinksUnused, LinksUsed,
	SitesAdded, LinksAdded, PathsNotCompared,
}

// Compare says what a change does to a network, the most serious first: to connections
// and to what is declared, as Effects does; to what is left when something fails; and to
// the costs of paths. Sites are judged by others that are in both networks, so that an
// added shop is no news for the rest. The result is never nil and does not depend on
// the order of sites and links.
//
// It takes a search from each site of both networks; where both join the same sites by
// the same links at the same costs, or have no two sites in common, linear time. Of more
// than MostCompared sites paths are not compared, which is an effect of its own.
func Compare(before, after network.Network) []Effect { return compare(before, after, planned) }

// Drifted is Compare for what became of a network that nobody planned to change: what is
// missing was not removed, but is gone, and a link may be down.
func Drifted(applied, running network.Network) []Effect { return compare(applied, running, drifted) }

func compare(before, after network.Network, words parting) []Effect {
	c := newComparison(before, after)
	c.words = words
	switch {
	case c.webs[0].same(c.webs[1]) || c.common.count() < 2:
	case len(c.names) > MostCompared:
		return append(c.effects(), effect(Low, PathsNotCompared, fmt.Sprintf(
			"path costs and single points of failure are not compared: there are more than %d sites", MostCompared), nil, nil))
	default:
		c.look()
	}
	return c.effects()
}

// comparison is two networks with the same numbers for the same sites.
type comparison struct {
	networks [2]network.Network
	words    parting
	names    []network.SiteName
	webs     [2]*web
	// before and after are nil until look; traced counts the pairs whose paths were followed.
	before, after *Analysis
	traced        int
	// common are the sites of both; kept has those of each one's partners with which it
	// is connected in both, and itself.
	common bits
	kept   []bits
}

func newComparison(before, after network.Network) *comparison {
	c := &comparison{networks: [2]network.Network{before, after}, names: siteNames(before, after)}
	c.webs = [2]*web{newWeb(before, c.names), newWeb(after, c.names)}
	c.common = newBits(len(c.names))
	for i := range c.names {
		if c.webs[0].present[i] && c.webs[1].present[i] {
			c.common.set(int32(i))
		}
	}
	return c
}

// look works out the paths of both networks.
func (c *comparison) look() {
	c.before, c.after = analyze(c.webs[0]), analyze(c.webs[1])
	c.keep()
}

// same reports whether two webs have the same sites, joined in the same way at the same
// costs by links of the same names.
func (w *web) same(o *web) bool {
	return slices.Equal(w.present, o.present) && slices.Equal(w.edge, o.edge) &&
		slices.EqualFunc(w.bonds, o.bonds, func(x, y bond) bool {
			return x.a == y.a && x.b == y.b && slices.Equal(x.links, y.links)
		})
}

func (c *comparison) keep() {
	was, is := c.webs[0].parts(nothing), c.webs[1].parts(nothing)
	reach := newBits(len(c.names))
	c.kept = make([]bits, len(c.names))
	for site := range int32(len(c.names)) {
		if !c.common.has(site) {
			continue
		}
		c.kept[site] = newBits(len(c.names))
		was.reach(site, c.kept[site])
		is.reach(site, reach)
		for i, word := range reach {
			c.kept[site][i] &= word & c.common[i]
		}
	}
}

func (c *comparison) effects() []Effect {
	out := effects(c.networks[0], c.networks[1], c.words)
	if c.before == nil {
		return out
	}
	out = append(out, c.redundancy()...)
	out = append(out, c.costs()...)
	out = append(out, c.use()...)
	slices.SortStableFunc(out, func(x, y Effect) int {
		return cmp.Compare(slices.Index(ranks, x.Code), slices.Index(ranks, y.Code))
	})
	return out
}

// lost are the connections that are lost, told once.
func (c *comparison) lost() []telling {
	b, a := c.networks[0], c.networks[1]
	return tell(classify(b, a, newGraph(b), newGraph(a)), lost)
}

// pairs calls f with each pair of common sites that have a path before or after, by
// name, and with its costs.
func (c *comparison) pairs(f func(a, b int32, was, is int64)) {
	n := int32(len(c.names))
	for a := range n {
		for b := a + 1; b < n && c.common.has(a); b++ {
			was, is := c.before.cost(a, b), c.after.cost(a, b)
			if c.common.has(b) && (was != none || is != none) {
				f(a, b, was, is)
			}
		}
	}
}

// use says which links are on no cheapest path any more, or come onto one.
func (c *comparison) use() []Effect {
	was, is := c.before.unused(), c.after.unused()
	known := map[network.LinkName]bool{}
	for _, l := range c.networks[0].Links {
		known[l.Name] = true
	}
	var left, taken []network.LinkName
	for _, l := range c.networks[1].Links {
		switch {
		case is[l.Name] && !was[l.Name]:
			left = append(left, l.Name)
		case !is[l.Name] && was[l.Name] && known[l.Name]:
			taken = append(taken, l.Name)
		}
	}
	var out []Effect
	if len(left) > 0 {
		out = append(out, effect(Low, LinksUnused, words.Plural(len(left), "link is", "links are")+
			" on no cheapest path now, and used only when others fail: "+names(sorted(left)), nil, sorted(left)))
	}
	if len(taken) > 0 {
		out = append(out, effect(Low, LinksUsed, words.Plural(len(taken), "link comes", "links come")+
			" into use: "+names(sorted(taken)), nil, sorted(taken)))
	}
	return out
}

func (a *Analysis) unused() map[network.LinkName]bool {
	out := map[network.LinkName]bool{}
	for _, u := range a.Unused() {
		out[u.Link] = true
	}
	return out
}
