package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// ledger writes the inventories: one page for each site's namespace. The first
// write of a page records everything that the plan is about to do at that site.
type ledger struct {
	plan     plan.Plan
	clusters map[network.ClusterName]Cluster
	// opts say where the locks are kept, and how long is waited for a page that is being
	// deleted; 0 is not to wait.
	opts  Options
	mu    sync.Mutex
	pages map[pageKey]*page
}

type pageKey struct {
	cluster   network.ClusterName
	namespace string
}

// page is one inventory; its lock makes the writes of one process follow each
// other, the resourceVersion those of several.
type page struct {
	mu     sync.Mutex
	ref    plan.ObjectRef
	loaded bool
	// begun is true once the intents of this apply are written.
	begun bool
	// lost is true while the ConfigMap that content was read of is gone. held says why one
	// that is being deleted was waited for in vain.
	lost    bool
	held    error
	version string
	content record.Inventory
}

func newLedger(p plan.Plan, clusters map[network.ClusterName]Cluster, opts Options) *ledger {
	return &ledger{plan: p, clusters: clusters, opts: opts, pages: map[pageKey]*page{}}
}

func (l *ledger) page(cluster network.ClusterName, namespace string) *page {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := pageKey{cluster, namespace}
	if l.pages[key] == nil {
		l.pages[key] = &page{ref: plan.ObjectRef{
			Cluster: cluster, Kind: plan.ObjectConfigMap, Namespace: namespace,
			Name: network.InventoryName(l.plan.Network),
		}}
	}
	return l.pages[key]
}

// find gives one of the clusters.
func find(clusters map[network.ClusterName]Cluster, name network.ClusterName) (Cluster, error) {
	if c, ok := clusters[name]; ok {
		return c, nil
	}
	return nil, fmt.Errorf("cluster %s: %w", name, ErrUnreachable)
}

// update changes one inventory, if change makes a difference. Another writer's
// change in between is read again and kept.
func (l *ledger) update(
	ctx context.Context, cluster network.ClusterName, namespace string, change func(*record.Inventory),
) error {
	c, err := find(l.clusters, cluster)
	if err != nil {
		return err
	}
	pg := l.page(cluster, namespace)
	pg.mu.Lock()
	defer pg.mu.Unlock()
	return l.updateLocked(ctx, c, pg, change)
}

func (l *ledger) updateLocked(ctx context.Context, c Cluster, pg *page, change func(*record.Inventory)) error {
	return again(func() error {
		err := l.tryUpdate(ctx, c, pg, change)
		pg.loaded = pg.loaded && !errors.Is(err, ErrConflict)
		return err
	})
}

func (l *ledger) tryUpdate(ctx context.Context, c Cluster, pg *page, change func(*record.Inventory)) error {
	if err := pg.load(ctx, c, l.plan.Network, l.opts.Timeout); err != nil {
		return err
	}
	before, err := pg.content.Encode()
	if err != nil {
		return err
	}
	next := pg.content
	change(&next)
	next.Commit, next.Dirty = pg.content.Commit, pg.content.Dirty
	after, err := next.Encode()
	if err != nil || after == before && !pg.lost {
		return err
	}
	next.LockNamespace = cmp.Or(next.LockNamespace, l.opts.Locks[pg.ref.Cluster])
	if !next.SameApplied(pg.content) {
		next.Commit, next.Dirty = l.plan.Source.Commit, l.plan.Source.Dirty
	}
	if after, err = next.Encode(); err != nil {
		return err
	}
	o := Object{
		ObjectRef: pg.ref, ResourceVersion: pg.version, Data: map[string]string{record.Key: after},
		Labels: map[string]string{
			plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: l.plan.Network, plan.LabelSite: string(next.Site),
		},
		Annotations: noteRun(l.opts.Run, nil),
	}
	written, err := writePage(ctx, c, o)
	if err != nil {
		return err
	}
	pg.version, pg.content, pg.lost = written.ResourceVersion, next, false
	return nil
}

// writePage makes the inventory, or changes it if it is still as it was read.
func writePage(ctx context.Context, c Writer, o Object) (Object, error) {
	if o.ResourceVersion != "" {
		return c.Apply(ctx, o, true)
	}
	made, err := c.Create(ctx, o)
	if errors.Is(err, ErrExists) {
		return made, fmt.Errorf("%s was made by someone else: %w", o.ObjectRef, ErrConflict)
	}
	return made, err
}

// load reads the page. What is written to one that is being deleted goes with it: that is
// waited for, once, and what it had is written to a new one.
func (pg *page) load(ctx context.Context, c Reader, networkName string, timeout time.Duration) error {
	if pg.loaded || pg.held != nil {
		return pg.held
	}
	o, err := c.Get(ctx, pg.ref)
	switch {
	case errors.Is(err, ErrNotFound):
		if pg.version = ""; !pg.lost {
			pg.content = record.Inventory{Format: record.Format, Network: networkName}
		}
	case err != nil:
		return err
	default:
		if pg.content, err = record.Decode(o.Data[record.Key]); err != nil {
			return fmt.Errorf("%s: %w", pg.ref, err)
		}
		pg.version = o.ResourceVersion
		if pg.lost = o.Deleting; pg.lost {
			pg.version, pg.held = "", notGoing(o)
		}
		if pg.lost && timeout > 0 {
			pg.held = waitGone(ctx, c, o.ObjectRef, timeout)
		}
		if pg.held != nil {
			return pg.held
		}
	}
	if pg.content.Links == nil {
		pg.content.Links = map[network.LinkName]record.Link{}
	}
	pg.loaded = true
	return nil
}

// begin records what the plan will do at a site's namespace, all actions of that
// place in one write, before the first of them writes anything else. Only the
// first call of an apply writes: a later one would take back what was confirmed.
func (l *ledger) begin(ctx context.Context, cluster network.ClusterName, namespace string) error {
	c, err := find(l.clusters, cluster)
	if err != nil {
		return err
	}
	pg := l.page(cluster, namespace)
	pg.mu.Lock()
	defer pg.mu.Unlock()
	if pg.begun {
		return nil
	}
	here := l.plan.At(cluster, namespace)
	err = l.updateLocked(ctx, c, pg, func(inv *record.Inventory) { inv.Begin(here...) })
	pg.begun = err == nil
	return err
}

// remove deletes an inventory and waits until it is gone; the next use of the page reads it
// again.
func (l *ledger) remove(ctx context.Context, cluster network.ClusterName, namespace string) error {
	pg := l.page(cluster, namespace)
	pg.mu.Lock()
	defer pg.mu.Unlock()
	pg.loaded, pg.begun, pg.lost, pg.held = false, false, false, nil
	o, err := l.clusters[cluster].Get(ctx, pg.ref)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := l.clusters[cluster].Delete(ctx, o.ObjectRef); err != nil {
		return err
	}
	return waitGone(ctx, l.clusters[cluster], o.ObjectRef, l.opts.Timeout)
}

// NoteLocks writes into records where the locks of their clusters are kept, under these locks.
// A record that is gone, or goes, notes nothing.
func NoteLocks(
	ctx context.Context, net string, clusters map[network.ClusterName]Cluster, records []plan.ObjectRef, opts Options,
) error {
	l := newLedger(plan.Plan{Network: net}, clusters, Options{Run: opts.Run})
	failed := make([]error, len(records))
	var g errgroup.Group
	g.SetLimit(opts.withDefaults().Parallelism)
	for i, r := range records {
		g.Go(func() error {
			err := l.update(ctx, r.Cluster, r.Namespace, func(inv *record.Inventory) {
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
