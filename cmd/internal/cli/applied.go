package cli

import (
	"errors"
	"time"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
)

// conclude shows the report of an apply on standard error, as standard output has the
// plan, and judges it.
func (o *applyFlags) conclude(s session, p plan.Plan, result apply.Report, took time.Duration) error {
	a := report.Applied{
		Format: report.AppliedFormat, Network: p.Network, Run: o.invocation.ID, Plan: p.ID, Saved: o.reads != "", DurationMs: took.Milliseconds(),
		Outcomes: outcomes(result), LeftOut: s.leftOut(p),
	}
	a.Sort()
	o.records.facts.Applied = &a
	if len(a.Outcomes) > 0 {
		o.records.facts.Status = nil // it is of before
	}
	if err := o.aside(report.Report{Applied: &a}); err != nil {
		return err
	}
	return quit(codeOf(result, len(a.LeftOut) > 0))
}

func outcomes(r apply.Report) []report.Outcome {
	out := make([]report.Outcome, 0, len(r.Outcomes))
	for _, o := range r.Outcomes {
		one := report.Outcome{
			Action: o.Action, State: stateOf(o), Attempt: o.Attempt, DurationMs: o.Took.Milliseconds(), Already: o.Already,
		}
		if o.Err != nil {
			one.Step, one.Reason = o.Step, o.Err.Error()
		}
		out = append(out, one)
	}
	return out
}

func stateOf(o apply.Outcome) report.State {
	switch {
	case o.State == apply.Done:
		return report.StateDone
	case o.State == apply.Altered:
		return report.StateAltered
	case o.State == apply.Blocked:
		return report.StateBlocked
	case o.State == apply.Untouched:
		return report.StateUntouched
	case errors.Is(o.Err, apply.ErrStale):
		return report.StateStale
	}
	return report.StateFailed
}

// classes give the exit code of each class of failure.
var classes = []struct {
	class error
	code  int
}{
	{lock.ErrLocked, exitLocked}, {apply.ErrTimeout, exitTimeout}, {apply.ErrStale, exitStale},
	{apply.ErrUnreachable, exitUnreachable}, {apply.ErrForbidden, exitUnreachable},
}

// codeOf gives the exit code of an apply: 0 when everything was done, the code of a
// class that all failures share, otherwise "in part". What is blocked or was not
// started does not count beside a failure; a cluster that was left out makes it "in
// part" whatever else failed. That of a signal goes before all, see codeOfError.
func codeOf(r apply.Report, leftOut bool) int {
	code := exitOK
	for _, o := range r.Outcomes {
		switch {
		case o.State != apply.Failed && o.State != apply.Altered:
		case code == exitOK:
			code = classOf(o.Err)
		case code != classOf(o.Err):
			code = exitPartial
		}
	}
	if leftOut || code == exitOK && !r.Complete() {
		return exitPartial
	}
	return code
}

// classOf is the exit code of one failure.
func classOf(err error) int {
	for _, c := range classes {
		if errors.Is(err, c.class) {
			return c.code
		}
	}
	return exitPartial
}

// beginRecords writes the first event, with the plan, before anything is applied.
func (o *applyFlags) beginRecords(p plan.Plan) error {
	o.records.facts.Applies = true
	if o.records.events == nil {
		return nil
	}
	return o.records.events.begin(p)
}

// nothingToDo ends an apply whose plan is empty; clusters may have been left out.
func (o *applyFlags) nothingToDo(s session, p plan.Plan) error {
	if plan.AllRead(p.Clusters) {
		return nil
	}
	return o.conclude(s, p, apply.Report{}, 0)
}
