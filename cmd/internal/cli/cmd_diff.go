package cli

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report/formats"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/origin"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/schema/diag"
)

type diffFlags struct {
	packageCommand
	partFlags
	baseFlags
	detailed bool
}

func newDiff(sys *System) *cobra.Command {
	o := &diffFlags{packageCommand: newPackageCommand(sys, formats.OfPlans()...)}
	o.showsFindings = true
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
			if err := cmp.Or(o.packageCommand.check(c, args), o.baseFlags.check(c)); err != nil {
				return err
			}
			if o.base == "" {
				return fail(exitInvalid, "--base is missing: name the revision to compare with, such as --base main")
			}
			return o.run(c.Context())
		},
	}
	o.packageCommand.flags(c)
	o.reportFlag(c)
	o.partFlags.flags(c)
	o.baseFlags.flags(c, "the git revision to compare with")
	c.Flags().BoolVar(&o.detailed, "detailed-exitcode", false, "exit with 2 when the change does anything, to the policy and the clusters' settings too")
	return c
}

// run compares and shows. Nothing is refused: what a plan would be refused for is shown.
func (o *diffFlags) run(ctx context.Context) error {
	head, err := o.load(ctx)
	if err != nil {
		return err
	}
	base, err := readBase(ctx, &o.packageCommand, o.baseFlags, head)
	if err != nil {
		return err
	}
	settings := settingsChanged(*base, head)
	in := betweenBases(*base, head, settings, o.filter())
	p := origin.FromGit(planner.Make(in), base.source)
	if err := o.known(head, p.Actions); err != nil {
		return err
	}
	if err := o.show(o.planReport(head, in, p)); err != nil {
		return err
	}
	if o.detailed && (p.Pending() || len(settings) > 0) {
		return quit(exitChanges)
	}
	return nil
}

// betweenBases is what a plan from the base to the head is made of: the base counts as
// applied, and its settings that change are findings.
func betweenBases(base, head description, settings []diag.Finding, filter plan.Filter) planner.Input {
	from, to := comparable(base.desired), comparable(head.desired)
	limits := head.Network.Policy.Deletes
	if base.Network.Name != "" {
		limits = limits.Stricter(base.Network.Policy.Deletes)
	}
	return planner.Input{
		Desired: to, Observation: base.names.Recorded(desired.AsApplied(from, to.Clusters...)), Source: head.source, Shape: true,
		Diagnostics: slices.Concat(head.Findings, settings, base.told), Filter: filter, Limits: &limits,
	}
}

// comparable are the desired objects of a description whose proxies are compared by where
// their credentials come from: what those are is not asked for.
func comparable(d plan.Desired) plan.Desired {
	d.Proxies = slices.Clone(d.Proxies)
	for i, p := range d.Proxies {
		d.Proxies[i].Digest, d.Proxies[i].Unknown = p.References, ""
	}
	return d
}
