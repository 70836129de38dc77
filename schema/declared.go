package schema

import (
	"cmp"
	"slices"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// declared is a description as far as it could be read, with the places of the
// values that the rules of meaning point at. A zero position means that the
// value is absent or was already reported as unreadable: rules about it are
// skipped, so that one mistake gives one finding. A broken entry has at least one
// finding of structure: it counts as declared, and nothing is concluded from what
// it seems not to say.
type declared struct {
	name      string
	nameAt    diag.Position
	declAt    diag.Position
	clusters  []clusterDecl
	sites     []siteDecl
	links     []linkDecl
	proxies   []proxyDecl
	policy    policyDecl
	overlay   string
	overlayAt diag.Position
	// unreadable names the sections of which some entries may be missing.
	unreadable map[string]bool
}

type clusterDecl struct {
	network.Cluster
	contextAt, kubeconfigAt, inClusterAt, lockNamespaceAt, uidAt diag.Position
	broken                                                       bool
}

type siteDecl struct {
	network.Site
	clusterAt, namespaceAt, accessAt, haAt, edgeAt, objectAt diag.Position
	// settings has the place of each of Settings.
	settings map[string]diag.Position
	broken   bool
}

type linkDecl struct {
	network.Link
	fromAt, toAt, costAt, viaAt, proxyAt, objectAt diag.Position
	broken                                         bool
}

type proxyDecl struct {
	network.Proxy
	hostAt, portAt, usernameAt, passwordAt diag.Position
	broken                                 bool
}

type policyDecl struct {
	network.Policy
	// signerAt has the place of each of Signers.
	signerAt []diag.Position
	expiryAt diag.Position
	// ignores are Ignore, with the places of its texts.
	ignores []ignoreDecl
}

type ignoreDecl struct {
	network.Ignore
	pathAt, reasonAt diag.Position
}

// network is the plain model: lists sorted by name and never nil.
func (d declared) network() network.Network {
	return network.Network{
		Name:       d.name,
		Clusters:   plain(d.clusters, func(c clusterDecl) network.Cluster { return c.Cluster }, clusterName),
		Sites:      plain(d.sites, func(s siteDecl) network.Site { return s.Site }, siteName),
		Links:      plain(d.links, func(l linkDecl) network.Link { return l.Link }, linkName),
		Proxies:    plain(d.proxies, func(p proxyDecl) network.Proxy { return p.Proxy }, proxyName),
		Policy:     d.policy.Policy,
		Overlay:    d.overlay,
		OverlayAt:  d.overlayAt,
		DeclaredAt: d.declAt,
	}
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
