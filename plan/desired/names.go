package desired

import (
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// Names are what a later description calls the clusters of an earlier one.
type Names map[network.ClusterName]network.ClusterName

// lostName follows the name of a cluster that a later description does not have, where it
// has another one of that name. No cluster can be declared under it.
const lostName = " (before)"

// NamesOf finds the clusters of an earlier description in a later one: those that are
// reached as before, or else have the name that they had.
func NamesOf(before, after []network.Cluster) Names {
	names, taken := Names{}, map[network.ClusterName]bool{}
	find := func(was network.Cluster, fits func(network.Cluster) bool) {
		i := slices.IndexFunc(after, func(c network.Cluster) bool { return !taken[c.Name] && fits(c) })
		if _, done := names[was.Name]; done || i < 0 {
			return
		}
		names[was.Name], taken[after[i].Name] = after[i].Name, true
	}
	for _, kept := range []bool{false, true} { // a kubeconfig that is kept in a cluster names it
		for _, sameName := range []bool{true, false} {
			for _, was := range before {
				if (was.Kubeconfig != nil && was.Kubeconfig.Kubernetes != nil) == kept {
					now := names.cluster(was)
					find(was, func(c network.Cluster) bool { return now.SameAs(c) && (!sameName || c.Name == was.Name) })
				}
			}
		}
	}
	for _, was := range before {
		find(was, func(c network.Cluster) bool { return c.Name == was.Name })
	}
	for _, was := range before {
		if _, found := names[was.Name]; !found {
			names[was.Name] = was.Name
			if taken[was.Name] {
				names[was.Name] += lostName
			}
		}
	}
	return names
}

// now is the later name of a cluster.
func (n Names) now(name network.ClusterName) network.ClusterName {
	if later, known := n[name]; known {
		return later
	}
	return name
}

// cluster is one whose kubeconfig is called as the later description would.
func (n Names) cluster(c network.Cluster) network.Cluster {
	c.Kubeconfig = n.reference(c.Kubeconfig)
	return c
}

func (n Names) reference(r *network.SecretRef) *network.SecretRef {
	if r == nil || r.Kubernetes == nil {
		return r
	}
	out, key := *r, *r.Kubernetes
	key.Cluster, out.Kubernetes = n.now(key.Cluster), &key
	return &out
}

// Of gives what an earlier description wants with its clusters called as the later one
// does. Its proxies are those of the network, whose credentials may be kept in a cluster.
func (n Names) Of(d plan.Desired, earlier network.Network) plan.Desired {
	d.Clusters, d.Sites, d.Objects = slices.Clone(d.Clusters), slices.Clone(d.Sites), slices.Clone(d.Objects)
	for i, c := range d.Clusters {
		d.Clusters[i] = n.now(c)
	}
	slices.Sort(d.Clusters)
	for i, s := range d.Sites {
		d.Sites[i].Cluster = n.now(s.Cluster)
	}
	for i, o := range d.Objects {
		d.Objects[i].Cluster = n.now(o.Cluster)
	}
	earlier.Proxies = slices.Clone(earlier.Proxies)
	for i, p := range earlier.Proxies {
		earlier.Proxies[i].Username, earlier.Proxies[i].Password = n.reference(p.Username), n.reference(p.Password)
	}
	d.Proxies = proxies(earlier)
	return d
}

// Recorded gives an observation in which records call clusters as the earlier description
// did, which wrote them.
func (n Names) Recorded(o world.Observation) world.Observation {
	earlier := Names{}
	for was, now := range n {
		earlier[now] = was
	}
	for _, c := range o.Clusters {
		for _, inv := range c.Inventories {
			for name, l := range inv.Content.Links {
				l.ToCluster = earlier.now(l.ToCluster)
				inv.Content.Links[name] = l
			}
		}
	}
	return o
}
