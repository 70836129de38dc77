package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

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
	return t.amend(ctx, t.Link.To.UID)
}

// amend records the attempt, what is not known of those before, and of which Site the
// credentials are where that is given.
func (t *task) amend(ctx context.Context, toUID string) error {
	return t.ledger.update(ctx, t.Cluster, t.Namespace, func(inv *plan.Inventory) {
		inv.Amend(network.LinkName(t.Name), toUID, t.attempt, t.unanswered...)
	})
}

// findLinks reads the Links that an attempt's redemption made: one of the
// token's name, or the numbered pair of an HA site.
func (t *task) findLinks(ctx context.Context, e ends, attempt int) ([]Object, error) {
	var out []Object
	object := t.objectOf(attempt)
	for _, name := range network.LinkObjectNames(object) {
		o, err := e.from.Get(ctx, t.linkRef(name))
		if errors.Is(err, ErrNotFound) || err == nil && o.Deleting {
			continue
		}
		if err != nil {
			return nil, err
		}
		made, err := t.made(ctx, e.from, o, object)
		if err != nil {
			return nil, err
		}
		if made {
			out = append(out, o)
		}
	}
	return out, nil
}

// made reports whether a Link is of the attempt whose token was called object: it carries
// the link's label, or it is new and uses the Secret that redemption named after the token.
// A name alone proves nothing: another link may be called like one of a pair, and others
// have tokens of their own.
func (t *task) made(ctx context.Context, c Reader, o Object, object string) (bool, error) {
	if label := o.Labels[plan.LabelLink]; label != "" {
		return t.labelled(o), nil
	}
	if text(o.Spec, "tlsCredentials") != object {
		return false, nil
	}
	return t.awaited(ctx, c, object)
}

// labelled reports whether an object carries the labels of this very link.
func (t *task) labelled(o Object) bool {
	return o.Labels[plan.LabelLink] == t.Name && o.Labels[plan.LabelNetwork] == t.plan.Network
}

// exists reports whether an object is there, though it may be on its way out.
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
	secret := t.secretRef(t.attempt)
	if o, lookErr := e.from.Get(ctx, secret); lookErr == nil && !t.redeemed(o) {
		return refused("the token from site %s could not be redeemed at site %s: %s is there already and is not ours",
			t.Link.To.Site, t.Link.From.Site, secret)
	}
	return refused("the token from site %s could not be redeemed at site %s: %s", t.Link.To.Site, t.Link.From.Site, burnt.message)
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
	if err := t.step(ctx, plan.StepConfigured, func(ctx context.Context) error { return t.waitConfigured(ctx, e, links) }); err != nil {
		return err
	}
	return t.step(ctx, plan.StepOperational, func(ctx context.Context) error {
		if err := t.waitNew(ctx, e, links); err != nil || t.Verb != plan.VerbReplace {
			return err
		}
		return t.waitReport(ctx, e, links)
	})
}

// takeOver labels one Link and sets its cost. Any change of its metadata is the
// touch without which the controller leaves a new Link alone until its resync. The
// UID is always a condition; a new Link's version is not, as its status moves.
func (t *task) takeOver(ctx context.Context, e ends, l Object, version string, endpoints []any) error {
	sent := t.takenOver(l, version, endpoints)
	written, err := e.from.Apply(ctx, sent, true)
	if err != nil {
		return err
	}
	t.noteAltered(written, lostLabels(sent.Labels, written))
	if want, kept := number(sent.Spec, "cost"), max(number(written.Spec, "cost"), 1); want != kept {
		t.keptCost = int32(kept)
		t.noteAltered(written, []string{fmt.Sprintf("cost of Link %s is %d there and %d was sent", l.Name, kept, want)})
	}
	return nil
}

// takenOver is what an apply writes of a Link. Server-side apply takes away what was
// applied before and is left out now, so endpoints that may have been, those of a link by
// certificate and noted ones, always go along.
func (t *task) takenOver(l Object, version string, endpoints []any) Object {
	spec := map[string]any{"cost": int64(t.Link.Cost)}
	if t.Link.KeepCost {
		spec["cost"] = max(number(l.Spec, "cost"), 1)
	}
	switch have, _ := l.Spec["endpoints"].([]any); {
	case endpoints != nil:
		spec["endpoints"] = endpoints
	case (t.Link.Via == network.ViaCertificate || l.Annotations[plan.AnnotationEndpoints] != "") && len(have) > 0:
		spec["endpoints"] = have
	}
	notes := t.notes()
	if at := cmp.Or(addressesOf(endpoints), l.Annotations[plan.AnnotationEndpoints]); at != "" {
		notes[plan.AnnotationEndpoints] = at
	}
	return Object{
		ObjectRef: l.ObjectRef, ResourceVersion: version, Labels: t.labels(plan.LabelLink), Annotations: notes, Spec: spec,
	}
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

// clean deletes the redeemed token and its spent grant, what this run's earlier attempts
// made after they were given up, and what the plan names.
func (t *task) clean(ctx context.Context, e ends) error {
	if t.Has(plan.StepGrant) {
		if err := t.removeCredentials(ctx, e); err != nil {
			return err
		}
	}
	for attempt := t.Link.Attempt; attempt < t.attempt; attempt++ {
		if err := t.removeMade(ctx, e, attempt); err != nil {
			return err
		}
	}
	if t.Has(plan.StepRetire) {
		return nil
	}
	return t.removeObjects(ctx, t.Link.Remove)
}

// removeObjects deletes what the plan names, in its order, each by its UID. A Link works and
// a grant can be redeemed until it is gone, so that is waited for.
func (t *task) removeObjects(ctx context.Context, refs []plan.ObjectRef) error {
	for _, ref := range refs {
		c, err := t.cluster(ref.Cluster)
		if err != nil {
			return err
		}
		if ref.Kind == plan.ObjectToken {
			if err := t.noteUnanswered(ctx, c, ref); err != nil {
				return err
			}
		}
		if owner := issuerOf(ref, refs); owner != "" {
			err = again(func() error { return t.removeIssued(ctx, c, ref, owner) })
		} else {
			err = t.remove(ctx, c, ref)
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
		inv.ConfirmLink(t.Action, t.Link.To.UID, links, t.keptCost)
	})
}

// owned are the link's owned fields, for the digest.
func (t *task) owned() map[string]any {
	return map[string]any{
		"from": t.Link.From.Site, "to": t.Link.To.Site, "cost": t.Link.Cost,
		"via": t.Link.Via, "proxy": t.Link.ProxySecret, "rotation": t.Link.Rotation,
	}
}
