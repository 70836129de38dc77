package topology

import (
	"cmp"
	"fmt"
	mathbits "math/bits"
	"slices"

	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/network"
)

// part is a site or a link of a network, the same in another if it has the same ends.
type part struct {
	site network.SiteName
	link network.LinkName
	a, b int32
}

// hung is a part with the sites that hang on it.
type hung struct {
	part
	sites bits
	count int
}

// redundancy says which sites come to hang on a single site or link, and which do so no
// longer. A part that is new takes over from those of its kind that are gone: what hung
// on them may hang on it without a word.
func (c *comparison) redundancy() []Effect {
	was, is := c.hanging(c.webs[0]), c.hanging(c.webs[1])
	before, after := c.webs[0].all(), c.webs[1].all()
	goneSites, goneLinks := newBits(len(c.names)), newBits(len(c.names))
	for p, set := range was {
		switch {
		case after[p]:
		case p.site != "":
			goneSites.add(set)
		default:
			goneLinks.add(set)
		}
	}
	var gained, lost []hung
	for p, set := range is {
		base := goneSites
		switch {
		case before[p]:
			base = was[p]
		case p.site == "":
			base = goneLinks
		}
		gained = appendHung(gained, p, set.without(base))
	}
	for p, set := range was {
		if after[p] {
			lost = appendHung(lost, p, set.without(is[p]))
		}
	}
	return append(c.gainedCuts(gained, was), c.lostCuts(lost)...)
}

// all are the parts of a network.
func (w *web) all() map[part]bool {
	out := map[part]bool{}
	for i, name := range w.names {
		if w.present[i] {
			out[part{site: name}] = true
		}
	}
	for _, b := range w.bonds {
		for _, l := range b.links {
			out[part{link: l.name, a: b.a, b: b.b}] = true
		}
	}
	return out
}

// hanging are the parts that common sites hang on: such a site loses, of those with
// which it is connected before and after, more than half when the part fails.
func (c *comparison) hanging(w *web) map[part]bits {
	candidates := w.candidates()
	sets := make([]bits, len(candidates))
	each(len(candidates), func(_, i int) { sets[i] = c.hangingOn(w, candidates[i]) })
	out := map[part]bits{}
	for i, f := range candidates {
		if sets[i].count() == 0 {
			continue
		}
		p := part{}
		if f.site >= 0 {
			p.site = w.names[f.site]
		} else {
			b := w.bonds[f.bond]
			p = part{link: b.links[0].name, a: b.a, b: b.b}
		}
		out[p] = sets[i]
	}
	return out
}

func (c *comparison) hangingOn(w *web, f failing) bits {
	left := w.parts(f)
	out, reach := newBits(len(c.names)), newBits(len(c.names))
	for site, kept := range c.kept {
		if kept == nil || int32(site) == f.site {
			continue
		}
		others := kept.count() - 1
		if f.site >= 0 && kept.has(f.site) {
			others--
		}
		left.reach(int32(site), reach)
		if lost := others - (reach.common(kept) - 1); 2*lost > others {
			out.set(int32(site))
		}
	}
	return out
}

func appendHung(list []hung, p part, sites bits) []hung {
	if n := sites.count(); n > 0 {
		list = append(list, hung{p, sites, n})
	}
	return list
}

// ordered splits parts into sites and links, those with the most sites first.
func ordered(list []hung) (sites, links []hung) {
	slices.SortFunc(list, func(x, y hung) int {
		return cmp.Or(cmp.Compare(y.count, x.count), cmp.Compare(x.site, y.site), cmp.Compare(x.link, y.link))
	})
	for _, h := range list {
		if h.site != "" {
			sites = append(sites, h)
		} else {
			links = append(links, h)
		}
	}
	return sites, links
}

func (c *comparison) gainedCuts(list []hung, was map[part]bits) []Effect {
	sites, links := ordered(list)
	out := c.siteCuts(sites, Medium, SinglePointGained, func(h hung) string {
		if was[h.part] != nil {
			return "becomes a single point of failure for " + words.Plural(h.count, "more site", "more sites")
		}
		return "becomes a single point of failure for " + words.Plural(h.count, "site", "sites")
	}, "become single points of failure")
	return append(out, c.linkCuts(links, Medium, OnlyPathGained, "becomes the only path of", "become only paths", "now hang on one link each")...)
}

func (c *comparison) lostCuts(list []hung) []Effect {
	sites, links := ordered(list)
	out := c.siteCuts(sites, Low, SinglePointLost, func(h hung) string {
		return "is no longer a single point of failure for " + words.Plural(h.count, "site", "sites")
	}, "are no longer single points of failure")
	return append(out, c.linkCuts(links, Low, OnlyPathLost, "is no longer the only path of", "are no longer only paths", "no longer hang on one link each")...)
}

// siteCuts tells of sites: of most of them one by one, of the rest in one sentence.
func (c *comparison) siteCuts(sites []hung, severity Severity, code string, verb func(hung) string, many string) []Effect {
	shown := told(len(sites))
	var out []Effect
	for _, h := range sites[:shown] {
		message := fmt.Sprintf("%s %s: %s", h.site, verb(h), names(c.hangers([]hung{h})))
		out = append(out, c.cutEffect(severity, code, message, []hung{h}))
	}
	if rest := sites[shown:]; len(rest) > 0 {
		points, _ := parted(rest)
		out = append(out, c.cutEffect(severity, code, fmt.Sprintf("%d more sites %s: %s", len(rest), many, names(points)), rest))
	}
	return out
}

// linkCuts tells of links: many of which each holds a single site in one sentence.
func (c *comparison) linkCuts(links []hung, severity Severity, code, one, many, each string) []Effect {
	var single []hung
	if alone := slices.IndexFunc(links, func(h hung) bool { return h.count == 1 }); alone >= 0 && len(links)-alone > maxNames {
		links, single = links[:alone], links[alone:]
	}
	shown := told(len(links))
	var out []Effect
	for _, h := range links[:shown] {
		message := fmt.Sprintf("link %s %s %s", h.link, one, names(c.hangers([]hung{h})))
		out = append(out, c.cutEffect(severity, code, message, []hung{h}))
	}
	if rest := links[shown:]; len(rest) > 0 {
		_, known := parted(rest)
		out = append(out, c.cutEffect(severity, code, fmt.Sprintf("%d more links %s: %s", len(rest), many, names(known)), rest))
	}
	if len(single) > 0 {
		sites := c.hangers(single)
		out = append(out, c.cutEffect(severity, code, fmt.Sprintf("%s %s: %s", words.Plural(len(sites), "site", "sites"), each, names(sites)), single))
	}
	return out
}

func (c *comparison) sitesOf(list []hung) bits {
	all := newBits(len(c.names))
	for _, h := range list {
		all.add(h.sites)
	}
	return all
}

// cutEffect is about parts and the sites that hang on them.
func (c *comparison) cutEffect(severity Severity, code, message string, list []hung) Effect {
	sites, links := parted(list)
	return effect(severity, code, message, sorted(slices.Concat(c.hangers(list), sites)), sorted(links))
}

// hangers are the sites that hang on the parts.
func (c *comparison) hangers(list []hung) []network.SiteName { return named(c.sitesOf(list), c.names) }

// parted gives the names of the parts that are sites, and of those that are links.
func parted(list []hung) (sites []network.SiteName, links []network.LinkName) {
	for _, h := range list {
		if h.link != "" {
			links = append(links, h.link)
		} else {
			sites = append(sites, h.site)
		}
	}
	slices.Sort(sites)
	slices.Sort(links)
	return sites, links
}

func (b bits) add(o bits) {
	for i, word := range o {
		b[i] |= word
	}
}

// without is what is in b and not in o, which may be nil.
func (b bits) without(o bits) bits {
	out := slices.Clone(b)
	for i, word := range o {
		out[i] &^= word
	}
	return out
}

// common counts what is in both.
func (b bits) common(o bits) int {
	n := 0
	for i, word := range o {
		n += mathbits.OnesCount64(b[i] & word)
	}
	return n
}

// told is how many of n things are told one by one: never all but one.
func told(n int) int {
	if n <= maxSentences+1 {
		return n
	}
	return maxSentences
}
