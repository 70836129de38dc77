package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/network"
)

// maxSentences is how many sentences of one kind are given; the rest is counted in one.
const maxSentences = 5

// price is a path cost before and after.
type price struct{ was, is int64 }

// crowd is many pairs of sites that share something; it is filled in the order of names.
type crowd struct {
	price
	count int
	// first pairs, for a sentence; shared are the sites that all pairs have, -1 for none.
	first  [][2]int32
	shared [2]int32
	sites  bits
	// ways are those of all pairs, before and after.
	ways [2]ways
}

func (c *comparison) newCrowd(p price) *crowd { return &crowd{price: p, sites: newBits(len(c.names))} }

func (g *crowd) add(a, b int32) {
	if g.count == 0 {
		g.shared = [2]int32{a, b}
	}
	for i, s := range g.shared {
		if s != a && s != b {
			g.shared[i] = -1
		}
	}
	if g.count < maxNames {
		g.first = append(g.first, [2]int32{a, b})
	}
	g.sites.set(a)
	g.sites.set(b)
	g.count++
}

// costs says which paths become dearer and cheaper, all that change alike together, and
// which pairs of sites come to have several cheapest paths.
func (c *comparison) costs() []Effect {
	groups := map[price]*crowd{}
	ties := c.newCrowd(price{})
	c.pairs(func(a, b int32, was, is int64) {
		if was == none || is == none {
			return
		}
		p := price{was, is}
		if was != is && groups[p] == nil {
			groups[p] = c.newCrowd(p)
		}
		if was != is {
			groups[p].add(a, b)
			c.trace(groups[p], a, b)
		}
		if c.after.tied[a].has(b) && !c.before.tied[a].has(b) {
			ties.add(a, b)
		}
	})
	var raised, lowered []*crowd
	for p, g := range groups {
		if p.is > p.was {
			raised = append(raised, g)
		} else {
			lowered = append(lowered, g)
		}
	}
	out := c.prices(raised, Medium, CostRaised, "dearer")
	out = append(out, c.prices(lowered, Low, CostLowered, "cheaper")...)
	if ties.count > 0 {
		verb := " now has several cheapest paths"
		if ties.count > 1 {
			verb = " now have several cheapest paths"
		}
		who, list := c.who(ties)
		out = append(out, effect(Low, TiesGained, who+verb+list, c.sites(ties), nil))
	}
	return out
}

// prices words the groups, those with the most pairs first.
func (c *comparison) prices(groups []*crowd, severity Severity, code, word string) []Effect {
	slices.SortFunc(groups, func(x, y *crowd) int {
		return cmp.Or(-cmp.Compare(x.count, y.count), cmp.Compare(rise(y.price), rise(x.price)), cmp.Compare(x.was, y.was))
	})
	var out []Effect
	shown := told(len(groups))
	for _, g := range groups[:shown] {
		who, list := c.who(g)
		out = append(out, effect(severity, code,
			fmt.Sprintf("path cost of %s %s%s", who, g.told(), list), c.sites(g), nil))
	}
	if len(groups) > shown {
		out = append(out, c.otherPrices(groups[shown:], severity, code, word))
	}
	return out
}

// rise is by how much a path becomes dearer or cheaper.
func rise(p price) int64 { return max(p.is-p.was, p.was-p.is) }

// otherPrices counts what is not told one by one.
func (c *comparison) otherPrices(groups []*crowd, severity Severity, code, word string) Effect {
	all := c.newCrowd(price{})
	least, most := rise(groups[0].price), int64(0)
	for _, g := range groups {
		all.count += g.count
		for i, word := range g.sites {
			all.sites[i] |= word
		}
		least, most = min(least, rise(g.price)), max(most, rise(g.price))
	}
	by := strconv.FormatInt(least, 10)
	if most > least {
		by += " to " + strconv.FormatInt(most, 10)
	}
	return effect(severity, code, fmt.Sprintf("path cost of %s %s by %s",
		words.Plural(all.count, "more pair of sites is", "more pairs of sites is"), word, by), c.sites(all), nil)
}

// who names the pairs of a crowd, and lists some behind the sentence where they share no
// site: "shop7 to backup"; "a, b and c to hub"; "12 pairs of sites" and ": a to b, …".
func (c *comparison) who(g *crowd) (who, list string) {
	if g.count == 1 {
		return c.pair(g.first[0]), ""
	}
	for _, shared := range g.shared {
		if shared < 0 {
			continue
		}
		others := slices.DeleteFunc(c.sites(g), func(s network.SiteName) bool { return s == c.names[shared] })
		return names(others) + " to " + string(c.names[shared]), ""
	}
	shown := ""
	for i, p := range g.first {
		if i > 0 {
			shown += ", "
		}
		shown += c.pair(p)
	}
	if rest := g.count - len(g.first); rest > 0 {
		shown += fmt.Sprintf(" and %d more", rest)
	}
	return words.Plural(g.count, "pair of sites", "pairs of sites"), ": " + shown
}

func (c *comparison) pair(p [2]int32) string {
	from, to := c.webs[1].orient(p[0], p[1])
	return string(c.names[from]) + " to " + string(c.names[to])
}

func (c *comparison) sites(g *crowd) []network.SiteName { return named(g.sites, c.names) }

// named are the names of a set, in order.
func named(set bits, names []network.SiteName) []network.SiteName {
	out := []network.SiteName{}
	for i, name := range names {
		if set.has(int32(i)) {
			out = append(out, name)
		}
	}
	return out
}
