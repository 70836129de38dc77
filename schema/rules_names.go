package schema

import (
	"fmt"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

const maxLabel = 63

// names checks the names that become names of Kubernetes objects.
func (r *rules) names() {
	for _, c := range r.clusters {
		if !network.ValidClusterName(string(c.Name)) {
			r.fail("cluster-name", subject("cluster", string(c.Name)), c.DeclaredAt,
				fmt.Sprintf("its name %q is no name for a cluster", c.Name), network.ClusterNameRule)
		}
		if c.has("lockNamespace") {
			r.label("namespace-name", subject("cluster", string(c.Name)), c.origin, "lockNamespace", c.LockNamespace)
		}
		if c.has("uid") && !network.ValidClusterUID(c.UID) {
			r.fail("cluster-uid", subject("cluster", string(c.Name)), c.at("uid"), fmt.Sprintf("uid %q is none of a cluster", c.UID), network.ClusterUIDRule)
		}
	}
	for _, s := range r.sites {
		r.key("site-name", subject("site", string(s.Name)), s.DeclaredAt, string(s.Name), maxLabel)
		if s.has("namespace") {
			r.label("namespace-name", subject("site", string(s.Name)), s.origin, "namespace", s.Namespace)
		}
	}
	for _, p := range r.proxies {
		r.key("proxy-name", subject("proxy", string(p.Name)), p.DeclaredAt, string(p.Name), maxLabel)
	}
	for _, l := range r.links {
		r.key("link-name", subject("link", string(l.Name)), l.DeclaredAt, string(l.Name), network.MaxLinkName)
		r.reserved(l)
	}
	r.clashes()
}

// key checks the name of an entry.
func (r *rules) key(code, subject string, at diag.Position, name string, most int) {
	if message, fix := notLabel("its name", name, most); message != "" {
		r.fail(code, subject, at, message, fix)
	}
}

// label checks a field with a name.
func (r *rules) label(code, subject string, from origin, fieldName, name string) {
	if message, fix := notLabel(fieldName, name, maxLabel); message != "" {
		r.fail(code, subject, from.at(fieldName), message, fix)
	}
}

// notLabel says why a name is no DNS label of at most so many characters; empty for one.
func notLabel(what, name string, most int) (message, fix string) {
	switch {
	case len(name) > most:
		return fmt.Sprintf("%s %q has %d characters, at most %d fit", what, name, len(name), most), "shorten it"
	case !network.IsLabel(name):
		return fmt.Sprintf("%s %q is no DNS label", what, name), fixDNSLabel
	}
	return "", ""
}

// reserved refuses link names that the router or Fairlead use themselves.
func (r *rules) reserved(l linkDecl) {
	subject := subject("link", string(l.Name))
	for _, prefix := range network.RouterPrefixes {
		if strings.HasPrefix(string(l.Name), prefix) {
			r.fail("reserved-name", subject, l.DeclaredAt, fmt.Sprintf("names that start with %q belong to the router", prefix), "choose another name")
		}
	}
	if suffix := network.AttemptSuffix(string(l.Name)); suffix != "" {
		r.fail("reserved-name", subject, l.DeclaredAt,
			fmt.Sprintf("a name that ends in %q is kept for a later attempt at a link", suffix), "choose another ending")
	}
}

// clashes finds links whose objects would get each other's names: one to an HA
// site becomes two Links, with a number behind the name.
func (r *rules) clashes() {
	type key struct {
		from network.SiteName
		name string
	}
	owner := map[key]*linkDecl{}
	for i := range r.links {
		l := &r.links[i]
		owner[key{l.From, string(l.Name)}] = l
	}
	for i := range r.links {
		l := &r.links[i]
		if to := r.siteOf[l.To]; to == nil || !to.HA || !l.has("from") {
			continue
		}
		for _, object := range network.LinkObjectNames(string(l.Name)) {
			if other := owner[key{l.From, object}]; other != nil && other != l {
				r.fail("name-clash", subject("link", string(other.Name)), other.DeclaredAt,
					fmt.Sprintf("link %q to the ha site %q makes a Link of the same name in site %q", l.Name, l.To, l.From),
					"rename one of the two", l.DeclaredAt)
			}
		}
	}
}
