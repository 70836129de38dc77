package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/schema/network"
)

func newUnlock(sys *System) *cobra.Command {
	o := &common{sys: sys}
	var cluster, namespace string
	c := &cobra.Command{
		Use:   "unlock [PACKAGE] --cluster NAME HOLDER_ID",
		Short: "Free the lock of a run that is dead",
		Long: `Unlock frees the lock that a run left on a cluster. The id is the run's, as the
message of the apply that was kept out shows it: if another run has the lock by now,
it stays (exit code 9). A run that is not dead after all notices, and stops.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(args[:len(args)-1]); err != nil {
				return err
			}
			if c.Flags().Changed("lock-namespace") && !network.IsLabel(namespace) {
				return fail(exitInvalid, "--lock-namespace %q is no namespace", namespace)
			}
			return o.unlock(c.Context(), network.ClusterName(cluster), namespace, args[len(args)-1])
		},
	}
	o.describe(c)
	o.reach(c)
	o.trust(c)
	c.Flags().StringVar(&cluster, "cluster", "", "the cluster whose lock is freed")
	c.Flags().StringVar(&namespace, "lock-namespace", "", "where the lock is, if the description had another lockNamespace then")
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) < 1 || len(args) > 2 || args[len(args)-1] == "" || cluster == "" {
			return fail(exitInvalid, "name a cluster and the id of the run: fairlead unlock [PACKAGE] --cluster NAME HOLDER_ID")
		}
		return nil
	}
	return c
}

// unlock frees one lock if the run of the id has it. Only that cluster is asked.
func (o *common) unlock(ctx context.Context, name network.ClusterName, namespace, id string) error {
	judged, err := o.loadJudged(ctx)
	if err != nil {
		return err
	}
	d := judged.Description()
	i := slices.IndexFunc(d.Network.Clusters, func(c network.Cluster) bool { return c.Name == name })
	if i < 0 {
		return fail(exitInvalid, "--cluster %s: the network has no such cluster", name)
	}
	s, err := o.connect(ctx, judged)
	if err != nil {
		return err
	}
	if _, err := s.reached(name); err != nil {
		return err
	}
	c := d.Network.Clusters[i]
	return o.free(ctx, s, s.lockable(c, cmp.Or(namespace, c.LocksIn())), id)
}

// free frees the lock of a cluster that can be asked.
func (o *common) free(ctx context.Context, s session, c lock.Lockable, id string) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	was, err := lock.Unlock(ctx, c, s.Network.Name, id)
	return o.unlocked(s, c.Cluster, was, err)
}

// unlocked says how it ended.
func (o *common) unlocked(s session, cluster network.ClusterName, was lock.Holder, err error) error {
	var held *lock.Held
	switch {
	case errors.As(err, &held):
		return fail(exitLocked, "%w; it was left alone. If that run is dead:\n  %s", err, o.unlockCommand(cluster, held.Former, held.Holder.ID))
	case errors.Is(err, lock.ErrForeign):
		return o.notLocked(s, err)
	case err != nil:
		return failure{code: exitUnreachable, err: err}
	case was.ID == "":
		fmt.Fprintf(o.sys.Out, "Cluster %s is not locked.\n", cluster)
	default:
		fmt.Fprintf(o.sys.Out, "Cluster %s is free. The lock was that of %s.\n", cluster, was)
	}
	return nil
}
