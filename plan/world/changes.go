package world

import (
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// CostOf is the cost of a way that stays, once its link's action is done.
func (c Changes) CostOf(w Way) int32 {
	for _, a := range c.Links[LinkAt{Name: w.Link, At: w.At}] {
		if a.Verb != plan.VerbDelete && !a.Link.KeepCost {
			return a.Link.Cost
		}
	}
	return w.Cost
}

// Graphs are the network as it is and as the actions leave it.
func (p Present) Graphs(actions []plan.Action) (before, after network.Network) {
	left, c := []Way{}, ChangesOf(actions)
	for _, w := range p.Ways {
		if len(c.Breakers(w)) == 0 {
			left = append(left, w)
		}
	}
	for _, a := range actions {
		if w, ok := MadeBy(a); ok {
			left = append(left, w)
		}
	}
	return graph(p.Sites, p.Ways), graph(p.Then(actions), left)
}

// Breakers are the actions that take a way away, as IDs, sorted: those that delete its
// Link or its record, and those by which a site at one of its ends goes, stops
// listening or listens otherwise.
func (c Changes) Breakers(w Way) []string {
	if w.Fixed {
		return nil
	}
	var out []string
	for _, a := range c.Links[LinkAt{Name: w.Link, At: w.At}] {
		switch {
		case RemovesWay(a, w):
			out = append(out, a.ID)
		case w.UID == "" && a.Verb != plan.VerbDelete:
			out = append(out, a.ID) // made anew
		}
	}
	for _, a := range c.sites[w.At] {
		if a.Verb == plan.VerbDelete {
			out = append(out, a.ID)
		}
	}
	for _, a := range c.sites[w.To] {
		if a.Verb == plan.VerbDelete || a.Closes() {
			out = append(out, a.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// RemovesWay reports whether a link's action deletes a way of that link.
func RemovesWay(a plan.Action, w Way) bool {
	if w.UID == "" {
		return a.Verb == plan.VerbDelete
	}
	return slices.ContainsFunc(a.Link.Remove, func(r plan.ObjectRef) bool { return r.Kind == plan.ObjectLink && r.UID == w.UID })
}

// Changes are the planned actions by what they change.
type Changes struct {
	Links map[LinkAt][]plan.Action
	sites map[plan.Place][]plan.Action
}

// LinkAt is a link at its connecting site.
type LinkAt struct {
	Name network.LinkName
	At   plan.Place
}

// ChangesOf finds actions by what they change.
func ChangesOf(actions []plan.Action) Changes {
	c := Changes{map[LinkAt][]plan.Action{}, map[plan.Place][]plan.Action{}}
	for _, a := range actions {
		at := a.Place()
		switch a.Kind {
		case plan.KindLink:
			key := LinkAt{Name: network.LinkName(a.Name), At: at}
			c.Links[key] = append(c.Links[key], a)
		case plan.KindSite:
			c.sites[at] = append(c.sites[at], a)
		}
	}
	return c
}

// MadeBy gives the way that a link's action makes or keeps; ok is false for a delete.
func MadeBy(a plan.Action) (w Way, ok bool) {
	if a.Kind != plan.KindLink || a.Verb == plan.VerbDelete {
		return Way{}, false
	}
	to := a.Link.To
	return Way{Link: network.LinkName(a.Name), At: a.Place(), To: to.Place()}, true
}

// Then are the sites as the actions leave them.
func (n Present) Then(actions []plan.Action) map[plan.Place]Site {
	out := maps.Clone(n.Sites)
	for _, a := range actions { // a place is cleared before another site takes it
		if a.Kind == plan.KindSite && a.Verb == plan.VerbDelete {
			delete(out, a.Place())
		}
	}
	for _, a := range actions {
		if a.Kind == plan.KindSite && a.Verb != plan.VerbDelete {
			out[a.Place()] = SiteOf(network.SiteName(a.Name), a.Site.Fields, a.Site.UID)
		}
	}
	return out
}
