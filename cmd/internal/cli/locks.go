package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/kube"
	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// lockFlags are those of a command that holds locks.
type lockFlags struct {
	lockTimeout, lockLease time.Duration
}

func (l *lockFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.DurationVar(&l.lockTimeout, "lock-timeout", 0, "how long to wait for the locks of another run that lives (default: not at all)")
	f.DurationVar(&l.lockLease, "lock-lease", lock.DefaultLease, "how long a lock outlives a run that died, in whole seconds")
}

func (l *lockFlags) check() error {
	if l.lockTimeout < 0 {
		return fail(exitInvalid, "--lock-timeout must not be negative")
	}
	if l.lockLease < time.Second || l.lockLease%time.Second != 0 {
		return fail(exitInvalid, "--lock-lease must be of whole seconds, and at least one")
	}
	return nil
}

// locked runs an apply under the locks of its clusters, which are taken before it observes.
// Where one is lost, the context that run got ends, with the reason as its cause. The locks are
// freed however run ends.
func (o *applyFlags) locked(ctx context.Context, run func(context.Context) error) error {
	if err := o.lockFlags.check(); err != nil {
		return err
	}
	within, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	o.lost = lost
	settled := false
	defer func() {
		if o.locks != nil {
			o.release(ctx, settled)
		}
	}()
	err := run(within)
	settled = err == nil && o.whole && o.filter().IsZero()
	if settled {
		o.noteLocks(within)
	}
	if why := context.Cause(within); errors.Is(why, lock.ErrLocked) && err != nil {
		return fail(exitLocked, "%w; the apply was stopped: %w", why, err)
	}
	return err
}

// takeLocks takes the locks of the clusters that can be asked. A cluster whose lock could not
// be had counts as one that cannot be read.
func (o *applyFlags) takeLocks(ctx context.Context, s *session) error {
	if err := pinned(ctx, s); err != nil {
		return err
	}
	end := o.phase("lock")
	taken, err := lock.Take(ctx, lockables(s), o.lockOptions(s))
	o.locks = taken
	if err != nil {
		return notLocked(s, err)
	}
	s.locks = taken
	leave(s, taken.Missing)
	end("clusters", len(s.clusters))
	return nil
}

// pinned refuses clusters that are not those which the description pins, before anything is
// written to them. Of one that does not say who it is the plan tells.
func pinned(ctx context.Context, s *session) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	list := s.clients(func(c network.Cluster) bool { return c.UID != "" })
	found := kube.WhoAre(ctx, list, kube.Reading{Network: s.Network.Name, Areas: s.areas()}, s.parallelism)
	for _, view := range found.Clusters {
		pin := s.desired.UIDs[view.Name]
		if same, known := view.Is(pin); known && !same {
			return fail(exitRefused, "cluster %s is another one than the description pins: its UID is %s, not %s; nothing was applied.\n"+
				"Correct how it is reached, or its uid", view.Name, view.UID, pin)
		}
	}
	return nil
}

func (o *applyFlags) lockOptions(s *session) lock.Options {
	return lock.Options{
		Network: s.Network.Name, Lease: o.lockLease, Timeout: o.lockTimeout, Partial: o.allowPartial,
		Holder:   lock.Holder{ID: o.who.ID, User: o.who.User, Host: o.who.Host, URL: o.who.URL, Commit: s.source.Commit, Since: o.who.Started},
		Clusters: world.Noted(s.desired, nil), Deletes: &s.Network.Policy.Deletes,
		Lost: func(why error) {
			o.lost(why)
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
func (o *applyFlags) release(ctx context.Context, settled bool) {
	for _, left := range o.locks.Release(ctx, settled) {
		fmt.Fprintf(o.sys.Err, "The lock could not be freed: %v. It ends by itself after %s; at once with: %s\n",
			left, o.lockLease, unlockCommand(o.path, left.Cluster, left.Former, o.who.ID))
	}
}

// noteLocks has the records say where the locks are kept, now that all is as declared. What
// fails leaves the former places in force.
func (o *applyFlags) noteLocks(ctx context.Context) {
	s := o.opened
	err := apply.NoteLocks(ctx, s.Network.Name, s.writers(), o.unnoted, apply.Options{
		Parallelism: o.parallelism, Run: o.who.ID, Locks: s.places(),
	})
	if err != nil {
		fmt.Fprintf(o.sys.Err, "Where the locks are kept could not be recorded; the next apply tries it again: %v\n", err)
		return
	}
	s.locks.Moved()
}

// places are where a description keeps the locks of its clusters.
func (d description) places() map[network.ClusterName]string {
	out := map[network.ClusterName]string{}
	for _, c := range d.Network.Clusters {
		out[c.Name] = c.LocksIn()
	}
	return out
}

// lockables are the locks of the clusters of a description that can be asked.
func lockables(s *session) []lock.Lockable {
	var out []lock.Lockable
	for _, c := range s.Network.Clusters {
		if _, ok := s.clusters[c.Name]; !ok { // nobody can reach it
			continue
		}
		out = append(out, lockable(s, c, c.LocksIn()))
		for _, namespace := range s.former[c.Name] {
			out = append(out, lockable(s, c, namespace))
		}
	}
	return out
}

// lockable is the lock of one cluster in a namespace.
func lockable(s *session, c network.Cluster, namespace string) lock.Lockable {
	return lock.Lockable{
		Cluster: c.Name, In: namespace, Former: namespace != c.LocksIn(), Namespaces: namespacesOn(s.Network, c.Name),
		Leases: s.clusters[c.Name].Leases(namespace, network.InventoryName(s.Network.Name)),
	}
}

// leave takes clusters without a lock for such that cannot be read: nothing is planned
// there.
func leave(s *session, missing []lock.NotLocked) {
	for _, m := range missing {
		if _, ok := s.clusters[m.Cluster]; !ok { // it has locks at several places
			continue
		}
		delete(s.clusters, m.Cluster)
		s.unread = append(s.unread, unread(m.Cluster, fmt.Errorf("%s could not be taken: %w", m.Lock(), m.Err)))
	}
}

// writers gives the clusters as apply wants them: each is written to only while its lock
// is held.
func (s *session) writers() map[network.ClusterName]apply.Cluster {
	out := map[network.ClusterName]apply.Cluster{}
	for name, c := range s.clusters {
		out[name] = c
	}
	return s.locks.Guard(out)
}

// notLocked says why a lock was not taken or freed, what to do, and with which code to
// end.
func notLocked(s *session, err error) error {
	var held *lock.Held
	switch {
	case errors.As(err, &held):
		// In twice the time the lock of a dead holder ends for sure.
		return fail(exitLocked, `%w; nothing was applied.
Wait for it with --lock-timeout %s: a run that died keeps the lock for %s. If it is dead for sure:
  %s`, err, 2*held.Lease, held.Lease, unlockCommand(s.path, held.Cluster, held.Former, held.Holder.ID))
	case errors.Is(err, lock.ErrLocked):
		return fail(exitLocked, "%w; nothing was applied", err)
	case errors.Is(err, lock.ErrForeign):
		return fail(exitRefused, "%w: its labels are not those of network %s; rename the network, or delete the Lease %s if nobody needs it",
			err, s.Network.Name, network.InventoryName(s.Network.Name))
	case errors.Is(err, apply.ErrForbidden), errors.Is(err, apply.ErrNotFound):
		return fail(exitUnreachable, `the locks could not be taken; nothing was applied:
%w
The lock is the Lease %s in the cluster's lockNamespace (%q unless declared), which has to be there;
fairlead rbac prints the rights that it takes%s`, err, network.InventoryName(s.Network.Name), network.DefaultLockNamespace, tellFormer(s.former))
	}
	return fail(exitUnreachable, "the locks could not be taken; nothing was applied: %w", err)
}

// tellFormer says which rights former places of locks take.
func tellFormer(former map[network.ClusterName][]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(former)) {
		for _, namespace := range former[name] {
			list = append(list, fmt.Sprintf("%s of cluster %s", namespace, name))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return ".\nAn earlier apply kept it in namespace " + strings.Join(list, ", ") + ", where it is taken until an apply ended with all as declared:\n" +
		"fairlead rbac --since REV prints the rights for that, REV being a revision with that lockNamespace"
}

// unlockCommand is what frees a lock of a package's network by hand.
func unlockCommand(path string, cluster network.ClusterName, former, id string) string {
	words := []string{"fairlead", "unlock"}
	if path != "." {
		words = append(words, path)
	}
	words = append(words, "--cluster", string(cluster))
	if former != "" {
		words = append(words, "--lock-namespace", former)
	}
	return strings.Join(append(words, id), " ")
}
