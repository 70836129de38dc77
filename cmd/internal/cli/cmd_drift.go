package cli

import (
	"context"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/schema/diag"
)

func newDrift(sys *System) *cobra.Command {
	o := &common{sys: sys, formats: report.FormatsOfPlans(), comparing: true, reading: true}
	c := &cobra.Command{
		Use:   "drift [PACKAGE]",
		Short: "Show where a cluster differs from what was last applied",
		Long: `Drift compares the clusters with what was last applied, field by field, and
exits with 2 when they differ. What git changed since is not drift: plan shows
it. Sites and Links that Fairlead does not own are listed apart.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			return o.recorded(c.Context(), o.drift)
		},
	}
	o.describe(c)
	o.reporting(c)
	o.reach(c)
	o.narrow(c)
	o.measured(c)
	return c
}

func (o *common) drift(ctx context.Context) error {
	s, observation, err := o.open(ctx)
	if err != nil {
		return err
	}
	p := o.driftPlan(s, observation)
	lost := plan.Unrecorded(observation, s.Network.Name)
	for _, r := range lost {
		p.Summary.Unknown++
		p.Diagnostics = append(p.Diagnostics, diag.Finding{
			Severity: diag.Warning, Code: "inventory-lost", Subject: r.String(),
			Message: "its inventory is gone, so what was last applied there is not known", Fix: "look at the plan and apply: that writes it again",
		})
	}
	o.records.facts.Drift = &p
	o.found(s, observation)
	if err := o.show(o.driftReport(s, observation, p)); err != nil {
		return err
	}
	switch {
	case len(lost) > 0:
		return quit(exitChanges)
	case p.Pending() || len(p.Refusals) > 0:
		return quit(exitChanges)
	case !plan.AllRead(p.Clusters):
		return quit(exitUnreachable)
	}
	return nil
}

// driftPlan is the ordinary plan, made for what was last applied instead of what
// git says; only what the cluster moved is kept.
func (o *common) driftPlan(s session, observation plan.Observation) plan.Plan {
	p := plan.Make(plan.Input{
		Desired: desired.LastApplied(observation, s.desired), Observation: observation,
		Source: s.source, Filter: o.filter(), ExpiringBefore: expiry(),
	})
	for _, d := range s.desired.Sites {
		if observation.Cluster(d.Cluster).State != plan.StateOK {
			p.Summary.Unknown++
		}
	}
	return plan.Keep(p, func(a plan.Action) bool { return a.Cause != plan.CausePending })
}
