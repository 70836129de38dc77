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

func (r *runner) cluster(name network.ClusterName) (Cluster, error) {
	return find(r.clusters, name)
}
