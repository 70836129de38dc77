package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// places are where a description keeps the locks of its clusters.
func (d description) places() map[network.ClusterName]string {
	out := map[network.ClusterName]string{}
	for _, c := range d.Network.Clusters {
		out[c.Name] = c.LocksIn()
	}
	return out
}

// relocated reports whether records note places of locks that were not known before. Then the
// locks that are held are freed, for all of them to be taken in order.
func (o *common) relocated(ctx context.Context, s *session, observation plan.Observation) bool {
	more := false
	former := maps.Clone(s.former)
	if former == nil {
		former = map[network.ClusterName][]string{}
	}
	found := observation.FormerLocks(s.places())
	for _, name := range slices.Sorted(maps.Keys(found)) {
		for _, namespace := range found[name] {
			if slices.Contains(former[name], namespace) {
				continue
			}
			more = true
			former[name] = append(slices.Clone(former[name]), namespace)
			if s.locks != nil {
				fmt.Fprintf(o.sys.Err, "The lock of cluster %s was kept in namespace %s: it is taken there, too.\n", name, namespace)
			}
		}
	}
	if more && s.locks != nil {
		s.locks.Release(ctx, false) // what cannot be freed is still ours when it is taken again
	}
	s.former = former
	return more
}

// noteLocks has the records say where the locks are kept, now that all is as declared. What
// fails leaves the former places in force.
func (o *applyFlags) noteLocks(ctx context.Context) {
	s := o.opened
	err := apply.NoteLocks(ctx, s.Network.Name, s.writers(), o.unnoted, apply.Options{
		Parallelism: o.parallelism, Run: o.invocation.ID, Locks: s.places(),
	})
	if err != nil {
		fmt.Fprintf(o.sys.Err, "Where the locks are kept could not be recorded; the next apply tries it again: %v\n", err)
		return
	}
	s.locks.Moved()
}

// tellFormer says which rights former places of locks take.
func (s session) tellFormer() string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(s.former)) {
		for _, namespace := range s.former[name] {
			list = append(list, fmt.Sprintf("%s of cluster %s", namespace, name))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return ".\nAn earlier apply kept it in namespace " + strings.Join(list, ", ") + ", where it is taken until an apply ended with all as declared:\n" +
		"fairlead rbac --since REV prints the rights for that, REV being a revision with that lockNamespace"
}
