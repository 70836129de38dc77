package cli

import (
	"context"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
)

func newStatus(sys *System) *cobra.Command {
	o := &common{sys: sys, reading: true, brief: true, routers: true}
	c := &cobra.Command{
		Use:   "status [PACKAGE]",
		Short: "Show how the network's sites and links fare",
		Long: `Status shows every declared site and link as it is on the clusters: cost, state,
remote site and, when it is not ready, the reason. It exits with 0 whatever the
state, and with 7 when a cluster could not be read.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			return o.recorded(c.Context(), o.status)
		},
	}
	o.describe(c)
	o.reach(c)
	o.measured(c)
	o.trust(c)
	return c
}

func (o *common) status(ctx context.Context) error {
	s, observation, err := o.open(ctx)
	if err != nil {
		return err
	}
	status := plan.StatusOf(s.desired, observation, expiry())
	o.found(s, observation)
	if err := o.show(report.Report{Status: &status}); err != nil {
		return err
	}
	if !plan.AllRead(status.Clusters) {
		return quit(exitUnreachable)
	}
	return nil
}
