package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
)

// What drift may be judged against.
const (
	againstApplied = "applied"
	againstGit     = "git"
)

func newDrift(sys *System) *cobra.Command {
	o := &common{sys: sys, formats: report.FormatsOfPlans(), comparing: true, reading: true, routers: true}
	against := againstApplied
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
			if err := o.check(args); err != nil {
				return err
			}
			if against != againstApplied && against != againstGit {
				return fail(exitInvalid, "--against %q is not known; use applied or git", against)
			}
			return o.recorded(c.Context(), func(ctx context.Context) error { return o.drift(ctx, against) })
		},
	}
	o.describe(c)
	o.reporting(c)
	o.reach(c)
	o.narrow(c)
	o.measured(c)
	o.trust(c)
	c.Flags().StringVar(&against, "against", against, "what ends with 2: differences from what was last applied, or those from git as well (applied or git)")
	return c
}

func (o *common) drift(ctx context.Context, against string) error {
	s, observation, err := o.open(ctx)
	if err != nil {
		return err
	}
	applied := desired.LastApplied(observation, s.desired)
	p := o.driftPlan(s, observation, applied)
	o.records.facts.Drift = &p
	o.found(s, observation)
	if err := o.show(o.driftReport(s.description, applied, p)); err != nil {
		return err
	}
	switch {
	case p.Ill() || against == againstGit && len(p.Behind) > 0:
		return quit(exitChanges)
	case !plan.AllRead(p.Clusters):
		return quit(exitUnreachable)
	}
	return nil
}

// driftPlan is the plan of the session's drift from what was last applied.
func (o *common) driftPlan(s session, observation plan.Observation, applied plan.Desired) plan.Plan {
	return plan.Drift(plan.Input{
		Desired: s.desired, Observation: observation, Source: s.source, Filter: o.filter(),
		ExpiringBefore: expiry(), Now: time.Now().UTC().Format(time.RFC3339), Ignore: s.Network.Policy.Ignore,
	}, applied)
}
