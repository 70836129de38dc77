package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// locking are the flags of a command that holds locks.
type locking struct {
	lockTimeout, lockLease time.Duration
}

func (l *locking) lockFlags(c *cobra.Command) {
	f := c.Flags()
	f.DurationVar(&l.lockTimeout, "lock-timeout", 0, "how long to wait for the locks of another run that lives (default: not at all)")
	f.DurationVar(&l.lockLease, "lock-lease", lock.DefaultLease, "how long a lock outlives a run that died, in whole seconds")
}

func (l *locking) checkLocks() error {
	if l.lockTimeout < 0 {
		return fail(exitInvalid, "--lock-timeout must not be negative")
	}
	if l.lockLease < time.Second || l.lockLease%time.Second != 0 {
		return fail(exitInvalid, "--lock-lease must be of whole seconds, and at least one")
	}
	return nil
}

// locked runs an apply under the locks of its clusters, which open takes. Where one is
// lost, the context that run got ends, with the reason as its cause. The locks are freed
// however run ends.
func (o *applyFlags) locked(ctx context.Context, run func(context.Context) error) error {
	if err := o.checkLocks(); err != nil {
		return err
	}
	within, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	var locks *lock.Locks
	o.lock = func(ctx context.Context, s session) (*lock.Locks, error) {
		taken, err := lock.Take(ctx, o.lockables(s), o.lockOptions(s, lost))
		locks = taken
		return taken, o.notLocked(s, err)
	}
	settled := false
	defer func() {
		if locks != nil {
			o.release(ctx, locks, settled)
		}
	}()
	err := run(within)
	settled = err == nil && o.whole && o.filter().IsZero()
	if settled {
		o.noteLocks(within)
	}
	if why := context.Cause(within); errors.Is(why, lock.ErrLocked) && err != nil {
		return failure{code: exitLocked, err: fmt.Errorf("%w; the apply was stopped: %w", why, err)}
	}
	return err
}

func (o *applyFlags) lockOptions(s session, lost func(error)) lock.Options {
	return lock.Options{
		Network: s.Network.Name, Holder: o.holder(s), Lease: o.lockLease, Timeout: o.lockTimeout, Partial: o.allowPartial,
		Clusters: plan.Noted(s.desired, nil), Deletes: &s.Network.Policy.Deletes,
		Lost: func(why error) {
			lost(why)
			fmt.Fprintf(o.sys.Err, "fairlead: %v; stopping\n", why)
		},
		Waiting: func(why error) {
			var held *lock.Held
			if o.lockTimeout == 0 && errors.As(why, &held) {
				fmt.Fprintf(o.sys.Err, "Looking for up to %s whether that run lives: %v.\n", held.Lease, held)
				return
			}
			fmt.Fprintf(o.sys.Err, "Waiting for up to %s: %v.\n", o.lockTimeout, why)
		},
	}
}

// release frees the locks; what cannot be freed is said and changes nothing else.
func (o *applyFlags) release(ctx context.Context, locks *lock.Locks, settled bool) {
	for _, left := range locks.Release(ctx, settled) {
		fmt.Fprintf(o.sys.Err, "The lock could not be freed: %v. It ends by itself after %s; at once with: %s\n",
			left, o.lockLease, o.unlockCommand(left.Cluster, left.Former, o.invocation.ID))
	}
}

// holder says who takes the locks.
func (o *common) holder(s session) lock.Holder {
	who := o.invocation
	return lock.Holder{ID: who.ID, User: who.User, Host: who.Host, URL: who.URL, Commit: s.source.Commit, Since: who.Started}
}

// lockables are the locks of the clusters of a description that can be asked.
func (o *common) lockables(s session) []lock.Lockable {
	var out []lock.Lockable
	for _, c := range s.Network.Clusters {
		if _, ok := s.clusters[c.Name]; !ok { // nobody can reach it
			continue
		}
		out = append(out, s.lockable(c, c.LocksIn()))
		for _, namespace := range s.former[c.Name] {
			out = append(out, s.lockable(c, namespace))
		}
	}
	return out
}

// underLock takes the locks of a command that writes, before it observes. A cluster
// whose lock could not be had counts as one that cannot be read.
func (o *common) underLock(ctx context.Context, s *session) (err error) {
	if o.lock == nil {
		return nil
	}
	if err := o.pinned(ctx, *s); err != nil {
		return err
	}
	end := o.phase("lock")
	if s.locks, err = o.lock(ctx, *s); err != nil {
		return err
	}
	s.leave(s.locks.Missing)
	end("clusters", len(s.clusters))
	return nil
}

// leave takes clusters without a lock for such that cannot be read: nothing is planned
// there.
func (s *session) leave(missing []lock.NotLocked) {
	for _, m := range missing {
		if _, ok := s.clusters[m.Cluster]; !ok { // it has locks at several places
			continue
		}
		delete(s.clusters, m.Cluster)
		s.unread = append(s.unread, unread(m.Cluster, fmt.Errorf("%s could not be taken: %w", m.Lock(), m.Err)))
	}
}

// lockable is the lock of one cluster in a namespace.
func (s session) lockable(c network.Cluster, namespace string) lock.Lockable {
	return lock.Lockable{
		Cluster: c.Name, In: namespace, Former: namespace != c.LocksIn(), Namespaces: namespacesOn(s.Network, c.Name),
		Leases: s.clusters[c.Name].Leases(namespace, network.InventoryName(s.Network.Name)),
	}
}

// uidsOf are those of the clusters that were read.
func uidsOf(o plan.Observation) map[network.ClusterName]string {
	out := map[network.ClusterName]string{}
	for _, c := range o.Clusters {
		out[c.Name] = c.UID
	}
	return out
}

// notLocked says why a lock was not taken or freed, what to do, and with which code to
// end.
func (o *common) notLocked(s session, err error) error {
	var held *lock.Held
	switch {
	case err == nil:
		return nil
	case errors.As(err, &held):
		return fail(exitLocked, `%w; nothing was applied.
Wait for it with --lock-timeout %s: a run that died keeps the lock for %s. If it is dead for sure:
  %s`, err, patient(held.Lease), held.Lease, o.unlockCommand(held.Cluster, held.Former, held.Holder.ID))
	case errors.Is(err, lock.ErrLocked):
		return failure{code: exitLocked, err: fmt.Errorf("%w; nothing was applied", err)}
	case errors.Is(err, lock.ErrForeign):
		return fail(exitRefused, "%w: its labels are not those of network %s; rename the network, or delete the Lease %s if nobody needs it",
			err, s.Network.Name, network.InventoryName(s.Network.Name))
	case errors.Is(err, apply.ErrForbidden), errors.Is(err, apply.ErrNotFound):
		return fail(exitUnreachable, `the locks could not be taken; nothing was applied:
%w
The lock is the Lease %s in the cluster's lockNamespace (%q unless declared), which has to be there;
fairlead rbac prints the rights that it takes%s`, err, network.InventoryName(s.Network.Name), network.DefaultLockNamespace, s.tellFormer())
	}
	return failure{code: exitUnreachable, err: fmt.Errorf("the locks could not be taken; nothing was applied: %w", err)}
}

// patient is a time to wait in which a dead holder's lock ends for sure.
func patient(lease time.Duration) time.Duration { return 2 * lease }

// unlockCommand is what frees a lock by hand.
func (o *common) unlockCommand(cluster network.ClusterName, former, id string) string {
	words := []string{"fairlead", "unlock"}
	if o.path != "." {
		words = append(words, o.path)
	}
	words = append(words, "--cluster", string(cluster))
	if former != "" {
		words = append(words, "--lock-namespace", former)
	}
	return strings.Join(append(words, id), " ")
}
