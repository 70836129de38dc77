package apply

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// former is the namespace of the Lease where that is a former place.
func (c Lockable) former() string {
	if c.Former {
		return c.In
	}
	return ""
}

func (c Lockable) notLocked(err error) NotLocked { return NotLocked{c.Cluster, c.former(), err} }

// inFormer names a former place in a sentence; nothing where there is none.
func inFormer(namespace string) string {
	if namespace == "" {
		return ""
	}
	return " in namespace " + namespace
}

// Lock names the lock in a sentence about its cluster.
func (n NotLocked) Lock() string { return "its lock" + inFormer(n.Former) }

// Moved says that no record notes a former place of a lock any more.
func (l *Locks) Moved() {
	if l != nil {
		l.moved = true
	}
}

// NoteLocks writes into records where the locks of their clusters are kept, under these locks.
// A record that is gone, or goes, notes nothing.
func NoteLocks(ctx context.Context, net string, clusters map[network.ClusterName]Cluster, records []plan.ObjectRef, opts Options) error {
	l := newLedger(plan.Plan{Network: net}, clusters, Options{Run: opts.Run})
	failed := make([]error, len(records))
	var g errgroup.Group
	g.SetLimit(opts.withDefaults().Parallelism)
	for i, r := range records {
		g.Go(func() error {
			err := l.update(ctx, r.Cluster, r.Namespace, func(inv *plan.Inventory) {
				if inv.Site != "" {
					inv.LockNamespace = opts.Locks[r.Cluster]
				}
			})
			if !errors.Is(err, ErrStale) {
				failed[i] = err
			}
			return nil
		})
	}
	_ = g.Wait() // no function above returns an error: it is noted
	return errors.Join(failed...)
}
