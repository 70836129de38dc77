// Package lock holds the locks of a network, one Lease on each cluster, so that only one run
// writes there at a time. It takes them in order, renews them, and lets no write start under
// one that was lost. It reaches Leases only through the interface that it declares here.
package lock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// DefaultLease is how long a lock outlives its holder.
const DefaultLease = time.Minute

// ErrLocked means that another run holds a lock, or took it away.
var ErrLocked = errors.New("locked")

// ErrForeign means that a Lease of the lock's name is not the network's.
var ErrForeign = errors.New("the Lease is not the network's")

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
	// Get returns the Lease, or apply.ErrNotFound.
	Get(ctx context.Context) (Lease, error)
	// Create makes it; apply.ErrExists when there is one, apply.ErrNotFound without its namespace.
	Create(ctx context.Context, l Lease) (Lease, error)
	// Update replaces it if it still is of l.Version: otherwise apply.ErrConflict, or
	// apply.ErrNotFound.
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

// Options say for whom locks are taken, and how.
type Options struct {
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
	Clusters []world.NotedCluster
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
func (o Options) every() time.Duration { return o.Lease / 4 }

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
	opts    Options
	// clusters are what a settled Release notes; opts is shared with the renewing and stays.
	clusters []world.NotedCluster
	// renewed are those clusters of which any Release notes the UID.
	renewed []network.ClusterName
	// moved is true once no record notes a former place any more.
	moved bool
	held  []*hold
}

// Take takes the locks of all clusters in the order of their names and of the Leases'
// namespaces, so that two runs never wait for each other. Where one cannot be taken, those that
// were are freed and the error says why: a *Held for each that another run has (ErrLocked),
// ErrForeign, or that of the cluster.
func Take(ctx context.Context, list []Lockable, opts Options) (*Locks, error) {
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
	if c.Former && errors.Is(err, apply.ErrNotFound) {
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
	return l.opts.Partial && (errors.Is(err, apply.ErrUnreachable) || errors.Is(err, apply.ErrForbidden))
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
	failed := eachLock(len(list), func(i int) (err error) {
		out[i].lease, err = list[i].Leases.Get(ctx)
		out[i].at = time.Now()
		return err
	})
	for i, err := range failed {
		out[i].err = err
	}
	return out
}

// eachLock does something with all locks, twenty at once, and gives each one's error. A
// panic is that lock's error.
func eachLock(n int, do func(int) error) []error {
	failed := make([]error, n)
	var g errgroup.Group
	g.SetLimit(20)
	for i := range n {
		g.Go(func() error {
			defer func() {
				if p := recover(); p != nil {
					failed[i] = fmt.Errorf("internal error: a panic of type %T", p)
				}
			}()
			failed[i] = do(i)
			return nil
		})
	}
	_ = g.Wait() // no function above returns an error: it is noted
	return failed
}

// unread lists every Lease that cannot be read, before any is taken.
func (l *Locks) unread(list []Lockable, seen []leaseRead) error {
	var all []error
	for i, r := range seen {
		if r.err != nil && !errors.Is(r.err, apply.ErrNotFound) && !l.tolerates(r.err) {
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
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), freeing)
		defer cancel()
		err = errors.Join(err, free(bounded, c.Leases, l.opts.Holder.ID, Lease{}, nil))
	}
	return err
}

// former is the namespace of the Lease where that is a former place.
func (c Lockable) former() string {
	if c.Former {
		return c.In
	}
	return ""
}

func (c Lockable) notLocked(err error) NotLocked { return NotLocked{c.Cluster, c.former(), err} }

// heldBy says who holds the lock, after a time of waiting.
func (c Lockable) heldBy(l Lease, waited time.Duration) *Held {
	return &Held{
		Cluster: c.Cluster, Former: c.former(), Holder: holderOf(l), Renewed: l.Renewed, Lease: leaseOf(l), Waited: waited,
	}
}

// gone says that the lock is not ours any more: who has it, or why it could not be renewed.
func (c Lockable) gone(to Holder, err error) *Lost {
	return &Lost{Cluster: c.Cluster, Former: c.former(), To: to, Err: err}
}

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
