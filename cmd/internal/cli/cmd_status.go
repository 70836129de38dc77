package cli

import (
	"context"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/status"
)

type statusFlags struct{ clusterCommand }

func newStatus(sys *System) *cobra.Command {
	o := &statusFlags{newClusterReader(sys)}
	c := &cobra.Command{
		Use:   "status [PACKAGE]",
		Short: "Show how the network's sites and links fare",
		Long: `Status shows every declared site and link as it is on the clusters: cost, state,
remote site and, when it is not ready, the reason. It exits with 0 whatever the
state, and with 7 when a cluster could not be read.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(c, args); err != nil {
				return err
			}
			return o.recorded(c.Context(), o.run)
		},
	}
	o.flags(c)
	o.records.flags(c)
	return c
}

func (o *statusFlags) run(ctx context.Context) error {
	s, observation, err := o.open(ctx, judge.Terms{}, look{brief: true, routers: true})
	if err != nil {
		return err
	}
	status := status.Of(s.desired, observation, expiry())
	o.records.found(s, observation)
	if err := o.show(report.Report{Status: &status}); err != nil {
		return err
	}
	if !plan.AllRead(status.Clusters) {
		return quit(exitUnreachable)
	}
	return nil
}
