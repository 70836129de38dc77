package lock

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// fakeLease is one Lease as an API server keeps it.
type fakeLease struct {
	mu      sync.Mutex
	exists  bool
	now     Lease
	version int
	turn    chan struct{}
	// fail may refuse a request before it is carried out; lose is the error of one
	// that was carried out.
	fail, lose func(verb string) error
	log        *lockLog
	name       string
}

// lockLog is what several fakes were asked for, in order.
type lockLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *lockLog) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

// take gives the lines and forgets them.
func (l *lockLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}

func newFake() *fakeLease { return &fakeLease{turn: make(chan struct{})} }

func (f *fakeLease) begin(verb string) error {
	if f.log != nil && verb != "get" {
		f.log.add(verb + " " + f.name)
	}
	if f.fail != nil {
		return f.fail(verb)
	}
	return nil
}

func (f *fakeLease) Get(context.Context) (Lease, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin("get"); err != nil {
		return Lease{}, err
	}
	if !f.exists {
		return Lease{}, apply.ErrNotFound
	}
	return f.now, nil
}

func (f *fakeLease) Create(_ context.Context, l Lease) (Lease, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin("create"); err != nil {
		return Lease{}, err
	}
	if f.exists {
		return Lease{}, apply.ErrExists
	}
	return f.set(l, "create")
}

func (f *fakeLease) Update(_ context.Context, l Lease) (Lease, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin("update"); err != nil {
		return Lease{}, err
	}
	switch {
	case !f.exists:
		return Lease{}, apply.ErrNotFound
	case l.Version != f.now.Version:
		return Lease{}, apply.ErrConflict
	}
	return f.set(l, "update")
}

func (f *fakeLease) set(l Lease, verb string) (Lease, error) {
	f.version++
	l.Version = fmt.Sprint(f.version)
	f.exists, f.now = true, l
	close(f.turn)
	f.turn = make(chan struct{})
	if f.lose != nil {
		if err := f.lose(verb); err != nil {
			return Lease{}, err
		}
	}
	return l, nil
}

func (f *fakeLease) Changed(ctx context.Context, version string) error {
	for {
		f.mu.Lock()
		changed, turn := !f.exists || f.now.Version != version, f.turn
		f.mu.Unlock()
		if changed {
			return nil
		}
		select {
		case <-turn:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// edit changes the Lease as somebody else would.
func (f *fakeLease) edit(change func(*Lease)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.now
	change(&l)
	_, _ = f.set(l, "")
}

func (f *fakeLease) lease() Lease {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fakeLease) as(name string, namespaces ...string) Lockable {
	return Lockable{Cluster: network.ClusterName(name), Leases: f, Namespaces: namespaces}
}

func by(id string) Options {
	return Options{Network: "net", Holder: Holder{ID: id, User: "ana", Host: "box", Commit: "0123456789abcdef", URL: "https://ci/1", Since: time.Now()}}
}

func mustLock(t *testing.T, opts Options, list ...Lockable) *Locks {
	t.Helper()
	l, err := Take(t.Context(), list, opts)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *Locks) mustRelease(t *testing.T) {
	t.Helper()
	if left := l.Release(context.Background(), false); len(left) > 0 {
		t.Error(left)
	}
}

func TestLocksAreTakenInOrderAndFreed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log lockLog
		fakes := map[string]*fakeLease{}
		var list []Lockable
		for _, name := range []string{"b", "c", "a"} {
			f := newFake()
			f.log, f.name = &log, name
			fakes[name] = f
			list = append(list, f.as(name, "shop2", "shop1"))
		}
		l := mustLock(t, by("me"), list...)
		if want := []string{"create a", "create b", "create c"}; !slices.Equal(log.take(), want) {
			t.Errorf("not taken in the order of %q", want)
		}
		a := fakes["a"].lease()
		if a.Holder != "me" || a.Duration != time.Minute || a.Transitions != 0 || !a.Acquired.Equal(a.Renewed) {
			t.Errorf("%+v", a)
		}
		if a.Labels[plan.LabelManagedBy] != plan.ManagedBy || a.Labels[plan.LabelNetwork] != "net" || a.Annotations[AnnotationNamespaces] != "shop1,shop2" {
			t.Errorf("%+v", a)
		}
		time.Sleep(time.Hour)
		if age := time.Since(fakes["b"].lease().Renewed); age > 15*time.Second {
			t.Errorf("not renewed for %s", age)
		}
		l.mustRelease(t)
		for name, f := range fakes {
			now := f.lease()
			if now.Holder != "" || !now.Acquired.IsZero() || holderOf(now) != (Holder{}) {
				t.Errorf("%s is not free: %+v", name, now)
			}
		}
		next := by("next")
		l = mustLock(t, next, fakes["a"].as("a", "shop3"))
		if got := NamespacesOf(fakes["a"].lease()); !slices.Equal(got, []string{"shop1", "shop2", "shop3"}) {
			t.Errorf("%q", got)
		}
		l.Release(t.Context(), true)
		if got := NamespacesOf(fakes["a"].lease()); !slices.Equal(got, []string{"shop3"}) {
			t.Errorf("settled, yet %q", got)
		}
	})
}

func TestLockThatIsHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b, c := newFake(), newFake(), newFake()
		holder := mustLock(t, by("other"), b.as("b"))
		defer holder.mustRelease(t)
		_, err := Take(t.Context(), []Lockable{c.as("c"), b.as("b"), a.as("a")}, by("me"))
		var held *Held
		if !errors.As(err, &held) || !errors.Is(err, ErrLocked) || held.Cluster != "b" || held.Holder.ID != "other" {
			t.Fatalf("%v", err)
		}
		for _, want := range []string{"cluster b", "ana on box", "since 2000-01-01T00:00:00Z", "commit 0123456789ab", "https://ci/1", "run other"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in: %v", want, err)
			}
		}
		if a.lease().Holder != "" || c.exists {
			t.Errorf("a is held by %q, c exists: %v", a.lease().Holder, c.exists)
		}
	})
}

func TestLockWaitsForItsHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newFake()
		holder := mustLock(t, by("other"), a.as("a"))
		go func() {
			time.Sleep(time.Hour)
			holder.mustRelease(t)
		}()
		opts := by("me")
		told := 0
		opts.Waiting = func(error) { told++ }
		opts.Timeout = time.Minute
		start := time.Now()
		if _, err := Take(t.Context(), []Lockable{a.as("a")}, opts); !errors.Is(err, ErrLocked) || time.Since(start) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		opts.Timeout = 2 * time.Hour
		l := mustLock(t, opts, a.as("a"))
		defer l.mustRelease(t)
		if took := time.Since(start); took != time.Hour {
			t.Errorf("locked after %s", took)
		}
		if told != 2 {
			t.Errorf("told %d times in two runs", told)
		}
		if a.lease().Transitions != 1 {
			t.Errorf("%d transitions", a.lease().Transitions)
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(), newFake()
		holder := mustLock(t, by("other"), b.as("b"))
		defer holder.mustRelease(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		opts := by("me")
		opts.Timeout = time.Hour
		if _, err := Take(ctx, []Lockable{a.as("a"), b.as("b")}, opts); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if a.lease().Holder != "" {
			t.Error("a is still held")
		}
	})
}

// A holder that died is waited for as long as its lock holds by our own clock, whatever
// its clock said.
func TestDeadHolder(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-24 * time.Hour, 0, 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			a := newFake()
			died := mustLock(t, by("other"), a.as("a"))
			died.held[0].stop()
			a.edit(func(l *Lease) { l.Renewed = l.Renewed.Add(skew); l.Duration = 20 * time.Second })
			opts := by("me")
			opts.Timeout = time.Hour
			start := time.Now()
			l := mustLock(t, opts, a.as("a"))
			defer l.mustRelease(t)
			if took := time.Since(start); took != 20*time.Second {
				t.Errorf("skew %s: taken after %s", skew, took)
			}
		})
	}
}

// Without a timeout a dead holder's locks are taken after their lease, all in one go; one
// that lives keeps them, and so does one whose lock holds for long.
func TestDeadHolderWithoutTimeout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		lease time.Duration
		lives bool
		takes bool
		after time.Duration
	}{
		{"dead", DefaultLease, false, true, DefaultLease},
		{"dead, short lease", 2 * time.Second, false, true, 2 * time.Second},
		{"alive", DefaultLease, true, false, DefaultLease / 4},
		{"dead, long lease", 24 * time.Hour, false, false, 0},
	} {
		for _, skew := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
			synctest.Test(t, func(t *testing.T) {
				fakes := []*fakeLease{newFake(), newFake(), newFake()}
				list := []Lockable{fakes[0].as("a"), fakes[1].as("b"), fakes[2].as("c")}
				other := by("other")
				other.Lease = tt.lease
				held := mustLock(t, other, list...)
				if !tt.lives {
					for i, h := range held.held {
						h.end()
						fakes[i].edit(func(l *Lease) { l.Renewed = l.Renewed.Add(skew) })
					}
				} else {
					defer held.mustRelease(t)
				}
				start, told := time.Now(), 0
				opts := by("me")
				opts.Waiting = func(error) { told++ }
				l, err := Take(t.Context(), list, opts)
				if took := time.Since(start); took != tt.after || (err == nil) != tt.takes {
					t.Errorf("%s, skew %s: %v after %s", tt.name, skew, err, took)
				}
				if err == nil {
					l.mustRelease(t)
				} else if !errors.Is(err, ErrLocked) {
					t.Error(err)
				}
				if (told > 0) != (tt.after > 0) {
					t.Errorf("%s: told %d times", tt.name, told)
				}
			})
		}
	}
}

// Each try of a write asks whether the lock still holds, also when it was held at the first.
func TestFence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newFake()
		l := mustLock(t, by("me"), a.as("a"))
		var under []context.Context
		c := l.Guard(map[network.ClusterName]apply.Cluster{"a": keeper{keep: func(ctx context.Context) { under = append(under, ctx) }}})["a"]
		ctx := t.Context()
		_, errCreate := c.Create(ctx, apply.Object{})
		_, errApply := c.Apply(ctx, apply.Object{}, true)
		if err := errors.Join(errCreate, errApply, c.Delete(ctx, plan.ObjectRef{}), c.DeleteUnchanged(ctx, apply.Object{}),
			c.Annotate(ctx, plan.ObjectRef{}, nil)); err != nil || len(under) != 5 {
			t.Fatal(err, len(under))
		}
		for _, u := range under {
			if err := Fence(u); err != nil {
				t.Error(err)
			}
		}
		a.edit(func(l *Lease) { l.Holder = "thief" })
		time.Sleep(time.Minute)
		for i, u := range under {
			if err, takesBack := Fence(u), i >= 2; takesBack != (err == nil) || !takesBack && !errors.Is(err, ErrLocked) {
				t.Errorf("write %d: %v", i, err)
			}
		}
		if err := Fence(ctx); err != nil {
			t.Error(err)
		}
	})
}

// keeper is a cluster that keeps the contexts of writes.
type keeper struct {
	apply.Cluster
	keep func(context.Context)
}

func (k keeper) Create(ctx context.Context, o apply.Object) (apply.Object, error) {
	k.keep(ctx)
	return o, nil
}
func (k keeper) Apply(ctx context.Context, o apply.Object, _ bool) (apply.Object, error) {
	k.keep(ctx)
	return o, nil
}
func (k keeper) Delete(ctx context.Context, _ plan.ObjectRef) error        { k.keep(ctx); return nil }
func (k keeper) DeleteUnchanged(ctx context.Context, _ apply.Object) error { k.keep(ctx); return nil }
func (k keeper) Annotate(ctx context.Context, _ plan.ObjectRef, _ map[string]string) error {
	k.keep(ctx)
	return nil
}

func TestLostToAnother(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		change func(*Lease)
		says   string
	}{
		{func(l *Lease) { l.Holder = "thief" }, "lost the lock on cluster a to ana on box"},
		{func(l *Lease) { *l = freed(*l, nil) }, "lost the lock on cluster a: somebody freed it"},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := newFake()
			ctx, cancel := context.WithCancelCause(t.Context())
			opts := by("me")
			opts.Lost = cancel
			l := mustLock(t, opts, a.as("a"))
			c := l.Guard(map[network.ClusterName]apply.Cluster{"a": &silent{}})["a"]
			a.edit(tt.change)
			<-ctx.Done()
			if err := context.Cause(ctx); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v", err)
			}
			if _, err := c.Create(ctx, apply.Object{}); err == nil {
				t.Error("it still writes")
			}
			if _, err := c.Apply(context.WithoutCancel(ctx), apply.Object{}, true); !errors.Is(err, ErrLocked) {
				t.Error(err)
			}
			if err := c.Delete(ctx, plan.ObjectRef{}); err == nil {
				t.Error("it still deletes")
			}
			if err := c.Delete(context.WithoutCancel(ctx), plan.ObjectRef{}); err != nil {
				t.Error("it cannot withdraw:", err)
			}
			before := a.lease()
			l.mustRelease(t)
			if a.lease().Version != before.Version {
				t.Error("a lock of another was freed")
			}
		})
	}
}

// Somebody's annotation is no reason to stop, and is kept.
func TestRenewalKeepsWhatOthersWrote(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newFake()
		opts := by("me")
		opts.Lost = func(err error) { t.Error(err) }
		l := mustLock(t, opts, a.as("a"))
		for range 5 {
			a.edit(func(l *Lease) { l.Annotations = with(l.Annotations, map[string]string{"note": "x"}) })
			time.Sleep(20 * time.Second)
		}
		l.mustRelease(t)
		if a.lease().Annotations["note"] != "x" || a.lease().Holder != "" {
			t.Errorf("%+v", a.lease())
		}
	})
}

// While renewals fail no write starts that could meet another holder; when they
// succeed again in time, the writes go on.
func TestRenewalsThatFail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		outage time.Duration
		lost   bool
	}{{50 * time.Second, false}, {2 * time.Minute, true}} {
		synctest.Test(t, func(t *testing.T) {
			a := newFake()
			ctx, cancel := context.WithCancelCause(t.Context())
			opts := by("me")
			opts.Lost = cancel
			l := mustLock(t, opts, a.as("a"))
			c := l.Guard(map[network.ClusterName]apply.Cluster{"a": &silent{}})["a"]
			start := time.Now()
			a.mu.Lock()
			a.fail = func(string) error {
				if time.Since(start) < tt.outage {
					return apply.ErrUnreachable
				}
				return nil
			}
			a.mu.Unlock()
			time.Sleep(44 * time.Second)
			if _, err := c.Create(ctx, apply.Object{}); err != nil || time.Since(start) != 44*time.Second {
				t.Errorf("%v after %s", err, time.Since(start))
			}
			time.Sleep(2 * time.Second)
			_, err := c.Create(ctx, apply.Object{})
			if (err != nil) != tt.lost || time.Since(start) < min(tt.outage, time.Minute) {
				t.Errorf("%v after %s", err, time.Since(start))
			}
			if why := context.Cause(ctx); tt.lost && (!errors.Is(why, ErrLocked) || !errors.Is(why, apply.ErrUnreachable)) {
				t.Error(why)
			}
			time.Sleep(time.Hour)
			l.mustRelease(t)
			if a.lease().Holder != "" {
				t.Error("it is still held")
			}
		})
	}
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newFake()
		if who, err := Unlock(t.Context(), a.as("a"), "net", "x"); err != nil || who.ID != "" {
			t.Error(who, err)
		}
		l := mustLock(t, by("me"), a.as("a", "shop"))
		l.held[0].stop()
		_, err := Unlock(t.Context(), a.as("a"), "net", "x")
		var held *Held
		if !errors.As(err, &held) || held.Holder.ID != "me" || a.lease().Holder != "me" {
			t.Error(err)
		}
		renewed := false
		a.fail = func(verb string) error {
			if verb == "update" && !renewed {
				renewed = true
				return apply.ErrConflict
			}
			return nil
		}
		if who, err := Unlock(t.Context(), a.as("a"), "net", "me"); err != nil || who.User != "ana" || a.lease().Holder != "" {
			t.Error(who, err)
		}
		if got := NamespacesOf(a.lease()); !slices.Equal(got, []string{"shop"}) {
			t.Errorf("%q", got)
		}
		if who, err := Unlock(t.Context(), a.as("a"), "net", "me"); err != nil || who.ID != "" {
			t.Error(who, err)
		}
	})
}

// A lock whose taking was not answered does not stay behind.
func TestTakenWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newFake()
		a.lose = func(verb string) error {
			if verb == "create" {
				return apply.ErrUnreachable
			}
			return nil
		}
		_, err := Take(t.Context(), []Lockable{a.as("a")}, by("me"))
		if !errors.Is(err, apply.ErrUnreachable) || !strings.Contains(err.Error(), "cluster a") {
			t.Error(err)
		}
		if !a.exists || a.lease().Holder != "" {
			t.Errorf("%+v", a.lease())
		}
	})
}

func TestLocksThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b, foreign, down, denied := newFake(), newFake(), newFake(), newFake(), newFake()
		foreign.edit(func(*Lease) {})
		down.fail = func(string) error { return apply.ErrUnreachable }
		denied.fail = func(string) error { return apply.ErrForbidden }
		late := newFake()
		late.fail = func(verb string) error { return map[string]error{"create": apply.ErrUnreachable}[verb] }
		list := []Lockable{a.as("a"), down.as("down"), late.as("late"), b.as("z")}
		for _, tt := range []struct {
			list []Lockable
			want error
		}{
			{[]Lockable{a.as("a"), foreign.as("b")}, ErrForeign},
			{list, apply.ErrUnreachable},
			{[]Lockable{denied.as("x"), a.as("a")}, apply.ErrForbidden},
		} {
			if _, err := Take(t.Context(), tt.list, by("me")); !errors.Is(err, tt.want) {
				t.Error(err)
			}
			if a.lease().Holder != "" {
				t.Error("a is still held")
			}
		}
		opts := by("me")
		opts.Partial = true
		l := mustLock(t, opts, list...)
		if len(l.Missing) != 2 || l.Missing[0].Cluster != "down" || l.Missing[1].Cluster != "late" || a.lease().Holder != "me" || b.lease().Holder != "me" {
			t.Errorf("%+v", l.Missing)
		}
		if got := l.Missing[1].Error(); got != "cluster late: unreachable" {
			t.Error(got)
		}
		c := l.Guard(map[network.ClusterName]apply.Cluster{"a": &silent{}, "down": &silent{}})
		if _, err := c["a"].Create(t.Context(), apply.Object{}); err != nil {
			t.Error(err)
		}
		if _, err := c["down"].Create(t.Context(), apply.Object{}); !errors.Is(err, apply.ErrUnreachable) {
			t.Error(err)
		}
		if err := c["down"].Annotate(t.Context(), plan.ObjectRef{}, nil); !errors.Is(err, apply.ErrUnreachable) {
			t.Error("it annotates what was not locked:", err)
		}
		l.mustRelease(t)
	})
}

// Two names of one cluster are the plan's to refuse: the lock is not held against itself.
func TestTwoNamesOfOneLock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newFake()
		opts := by("me")
		opts.Lost = func(err error) { t.Error(err) }
		l := mustLock(t, opts, a.as("a"), a.as("b"))
		time.Sleep(time.Hour)
		l.mustRelease(t)
		if a.lease().Holder != "" {
			t.Error("it is still held")
		}
	})
}

// silent is a cluster that takes any write.
type silent struct {
	apply.Cluster
	wrote func()
}

func (s *silent) did() {
	if s.wrote != nil {
		s.wrote()
	}
}

func (s *silent) Create(_ context.Context, o apply.Object) (apply.Object, error) {
	s.did()
	return o, nil
}
func (s *silent) Apply(_ context.Context, o apply.Object, _ bool) (apply.Object, error) {
	s.did()
	return o, nil
}
func (s *silent) Delete(context.Context, plan.ObjectRef) error { s.did(); return nil }
func (s *silent) Annotate(context.Context, plan.ObjectRef, map[string]string) error {
	s.did()
	return nil
}

// Many runs over the same clusters, some of them dying, with answers that are refused or
// get lost: whoever writes to a cluster has its lock, and everybody gets a turn.
func TestLocksUnderFaults(t *testing.T) {
	t.Parallel()
	const runs, names = 12, "abc"
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			var mu sync.Mutex
			chance := func(percent int) bool {
				mu.Lock()
				defer mu.Unlock()
				return random.IntN(100) < percent
			}
			fakes := map[network.ClusterName]*fakeLease{}
			for _, n := range names {
				f := newFake()
				unreliable := func(string) error {
					if chance(10) {
						return apply.ErrUnreachable
					}
					return nil
				}
				f.fail, f.lose = unreliable, unreliable
				fakes[network.ClusterName(n)] = f
			}
			var all sync.WaitGroup
			turns := make([]int, runs)
			for i := range runs {
				all.Go(func() { turns[i] = takeTurns(t, fmt.Sprint("run", i), fakes, chance) })
			}
			all.Wait()
			if slices.Contains(turns, 0) {
				t.Errorf("seed %d: turns %v", seed, turns)
			}
		})
	}
}

// takeTurns locks, writes and frees until it did so once, dying now and then.
func takeTurns(t *testing.T, name string, fakes map[network.ClusterName]*fakeLease, chance func(int) bool) (turns int) {
	for try := 0; try < 200 && turns == 0; try++ {
		opts := by(fmt.Sprint(name, "-", try))
		opts.Timeout = 2 * time.Hour
		ctx, cancel := context.WithCancelCause(t.Context())
		opts.Lost = cancel
		var list []Lockable
		clusters := map[network.ClusterName]apply.Cluster{}
		for n, f := range fakes {
			list = append(list, f.as(string(n)))
			clusters[n] = &silent{wrote: func() {
				if now := f.lease().Holder; now != opts.Holder.ID {
					t.Errorf("%s writes to %s while %q has the lock", opts.Holder.ID, n, now)
				}
			}}
		}
		l, err := Take(ctx, list, opts)
		if err != nil {
			cancel(nil)
			continue
		}
		ok := true
		for _, c := range l.Guard(clusters) {
			for range 5 {
				_, err := c.Create(ctx, apply.Object{})
				ok = ok && err == nil
				time.Sleep(10 * time.Second)
			}
		}
		if chance(20) { // it dies
			for _, h := range l.held {
				h.stop()
			}
		} else {
			l.Release(ctx, true)
		}
		cancel(nil)
		if ok {
			turns++
		}
	}
	return turns
}

// A Lease notes the clusters with sites: what is declared beside what was noted, and that
// alone once all is as declared.
func TestLeaseNotesClusters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		first := by("first")
		first.Clusters = []world.NotedCluster{{Name: "a", Sites: 1}, {Name: "b", Sites: 3}}
		l := mustLock(t, first, f.as("a"))
		l.Note([]world.NotedCluster{{Name: "a", UID: "ua", Sites: 1}, {Name: "b", UID: "ub", Sites: 3}})
		l.Release(t.Context(), true)
		next := by("next")
		next.Clusters = []world.NotedCluster{{Name: "c", Sites: 1}, {Name: "b", Sites: 1}}
		l = mustLock(t, next, f.as("a"))
		both := []world.NotedCluster{{Name: "c", Sites: 1}, {Name: "b", UID: "ub", Sites: 3}, {Name: "a", UID: "ua", Sites: 1}}
		if got := ClustersOf(f.lease()); !slices.Equal(got, both) {
			t.Errorf("%+v", got)
		}
		l.Release(t.Context(), false)
		if got := ClustersOf(f.lease()); !slices.Equal(got, both) {
			t.Errorf("not settled, yet %+v", got)
		}
		l = mustLock(t, next, f.as("a"))
		l.Release(t.Context(), true)
		if got := ClustersOf(f.lease()); !slices.Equal(got, next.Clusters) {
			t.Errorf("settled, yet %+v", got)
		}
	})
	for _, note := range []string{"", "x", `[{"name": "../x", "sites": 1}, {"name": "ok", "sites": 0}]`} {
		if got := ClustersOf(Lease{Annotations: map[string]string{AnnotationClusters: note}}); len(got) > 0 {
			t.Errorf("%s is read as %+v", note, got)
		}
	}
}

// A Lease notes the limits once all is as declared.
func TestLeaseNotesLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		opts := by("me")
		opts.Deletes = &network.DeleteLimits{Sites: 1, Links: 2, Percent: 40}
		mustLock(t, opts, f.as("a")).mustRelease(t)
		if got := LimitsOf(f.lease()); got != nil {
			t.Errorf("not settled, yet %+v", got)
		}
		mustLock(t, opts, f.as("a")).Release(t.Context(), true)
		if got := LimitsOf(f.lease()); got == nil || *got != *opts.Deletes {
			t.Errorf("%+v", got)
		}
		opts.Deletes = &network.DefaultDeletes
		mustLock(t, opts, f.as("a")).mustRelease(t)
		if got := LimitsOf(f.lease()); got == nil || got.Percent != 40 {
			t.Errorf("not settled, yet %+v", got)
		}
	})
	for _, note := range []string{"", "x", `{"sites": -1}`} {
		if got := LimitsOf(Lease{Annotations: map[string]string{AnnotationDeletes: note}}); got != nil {
			t.Errorf("%s is read as %+v", note, got)
		}
	}
}
