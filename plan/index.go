package plan

import (
	"cmp"
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
			ix.addCluster(c, wanted.Network)
		}
	}
	ix.addUnlabelled(wanted.Network)
	ix.sort()
	ix.followRenames()
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
func (ix *index) addUnlabelled(net string) {
	for at, inv := range ix.inventories {
		for name, l := range inv.Content.Links {
			for attempt := 1; attempt <= l.Attempt; attempt++ {
				for _, to := range l.listening() {
					v, ok := ix.certificates[to][GrantName(net, name, attempt)]
					if ok && v.Labels[LabelManagedBy] == "" && v.Marked {
						ix.leftovers[name] = append(ix.leftovers[name], ref(to.cluster, ObjectCertificate, v.Meta))
					}
				}
				object := network.ObjectName(name, attempt)
				s, ok := ix.secrets[at][object]
				ours := ok && s.Labels[LabelManagedBy] == "" && (s.Marked || ix.awaited(at, net, object))
				if ours && ix.redeemed(at, inv.Content.Site, s.Meta) && l.claims(name, object) {
					ix.leftovers[name] = append(ix.leftovers[name], ref(at.cluster, ObjectSecret, s.Meta))
				}
			}
		}
	}
}

// redeemed reports whether a redemption of a site's made an object: the Site is its owner.
func (ix *index) redeemed(at place, site network.SiteName, m Meta) bool {
	return m.OwnerUID != "" && m.OwnerUID == ix.siteUID(at, site)
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
func (ix *index) followRenames() {
	for at, d := range ix.desiredAt {
		inv, ok := ix.inventories[at]
		was := cmp.Or(inv.Content.Object, string(inv.Content.Site))
		if !ok || inv.Broken != "" || inv.Content.Site == "" || inv.Content.Site == d.Name || was != d.Object || ix.siteUID(at, d.Name) == "" {
			continue
		}
		inv.Renamed, inv.Content.Site, inv.Content.Object = inv.Content.Site, d.Name, d.Object
		ix.inventories[at] = inv
	}
}

// sort makes what follows independent of the order in which things were listed.
func (ix *index) sort() {
	byName := func(a, b Meta) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID)) }
	for _, list := range ix.sites {
		slices.SortFunc(list, func(a, b SiteView) int { return byName(a.Meta, b.Meta) })
	}
	for _, list := range ix.liveLinks {
		slices.SortFunc(list, func(a, b LinkView) int { return byName(a.Meta, b.Meta) })
	}
	for name, list := range ix.leftovers {
		ix.leftovers[name] = sortRefs(list)
	}
}

func (ix *index) addCluster(c ClusterView, network string) {
	for _, s := range c.Sites {
		at := placeOf(c.Name, s.Namespace)
		ix.sites[at] = append(ix.sites[at], s)
	}
	for _, r := range c.Reports {
		if _, two := ix.reports[r.Site]; !two {
			ix.reports[r.Site] = r
		}
	}
	for _, l := range c.Links {
		ix.noteGoing(l.Meta)
		at := placeOf(c.Name, l.Namespace)
		ix.liveLinks[at] = append(ix.liveLinks[at], l)
	}
	for _, s := range c.Secrets {
		ix.noteGoing(s.Meta)
		put(ix.secrets, placeOf(c.Name, s.Namespace), s.Name, s)
		ix.addLeftover(c.Name, ObjectSecret, s.Meta, network)
	}
	for _, t := range c.Tokens {
		ix.noteGoing(t.Meta)
		put(ix.tokens, placeOf(c.Name, t.Namespace), t.Name, t)
		ix.addLeftover(c.Name, ObjectToken, t.Meta, network)
	}
	for _, a := range c.Accesses {
		ix.noteGoing(a.Meta)
		if a.Name == RouterAccess {
			ix.accesses[placeOf(c.Name, a.Namespace)] = a
		}
	}
	for _, p := range c.Proxies {
		put(ix.proxies, placeOf(c.Name, p.Namespace), p.Name, p)
	}
	for _, v := range c.Certificates {
		ix.noteGoing(v.Meta)
		put(ix.certificates, placeOf(c.Name, v.Namespace), v.Name, v)
		ix.addLeftover(c.Name, ObjectCertificate, v.Meta, network)
	}
	for _, g := range c.Grants {
		ix.noteGoing(g.Meta)
		ix.addLeftover(c.Name, ObjectGrant, g.Meta, network)
	}
	for _, inv := range c.Inventories {
		if inv.Content.Network == network || inv.Labels[LabelNetwork] == network {
			ix.inventories[placeOf(c.Name, inv.Namespace)] = inv
		}
	}
}

func (ix *index) addLeftover(cluster network.ClusterName, kind ObjectKind, m Meta, net string) {
	if !m.Owned(net) {
		return
	}
	link := network.LinkName(m.Labels[LabelLink])
	if link == "" {
		return // a proxy's Secret
	}
	ix.leftovers[link] = append(ix.leftovers[link], ref(cluster, kind, m))
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
func (ix *index) noteGoing(m Meta) {
	if m.Deleting {
		ix.going[m.UID] = m.going()
	}
}
