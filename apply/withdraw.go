package apply

import (
	"context"
	"errors"
	"slices"
	"time"

	"fairlead.dev/fairlead/plan"
)

// withdraw takes back the attempt's credentials, so that nothing stays alive that
// could still be redeemed, and, where the attempt is over, what its failed redemption
// left. Otherwise Links that were made meanwhile stay: the next apply goes on with them,
// and a name that was used once could not be used again. It runs to its end even when
// the apply is interrupted; what it cannot remove, the next plan finds.
func (t *task) withdraw(ctx context.Context, e ends, over bool) {
	outlive := context.WithoutCancel(ctx)
	t.withdrawGrant(outlive, e)
	bounded, cancel := context.WithTimeout(outlive, withdrawal)
	defer cancel()
	if !over || slices.Contains(t.unanswered, t.attempt) {
		if err := t.noteUnanswered(bounded, e.from, t.tokenRef()); err != nil {
			t.report(err) // the token stays, and tells the next plan what is ours
			return
		}
	}
	t.takeAway(bounded, e.from, t.tokenRef())
	if over {
		t.report(t.removeMade(bounded, e, t.attempt))
	}
}

// withdrawal bounds the cleaning up at each end of a link that failed.
const withdrawal = 10 * time.Second

// withdrawGrant takes the grant first: without it no token is worth anything, and
// a connecting side that hangs must not keep it alive.
func (t *task) withdrawGrant(ctx context.Context, e ends) {
	bounded, cancel := context.WithTimeout(ctx, withdrawal)
	defer cancel()
	t.takeAway(bounded, e.to, t.grantRef())
}

// takeAway deletes an object of the link's, and tells when that fails or it stays.
func (t *task) takeAway(ctx context.Context, c Cluster, ref plan.ObjectRef) {
	deleted, err := t.deleteOwn(ctx, c, ref)
	if err == nil {
		err = stays(ctx, c, deleted)
	}
	t.report(err)
}

// removeCredentials deletes the token and the grant, and waits until both are gone.
func (t *task) removeCredentials(ctx context.Context, e ends) error {
	token, err := t.deleteOwn(ctx, e.from, t.tokenRef())
	if err != nil {
		return err
	}
	grant, err := t.deleteOwn(ctx, e.to, t.grantRef())
	if err != nil {
		return err
	}
	if err := t.waitGone(ctx, e.to, grant); err != nil {
		return err
	}
	return t.waitGone(ctx, e.from, token)
}

// deleteOwn deletes an object if it carries the link's label, and that very one, and gives
// its reference; one without a UID when there is nothing to delete.
func (t *task) deleteOwn(ctx context.Context, c Cluster, ref plan.ObjectRef) (plan.ObjectRef, error) {
	o, err := c.Get(ctx, ref)
	if errors.Is(err, ErrNotFound) {
		return plan.ObjectRef{}, nil
	}
	if err != nil || !t.labelled(o) {
		return plan.ObjectRef{}, err
	}
	return o.ObjectRef, c.Delete(ctx, o.ObjectRef)
}

// removeMade removes Links and the Secret that the redemption of an attempt that is over
// left behind.
func (t *task) removeMade(ctx context.Context, e ends, attempt int) error {
	links, err := t.findLinks(ctx, e, attempt)
	if err != nil {
		return err
	}
	awaited, err := t.awaited(ctx, e.from, t.objectOf(attempt))
	if err != nil {
		return err
	}
	if secret, err := e.from.Get(ctx, t.secretRef(attempt)); err == nil && (awaited || t.labelled(secret)) {
		links = append(links, secret)
	}
	for _, o := range links {
		if !t.redeemed(o) {
			continue
		}
		if err := t.remove(ctx, e.from, o.ObjectRef); err != nil {
			return err
		}
	}
	return nil
}

// report tells of a failure that does not change the action's own end.
func (t *task) report(err error) {
	if err != nil && !errors.Is(err, ErrNotFound) {
		t.sink.Event(Event{Action: t.ID, Step: plan.StepClean, Phase: CleanupFailed, Attempt: t.attempt, Message: err.Error()})
	}
}
