package cli

import (
	"slices"

	"fairlead.dev/fairlead/apply/kube"
	"fairlead.dev/fairlead/schema/network"
)

// areas say where the session's network lives on each cluster: in the namespaces of
// its sites, and where else it was asked to look.
func areas(s session, asked []string) map[network.ClusterName]kube.Area {
	out := map[network.ClusterName]kube.Area{}
	for _, c := range s.Network.Clusters {
		out[c.Name] = kube.Area{Declared: namespacesOn(s.Network, c.Name), Asked: asked, Lock: c.LocksIn(), Former: s.former[c.Name]}
	}
	return out
}

// namespacesOn are those of a network's sites on a cluster, sorted.
func namespacesOn(n network.Network, cluster network.ClusterName) (out []string) {
	for _, v := range n.Sites {
		if v.Cluster == cluster {
			out = append(out, v.Namespace)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
