package planner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// noteReissued says of each site that is made anew how many links lose their credentials
// with the old one. They are made anew in the same plan.
func (m checks) noteReissued() {
	for i, a := range m.actions {
		if a.Kind != plan.KindSite || a.Verb != plan.VerbCreate {
			continue
		}
		n := 0
		for _, l := range m.actions {
			known := l.Kind == plan.KindLink && l.Verb != plan.VerbDelete && string(l.Link.To.Site) == a.Name && m.recordedTo(l) != ""
			if known && l.Verb != plan.VerbUpdate {
				n++
			}
		}
		if n > 0 {
			m.actions[i].Why += fmt.Sprintf("; recreating %s invalidates %s, re-issued in this plan", a.Name, words.Count(n, "inbound link"))
		}
	}
}

// expiring warns of links whose certificate ends soon, but for those that get another.
func (m checks) expiring() {
	if m.in.ExpiringBefore == "" {
		return
	}
	for _, l := range m.in.Desired.Links {
		from := m.world.Desired[l.From]
		if !m.world.Readable(from.Cluster) {
			continue
		}
		c, _ := m.links.find(l, from)
		i := slices.IndexFunc(c.current, func(v world.LinkView) bool {
			ends := m.world.Secrets[c.At][v.TLSCredentials].Expires
			return ends != "" && ends < m.in.ExpiringBefore
		})
		if i < 0 || m.remade(l) {
			continue
		}
		m.findings = append(m.findings, diag.Finding{
			Severity: diag.Warning, Code: "certificate-expiry", Subject: fmt.Sprintf("link %q", l.Name), At: l.DeclaredAt,
			Message: "its certificate ends at " + m.world.Secrets[c.At][c.current[i].TLSCredentials].Expires,
			Fix:     "raise its rotation to re-key it",
		})
	}
}

// remade reports whether the plan makes a link anew, with a new certificate.
func (m checks) remade(l plan.DesiredLink) bool {
	id := "link/" + string(l.Name)
	return slices.ContainsFunc(m.actions, func(a plan.Action) bool {
		return a.ID == id && (a.Has(plan.StepGrant) || a.Has(plan.StepCertificate))
	})
}

// noSites says of a description without sites how much the plan removes.
func (m checks) noSites() {
	i := slices.IndexFunc(m.in.Diagnostics, func(f diag.Finding) bool { return f.Code == network.CodeNoSites })
	var parts []string
	for _, k := range []plan.Kind{plan.KindSite, plan.KindLink, plan.KindObject} {
		n := 0
		for _, a := range m.actions {
			if a.Kind == k && a.Verb == plan.VerbDelete {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, words.Count(n, string(k)))
		}
	}
	if i < 0 || len(parts) == 0 {
		return
	}
	m.in.Diagnostics = slices.Clone(m.in.Diagnostics)
	m.in.Diagnostics[i].Message = "has no site, and this removes everything: " + strings.Join(parts, ", ")
}

// unread tells of namespaces that may hold something of the network and were not read.
// Nothing is planned there, and nothing is taken for absent.
func (m checks) unread() {
	for _, c := range m.in.Observation.Clusters {
		if c.State != plan.StateOK {
			continue
		}
		for _, namespace := range c.Denied {
			m.unknown++
			m.findings = append(m.findings, diag.Finding{
				Severity: diag.Warning, Code: plan.CodeUnread,
				Subject: fmt.Sprintf("namespace %s of cluster %s", namespace, c.Name),
				Message: "may not be read, and the network has had a site there: what is left of it is not known",
				Fix:     "see fairlead rbac for the Roles, or take it out of the annotation fairlead.dev/namespaces of the network's Lease",
			})
		}
	}
	for _, at := range world.SortedPlaces(m.world.Inventories) {
		inv := m.world.Inventories[at].Content
		for _, name := range slices.Sorted(maps.Keys(inv.Links)) {
			for _, to := range inv.Links[name].Listening() {
				m.unreadEnd(name, inv.Links[name], to)
			}
		}
	}
}

// unreadEnd tells of a link that goes away from a listening site whose namespace was
// not read: what it had there stays, as nobody sees it.
func (m checks) unreadEnd(name network.LinkName, l record.Link, to plan.Place) {
	view, known := m.world.Clusters[to.Cluster]
	if !known || view.State != plan.StateOK || view.HasRead(to.Namespace) || l.State == record.LinkRetired || to.Namespace == "" {
		return
	}
	m.unknown++
	m.findings = append(m.findings, diag.Finding{
		Severity: diag.Warning, Code: plan.CodeUnread, Subject: fmt.Sprintf("link %q", name),
		Message: fmt.Sprintf("leads to namespace %s of cluster %s, which was not read: a grant or Certificate of it may be left there", to.Namespace, to.Cluster),
		Fix:     "plan once with the right to read it",
	})
}

// leftClusters refuses to go on while a cluster with sites is described no more: nothing
// there would be looked at ever again. With the flag it is forgotten. A part of the network
// that was asked for has nothing to do with it.
func (m checks) leftClusters() {
	if m.in.Limits == nil || m.in.part() {
		return
	}
	for _, c := range world.NotesOf(m.world).Undescribed() {
		m.refuse(plan.Refusal{
			Code: plan.ClusterLeft + "." + string(c.Name), Subject: fmt.Sprintf("cluster %q", c.Name), Number: c.Sites,
			Message: world.StillRuns(c, m.network()) + ": nothing is removed there, nor looked at; " + words.DescribeAgain +
				"; the flag forgets the cluster, and what runs there goes on",
		})
	}
}

// unnoted warns where it is not known which clusters the network has.
func (m checks) unnoted() {
	for _, c := range m.in.Observation.Clusters {
		if c.Unnoted && c.State == plan.StateOK {
			m.findings = append(m.findings, diag.Finding{
				Severity: diag.Warning, Code: "lease-unread", Subject: fmt.Sprintf("cluster %q", c.Name),
				Message: "the network's Lease may not be read there, so clusters that are described no more may go unseen",
				Fix:     "fairlead rbac prints the rights that it takes",
			})
		}
	}
}

// changedClusters refuses names that lead to other clusters than they did: what is written
// there may be another network's, and what is missing there may be elsewhere. A part of the
// network is refused for the clusters that it touches.
func (m checks) changedClusters() {
	if m.in.Limits == nil {
		return
	}
	for _, i := range world.NotesOf(m.world).Changed() {
		if !m.in.part() || slices.ContainsFunc(m.actions, func(a plan.Action) bool { return a.Touches(i.Name) }) {
			m.refuse(i.Refusal(m.world.Clusters[i.Name], world.NotesOf(m.world).DescribedOn(i.Name)))
		}
	}
}

// part reports whether only a part of the network was asked for.
func (in Input) part() bool {
	return !in.Filter.IsZero() || in.Approved != nil && in.Approved.Narrowed
}

// identify notes in each action which clusters its ends are.
func (m checks) identify() {
	for i := range m.actions {
		a := &m.actions[i]
		switch {
		case a.Verb == plan.VerbDelete:
		case a.Site != nil:
			a.Site.ClusterUID = m.world.Clusters[a.Cluster].UID
		case a.Link != nil:
			a.Link.From.ClusterUID = m.world.Clusters[a.Link.From.Cluster].UID
			a.Link.To.ClusterUID = m.world.Clusters[a.Link.To.Cluster].UID
		}
	}
}

// tellGoing says of actions that remove something which is being deleted already what holds
// it: they wait for that.
func (m checks) tellGoing() {
	for i := range m.actions {
		a := &m.actions[i]
		for _, r := range a.Removes() {
			if held := m.world.Going[r.UID]; held != "" && !strings.Contains(a.Why, held) {
				a.Why += fmt.Sprintf("; %s %s %s", r.Kind, r.Name, held)
			}
		}
	}
}

// CodeAltered is the code of warnings about what a cluster keeps otherwise than it was sent:
// its admission changes it. Nothing is written again for its sake.
const CodeAltered = "altered"

// altered warns of what is on a cluster as its admission made it of what is wanted.
func (m *maker) altered(subject string, at diag.Position, cluster network.ClusterName, w record.Answer, wanted, live map[string]any) {
	still := w.At(func(path string) bool { return field.SameValue(live[path], w.Stored[path]) })
	m.warnAltered(subject, at, cluster, still.Alterations(wanted))
}

func (m *maker) warnAltered(subject string, at diag.Position, cluster network.ClusterName, what []string) {
	if len(what) == 0 {
		return
	}
	m.findings = append(m.findings, diag.Finding{
		Severity: diag.Warning, Code: CodeAltered, Subject: subject, At: at,
		Message: fmt.Sprintf("cluster %s altered it when it was last applied: %s", cluster, strings.Join(what, "; ")),
		Fix:     "look for an admission policy or webhook there; describe what it makes, or change it and then the object by hand",
	})
}

// alteredCost reports whether a Link has the cost that its cluster gave it instead of the one
// that is wanted, and warns of that once.
func (m linkPlanner) alteredCost(c linkCase, v world.LinkView) bool {
	kept := c.Recorded.KeptCost
	if kept == 0 || max(v.Cost, 1) != kept || c.Recorded.Cost != c.Cost {
		return false
	}
	subject := fmt.Sprintf("link %q", c.Name)
	for _, f := range m.findings {
		if f.Code == CodeAltered && f.Subject == subject {
			return true
		}
	}
	m.warnAltered(subject, c.CostAt, c.At.Cluster, []string{fmt.Sprintf("cost is %d there and %d was sent", kept, c.Cost)})
	return true
}
