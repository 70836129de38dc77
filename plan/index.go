package plan

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"fairlead.dev/fairlead/schema/network"
)

// wantedProxy names a proxy; that of what was last applied also by site and Secret.
type wantedProxy struct {
	name   network.ProxyName
	site   network.SiteName
	secret string
}

// index finds observed things by what they belong to. It is built once, so that
// planning is linear in the number of objects.
type index struct {
	// network is its name, wanted what is described of it, observed all that was read.
	network  string
	wanted   Desired
	observed Observation
	// adoptable reports whether an object that others made may be taken over.
	adoptable func(Meta) bool
	// now is the network as it is, made when it is asked for.
	now         func() present
	clusters    map[network.ClusterName]ClusterView
	desired     map[network.SiteName]DesiredSite
	desiredAt   map[place]DesiredSite
	links       map[network.LinkName]DesiredLink
	sites       map[place][]SiteView
	liveLinks   map[place][]LinkView
	secrets     map[place]map[string]SecretView
	tokens      map[place]map[string]TokenView
	inventories map[place]InventoryView
	accesses    map[place]AccessView
	proxies     map[place]map[string]ProxyView
	// certificates are all Certificates, of whoever.
	certificates map[place]map[string]CertificateView
	// wantedProxies are the description's; newProxies are the Secrets that the plan
	// makes, by action; keptProxies are those that stay in use.
	wantedProxies map[wantedProxy]DesiredProxy
	newProxies    map[string]string
	keptProxies   map[place][]string
	// leftovers are owned grants, tokens and Secrets by link, wherever they are.
	leftovers map[network.LinkName][]ObjectRef
	// going says of objects that are being deleted what holds them, by UID.
	going map[string]string
	// reports are what the routers of Sites say of their own links, by the Site's UID.
	reports map[string]SiteReport
}

// builder fills an index.
type builder struct{ *index }

// worldOf indexes what was observed, in the order of the clusters' names and with intents that
// were carried out taken as applied.
func worldOf(wanted Desired, observed Observation, adoptable func(Meta) bool) *index {
	observed.Clusters = slices.SortedStableFunc(slices.Values(observed.Clusters), func(a, b ClusterView) int {
		return cmp.Compare(a.Name, b.Name)
	})
	return newIndex(wanted, Settled(observed, wanted.Network), adoptable)
}

// takesNothing is for looking alone: what others made stays theirs.
func takesNothing(Meta) bool { return false }

func newIndex(wanted Desired, observed Observation, adoptable func(Meta) bool) *index {
	ix := &index{
		network: wanted.Network, wanted: wanted, observed: observed, adoptable: adoptable,

		clusters:    map[network.ClusterName]ClusterView{},
		desired:     map[network.SiteName]DesiredSite{},
		desiredAt:   map[place]DesiredSite{},
		links:       map[network.LinkName]DesiredLink{},
		sites:       map[place][]SiteView{},
		liveLinks:   map[place][]LinkView{},
		secrets:     map[place]map[string]SecretView{},
		tokens:      map[place]map[string]TokenView{},
		inventories: map[place]InventoryView{},
		accesses:    map[place]AccessView{},
		proxies:     map[place]map[string]ProxyView{},

		certificates: map[place]map[string]CertificateView{},

		wantedProxies: map[wantedProxy]DesiredProxy{},
		newProxies:    map[string]string{},
		keptProxies:   map[place][]string{},
		leftovers:     map[network.LinkName][]ObjectRef{},
		going:         map[string]string{},
		reports:       map[string]SiteReport{},
	}
	b := builder{ix}
	for _, s := range wanted.Sites {
		ix.desired[s.Name] = s
		ix.desiredAt[s.place()] = s
	}
	for _, l := range wanted.Links {
		ix.links[l.Name] = l
	}
	for _, p := range wanted.Proxies {
		ix.wantedProxies[wantedProxy{p.Name, p.Site, p.Secret}] = p
		if _, known := ix.wantedProxies[wantedProxy{name: p.Name}]; !known {
			ix.wantedProxies[wantedProxy{name: p.Name}] = p
		}
	}
	for _, c := range observed.Clusters {
		ix.clusters[c.Name] = c
		if c.State == StateOK { // what was read of another is not all, and proves nothing
			b.addCluster(c, wanted.Network)
		}
	}
	b.addUnlabelled(wanted.Network)
	b.sort()
	b.followRenames()
	ix.now = sync.OnceValue(ix.findPresent)
	return ix
}

// report is what the routers of the Site at a place say of its links; zero where that was
// not asked for.
func (ix *index) report(at place) SiteReport {
	for _, s := range ix.sites[at] {
		if r, known := ix.reports[s.UID]; known {
			return r
		}
	}
	return SiteReport{}
}

// addUnlabelled finds what bears the name of one of our attempts and no labels:
// Certificates of which somebody took them off, and Secrets that a redemption made which
// had been given up.
func (b builder) addUnlabelled(net string) {
	for at, inv := range b.inventories {
		for name, l := range inv.Content.Links {
			for attempt := 1; attempt <= l.Attempt; attempt++ {
				for _, to := range l.listening() {
					v, ok := b.certificates[to][GrantName(net, name, attempt)]
					if ok && v.Labels[LabelManagedBy] == "" && v.Marked {
						b.leftovers[name] = append(b.leftovers[name], ref(to.cluster, ObjectCertificate, v.Meta))
					}
				}
				object := network.ObjectName(name, attempt)
				s, ok := b.secrets[at][object]
				ours := ok && s.Labels[LabelManagedBy] == "" && (s.Marked || b.awaited(at, net, object))
				if ours && b.redeemed(at, inv.Content.Site, s.Meta) && l.claims(name, object) {
					b.leftovers[name] = append(b.leftovers[name], ref(at.cluster, ObjectSecret, s.Meta))
				}
			}
		}
	}
}

// redeemed reports whether a redemption of a site's made an object: the Site is its owner.
func (b builder) redeemed(at place, site network.SiteName, m Meta) bool {
	return m.OwnerUID != "" && m.OwnerUID == b.siteUID(at, site)
}

// awaited reports whether a Link and a Secret of a name may be what a redemption of ours made:
// our token of that name is there, or a Site notes that it was taken away unanswered.
func (ix *index) awaited(at place, net, object string) bool {
	if t, ok := ix.tokens[at][object]; ok && t.Owned(net) {
		return true
	}
	return slices.ContainsFunc(ix.sites[at], func(s SiteView) bool { return slices.Contains(s.Unanswered, object) })
}

// followRenames reads the inventory of a site whose key changed while its Site stays
// as that of the new key.
func (b builder) followRenames() {
	for at, d := range b.desiredAt {
		inv, ok := b.inventories[at]
		was := cmp.Or(inv.Content.Object, string(inv.Content.Site))
		if !ok || inv.Broken != "" || inv.Content.Site == "" || inv.Content.Site == d.Name || was != d.Object || b.siteUID(at, d.Name) == "" {
			continue
		}
		inv.Renamed, inv.Content.Site, inv.Content.Object = inv.Content.Site, d.Name, d.Object
		b.inventories[at] = inv
	}
}

// sort makes what follows independent of the order in which things were listed.
func (b builder) sort() {
	byName := func(a, b Meta) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID)) }
	for _, list := range b.sites {
		slices.SortFunc(list, func(a, b SiteView) int { return byName(a.Meta, b.Meta) })
	}
	for _, list := range b.liveLinks {
		slices.SortFunc(list, func(a, b LinkView) int { return byName(a.Meta, b.Meta) })
	}
	for name, list := range b.leftovers {
		b.leftovers[name] = sortRefs(list)
	}
}

func (b builder) addCluster(c ClusterView, network string) {
	for _, s := range c.Sites {
		at := placeOf(c.Name, s.Namespace)
		b.sites[at] = append(b.sites[at], s)
	}
	for _, r := range c.Reports {
		if _, two := b.reports[r.Site]; !two {
			b.reports[r.Site] = r
		}
	}
	for _, l := range c.Links {
		b.noteGoing(l.Meta)
		at := placeOf(c.Name, l.Namespace)
		b.liveLinks[at] = append(b.liveLinks[at], l)
	}
	for _, s := range c.Secrets {
		b.noteGoing(s.Meta)
		put(b.secrets, placeOf(c.Name, s.Namespace), s.Name, s)
		b.addLeftover(c.Name, ObjectSecret, s.Meta, network)
	}
	for _, t := range c.Tokens {
		b.noteGoing(t.Meta)
		put(b.tokens, placeOf(c.Name, t.Namespace), t.Name, t)
		b.addLeftover(c.Name, ObjectToken, t.Meta, network)
	}
	for _, a := range c.Accesses {
		b.noteGoing(a.Meta)
		if a.Name == RouterAccess {
			b.accesses[placeOf(c.Name, a.Namespace)] = a
		}
	}
	for _, p := range c.Proxies {
		put(b.proxies, placeOf(c.Name, p.Namespace), p.Name, p)
	}
	for _, v := range c.Certificates {
		b.noteGoing(v.Meta)
		put(b.certificates, placeOf(c.Name, v.Namespace), v.Name, v)
		b.addLeftover(c.Name, ObjectCertificate, v.Meta, network)
	}
	for _, g := range c.Grants {
		b.noteGoing(g.Meta)
		b.addLeftover(c.Name, ObjectGrant, g.Meta, network)
	}
	for _, inv := range c.Inventories {
		if inv.Content.Network == network || inv.Labels[LabelNetwork] == network {
			b.inventories[placeOf(c.Name, inv.Namespace)] = inv
		}
	}
}

func (b builder) addLeftover(cluster network.ClusterName, kind ObjectKind, m Meta, net string) {
	if !m.Owned(net) {
		return
	}
	link := network.LinkName(m.Labels[LabelLink])
	if link == "" {
		return // a proxy's Secret
	}
	b.leftovers[link] = append(b.leftovers[link], ref(cluster, kind, m))
}

func put[V any](m map[place]map[string]V, at place, name string, v V) {
	if m[at] == nil {
		m[at] = map[string]V{}
	}
	m[at][name] = v
}

func ref(cluster network.ClusterName, kind ObjectKind, m Meta) ObjectRef {
	return ObjectRef{Cluster: cluster, Kind: kind, Namespace: m.Namespace, Name: m.Name, UID: m.UID}
}

// readable reports whether the cluster was read in full.
func (ix *index) readable(c network.ClusterName) bool {
	view, ok := ix.clusters[c]
	return ok && view.State == StateOK
}

// recorded returns the inventory entry of a link at a place.
func (ix *index) recorded(at place, name network.LinkName) (InventoryLink, bool) {
	inv, ok := ix.inventories[at]
	if !ok {
		return InventoryLink{}, false
	}
	l, ok := inv.Content.Links[name]
	return l, ok
}

// siteObject is the name that a site's Site has, or had when it was last applied.
func (ix *index) siteObject(at place, site network.SiteName) string {
	if d, ok := ix.desiredAt[at]; ok && d.Name == site {
		return d.Object
	}
	if inv := ix.inventories[at].Content; inv.Site == site && inv.Object != "" {
		return inv.Object
	}
	return string(site)
}

// objectOf is the name of the Site with the UID, or that of the site when there is
// none.
func (ix *index) objectOf(at place, uid string, site network.SiteName) string {
	for _, s := range ix.sites[at] {
		if uid != "" && s.UID == uid {
			return s.Name
		}
	}
	return ix.siteObject(at, site)
}

// siteUID returns the UID of the network's own live Site at a place.
func (ix *index) siteUID(at place, site network.SiteName) string {
	object := ix.siteObject(at, site)
	for _, s := range ix.sites[at] {
		if s.Name == object && !s.Deleting {
			return s.UID
		}
	}
	return ""
}

// hasOwnSite reports whether a place has a Site of the network.
func (ix *index) hasOwnSite(at place, net string) bool {
	return slices.ContainsFunc(ix.sites[at], func(s SiteView) bool { return s.Owned(net) })
}

// endpoints are what a link's listening Site offers, as far as it says.
func (ix *index) endpoints(e End) []Endpoint {
	for _, s := range ix.sites[e.place()] {
		if s.UID == e.UID {
			return s.Endpoints
		}
	}
	return nil
}

// sortedPlaces lists the keys of any map by place, in order.
func sortedPlaces[V any](m map[place]V) []place {
	out := make([]place, 0, len(m))
	for at := range m {
		out = append(out, at)
	}
	slices.SortFunc(out, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.namespace, b.namespace))
	})
	return out
}

// noteGoing notes an object that is being deleted.
func (b builder) noteGoing(m Meta) {
	if m.Deleting {
		b.going[m.UID] = m.going()
	}
}

// tooOld gives the controller's version at a place when it is known to be older
// than liveEdits.
func (ix *index) tooOld(at place, site network.SiteName) (string, bool) {
	object := ix.siteObject(at, site)
	for _, s := range ix.sites[at] {
		if v, ok := parseVersion(s.Version); s.Name == object && ok {
			return s.Version, v.before(liveEdits)
		}
	}
	return "", false
}

// listensAt reports whether links may lead to the live Site with the UID.
func (ix *index) listensAt(at place, uid string) bool {
	if _, open := ix.accesses[at]; open && uid != "" {
		return true
	}
	return slices.ContainsFunc(ix.sites[at], func(s SiteView) bool {
		return uid != "" && s.UID == uid && SiteListens(s.Fields)
	})
}

// linksNow are the links that are recorded and not retired, or labelled and live.
func (ix *index) linksNow() map[linkAt]bool {
	out := map[linkAt]bool{}
	for at, inv := range ix.inventories {
		for name, l := range inv.Content.Links {
			if l.State != LinkRetired && ix.readable(at.cluster) {
				out[linkAt{name: name, at: at}] = true
			}
		}
	}
	for at, links := range ix.liveLinks {
		for _, v := range links {
			if name := v.Labels[LabelLink]; name != "" && v.Owned(ix.network) && ix.readable(at.cluster) {
				out[linkAt{name: network.LinkName(name), at: at}] = true
			}
		}
	}
	return out
}

// ownedPlaces lists where the network has a Site or an inventory.
func (ix *index) ownedPlaces() []place {
	owned := map[place]bool{}
	for at := range ix.inventories {
		owned[at] = true
	}
	for at, sites := range ix.sites {
		for _, s := range sites {
			if s.Owned(ix.network) {
				owned[at] = true
			}
		}
	}
	return slices.DeleteFunc(sortedPlaces(owned), func(at place) bool { return !ix.readable(at.cluster) })
}

// protected reports whether the Site with the UID notes that it is protected.
func (ix *index) protected(at place, uid string) bool {
	return slices.ContainsFunc(ix.sites[at], func(s SiteView) bool { return uid != "" && s.UID == uid && s.Protected })
}

// cleared reports whether the plan deletes a Site of ours at a place, and its
// inventory with it, before it makes the wanted one there.
func (ix *index) cleared(at place) bool {
	wanted, ok := ix.desiredAt[at]
	return ok && slices.ContainsFunc(ix.sites[at], func(s SiteView) bool {
		return s.Owned(ix.network) && s.Name != wanted.Object
	})
}

// staleSite gives the network's own site at a place that is not the wanted one;
// an empty name when there is none.
func (ix *index) staleSite(at place, wanted DesiredSite) (name network.SiteName, uid string) {
	kept := false
	for _, s := range ix.sites[at] {
		switch {
		case !s.Owned(ix.network):
		case wanted.Name == "" || s.Name != wanted.Object:
			return ix.siteOf(at, s), s.UID
		default:
			kept = true // also when the description has another key for it now
		}
	}
	if inv, ok := ix.inventories[at]; ok && !kept && inv.Content.Site != wanted.Name && inv.Content.Site != "" {
		return inv.Content.Site, ""
	}
	if _, ok := ix.inventories[at]; ok && wanted.Name == "" {
		return network.SiteName(at.namespace), ""
	}
	return "", ""
}

// siteOf is the site that a Site of ours is of: its label says so.
func (ix *index) siteOf(at place, v SiteView) network.SiteName {
	if inv := ix.inventories[at].Content; inv.Object == v.Name {
		return inv.Site
	}
	if label := v.Labels[LabelSite]; label != "" {
		return network.SiteName(label)
	}
	return network.SiteName(v.Name)
}

// secretGone says which Link's Secret is not there to stay; empty when all are.
func (ix *index) secretGone(at place, links []LinkView) string {
	for _, v := range links {
		switch s, ok := ix.secrets[at][v.TLSCredentials]; {
		case ok && s.Deleting:
			return fmt.Sprintf("Secret %q with its credentials %s", v.TLSCredentials, s.going())
		case !ok && v.TLSCredentials != "":
			return fmt.Sprintf("Secret %q with its credentials is gone from the cluster", v.TLSCredentials)
		}
	}
	return ""
}

func (ix *index) taken(at place, object string, groups int) bool {
	if _, ok := ix.secrets[at][object]; ok {
		return true
	}
	if _, ok := ix.tokens[at][object]; ok {
		return true
	}
	names := network.LinkObjectNames(object)
	if groups == 1 {
		names = names[:1]
	}
	return slices.ContainsFunc(ix.liveLinks[at], func(v LinkView) bool { return slices.Contains(names, v.Name) })
}

// used reports whether any Link of a place, ours or not, uses a Secret.
func (ix *index) used(at place, secret string) bool {
	return slices.ContainsFunc(ix.liveLinks[at], func(v LinkView) bool { return v.TLSCredentials == secret })
}
