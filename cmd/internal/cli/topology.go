package cli

import (
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
)

// reportOf is the report of a plan that was made of the input. Where a cluster could not be
// read there is no picture of what was there.
func (o *common) reportOf(d description, in plan.Input, p plan.Plan) report.Report {
	after := desired.AsNetwork(d.desired)
	r := report.Report{Plan: &p, After: &after, Run: o.invocation.URL}
	if countUnread(in.Observation) == 0 {
		before := plan.AsFound(in, p)
		r.Before = &before
	}
	return d.placed(r)
}

// driftReport is the report of drift, from the network as last applied to itself.
func (o *common) driftReport(d description, applied plan.Desired, p plan.Plan) report.Report {
	r := report.Report{Drift: &p, Run: o.invocation.URL}
	if plan.AllRead(p.Clusters) {
		n := desired.AsNetwork(applied)
		r.Before, r.After = &n, &n
	}
	return d.placed(r)
}
