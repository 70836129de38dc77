package desired

import (
	"fmt"
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// AsApplied is what would be observed on the clusters if d had just been applied to
// empty ones and nobody had touched anything since: Sites that are ready, Links that are
// up, Secrets, inventories. A plan made on it says what leads from one description to
// another, by the rules by which clusters are planned.
//
// The clusters are those of d and of more; all are taken as read, and their namespaces as
// there. UIDs and endpoints are made up, so such a plan cannot be applied. Of an HA site
// two routers give endpoints, and of any other one, as Skupper 2.x does.
func AsApplied(d plan.Desired, more ...network.ClusterName) world.Observation {
	names := slices.Concat(d.Clusters, more)
	for _, s := range d.Sites {
		names = append(names, s.Cluster)
	}
	slices.Sort(names)
	b := applied{
		at: map[network.SiteName]plan.DesiredSite{}, desired: d,
		views: map[network.ClusterName]*world.ClusterView{}, inventories: map[network.SiteName]*record.Inventory{},
	}
	for _, name := range slices.Compact(names) {
		b.views[name] = &world.ClusterView{Name: name, State: plan.StateOK}
	}
	b.sites()
	b.proxies()
	b.links()
	b.objects()
	b.record()
	b.note()
	var out world.Observation
	for _, name := range slices.Sorted(maps.Keys(b.views)) {
		out.Clusters = append(out.Clusters, *b.views[name])
	}
	return out
}

// applied gathers the views of clusters to which a description was applied.
type applied struct {
	at          map[network.SiteName]plan.DesiredSite
	desired     plan.Desired
	views       map[network.ClusterName]*world.ClusterView
	inventories map[network.SiteName]*record.Inventory
}

// meta is that of one of the network's own objects; its UID is made of where it is.
func (b applied) meta(kind plan.ObjectKind, s plan.DesiredSite, name, label, value string) world.Meta {
	return world.Meta{
		Namespace: s.Namespace, Name: name, Marked: true, UID: fmt.Sprintf("%s/%s/%s/%s", s.Cluster, s.Namespace, kind, name),
		Labels: map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: b.desired.Network, label: value},
	}
}

func (b applied) sites() {
	for _, s := range b.desired.Sites {
		b.at[s.Name] = s
		view := b.views[s.Cluster]
		meta := b.meta(plan.ObjectSite, s, s.Object, plan.LabelSite, string(s.Name))
		view.Sites = append(view.Sites, world.SiteView{
			Meta: meta, Fields: maps.Clone(s.Fields), Ready: true, Protected: s.Protect, Endpoints: endpointsOf(s),
		})
		if s.Listens {
			view.Accesses = append(view.Accesses, world.AccessView{Meta: world.Meta{Namespace: s.Namespace, Name: world.RouterAccess, UID: meta.UID + "/access"}})
		}
		b.inventories[s.Name] = &record.Inventory{
			Format: record.Format, Network: b.desired.Network, Site: s.Name, Object: s.Object, Protect: s.Protect, UID: meta.UID,
			Fields: maps.Clone(s.Fields), Links: map[network.LinkName]record.Link{},
			Proxies: map[network.ProxyName]record.Proxy{}, Objects: map[string]record.Object{},
		}
	}
}

// endpointsOf makes up the endpoints of a listening site: other ones for another way to
// listen.
func endpointsOf(s plan.DesiredSite) []world.Endpoint {
	if !s.Listens {
		return nil
	}
	groups := []string{"skupper-router"}
	if s.Fields["ha"] == true {
		groups = append(groups, "skupper-router-2")
	}
	var out []world.Endpoint
	for _, g := range groups {
		out = append(out, world.Endpoint{Name: "inter-router", Host: fmt.Sprintf("%s.%v", s.Name, s.Fields["linkAccess"]), Port: "55671", Group: g})
	}
	return out
}

// proxies writes each proxy's Secret at each site that goes through it.
func (b applied) proxies() {
	wanted := map[network.ProxyName]plan.DesiredProxy{}
	for _, p := range b.desired.Proxies {
		wanted[p.Name] = p
	}
	for _, l := range b.desired.Links {
		inv := b.inventories[l.From]
		if l.Proxy == "" || inv == nil {
			continue
		}
		if _, done := inv.Proxies[l.Proxy]; done {
			continue
		}
		p, s := wanted[l.Proxy], b.at[l.From]
		inv.Proxies[l.Proxy] = record.Proxy{Revision: 1, Secrets: map[string]record.ProxySettings{
			network.ProxySecretName(l.Proxy, 1): {Host: p.Host, Port: p.Port, References: p.References},
		}}
		meta := b.meta(plan.ObjectSecret, s, network.ProxySecretName(l.Proxy, 1), plan.LabelProxy, string(l.Proxy))
		view := b.views[s.Cluster]
		view.Secrets = append(view.Secrets, world.SecretView{Meta: meta})
		view.Proxies = append(view.Proxies, world.ProxyView{Meta: meta, Host: p.Host, Port: p.Port, Digest: p.Digest})
	}
}

func (b applied) links() {
	for _, l := range b.desired.Links {
		if b.inventories[l.From] != nil && b.inventories[l.To] != nil {
			b.link(l)
		}
	}
}

// link makes a Link for each router of the listening site, with one Secret.
func (b applied) link(l plan.DesiredLink) {
	from, to := b.at[l.From], b.at[l.To]
	view, there := b.views[from.Cluster], b.views[to.Cluster]
	object, secret := network.ObjectName(l.Name, 1), ""
	if l.Proxy != "" {
		secret = network.ProxySecretName(l.Proxy, 1)
	}
	record := record.Link{
		State: record.LinkApplied, To: l.To, ToCluster: to.Cluster, ToNamespace: to.Namespace, ToUID: b.inventories[l.To].UID,
		Cost: l.Cost, Attempt: 1, Via: l.Via, Rotation: l.Rotation, Proxy: l.Proxy, ProxySecret: secret,
	}
	owner := b.inventories[l.From].UID // redemption makes the Site the owner
	if l.Via == network.ViaCertificate {
		owner = ""
	}
	endpoints := endpointsOf(to)
	for i, e := range endpoints {
		name := object
		if len(endpoints) > 1 {
			name = fmt.Sprintf("%s-%d", object, i+1)
		}
		record.Objects = append(record.Objects, name)
		view.Links = append(view.Links, world.LinkView{
			Meta: b.owned(plan.ObjectLink, l, name, owner), Cost: l.Cost, TLSCredentials: object,
			Endpoints: []world.Endpoint{e}, Proxy: secret, Noted: world.Note{Via: l.Via, Rotation: fmt.Sprint(l.Rotation), Cost: l.Cost, Endpoints: world.Addresses([]world.Endpoint{e})},
			Configured: true, Operational: true, Current: true, RemoteSiteID: record.ToUID, RemoteSiteName: string(l.To),
		})
	}
	view.Secrets = append(view.Secrets, world.SecretView{Meta: b.owned(plan.ObjectSecret, l, object, owner)})
	if l.Via == network.ViaCertificate {
		name := plan.GrantName(b.desired.Network, l.Name, 1)
		certificate := b.meta(plan.ObjectCertificate, to, name, plan.LabelLink, string(l.Name))
		there.Certificates = append(there.Certificates, world.CertificateView{Meta: certificate})
		issued := world.Meta{Namespace: to.Namespace, Name: name, UID: certificate.UID + "/issued", OwnerUID: certificate.UID}
		there.Secrets = append(there.Secrets, world.SecretView{Meta: issued})
	}
	b.inventories[l.From].Links[l.Name] = record
}

// owned is the meta of an object of a link at its connecting site.
func (b applied) owned(kind plan.ObjectKind, l plan.DesiredLink, name, owner string) world.Meta {
	meta := b.meta(kind, b.at[l.From], name, plan.LabelLink, string(l.Name))
	meta.OwnerUID = owner
	return meta
}

func (b applied) objects() {
	for _, o := range b.desired.Objects {
		inv := b.inventories[o.Site]
		if inv == nil {
			continue
		}
		meta := b.meta(o.Kind, b.at[o.Site], o.Name, plan.LabelSite, string(o.Site))
		meta.UID, meta.Labels[plan.LabelObject] = meta.UID+"/"+o.APIVersion, world.OverlayObject
		view := b.views[o.Cluster]
		view.Objects = append(view.Objects, world.ObjectView{Meta: meta, APIVersion: o.APIVersion, Kind: o.Kind, Content: o.Manifest})
		inv.Objects[o.Key()] = record.Object{APIVersion: o.APIVersion, Kind: o.Kind, Name: o.Name, UID: meta.UID, Fields: maps.Clone(o.Fields)}
	}
}

// record puts each site's inventory beside it.
func (b applied) record() {
	for _, s := range b.desired.Sites {
		view := b.views[s.Cluster]
		view.Inventories = append(view.Inventories, world.InventoryView{
			Meta:    b.meta(plan.ObjectConfigMap, s, network.InventoryName(b.desired.Network), plan.LabelSite, string(s.Name)),
			Content: *b.inventories[s.Name],
		})
	}
}

// note lets every cluster know those that have sites.
func (b applied) note() {
	noted := world.Noted(b.desired, nil)
	for _, view := range b.views {
		view.Noted = noted
	}
}
