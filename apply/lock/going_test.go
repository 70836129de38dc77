package lock

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A Lease that is being deleted is not taken, as the lock would end with it: it is waited
// for, and the next one notes what it noted.
func TestLeaseThatGoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newFake()
		mustLock(t, by("other"), a.as("a", "shop")).mustRelease(t)
		a.edit(func(l *Lease) { l.Deleting, l.Finalizers = true, []string{"example.com/hold"} })
		var going *Going
		if _, err := Take(t.Context(), []Lockable{a.as("a")}, by("me")); !errors.As(err, &going) || !errors.Is(err, ErrLocked) ||
			!strings.Contains(err.Error(), "held by finalizer example.com/hold") {
			t.Fatalf("%v", err)
		}
		opts := by("me")
		opts.Timeout = time.Minute
		told := 0
		opts.Waiting = func(error) { told++ }
		if _, err := Take(t.Context(), []Lockable{a.as("a")}, opts); !errors.As(err, &going) {
			t.Fatalf("%v", err)
		}
		go func() {
			time.Sleep(time.Second)
			a.edit(func(l *Lease) { l.Annotations["example.com/other"] = "changed" })
			time.Sleep(time.Second)
			a.mu.Lock()
			defer a.mu.Unlock()
			a.exists, a.now = false, Lease{}
			close(a.turn)
			a.turn = make(chan struct{})
		}()
		l := mustLock(t, opts, a.as("a", "office"))
		defer l.mustRelease(t)
		if told != 2 {
			t.Errorf("told %d times in two runs", told)
		}
		if got := a.lease(); got.Deleting || strings.Join(NamespacesOf(got), ",") != "office,shop" {
			t.Errorf("the new Lease is %+v", got)
		}
	})
}

// A run that lives and holds such a Lease is told of, not the deletion.
func TestLeaseThatGoesIsHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newFake()
		holder := mustLock(t, by("other"), a.as("a"))
		defer holder.mustRelease(t)
		a.edit(func(l *Lease) { l.Deleting = true })
		opts := by("me")
		opts.Timeout = time.Second
		var held *Held
		if _, err := Take(t.Context(), []Lockable{a.as("a")}, opts); !errors.As(err, &held) {
			t.Errorf("%v", err)
		}
	})
}
