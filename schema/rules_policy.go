package schema

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"fairlead.dev/fairlead/schema/network"
)

// policyRules checks what a policy's texts mean.
func (r *rules) policyRules() {
	for i, file := range r.policy.Signers {
		item := fmt.Sprintf("[%d]", i)
		name := "policy.signers" + item
		switch {
		case file == "":
			r.fail("signers", "", r.policy.at("signers", item), name+` is ""`, "give the path of a file with keys, relative to the description")
		case path.IsAbs(file):
			r.fail("signers", "", r.policy.at("signers", item), fmt.Sprintf("%s %q is an absolute path", name, file),
				"write it relative to the description, inside the repository; --signers takes files from elsewhere")
		}
	}
	if !r.policy.has("planExpiry") {
		return
	}
	if d, err := time.ParseDuration(r.policy.PlanExpiry); err != nil || d <= 0 {
		r.fail("plan-expiry", "", r.policy.at("planExpiry"), fmt.Sprintf("policy.planExpiry is %q, which is no duration above zero", clip(r.policy.PlanExpiry)),
			`write hours and minutes, such as "72h" or "1h30m"`)
	}
}

// ignoreRules checks what the policy leaves out of drift.
func (r *rules) ignoreRules() {
	for i, rule := range r.policy.ignores {
		name := fmt.Sprintf("policy.ignore[%d]", i)
		if rule.has("reason") && strings.TrimSpace(rule.Reason) == "" {
			r.fail("ignore-reason", "", rule.at("reason"), name+".reason is empty", "say why this may differ: whoever reads drift later sees it")
		}
		if !rule.has("path") {
			continue
		}
		path, err := network.ParseIgnorePath(rule.Path)
		if err != nil {
			r.fail("ignore-path", "", rule.at("path"), fmt.Sprintf("%s.path is %q", name, clip(rule.Path)), err.Error())
			continue
		}
		if what := r.idle(path); what != "" {
			r.warn("ignore-unused", "", rule.at("path"), fmt.Sprintf("%s.path %q covers no %s that is declared", name, clip(rule.Path), what),
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
		if !slices.ContainsFunc(r.sites, func(s siteDecl) bool { return mayCover(r, p, s.Site, s.broken) }) {
			return "field of a site"
		}
	case p.Kind == network.IgnoreObject && !r.unreadable["sites"]:
		overlaid := func(s siteDecl) bool { return p.OfSite(s.Name) && (s.Overlay != "" || r.Overlay != "") }
		if !slices.ContainsFunc(r.sites, overlaid) {
			return "object of a site with an overlay"
		}
	}
	return ""
}

// mayCover reports whether a rule covers something of a site: a fact, what the description
// sets, or, where the site has an overlay, whatever that sets. Of a broken one it is not
// known what the description sets.
func mayCover(r *rules, p network.IgnorePath, s network.Site, broken bool) bool {
	sets := func(field string) bool { return p.CoversSite(s.Name, field) }
	switch {
	case !p.Names(string(s.Name)):
		return false
	case p.CoversFact(), s.Overlay != "", r.Overlay != "", broken:
		return true
	case s.ServiceAccount != "" && sets(network.SiteField):
		return true
	}
	for key := range s.Settings {
		if sets("settings." + key) {
			return true
		}
	}
	return false
}
