package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// DefaultLease is how long a lock outlives its holder.
const DefaultLease = time.Minute

// ErrLocked means that another run holds a lock, or took it away.
var ErrLocked = errors.New("locked")

// ErrForeignLock means that a Lease of the lock's name is not the network's.
var ErrForeignLock = errors.New("the Lease is not the network's")

// Lease is the lock of a network on one cluster, as data.
//
// The library's own leader election is made for processes that wait for ever for their
// turn and log it: it cannot say who holds a lock, take several in order, or stop at a
// bound, so the locks here are taken by hand.
type Lease struct {
	// Version is the resourceVersion; empty where there is no Lease yet.
	Version     string
	Labels      map[string]string
	Annotations map[string]string
	// Holder is the id of the run that has the lock, empty when nobody has.
	Holder string
	// Duration is how long the lock holds without a renewal; 0 when it does not say.
	Duration          time.Duration
	Acquired, Renewed time.Time
	// Transitions counts how often the lock changed hands.
	Transitions int64
	// Deleting is true when the Lease is being deleted: it is there as long as Finalizers
	// hold it, and a lock on it ends with it.
	Deleting   bool
	Finalizers []string
}

// Leases keeps one Lease.
type Leases interface {
	// Get returns the Lease, or ErrNotFound.
	Get(ctx context.Context) (Lease, error)
	// Create makes it; ErrExists when there is one, ErrNotFound without its namespace.
	Create(ctx context.Context, l Lease) (Lease, error)
	// Update replaces it if it still is of l.Version: otherwise ErrConflict, or
	// ErrNotFound.
	Update(ctx context.Context, l Lease) (Lease, error)
	// Changed returns when the Lease is no longer of the version, or with the error
	// of a ctx that ended. It watches and does not poll.
	Changed(ctx context.Context, version string) error
}

// Lockable is a cluster whose lock can be taken.
type Lockable struct {
	Cluster network.ClusterName
	Leases  Leases
	// In is the namespace of the Lease. Former tells that applies before kept the lock
	// there, and the description has it elsewhere.
	In     string
	Former bool
	// Namespaces are those of the network's sites on the cluster, as declared.
	Namespaces []string
}

// LockOptions say for whom locks are taken, and how.
type LockOptions struct {
	// Network is the network's name.
	Network string
	Holder  Holder
	// Lease is how long a lock outlives its holder, in whole seconds: DefaultLease
	// when it is 0. A lock is renewed four times in that time.
	Lease time.Duration
	// Timeout bounds the waiting for locks that others hold, all clusters together. With 0
	// only that is waited for that takes no longer than DefaultLease: a sign of life of the
	// holder, or the end of the lock of one that gives none.
	Timeout time.Duration
	// Clusters are those on which the network has sites, as declared; see Note.
	Clusters []plan.NotedCluster
	// Deletes are the limits as declared, which a settled Release notes; nil for none.
	Deletes *network.DeleteLimits
	// Partial goes on without the locks of clusters that do not answer or refuse us:
	// nothing is written there.
	Partial bool
	// Waiting is told for whom is waited, once for each holder, with a *Held, or a *Going for
	// a Lease that is being deleted; it may be nil.
	Waiting func(error)
	// Lost is called, at most once for each lock, when a lock is lost; it may be nil.
	// What runs under the locks has to end then.
	Lost func(error)
}

// every is how often a lock is renewed.
func (o LockOptions) every() time.Duration { return o.Lease / 4 }

// NotLocked is a cluster whose lock was not taken or not freed, and why.
type NotLocked struct {
	Cluster network.ClusterName
	// Former is the namespace of the Lease where that is a former one, otherwise empty.
	Former string
	Err    error
}

// Error names the cluster.
func (n NotLocked) Error() string {
	return fmt.Sprintf("cluster %s%s: %v", n.Cluster, inFormer(n.Former), n.Err)
}

// Unwrap gives the reason.
func (n NotLocked) Unwrap() error { return n.Err }

// Locks are locks that are held. Each is renewed by a goroutine of its own until
// Release.
type Locks struct {
	// Missing are the clusters without a lock that Partial allows, by name.
	Missing []NotLocked
	opts    LockOptions
	// clusters are what a settled Release notes; opts is shared with the renewing and stays.
	clusters []plan.NotedCluster
	// renewed are those clusters of which any Release notes the UID.
	renewed []network.ClusterName
	// moved is true once no record notes a former place any more.
	moved bool
	held  []*hold
}

// Lock takes the locks of all clusters in the order of their names and of the Leases'
// namespaces, so that two runs never wait for each other. Where one cannot be taken, those that were are freed and
// the error says why: a *Held for each that another run has (ErrLocked),
// ErrForeignLock, or that of the cluster.
func Lock(ctx context.Context, list []Lockable, opts LockOptions) (*Locks, error) {
	opts.Lease = cmp.Or(opts.Lease, DefaultLease)
	l := &Locks{opts: opts, clusters: opts.Clusters}
	sorted := slices.SortedStableFunc(slices.Values(list), func(a, b Lockable) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.In, b.In))
	})
	seen := readLeases(ctx, sorted)
	if err := l.unread(sorted, seen); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(opts.Timeout)
	for i, c := range sorted {
		err := l.add(ctx, c, seen[i], deadline)
		if err != nil && !l.without(c, err) {
			if !errors.Is(err, ErrLocked) { // which names the cluster itself
				err = c.notLocked(err)
			}
			for _, left := range l.Release(ctx, false) {
				err = errors.Join(err, fmt.Errorf("free the lock: %w", left))
			}
			return nil, err
		}
	}
	return l, nil
}

// without notes a cluster without a lock, if that is allowed. A former place whose namespace
// is gone holds no lock of anybody.
func (l *Locks) without(c Lockable, err error) bool {
	if c.Former && errors.Is(err, ErrNotFound) {
		return true
	}
	if !l.tolerates(err) {
		return false
	}
	l.Missing = append(l.Missing, c.notLocked(err))
	return true
}

// tolerates reports whether a cluster whose lock failed so may be left out.
func (l *Locks) tolerates(err error) bool {
	return l.opts.Partial && (errors.Is(err, ErrUnreachable) || errors.Is(err, ErrForbidden))
}

// leaseRead is what reading a Lease gave.
type leaseRead struct {
	lease Lease
	err   error
	at    time.Time
}

// readLeases looks at all Leases at once, so that the taking costs one request each
// where nothing is in the way.
func readLeases(ctx context.Context, list []Lockable) []leaseRead {
	out := make([]leaseRead, len(list))
	eachLock(len(list), func(i int) (err error) {
		out[i].lease, err = list[i].Leases.Get(ctx)
		out[i].at = time.Now()
		return err
	}, func(i int, err error) { out[i].err = err })
	return out
}

// eachLock does something with all locks, twenty at once, and notes each one's error. A
// panic is that lock's error.
func eachLock(n int, do func(int) error, note func(int, error)) {
	var g errgroup.Group
	g.SetLimit(20)
	for i := range n {
		g.Go(func() error {
			defer func() {
				if p := recover(); p != nil {
					note(i, fmt.Errorf("internal error: a panic of type %T", p))
				}
			}()
			note(i, do(i))
			return nil
		})
	}
	_ = g.Wait() // no function above returns an error: it is noted
}

// unread lists every Lease that cannot be read, before any is taken.
func (l *Locks) unread(list []Lockable, seen []leaseRead) error {
	var all []error
	for i, r := range seen {
		if r.err != nil && !errors.Is(r.err, ErrNotFound) && !l.tolerates(r.err) {
			all = append(all, list[i].notLocked(r.err))
		}
	}
	return errors.Join(all...)
}

// add takes one lock and keeps it.
func (l *Locks) add(ctx context.Context, c Lockable, first leaseRead, deadline time.Time) error {
	t := &taking{Lockable: c, opts: &l.opts, deadline: deadline, version: first.lease.Version, since: first.at}
	got, err := t.take(ctx, first)
	if err == nil {
		l.held = append(l.held, newHold(ctx, c, &l.opts, got, t.sent))
		return nil
	}
	if !t.sent.IsZero() { // it may be ours without our knowing
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawal)
		defer cancel()
		err = errors.Join(err, free(bounded, c.Leases, l.opts.Holder.ID, Lease{}, nil))
	}
	return err
}

// taking is one lock on its way to us.
type taking struct {
	Lockable
	opts     *LockOptions
	deadline time.Time
	// sent is when the last write was sent; zero before the first.
	sent time.Time
	// version is the Lease's as it was first seen at the time since.
	version string
	since   time.Time
	// told is the holder of whom Waiting was told.
	told string
	// went is a Lease that is being deleted: the next one notes what it notes.
	went Lease
}

// take tries until the lock is ours, the deadline is over, or something fails.
func (t *taking) take(ctx context.Context, r leaseRead) (Lease, error) {
	for {
		got, done, err := t.try(ctx, r)
		if done || err != nil {
			return got, err
		}
		if err := ctx.Err(); err != nil {
			return Lease{}, err
		}
		r.lease, r.err = t.Leases.Get(ctx)
	}
}

// try takes the lock as it was read, if it is free; otherwise it waits for a change.
func (t *taking) try(ctx context.Context, r leaseRead) (got Lease, done bool, err error) {
	switch {
	case errors.Is(r.err, ErrNotFound):
		t.sent = time.Now()
		got, err = t.Leases.Create(ctx, t.ours(t.went))
		return got, err == nil, unless(err, ErrExists)
	case r.err != nil:
		return got, false, r.err
	case !ownedLease(r.lease, t.opts.Network):
		return got, false, ErrForeignLock
	case r.lease.Deleting && t.free(r.lease):
		return got, false, t.waitGone(ctx, r.lease)
	case t.free(r.lease):
		t.sent = time.Now()
		got, err = t.Leases.Update(ctx, t.ours(r.lease))
		return got, err == nil, unless(unless(err, ErrConflict), ErrNotFound)
	}
	return got, false, t.wait(ctx, r.lease)
}

// free reports whether nobody has the lock, or we, or somebody who is dead.
func (t *taking) free(now Lease) bool {
	return now.Holder == "" || now.Holder == t.opts.Holder.ID || t.dead(now)
}

// unless drops an error of the class.
func unless(err, class error) error {
	if errors.Is(err, class) {
		return nil
	}
	return err
}

// dead reports whether a holder gave no sign for as long as its lock holds, by our own
// clock: the clocks of two machines are never compared. Taking it is on condition that
// it still is as it was seen.
func (t *taking) dead(now Lease) bool {
	return t.version == now.Version && time.Since(t.since) >= leaseOf(now)
}

// leaseOf is how long a Lease holds.
func leaseOf(l Lease) time.Duration { return cmp.Or(l.Duration, DefaultLease) }

// wait returns when the Lease changed, or may be taken for dead; with a *Held when the
// holder lives and the deadline is over. One that gave no sign of life since the Lease was
// first seen is waited for beyond the deadline, unless its lock holds for longer than usual.
func (t *taking) wait(ctx context.Context, now Lease) error {
	left, lease := time.Until(t.deadline), leaseOf(now)
	if t.version == now.Version && lease <= DefaultLease {
		left = max(left, lease-time.Since(t.since))
	}
	if t.version != now.Version {
		t.version, t.since = now.Version, time.Now()
	}
	held := &Held{Cluster: t.Cluster, Former: t.former(), Holder: holderOf(now), Renewed: now.Renewed, Lease: lease, Waited: t.opts.Timeout}
	if left <= 0 {
		return held
	}
	if t.opts.Waiting != nil && t.told != now.Holder {
		t.told = now.Holder
		t.opts.Waiting(held)
	}
	return t.changed(ctx, now, min(left, lease-time.Since(t.since)))
}

// changed returns when the Lease changed, or when the time is over: then look again.
func (t *taking) changed(ctx context.Context, now Lease, limit time.Duration) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := t.Leases.Changed(bounded, now.Version)
	if ctx.Err() == nil && bounded.Err() != nil {
		return nil
	}
	return err
}

// ours is the Lease as we take it.
func (t *taking) ours(was Lease) Lease {
	next := was
	next.Holder, next.Duration = t.opts.Holder.ID, t.opts.Lease
	next.Acquired, next.Renewed = t.sent, t.sent
	if was.Version != "" && was.Holder != next.Holder {
		next.Transitions++
	}
	next.Labels = with(was.Labels, map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: t.opts.Network})
	next.Annotations = t.opts.Holder.note(was.Annotations)
	next.Annotations[AnnotationNamespaces] = joinNamespaces(append(NamespacesOf(was), t.Namespaces...))
	next.Annotations[AnnotationClusters] = joinClusters(bothClusters(ClustersOf(was), t.opts.Clusters))
	return next
}
