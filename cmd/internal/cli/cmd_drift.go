package cli

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/formats"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/drift"
	"fairlead.dev/fairlead/plan/planner"
)

// What drift may be judged against.
const (
	againstApplied = "applied"
	againstGit     = "git"
)

type driftFlags struct {
	clusterCommand
	partFlags
	against string
}

func newDrift(sys *System) *cobra.Command {
	o := &driftFlags{clusterCommand: newClusterReader(sys, formats.OfPlans()...)}
	c := &cobra.Command{
		Use:   "drift [PACKAGE]",
		Short: "Show where a cluster differs from what was last applied, and how the network runs",
		Long: `Drift compares the clusters with what was last applied, field by field, and
exits with 2 when they differ. Apart from that it shows

- what git changed since and nobody applied yet; with --against git that ends
  with 2 as well,
- how the network runs: links that are down or at another cost, sites that are
  not ready, addresses that moved, certificates that end, credentials of an
  earlier CA, Links that Fairlead does not own, what earlier applies left. An
  error among these ends with 2, a warning does not,
- what rules of the description leave out (policy: ignore), with their reasons.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := cmp.Or(o.clusterCommand.check(c, args), oneOf("--against", o.against, againstApplied, againstGit)); err != nil {
				return err
			}
			return o.recorded(c.Context(), o.run)
		},
	}
	o.clusterCommand.flags(c)
	o.reportFlag(c)
	o.partFlags.flags(c)
	o.records.flags(c)
	c.Flags().StringVar(&o.against, "against", againstApplied, "what ends with 2: differences from what was last applied, or those from git as well (applied or git)")
	return c
}

func (o *driftFlags) run(ctx context.Context) error {
	s, observation, err := o.open(ctx, judge.Terms{}, look{credentials: true, routers: true})
	if err != nil {
		return err
	}
	applied := desired.LastApplied(observation, s.desired)
	p := drift.Of(planner.Input{
		Desired: s.desired, Observation: observation, Source: s.source, Filter: o.filter(),
		ExpiringBefore: expiry(), Now: time.Now().UTC().Format(time.RFC3339), Ignore: s.Network.Policy.Ignore,
	}, applied)
	o.records.facts.Drift = &p
	o.records.found(s, observation)
	r := report.Report{Drift: &p, Run: o.who.URL}
	if plan.AllRead(p.Clusters) { // the network as last applied is what it is compared with
		n := desired.AsNetwork(applied)
		r.Before, r.After = &n, &n
	}
	if err := o.show(s.placed(r)); err != nil {
		return err
	}
	switch {
	case p.Ill() || o.against == againstGit && len(p.Behind) > 0:
		return quit(exitChanges)
	case !plan.AllRead(p.Clusters):
		return quit(exitUnreachable)
	}
	return nil
}
