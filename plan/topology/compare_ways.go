package topology

import (
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// mostTraced is how many pairs of sites have their paths followed in one comparison, and
// mostOver how many sites on a way are named.
const (
	mostTraced = 50_000
	mostOver   = 3
)

// ways are the sites between the ends of paths: one list that all pairs of a crowd have
// in common, until that is not so.
type ways struct {
	known, differ bool
	over          []network.SiteName
}

// trace follows the path of a pair of the crowd in both networks.
func (c *comparison) trace(g *crowd, a, b int32) {
	c.traced++
	for i, network := range []*Analysis{c.before, c.after} {
		if c.traced > mostTraced || network.tied[a].has(b) { // which of them is taken is not known
			g.ways[i].differ = true
		}
		if !g.ways[i].differ {
			g.ways[i].join(network.between(a, b))
		}
	}
}

// between are the sites on the path of two that are connected, those themselves left out,
// in the direction that comes first by name.
func (a *Analysis) between(from, to int32) []network.SiteName {
	over := []network.SiteName{}
	for at := a.nextStep(from, to); at != to; at = a.nextStep(at, to) {
		over = append(over, a.web.names[at])
	}
	if turned := slices.Clone(over); slices.Compare(reversed(turned), over) < 0 {
		return turned
	}
	return over
}

func reversed(list []network.SiteName) []network.SiteName {
	slices.Reverse(list)
	return list
}

func (w *ways) join(over []network.SiteName) {
	w.differ = w.known && !slices.Equal(w.over, over)
	w.known, w.over = true, over
}

// told says what a crowd's paths cost, and where they lead when they come to lead
// elsewhere: "now 4 over backup, was 2 over hub".
func (g *crowd) told() string {
	was, is := g.ways[0].told(), g.ways[1].told()
	if was == is || was == "" || is == "" {
		was, is = "", ""
	}
	return fmt.Sprintf("now %d%s, was %d%s", g.is, is, g.was, was)
}

// told is " over hub" or " directly"; empty where that is not the same for all, or too long.
func (w ways) told() string {
	switch {
	case !w.known, w.differ, len(w.over) > mostOver:
		return ""
	case len(w.over) == 0:
		return " directly"
	}
	parts := make([]string, 0, len(w.over))
	for _, s := range w.over {
		parts = append(parts, string(s))
	}
	return " over " + strings.Join(parts, " and ")
}
