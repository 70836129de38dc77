package plan

import (
	"fmt"

	"fairlead.dev/fairlead/schema/diag"
)

// leftClusters refuses to go on while a cluster with sites is described no more: nothing
// there would be looked at ever again. With the flag it is forgotten. A part of the network
// that was asked for has nothing to do with it.
func (m checks) leftClusters() {
	if m.in.Limits == nil || m.in.part() {
		return
	}
	for _, c := range notesOf(m.index).undescribed() {
		m.refuse(Refusal{
			Code: ClusterLeft + "." + string(c.Name), Subject: fmt.Sprintf("cluster %q", c.Name), Number: c.Sites,
			Message: stillRuns(c, m.network()) + ": nothing is removed there, nor looked at; " + describeAgain +
				"; the flag forgets the cluster, and what runs there goes on",
		})
	}
}

// unnoted warns where it is not known which clusters the network has.
func (m checks) unnoted() {
	for _, c := range m.in.Observation.Clusters {
		if c.Unnoted && c.State == StateOK {
			m.findings = append(m.findings, diag.Finding{
				Severity: diag.Warning, Code: "lease-unread", Subject: fmt.Sprintf("cluster %q", c.Name),
				Message: "the network's Lease may not be read there, so clusters that are described no more may go unseen",
				Fix:     "fairlead rbac prints the rights that it takes",
			})
		}
	}
}
