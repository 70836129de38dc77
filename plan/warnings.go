package plan

import (
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// blast says of each site that is made anew how many links lose their credentials
// with the old one. They are made anew in the same plan.
func (m checks) blast() {
	for i, a := range m.actions {
		if a.Kind != KindSite || a.Verb != VerbCreate {
			continue
		}
		n := 0
		for _, l := range m.actions {
			known := l.Kind == KindLink && l.Verb != VerbDelete && string(l.Link.To.Site) == a.Name && m.recordedTo(l) != ""
			if known && l.Verb != VerbUpdate {
				n++
			}
		}
		if n > 0 {
			m.actions[i].Why += fmt.Sprintf("; recreating %s invalidates %s, re-issued in this plan", a.Name, count(n, "inbound link"))
		}
	}
}

// expiring warns of links whose certificate ends soon, but for those that get another.
func (m checks) expiring() {
	for _, l := range m.in.Desired.Links {
		from, to := m.index.desired[l.From], m.index.desired[l.To]
		if m.in.ExpiringBefore == "" || !m.index.readable(from.Cluster) {
			continue
		}
		c := m.links.examine(l, from, to)
		i := slices.IndexFunc(c.current, func(v LinkView) bool {
			ends := m.index.secrets[c.at][v.TLSCredentials].Expires
			return ends != "" && ends < m.in.ExpiringBefore
		})
		if i < 0 || m.remade(l) {
			continue
		}
		m.findings = append(m.findings, diag.Finding{
			Severity: diag.Warning, Code: "certificate-expiry", Subject: fmt.Sprintf("link %q", l.Name), At: l.DeclaredAt,
			Message: "its certificate ends at " + m.index.secrets[c.at][c.current[i].TLSCredentials].Expires,
			Fix:     "raise its rotation to re-key it",
		})
	}
}

// remade reports whether the plan makes a link anew, with a new certificate.
func (m checks) remade(l DesiredLink) bool {
	id := "link/" + string(l.Name)
	return slices.ContainsFunc(m.actions, func(a Action) bool {
		return a.ID == id && (a.Has(StepGrant) || a.Has(StepCertificate))
	})
}

// noSites says of a description without sites how much the plan removes.
func (m checks) noSites() {
	i := slices.IndexFunc(m.in.Diagnostics, func(f diag.Finding) bool { return f.Code == network.CodeNoSites })
	var parts []string
	for _, k := range []Kind{KindSite, KindLink, KindObject} {
		n := 0
		for _, a := range m.actions {
			if a.Kind == k && a.Verb == VerbDelete {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, count(n, string(k)))
		}
	}
	if i < 0 || len(parts) == 0 {
		return
	}
	m.in.Diagnostics = slices.Clone(m.in.Diagnostics)
	m.in.Diagnostics[i].Message = "has no site, and this removes everything: " + strings.Join(parts, ", ")
}
