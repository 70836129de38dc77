package schema

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// declared is a description as far as it could be read. Of a field that is absent, or was
// reported as unreadable, no origin has a place: rules about it are skipped, so that one
// mistake gives one finding.
type declared struct {
	// Network has no lists and no policy: they are below, with their origins.
	network.Network
	origin
	clusters []clusterDecl
	sites    []siteDecl
	links    []linkDecl
	proxies  []proxyDecl
	policy   policyDecl
	// unreadable names the sections of which some entries may be missing.
	unreadable map[string]bool
}

type clusterDecl struct {
	network.Cluster
	origin
}

type siteDecl struct {
	network.Site
	origin
}

type linkDecl struct {
	network.Link
	origin
}

type proxyDecl struct {
	network.Proxy
	origin
}

type policyDecl struct {
	network.Policy
	origin
	// ignores are Ignore, with their origins.
	ignores []ignoreDecl
}

type ignoreDecl struct {
	network.Ignore
	origin
}

// origin is what a declared thing was read from.
type origin struct {
	field  *field
	shape  *shape
	places *places
	// given are the fields that could be read.
	given fieldSet
	// broken says that there is at least one finding of structure: the thing counts as
	// declared, and nothing is concluded from what it seems not to say.
	broken bool
}

// has tells whether a field is given and could be read.
func (o origin) has(name string) bool {
	if o.shape == nil {
		return false
	}
	_, i := o.shape.field(name)
	return o.given.has(i)
}

// at is the place of what the names lead to, as far as they do; zero for a field that the
// thing does not have.
func (o origin) at(names ...string) diag.Position {
	if !o.has(names[0]) {
		return diag.Position{}
	}
	f := o.field
	for _, name := range names {
		f = cmp.Or(f.member(name), f)
	}
	return o.places.of(f)
}

// network is the plain model: lists sorted by name and never nil.
func (d declared) network() network.Network {
	out := d.Network
	out.Clusters = plain(d.clusters, func(c clusterDecl) network.Cluster { return c.Cluster }, clusterName)
	out.Sites = plain(d.sites, func(s siteDecl) network.Site { return s.Site }, siteName)
	out.Links = plain(d.links, func(l linkDecl) network.Link { return l.Link }, linkName)
	out.Proxies = plain(d.proxies, func(p proxyDecl) network.Proxy { return p.Proxy }, proxyName)
	out.Policy = d.policy.Policy
	return out
}

func clusterName(c network.Cluster) string { return string(c.Name) }
func siteName(s network.Site) string       { return string(s.Name) }
func linkName(l network.Link) string       { return string(l.Name) }
func proxyName(p network.Proxy) string     { return string(p.Name) }

func plain[D, V any](decls []D, value func(D) V, name func(V) string) []V {
	out := make([]V, len(decls))
	for i, d := range decls {
		out[i] = value(d)
	}
	slices.SortFunc(out, func(a, b V) int { return cmp.Compare(name(a), name(b)) })
	return out
}

// digest is the identity of what a description says, wherever it says it.
func digest(n network.Network) string {
	// Every build gives a description without this limit the same digest.
	n.Policy.Deletes.Objects -= network.DefaultDeletes.Objects
	n.DeclaredAt, n.OverlayAt = diag.Position{}, diag.Position{}
	n.Policy.CleanAt, n.Policy.SignersAt = diag.Position{}, diag.Position{}
	n.Policy.Ignore = slices.Clone(n.Policy.Ignore)
	for i := range n.Policy.Ignore {
		n.Policy.Ignore[i].DeclaredAt = diag.Position{}
	}
	n.Clusters, n.Sites = slices.Clone(n.Clusters), slices.Clone(n.Sites)
	n.Links, n.Proxies = slices.Clone(n.Links), slices.Clone(n.Proxies)
	for i := range n.Clusters {
		n.Clusters[i].DeclaredAt = diag.Position{}
	}
	for i := range n.Sites {
		n.Sites[i].DeclaredAt, n.Sites[i].OverlayAt = diag.Position{}, diag.Position{}
	}
	for i := range n.Links {
		n.Links[i].DeclaredAt, n.Links[i].CostAt = diag.Position{}, diag.Position{}
	}
	for i := range n.Proxies {
		n.Proxies[i].DeclaredAt = diag.Position{}
	}
	text, err := json.Marshal(n)
	if err != nil { // strings, numbers and bools always marshal
		panic(fmt.Errorf("digest: %w", err))
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}
