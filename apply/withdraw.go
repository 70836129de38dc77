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
	redeemed := slices.Contains([]plan.Step{plan.StepTakeOver, plan.StepConfigured, plan.StepOperational}, t.at)
	if token, err := e.from.Get(bounded, t.tokenRef()); err == nil {
		done, _ := token.Status["redeemed"].(bool)
		redeemed = redeemed || done
	}
	t.report(t.deleteOwn(bounded, e.from, t.tokenRef()))
	if over && !redeemed { // otherwise the Links are good, they are only not ready yet
		t.report(t.removeMade(bounded, e))
	}
}

// withdrawal bounds the cleaning up at each end of a link that failed.
const withdrawal = 10 * time.Second

// withdrawGrant takes the grant first: without it no token is worth anything, and
// a connecting side that hangs must not keep it alive.
func (t *task) withdrawGrant(ctx context.Context, e ends) {
	bounded, cancel := context.WithTimeout(ctx, withdrawal)
	defer cancel()
	t.report(t.deleteOwn(bounded, e.to, t.grantRef()))
}

// deleteOwn deletes an object if it carries the link's label, and that very one.
func (t *task) deleteOwn(ctx context.Context, c Cluster, ref plan.ObjectRef) error {
	o, err := c.Get(ctx, ref)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || !t.labelled(o) {
		return err
	}
	return c.Delete(ctx, o.ObjectRef)
}

// removeMade deletes Links and the Secret that a failed redemption left behind.
func (t *task) removeMade(ctx context.Context, e ends) error {
	links, err := t.findLinks(ctx, e)
	if err != nil {
		return err
	}
	if secret, err := e.from.Get(ctx, t.secretRef()); err == nil {
		links = append(links, secret)
	}
	for _, o := range links {
		if !t.redeemed(o) {
			continue
		}
		if err := e.from.Delete(ctx, o.ObjectRef); err != nil {
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
