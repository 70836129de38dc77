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
		a := kube.Area{Asked: asked, Lock: c.LockNamespace}
		for _, v := range s.Network.Sites {
			if v.Cluster == c.Name && !slices.Contains(a.Declared, v.Namespace) {
				a.Declared = append(a.Declared, v.Namespace)
			}
		}
		slices.Sort(a.Declared)
		out[c.Name] = a
	}
	return out
}
