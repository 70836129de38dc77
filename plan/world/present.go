package world

import (
	"cmp"
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// Site is a site as it is now: its own live Site, or what was last applied; on a
// cluster that could not be read, as it is described.
type Site struct {
	Name          network.SiteName
	Edge, listens bool
	// UID is the live Site's, empty without one.
	UID string
	// Fixed is true where nothing was read and nothing is done.
	Fixed bool
}

// Way is a link as it is now: one Link, or what was last applied of a link that has
// none; on a cluster that could not be read, as it is described.
type Way struct {
	Link network.LinkName
	// At is the place of the connecting site, to that of the listening one.
	At, To plan.Place
	// UID is the Link's, empty without one.
	UID string
	// Alive is true for a Link whose credentials lead to a living Site, works for one
	// that is up, up also for one that was before a change which the controller has yet to see.
	Alive, Works, Up bool
	Fixed            bool
	Cost             int32
}

// Present is the network as it is, before the plan.
type Present struct {
	Sites map[plan.Place]Site
	Ways  []Way
}

// ByUID are the places of the sites that are there, by the UIDs of their Sites.
func (p Present) ByUID() map[string]plan.Place {
	uids := map[string]plan.Place{}
	for at, s := range p.Sites {
		if s.UID != "" {
			uids[s.UID] = at
		}
	}
	return uids
}

func (ix *World) findPresent() Present {
	n := Present{Sites: ix.SitesNow()}
	uids := n.ByUID()
	for _, at := range SortedPlaces(n.Sites) {
		if n.Sites[at].Fixed {
			continue
		}
		live := ix.liveWays(at, uids)
		n.Ways = append(append(n.Ways, live...), ix.RecordedWays(at, uids, live)...)
	}
	for _, l := range ix.Wanted.Links {
		from, to := ix.Desired[l.From], ix.Desired[l.To]
		if !ix.Readable(from.Cluster) || !ix.Readable(to.Cluster) {
			n.Ways = append(n.Ways, Way{Link: l.Name, At: from.Place(), To: to.Place(), Fixed: true, Cost: l.Cost})
		}
	}
	n.Ways = slices.DeleteFunc(n.Ways, func(w Way) bool {
		_, from := n.Sites[w.At]
		_, to := n.Sites[w.To]
		return !from || !to
	})
	return n
}

// SitesNow lists the network's sites by place.
func (ix *World) SitesNow() map[plan.Place]Site {
	out := map[plan.Place]Site{}
	for at, inv := range ix.Inventories {
		if ix.Readable(at.Cluster) && inv.Broken == "" && inv.Content.Fields != nil {
			out[at] = SiteOf(inv.Content.Site, inv.Content.Fields, ix.SiteUID(at, inv.Content.Site))
		}
	}
	for at, sites := range ix.Sites {
		for _, s := range sites {
			if ix.Readable(at.Cluster) && s.Owned(ix.Network) && !s.Deleting {
				out[at] = SiteOf(nameAt(ix, at, s), s.Fields, s.UID)
			}
		}
	}
	for at, s := range ix.DesiredAt {
		if !ix.Readable(at.Cluster) {
			site := SiteOf(s.Name, s.Fields, "")
			site.Fixed = true
			out[at] = site
		}
	}
	return out
}

// SiteOf is a site with the fields that it has, or was applied with.
func SiteOf(name network.SiteName, fields map[string]any, uid string) Site {
	return Site{Name: name, Edge: fields["edge"] == true, listens: field.SiteListens(fields), UID: uid}
}

// nameAt is the site that a Site of ours is of; the description may have another key
// for it by now.
func nameAt(ix *World, at plan.Place, v SiteView) network.SiteName {
	if d, ok := ix.DesiredAt[at]; ok && d.Object == v.Name {
		return d.Name
	}
	return ix.SiteOf(at, v)
}

// liveWays are the network's own Links at a place.
func (ix *World) liveWays(at plan.Place, uids map[string]plan.Place) []Way {
	var out []Way
	for _, v := range ix.LiveLinks[at] {
		name, own := ix.LinkOf(at, v)
		if !own || v.Deleting {
			continue
		}
		l, known := ix.Recorded(at, name)
		l = l.Of(name, v.Name)
		w := WayOf(name, at, v)
		remote, found := uids[v.RemoteSiteID]
		switch {
		case found:
			w.To = remote
		case known:
			w.To, w.Alive = recordedPlace(l, uids)
			w.Alive = w.Alive && v.RemoteSiteID == ""
		default:
			w.To = ix.Desired[ix.Links[name].To].Place()
			w.Alive = v.RemoteSiteID == ""
		}
		out = append(out, w)
	}
	return out
}

// WayOf is a Link of a link, which leads nowhere yet.
func WayOf(name network.LinkName, at plan.Place, v LinkView) Way {
	health, _ := v.Health(SiteReport{})
	return Way{Link: name, At: at, UID: v.UID, Alive: true, Works: health == LinkUp, Up: v.Works(), Cost: max(v.Cost, 1)}
}

// LinkOf is the link that a Link is of, if it is one of ours.
func (ix *World) LinkOf(at plan.Place, v LinkView) (network.LinkName, bool) {
	if v.Owned(ix.Network) && v.Labels[plan.LabelLink] != "" {
		return network.LinkName(v.Labels[plan.LabelLink]), true
	}
	recorded := ix.Inventories[at].Content.Links
	for _, name := range slices.Sorted(maps.Keys(recorded)) {
		if ix.IsOwn(ix.RecordOf(at, name), v) {
			return name, true
		}
	}
	return "", false
}

// recordedPlace is where a recorded link leads to, and whether the Site that its
// credentials are of is there.
func recordedPlace(l record.Link, uids map[string]plan.Place) (to plan.Place, there bool) {
	if at, ok := uids[l.ToUID]; ok {
		return at, true
	}
	return plan.PlaceOf(l.ToCluster, l.ToNamespace), l.ToUID == ""
}

// RecordedWays are the links that were brought up at a place and have no Link there.
func (ix *World) RecordedWays(at plan.Place, uids map[string]plan.Place, have []Way) []Way {
	var out []Way
	links := ix.Inventories[at].Content.Links
	for _, name := range slices.Sorted(maps.Keys(links)) {
		live := func(w Way) bool { return w.At == at && w.Link == name }
		if links[name].State == record.LinkApplied && !slices.ContainsFunc(have, live) {
			to, _ := recordedPlace(links[name], uids)
			out = append(out, Way{Link: name, At: at, To: to, Cost: links[name].Cost})
		}
	}
	return out
}

// graph gives sites and ways as a network, of which only names, ends, costs, and who
// listens or is an edge are set. A site in two places, as one that moves, is one, and of
// several Links of one link that with the least cost counts.
func graph(sites map[plan.Place]Site, ways []Way) network.Network {
	var n network.Network
	seen := map[network.SiteName]bool{}
	for _, at := range SortedPlaces(sites) {
		if s := sites[at]; !seen[s.Name] {
			seen[s.Name] = true
			site := network.Site{Name: s.Name, Cluster: at.Cluster, Namespace: at.Namespace, Edge: s.Edge}
			if s.listens {
				site.LinkAccess = "default" // or another type, which is of no account here
			}
			n.Sites = append(n.Sites, site)
		}
	}
	for _, w := range ways {
		from, to := sites[w.At].Name, sites[w.To].Name
		if from != "" && to != "" {
			n.Links = append(n.Links, network.Link{Name: w.Link, From: from, To: to, Cost: w.Cost})
		}
	}
	slices.SortFunc(n.Links, func(a, b network.Link) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Cost, b.Cost))
	})
	n.Links = slices.CompactFunc(n.Links, func(a, b network.Link) bool { return a.Name == b.Name && a.From == b.From && a.To == b.To })
	return n
}

// Network is the graph of sites and ways, see graph.
func (p Present) Network() network.Network { return graph(p.Sites, p.Ways) }

// Unmanaged lists Sites and Links in the network's namespaces that it does not own.
func Unmanaged(w *World, actions []plan.Action) []plan.ObjectRef {
	var out []plan.ObjectRef
	adopted := map[string]bool{}
	for _, a := range actions {
		if a.Verb != plan.VerbAdopt {
			continue
		}
		if a.Site != nil {
			adopted[a.Site.UID] = true
		}
		if a.Link != nil {
			for _, l := range a.Link.Live {
				adopted[l.UID] = true
			}
		}
	}
	places := map[plan.Place]bool{}
	for _, at := range w.OwnedPlaces() {
		places[at] = true
	}
	for at := range w.DesiredAt {
		places[at] = true
	}
	for _, at := range SortedPlaces(places) {
		for _, s := range w.Sites[at] {
			if !s.Owned(w.Network) && !adopted[s.UID] {
				out = append(out, Ref(at.Cluster, plan.ObjectSite, s.Meta))
			}
		}
		for _, l := range w.LiveLinks[at] {
			_, own := w.LinkOf(at, l) // also the product of our own token, not labelled yet
			if !own && !l.Owned(w.Network) && !adopted[l.UID] {
				out = append(out, Ref(at.Cluster, plan.ObjectLink, l.Meta))
			}
		}
	}
	return plan.SortRefs(out)
}
