package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
)

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

// Pause waits for d, or until ctx ends, whose error it gives then.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// live reads an object that is to be written. One that is being deleted is neither there
// to stay nor gone: it is waited for, and then there is none.
func (t *task) live(ctx context.Context, c Cluster, ref plan.ObjectRef) (Object, error) {
	o, err := c.Get(ctx, ref)
	if err != nil || !o.Deleting {
		return o, err
	}
	if err := t.waitGone(ctx, c, o.ObjectRef); err != nil {
		return Object{}, err
	}
	return Object{}, ErrNotFound
}

// create makes an object. One of its name that is being deleted is waited for.
func (t *task) create(ctx context.Context, c Cluster, o Object) (Object, error) {
	made, err := c.Create(ctx, o)
	if !errors.Is(err, ErrExists) {
		return made, err
	}
	switch _, there := t.live(ctx, c, o.ObjectRef); {
	case errors.Is(there, ErrNotFound):
		return c.Create(ctx, o)
	case there != nil:
		return made, there
	}
	return made, err
}

// remove deletes an object and waits until it is gone.
func (t *task) remove(ctx context.Context, c Cluster, ref plan.ObjectRef) error {
	if err := c.Delete(ctx, ref); err != nil {
		return err
	}
	return t.waitGone(ctx, c, ref)
}

// waitGone waits until the object of the reference's UID is gone.
func (t *task) waitGone(ctx context.Context, c Reader, ref plan.ObjectRef) error {
	return waitGone(ctx, c, ref, t.opts.Timeout)
}

// waitGone waits for up to a time until the object of the reference's UID is gone. Without
// a UID there is none.
func waitGone(ctx context.Context, c Reader, ref plan.ObjectRef, timeout time.Duration) error {
	if ref.UID == "" {
		return nil
	}
	return waitFor(ctx, c, ref, timeout, "gone", func(o Object, exists bool) (bool, error) {
		return !exists || o.UID != ref.UID, nil
	}, goes)
}

// stays says that an object of the reference's UID, which was deleted, is still there; nil
// when it is gone.
func stays(ctx context.Context, c Reader, ref plan.ObjectRef) error {
	if ref.UID == "" {
		return nil
	}
	return recheck(ctx, c, ref, func(o Object) error { return fmt.Errorf("%s is still there: %s", ref, goes(o)) })
}

// notGoing refuses an object that is being deleted: nothing that needs it can be made.
func notGoing(o Object) error {
	if !o.Deleting {
		return nil
	}
	return fmt.Errorf("%s is being deleted, %s: %w", o.ObjectRef, world.HeldBy(o.Finalizers), ErrStale)
}

// present reads an object that is there to stay.
func present(ctx context.Context, c Reader, ref plan.ObjectRef) (Object, error) {
	o, err := c.Get(ctx, ref)
	if err == nil {
		err = notGoing(o)
	}
	return o, err
}

// goes says that an object is being deleted, and what holds it. Of a namespace that its
// cluster says itself.
func goes(o Object) string {
	why := "it is being deleted, " + world.HeldBy(o.Finalizers)
	if o.Kind != plan.ObjectNamespace {
		return why
	}
	for _, kind := range []string{
		"NamespaceDeletionContentFailure", "NamespaceContentRemaining", "NamespaceFinalizersRemaining",
	} {
		if c, ok := conditionOf(o, kind); ok && c.status == "True" && c.message != "" {
			why += "; " + strings.TrimSuffix(c.message, ".")
		}
	}
	return why
}

// recheck reads the object of the reference's UID again and checks it. One that is
// gone, or another one by now, passes: every delete is by its UID.
func recheck(ctx context.Context, c Reader, ref plan.ObjectRef, check func(Object) error) error {
	live, err := c.Get(ctx, ref)
	if errors.Is(err, ErrNotFound) || err == nil && live.UID != ref.UID {
		return nil
	}
	if err != nil {
		return err
	}
	return check(live)
}
