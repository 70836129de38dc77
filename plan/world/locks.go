package world

import (
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// FormerLocks are the namespaces in which the locks of clusters were kept by what the records
// there note, without those of locks, where they are kept now; sorted. A run of an earlier
// description has its lock there.
func (o Observation) FormerLocks(locks map[network.ClusterName]string) map[network.ClusterName][]string {
	out := map[network.ClusterName][]string{}
	for _, c := range o.Clusters {
		for _, inv := range c.Inventories {
			was := inv.Content.LockNamespace
			if network.IsLabel(was) && was != locks[c.Name] && !slices.Contains(out[c.Name], was) {
				out[c.Name] = append(out[c.Name], was)
			}
		}
		slices.Sort(out[c.Name])
	}
	return out
}

// OtherLocks are the records that do not note where the locks are kept now.
func (o Observation) OtherLocks(locks map[network.ClusterName]string) []plan.ObjectRef {
	out := []plan.ObjectRef{}
	for _, c := range o.Clusters {
		for _, inv := range c.Inventories {
			if inv.Content.LockNamespace != locks[c.Name] && inv.Broken == "" && !inv.Deleting {
				out = append(out, Ref(c.Name, plan.ObjectConfigMap, inv.Meta))
			}
		}
	}
	return plan.SortRefs(out)
}
