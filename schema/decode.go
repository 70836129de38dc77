package schema

import (
	"cuelang.org/go/cue"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// decoder walks the evaluated description once. It reports every mistake of
// structure that it meets and keeps whatever can be read.
type decoder struct {
	places *places
	shapes shapes
	// valid says that CUE found no mistake, and nothing unfinished.
	valid    bool
	findings diag.List
	// reported holds the paths that have a finding, so that what CUE says of the
	// same path is not said twice.
	reported map[string]bool
}

func (d *decoder) network(v cue.Value) declared {
	out := declared{unreadable: map[string]bool{}}
	out.policy = policyDecl{Policy: network.DefaultPolicy()}
	d.object(field{value: v, at: d.places.outermost(nil), hidden: true}, d.shapes.network, func(f field) {
		switch f.name {
		case "network":
			out.declAt = d.places.label("network", "", f.value)
			d.str(f, &out.name, &out.nameAt)
		case "clusters":
			out.unreadable[f.name] = !d.section(f, "cluster", func(f field) { out.clusters = append(out.clusters, d.cluster(f)) })
		case "sites":
			out.unreadable[f.name] = !d.section(f, "site", func(f field) { out.sites = append(out.sites, d.site(f)) })
		case "links":
			out.unreadable[f.name] = !d.section(f, "link", func(f field) { out.links = append(out.links, d.link(f)) })
		case "proxies":
			out.unreadable[f.name] = !d.section(f, "proxy", func(f field) { out.proxies = append(out.proxies, d.proxy(f)) })
		case "policy":
			d.policy(f, &out.policy)
		case "overlay":
			d.str(f, &out.overlay, &out.overlayAt)
		}
	})
	return out
}

func (d *decoder) cluster(f field) clusterDecl {
	before := len(d.findings)
	out := clusterDecl{Cluster: network.Cluster{Name: network.ClusterName(f.name), DeclaredAt: f.at}}
	d.object(f, d.shapes.cluster, func(f field) {
		switch f.name {
		case "context":
			d.str(f, &out.Context, &out.contextAt)
		case "kubeconfig":
			out.Kubeconfig, out.kubeconfigAt = d.secret(f)
		case "inCluster":
			d.boolean(f, &out.InCluster, &out.inClusterAt)
		case "lockNamespace":
			d.str(f, &out.LockNamespace, &out.lockNamespaceAt)
		case "uid":
			d.str(f, &out.UID, &out.uidAt)
		}
	})
	out.broken = len(d.findings) > before
	return out
}

func (d *decoder) site(f field) siteDecl {
	before := len(d.findings)
	out := siteDecl{Site: network.Site{
		Name: network.SiteName(f.name), Settings: map[string]string{}, DeclaredAt: f.at,
	}}
	var unused diag.Position
	d.object(f, d.shapes.site, func(f field) {
		switch f.name {
		case "cluster":
			d.str(f, (*string)(&out.Cluster), &out.clusterAt)
		case "namespace":
			d.str(f, &out.Namespace, &out.namespaceAt)
		case "linkAccess":
			d.str(f, &out.LinkAccess, &out.accessAt)
		case "ha":
			d.boolean(f, &out.HA, &out.haAt)
		case "edge":
			d.boolean(f, &out.Edge, &out.edgeAt)
		case "protect":
			d.boolean(f, &out.Protect, &unused)
		case "defaultIssuer":
			d.str(f, &out.DefaultIssuer, &unused)
		case "serviceAccount":
			d.str(f, &out.ServiceAccount, &unused)
		case "object":
			d.str(f, &out.Object, &out.objectAt)
		case "overlay":
			d.str(f, &out.Overlay, &out.OverlayAt)
		case "settings":
			out.settings = d.settings(f, out.Settings)
		}
	})
	if out.objectAt.IsZero() {
		out.Object = f.name
	}
	out.broken = len(d.findings) > before
	return out
}

// settings reads a map of texts, and gives the place of each.
func (d *decoder) settings(f field, into map[string]string) map[string]diag.Position {
	places := map[string]diag.Position{}
	d.entries(f, func(f field) {
		var text string
		var at diag.Position
		if d.str(f, &text, &at); !at.IsZero() {
			into[f.name], places[f.name] = text, at
		}
	})
	return places
}

func (d *decoder) link(f field) linkDecl {
	before := len(d.findings)
	out := linkDecl{Link: network.Link{
		Name: network.LinkName(f.name), Cost: 1, DeclaredAt: f.at, CostAt: f.at,
	}}
	d.object(f, d.shapes.link, func(f field) {
		switch f.name {
		case "from":
			d.str(f, (*string)(&out.From), &out.fromAt)
		case "to":
			d.str(f, (*string)(&out.To), &out.toAt)
		case "cost":
			var cost int64
			d.integer(f, &cost, &out.costAt)
			out.Cost = int32(cost)
		case "via":
			d.str(f, (*string)(&out.Via), &out.viaAt)
		case "proxy":
			d.str(f, (*string)(&out.Proxy), &out.proxyAt)
		case "rotation":
			var rotation int64
			var at diag.Position
			d.integer(f, &rotation, &at)
			out.Rotation = int32(rotation)
		case "object":
			d.str(f, &out.Object, &out.objectAt)
		}
	})
	if out.objectAt.IsZero() {
		out.Object = f.name
	}
	if !out.costAt.IsZero() {
		out.CostAt = out.costAt
	}
	if out.Via == "" {
		out.Via = defaultVia(out.Proxy)
	}
	out.broken = len(d.findings) > before
	return out
}

func defaultVia(proxy network.ProxyName) network.Via {
	if proxy != "" {
		return network.ViaCertificate
	}
	return network.ViaToken
}

func (d *decoder) proxy(f field) proxyDecl {
	before := len(d.findings)
	out := proxyDecl{Proxy: network.Proxy{Name: network.ProxyName(f.name), DeclaredAt: f.at}}
	d.object(f, d.shapes.proxy, func(f field) {
		switch f.name {
		case "host":
			d.str(f, &out.Host, &out.hostAt)
		case "port":
			var port int64
			d.integer(f, &port, &out.portAt)
			out.Port = int(port)
		case "username":
			out.Username, out.usernameAt = d.secret(f)
		case "password":
			out.Password, out.passwordAt = d.secret(f)
		}
	})
	out.broken = len(d.findings) > before
	return out
}
