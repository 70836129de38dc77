package apply

import (
	"context"
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
		t.tell(Event{Step: t.at, Phase: Failed, Ends: true, Took: out.Took, Message: err.Error()})
		return out
	}
	if out.Err = t.alteration(); out.Err != nil {
		out.State = Altered
		t.tell(Event{Phase: Altered, Ends: true, Took: out.Took, Message: out.Err.Error()})
		return out
	}
	r.sink.Event(Event{Action: a.ID, Phase: Done, Ends: true, Took: out.Took})
	return out
}

func (r *runner) cluster(name network.ClusterName) (Cluster, error) {
	return find(r.clusters, name)
}

// Phase is what an event says of a step or action.
type Phase string

// The phases. Each ends an action where the event says so, else a step.
const (
	Started Phase = "started"
	Done    Phase = "done"
	Failed  Phase = "failed"
	// Altered means done, and that an API server keeps something else than was written.
	Altered Phase = "altered"
	// Blocked means not tried, because something that it needs failed.
	Blocked Phase = "blocked"
	// Untouched means not tried, because the apply was interrupted before.
	Untouched Phase = "untouched"
	// Retrying means that an attempt failed and a fresh one follows.
	Retrying Phase = "retrying"
	// CleanupFailed means that what a failed attempt left could not be removed; the
	// next plan finds it. The action goes on.
	CleanupFailed Phase = "cleanup-failed"
)

// Event is one transition of one action. It never holds a secret.
type Event struct {
	Action string
	// Step is empty for an event about the whole action, but for a failure: there it is
	// the step that failed.
	Step  plan.Step
	Phase Phase
	// Ends is true for the last event of an action, whatever its phase.
	Ends bool
	// Attempt is the link's attempt number, 0 where there is none.
	Attempt int
	// Took is how long the step or action ran, for the phases that end one.
	Took time.Duration
	// Message is the reason of every phase but Started and Done.
	Message string
}

// Sink receives events, from several goroutines at once.
type Sink interface {
	Event(Event)
}

// Outcome is how one action ended.
type Outcome struct {
	Action plan.Action
	// State is Done, Altered, Failed, Blocked or Untouched.
	State Phase
	// Step is where a failed action stopped.
	Step plan.Step
	// Attempt is the link's attempt number at the end, 0 where there is none.
	Attempt int
	// Took is how long it ran; 0 when it was not tried.
	Took time.Duration
	// Err is the reason; nil when Done. errors.Is tells its class.
	Err error
	// Already is true where it was done before: nothing was left to do.
	Already bool
}

// Report is how an apply ended: one outcome for each action, in the plan's order.
type Report struct {
	Outcomes []Outcome
}

// Count returns how many actions ended in the state.
func (r Report) Count(state Phase) int {
	n := 0
	for _, o := range r.Outcomes {
		if o.State == state {
			n++
		}
	}
	return n
}

// Complete reports whether every action was done.
func (r Report) Complete() bool { return r.Count(Done) == len(r.Outcomes) }
