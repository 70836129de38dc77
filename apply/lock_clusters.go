package apply

import (
	"encoding/json"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// AnnotationClusters, on a network's Lease, lists as JSON the clusters on which the network
// has sites: those that are declared, and those of runs before that did not end with
// everything as declared. It is how a cluster that is described no more is missed.
const AnnotationClusters = "fairlead.dev/clusters"

// ClustersOf lists the clusters that a Lease notes; none where it says nothing that can be
// read.
func ClustersOf(l Lease) []plan.NotedCluster {
	var list []plan.NotedCluster
	if json.Unmarshal([]byte(l.Annotations[AnnotationClusters]), &list) != nil {
		return nil
	}
	return slices.DeleteFunc(list, func(c plan.NotedCluster) bool { return !network.IsLabel(string(c.Name)) || c.Sites < 1 })
}

// joinClusters is what ClustersOf reads.
func joinClusters(list []plan.NotedCluster) string {
	data, err := json.Marshal(list)
	if err != nil { // names, UIDs and numbers can always be marshalled
		panic("apply: " + err.Error())
	}
	return string(data)
}

// bothClusters are the clusters that were noted and those that are declared: of one that is
// both the greater number of sites, and the UID that is known.
func bothClusters(was, declared []plan.NotedCluster) []plan.NotedCluster {
	out := slices.Clone(declared)
	for _, c := range was {
		i := slices.IndexFunc(out, func(o plan.NotedCluster) bool { return o.Name == c.Name })
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i].Sites = max(out[i].Sites, c.Sites)
		if out[i].UID == "" {
			out[i].UID = c.UID
		}
	}
	return out
}

// Renew says that clusters are taken for those which their names led to before: any Release
// notes their UIDs, as Note gave them.
func (l *Locks) Renew(names []network.ClusterName) {
	if l != nil {
		l.renewed = names
	}
}

// renewals are the clusters that a Lease notes, with the UIDs that are renewed.
func (l *Locks) renewals(was []plan.NotedCluster) []plan.NotedCluster {
	out := slices.Clone(was)
	for i, c := range out {
		for _, now := range l.clusters {
			if now.Name == c.Name && now.UID != "" && slices.Contains(l.renewed, c.Name) {
				out[i].UID = now.UID
			}
		}
	}
	return out
}

// Note says on which clusters the network has sites once all is as declared, with their
// UIDs: what Release notes then.
func (l *Locks) Note(clusters []plan.NotedCluster) {
	if l != nil {
		l.clusters = clusters
	}
}
