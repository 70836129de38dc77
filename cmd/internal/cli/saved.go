package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// savedPlan reads the file of --plan, "-" being standard input; nil without one. A
// plan that is not the expected one, or that narrowing flags would change, is refused,
// and so are flags that are empty: what was reviewed is to be applied, and not anything.
func (o *applyFlags) savedPlan() (*plan.Plan, error) {
	want := strings.TrimPrefix(o.expected, "sha256:")
	if o.reads == "" && o.given("plan") {
		return nil, fail(exitInvalid, "--plan is empty; name the file of a saved plan, or leave it out")
	}
	if want == "" && o.given("expect-plan-id") {
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
	data, err := o.readPlan()
	if err != nil {
		return nil, failure{code: exitInvalid, err: fmt.Errorf("--plan: %w", err)}
	}
	p, err := plan.Decode(data)
	if err != nil {
		return nil, failure{code: exitInvalid, err: fmt.Errorf("--plan %s: %w", o.reads, err)}
	}
	if p.Base != nil && p.Base.Alone {
		return nil, fail(exitInvalid, "--plan %s: this compares two revisions and was made without the clusters; save a plan with: fairlead plan -o FILE", o.reads)
	}
	if want != "" && (len(want) < 12 || !strings.HasPrefix(strings.TrimPrefix(p.ID, "sha256:"), want)) {
		return nil, fail(exitStale, "--expect-plan-id: the plan in %s is %s, not %s; review it and pass its id", o.reads, p.ID, o.expected)
	}
	return &p, nil
}

func (o *applyFlags) readPlan() ([]byte, error) {
	if o.reads == "-" {
		return io.ReadAll(o.sys.In)
	}
	return os.ReadFile(o.abs(o.reads))
}

// runSaved carries out what was approved: each action of the saved plan whose objects
// are as the plan saw them or as it wants them. now is a plan made of the same
// description a moment ago.
func (o *applyFlags) runSaved(ctx context.Context, s session, observation plan.Observation, saved, now plan.Plan) error {
	if err := o.applicable(s, saved, now); err != nil {
		return err
	}
	if err := o.bounded(s, observation, saved); err != nil {
		return err
	}
	saved, err := o.lift(saved)
	if err != nil {
		return err
	}
	if err := o.show(report.Report{Plan: &saved}); err != nil {
		return err
	}
	approval := plan.Approve(saved, now)
	o.tellApproval(approval)
	if err := o.beginRecords(approval.Run); err != nil {
		return err
	}
	if err := planExit(o.accepted(judged(saved, now)), false); err != nil {
		fmt.Fprintln(o.sys.Err, "Nothing was applied.")
		return err
	}
	if err := o.resolvable(s, approval.Run); err != nil {
		return err
	}
	return o.carryOut(ctx, s, approval.Run, skipped(approval)...)
}

// judged is the saved plan with the clusters as they are now.
func judged(saved, now plan.Plan) plan.Plan {
	saved.Clusters = now.Clusters
	return saved
}

// applicable refuses a saved plan that is not of this network, these clusters and this
// description, or that is too old.
func (o *applyFlags) applicable(s session, saved, now plan.Plan) error {
	if saved.Network != now.Network {
		return fail(exitRefused, "--plan: the plan is of network %q, and the description of %q", saved.Network, now.Network)
	}
	if saved.Source.Digest != now.Source.Digest {
		return fail(exitStale, "the plan in %s (%s) is stale: it was made of another description (commit %s, and this is %s); plan again",
			o.reads, short(saved.ID), named(saved.Source), named(now.Source))
	}
	if err := sameUIDs(saved, now); err != nil {
		return err
	}
	if err := newlyRefused(saved, now); err != nil {
		return err
	}
	return o.fresh(s, saved)
}

// newlyRefused refuses a plan that would part sites which it would not have parted when
// it was made, or whose description is not signed or committed here.
func newlyRefused(saved, now plan.Plan) error {
	for _, r := range now.Refusals {
		known := slices.ContainsFunc(saved.Refusals, func(s plan.Refusal) bool { return s.Code == r.Code })
		if !known && slices.Contains([]string{plan.Partition, codeDirty, codeUnsigned, plan.SameCluster}, r.Code) {
			return fail(exitRefused, "%s %s, which was not so when the plan was made; plan again", r.Subject, r.Message)
		}
	}
	return nil
}

// bounded refuses a saved plan that takes away more than it says that it is refused for,
// by the description that is applied: whoever saved it may have left that out. What is
// done of it already only lowers the numbers.
func (o *applyFlags) bounded(s session, observation plan.Observation, saved plan.Plan) error {
	part := saved
	part.Narrowed = true
	now := plan.Make(plan.Input{
		Desired: s.desired, Observation: observation, Adopt: o.adopt, Approved: &part,
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

func named(s plan.Source) string { return cmp.Or(s.Commit, "unknown") }

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

// clockSkew is how far the clocks of the machines that plan and apply may be apart.
const clockSkew = 10 * time.Minute

// fresh refuses a plan that is older than the description's policy allows.
func (o *applyFlags) fresh(s session, saved plan.Plan) error {
	limit, err := time.ParseDuration(cmp.Or(s.Network.Policy.PlanExpiry, network.DefaultPlanExpiry))
	if err != nil {
		return fail(exitInvalid, "policy: planExpiry: %v", err)
	}
	made, err := time.Parse(time.RFC3339, saved.Made)
	if err != nil {
		return fail(exitInvalid, "--plan %s: the plan does not say when it was made; save it with: fairlead plan -o FILE", o.reads)
	}
	if time.Until(made) > clockSkew {
		return fail(exitStale, "--plan %s: the plan says that it was made at %s, which is not yet; are the clocks right?", o.reads, saved.Made)
	}
	if age := time.Since(made); age > limit {
		return fail(exitStale, "the plan in %s (%s) expired: it was made at %s, more than %s ago; plan again", o.reads, short(saved.ID), saved.Made, limit)
	}
	return nil
}

// tellApproval says on stderr what became of the saved plan's actions.
func (o *applyFlags) tellApproval(a plan.Approval) {
	done := a.Count(plan.StandingDone)
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
func skipped(a plan.Approval) []apply.Outcome {
	var out []apply.Outcome
	for _, j := range a.Judged {
		switch j.Standing {
		case plan.StandingDone:
			out = append(out, apply.Outcome{Action: j.Action, State: apply.Done, Already: true})
		case plan.StandingStale:
			out = append(out, apply.Outcome{Action: j.Action, State: apply.Failed, Err: fmt.Errorf("%s: %w", j.Reason, apply.ErrStale)})
		case plan.StandingBlocked:
			out = append(out, apply.Outcome{Action: j.Action, State: apply.Blocked, Err: errors.New(j.Reason)})
		case plan.StandingUnknown:
			out = append(out, apply.Outcome{Action: j.Action, State: apply.Untouched, Err: errors.New(j.Reason)})
		}
	}
	return out
}

func short(id string) string { return strings.TrimPrefix(id, "sha256:")[:12] }
