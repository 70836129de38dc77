package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/approve"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/safety"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// savedPlan reads the file of --plan, "-" being standard input, for the description to be
// judged with it. Flags that would change the plan are refused, and so are flags that are
// empty: what was reviewed is to be applied, and not anything.
func (o *applyFlags) savedPlan(given func(flag string) bool) (*judge.Saved, error) {
	if o.reads == "" && given("plan") {
		return nil, fail(exitInvalid, "--plan is empty; name the file of a saved plan, or leave it out")
	}
	if strings.TrimPrefix(o.expected, "sha256:") == "" && given("expect-plan-id") {
		return nil, fail(exitInvalid, "--expect-plan-id is empty; pass the id of the plan that was reviewed")
	}
	if o.reads == "" {
		if o.expected != "" {
			return nil, fail(exitInvalid, "--expect-plan-id needs --plan FILE")
		}
		return nil, nil
	}
	if !o.filter().IsZero() {
		return nil, fail(exitInvalid, "--cluster, --site and --link do not go with --plan: the saved plan says what is done")
	}
	if o.adopt {
		return nil, fail(exitInvalid, "--adopt does not go with --plan: the saved plan says what is taken over; save one with: fairlead plan --adopt -o FILE")
	}
	read := func() ([]byte, error) { return os.ReadFile(o.sys.abs(o.reads)) }
	if o.reads == "-" {
		read = func() ([]byte, error) { return io.ReadAll(o.sys.In) }
	}
	data, err := read()
	if err != nil {
		return nil, fail(exitInvalid, "--plan: %w", err)
	}
	p, err := plan.Decode(data)
	if err != nil {
		return nil, fail(exitInvalid, "--plan %s: %w", o.reads, err)
	}
	if p.Base != nil && p.Base.Alone {
		return nil, fail(exitInvalid, "--plan %s: this compares two revisions and was made without the clusters; save a plan with: fairlead plan -o FILE", o.reads)
	}
	return &judge.Saved{Plan: p, File: o.reads, Expected: o.expected}, nil
}

// runSaved carries out what was approved: each action of the saved plan whose objects
// are as the plan saw them or as it wants them. now is a plan made of the same
// description a moment ago.
func (o *applyFlags) runSaved(ctx context.Context, s session, observation world.Observation, saved, now plan.Plan) error {
	if err := sameUIDs(saved, now); err != nil {
		return err
	}
	if err := newlyRefused(saved, now); err != nil {
		return err
	}
	if err := bounded(s, observation, saved); err != nil {
		return err
	}
	saved, err := o.lift(saved)
	if err != nil {
		return err
	}
	if err := o.show(report.Report{Plan: &saved}); err != nil {
		return err
	}
	approval := approve.Approve(saved, now)
	o.tellApproval(approval)
	o.whole = now.Summary.Unknown == 0 && plan.AllRead(now.Clusters) && !now.Narrowed && len(approval.Others) == 0
	asNow := saved
	asNow.Clusters = now.Clusters
	if err := o.begin(approval.Run, o.accepted(asNow)); err != nil {
		return err
	}
	s.locks.Renew(saved.TakenFor())
	if err := o.resolvable(s, approval.Run); err != nil {
		return err
	}
	return o.carryOut(ctx, s, approval.Run, skipped(approval)...)
}

// newlyRefused refuses a plan that would part sites which it would not have parted when
// it was made, two of whose clusters are one, or a cluster of which is another one.
func newlyRefused(saved, now plan.Plan) error {
	for _, r := range now.Refusals {
		known := slices.ContainsFunc(saved.Refusals, func(s plan.Refusal) bool { return s.Code == r.Code })
		code, _, _ := strings.Cut(r.Code, ".")
		if !known && slices.Contains([]string{safety.Partition, planner.SameCluster, plan.ClusterChanged}, code) {
			return fail(exitRefused, "%s %s, which was not so when the plan was made; plan again", r.Subject, r.Message)
		}
	}
	return nil
}

// bounded refuses a saved plan that takes away more than it says that it is refused for,
// by the description that is applied: whoever saved it may have left that out. What is
// done of it already only lowers the numbers.
func bounded(s session, observation world.Observation, saved plan.Plan) error {
	part := saved
	part.Narrowed = true
	now := planner.Make(planner.Input{
		Desired: s.desired, Observation: observation, Approved: &part,
		Limits: &s.Network.Policy.Deletes, Ignore: s.Network.Policy.Ignore,
	})
	for _, r := range now.Refusals {
		known := slices.ContainsFunc(saved.Refusals, func(was plan.Refusal) bool { return was.Code == r.Code && was.Number >= r.Number })
		if r.Number > 0 && !known {
			return fail(exitRefused, "--plan: %s: %s, and the saved plan does not say that it is refused for that; plan again", r.Subject, r.Message)
		}
	}
	return nil
}

// sameUIDs refuses clusters that are not those which were planned for, as with two
// contexts that are swapped.
func sameUIDs(saved, now plan.Plan) error {
	seen := map[network.ClusterName]plan.Cluster{}
	for _, c := range now.Clusters {
		seen[c.Name] = c
	}
	for _, c := range saved.Clusters {
		is := seen[c.Name]
		switch {
		case c.UID == "" || is.State != plan.StateOK || is.UID == c.UID:
		case is.UID == "" || ofNamespace(is.UID) != ofNamespace(c.UID):
			return fail(exitRefused, "cluster %s: whether it is the one that was planned for (%s) cannot be told with these rights; "+
				"plan and apply with rights of the same scope, see: fairlead rbac", c.Name, c.UID)
		default:
			return fail(exitRefused, "cluster %s is another one than was planned for: its UID is %s, was %s; are contexts swapped?", c.Name, is.UID, c.UID)
		}
	}
	return nil
}

// ofNamespace gives the namespace by whose UID a cluster is known where kube-system's
// may not be seen; empty for kube-system's, see plan.ClusterView.
func ofNamespace(uid string) string {
	name, _, found := strings.Cut(strings.TrimPrefix(uid, "namespace/"), ":")
	if !found {
		return ""
	}
	return name
}

// tellApproval says on stderr what became of the saved plan's actions.
func (o *applyFlags) tellApproval(a approve.Approval) {
	done := a.Count(approve.StandingDone)
	if done > 0 {
		fmt.Fprintf(o.sys.Err, "%d of %d actions are done already.\n", done, len(a.Judged))
	}
	for _, j := range a.Judged {
		if j.Reason != "" {
			fmt.Fprintf(o.sys.Err, "%s is %s: %s\n", j.Action.ID, j.Standing, j.Reason)
		}
	}
	if len(a.Others) > 0 {
		fmt.Fprintf(o.sys.Err, "Not in the plan, and left as they are: %s; plan shows them.\n", strings.Join(a.Others, ", "))
	}
}

// skipped are the outcomes of actions that are not carried out.
func skipped(a approve.Approval) []apply.Outcome {
	var out []apply.Outcome
	for _, j := range a.Judged {
		switch j.Standing {
		case approve.StandingDone:
			out = append(out, apply.Outcome{Action: j.Action, State: apply.Done, Already: true})
		case approve.StandingStale:
			out = append(out, apply.Outcome{Action: j.Action, State: apply.Failed, Err: fmt.Errorf("%s: %w", j.Reason, apply.ErrStale)})
		case approve.StandingBlocked:
			out = append(out, apply.Outcome{Action: j.Action, State: apply.Blocked, Err: errors.New(j.Reason)})
		case approve.StandingUnknown:
			out = append(out, apply.Outcome{Action: j.Action, State: apply.Untouched, Err: errors.New(j.Reason)})
		}
	}
	return out
}
