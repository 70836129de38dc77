package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// ends holds the clients of a link's two clusters.
type ends struct{ from, to Cluster }

func (t *task) ends() (ends, error) {
	from, err := t.cluster(t.Link.From.Cluster)
	if err != nil {
		return ends{}, err
	}
	to, err := t.cluster(t.Link.To.Cluster)
	return ends{from, to}, err
}

// makeLink takes a link from nothing, or from wherever an earlier apply stopped,
// to operational: grant, token, Link, and then the credentials go; or Certificate,
// Secret, Link.
func (t *task) makeLink(ctx context.Context) error {
	e, err := t.ends()
	if err != nil {
		return err
	}
	t.attempt = t.Link.Attempt
	if err := t.awaitSites(ctx, e); err != nil {
		return err
	}
	if err := t.step(ctx, plan.StepRecord, func(ctx context.Context) error {
		if err := t.reread(ctx); err != nil {
			return err
		}
		return t.record(ctx)
	}); err != nil {
		return err
	}
	links, err := t.links(ctx, e)
	if err != nil {
		return err
	}
	if err := t.settle(ctx, e, links); err != nil {
		if t.Has(plan.StepGrant) {
			t.withdraw(ctx, e, false)
		}
		return err
	}
	if err := t.step(ctx, plan.StepRetire, func(ctx context.Context) error { return t.removeObjects(ctx, t.Link.Remove) }); err != nil {
		return err
	}
	if err := t.step(ctx, plan.StepClean, func(ctx context.Context) error { return t.clean(ctx, e) }); err != nil {
		return err
	}
	return t.step(ctx, plan.StepConfirm, func(ctx context.Context) error { return t.confirm(ctx, names(links)) })
}

// links gives the link's new Links, one for each endpoint group.
func (t *task) links(ctx context.Context, e ends) ([]Object, error) {
	if t.Has(plan.StepCertificate) {
		return t.certify(ctx, e)
	}
	return t.obtain(ctx, e)
}

// awaitSites waits until both ends are ready, which they may not be although the
// plan has nothing to do there, and learns their UIDs: a redemption at a site that
// has no endpoints yet burns its grant. The plan is left as it is: the task works
// on a copy.
func (t *task) awaitSites(ctx context.Context, e ends) error {
	work := *t.Link
	t.Link = &work
	t.at = plan.StepReady
	role := ""
	for _, w := range []struct {
		c       Cluster
		end     *plan.End
		listens bool
	}{{e.from, &work.From, false}, {e.to, &work.To, true}} {
		ref := plan.ObjectRef{Cluster: w.end.Cluster, Kind: plan.ObjectSite, Namespace: w.end.Namespace, Name: w.end.Object}
		err := t.wait(ctx, w.c, ref, "ready", func(o Object, exists bool) (bool, error) {
			if w.end.UID != "" && exists && o.UID != w.end.UID {
				return false, fmt.Errorf("%s was made anew: %w", ref, ErrStale)
			}
			ready, err := siteReady(o, exists, w.listens)
			if !ready || err != nil {
				return false, err
			}
			w.end.UID = o.UID
			if !w.listens {
				edge, _ := o.Spec["edge"].(bool)
				role = roleOf(edge)
				return true, nil
			}
			return complete(o, work.Groups, role), nil
		}, func(o Object) string { return Reason(o, "Configured", "Running", "Resolved", "Ready") })
		if err != nil {
			return err
		}
	}
	return nil
}

// roleOf is the name of the endpoint that a connecting site uses.
func roleOf(edge bool) string {
	if edge {
		return "edge"
	}
	return "inter-router"
}

// complete reports whether a Site shows all of its routers, each with an endpoint of
// the role: a link made of fewer would stay so.
func complete(site Object, groups int, role string) bool {
	all := groupsOf(site)
	for _, group := range all {
		has := slices.ContainsFunc(group, func(item any) bool {
			endpoint, _ := item.(map[string]any)
			return text(endpoint, "name") == role
		})
		if !has {
			return false
		}
	}
	return len(all) >= groups
}

// record writes the intent, and which Site the credentials will be of.
func (t *task) record(ctx context.Context) error {
	if err := t.ledger.begin(ctx, t.Cluster, t.Namespace); err != nil {
		return err
	}
	return t.ledger.update(ctx, t.Cluster, t.Namespace, func(inv *plan.Inventory) {
		entry := inv.Links[network.LinkName(t.Name)]
		entry.ToUID = t.Link.To.UID
		inv.Links[network.LinkName(t.Name)] = entry
	})
}

// obtain gives the Links of the current attempt. A failed redemption has burnt
// its grant, so each try is a fresh attempt under a fresh name.
func (t *task) obtain(ctx context.Context, e ends) ([]Object, error) {
	resume := t.Link.Resume
	for try := 1; ; try++ {
		links, err := t.redeem(ctx, e, resume)
		if err == nil {
			return links, nil
		}
		err = t.explain(ctx, e, err)
		var burnt errRedemption
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
		// Longer each time, as what refused may be about to recover.
		if err := Pause(ctx, time.Duration(try*try)*time.Second); err != nil {
			return nil, err
		}
		if err := t.nextAttempt(ctx); err != nil {
			return nil, err
		}
	}
}

// nextAttempt counts up and records it before anything bears the new name.
func (t *task) nextAttempt(ctx context.Context) error {
	t.attempt++
	return t.ledger.update(ctx, t.Cluster, t.Namespace, func(inv *plan.Inventory) {
		entry := inv.Links[network.LinkName(t.Name)]
		entry.Attempt = t.attempt
		inv.Links[network.LinkName(t.Name)] = entry
	})
}

// redeem makes sure of grant and token and waits for the redemption. When
// resuming, what is there is used: Links as they are, a token that may be under
// way, a grant that is good.
func (t *task) redeem(ctx context.Context, e ends, resume bool) ([]Object, error) {
	pending := false
	if resume {
		links, err := t.findLinks(ctx, e)
		if err != nil {
			return nil, err
		}
		pending, err = t.exists(ctx, e.from, t.tokenRef())
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
	links, err := t.findLinks(ctx, e)
	if err == nil && len(links) == 0 {
		err = errRedemption{fmt.Sprintf("%s says that it is redeemed, but there is no Link", t.tokenRef())}
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
	_, err = e.from.Create(ctx, Object{
		ObjectRef: t.tokenRef(), Labels: t.labels(plan.LabelLink), Annotations: t.annotations(t.owned()),
		Spec: map[string]any{"url": got.url, "code": got.code, "ca": got.ca, "linkCost": int64(t.Link.Cost)},
	})
	if errors.Is(err, ErrExists) {
		return errRedemption{fmt.Sprintf("%s is there already", t.tokenRef())}
	}
	return err
}

// createGrant makes the attempt's grant. One of that name is an earlier run's: it
// is used when it is still good, and otherwise the attempt is over.
func (t *task) createGrant(ctx context.Context, e ends, resume bool) error {
	notes := t.annotations(t.owned())
	notes[plan.AnnotationExpires] = time.Now().Add(t.opts.GrantWindow).UTC().Format(time.RFC3339)
	_, err := e.to.Create(ctx, Object{
		ObjectRef: t.grantRef(), Labels: t.labels(plan.LabelLink), Annotations: notes,
		Spec: map[string]any{"redemptionsAllowed": int64(1), "expirationWindow": t.opts.GrantWindow.String()},
	})
	if !errors.Is(err, ErrExists) {
		return err
	}
	old, err := e.to.Get(ctx, t.grantRef())
	switch {
	case errors.Is(err, ErrNotFound):
		return errRedemption{"the grant of an earlier run went away"}
	case err != nil:
		return err
	case !resume || spent(old) || expired(old, time.Now()):
		return errRedemption{"the grant of an earlier run is spent or expired"}
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

// findLinks reads the Links that the attempt's redemption made: one of the
// token's name, or the numbered pair of an HA site.
func (t *task) findLinks(ctx context.Context, e ends) ([]Object, error) {
	var out []Object
	for _, name := range network.LinkObjectNames(t.object()) {
		o, err := e.from.Get(ctx, t.linkRef(name))
		if errors.Is(err, ErrNotFound) || err == nil && o.Deleting {
			continue
		}
		if err != nil {
			return nil, err
		}
		if t.made(o) {
			out = append(out, o)
		}
	}
	return out, nil
}

// made reports whether a Link is of this attempt: it carries the link's label, or
// it is new and uses the Secret that redemption named after the token. A name
// alone proves nothing: another link may be called like one of a pair.
func (t *task) made(o Object) bool {
	if label := o.Labels[plan.LabelLink]; label != "" {
		return t.labelled(o)
	}
	return text(o.Spec, "tlsCredentials") == t.object()
}

// labelled reports whether an object carries the labels of this very link.
func (t *task) labelled(o Object) bool {
	return o.Labels[plan.LabelLink] == t.Name && o.Labels[plan.LabelNetwork] == t.plan.Network
}

func (t *task) exists(ctx context.Context, c Reader, ref plan.ObjectRef) (bool, error) {
	_, err := c.Get(ctx, ref)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// explain adds site and cause to a failure, for a reader who sees only this line.
func (t *task) explain(ctx context.Context, e ends, err error) error {
	var burnt errRedemption
	var off errGrantsOff
	switch {
	case errors.As(err, &off):
		return fmt.Errorf("listening site %s: %w; enable the controller's grant server", t.Link.To.Site, off)
	case !errors.As(err, &burnt):
		return err
	}
	secret := t.secretRef()
	if o, lookErr := e.from.Get(ctx, secret); lookErr == nil && !t.redeemed(o) {
		return errRedemption{fmt.Sprintf("the token from site %s could not be redeemed at site %s: %s is there already and is not ours",
			t.Link.To.Site, t.Link.From.Site, secret)}
	}
	return errRedemption{fmt.Sprintf("the token from site %s could not be redeemed at site %s: %s",
		t.Link.To.Site, t.Link.From.Site, burnt.message)}
}

// redeemed reports whether a Secret or Link was made by redeeming our token: the
// controller makes the connecting Site its owner.
func (t *task) redeemed(o Object) bool {
	return o.OwnerUID != "" && o.OwnerUID == t.Link.From.UID || o.Labels[plan.LabelLink] == t.Name || t.carried(o)
}

// carried reports whether an unlabelled Secret has a name under which this link's
// own are carried over.
func (t *task) carried(o Object) bool {
	if t.Link.Via != network.ViaCertificate || t.Verb == plan.VerbAdopt || o.Kind != plan.ObjectSecret || o.Labels[plan.LabelManagedBy] != "" {
		return false
	}
	return network.IsObjectName(o.Name, network.LinkName(t.Name), t.Link.Attempt)
}

// settle takes the Links over and waits until the routers carry them.
func (t *task) settle(ctx context.Context, e ends, links []Object) error {
	if err := t.step(ctx, plan.StepTakeOver, func(ctx context.Context) error {
		for _, l := range links {
			if err := t.takeOver(ctx, e, l, "", nil); err != nil {
				return err
			}
		}
		return t.labelSecrets(ctx, e, links)
	}); err != nil {
		return err
	}
	if err := t.step(ctx, plan.StepConfigured, func(ctx context.Context) error { return t.waitLinks(ctx, e, links, "Configured") }); err != nil {
		return err
	}
	return t.step(ctx, plan.StepOperational, func(ctx context.Context) error {
		if err := t.waitLinks(ctx, e, links, "Operational"); err != nil || t.Verb != plan.VerbReplace {
			return err
		}
		return t.waitReport(ctx, e, links)
	})
}

// takeOver labels one Link and sets its cost. Any change of its metadata is the
// touch without which the controller leaves a new Link alone until its resync. The
// UID is always a condition; a new Link's version is not, as its status moves.
//
// Server-side apply takes away what was applied before and is left out now, so the
// endpoints of a link by certificate, which may have been, always go along.
func (t *task) takeOver(ctx context.Context, e ends, l Object, version string, endpoints []any) error {
	spec := map[string]any{"cost": int64(t.Link.Cost)}
	if t.Link.KeepCost {
		spec["cost"] = max(number(l.Spec, "cost"), 1)
	}
	switch have, _ := l.Spec["endpoints"].([]any); {
	case endpoints != nil:
		spec["endpoints"] = endpoints
	case t.Link.Via == network.ViaCertificate && len(have) > 0:
		spec["endpoints"] = have
	}
	notes := t.notes()
	if at := cmp.Or(addressesOf(endpoints), l.Annotations[plan.AnnotationEndpoints]); at != "" {
		notes[plan.AnnotationEndpoints] = at
	}
	_, err := e.from.Apply(ctx, Object{
		ObjectRef: l.ObjectRef, ResourceVersion: version, Labels: t.labels(plan.LabelLink), Annotations: notes,
		Spec: spec,
	}, true)
	return err
}

func (t *task) waitLinks(ctx context.Context, e ends, links []Object, kind string) error {
	what := map[string]string{"Configured": "configured", "Operational": "operational"}[kind]
	for _, l := range links {
		err := t.wait(ctx, e.from, l.ObjectRef, what, func(o Object, exists bool) (bool, error) {
			if !exists || o.UID != l.UID {
				return false, fmt.Errorf("%s was deleted meanwhile: %w", l.ObjectRef, ErrStale)
			}
			return Holds(o, kind), nil
		}, func(o Object) string { return Reason(o, kind, "Ready") })
		if err != nil {
			return err
		}
	}
	return nil
}

// notes are a Link's annotations: beside commit and digest the declared cost, which may
// not be the one that it keeps, and what a plan has to know of it when the inventory is
// lost.
func (t *task) notes() map[string]string {
	out := t.annotations(t.owned())
	out[plan.AnnotationVia], out[plan.AnnotationRotation] = string(t.Link.Via), strconv.Itoa(int(t.Link.Rotation))
	out[plan.AnnotationCost] = strconv.Itoa(int(t.Link.Cost))
	if t.Link.Adopted {
		out[plan.AnnotationAdopted] = "true"
	}
	return out
}

// clean deletes the redeemed token and its spent grant, and what the plan names.
func (t *task) clean(ctx context.Context, e ends) error {
	if t.Has(plan.StepGrant) {
		if err := t.deleteOwn(ctx, e.from, t.tokenRef()); err != nil {
			return err
		}
		if err := t.deleteOwn(ctx, e.to, t.grantRef()); err != nil {
			return err
		}
	}
	if t.Has(plan.StepRetire) {
		return nil
	}
	return t.removeObjects(ctx, t.Link.Remove)
}

// removeObjects deletes what the plan names, in its order, each by its UID.
func (t *task) removeObjects(ctx context.Context, refs []plan.ObjectRef) error {
	for _, ref := range refs {
		c, err := t.cluster(ref.Cluster)
		if err != nil {
			return err
		}
		if owner := issuerOf(ref, refs); owner != "" {
			err = again(func() error { return removeIssued(ctx, c, ref, owner) })
		} else {
			err = c.Delete(ctx, ref)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// confirm records that the link is up as desired.
func (t *task) confirm(ctx context.Context, links []string) error {
	return t.ledger.update(ctx, t.Cluster, t.Namespace, func(inv *plan.Inventory) {
		entry := inv.Links[network.LinkName(t.Name)]
		entry.State, entry.ToUID, entry.Cost, entry.Objects = plan.LinkApplied, t.Link.To.UID, t.Link.Cost, links
		inv.Links[network.LinkName(t.Name)] = entry
	})
}

// owned are the link's owned fields, for the digest.
func (t *task) owned() map[string]any {
	return map[string]any{
		"from": t.Link.From.Site, "to": t.Link.To.Site, "cost": t.Link.Cost,
		"via": t.Link.Via, "proxy": t.Link.ProxySecret, "rotation": t.Link.Rotation,
	}
}
