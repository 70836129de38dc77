package plan

import (
	"maps"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// costOf is the cost of a way that stays, once its link's action is done.
func (c changes) costOf(w way) int32 {
	for _, a := range c.links[linkAt{name: w.link, at: w.at}] {
		if a.Verb != VerbDelete && !a.Link.KeepCost {
			return a.Link.Cost
		}
	}
	return w.cost
}

// graphs are the network as it is and as the actions leave it.
func (p present) graphs(actions []Action) (before, after network.Network) {
	left, c := []way{}, changesOf(actions)
	for _, w := range p.ways {
		if len(c.breakers(w)) == 0 {
			left = append(left, w)
		}
	}
	for _, a := range actions {
		if w, ok := madeBy(a); ok {
			left = append(left, w)
		}
	}
	return graph(p.sites, p.ways), graph(p.then(actions), left)
}

// breakers are the actions that take a way away, as IDs, sorted: those that delete its
// Link or its record, and those by which a site at one of its ends goes, stops
// listening or listens otherwise.
func (c changes) breakers(w way) []string {
	if w.fixed {
		return nil
	}
	var out []string
	for _, a := range c.links[linkAt{name: w.link, at: w.at}] {
		switch {
		case removesWay(a, w):
			out = append(out, a.ID)
		case w.uid == "" && a.Verb != VerbDelete:
			out = append(out, a.ID) // made anew
		}
	}
	for _, a := range c.sites[w.at] {
		if a.Verb == VerbDelete {
			out = append(out, a.ID)
		}
	}
	for _, a := range c.sites[w.to] {
		if a.Verb == VerbDelete || a.closes() {
			out = append(out, a.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// removesWay reports whether a link's action deletes a way of that link.
func removesWay(a Action, w way) bool {
	if w.uid == "" {
		return a.Verb == VerbDelete
	}
	return slices.ContainsFunc(a.Link.Remove, func(r ObjectRef) bool { return r.Kind == ObjectLink && r.UID == w.uid })
}

// changes are the planned actions by what they change.
type changes struct {
	links map[linkAt][]Action
	sites map[place][]Action
}

type linkAt struct {
	name network.LinkName
	at   place
}

func changesOf(actions []Action) changes {
	c := changes{map[linkAt][]Action{}, map[place][]Action{}}
	for _, a := range actions {
		at := a.place()
		switch a.Kind {
		case KindLink:
			key := linkAt{name: network.LinkName(a.Name), at: at}
			c.links[key] = append(c.links[key], a)
		case KindSite:
			c.sites[at] = append(c.sites[at], a)
		}
	}
	return c
}

// madeBy gives the way that a link's action makes or keeps; ok is false for a delete.
func madeBy(a Action) (w way, ok bool) {
	if a.Kind != KindLink || a.Verb == VerbDelete {
		return way{}, false
	}
	to := a.Link.To
	return way{link: network.LinkName(a.Name), at: a.place(), to: to.place()}, true
}

// then are the sites as the actions leave them.
func (n present) then(actions []Action) map[place]standing {
	out := maps.Clone(n.sites)
	for _, a := range actions { // a place is cleared before another site takes it
		if a.Kind == KindSite && a.Verb == VerbDelete {
			delete(out, a.place())
		}
	}
	for _, a := range actions {
		if a.Kind == KindSite && a.Verb != VerbDelete {
			out[a.place()] = standingOf(network.SiteName(a.Name), a.Site.Fields, a.Site.UID)
		}
	}
	return out
}
