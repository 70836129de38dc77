package plan

import (
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/network"
)

// The codes of effects beside those of package topology.
const (
	// EffectLinksDown tells of links that are down and that no action brings up: they count
	// neither before nor after.
	EffectLinksDown = "links-down"
	// EffectTakenOver tells of sites and links that run already and become the network's.
	EffectTakenOver = "taken-over"
)

// outcome is what actions make of a network.
type outcome struct {
	world   *index
	actions []Action
}

// topologyOf leads from what runs to what the actions make of it. What could not be read
// counts as described, before and after.
func topologyOf(w *index, actions []Action) Topology {
	o := outcome{w, actions}
	was := o.running()
	is := o.then(was)
	t := shaped(was.network(), is.network())
	t.Basis = BasisRunning
	if slices.ContainsFunc(w.observed.Clusters, func(c ClusterView) bool { return c.State != StateOK }) {
		t.Basis = BasisDescribed
	}
	t.Effects = notNil(worstFirst(t.Effects, o.services(), o.takenOver(), o.down(is)))
	return t
}

func shaped(before, after network.Network) Topology {
	return Topology{Before: shapeOf(before), After: shapeOf(after), Effects: effectsOf(topology.Compare(before, after))}
}

func shapeOf(n network.Network) Shape {
	f := topology.Of(n)
	return Shape{Sites: f.Sites, Links: f.Links, Components: f.Components}
}

// effectsOf puts effects into the words of a plan.
func effectsOf(list []topology.Effect) []Effect {
	out := make([]Effect, 0, len(list))
	for _, e := range list {
		out = append(out, Effect{Severity: string(e.Severity), Code: e.Code, Message: e.Message, Sites: e.Sites, Links: e.Links})
	}
	return out
}

// found is the network as it is on the clusters, with the Links that are down and with what
// the actions take over.
func found(w *index, actions []Action) network.Network {
	n := outcome{w, actions}.there()
	n.ways = slices.DeleteFunc(n.ways, func(w way) bool { return !w.fixed && w.uid == "" })
	out := n.network()
	out.Name = w.network
	return out
}

// there is what is on the clusters: without what is only recorded, and with what the
// actions take over as it is.
func (o outcome) there() present {
	was := o.world.now()
	out := present{sites: maps.Clone(was.sites), ways: slices.Clone(was.ways)}
	maps.DeleteFunc(out.sites, func(_ place, s standing) bool { return s.uid == "" && !s.fixed })
	for _, a := range o.actions {
		at := a.place()
		switch {
		case a.Verb != VerbAdopt:
		case a.Kind == KindSite:
			out.sites[at] = standingOf(network.SiteName(a.Name), a.Site.Observed, a.Site.UID)
		case a.Kind == KindLink:
			out.ways = append(out.ways, o.adopted(a)...)
		}
	}
	return out
}

// adopted are the Links that an action takes over.
func (o outcome) adopted(a Action) []way {
	var out []way
	made, _ := madeBy(a)
	for _, v := range o.world.liveLinks[made.at] {
		if slices.ContainsFunc(a.Link.Live, func(l LiveLink) bool { return l.UID == v.UID }) {
			w := wayOf(made.link, made.at, v)
			w.to = made.to
			out = append(out, w)
		}
	}
	return out
}

// running is what runs of that: the Links that are up, between Sites that are there.
func (o outcome) running() present {
	n := o.there()
	n.ways = slices.DeleteFunc(n.ways, func(w way) bool { return !o.runs(w) })
	return n
}

// runs reports whether a way carries traffic. One from a cluster that could not be read
// does as it is described; one to such a cluster as its own Link says.
func (o outcome) runs(w way) bool {
	if w.fixed {
		return !o.world.readable(w.at.cluster)
	}
	return w.uid != "" && w.up && (w.alive || !o.world.readable(w.to.cluster))
}

// then is what the actions make of what runs.
func (o outcome) then(was present) present {
	out, c := present{sites: was.then(o.actions)}, changesOf(o.actions)
	for _, w := range was.ways {
		if len(c.breakers(w)) == 0 {
			w.cost = c.costOf(w)
			out.ways = append(out.ways, w)
		}
	}
	for _, a := range o.actions {
		if w, ok := madeBy(a); ok && a.bringsUp() {
			w.cost = a.Link.Cost
			out.ways = append(out.ways, w)
		}
	}
	return out
}

// down tells of the links that are down before and after.
func (o outcome) down(after present) []Effect {
	up := map[linkAt]bool{}
	for _, w := range after.ways {
		up[linkAt{name: w.link, at: w.at}] = true
	}
	planned := changesOf(o.actions)
	var links []network.LinkName
	var sites []network.SiteName
	for _, w := range o.there().ways {
		from, to := after.sites[w.at].name, after.sites[w.to].name
		stays := w.uid != "" && len(planned.breakers(w)) == 0 && from != "" && to != ""
		if stays && !o.runs(w) && !up[linkAt{name: w.link, at: w.at}] {
			links, sites = append(links, w.link), append(sites, from, to)
		}
	}
	if len(links) == 0 {
		return nil
	}
	links, sites = sortedSet(links), sortedSet(sites)
	return []Effect{{
		Severity: string(topology.Low), Code: EffectLinksDown, Sites: sites, Links: links,
		Message: count(len(links), "link") + " down that nothing here brings up: " + someNames(texts(links)),
	}}
}

// takenOver tells of what runs already and becomes the network's.
func (o outcome) takenOver() []Effect {
	sites, links := []network.SiteName{}, []network.LinkName{}
	for _, a := range o.actions {
		switch {
		case a.Verb != VerbAdopt:
		case a.Kind == KindSite:
			sites = append(sites, network.SiteName(a.Name))
		case a.Kind == KindLink:
			links = append(links, network.LinkName(a.Name))
		}
	}
	var parts []string
	if len(sites) > 0 {
		parts = append(parts, count(len(sites), "site")+": "+someNames(texts(sites)))
	}
	if len(links) > 0 {
		parts = append(parts, count(len(links), "link")+": "+someNames(texts(links)))
	}
	if len(parts) == 0 {
		return nil
	}
	return []Effect{{
		Severity: string(topology.Low), Code: EffectTakenOver, Sites: sortedSet(sites), Links: sortedSet(links),
		Message: "taken over as it runs, " + strings.Join(parts, "; "),
	}}
}
