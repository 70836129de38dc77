package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"
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
	yes      bool
	planFile string
	// expected is the ID that the saved plan has to have.
	expected string
	window   time.Duration
}

func newApply(sys *System) *cobra.Command {
	o := &applyFlags{common: &common{sys: sys, comparing: true}}
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
has it, nothing is done (exit code 9); --lock-timeout waits for it.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			return o.locked(c.Context(), o.run)
		},
	}
	o.describe(c)
	o.reach(c)
	o.narrow(c)
	o.lockFlags(c)
	o.allowing(c)
	f := c.Flags()
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	f.BoolVar(&o.adopt, "adopt", false, "take over foreign objects of a wanted name")
	f.StringVar(&o.planFile, "plan", "", "carry out the plan saved in this file by plan -o, and nothing else")
	f.StringVar(&o.expected, "expect-plan-id", "", "refuse a saved plan with another id (at least its first 12 digits)")
	f.DurationVar(&o.window, "grant-window", 5*time.Minute, "how long a grant may be redeemed")
	return c
}

func (o *applyFlags) run(ctx context.Context) error {
	saved, err := o.savedPlan()
	if err != nil {
		return err
	}
	o.adopt = o.adopt || saved != nil && adopts(*saved)
	s, observation, err := o.open(ctx)
	if err != nil {
		return err
	}
	p := o.make(s, observation)
	if saved != nil {
		return o.runSaved(ctx, s, *saved, p)
	}
	if p, err = o.lift(p); err != nil {
		return err
	}
	if err := o.knows(s, p); err != nil {
		return err
	}
	if err := o.show(report.Report{Plan: &p}); err != nil {
		return err
	}
	if err := planExit(p, false); err != nil {
		fmt.Fprintln(o.sys.Err, "Nothing was applied.")
		return err
	}
	if !p.Pending() {
		return nil
	}
	if err := o.resolvable(ctx, s, p); err != nil {
		return err
	}
	if err := o.agree(ctx, p); err != nil {
		return err
	}
	return o.carryOut(ctx, s, p)
}

// resolvable refuses to begin where the credentials that a proxy's new Secret takes
// cannot be read: the apply would stop half way.
func (o *applyFlags) resolvable(ctx context.Context, s session, p plan.Plan) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	source := proxies{s.vault, s.Network.Proxies}
	for _, a := range p.Actions {
		if a.Kind != plan.KindProxy || a.Verb == plan.VerbAdopt || !a.Has(plan.StepSecret) {
			continue
		}
		if _, err := source.Credentials(ctx, network.ProxyName(a.Name)); err != nil {
			return failure{code: exitInvalid, err: fmt.Errorf("proxy %s: %w; nothing was applied", a.Name, err)}
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
	view := newProgress(o.sys, p, o.colored(o.sys.ErrTerminal))
	result := apply.Run(ctx, p, s.writers(), view, apply.Options{
		Parallelism: o.parallelism, Timeout: o.timeout, GrantWindow: o.window, Proxies: proxies{s.vault, s.Network.Proxies},
	})
	view.stop()
	result.Outcomes = append(result.Outcomes, skipped...)
	o.tell(result)
	if result.Complete() {
		return nil
	}
	return failure{code: codeOf(result), err: failures(result)}
}

// tell sums up on stderr: stdout has the plan.
func (o *applyFlags) tell(r apply.Report) {
	var parts []string
	for _, c := range []struct {
		state apply.Phase
		word  string
	}{{apply.Done, "done"}, {apply.Failed, "failed"}, {apply.Blocked, "blocked"}, {apply.Untouched, "not started"}} {
		if n := r.Count(c.state); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.word))
		}
	}
	fmt.Fprintf(o.sys.Err, "Applied: %s.\n", strings.Join(parts, ", "))
}

// failures lists every action that was not done, and why.
func failures(r apply.Report) error {
	var all *multierror.Error
	for _, out := range r.Outcomes {
		switch out.State {
		case apply.Failed:
			all = multierror.Append(all, fmt.Errorf("%s %s, at %q: %w", out.Action.Kind, report.NameOf(out.Action), report.StepWord(out.Step), out.Err))
		case apply.Blocked, apply.Untouched:
			all = multierror.Append(all, fmt.Errorf("%s %s: %w", out.Action.Kind, report.NameOf(out.Action), out.Err))
		}
	}
	all.ErrorFormat = func(list []error) string {
		lines := []string{"not everything was applied; run it again to finish:"}
		for _, err := range list {
			lines = append(lines, "  "+err.Error())
		}
		return strings.Join(lines, "\n")
	}
	return all
}

// codeOf gives the exit code of an apply that is not complete: a class of failure
// that all failures share, otherwise "in part".
func codeOf(r apply.Report) int {
	classes := []struct {
		class error
		code  int
	}{{apply.ErrTimeout, exitTimeout}, {apply.ErrStale, exitStale}, {apply.ErrUnreachable, exitUnreachable}, {apply.ErrForbidden, exitUnreachable}}
	for _, c := range classes {
		failed, same := 0, 0
		for _, out := range r.Outcomes {
			if out.State == apply.Failed {
				failed++
				if errors.Is(out.Err, c.class) {
					same++
				}
			}
		}
		if failed > 0 && failed == same {
			return c.code
		}
	}
	return exitPartial
}
