// Package effects says what a plan's actions do to the network: its shape, its ways and the
// services on them.
package effects

import (
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/plan/world"
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

// Outcome is what actions make of a network.
type Outcome struct {
	World   *world.World
	actions []plan.Action
}

// Of leads from what runs to what the actions make of it. What could not be read
// counts as described, before and after.
func Of(w *world.World, actions []plan.Action) plan.Topology {
	o := Outcome{w, actions}
	was := o.Running()
	is := o.then(was)
	t := shaped(was.Network(), is.Network())
	t.Basis = plan.BasisRunning
	if slices.ContainsFunc(w.Observed.Clusters, func(c world.ClusterView) bool { return c.State != plan.StateOK }) {
		t.Basis = plan.BasisDescribed
	}
	t.Effects = plan.NotNil(worstFirst(t.Effects, o.services(), o.takenOver(), o.down(is)))
	return t
}

func shaped(before, after network.Network) plan.Topology {
	return plan.Topology{Before: ShapeOf(before), After: ShapeOf(after), Effects: EffectsOf(topology.Compare(before, after))}
}

// ShapeOf counts a network and its parts.
func ShapeOf(n network.Network) plan.Shape {
	f := topology.Of(n)
	return plan.Shape{Sites: f.Sites, Links: f.Links, Components: f.Components}
}

// EffectsOf puts effects into the words of a plan.
func EffectsOf(list []topology.Effect) []plan.Effect {
	out := make([]plan.Effect, 0, len(list))
	for _, e := range list {
		out = append(out, plan.Effect{Severity: string(e.Severity), Code: e.Code, Message: e.Message, Sites: e.Sites, Links: e.Links})
	}
	return out
}

// AsFound is the network as it is on the clusters, with the Links that are down and with what
// the actions take over.
func AsFound(w *world.World, actions []plan.Action) network.Network {
	n := Outcome{w, actions}.there()
	n.Ways = slices.DeleteFunc(n.Ways, func(w world.Way) bool { return !w.Fixed && w.UID == "" })
	out := n.Network()
	out.Name = w.Network
	return out
}

// there is what is on the clusters: without what is only recorded, and with what the
// actions take over as it is.
func (o Outcome) there() world.Present {
	was := o.World.Now()
	out := world.Present{Sites: maps.Clone(was.Sites), Ways: slices.Clone(was.Ways)}
	maps.DeleteFunc(out.Sites, func(_ plan.Place, s world.Site) bool { return s.UID == "" && !s.Fixed })
	for _, a := range o.actions {
		at := a.Place()
		switch {
		case a.Verb != plan.VerbAdopt:
		case a.Kind == plan.KindSite:
			out.Sites[at] = world.SiteOf(network.SiteName(a.Name), a.Site.Observed, a.Site.UID)
		case a.Kind == plan.KindLink:
			out.Ways = append(out.Ways, o.adopted(a)...)
		}
	}
	return out
}

// adopted are the Links that an action takes over.
func (o Outcome) adopted(a plan.Action) []world.Way {
	var out []world.Way
	made, _ := world.MadeBy(a)
	for _, v := range o.World.LiveLinks[made.At] {
		if slices.ContainsFunc(a.Link.Live, func(l plan.LiveLink) bool { return l.UID == v.UID }) {
			w := world.WayOf(made.Link, made.At, v)
			w.To = made.To
			out = append(out, w)
		}
	}
	return out
}

// Running is what runs of that: the Links that are up, between Sites that are there.
func (o Outcome) Running() world.Present {
	n := o.there()
	n.Ways = slices.DeleteFunc(n.Ways, func(w world.Way) bool { return !o.runs(w) })
	return n
}

// runs reports whether a way carries traffic. One from a cluster that could not be read
// does as it is described; one to such a cluster as its own Link says.
func (o Outcome) runs(w world.Way) bool {
	if w.Fixed {
		return !o.World.Readable(w.At.Cluster)
	}
	return w.UID != "" && w.Up && (w.Alive || !o.World.Readable(w.To.Cluster))
}

// then is what the actions make of what runs.
func (o Outcome) then(was world.Present) world.Present {
	out, c := world.Present{Sites: was.Then(o.actions)}, world.ChangesOf(o.actions)
	for _, w := range was.Ways {
		if len(c.Breakers(w)) == 0 {
			w.Cost = c.CostOf(w)
			out.Ways = append(out.Ways, w)
		}
	}
	for _, a := range o.actions {
		if w, ok := world.MadeBy(a); ok && a.BringsUp() {
			w.Cost = a.Link.Cost
			out.Ways = append(out.Ways, w)
		}
	}
	return out
}

// down tells of the links that are down before and after.
func (o Outcome) down(after world.Present) []plan.Effect {
	up := map[world.LinkAt]bool{}
	for _, w := range after.Ways {
		up[world.LinkAt{Name: w.Link, At: w.At}] = true
	}
	planned := world.ChangesOf(o.actions)
	var links []network.LinkName
	var sites []network.SiteName
	for _, w := range o.there().Ways {
		from, to := after.Sites[w.At].Name, after.Sites[w.To].Name
		stays := w.UID != "" && len(planned.Breakers(w)) == 0 && from != "" && to != ""
		if stays && !o.runs(w) && !up[world.LinkAt{Name: w.Link, At: w.At}] {
			links, sites = append(links, w.Link), append(sites, from, to)
		}
	}
	if len(links) == 0 {
		return nil
	}
	links, sites = words.SortedSet(links), words.SortedSet(sites)
	return []plan.Effect{{
		Severity: string(topology.Low), Code: EffectLinksDown, Sites: sites, Links: links,
		Message: words.Count(len(links), "link") + " down that nothing here brings up: " + words.SomeNames(words.Strings(links)),
	}}
}

// takenOver tells of what runs already and becomes the network's.
func (o Outcome) takenOver() []plan.Effect {
	sites, links := []network.SiteName{}, []network.LinkName{}
	for _, a := range o.actions {
		switch {
		case a.Verb != plan.VerbAdopt:
		case a.Kind == plan.KindSite:
			sites = append(sites, network.SiteName(a.Name))
		case a.Kind == plan.KindLink:
			links = append(links, network.LinkName(a.Name))
		}
	}
	var parts []string
	if len(sites) > 0 {
		parts = append(parts, words.Count(len(sites), "site")+": "+words.SomeNames(words.Strings(sites)))
	}
	if len(links) > 0 {
		parts = append(parts, words.Count(len(links), "link")+": "+words.SomeNames(words.Strings(links)))
	}
	if len(parts) == 0 {
		return nil
	}
	return []plan.Effect{{
		Severity: string(topology.Low), Code: EffectTakenOver, Sites: words.SortedSet(sites), Links: words.SortedSet(links),
		Message: "taken over as it runs, " + strings.Join(parts, "; "),
	}}
}
