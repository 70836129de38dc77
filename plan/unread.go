package plan

import (
	"fmt"
	"maps"
	"slices"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// unread tells of namespaces that may hold something of the network and were not read.
// Nothing is planned there, and nothing is taken for absent.
func (m checks) unread() {
	for _, c := range m.in.Observation.Clusters {
		if c.State != StateOK {
			continue
		}
		for _, namespace := range c.Denied {
			m.unknown++
			m.findings = append(m.findings, diag.Finding{
				Severity: diag.Warning, Code: codeUnread,
				Subject: fmt.Sprintf("namespace %s of cluster %s", namespace, c.Name),
				Message: "may not be read, and the network has had a site there: what is left of it is not known",
				Fix:     "see fairlead rbac for the Roles, or take it out of the annotation fairlead.dev/namespaces of the network's Lease",
			})
		}
	}
	for _, at := range sortedPlaces(m.index.inventories) {
		inv := m.index.inventories[at].Content
		for _, name := range slices.Sorted(maps.Keys(inv.Links)) {
			for _, to := range inv.Links[name].listening() {
				m.unreadEnd(name, inv.Links[name], to)
			}
		}
	}
}

// unreadEnd tells of a link that goes away from a listening site whose namespace was
// not read: what it had there stays, as nobody sees it.
func (m checks) unreadEnd(name network.LinkName, l InventoryLink, to place) {
	view, known := m.index.clusters[to.cluster]
	if !known || view.State != StateOK || view.HasRead(to.namespace) || l.State == LinkRetired || to.namespace == "" {
		return
	}
	m.unknown++
	m.findings = append(m.findings, diag.Finding{
		Severity: diag.Warning, Code: codeUnread, Subject: fmt.Sprintf("link %q", name),
		Message: fmt.Sprintf("leads to namespace %s of cluster %s, which was not read: a grant or Certificate of it may be left there", to.namespace, to.cluster),
		Fix:     "plan once with the right to read it",
	})
}
