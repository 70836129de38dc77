package schema

import (
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// ignoreRules checks what the policy leaves out of drift.
func (r *rules) ignoreRules() {
	for i, rule := range r.policy.ignores {
		name := fmt.Sprintf("policy.ignore[%d]", i)
		if !rule.reasonAt.IsZero() && strings.TrimSpace(rule.Reason) == "" {
			r.fail("ignore-reason", "", rule.reasonAt, name+".reason is empty", "say why this may differ: whoever reads drift later sees it")
		}
		if rule.pathAt.IsZero() {
			continue
		}
		path, err := network.ParseIgnorePath(rule.Path)
		if err != nil {
			r.fail("ignore-path", "", rule.pathAt, fmt.Sprintf("%s.path is %q", name, clip(rule.Path)), err.Error())
			continue
		}
		if what := r.idle(path); what != "" {
			r.warn("ignore-unused", "", rule.pathAt, fmt.Sprintf("%s.path %q covers no %s that is declared", name, clip(rule.Path), what),
				"correct the path, or remove the rule")
		}
	}
}

// idle names what a rule covers nothing of; empty where it covers something, or where
// that cannot be told from the description.
func (r *rules) idle(p network.IgnorePath) string {
	switch {
	case p.Kind == network.IgnoreLink && !r.unreadable["links"]:
		foreign := p.CoversForeign()
		named := func(l linkDecl) bool { return p.Names(string(l.Name)) }
		if !foreign && !slices.ContainsFunc(r.links, named) {
			return "link"
		}
	case p.Kind == network.IgnoreSite && !r.unreadable["sites"]:
		if !slices.ContainsFunc(r.sites, func(s siteDecl) bool { return p.Names(string(s.Name)) }) {
			return "site"
		}
	case p.Kind == network.IgnoreObject && !r.unreadable["sites"]:
		overlaid := func(s siteDecl) bool { return p.OfSite(s.Name) && (s.Overlay != "" || r.overlay != "") }
		if !slices.ContainsFunc(r.sites, overlaid) {
			return "object of a site with an overlay"
		}
	}
	return ""
}
