package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// applyFlags are apply's own, and what is known of it as it goes.
type applyFlags struct {
	clusterCommand
	partFlags
	lockFlags
	allowFlags
	partialFlag
	yes, adopt bool
	// reads is the file of a saved plan, and expected the ID that it has to have.
	reads, expected string
	window          time.Duration

	// whole is true once a plan is made that has all of the network in it: nothing was
	// unknown, and a saved one has all that there is to do.
	whole bool
	// locks are held; lost is told where one is not any more.
	locks *lock.Locks
	lost  context.CancelCauseFunc
	// opened is the session, and unnoted are the records that do not note where its locks
	// are kept.
	opened  session
	unnoted []plan.ObjectRef
}

func newApply(sys *System) *cobra.Command {
	o := &applyFlags{clusterCommand: clusterCommand{packageCommand: newPackageCommand(sys)}}
	o.showsFindings = true
	c := &cobra.Command{
		Use:   "apply [PACKAGE]",
		Short: "Make the clusters as described",
		Long: `Apply plans, shows the plan, asks on a terminal, and carries it out: sites first,
then links, each with a grant and a token that are gone when it is up. Without a
terminal it wants --yes, or --plan FILE with a plan that was reviewed.
An apply that was interrupted is finished by running it again.

Of a saved plan each action is compared with the clusters again: what is as the
plan saw it is done, what is as the plan wants it counts as done, and anything else
is stale: it is left alone, with what depends on it (exit code 5). Nothing is done
that the saved plan does not have. It can be applied again until it is complete.

On each cluster of the description it holds a lock while it runs. Where another run
has it, nothing is done (exit code 9); --lock-timeout waits for it.

With --allow-partial clusters that cannot be read are left out (exit code 4), and
the same apply finishes once they answer.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := cmp.Or(o.clusterCommand.check(c, args, flagged{"--plan", o.reads}), o.allowFlags.check()); err != nil {
				return err
			}
			return o.recorded(c.Context(), func(ctx context.Context) error {
				return o.locked(ctx, func(ctx context.Context) error { return o.run(ctx, c) })
			})
		},
	}
	o.clusterCommand.flags(c)
	o.partFlags.flags(c)
	o.lockFlags.flags(c)
	o.allowFlags.flags(c)
	o.partialFlag.flags(c)
	o.records.flags(c)
	f := c.Flags()
	f.StringVar(&o.records.eventsFile, "events", "", "write what happens to this file, a line of JSON for each event")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	f.BoolVar(&o.adopt, "adopt", false, "take over foreign objects of a wanted name")
	f.StringVar(&o.reads, "plan", "", "carry out the plan saved in this file by plan -o, and nothing else")
	f.StringVar(&o.expected, "expect-plan-id", "", "refuse a saved plan with another id (at least its first 12 digits)")
	f.DurationVar(&o.window, "grant-window", 5*time.Minute, "how long a grant may be redeemed")
	return c
}

func (o *applyFlags) run(ctx context.Context, c *cobra.Command) error {
	saved, err := o.savedPlan(c.Flags().Changed)
	if err != nil {
		return err
	}
	s, observation, err := o.open(ctx, o.terms(saved), look{credentials: true, adopt: o.adopt, lock: o.takeLocks})
	if err != nil {
		return err
	}
	o.opened, o.unnoted = s, observation.OtherLocks(s.places())
	s.locks.Note(world.Noted(s.desired, uidsOf(observation)))
	p := o.make(s, s.input(observation, o.filter()))
	o.whole = s.saved == nil && p.Summary.Unknown == 0 && plan.AllRead(p.Clusters)
	if s.saved != nil {
		return o.runSaved(ctx, s, observation, *s.saved, p)
	}
	if p, err = o.lift(p); err != nil {
		return err
	}
	if err := o.known(s.description, p.Actions); err != nil {
		return err
	}
	if err := o.show(report.Report{Plan: &p}); err != nil {
		return err
	}
	if err := o.begin(p, o.accepted(p)); err != nil {
		return err
	}
	s.locks.Renew(p.TakenFor())
	if !p.Pending() { // clusters may have been left out
		if plan.AllRead(p.Clusters) {
			return nil
		}
		return o.conclude(s, p, apply.Report{}, 0)
	}
	if err := o.resolvable(s, p); err != nil {
		return err
	}
	if err := o.agree(ctx, p); err != nil {
		return err
	}
	return o.carryOut(ctx, s, p)
}

// begin writes the first event, with the plan that is carried out, before anything is
// applied. It ends where the plan, as it is to be judged, may not be applied.
func (o *applyFlags) begin(run, judged plan.Plan) error {
	o.records.facts.Applies = true
	if o.records.events != nil {
		if err := o.records.events.begin(run); err != nil {
			return err
		}
	}
	err := planExit(judged, false)
	if err != nil {
		fmt.Fprintln(o.sys.Err, "Nothing was applied.")
	}
	return err
}

// resolvable refuses to begin where the credentials that a proxy's new Secret takes
// could not be read: the apply would stop half way. One that waits for a cluster that
// may be left out only fails itself.
func (o *applyFlags) resolvable(s session, p plan.Plan) error {
	for _, a := range p.Actions {
		if a.Kind != plan.KindProxy || a.Verb == plan.VerbAdopt || !a.Has(plan.StepSecret) {
			continue
		}
		err := s.vault.failed[network.ProxyName(a.Name)]
		if err != nil && !(o.allowPartial && unanswered(err)) {
			code := exitInvalid
			if unanswered(err) {
				code = exitUnreachable
			}
			return fail(code, "proxy %s: %w; nothing was applied", a.Name, err)
		}
	}
	return nil
}

// agree asks a person, or wants to have been told.
func (o *applyFlags) agree(ctx context.Context, p plan.Plan) error {
	if o.yes {
		return nil
	}
	if !o.sys.InTerminal {
		return fail(exitInvalid, "there is no terminal to ask on; pass --yes, or --plan FILE with a reviewed plan")
	}
	fmt.Fprintf(o.sys.Err, "\nApply this plan to network %s? Only \"yes\" is accepted: ", p.Network)
	answer := make(chan string, 1)
	go func() { // ends with the line, or with the process
		line, _ := bufio.NewReader(o.sys.In).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case a := <-answer:
		if a == "yes" {
			return nil
		}
		return fail(exitError, "not applied: the answer was not \"yes\"")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// carryOut applies, shows progress, and judges the end, with the outcomes of actions
// that are skipped.
func (o *applyFlags) carryOut(ctx context.Context, s session, p plan.Plan, skipped ...apply.Outcome) error {
	began, end := time.Now(), o.phase("apply")
	view := newProgress(o.sys, p, o.colored(o.sys.ErrTerminal), o.talks)
	sink := sinks{view}
	if o.records.events != nil {
		sink = append(sink, o.records.events)
		o.records.events.skipped(skipped)
	}
	result := apply.Run(ctx, p, readable(s, p), sink, apply.Options{
		Parallelism: o.parallelism, Timeout: o.timeout, GrantWindow: o.window, Run: o.who.ID, Locks: s.places(),
		Proxies: proxies{s.vault, s.Network.Proxies},
	})
	view.stop()
	result.Outcomes = append(result.Outcomes, skipped...)
	end("done", result.Count(apply.Done), "actions", len(result.Outcomes))
	return o.conclude(s, p, result, time.Since(began))
}

// conclude shows the report of an apply on standard error, as standard output has the
// plan, and judges it.
func (o *applyFlags) conclude(s session, p plan.Plan, result apply.Report, took time.Duration) error {
	a := report.Applied{
		Format: report.AppliedFormat, Network: p.Network, Run: o.who.ID, Plan: p.ID, Saved: o.reads != "", DurationMs: took.Milliseconds(),
		Outcomes: outcomes(result), LeftOut: leftOut(s, p),
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

// stateOf is how a report calls the end of an action: as apply does, but for what is stale.
func stateOf(o apply.Outcome) report.State {
	if o.State == apply.Failed && errors.Is(o.Err, apply.ErrStale) {
		return report.StateStale
	}
	return report.State(o.State)
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

// uidsOf are those of the clusters that were read.
func uidsOf(o world.Observation) map[network.ClusterName]string {
	out := map[network.ClusterName]string{}
	for _, c := range o.Clusters {
		out[c.Name] = c.UID
	}
	return out
}

// leftOut says which clusters an apply does without.
func leftOut(s session, p plan.Plan) []report.LeftOut {
	out := []report.LeftOut{}
	for _, c := range p.Clusters {
		if c.State != plan.StateOK {
			out = append(out, report.LeftOut{Cluster: c.Name, State: c.State, Reason: c.Reason, Unknown: world.UnknownAt(s.desired, c.Name)})
		}
	}
	return out
}

// readable gives the clusters of a plan as apply wants them. Those that could not be
// read are not among them, so that no request can go there.
func readable(s session, p plan.Plan) map[network.ClusterName]apply.Cluster {
	out := s.writers()
	for _, c := range p.Clusters {
		if c.State != plan.StateOK {
			delete(out, c.Name)
		}
	}
	return out
}
