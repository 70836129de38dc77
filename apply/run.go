package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// Options bound an apply. Zero values mean the defaults.
type Options struct {
	// Parallelism is how many actions run at once; 20 by default.
	Parallelism int
	// Timeout bounds each wait for readiness; five minutes by default. It must leave
	// room for the controller's resync of 30 s and the routers' report of 10 s.
	Timeout time.Duration
	// GrantWindow is how long a grant may be redeemed; five minutes by default.
	GrantWindow time.Duration
	// Attempts is how many fresh grants one link may use; three by default.
	Attempts int
	// Run is the id of this run, noted on every object that it writes; empty for none.
	Run string
	// Proxies resolves what proxies want; nil when the plan has none.
	Proxies Proxies
	// Locks are the namespaces in which the clusters' locks are kept, which records note.
	Locks map[network.ClusterName]string
}

func (o Options) withDefaults() Options {
	if o.Parallelism <= 0 {
		o.Parallelism = 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Minute
	}
	if o.GrantWindow <= 0 {
		o.GrantWindow = 5 * time.Minute
	}
	if o.Attempts <= 0 {
		o.Attempts = 3
	}
	return o
}

// Run carries out the plan's actions on the clusters and reports each one's end.
// It returns when every action has ended; a cancelled ctx lets the actions under
// way withdraw what must not stay (unredeemed grants) and starts no other. Running
// the same plan's description again finishes what was left.
func Run(ctx context.Context, p plan.Plan, clusters map[network.ClusterName]Cluster, sink Sink, opts Options) Report {
	r := &runner{plan: p, clusters: clusters, sink: sink, opts: opts.withDefaults()}
	r.ledger = newLedger(p, clusters, r.opts)
	s := newSchedule(p.Actions, sink)
	results := make(chan int)
	running := 0
	for {
		for _, i := range s.start(r.opts.Parallelism - running) {
			running++
			go func() { // ends by sending its index, which the loop below receives
				s.outcomes[i] = r.action(ctx, p.Actions[i])
				results <- i
			}()
		}
		if running == 0 {
			break
		}
		s.finish(<-results)
		running--
		if ctx.Err() != nil {
			s.abandon(Untouched, "the apply was interrupted before")
		}
	}
	s.abandon(Blocked, "the plan's dependencies form a circle")
	return Report{Outcomes: s.outcomes}
}

// runner carries what all actions of one apply share.
type runner struct {
	plan     plan.Plan
	clusters map[network.ClusterName]Cluster
	ledger   *ledger
	sink     Sink
	opts     Options
}

func (r *runner) action(ctx context.Context, a plan.Action) Outcome {
	began := time.Now()
	r.sink.Event(Event{Action: a.ID, Phase: Started})
	t := &task{runner: r, Action: a}
	err := t.perform(ctx)
	out := Outcome{Action: a, State: Done, Step: t.at, Attempt: t.attempt, Took: time.Since(began), Err: err}
	if err != nil {
		t.recordRefusal(ctx, err)
		out.State = Failed
		r.sink.Event(Event{Action: a.ID, Step: t.at, Phase: Failed, Ends: true, Attempt: t.attempt, Took: out.Took, Message: err.Error()})
		return out
	}
	if out.Err = t.alteration(); out.Err != nil {
		out.State = Altered
		r.sink.Event(Event{Action: a.ID, Phase: Altered, Ends: true, Attempt: t.attempt, Took: out.Took, Message: out.Err.Error()})
		return out
	}
	r.sink.Event(Event{Action: a.ID, Phase: Done, Ends: true, Took: out.Took})
	return out
}

// recordRefusal records that the API server refused a write of the action's, so that nobody
// takes it for done. What it says of objects that hold secrets is not kept.
func (t *task) recordRefusal(ctx context.Context, err error) {
	var r *Refused
	if !errors.As(err, &r) || t.Verb == plan.VerbDelete || t.at == plan.StepNamespace || t.at == plan.StepRecord {
		return
	}
	reason := r.Reason
	switch r.Ref.Kind {
	case plan.ObjectSecret, plan.ObjectGrant, plan.ObjectToken:
		reason = fmt.Sprintf("the API server refuses %s", r.Ref)
	}
	t.report(t.ledger.update(ctx, t.Cluster, t.Namespace, func(inv *plan.Inventory) { inv.Refuse(t.Action, reason) }))
}

// perform runs the action; where it fails, t.at is the step. A panic is that action's
// failure; what it was, but for its type, may hold anything and is not shown.
func (t *task) perform(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("internal error: a panic of type %T", p)
		}
	}()
	switch a := t.Action; {
	case a.Kind == plan.KindObject && a.Verb == plan.VerbDelete:
		return t.deleteObject(ctx)
	case a.Kind == plan.KindObject:
		return t.applyObject(ctx)
	case a.Kind == plan.KindSite && a.Verb == plan.VerbDelete:
		return t.deleteSite(ctx)
	case a.Kind == plan.KindSite:
		return t.applySite(ctx)
	case a.Kind == plan.KindProxy:
		return t.applyProxy(ctx)
	case a.Verb == plan.VerbDelete:
		return t.deleteLink(ctx)
	case a.Has(plan.StepGrant), a.Has(plan.StepCertificate):
		return t.makeLink(ctx)
	default:
		return t.updateLink(ctx)
	}
}

// task is one action under way; only its own goroutine uses it.
type task struct {
	*runner
	plan.Action
	at      plan.Step
	attempt int
	// altered is what API servers made of its writes, in words; keptCost is the cost that
	// the link's Links have instead of the one that was sent, 0 where there is none.
	altered  []string
	keptCost int32
	// unanswered are attempts of which it is not known what came of their redemption.
	unanswered []int
	// tokens are the names of the link's own tokens that this run made or found.
	tokens []string
}

// step runs one step of the action, if the action has it.
func (t *task) step(ctx context.Context, s plan.Step, do func(context.Context) error) error {
	if !t.Has(s) {
		return nil
	}
	t.at = s
	if err := ctx.Err(); err != nil {
		return err
	}
	began := time.Now()
	t.sink.Event(Event{Action: t.ID, Step: s, Phase: Started, Attempt: t.attempt})
	if err := do(ctx); err != nil {
		t.sink.Event(Event{Action: t.ID, Step: s, Phase: Failed, Attempt: t.attempt, Took: time.Since(began), Message: err.Error()})
		return err
	}
	t.sink.Event(Event{Action: t.ID, Step: s, Phase: Done, Attempt: t.attempt, Took: time.Since(began)})
	return nil
}

// wait bounds one wait by the timeout, see waitFor.
func (t *task) wait(ctx context.Context, c Reader, ref plan.ObjectRef, what string,
	until func(Object, bool) (bool, error), why func(Object) string) error {
	return waitFor(ctx, c, ref, t.opts.Timeout, what, until, why)
}

// waitFor bounds one wait by a time; why reads the last state for the error.
func waitFor(ctx context.Context, c Reader, ref plan.ObjectRef, timeout time.Duration, what string,
	until func(Object, bool) (bool, error), why func(Object) string) error {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var last Object
	err := c.Wait(bounded, ref, func(o Object, exists bool) (bool, error) {
		last = o
		return until(o, exists)
	})
	switch {
	case err == nil || !errors.Is(bounded.Err(), context.DeadlineExceeded):
		return err
	case ctx.Err() == nil:
		return fmt.Errorf("%s is not %s after %s: %s: %w", ref, what, timeout, why(last), ErrTimeout)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%s is not %s in time: %s: %w", ref, what, why(last), ErrTimeout)
	}
	return err
}

func (r *runner) cluster(name network.ClusterName) (Cluster, error) {
	if c, ok := r.clusters[name]; ok {
		return c, nil
	}
	return nil, fmt.Errorf("cluster %s: %w", name, ErrUnreachable)
}
