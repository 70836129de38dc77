package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/schema/network"
)

type unlockFlags struct {
	clusterCommand
	cluster, namespace string
}

func newUnlock(sys *System) *cobra.Command {
	o := &unlockFlags{clusterCommand: clusterCommand{packageCommand: newPackageCommand(sys)}}
	c := &cobra.Command{
		Use:   "unlock [PACKAGE] --cluster NAME HOLDER_ID",
		Short: "Free the lock of a run that is dead",
		Long: `Unlock frees the lock that a run left on a cluster. The id is the run's, as the
message of the apply that was kept out shows it: if another run has the lock by now,
it stays (exit code 9). A run that is not dead after all notices, and stops.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(c, args[:len(args)-1]); err != nil {
				return err
			}
			if c.Flags().Changed("lock-namespace") && !network.IsLabel(o.namespace) {
				return fail(exitInvalid, "--lock-namespace %q is no namespace", o.namespace)
			}
			return o.run(c.Context(), network.ClusterName(o.cluster), args[len(args)-1])
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.cluster, "cluster", "", "the cluster whose lock is freed")
	c.Flags().StringVar(&o.namespace, "lock-namespace", "", "where the lock is, if the description had another lockNamespace then")
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) < 1 || len(args) > 2 || args[len(args)-1] == "" || o.cluster == "" {
			return fail(exitInvalid, "name a cluster and the id of the run: fairlead unlock [PACKAGE] --cluster NAME HOLDER_ID")
		}
		return nil
	}
	return c
}

// run frees one lock if the run of the id has it. Only that cluster is asked.
func (o *unlockFlags) run(ctx context.Context, name network.ClusterName, id string) error {
	judged, err := o.loadJudged(ctx, judge.Terms{})
	if err != nil {
		return err
	}
	clusters := judged.Description().Network.Clusters
	i := slices.IndexFunc(clusters, func(c network.Cluster) bool { return c.Name == name })
	if i < 0 {
		return fail(exitInvalid, "--cluster %s: the network has no such cluster", name)
	}
	s, err := connect(ctx, o.process, o.clusterFlags, judged)
	if err != nil {
		return err
	}
	if _, err := s.reached(name); err != nil {
		return err
	}
	was, err := unlock(ctx, &s, lockable(&s, clusters[i], cmp.Or(o.namespace, clusters[i].LocksIn())), id)
	var held *lock.Held
	switch {
	case errors.As(err, &held):
		return fail(exitLocked, "%w; it was left alone. If that run is dead:\n  %s", err, unlockCommand(o.path, name, held.Former, held.Holder.ID))
	case errors.Is(err, lock.ErrForeign):
		return notLocked(&s, err)
	case err != nil:
		return failure{code: exitUnreachable, err: err}
	case was.ID == "":
		fmt.Fprintf(o.sys.Out, "Cluster %s is not locked.\n", name)
	default:
		fmt.Fprintf(o.sys.Out, "Cluster %s is free. The lock was that of %s.\n", name, was)
	}
	return nil
}

// unlock frees the lock of a cluster that can be asked, and says whose it was.
func unlock(ctx context.Context, s *session, c lock.Lockable, id string) (lock.Holder, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return lock.Unlock(ctx, c, s.Network.Name, id)
}
