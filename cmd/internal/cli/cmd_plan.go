package cli

import (
	"cmp"
	"context"
	"io"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/formats"
	"fairlead.dev/fairlead/plan"
)

type planFlags struct {
	clusterCommand
	partFlags
	baseFlags
	allowFlags
	partialFlag
	adopt, detailed bool
}

func newPlan(sys *System) *cobra.Command {
	o := &planFlags{clusterCommand: newClusterReader(sys, formats.OfPlans()...)}
	o.showsFindings = true
	c := &cobra.Command{
		Use:   "plan [PACKAGE]",
		Short: "Show what apply would do",
		Long: `Plan compares the description with the live clusters and shows what apply would
do, and why. It writes nothing to any cluster. With -o FILE the plan is also
saved as JSON, for apply --plan; with -o - standard output has only that.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := cmp.Or(o.clusterCommand.check(c, args), o.baseFlags.check(c), o.allowFlags.check()); err != nil {
				return err
			}
			return o.recorded(c.Context(), o.run)
		},
	}
	o.clusterCommand.flags(c)
	o.reportFlag(c)
	o.partFlags.flags(c)
	o.allowFlags.flags(c)
	o.partialFlag.flags(c)
	o.records.flags(c)
	o.baseFlags.flags(c, "tell apart what changed since this git revision and what is pending anyway")
	c.Flags().BoolVar(&o.detailed, "detailed-exitcode", false, "exit with 2 when there is anything to do")
	c.Flags().BoolVar(&o.adopt, "adopt", false, "plan to take over foreign objects of a wanted name")
	return c
}

// run makes a plan, shows it and judges it.
func (o *planFlags) run(ctx context.Context) error {
	s, observation, err := o.open(ctx, o.terms(nil), look{credentials: true, adopt: o.adopt, against: o.baseFlags})
	if err != nil {
		return err
	}
	in := s.input(observation, o.filter())
	p, err := o.lift(o.make(s, in))
	if err != nil {
		return err
	}
	if err := o.known(s.description, p.Actions); err != nil {
		return err
	}
	p = against(p, s, observation, o.filter())
	if err := o.save(o.planReport(s.description, in, p)); err != nil {
		return err
	}
	return planExit(o.accepted(p), o.detailed)
}

// save shows the plan and, with -o, writes its JSON to the file. With -o - the
// JSON is all that standard output has.
func (o *planFlags) save(r report.Report) error {
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
	screen := o.outputFlags
	screen.output = ""
	return screen.show(r)
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
