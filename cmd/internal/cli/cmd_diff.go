package cli

import (
	"context"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report"
)

func newDiff(sys *System) *cobra.Command {
	o := &common{sys: sys, formats: report.FormatsOfPlans()}
	var detailed bool
	c := &cobra.Command{
		Use:   "diff --base REV [PACKAGE]",
		Short: "Show what a change does, from git alone",
		Long: `Diff compares the description with that of another git revision and shows what the
change does to sites, links and traffic, as a plan would for clusters that are just as
the base describes. It touches no cluster and resolves no secret, so it suits pull
requests from forks. What is pending or drifted besides, only plan can tell.`,
		Example: "  fairlead diff --base main\n  fairlead diff --base main --format markdown -o comment.md",
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			if o.base == "" {
				return fail(exitInvalid, "--base is missing: name the revision to compare with, such as --base main")
			}
			return o.diff(c.Context(), detailed)
		},
	}
	o.describe(c)
	o.reporting(c)
	o.narrow(c)
	c.Flags().StringVar(&o.base, "base", "", "the git revision to compare with")
	c.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 when the change does anything, to the policy and the clusters' settings too")
	return c
}

// diff compares and shows. Nothing is refused: what a plan would be refused for is shown.
func (o *common) diff(ctx context.Context, detailed bool) error {
	head, err := o.load(ctx)
	if err != nil {
		return err
	}
	base, err := o.readBase(ctx, head)
	if err != nil {
		return err
	}
	change, settings := between(base, head), settingsChanged(base, head)
	p := o.compare(base, head, change, settings)
	if err := o.knows(head, p); err != nil {
		return err
	}
	if err := o.show(o.reportOf(head, change, p)); err != nil {
		return err
	}
	if detailed && (p.Pending() || len(settings) > 0) {
		return quit(exitChanges)
	}
	return nil
}
