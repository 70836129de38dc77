package apply

import (
	"context"
	"errors"
	"slices"

	"fairlead.dev/fairlead/plan"
)

// noteUnanswered notes on the connecting Site that a token of the link goes before it is known
// what came of it. What its redemption makes later bears no mark of ours, and a record is no
// proof: others may write it.
func (t *task) noteUnanswered(ctx context.Context, c Cluster, token plan.ObjectRef) error {
	switch o, err := c.Get(ctx, token); {
	case errors.Is(err, ErrNotFound), err == nil && !t.labelled(o):
		return nil
	case err != nil:
		return err
	}
	site, err := c.Get(ctx, t.connecting())
	if errors.Is(err, ErrNotFound) {
		return nil // what was made for it goes with it
	}
	if err != nil {
		return err
	}
	key := plan.AnnotationUnanswered + t.Name
	value := plan.WithUnanswered(site.Annotations[key], token.Name)
	if value == site.Annotations[key] {
		return nil
	}
	return c.Annotate(ctx, site.ObjectRef, noteRun(t.opts.Run, map[string]string{key: value}))
}

// awaited reports whether a Link or a Secret without a mark may be what a redemption of ours
// made: this run made or found a token of that name, one is there, or the Site notes that it was taken
// away.
func (t *task) awaited(ctx context.Context, c Reader, token string) (bool, error) {
	if slices.Contains(t.tokens, token) {
		return true, nil
	}
	ref := t.tokenRef()
	ref.Name = token
	switch o, err := c.Get(ctx, ref); {
	case err == nil && t.labelled(o):
		return true, nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return false, err
	}
	site, err := c.Get(ctx, t.connecting())
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && slices.Contains(plan.Unanswered(site.Annotations), token), err
}

// connecting is the link's connecting Site.
func (t *task) connecting() plan.ObjectRef {
	from := t.Link.From
	return plan.ObjectRef{Cluster: from.Cluster, Kind: plan.ObjectSite, Namespace: from.Namespace, Name: from.Object}
}
