package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
)

func newPlan(sys *System) *cobra.Command {
	o := &common{sys: sys, judges: true, formats: report.FormatsOfPlans(), comparing: true, reading: true}
	var detailed bool
	c := &cobra.Command{
		Use:   "plan [PACKAGE]",
		Short: "Show what apply would do",
		Long: `Plan compares the description with the live clusters and shows what apply would
do, and why. It writes nothing to any cluster. With -o FILE the plan is also
saved as JSON, for apply --plan; with -o - standard output has only that.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			return o.recorded(c.Context(), func(ctx context.Context) error { return o.plan(ctx, detailed) })
		},
	}
	o.describe(c)
	o.reporting(c)
	o.reach(c)
	o.narrow(c)
	o.allowing(c)
	o.partial(c)
	o.measured(c)
	o.trust(c)
	o.comparison(c, "tell apart what changed since this git revision and what is pending anyway")
	c.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 when there is anything to do")
	c.Flags().BoolVar(&o.adopt, "adopt", false, "plan to take over foreign objects of a wanted name")
	return c
}

// plan makes a plan, shows it and judges it.
func (o *common) plan(ctx context.Context, detailed bool) error {
	s, observation, err := o.open(ctx)
	if err != nil {
		return err
	}
	in := o.input(s, observation, nil)
	p, err := o.lift(o.make(s, in))
	if err != nil {
		return err
	}
	if err := o.knows(s.description, p); err != nil {
		return err
	}
	p = o.against(p, s, observation)
	if err := o.savePlan(o.reportOf(s.description, in, p)); err != nil {
		return err
	}
	return planExit(o.accepted(p), detailed)
}

// savePlan shows the plan and, with -o, writes its JSON to the file. With -o - the
// JSON is all that standard output has.
func (o *common) savePlan(r report.Report) error {
	switch o.output {
	case "":
		return o.show(r)
	case "-":
		if err := report.JSON(o.sys.Out, r); err != nil {
			return err
		}
		return o.writeReports(r)
	}
	if err := o.sys.write("--output", o.output, func(w io.Writer) error { return report.JSON(w, r) }); err != nil {
		return err
	}
	if err := o.render(o.sys.Out, r, o.colored(o.sys.OutTerminal)); err != nil {
		return err
	}
	return o.writeReports(r)
}

// planExit judges a shown plan.
func planExit(p plan.Plan, detailed bool) error {
	switch {
	case len(p.Refused()) > 0:
		return quit(exitRefused)
	case !plan.AllRead(p.Clusters):
		return quit(exitUnreachable)
	case detailed && p.Pending():
		return quit(exitChanges)
	}
	return nil
}
