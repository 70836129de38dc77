package cli

import (
	"context"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
)

func newDiff(sys *System) *cobra.Command {
	o := &common{sys: sys, judges: true, formats: report.FormatsOfPlans()}
	var detailed bool
	c := &cobra.Command{
		Use:   "diff --base REV [PACKAGE]",
		Short: "Show what a change does, from git alone",
		Long: `Diff compares the description with that of another git revision and shows what the
change does to sites, links and traffic, as a plan would for clusters that are just as
the base describes. It touches no cluster and resolves no secret, so it suits pull
requests from forks. A description that is not at its path there is looked for in the
whole revision, by the name of its network. What is pending or drifted besides, only plan can tell.`,
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
	o.comparison(c, "the git revision to compare with")
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
	settings := settingsChanged(base, head)
	in := o.betweenBases(base, head, settings)
	p := plan.FromGit(plan.Make(in), base.source)
	if err := o.knows(head, p); err != nil {
		return err
	}
	if err := o.show(o.reportOf(head, in, p)); err != nil {
		return err
	}
	if detailed && (p.Pending() || len(settings) > 0) {
		return quit(exitChanges)
	}
	return nil
}
