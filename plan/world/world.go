// Package world is what was observed of a network, found by what it belongs to: whose an
// object is, which ways lead where and whether they work, what is taken.
package world

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// WantedProxy names a proxy; that of what was last applied also by site and Secret.
type WantedProxy struct {
	Name   network.ProxyName
	Site   network.SiteName
	Secret string
}

// World finds observed things by what they belong to. It is built once, so that
// planning is linear in the number of objects.
type World struct {
	// Network is its name, Wanted what is described of it, Observed all that was read.
	Network  string
	Wanted   plan.Desired
	Observed Observation
	// adoptable reports whether an object that others made may be taken over.
	adoptable func(Meta) bool
	// Now is the network as it is, made when it is asked for.
	Now         func() Present
	Clusters    map[network.ClusterName]ClusterView
	Desired     map[network.SiteName]plan.DesiredSite
	DesiredAt   map[plan.Place]plan.DesiredSite
	Links       map[network.LinkName]plan.DesiredLink
	Sites       map[plan.Place][]SiteView
	LiveLinks   map[plan.Place][]LinkView
	Secrets     map[plan.Place]map[string]SecretView
	Tokens      map[plan.Place]map[string]TokenView
	Inventories map[plan.Place]InventoryView
	Accesses    map[plan.Place]AccessView
	Proxies     map[plan.Place]map[string]ProxyView
	// Certificates are all Certificates, of whoever.
	Certificates map[plan.Place]map[string]CertificateView
	// WantedProxies are the description's.
	WantedProxies map[WantedProxy]plan.DesiredProxy
	// Leftovers are owned grants, tokens and Secrets by link, wherever they are.
	Leftovers map[network.LinkName][]plan.ObjectRef
	// Going says of objects that are being deleted what holds them, by UID.
	Going map[string]string
	// reports are what the routers of Sites say of their own links, by the Site's UID.
	reports map[string]SiteReport
}

// builder fills a World.
type builder struct{ *World }

// Of indexes what was observed, in the order of the clusters' names and with intents that
// were carried out taken as applied.
func Of(wanted plan.Desired, observed Observation, adoptable func(Meta) bool) *World {
	observed.Clusters = slices.SortedStableFunc(slices.Values(observed.Clusters), func(a, b ClusterView) int {
		return cmp.Compare(a.Name, b.Name)
	})
	observed = Settled(observed, wanted.Network)
	ix := &World{
		Network: wanted.Network, Wanted: wanted, Observed: observed, adoptable: adoptable,

		Clusters:    map[network.ClusterName]ClusterView{},
		Desired:     map[network.SiteName]plan.DesiredSite{},
		DesiredAt:   map[plan.Place]plan.DesiredSite{},
		Links:       map[network.LinkName]plan.DesiredLink{},
		Sites:       map[plan.Place][]SiteView{},
		LiveLinks:   map[plan.Place][]LinkView{},
		Secrets:     map[plan.Place]map[string]SecretView{},
		Tokens:      map[plan.Place]map[string]TokenView{},
		Inventories: map[plan.Place]InventoryView{},
		Accesses:    map[plan.Place]AccessView{},
		Proxies:     map[plan.Place]map[string]ProxyView{},

		Certificates: map[plan.Place]map[string]CertificateView{},

		WantedProxies: map[WantedProxy]plan.DesiredProxy{},
		Leftovers:     map[network.LinkName][]plan.ObjectRef{},
		Going:         map[string]string{},
		reports:       map[string]SiteReport{},
	}
	b := builder{ix}
	for _, s := range wanted.Sites {
		ix.Desired[s.Name] = s
		ix.DesiredAt[s.Place()] = s
	}
	for _, l := range wanted.Links {
		ix.Links[l.Name] = l
	}
	for _, p := range wanted.Proxies {
		ix.WantedProxies[WantedProxy{p.Name, p.Site, p.Secret}] = p
		if _, known := ix.WantedProxies[WantedProxy{Name: p.Name}]; !known {
			ix.WantedProxies[WantedProxy{Name: p.Name}] = p
		}
	}
	for _, c := range observed.Clusters {
		ix.Clusters[c.Name] = c
		if c.State == plan.StateOK { // what was read of another is not all, and proves nothing
			b.addCluster(c)
		}
	}
	b.addUnlabelled()
	b.sort()
	b.followRenames()
	ix.Now = sync.OnceValue(ix.findPresent)
	return ix
}

// TakesNothing is for looking alone: what others made stays theirs.
func TakesNothing(Meta) bool { return false }

// Report is what the routers of the Site at a place say of its links; zero where that was
// not asked for.
func (ix *World) Report(at plan.Place) SiteReport {
	for _, s := range ix.Sites[at] {
		if r, known := ix.reports[s.UID]; known {
			return r
		}
	}
	return SiteReport{}
}

// addUnlabelled finds what bears the name of one of our attempts and no labels:
// Certificates of which somebody took them off, and Secrets that a redemption made which
// had been given up.
func (b builder) addUnlabelled() {
	for at, inv := range b.Inventories {
		for name, l := range inv.Content.Links {
			for attempt := 1; attempt <= l.Attempt; attempt++ {
				for _, to := range l.Listening() {
					v, ok := b.Certificates[to][plan.GrantName(b.Network, name, attempt)]
					if ok && v.Labels[plan.LabelManagedBy] == "" && v.Marked {
						b.Leftovers[name] = append(b.Leftovers[name], Ref(to.Cluster, plan.ObjectCertificate, v.Meta))
					}
				}
				object := network.ObjectName(name, attempt)
				s, ok := b.Secrets[at][object]
				ours := ok && s.Labels[plan.LabelManagedBy] == "" && (s.Marked || b.awaited(at, object))
				if ours && b.redeemed(at, inv.Content.Site, s.Meta) && l.Claims(name, object) {
					b.Leftovers[name] = append(b.Leftovers[name], Ref(at.Cluster, plan.ObjectSecret, s.Meta))
				}
			}
		}
	}
}

// redeemed reports whether a redemption of a site's made an object: the Site is its owner.
func (b builder) redeemed(at plan.Place, site network.SiteName, m Meta) bool {
	return m.OwnerUID != "" && m.OwnerUID == b.SiteUID(at, site)
}

// awaited reports whether a Link and a Secret of a name may be what a redemption of ours made:
// our token of that name is there, or a Site notes that it was taken away unanswered.
func (ix *World) awaited(at plan.Place, object string) bool {
	if t, ok := ix.Tokens[at][object]; ok && t.Owned(ix.Network) {
		return true
	}
	return slices.ContainsFunc(ix.Sites[at], func(s SiteView) bool { return slices.Contains(s.Unanswered, object) })
}

// followRenames reads the inventory of a site whose key changed while its Site stays
// as that of the new key.
func (b builder) followRenames() {
	for at, d := range b.DesiredAt {
		inv, ok := b.Inventories[at]
		was := cmp.Or(inv.Content.Object, string(inv.Content.Site))
		if !ok || inv.Broken != "" || inv.Content.Site == "" || inv.Content.Site == d.Name || was != d.Object || b.SiteUID(at, d.Name) == "" {
			continue
		}
		inv.Renamed, inv.Content.Site, inv.Content.Object = inv.Content.Site, d.Name, d.Object
		b.Inventories[at] = inv
	}
}

// sort makes what follows independent of the order in which things were listed.
func (b builder) sort() {
	byName := func(a, b Meta) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID)) }
	for _, list := range b.Sites {
		slices.SortFunc(list, func(a, b SiteView) int { return byName(a.Meta, b.Meta) })
	}
	for _, list := range b.LiveLinks {
		slices.SortFunc(list, func(a, b LinkView) int { return byName(a.Meta, b.Meta) })
	}
	for name, list := range b.Leftovers {
		b.Leftovers[name] = plan.SortRefs(list)
	}
}

func (b builder) addCluster(c ClusterView) {
	for _, s := range c.Sites {
		at := plan.PlaceOf(c.Name, s.Namespace)
		b.Sites[at] = append(b.Sites[at], s)
	}
	for _, r := range c.Reports {
		if _, two := b.reports[r.Site]; !two {
			b.reports[r.Site] = r
		}
	}
	for _, l := range c.Links {
		b.noteGoing(l.Meta)
		at := plan.PlaceOf(c.Name, l.Namespace)
		b.LiveLinks[at] = append(b.LiveLinks[at], l)
	}
	for _, s := range c.Secrets {
		b.noteGoing(s.Meta)
		Put(b.Secrets, plan.PlaceOf(c.Name, s.Namespace), s.Name, s)
		b.addLeftover(c.Name, plan.ObjectSecret, s.Meta)
	}
	for _, t := range c.Tokens {
		b.noteGoing(t.Meta)
		Put(b.Tokens, plan.PlaceOf(c.Name, t.Namespace), t.Name, t)
		b.addLeftover(c.Name, plan.ObjectToken, t.Meta)
	}
	for _, a := range c.Accesses {
		b.noteGoing(a.Meta)
		if a.Name == RouterAccess {
			b.Accesses[plan.PlaceOf(c.Name, a.Namespace)] = a
		}
	}
	for _, p := range c.Proxies {
		Put(b.Proxies, plan.PlaceOf(c.Name, p.Namespace), p.Name, p)
	}
	for _, v := range c.Certificates {
		b.noteGoing(v.Meta)
		Put(b.Certificates, plan.PlaceOf(c.Name, v.Namespace), v.Name, v)
		b.addLeftover(c.Name, plan.ObjectCertificate, v.Meta)
	}
	for _, g := range c.Grants {
		b.noteGoing(g.Meta)
		b.addLeftover(c.Name, plan.ObjectGrant, g.Meta)
	}
	for _, inv := range c.Inventories {
		if inv.Content.Network == b.Network || inv.Labels[plan.LabelNetwork] == b.Network {
			b.Inventories[plan.PlaceOf(c.Name, inv.Namespace)] = inv
		}
	}
}

func (b builder) addLeftover(cluster network.ClusterName, kind plan.ObjectKind, m Meta) {
	if !m.Owned(b.Network) {
		return
	}
	link := network.LinkName(m.Labels[plan.LabelLink])
	if link == "" {
		return // a proxy's Secret
	}
	b.Leftovers[link] = append(b.Leftovers[link], Ref(cluster, kind, m))
}

// Put sets a value by place and name.
func Put[V any](m map[plan.Place]map[string]V, at plan.Place, name string, v V) {
	if m[at] == nil {
		m[at] = map[string]V{}
	}
	m[at][name] = v
}

// Ref points at an object that was observed.
func Ref(cluster network.ClusterName, kind plan.ObjectKind, m Meta) plan.ObjectRef {
	return plan.ObjectRef{Cluster: cluster, Kind: kind, Namespace: m.Namespace, Name: m.Name, UID: m.UID}
}

// Readable reports whether the cluster was read in full.
func (ix *World) Readable(c network.ClusterName) bool {
	view, ok := ix.Clusters[c]
	return ok && view.State == plan.StateOK
}

// Recorded returns the inventory entry of a link at a place.
func (ix *World) Recorded(at plan.Place, name network.LinkName) (record.Link, bool) {
	inv, ok := ix.Inventories[at]
	if !ok {
		return record.Link{}, false
	}
	l, ok := inv.Content.Links[name]
	return l, ok
}

// SiteObject is the name that a site's Site has, or had when it was last applied.
func (ix *World) SiteObject(at plan.Place, site network.SiteName) string {
	if d, ok := ix.DesiredAt[at]; ok && d.Name == site {
		return d.Object
	}
	if inv := ix.Inventories[at].Content; inv.Site == site && inv.Object != "" {
		return inv.Object
	}
	return string(site)
}

// ObjectOf is the name of the Site with the UID, or that of the site when there is
// none.
func (ix *World) ObjectOf(at plan.Place, uid string, site network.SiteName) string {
	for _, s := range ix.Sites[at] {
		if uid != "" && s.UID == uid {
			return s.Name
		}
	}
	return ix.SiteObject(at, site)
}

// SiteUID returns the UID of the network's own live Site at a place.
func (ix *World) SiteUID(at plan.Place, site network.SiteName) string {
	object := ix.SiteObject(at, site)
	for _, s := range ix.Sites[at] {
		if s.Name == object && !s.Deleting {
			return s.UID
		}
	}
	return ""
}

// HasOwnSite reports whether a place has a Site of the network.
func (ix *World) HasOwnSite(at plan.Place) bool {
	return slices.ContainsFunc(ix.Sites[at], func(s SiteView) bool { return s.Owned(ix.Network) })
}

// Endpoints are what a link's listening Site offers, as far as it says.
func (ix *World) Endpoints(e plan.End) []Endpoint {
	for _, s := range ix.Sites[e.Place()] {
		if s.UID == e.UID {
			return s.Endpoints
		}
	}
	return nil
}

// SortedPlaces lists the keys of any map by place, in order.
func SortedPlaces[V any](m map[plan.Place]V) []plan.Place {
	out := make([]plan.Place, 0, len(m))
	for at := range m {
		out = append(out, at)
	}
	slices.SortFunc(out, func(a, b plan.Place) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Namespace, b.Namespace))
	})
	return out
}

// noteGoing notes an object that is being deleted.
func (b builder) noteGoing(m Meta) {
	if m.Deleting {
		b.Going[m.UID] = m.Going()
	}
}

// TooOld gives the controller's version at a place when it is known to be older
// than liveEdits.
func (ix *World) TooOld(at plan.Place, site network.SiteName) (string, bool) {
	object := ix.SiteObject(at, site)
	for _, s := range ix.Sites[at] {
		if v, ok := parseVersion(s.Version); s.Name == object && ok {
			return s.Version, v.before(liveEdits)
		}
	}
	return "", false
}

// ListensAt reports whether links may lead to the live Site with the UID.
func (ix *World) ListensAt(at plan.Place, uid string) bool {
	if _, open := ix.Accesses[at]; open && uid != "" {
		return true
	}
	return slices.ContainsFunc(ix.Sites[at], func(s SiteView) bool {
		return uid != "" && s.UID == uid && field.SiteListens(s.Fields)
	})
}

// LinksNow are the links that are recorded and not retired, or labelled and live.
func (ix *World) LinksNow() map[LinkAt]bool {
	out := map[LinkAt]bool{}
	for at, inv := range ix.Inventories {
		for name, l := range inv.Content.Links {
			if l.State != record.LinkRetired && ix.Readable(at.Cluster) {
				out[LinkAt{Name: name, At: at}] = true
			}
		}
	}
	for at, links := range ix.LiveLinks {
		for _, v := range links {
			if name := v.Labels[plan.LabelLink]; name != "" && v.Owned(ix.Network) && ix.Readable(at.Cluster) {
				out[LinkAt{Name: network.LinkName(name), At: at}] = true
			}
		}
	}
	return out
}

// OwnedPlaces lists where the network has a Site or an inventory.
func (ix *World) OwnedPlaces() []plan.Place {
	owned := map[plan.Place]bool{}
	for at := range ix.Inventories {
		owned[at] = true
	}
	for at, sites := range ix.Sites {
		for _, s := range sites {
			if s.Owned(ix.Network) {
				owned[at] = true
			}
		}
	}
	return slices.DeleteFunc(SortedPlaces(owned), func(at plan.Place) bool { return !ix.Readable(at.Cluster) })
}

// Protected reports whether the Site with the UID notes that it is protected.
func (ix *World) Protected(at plan.Place, uid string) bool {
	return slices.ContainsFunc(ix.Sites[at], func(s SiteView) bool { return uid != "" && s.UID == uid && s.Protected })
}

// Cleared reports whether the plan deletes a Site of ours at a place, and its
// inventory with it, before it makes the wanted one there.
func (ix *World) Cleared(at plan.Place) bool {
	wanted, ok := ix.DesiredAt[at]
	return ok && slices.ContainsFunc(ix.Sites[at], func(s SiteView) bool {
		return s.Owned(ix.Network) && s.Name != wanted.Object
	})
}

// StaleSite gives the network's own site at a place that is not the wanted one;
// an empty name when there is none.
func (ix *World) StaleSite(at plan.Place, wanted plan.DesiredSite) (name network.SiteName, uid string) {
	kept := false
	for _, s := range ix.Sites[at] {
		switch {
		case !s.Owned(ix.Network):
		case wanted.Name == "" || s.Name != wanted.Object:
			return ix.SiteOf(at, s), s.UID
		default:
			kept = true // also when the description has another key for it now
		}
	}
	if inv, ok := ix.Inventories[at]; ok && !kept && inv.Content.Site != wanted.Name && inv.Content.Site != "" {
		return inv.Content.Site, ""
	}
	if _, ok := ix.Inventories[at]; ok && wanted.Name == "" {
		return network.SiteName(at.Namespace), ""
	}
	return "", ""
}

// SiteOf is the site that a Site of ours is of: its label says so.
func (ix *World) SiteOf(at plan.Place, v SiteView) network.SiteName {
	if inv := ix.Inventories[at].Content; inv.Object == v.Name {
		return inv.Site
	}
	if label := v.Labels[plan.LabelSite]; label != "" {
		return network.SiteName(label)
	}
	return network.SiteName(v.Name)
}

// SecretGone says which Link's Secret is not there to stay; empty when all are.
func (ix *World) SecretGone(at plan.Place, links []LinkView) string {
	for _, v := range links {
		switch s, ok := ix.Secrets[at][v.TLSCredentials]; {
		case ok && s.Deleting:
			return fmt.Sprintf("Secret %q with its credentials %s", v.TLSCredentials, s.Going())
		case !ok && v.TLSCredentials != "":
			return fmt.Sprintf("Secret %q with its credentials is gone from the cluster", v.TLSCredentials)
		}
	}
	return ""
}

// Taken reports whether a Link, token or Secret has one of the names that a redemption of the
// attempt would give.
func (ix *World) Taken(at plan.Place, object string, groups int) bool {
	if _, ok := ix.Secrets[at][object]; ok {
		return true
	}
	if _, ok := ix.Tokens[at][object]; ok {
		return true
	}
	names := network.LinkObjectNames(object)
	if groups == 1 {
		names = names[:1]
	}
	return slices.ContainsFunc(ix.LiveLinks[at], func(v LinkView) bool { return slices.Contains(names, v.Name) })
}

// Used reports whether any Link of a place, ours or not, uses a Secret.
func (ix *World) Used(at plan.Place, secret string) bool {
	return slices.ContainsFunc(ix.LiveLinks[at], func(v LinkView) bool { return v.TLSCredentials == secret })
}
