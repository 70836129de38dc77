package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// link is the action of a link.
type link struct {
	*task
	// from and to are the clusters of its ends.
	from, to Cluster
	// links are the Links that the steps so far made or changed.
	links []Object
	// unanswered are attempts of which it is not known what came of their redemption.
	unanswered []int
	// tokens are the names of the link's own tokens that this run made or found.
	tokens []string
}

// reach finds the clusters of both ends.
func (l *link) reach() (err error) {
	if l.from, err = l.cluster(l.Link.From.Cluster); err != nil {
		return err
	}
	l.to, err = l.cluster(l.Link.To.Cluster)
	return err
}

// objectAt is an object at one end of a link.
func objectAt(e plan.End, kind plan.ObjectKind, name string) plan.ObjectRef {
	return plan.ObjectRef{Cluster: e.Cluster, Kind: kind, Namespace: e.Namespace, Name: name}
}

// siteAt is the Site at one end of a link.
func siteAt(e plan.End) plan.ObjectRef { return objectAt(e, plan.ObjectSite, e.Object) }

// object is the name of the current attempt's token.
func (l *link) object() string { return l.objectOf(l.attempt) }

func (l *link) objectOf(attempt int) string {
	return network.ObjectName(network.LinkName(l.Name), attempt)
}

func (l *link) tokenRef() plan.ObjectRef { return objectAt(l.Link.From, plan.ObjectToken, l.object()) }

func (l *link) secretRef(name string) plan.ObjectRef {
	return objectAt(l.Link.From, plan.ObjectSecret, name)
}

func (l *link) linkRef(name string) plan.ObjectRef {
	return objectAt(l.Link.From, plan.ObjectLink, name)
}

func (l *link) grantRef() plan.ObjectRef { return l.issuedRef(plan.ObjectGrant) }

// issuedRef is the attempt's grant at the listening site, or its Certificate there, whose Secret
// has the same name.
func (l *link) issuedRef(kind plan.ObjectKind) plan.ObjectRef {
	return objectAt(l.Link.To, kind, plan.GrantName(l.plan.Network, network.LinkName(l.Name), l.attempt))
}

// record writes the intent, and which Site the credentials will be of.
func (l *link) record(ctx context.Context) error {
	if err := l.begin(ctx); err != nil {
		return err
	}
	return l.amend(ctx, l.Link.To.UID)
}

// amend records the attempt, what is not known of those before, and of which Site the
// credentials are where that is given.
func (l *link) amend(ctx context.Context, toUID string) error {
	return l.note(ctx, func(inv *record.Inventory) {
		inv.Amend(network.LinkName(l.Name), toUID, l.attempt, l.unanswered...)
	})
}

// reread looks at a link's own Links once more before the action touches anything: gone means
// done.
func (l *link) reread(ctx context.Context) error {
	c, err := l.cluster(l.Cluster)
	if err != nil {
		return err
	}
	for _, seen := range l.Link.Seen {
		ref := l.linkRef(seen.Name)
		ref.UID = seen.UID
		if err := recheck(ctx, c, ref, func(live Object) error { return l.checkCost(live, seen) }); err != nil {
			return err
		}
	}
	return nil
}

// checkCost refuses a Link whose cost is not the planned one.
func (l *link) checkCost(live Object, seen plan.LiveLink) error {
	if cost := costOf(live); !expected(cost, max(seen.Cost, 1), l.Link.Cost) {
		return fmt.Errorf("%s: cost is now %d, was %d: %w", live.ObjectRef, cost, seen.Cost, ErrStale)
	}
	return nil
}

// costOf is the cost of a Link; Skupper counts one below 1 as 1.
func costOf(o Object) int64 { return max(number(o.Spec, "cost"), 1) }

// findLinks reads the Links that an attempt's redemption made: one of the
// token's name, or the numbered pair of an HA site.
func (l *link) findLinks(ctx context.Context, attempt int) ([]Object, error) {
	var out []Object
	object := l.objectOf(attempt)
	for _, name := range network.LinkObjectNames(object) {
		o, err := l.from.Get(ctx, l.linkRef(name))
		if errors.Is(err, ErrNotFound) || err == nil && o.Deleting {
			continue
		}
		if err != nil {
			return nil, err
		}
		made, err := l.made(ctx, o, object)
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
// the link's label, or it uses the Secret that redemption named after the token and bears a
// mark of ours, or is new.
// A name alone proves nothing: another link may be called like one of a pair, and others
// have tokens of their own.
func (l *link) made(ctx context.Context, o Object, object string) (bool, error) {
	if label := o.Labels[plan.LabelLink]; label != "" {
		return l.labelled(o), nil
	}
	if text(o.Spec, "tlsCredentials") != object {
		return false, nil
	}
	if plan.Marked(o.Annotations) {
		return true, nil
	}
	return l.awaited(ctx, object)
}

// labelled reports whether an object carries the labels of this very link.
func (l *link) labelled(o Object) bool {
	return o.Labels[plan.LabelLink] == l.Name && o.Labels[plan.LabelNetwork] == l.plan.Network
}

// redeemed reports whether a Secret or Link was made by redeeming our token: the
// controller makes the connecting Site its owner.
func (l *link) redeemed(o Object) bool {
	return o.OwnerUID != "" && o.OwnerUID == l.Link.From.UID || o.Labels[plan.LabelLink] == l.Name || l.carried(o)
}

// carried reports whether an unlabelled Secret has a name under which this link's
// own are carried over.
func (l *link) carried(o Object) bool {
	carries := l.Link.Via == network.ViaCertificate && l.Verb != plan.VerbAdopt
	unlabelled := o.Kind == plan.ObjectSecret && o.Labels[plan.LabelManagedBy] == ""
	return carries && unlabelled && network.IsObjectName(o.Name, network.LinkName(l.Name), l.Link.Attempt)
}

// awaited reports whether a Link or a Secret without a mark may be what a redemption of ours
// made: this run made or found a token of that name, one is there, or the Site notes that it
// was taken away.
func (l *link) awaited(ctx context.Context, token string) (bool, error) {
	if slices.Contains(l.tokens, token) {
		return true, nil
	}
	switch o, err := l.from.Get(ctx, objectAt(l.Link.From, plan.ObjectToken, token)); {
	case err == nil && l.labelled(o):
		return true, nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return false, err
	}
	site, err := l.from.Get(ctx, siteAt(l.Link.From))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && slices.Contains(plan.Unanswered(site.Annotations), token), err
}

// noteUnanswered notes on the connecting Site that a token of the link goes before it is known
// what came of it. What its redemption makes later bears no mark of ours, and a record is no
// proof: others may write it.
func (l *link) noteUnanswered(ctx context.Context, c Cluster, token plan.ObjectRef) error {
	switch o, err := c.Get(ctx, token); {
	case errors.Is(err, ErrNotFound), err == nil && !l.labelled(o):
		return nil
	case err != nil:
		return err
	}
	site, err := c.Get(ctx, siteAt(l.Link.From))
	if errors.Is(err, ErrNotFound) {
		return nil // what was made for it goes with it
	}
	if err != nil {
		return err
	}
	key := plan.AnnotationUnanswered + l.Name
	value := plan.WithUnanswered(site.Annotations[key], token.Name)
	if value == site.Annotations[key] {
		return nil
	}
	return c.Annotate(ctx, site.ObjectRef, noteRun(l.opts.Run, map[string]string{key: value}))
}

// existing is an object that is there already, if this link made it.
func (l *link) existing(ctx context.Context, c Reader, ref plan.ObjectRef) (Object, error) {
	o, err := present(ctx, c, ref)
	if err == nil && !l.labelled(o) {
		return o, fmt.Errorf("%s is there already and is not ours: %w", ref, ErrStale)
	}
	return o, err
}

// deleteOwn deletes an object if it carries the link's label, and that very one, and gives
// its reference; one without a UID when there is nothing to delete.
func (l *link) deleteOwn(ctx context.Context, c Cluster, ref plan.ObjectRef) (plan.ObjectRef, error) {
	o, err := c.Get(ctx, ref)
	if errors.Is(err, ErrNotFound) {
		return plan.ObjectRef{}, nil
	}
	if err != nil || !l.labelled(o) {
		return plan.ObjectRef{}, err
	}
	return o.ObjectRef, c.Delete(ctx, o.ObjectRef)
}

// removeMade removes Links and the Secret that the redemption of an attempt that is over
// left behind.
func (l *link) removeMade(ctx context.Context, attempt int) error {
	links, err := l.findLinks(ctx, attempt)
	if err != nil {
		return err
	}
	awaited, err := l.awaited(ctx, l.objectOf(attempt))
	if err != nil {
		return err
	}
	if secret, err := l.from.Get(ctx, l.secretRef(l.objectOf(attempt))); err == nil && (awaited || l.labelled(secret) || plan.Marked(secret.Annotations)) {
		links = append(links, secret)
	}
	for _, o := range links {
		if !l.redeemed(o) {
			continue
		}
		if err := l.remove(ctx, l.from, o.ObjectRef); err != nil {
			return err
		}
	}
	return nil
}

// removePlanned deletes what the plan names, in its order, each by its UID. A Link works and
// a grant can be redeemed until it is gone, so that is waited for.
func (l *link) removePlanned(ctx context.Context) error {
	for _, ref := range l.Link.Remove {
		c, err := l.cluster(ref.Cluster)
		if err != nil {
			return err
		}
		if ref.Kind == plan.ObjectToken {
			if err := l.noteUnanswered(ctx, c, ref); err != nil {
				return err
			}
		}
		if owner := issuerOf(ref, l.Link.Remove); owner != "" {
			err = again(func() error { return l.removeIssued(ctx, c, ref, owner) })
		} else {
			err = l.remove(ctx, c, ref)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// issuerOf is the UID of the Certificate among refs that a Secret was issued for;
// empty when it is none's.
func issuerOf(secret plan.ObjectRef, refs []plan.ObjectRef) string {
	for _, r := range refs {
		same := r.Cluster == secret.Cluster && r.Namespace == secret.Namespace && r.Name == secret.Name
		if secret.Kind == plan.ObjectSecret && r.Kind == plan.ObjectCertificate && same {
			return r.UID
		}
	}
	return ""
}

// removeIssued deletes the Secret of a deleted Certificate. The controller may have
// made it once more in between, and the garbage collector may be faster.
func (l *link) removeIssued(ctx context.Context, c Cluster, ref plan.ObjectRef, owner string) error {
	o, err := c.Get(ctx, ref)
	if errors.Is(err, ErrNotFound) || err == nil && o.OwnerUID != owner {
		return nil
	}
	if err != nil {
		return err
	}
	return l.remove(ctx, c, o.ObjectRef)
}

// delete removes all of a link. An unfinished redemption may bring a Link after its token is
// gone, so its names are looked at once more.
func (l *link) delete(ctx context.Context) (err error) {
	if err := l.reread(ctx); err != nil {
		return err
	}
	if err := l.removePlanned(ctx); err != nil {
		return err
	}
	if !slices.ContainsFunc(l.Link.Remove, func(r plan.ObjectRef) bool { return r.Kind == plan.ObjectToken }) {
		return nil
	}
	if l.from, err = l.cluster(l.Cluster); err != nil {
		return err
	}
	return l.removeMade(ctx, l.attempt)
}

// confirmGone records that the link is gone.
func (l *link) confirmGone(ctx context.Context) error {
	return l.note(ctx, func(inv *record.Inventory) { inv.RetireLink(network.LinkName(l.Name)) })
}
