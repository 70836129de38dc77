package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fairlead.dev/fairlead/plan"
)

// redemption gets a link by token: a grant at the listening site, its token carried to the
// connecting one and redeemed there. A failed redemption has burnt its grant, so each try is
// a fresh attempt under a fresh name, made when it is known what came of the one before, or
// that nothing more can.
type redemption struct {
	*linkWriter
	// pending is true where a token of the attempt is there already.
	pending bool
	// granted are the credentials of the grant, for its token.
	granted credentials
}

// try counts the attempts of this run, from 1.
func (r *redemption) try() int { return r.attempt - r.Link.Attempt + 1 }

// resumes reports whether the attempt may use what an earlier run left of it: Links as they
// are, a token that may be under way, a grant that is good.
func (r *redemption) resumes() bool { return r.Link.Resume && r.try() == 1 }

// underWay looks for what an earlier run left of the attempt, and reports whether that makes
// a grant needless.
func (r *redemption) underWay(ctx context.Context) (bool, error) {
	if !r.resumes() {
		return false, nil
	}
	token, err := r.live(ctx, r.from, r.tokenRef())
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	if r.pending = err == nil && r.labelled(token); r.pending {
		r.tokens = append(r.tokens, r.object())
	}
	r.links, err = r.findLinks(ctx, r.attempt)
	return r.pending || len(r.links) > 0, err
}

// over reports whether the Links of the attempt are there, and nothing of it is under way.
func (r *redemption) over(context.Context) (bool, error) { return !r.pending && len(r.links) > 0, nil }

// grant makes sure of the grant and waits for its code.
func (r *redemption) grant(ctx context.Context) error {
	if err := r.createGrant(ctx); err != nil {
		return err
	}
	return r.wait(ctx, r.to, r.grantRef(), "ready", func(o Object, exists bool) (ready bool, err error) {
		r.granted, ready, err = grantReady(o, exists)
		return ready, err
	}, func(o Object) string { return Reason(o, "Processed", "Resolved", "Ready") })
}

// carry makes the token, at once after the grant has its code.
func (r *redemption) carry(ctx context.Context) error {
	if r.pending {
		return nil
	}
	got := r.granted
	r.granted = credentials{}
	_, err := r.create(ctx, r.from, Object{
		ObjectRef: r.tokenRef(), Labels: r.labels(plan.LabelLink), Annotations: r.annotations(r.owned()),
		Spec: map[string]any{"url": got.url, "code": got.code, "ca": got.ca, "linkCost": int64(r.Link.Cost)},
	})
	switch {
	case err == nil:
		r.tokens = append(r.tokens, r.object())
	case errors.Is(err, ErrExists):
		return refused("%s is there already", r.tokenRef())
	}
	return err
}

// await waits until the token is redeemed.
func (r *redemption) await(ctx context.Context) error {
	return r.wait(ctx, r.from, r.tokenRef(), "redeemed", tokenRedeemed,
		func(o Object) string { return Reason(o, "Redeemed") })
}

// collect reads the Links of a token that says that it is redeemed.
func (r *redemption) collect(ctx context.Context) (err error) {
	r.links, err = r.findLinks(ctx, r.attempt)
	if err == nil && len(r.links) == 0 {
		err = refused("%s says that it is redeemed, but there is no Link", r.tokenRef())
	}
	return err
}

// createGrant makes the attempt's grant. One of that name is an earlier run's: it
// is used when it is still good, and otherwise the attempt is over.
func (r *redemption) createGrant(ctx context.Context) error {
	notes := r.annotations(r.owned())
	notes[plan.AnnotationExpires] = time.Now().Add(r.opts.GrantWindow).UTC().Format(time.RFC3339)
	_, err := r.create(ctx, r.to, Object{
		ObjectRef: r.grantRef(), Labels: r.labels(plan.LabelLink), Annotations: notes,
		Spec: map[string]any{"redemptionsAllowed": int64(1), "expirationWindow": r.opts.GrantWindow.String()},
	})
	if !errors.Is(err, ErrExists) {
		return err
	}
	old, err := r.to.Get(ctx, r.grantRef())
	switch {
	case errors.Is(err, ErrNotFound):
		return refused("the grant of an earlier run went away")
	case err != nil:
		return err
	case !r.resumes() || spent(old) || expired(old, time.Now()):
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

// failed finds out what came of an attempt that failed, and goes on with a fresh one where
// nothing can come of it any more.
func (r *redemption) failed(ctx context.Context, err error) error {
	// Longer each time, as what refused may be about to recover.
	next := time.Now().Add(time.Duration(r.try()*r.try()) * time.Second)
	var burnt errRedemption
	if errors.As(err, &burnt) {
		err = r.outcome(ctx, burnt, next)
	}
	if err == nil {
		return nil
	}
	err = r.explain(ctx, err)
	over := errors.As(err, &burnt)
	r.withdraw(ctx, over)
	if ctx.Err() != nil || !over {
		return err
	}
	if r.try() == r.opts.Attempts {
		return fmt.Errorf("%w (%d fresh grants were tried)", err, r.try())
	}
	r.tell(Event{Step: r.at, Phase: Retrying, Message: err.Error()})
	if err := Pause(ctx, time.Until(next)); err != nil {
		return err
	}
	if err := r.nextAttempt(ctx); err != nil {
		return err
	}
	return errAgain
}

// nextAttempt counts up and records it, with what is not known of the attempts before,
// before anything bears the new name.
func (r *redemption) nextAttempt(ctx context.Context) error {
	r.pending, r.links = false, nil
	r.attempt++
	return r.amend(ctx, "")
}

// explain adds site and cause to a failure, for a reader who sees only this line.
func (r *redemption) explain(ctx context.Context, err error) error {
	var burnt errRedemption
	var off errGrantsOff
	switch {
	case errors.As(err, &off):
		return fmt.Errorf("listening site %s: %w; enable the controller's grant server", r.Link.To.Site, off)
	case !errors.As(err, &burnt):
		return err
	}
	secret := r.secretRef(r.object())
	if o, lookErr := r.from.Get(ctx, secret); lookErr == nil && !r.redeemed(o) {
		return refused("the token from site %s could not be redeemed at site %s: %s is there already and is not ours",
			r.Link.To.Site, r.Link.From.Site, secret)
	}
	return refused("the token from site %s could not be redeemed at site %s: %s",
		r.Link.To.Site, r.Link.From.Site, burnt.message)
}

// answer bounds the wait for what comes of a redemption that its grant has counted. A
// connecting controller waits ten seconds for the reply, and makes Secret and Link at once.
const answer = 15 * time.Second

// outcome finds out what came of a redemption that failed at first: its Links, or the
// error that it ends with. The connecting controller tries again by itself, at once and
// every 30 s, so a failure that is no refusal may be followed by a Link. Until next only
// the token is looked at. Then its grant is deleted. If that counted no redemption nothing
// can come of the token any more; if it did, a reply may be under way, and the token is
// looked at until it tells what came. What it does not tell is noted.
func (r *redemption) outcome(ctx context.Context, failed errRedemption, next time.Time) error {
	if !failed.final {
		err := r.awaitAnswer(ctx, next)
		if !errors.As(err, &failed) && !errors.Is(err, errUnknown) {
			return err
		}
	}
	counted, err := r.endGrant(ctx)
	if err != nil {
		return err
	}
	if !counted || failed.final {
		return failed
	}
	err = r.awaitAnswer(ctx, time.Now().Add(min(answer, r.opts.Timeout)))
	if errors.Is(err, errUnknown) {
		r.unanswered = append(r.unanswered, r.attempt)
		return refused("%s; it was counted, and what came of it is not known", failed.message)
	}
	return err
}

// errUnknown tells that a token did not say in time what came of it.
var errUnknown = errors.New("not known")

// awaitAnswer waits until the token is redeemed, which gives its Links, or refused for
// good, which is an errRedemption.
func (r *redemption) awaitAnswer(ctx context.Context, until time.Time) error {
	bounded, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	err := r.from.Wait(bounded, r.tokenRef(), func(o Object, exists bool) (bool, error) {
		done, err := tokenRedeemed(o, exists)
		var failed errRedemption
		if errors.As(err, &failed) && !failed.final {
			return false, nil
		}
		return done, err
	})
	switch {
	case err == nil:
		return r.collect(ctx)
	case ctx.Err() != nil:
		return ctx.Err()
	case bounded.Err() != nil, errors.Is(err, ErrStale): // too late, or the token is gone
		return errUnknown
	}
	return err
}

// endGrant deletes the attempt's grant and reports whether a redemption of it was counted,
// or may have been. It is deleted as it was read: the grant server writes its count before
// it answers, so a grant that had none then can have none later.
func (r *redemption) endGrant(ctx context.Context) (counted bool, err error) {
	err = again(func() error {
		counted = true
		grant, err := r.to.Get(ctx, r.grantRef())
		if err != nil || !r.labelled(grant) {
			return err
		}
		counted = number(grant.Status, "redemptions") > 0
		return r.to.DeleteUnchanged(ctx, grant)
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return true, nil
	case errors.Is(err, ErrConflict): // it does not hold still
		_, err = r.deleteOwn(ctx, r.to, r.grantRef())
		return true, err
	case err != nil:
		return counted, err
	}
	if _, err = r.to.Get(ctx, r.grantRef()); errors.Is(err, ErrNotFound) {
		return counted, nil
	}
	return counted || err == nil, err // a finalizer may keep it, and it can be redeemed
}

// giveUp withdraws the credentials of a link whose new Links do not come up.
func (r *redemption) giveUp(ctx context.Context, err error) error {
	if r.Has(plan.StepGrant) {
		r.withdraw(ctx, false)
	}
	return err
}

// withdraw takes back the attempt's credentials, so that nothing stays alive that
// could still be redeemed, and, where the attempt is over, what its failed redemption
// left. Otherwise Links that were made meanwhile stay: the next apply goes on with them,
// and a name that was used once could not be used again. The grant goes first: without it
// no token is worth anything, and a connecting side that hangs must not keep it alive. It
// runs to its end even when the apply is interrupted; what it cannot remove, the next plan
// finds.
func (r *redemption) withdraw(ctx context.Context, over bool) {
	ctx = context.WithoutCancel(ctx)
	listening, stop := context.WithTimeout(ctx, withdrawal)
	r.takeAway(listening, r.to, r.grantRef())
	stop()
	bounded, cancel := context.WithTimeout(ctx, withdrawal)
	defer cancel()
	if !over || slices.Contains(r.unanswered, r.attempt) {
		if err := r.noteUnanswered(bounded, r.from, r.tokenRef()); err != nil {
			r.report(err) // the token stays, and tells the next plan what is ours
			return
		}
	}
	r.takeAway(bounded, r.from, r.tokenRef())
	if over {
		r.report(r.removeMade(bounded, r.attempt))
	}
}

// withdrawal bounds the cleaning up at each end of a link that failed.
const withdrawal = 10 * time.Second

// takeAway deletes an object of the link's, and tells when that fails or it stays.
func (r *redemption) takeAway(ctx context.Context, c Cluster, ref plan.ObjectRef) {
	deleted, err := r.deleteOwn(ctx, c, ref)
	if err == nil {
		err = stays(ctx, c, deleted)
	}
	r.report(err)
}

// clean deletes the redeemed token and its spent grant, what this run's earlier attempts
// made after they were given up, and what the plan names.
func (r *redemption) clean(ctx context.Context) error {
	if r.Has(plan.StepGrant) {
		if err := r.removeCredentials(ctx); err != nil {
			return err
		}
	}
	for attempt := r.Link.Attempt; attempt < r.attempt; attempt++ {
		if err := r.removeMade(ctx, attempt); err != nil {
			return err
		}
	}
	if r.Has(plan.StepRetire) {
		return nil
	}
	return r.removePlanned(ctx)
}

// removeCredentials deletes the token and the grant, and waits until both are gone.
func (r *redemption) removeCredentials(ctx context.Context) error {
	token, err := r.deleteOwn(ctx, r.from, r.tokenRef())
	if err != nil {
		return err
	}
	grant, err := r.deleteOwn(ctx, r.to, r.grantRef())
	if err != nil {
		return err
	}
	if err := r.waitGone(ctx, r.to, grant); err != nil {
		return err
	}
	return r.waitGone(ctx, r.from, token)
}
