package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// Severity ranks effects.
type Severity string

const (
	// High is a connection that is lost.
	High Severity = "high"
	// Medium is something removed, dearer, or with nothing beside it any more.
	Medium Severity = "medium"
	// Low is something gained, and what only matters when others fail.
	Low Severity = "low"
)

// The codes of effects. Effects gives these, Compare those of its own too.
const (
	ConnectionLost   = "connection-lost"
	SitesRemoved     = "sites-removed"
	LinksRemoved     = "links-removed"
	ConnectionGained = "connection-gained"
	SitesAdded       = "sites-added"
	LinksAdded       = "links-added"
)

// Effect is one consequence of a change, in a sentence.
type Effect struct {
	Severity Severity `json:"severity"`
	// Code is one of the constants of this package; it is stable.
	Code    string `json:"code"`
	Message string `json:"message"`
	// Sites are those that the sentence is about, sorted; never nil. For a
	// connection they are the ones that lose or gain it, not what they reached.
	Sites []network.SiteName `json:"sites"`
	// Links are those that the sentence is about, sorted; never nil.
	Links []network.LinkName `json:"links"`
}

// maxNames is how many names a sentence spells out.
const maxNames = 3

// Effects compares two networks: lost connections first, then what is removed,
// gained and added. Connections are compared between sites that are in both.
// Sites that lose the same are put in one sentence, and a loss is told once, from
// the side that loses more. The result is never nil and does not depend on the
// order of sites and links.
func Effects(before, after network.Network) []Effect { return effects(before, after, planned) }

// parting words what is no longer there: sites, and links.
type parting struct{ site, link string }

var (
	planned = parting{"removed", "removed"}
	drifted = parting{"gone", "down or gone"}
)

func effects(before, after network.Network, words parting) []Effect {
	b, a := newGraph(before), newGraph(after)
	classes := classify(before, after, b, a)

	out := []Effect{}
	out = append(out, connections(tell(classes, lost), High, ConnectionLost, "loses its last path", "lose their last path")...)
	out = append(out, sites(before, after, Medium, SitesRemoved, words.site)...)
	out = append(out, links(before, after, Medium, LinksRemoved, words.link)...)
	out = append(out, connections(tell(classes, gained), Low, ConnectionGained, "gains a path", "gain a path")...)
	out = append(out, sites(after, before, Low, SitesAdded, "added")...)
	return append(out, links(after, before, Low, LinksAdded, "added")...)
}

// class are the sites that are in the same groups before, and the same after: any
// other site is connected to all of them or to none.
type class struct {
	sites         []network.SiteName
	before, after []int
	listens       bool
}

func classify(before, after network.Network, b, a graph) []class {
	listens := map[network.SiteName]bool{}
	for _, s := range slices.Concat(before.Sites, after.Sites) {
		listens[s.Name] = listens[s.Name] || s.Listens()
	}
	byGroups := map[string]*class{}
	for site, was := range b.groups {
		is, ok := a.groups[site]
		if !ok {
			continue
		}
		key := fmt.Sprint(was, is)
		c := byGroups[key]
		if c == nil {
			c = &class{before: was, after: is}
			byGroups[key] = c
		}
		c.sites = append(c.sites, site)
		c.listens = c.listens || listens[site]
	}
	classes := make([]class, 0, len(byGroups))
	for _, c := range byGroups {
		slices.Sort(c.sites)
		classes = append(classes, *c)
	}
	slices.SortFunc(classes, func(x, y class) int { return slices.Compare(x.sites, y.sites) })
	return classes
}

func lost(x, y class) bool { return share(x.before, y.before) && !share(x.after, y.after) }

func gained(x, y class) bool { return !share(x.before, y.before) && share(x.after, y.after) }

// share reports whether two sorted lists have a number in common.
func share(x, y []int) bool {
	for len(x) > 0 && len(y) > 0 {
		switch c := cmp.Compare(x[0], y[0]); {
		case c == 0:
			return true
		case c < 0:
			x = x[1:]
		default:
			y = y[1:]
		}
	}
	return false
}

// telling is what one class has to say: which sites it loses, or gains.
type telling struct{ sites, partners []network.SiteName }

// tell lets every changed pair of classes be told once: classes that lose (or
// gain) the most sites speak first, and those with nothing left to tell are silent.
// It takes time in the square of the classes, of which there are few unless the
// network falls apart into single sites.
func tell(classes []class, changed func(x, y class) bool) []telling {
	partners := make([][]network.SiteName, len(classes))
	for i, x := range classes {
		for _, y := range classes {
			if changed(x, y) {
				partners[i] = append(partners[i], y.sites...)
			}
		}
	}
	told := make([]bool, len(classes))
	var out []telling
	for _, i := range speakers(classes, partners) {
		untold := func(j int) bool { return !told[j] && changed(classes[i], classes[j]) }
		if !anyOf(len(classes), untold) {
			continue
		}
		told[i] = true
		slices.Sort(partners[i])
		out = append(out, telling{sites: classes[i].sites, partners: partners[i]})
	}
	return out
}

// connections words what is told.
func connections(told []telling, severity Severity, code, one, many string) []Effect {
	var out []Effect
	for _, t := range told {
		verb := one
		if len(t.sites) > 1 {
			verb = many
		}
		out = append(out, effect(severity, code,
			fmt.Sprintf("%s %s to %s", names(t.sites), verb, names(t.partners)), t.sites, nil))
	}
	return out
}

// effect makes an effect with lists that are not nil.
func effect(severity Severity, code, message string, sites []network.SiteName, links []network.LinkName) Effect {
	if sites == nil {
		sites = []network.SiteName{}
	}
	if links == nil {
		links = []network.LinkName{}
	}
	return Effect{severity, code, message, sites, links}
}

// speakers orders classes: the most partners first, then those that only connect,
// then by name.
func speakers(classes []class, partners [][]network.SiteName) []int {
	order := make([]int, len(classes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(len(partners[j]), len(partners[i])), compareBool(classes[i].listens, classes[j].listens))
	})
	return order
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func anyOf(n int, test func(int) bool) bool {
	for i := range n {
		if test(i) {
			return true
		}
	}
	return false
}

// sites tells which sites are in have and not in other.
func sites(have, other network.Network, severity Severity, code, verb string) []Effect {
	known := map[network.SiteName]bool{}
	for _, s := range other.Sites {
		known[s.Name] = true
	}
	var found []network.SiteName
	for _, s := range have.Sites {
		if !known[s.Name] {
			found = append(found, s.Name)
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	return []Effect{effect(severity, code, counted(len(found), "site", verb)+names(found), found, nil)}
}

// links tells which links are in have and not, between the same sites, in other.
func links(have, other network.Network, severity Severity, code, verb string) []Effect {
	type key struct {
		name     network.LinkName
		from, to network.SiteName
	}
	known := map[key]bool{}
	for _, l := range other.Links {
		known[key{l.Name, l.From, l.To}] = true
	}
	var found []network.LinkName
	ends := []network.SiteName{}
	for _, l := range have.Links {
		if !known[key{l.Name, l.From, l.To}] {
			found = append(found, l.Name)
			ends = append(ends, l.From, l.To)
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	slices.Sort(ends)
	return []Effect{effect(severity, code, counted(len(found), "link", verb)+names(found), slices.Compact(ends), found)}
}

func counted(n int, noun, verb string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s is %s: ", noun, verb)
	}
	return fmt.Sprintf("%d %ss are %s: ", n, noun, verb)
}

// names spells out a few names and counts the rest.
func names[T ~string](list []T) string {
	shown := make([]string, 0, maxNames)
	for _, n := range list[:min(len(list), maxNames)] {
		shown = append(shown, string(n))
	}
	if rest := len(list) - len(shown); rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(shown, ", "), rest)
	}
	if last := len(shown) - 1; last > 0 {
		return strings.Join(shown[:last], ", ") + " and " + shown[last]
	}
	return shown[0]
}
