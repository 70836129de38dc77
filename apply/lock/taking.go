package lock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// taking is one lock on its way to us.
type taking struct {
	Lockable
	opts     *Options
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
	case errors.Is(r.err, apply.ErrNotFound):
		t.sent = time.Now()
		got, err = t.Leases.Create(ctx, t.ours(t.went))
		return got, err == nil, unless(err, apply.ErrExists)
	case r.err != nil:
		return got, false, r.err
	case !plan.Owned(r.lease.Labels, t.opts.Network):
		return got, false, ErrForeign
	case r.lease.Deleting && t.free(r.lease):
		return got, false, t.waitGone(ctx, r.lease)
	case t.free(r.lease):
		t.sent = time.Now()
		got, err = t.Leases.Update(ctx, t.ours(r.lease))
		return got, err == nil, unless(unless(err, apply.ErrConflict), apply.ErrNotFound)
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
	held := t.heldBy(now, t.opts.Timeout)
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
	next.Annotations[AnnotationClusters] = note(bothClusters(ClustersOf(was), t.opts.Clusters))
	return next
}

// Going is the error of a lock whose Lease is being deleted.
type Going struct {
	Cluster    network.ClusterName
	Finalizers []string
	// Waited is how long it was waited for.
	Waited time.Duration
}

// Error says what holds it.
func (g *Going) Error() string {
	text := fmt.Sprintf("the lock on cluster %s cannot be taken: its Lease is being deleted, %s", g.Cluster, world.HeldBy(g.Finalizers))
	if g.Waited > 0 {
		text += fmt.Sprintf(" (waited %s)", g.Waited)
	}
	return text
}

// Unwrap gives the class.
func (g *Going) Unwrap() error { return ErrLocked }

// waitGone returns when a Lease that is being deleted changed or is gone, and with a *Going
// when the deadline is over.
func (t *taking) waitGone(ctx context.Context, now Lease) error {
	t.went = Lease{Annotations: now.Annotations, Transitions: now.Transitions}
	going := &Going{Cluster: t.Cluster, Finalizers: now.Finalizers, Waited: t.opts.Timeout}
	left := time.Until(t.deadline)
	if left <= 0 {
		return going
	}
	if told := "a Lease that goes"; t.opts.Waiting != nil && t.told != told {
		t.told = told
		t.opts.Waiting(going)
	}
	return t.changed(ctx, now, left)
}
