package apply

import (
	"context"
	"errors"
	"time"
)

// answer bounds the wait for what comes of a redemption that its grant has counted. A
// connecting controller waits ten seconds for the reply, and makes Secret and Link at once.
const answer = 15 * time.Second

// outcome finds out what came of a redemption that failed at first: its Links, or the
// error that it ends with. The connecting controller tries again by itself, at once and
// every 30 s, so a failure that is no refusal may be followed by a Link. Until next only
// the token is looked at. Then its grant is deleted. If that counted no redemption nothing
// can come of the token any more; if it did, a reply may be under way, and the token is
// looked at until it tells what came. What it does not tell is noted.
func (t *task) outcome(ctx context.Context, e ends, failed errRedemption, next time.Time) ([]Object, error) {
	if !failed.final {
		links, err := t.awaitAnswer(ctx, e, next)
		if !errors.As(err, &failed) && !errors.Is(err, errUnknown) {
			return links, err
		}
	}
	counted, err := t.endGrant(ctx, e)
	if err != nil {
		return nil, err
	}
	if !counted || failed.final {
		return nil, failed
	}
	links, err := t.awaitAnswer(ctx, e, time.Now().Add(min(answer, t.opts.Timeout)))
	if errors.Is(err, errUnknown) {
		t.unanswered = append(t.unanswered, t.attempt)
		return nil, refused("%s; it was counted, and what came of it is not known", failed.message)
	}
	return links, err
}

// errUnknown tells that a token did not say in time what came of it.
var errUnknown = errors.New("not known")

// awaitAnswer waits until the token is redeemed, which gives its Links, or refused for
// good, which is an errRedemption.
func (t *task) awaitAnswer(ctx context.Context, e ends, until time.Time) ([]Object, error) {
	bounded, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	err := e.from.Wait(bounded, t.tokenRef(), func(o Object, exists bool) (bool, error) {
		done, err := tokenRedeemed(o, exists)
		var failed errRedemption
		if errors.As(err, &failed) && !failed.final {
			return false, nil
		}
		return done, err
	})
	switch {
	case err == nil:
		return t.redeemedLinks(ctx, e)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case bounded.Err() != nil, errors.Is(err, ErrStale): // too late, or the token is gone
		return nil, errUnknown
	}
	return nil, err
}

// endGrant deletes the attempt's grant and reports whether a redemption of it was counted,
// or may have been. It is deleted as it was read: the grant server writes its count before
// it answers, so a grant that had none then can have none later.
func (t *task) endGrant(ctx context.Context, e ends) (counted bool, err error) {
	err = again(func() error {
		counted = true
		grant, err := e.to.Get(ctx, t.grantRef())
		if err != nil || !t.labelled(grant) {
			return err
		}
		counted = number(grant.Status, "redemptions") > 0
		return e.to.DeleteUnchanged(ctx, grant)
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return true, nil
	case errors.Is(err, ErrConflict): // it does not hold still
		_, err = t.deleteOwn(ctx, e.to, t.grantRef())
		return true, err
	case err != nil:
		return counted, err
	}
	there, err := t.exists(ctx, e.to, t.grantRef()) // a finalizer may keep it, and it can be redeemed
	return counted || there, err
}
