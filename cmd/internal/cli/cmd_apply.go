package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// applyFlags are apply's own.
type applyFlags struct {
	*common
	locking
	yes bool
	// whole is true once a plan is made that has all of the network in it: nothing was
	// unknown, and a saved one has all that there is to do.
	whole bool
	// expected is the ID that the saved plan has to have.
	expected string
	// opened is the session, and unnoted are the records that do not note where its locks
	// are kept.
	opened  session
	unnoted []plan.ObjectRef
	window  time.Duration
}

func newApply(sys *System) *cobra.Command {
	o := &applyFlags{common: &common{sys: sys, judges: true, comparing: true}}
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
			if err := o.check(args); err != nil {
				return err
			}
			return o.recorded(c.Context(), func(ctx context.Context) error { return o.locked(ctx, o.run) })
		},
	}
	o.describe(c)
	o.reach(c)
	o.narrow(c)
	o.lockFlags(c)
	o.allowing(c)
	o.partial(c)
	o.measured(c)
	o.trust(c)
	f := c.Flags()
	f.StringVar(&o.records.eventsFile, "events", "", "write what happens to this file, a line of JSON for each event")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	f.BoolVar(&o.adopt, "adopt", false, "take over foreign objects of a wanted name")
	f.StringVar(&o.reads, "plan", "", "carry out the plan saved in this file by plan -o, and nothing else")
	f.StringVar(&o.expected, "expect-plan-id", "", "refuse a saved plan with another id (at least its first 12 digits)")
	f.DurationVar(&o.window, "grant-window", 5*time.Minute, "how long a grant may be redeemed")
	return c
}

func (o *applyFlags) run(ctx context.Context) error {
	if err := o.savedPlan(); err != nil {
		return err
	}
	s, observation, err := o.open(ctx)
	if err != nil {
		return err
	}
	o.opened, o.unnoted = s, observation.OtherLocks(s.places())
	s.locks.Note(plan.Noted(s.desired, uidsOf(observation)))
	p := o.make(s, o.input(s, observation, s.saved))
	o.whole = s.saved == nil && p.Summary.Unknown == 0 && plan.AllRead(p.Clusters)
	if s.saved != nil {
		return o.runSaved(ctx, s, observation, *s.saved, p)
	}
	if p, err = o.lift(p); err != nil {
		return err
	}
	if err := o.knows(s.description, p); err != nil {
		return err
	}
	if err := o.show(report.Report{Plan: &p}); err != nil {
		return err
	}
	if err := o.beginRecords(p); err != nil {
		return err
	}
	if err := planExit(o.accepted(p), false); err != nil {
		fmt.Fprintln(o.sys.Err, "Nothing was applied.")
		return err
	}
	s.locks.Renew(p.TakenFor())
	if !p.Pending() {
		return o.nothingToDo(s, p)
	}
	if err := o.resolvable(s, p); err != nil {
		return err
	}
	if err := o.agree(ctx, p); err != nil {
		return err
	}
	return o.carryOut(ctx, s, p)
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
			return failure{code: codeOfReference(err), err: fmt.Errorf("proxy %s: %w; nothing was applied", a.Name, err)}
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
	result := apply.Run(ctx, p, s.readable(p), sink, apply.Options{
		Parallelism: o.parallelism, Timeout: o.timeout, GrantWindow: o.window, Run: o.invocation.ID, Locks: s.places(),
		Proxies: proxies{s.vault, s.Network.Proxies},
	})
	view.stop()
	result.Outcomes = append(result.Outcomes, skipped...)
	end("done", result.Count(apply.Done), "actions", len(result.Outcomes))
	return o.conclude(s, p, result, time.Since(began))
}
