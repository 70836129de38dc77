package lock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
)

// slowestAnswer is how long an answer to a renewal may take, where the lease would allow
// less: while it is awaited nothing is written.
const slowestAnswer = 10 * time.Second

// freeing bounds the freeing of locks.
const freeing = 10 * time.Second

// hold is a lock that is ours, and kept so by one goroutine.
type hold struct {
	Lockable
	opts *Options
	// stop ends the goroutine, which closes ended.
	stop  context.CancelFunc
	ended chan struct{}
	// lease is as it was last written; the goroutine's until it ended.
	lease Lease

	mu sync.Mutex
	// sent is when the last write that was a success was sent: the lock is ours for
	// sure until its duration after that.
	sent time.Time
	lost error
	// turn is closed, and made anew, when sent or lost changes.
	turn chan struct{}
}

// newHold keeps a lock that was just taken by a request sent at the given time. It is
// kept also when ctx ends: only Release lets it go.
func newHold(ctx context.Context, c Lockable, opts *Options, got Lease, sent time.Time) *hold {
	h := &hold{Lockable: c, opts: opts, lease: got, sent: sent, ended: make(chan struct{}), turn: make(chan struct{})}
	ctx, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	go h.keep(ctx) // ends with stop, or when the lock is lost
	return h
}

// keep renews until the lock is lost or let go.
func (h *hold) keep(ctx context.Context) {
	defer close(h.ended)
	defer func() {
		if p := recover(); p != nil {
			h.lose(h.gone(Holder{}, fmt.Errorf("internal error: a panic of type %T", p)))
		}
	}()
	for pause := h.opts.every(); apply.Pause(ctx, pause) == nil; {
		pause = h.opts.every()
		err := h.renew(ctx)
		var gone *Lost
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return
		case errors.As(err, &gone):
			h.lose(gone)
			return
		case age(h.sent) >= h.opts.Lease:
			h.lose(h.gone(Holder{}, err))
			return
		default:
			pause /= 3
		}
	}
}

// age is how long ago t was, by whichever clock went further: the monotonic one may
// stand still while a machine sleeps.
func age(t time.Time) time.Duration {
	return max(time.Since(t), time.Now().Round(0).Sub(t.Round(0)))
}

// renew writes a new time. Somebody else's change of the Lease is kept if the lock is
// still ours; a *Lost says that it is not.
func (h *hold) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, max(h.opts.every(), slowestAnswer))
	defer cancel()
	sent, next := time.Now(), h.lease
	next.Renewed = sent
	got, err := h.Leases.Update(ctx, next)
	if errors.Is(err, apply.ErrConflict) || errors.Is(err, apply.ErrNotFound) {
		if next, err = h.again(ctx); err != nil {
			return err
		}
		sent = time.Now()
		next.Renewed = sent
		got, err = h.Leases.Update(ctx, next)
	}
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lease, h.sent = got, sent
	h.turned()
	return nil
}

// again reads the Lease after somebody changed it. Our own write may have been made
// although its answer did not come.
func (h *hold) again(ctx context.Context) (Lease, error) {
	now, err := h.Leases.Get(ctx)
	switch {
	case errors.Is(err, apply.ErrNotFound):
		return now, h.gone(Holder{}, nil)
	case err != nil:
		return now, err
	case now.Holder != h.opts.Holder.ID:
		return now, h.gone(holderOf(now), nil)
	}
	return now, nil
}

// lose stops what runs under the lock, and then what waits for it.
func (h *hold) lose(why *Lost) {
	if h.opts.Lost != nil {
		h.opts.Lost(why)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost = why
	h.turned()
}

// turned wakes who waits; the caller has the mutex.
func (h *hold) turned() {
	close(h.turn)
	h.turn = make(chan struct{})
}

// ready returns when a write may start: when the lock was renewed so lately that the
// write, too, is over before anybody may take the lock. It gives the *Lost of a lock
// that is not ours, or the error of ctx.
func (h *hold) ready(ctx context.Context) error {
	for {
		h.mu.Lock()
		lost, turn := h.lost, h.turn
		h.mu.Unlock()
		fresh := h.fresh()
		if err := ctx.Err(); err != nil {
			return err
		}
		if lost != nil {
			return lost
		}
		if fresh {
			return nil
		}
		select {
		case <-turn:
		case <-ctx.Done():
		}
	}
}

// fresh reports whether the lock was renewed lately.
func (h *hold) fresh() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return age(h.sent) < h.opts.Lease*3/4
}

// Release frees all locks at once, within ten seconds also when ctx has ended. Settled
// says that all sites are as declared: then the Leases note no other namespaces and
// clusters, and the limits as declared. What could not be freed ends by itself.
func (l *Locks) Release(ctx context.Context, settled bool) []NotLocked {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), freeing)
	defer cancel()
	for _, h := range l.held { // one that renews would take another's freeing for a loss
		h.end()
	}
	notes := l.notes(settled)
	failed := eachLock(len(l.held), func(i int) error {
		h := l.held[i]
		return free(ctx, h.Leases, h.opts.Holder.ID, h.lease, notes[i])
	})
	var out []NotLocked
	for i, err := range failed {
		if err != nil {
			out = append(out, l.held[i].notLocked(err))
		}
	}
	l.held = nil
	return out
}

// end ends the renewing. After it nothing may be written.
func (h *hold) end() {
	h.stop()
	<-h.ended
	h.mu.Lock()
	if h.lost != nil {
		h.lease = Lease{} // it may be ours, or not: read it
	}
	h.lost = h.gone(Holder{}, nil)
	h.turned()
	h.mu.Unlock()
}

// tries is how often a lock is tried to be freed.
const tries = 4

// free makes a Lease nobody's, if it is the run's; notes replace those annotations. The Lease is
// taken to be as given, or read where it has no version.
func free(ctx context.Context, leases Leases, id string, l Lease, notes map[string]string) (err error) {
	for try := range tries {
		if try > 0 {
			if apply.Pause(ctx, time.Duration(try)*200*time.Millisecond) != nil {
				return err
			}
		}
		if l.Version == "" {
			if l, err = leases.Get(ctx); err != nil && !errors.Is(err, apply.ErrNotFound) {
				continue
			}
		}
		if err != nil || l.Holder != id {
			return nil
		}
		if _, err = leases.Update(ctx, freed(l, notes)); err == nil {
			return nil
		}
		l = Lease{}
	}
	return err
}

// freed is a Lease without a holder.
func freed(l Lease, notes map[string]string) Lease {
	l.Holder, l.Acquired, l.Renewed = "", time.Time{}, time.Now()
	l.Annotations = with(Holder{}.note(l.Annotations), notes)
	return l
}

// Unlock frees the lock of a cluster if the run of the given id has it, and says who
// that was: nobody when it is free. The error is a *Held when another has it.
func Unlock(ctx context.Context, c Lockable, network, id string) (Holder, error) {
	for {
		l, err := c.Leases.Get(ctx)
		switch {
		case errors.Is(err, apply.ErrNotFound), err == nil && plan.Owned(l.Labels, network) && l.Holder == "":
			return Holder{}, nil
		case err != nil:
			return Holder{}, c.notLocked(err)
		case !plan.Owned(l.Labels, network):
			return Holder{}, c.notLocked(ErrForeign)
		case l.Holder != id:
			return Holder{}, c.heldBy(l, 0)
		}
		if _, err = c.Leases.Update(ctx, freed(l, nil)); err == nil {
			return holderOf(l), nil
		}
		if !errors.Is(err, apply.ErrConflict) {
			return Holder{}, c.notLocked(err)
		}
		if err := ctx.Err(); err != nil { // otherwise its holder renewed it meanwhile
			return Holder{}, err
		}
	}
}
