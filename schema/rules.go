package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// rules checks what a description means, on whatever of it could be read.
type rules struct {
	declared
	findings   diag.List
	siteOf     map[network.SiteName]*siteDecl
	clusterOf  map[network.ClusterName]*clusterDecl
	proxyOf    map[network.ProxyName]*proxyDecl
	unresolved bool // some reference names nothing: what is unused cannot be told
	suggested  int  // how often a near name was looked for
}

// check gives the findings of meaning, in no particular order.
func check(d declared) diag.List {
	r := &rules{
		declared:  d,
		siteOf:    map[network.SiteName]*siteDecl{},
		clusterOf: map[network.ClusterName]*clusterDecl{},
		proxyOf:   map[network.ProxyName]*proxyDecl{},
	}
	r.index()
	r.names()
	r.clusterRules()
	r.policyRules()
	r.ignoreRules()
	r.siteRules()
	r.linkRules()
	r.proxyRules()
	r.secretRules()
	r.objectNames()
	r.reach()
	r.unused()
	return r.findings
}

// index puts entries in the order of their places and finds them by name.
func (r *rules) index() {
	slices.SortStableFunc(r.sites, func(a, b siteDecl) int {
		return cmp.Or(byPlace(a.DeclaredAt, b.DeclaredAt), cmp.Compare(a.Name, b.Name))
	})
	slices.SortStableFunc(r.links, func(a, b linkDecl) int {
		return cmp.Or(byPlace(a.DeclaredAt, b.DeclaredAt), cmp.Compare(a.Name, b.Name))
	})
	for i := range r.sites {
		r.siteOf[r.sites[i].Name] = &r.sites[i]
	}
	for i := range r.clusters {
		r.clusterOf[r.clusters[i].Name] = &r.clusters[i]
	}
	for i := range r.proxies {
		r.proxyOf[r.proxies[i].Name] = &r.proxies[i]
	}
}

func byPlace(a, b diag.Position) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

func (r *rules) report(
	as diag.Severity, code, subject string, at diag.Position, message, fix string, related ...diag.Position,
) {
	r.findings = append(r.findings, diag.Finding{
		Severity: as, Code: code, Subject: subject, Message: message, Fix: fix, At: at, Related: related,
	})
}

func (r *rules) fail(code, subject string, at diag.Position, message, fix string, related ...diag.Position) {
	r.report(diag.Error, code, subject, at, message, fix, related...)
}

func (r *rules) warn(code, subject string, at diag.Position, message, fix string, related ...diag.Position) {
	r.report(diag.Warning, code, subject, at, message, fix, related...)
}

// resolve finds what a name stands for, and reports one that nothing declares.
func resolve[N ~string, D any](
	r *rules, kind, subject string, from origin, fieldName string, name N, known map[N]*D,
) *D {
	if !from.has(fieldName) {
		r.unresolved = true
		return nil
	}
	if d, ok := known[name]; ok {
		return d
	}
	r.unresolved = true
	if r.unreadable[section(kind)] {
		return nil
	}
	r.fail("unknown-"+kind, subject, from.at(fieldName), fmt.Sprintf("%s is %q, but there is no such %s", fieldName, name, kind), suggest(r, kind, name, known))
	return nil
}

// section is the top-level field that declares a kind.
func section(kind string) string {
	if kind == "proxy" {
		return "proxies"
	}
	return kind + "s"
}

// maxSuggestions bounds the search for near names, which compares with each of
// what may be thousands.
const maxSuggestions = 100

func suggest[N ~string, D any](r *rules, kind string, name N, known map[N]*D) string {
	if near := nearest(r, name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return fmt.Sprintf("correct the name, or declare %s %q", kind, name)
}

// nearest is the name that was most likely meant, or "".
func nearest[N ~string, D any](r *rules, name N, known map[N]*D) string {
	if r.suggested++; r.suggested > maxSuggestions {
		return ""
	}
	names := make([]string, 0, len(known))
	for _, n := range slices.Sorted(maps.Keys(known)) {
		names = append(names, string(n))
	}
	return network.Closest(string(name), names)
}

// unused warns of what nothing refers to, unless some reference is in doubt: a
// misspelt name would be reported twice.
func (r *rules) unused() {
	if r.unresolved || r.unreadable["sites"] || r.unreadable["links"] {
		return
	}
	clusters, proxies := map[network.ClusterName]bool{}, map[network.ProxyName]bool{}
	for _, s := range r.sites {
		clusters[s.Cluster] = true
	}
	for _, l := range r.links {
		proxies[l.Proxy] = true
	}
	if len(r.sites) == 0 && len(r.clusters) > 0 {
		r.warn(network.CodeNoSites, subject("network", r.Name), r.at("network"), "has no site: an apply removes everything that it has on its clusters",
			"if that is meant, apply with the clusters in place and remove them then; otherwise describe the sites again")
	}
	for _, c := range r.clusters {
		if !clusters[c.Name] && len(r.sites) > 0 {
			r.warn("unused-cluster", subject("cluster", string(c.Name)), c.DeclaredAt, "no site is in it",
				"if it had one, apply first, or what runs there goes on; then remove it, or place a site in it")
		}
	}
	for _, p := range r.proxies {
		if !proxies[p.Name] {
			r.warn("unused-proxy", subject("proxy", string(p.Name)), p.DeclaredAt, "no link uses it", "remove it, or name it in a link")
		}
	}
}
