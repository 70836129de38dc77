package plan

import (
	"cmp"
	"maps"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// standing is a site as it is now: its own live Site, or what was last applied; on a
// cluster that could not be read, as it is described.
type standing struct {
	name          network.SiteName
	edge, listens bool
	// uid is the live Site's, empty without one.
	uid string
	// fixed is true where nothing was read and nothing is done.
	fixed bool
}

// way is a link as it is now: one Link, or what was last applied of a link that has
// none; on a cluster that could not be read, as it is described.
type way struct {
	link network.LinkName
	// at is the place of the connecting site, to that of the listening one.
	at, to place
	// uid is the Link's, empty without one.
	uid string
	// alive is true for a Link whose credentials lead to a living Site, works for one
	// that is up, up also for one that was before a change which the controller has yet to see.
	alive, works, up bool
	fixed            bool
	cost             int32
}

// present is the network as it is, before the plan.
type present struct {
	sites map[place]standing
	ways  []way
}

func (ix *index) findPresent() present {
	n := present{sites: ix.standing()}
	uids := map[string]place{}
	for at, s := range n.sites {
		if s.uid != "" {
			uids[s.uid] = at
		}
	}
	for _, at := range sortedPlaces(n.sites) {
		if n.sites[at].fixed {
			continue
		}
		live := ix.liveWays(at, uids)
		n.ways = append(append(n.ways, live...), ix.recordedWays(at, uids, live)...)
	}
	for _, l := range ix.wanted.Links {
		from, to := ix.desired[l.From], ix.desired[l.To]
		if !ix.readable(from.Cluster) || !ix.readable(to.Cluster) {
			n.ways = append(n.ways, way{link: l.Name, at: from.place(), to: to.place(), fixed: true, cost: l.Cost})
		}
	}
	n.ways = slices.DeleteFunc(n.ways, func(w way) bool {
		_, from := n.sites[w.at]
		_, to := n.sites[w.to]
		return !from || !to
	})
	return n
}

// standing lists the network's sites by place.
func (ix *index) standing() map[place]standing {
	out := map[place]standing{}
	for at, inv := range ix.inventories {
		if ix.readable(at.cluster) && inv.Broken == "" && inv.Content.Fields != nil {
			out[at] = standingOf(inv.Content.Site, inv.Content.Fields, ix.siteUID(at, inv.Content.Site))
		}
	}
	for at, sites := range ix.sites {
		for _, s := range sites {
			if ix.readable(at.cluster) && s.Owned(ix.network) && !s.Deleting {
				out[at] = standingOf(nameAt(ix, at, s), s.Fields, s.UID)
			}
		}
	}
	for at, s := range ix.desiredAt {
		if !ix.readable(at.cluster) {
			site := standingOf(s.Name, s.Fields, "")
			site.fixed = true
			out[at] = site
		}
	}
	return out
}

func standingOf(name network.SiteName, fields map[string]any, uid string) standing {
	return standing{name: name, edge: fields["edge"] == true, listens: SiteListens(fields), uid: uid}
}

// nameAt is the site that a Site of ours is of; the description may have another key
// for it by now.
func nameAt(ix *index, at place, v SiteView) network.SiteName {
	if d, ok := ix.desiredAt[at]; ok && d.Object == v.Name {
		return d.Name
	}
	return ix.siteOf(at, v)
}

// liveWays are the network's own Links at a place.
func (ix *index) liveWays(at place, uids map[string]place) []way {
	var out []way
	for _, v := range ix.liveLinks[at] {
		name, own := ix.linkOf(at, v)
		if !own || v.Deleting {
			continue
		}
		l, known := ix.recorded(at, name)
		l = l.of(name, v.Name)
		w := wayOf(name, at, v)
		remote, found := uids[v.RemoteSiteID]
		switch {
		case found:
			w.to = remote
		case known:
			w.to, w.alive = recordedPlace(l, uids)
			w.alive = w.alive && v.RemoteSiteID == ""
		default:
			w.to = ix.desired[ix.links[name].To].place()
			w.alive = v.RemoteSiteID == ""
		}
		out = append(out, w)
	}
	return out
}

// wayOf is a Link of a link, which leads nowhere yet.
func wayOf(name network.LinkName, at place, v LinkView) way {
	health, _ := v.Health(SiteReport{})
	return way{link: name, at: at, uid: v.UID, alive: true, works: health == LinkUp, up: v.works(), cost: max(v.Cost, 1)}
}

// linkOf is the link that a Link is of, if it is one of ours.
func (ix *index) linkOf(at place, v LinkView) (network.LinkName, bool) {
	if v.Owned(ix.network) && v.Labels[LabelLink] != "" {
		return network.LinkName(v.Labels[LabelLink]), true
	}
	recorded := ix.inventories[at].Content.Links
	for _, name := range slices.Sorted(maps.Keys(recorded)) {
		if ix.isOwn(ix.recordOf(at, name), v) {
			return name, true
		}
	}
	return "", false
}

// recordedPlace is where a recorded link leads to, and whether the Site that its
// credentials are of is there.
func recordedPlace(l InventoryLink, uids map[string]place) (to place, there bool) {
	if at, ok := uids[l.ToUID]; ok {
		return at, true
	}
	return placeOf(l.ToCluster, l.ToNamespace), l.ToUID == ""
}

// recordedWays are the links that were brought up at a place and have no Link there.
func (ix *index) recordedWays(at place, uids map[string]place, have []way) []way {
	var out []way
	links := ix.inventories[at].Content.Links
	for _, name := range slices.Sorted(maps.Keys(links)) {
		live := func(w way) bool { return w.at == at && w.link == name }
		if links[name].State == LinkApplied && !slices.ContainsFunc(have, live) {
			to, _ := recordedPlace(links[name], uids)
			out = append(out, way{link: name, at: at, to: to, cost: links[name].Cost})
		}
	}
	return out
}

// graph gives sites and ways as a network, of which only names, ends, costs, and who
// listens or is an edge are set. A site in two places, as one that moves, is one, and of
// several Links of one link that with the least cost counts.
func graph(sites map[place]standing, ways []way) network.Network {
	var n network.Network
	seen := map[network.SiteName]bool{}
	for _, at := range sortedPlaces(sites) {
		if s := sites[at]; !seen[s.name] {
			seen[s.name] = true
			site := network.Site{Name: s.name, Cluster: at.cluster, Namespace: at.namespace, Edge: s.edge}
			if s.listens {
				site.LinkAccess = "default" // or another type, which is of no account here
			}
			n.Sites = append(n.Sites, site)
		}
	}
	for _, w := range ways {
		from, to := sites[w.at].name, sites[w.to].name
		if from != "" && to != "" {
			n.Links = append(n.Links, network.Link{Name: w.link, From: from, To: to, Cost: w.cost})
		}
	}
	slices.SortFunc(n.Links, func(a, b network.Link) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Cost, b.Cost))
	})
	n.Links = slices.CompactFunc(n.Links, func(a, b network.Link) bool { return a.Name == b.Name && a.From == b.From && a.To == b.To })
	return n
}

func (p present) network() network.Network { return graph(p.sites, p.ways) }

// unmanaged lists Sites and Links in the network's namespaces that it does not own.
func unmanaged(w *index, actions []Action) []ObjectRef {
	var out []ObjectRef
	adopted := map[string]bool{}
	for _, a := range actions {
		if a.Verb != VerbAdopt {
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
	places := map[place]bool{}
	for _, at := range w.ownedPlaces() {
		places[at] = true
	}
	for at := range w.desiredAt {
		places[at] = true
	}
	for _, at := range sortedPlaces(places) {
		for _, s := range w.sites[at] {
			if !s.Owned(w.network) && !adopted[s.UID] {
				out = append(out, ref(at.cluster, ObjectSite, s.Meta))
			}
		}
		for _, l := range w.liveLinks[at] {
			_, own := w.linkOf(at, l) // also the product of our own token, not labelled yet
			if !own && !l.Owned(w.network) && !adopted[l.UID] {
				out = append(out, ref(at.cluster, ObjectLink, l.Meta))
			}
		}
	}
	return sortRefs(out)
}
