package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fairlead.dev/fairlead/plan"
)

// obtain gives the Links of the current attempt. A failed redemption has burnt its grant,
// so each try is a fresh attempt under a fresh name, made when it is known what came of the
// one before, or that nothing more can.
func (t *task) obtain(ctx context.Context, e ends) ([]Object, error) {
	resume := t.Link.Resume
	for try := 1; ; try++ {
		links, err := t.redeem(ctx, e, resume)
		// Longer each time, as what refused may be about to recover.
		next := time.Now().Add(time.Duration(try*try) * time.Second)
		var burnt errRedemption
		if errors.As(err, &burnt) {
			links, err = t.outcome(ctx, e, burnt, next)
		}
		if err == nil {
			return links, nil
		}
		err = t.explain(ctx, e, err)
		over := errors.As(err, &burnt)
		t.withdraw(ctx, e, over)
		if ctx.Err() != nil || !over {
			return nil, err
		}
		if try == t.opts.Attempts {
			return nil, fmt.Errorf("%w (%d fresh grants were tried)", err, try)
		}
		t.sink.Event(Event{Action: t.ID, Step: t.at, Phase: Retrying, Attempt: t.attempt, Message: err.Error()})
		resume = false
		if err := Pause(ctx, time.Until(next)); err != nil {
			return nil, err
		}
		if err := t.nextAttempt(ctx); err != nil {
			return nil, err
		}
	}
}

// nextAttempt counts up and records it, with what is not known of the attempts before,
// before anything bears the new name.
func (t *task) nextAttempt(ctx context.Context) error {
	t.attempt++
	return t.amend(ctx, "")
}

// redeem makes sure of grant and token and waits for the redemption. When
// resuming, what is there is used: Links as they are, a token that may be under
// way, a grant that is good.
func (t *task) redeem(ctx context.Context, e ends, resume bool) ([]Object, error) {
	pending := false
	if resume {
		token, err := t.live(ctx, e.from, t.tokenRef())
		if pending = err == nil && t.labelled(token); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if pending {
			t.tokens = append(t.tokens, t.object())
		}
		links, err := t.findLinks(ctx, e, t.attempt)
		if err != nil || len(links) > 0 && !pending {
			return links, err
		}
	}
	if !pending {
		if err := t.grantAndToken(ctx, e, resume); err != nil {
			return nil, err
		}
	}
	if err := t.step(ctx, plan.StepRedeem, func(ctx context.Context) error { return t.waitToken(ctx, e) }); err != nil {
		return nil, err
	}
	return t.redeemedLinks(ctx, e)
}

// redeemedLinks reads the Links of a token that says that it is redeemed.
func (t *task) redeemedLinks(ctx context.Context, e ends) ([]Object, error) {
	links, err := t.findLinks(ctx, e, t.attempt)
	if err == nil && len(links) == 0 {
		err = refused("%s says that it is redeemed, but there is no Link", t.tokenRef())
	}
	return links, err
}

// grantAndToken creates both, the token at once after the grant has its code.
func (t *task) grantAndToken(ctx context.Context, e ends, resume bool) error {
	var got credentials
	err := t.step(ctx, plan.StepGrant, func(ctx context.Context) error {
		if err := t.createGrant(ctx, e, resume); err != nil {
			return err
		}
		var err error
		got, err = t.waitGrant(ctx, e)
		return err
	})
	if err != nil {
		return err
	}
	t.at = plan.StepRedeem
	_, err = t.create(ctx, e.from, Object{
		ObjectRef: t.tokenRef(), Labels: t.labels(plan.LabelLink), Annotations: t.annotations(t.owned()),
		Spec: map[string]any{"url": got.url, "code": got.code, "ca": got.ca, "linkCost": int64(t.Link.Cost)},
	})
	switch {
	case err == nil:
		t.tokens = append(t.tokens, t.object())
	case errors.Is(err, ErrExists):
		return refused("%s is there already", t.tokenRef())
	}
	return err
}

// createGrant makes the attempt's grant. One of that name is an earlier run's: it
// is used when it is still good, and otherwise the attempt is over.
func (t *task) createGrant(ctx context.Context, e ends, resume bool) error {
	notes := t.annotations(t.owned())
	notes[plan.AnnotationExpires] = time.Now().Add(t.opts.GrantWindow).UTC().Format(time.RFC3339)
	_, err := t.create(ctx, e.to, Object{
		ObjectRef: t.grantRef(), Labels: t.labels(plan.LabelLink), Annotations: notes,
		Spec: map[string]any{"redemptionsAllowed": int64(1), "expirationWindow": t.opts.GrantWindow.String()},
	})
	if !errors.Is(err, ErrExists) {
		return err
	}
	old, err := e.to.Get(ctx, t.grantRef())
	switch {
	case errors.Is(err, ErrNotFound):
		return refused("the grant of an earlier run went away")
	case err != nil:
		return err
	case !resume || spent(old) || expired(old, time.Now()):
		return refused("the grant of an earlier run is spent or expired")
	}
	return nil
}

// expired reports whether a grant has less than half a minute left; Skupper keeps
// expired grants Ready.
func expired(grant Object, now time.Time) bool {
	at, err := time.Parse(time.RFC3339, text(grant.Status, "expirationTime"))
	return err == nil && now.Add(30*time.Second).After(at)
}

func (t *task) waitGrant(ctx context.Context, e ends) (credentials, error) {
	var got credentials
	err := t.wait(ctx, e.to, t.grantRef(), "ready", func(o Object, exists bool) (bool, error) {
		c, ready, err := grantReady(o, exists)
		got = c
		return ready, err
	}, func(o Object) string { return Reason(o, "Processed", "Resolved", "Ready") })
	return got, err
}

func (t *task) waitToken(ctx context.Context, e ends) error {
	return t.wait(ctx, e.from, t.tokenRef(), "redeemed", tokenRedeemed,
		func(o Object) string { return Reason(o, "Redeemed") })
}
