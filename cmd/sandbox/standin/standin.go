// Package standin plays the Skupper controller and its routers in one cluster,
// faithfully enough to test against: the order of events, the waits and the
// traps are those of the real one, and links are real mutual TLS connections.
//
// Decisions are pure functions (decide.go); the rest of the package observes,
// writes and connects.
package standin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// workers bound the work: of the general queue, and of redemptions, which may
// wait ten seconds each for a dead server.
const (
	workers      = 4
	tokenWorkers = 8
)

// Config says where and how to play.
type Config struct {
	Rest    *rest.Config
	Cluster string
	// ReportInterval is how often routers report to the controller.
	ReportInterval time.Duration
	// Resync is how often the controller sees every object again.
	Resync time.Duration
	// Crash records that the real controller would have crashed.
	Crash func(reason string)
}

// key names one piece of work.
type key struct{ kind, namespace, name string }

func (k key) String() string { return k.kind + " " + k.namespace + "/" + k.name }

type queue = workqueue.TypedRateLimitingInterface[key]

// Standin is the controller of one cluster.
type Standin struct {
	cfg    Config
	dyn    dynamic.Interface
	core   kubernetes.Interface
	watch  *watches
	work   queue
	tokens queue
	slow   queue // network pictures, which must not hold anything up
	grants *grantServer
	ready  chan struct{}

	crashOnce sync.Once
	stop      context.CancelFunc

	mu      sync.Mutex
	routers map[string]*router // the active site's, by namespace
	links   map[types.NamespacedName]*linkState
	// mistaken are the Sites that were taken for the one before them, by namespace.
	mistaken map[string]types.UID
	tries    map[types.UID]int // redemptions of a token

	// field is where routers run: they outlive a crash of the controller.
	field   context.Context
	fieldWG sync.WaitGroup
}

// New prepares a stand-in; Run starts it.
func New(cfg Config) (*Standin, error) {
	dyn, err := dynamic.NewForConfig(cfg.Rest)
	if err != nil {
		return nil, err
	}
	core, err := kubernetes.NewForConfig(cfg.Rest)
	if err != nil {
		return nil, err
	}
	s := &Standin{
		cfg: cfg, dyn: dyn, core: core,
		work:     newQueue(),
		tokens:   newQueue(),
		slow:     newQueue(),
		ready:    make(chan struct{}),
		routers:  map[string]*router{},
		links:    map[types.NamespacedName]*linkState{},
		mistaken: map[string]types.UID{},
		tries:    map[types.UID]int{},
	}
	s.watch, err = newWatches(s)
	return s, err
}

func newQueue() queue {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[key](5*time.Millisecond, 5*time.Second)
	return workqueue.NewTypedRateLimitingQueue(limiter)
}

// Ready is closed when the stand-in watches everything.
func (s *Standin) Ready() <-chan struct{} { return s.ready }

// Run plays until ctx ends.
func (s *Standin) Run(ctx context.Context) error {
	s.field = ctx
	control, stop := context.WithCancel(ctx)
	defer stop()
	s.stop = stop
	grants, err := newGrantServer(s)
	if err != nil {
		return fmt.Errorf("grant server: %w", err)
	}
	s.grants = grants
	var wg sync.WaitGroup
	wg.Go(func() { grants.serve(control) })
	if err := s.watch.start(control); err != nil {
		return err
	}
	for range workers {
		wg.Go(func() { s.drain(control, s.work) })
	}
	for range tokenWorkers {
		wg.Go(func() { s.drain(control, s.tokens) })
	}
	wg.Go(func() { s.drain(control, s.slow) })
	wg.Go(func() { s.readReports(control) })
	close(s.ready)
	<-control.Done()
	s.work.ShutDown()
	s.tokens.ShutDown()
	s.slow.ShutDown()
	s.watch.wait()
	wg.Wait()
	<-ctx.Done()
	s.fieldWG.Wait()
	return nil
}

// crash ends the controller where the real one dereferences nil. Routers go
// on, as pods of their own.
func (s *Standin) crash(reason string) {
	s.crashOnce.Do(func() {
		s.cfg.Crash(reason)
		s.stop()
	})
}

// drain works until the queue is shut down.
func (s *Standin) drain(ctx context.Context, q queue) {
	for {
		k, shutdown := q.Get()
		if shutdown {
			return
		}
		err := s.reconcile(ctx, k)
		switch {
		case err == nil || ctx.Err() != nil:
			q.Forget(k)
		default:
			klog.V(1).InfoS("Will try again", "work", k, "err", err)
			q.AddRateLimited(k)
		}
		q.Done(k)
	}
}

func (s *Standin) reconcile(ctx context.Context, k key) error {
	if ctx.Err() != nil {
		return nil
	}
	switch k.kind {
	case "site":
		return s.reconcileSites(ctx, k.namespace)
	case "link":
		return s.reconcileLink(ctx, k.namespace, k.name)
	case "grant":
		return s.reconcileGrant(ctx, k.namespace, k.name)
	case "token":
		return s.reconcileToken(ctx, k.namespace, k.name)
	case "certificate":
		return s.reconcileCertificate(ctx, k.namespace, k.name)
	case "services":
		return s.reconcileServices(ctx, k.namespace)
	case "network":
		return s.writeNetwork(ctx, k.namespace)
	}
	return errors.New("unknown kind of work: " + k.kind)
}

// router gives the router of the namespace's active site, nil without one.
func (s *Standin) router(namespace string) *router {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.routers[namespace]
}
