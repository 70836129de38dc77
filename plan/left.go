package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// NotedCluster is a cluster on which a network has sites, as another one of its clusters
// knows it.
type NotedCluster struct {
	Name network.ClusterName `json:"name"`
	// UID is as in ClusterView; empty when it was not known.
	UID string `json:"uid,omitempty"`
	// Sites is how many sites it has, 1 or more.
	Sites int `json:"sites"`
}

// Noted are the clusters on which a description has sites, by name; uids are those of the
// clusters, as far as they are known.
func Noted(d Desired, uids map[network.ClusterName]string) []NotedCluster {
	sites := map[network.ClusterName]int{}
	for _, s := range d.Sites {
		sites[s.Cluster]++
	}
	out := []NotedCluster{}
	for _, name := range slices.Sorted(maps.Keys(sites)) {
		out = append(out, NotedCluster{Name: name, UID: uids[name], Sites: sites[name]})
	}
	return out
}

// ClusterLeft is the code of the refusal to leave a cluster out of the description while
// sites of the network run there, with the cluster's name behind a point.
const ClusterLeft = "cluster-left"

// undescribed are the clusters that no description names any more, while the Leases or records
// of others have sites of the network there, by name.
func (ix *index) undescribed() []NotedCluster {
	found := map[network.ClusterName]NotedCluster{}
	note := func(c NotedCluster) {
		if ix.described(c) {
			return
		}
		c.Sites = max(c.Sites, found[c.Name].Sites)
		found[c.Name] = c
	}
	for _, view := range ix.observed.Clusters {
		for _, c := range view.Noted {
			note(c)
		}
	}
	for _, c := range ix.recordedElsewhere() {
		note(c)
	}
	out := make([]NotedCluster, 0, len(found))
	for _, c := range found {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b NotedCluster) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// described reports whether a noted cluster is one of the description, by its name or, with
// another name, by its UID. One that could not be read and that nobody noted may be it.
func (ix *index) described(noted NotedCluster) bool {
	return slices.ContainsFunc(ix.wanted.Clusters, func(name network.ClusterName) bool {
		view := ix.observed.Cluster(name)
		return name == noted.Name || view.UID != "" && view.UID == noted.UID || view.State != StateOK && !ix.noted(name)
	})
}

func (ix *index) noted(name network.ClusterName) bool {
	return slices.ContainsFunc(ix.observed.Clusters, func(view ClusterView) bool {
		return slices.ContainsFunc(view.Noted, func(c NotedCluster) bool { return c.Name == name })
	})
}

// recordedElsewhere are the clusters to which links lead by their records, to Sites that
// were not found.
func (ix *index) recordedElsewhere() []NotedCluster {
	found := map[string]bool{}
	for _, list := range ix.sites {
		for _, s := range list {
			found[s.UID] = true
		}
	}
	sites := map[network.ClusterName]map[string]bool{}
	for _, inv := range ix.inventories {
		for _, l := range inv.Content.Links {
			if l.State == LinkRetired || l.ToUID == "" || found[l.ToUID] {
				continue
			}
			if sites[l.ToCluster] == nil {
				sites[l.ToCluster] = map[string]bool{}
			}
			sites[l.ToCluster][l.ToNamespace] = true
		}
	}
	var out []NotedCluster
	for name, list := range sites {
		out = append(out, NotedCluster{Name: name, Sites: len(list)})
	}
	return out
}

// leftClusters refuses to go on while a cluster with sites is described no more: nothing
// there would be looked at ever again. With the flag it is forgotten. A part of the network
// that was asked for has nothing to do with it.
func (m *maker) leftClusters() {
	if m.in.Limits == nil || m.in.part() {
		return
	}
	for _, c := range m.index.undescribed() {
		m.refuse(Refusal{
			Code: ClusterLeft + "." + string(c.Name), Subject: fmt.Sprintf("cluster %q", c.Name), Number: c.Sites,
			Message: stillRuns(c, m.network()) + ": nothing is removed there, nor looked at; " + describeAgain +
				"; the flag forgets the cluster, and what runs there goes on",
		})
	}
}

func stillRuns(c NotedCluster, net string) string {
	return fmt.Sprintf("still runs %s of network %s, as its other clusters know, and is described no more", count(c.Sites, "site"), net)
}

const describeAgain = "describe it again without its sites, apply, and take it out then"

// unnoted warns where it is not known which clusters the network has.
func (m *maker) unnoted() {
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

// clustersLeft tells of clusters that are described no more and have sites.
func (f *facts) clustersLeft() {
	if !f.in.Filter.IsZero() {
		return
	}
	for _, c := range f.index.undescribed() {
		f.found = append(f.found, Live{
			Severity: diag.Error, Code: LiveClusterLeft, Subject: "cluster/" + string(c.Name), Cluster: c.Name,
			Message: stillRuns(c, f.network()), Fix: describeAgain + "; or forget it: plan shows the flag",
		})
	}
}
