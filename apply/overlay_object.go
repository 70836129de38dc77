package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"fairlead.dev/fairlead/plan"
)

// applyObject writes one object of an overlay.
func (t *task) applyObject(ctx context.Context) error {
	c, err := t.cluster(t.Cluster)
	if err != nil {
		return err
	}
	if err := t.step(ctx, plan.StepRecord, func(ctx context.Context) error {
		return t.ledger.begin(ctx, t.Cluster, t.Namespace)
	}); err != nil {
		return t.withNamespaceHint(err)
	}
	return t.step(ctx, plan.StepObject, func(ctx context.Context) error {
		var written Object
		if err := again(func() (err error) {
			written, err = t.writeObject(ctx, c)
			return err
		}); err != nil {
			return t.withNamespaceHint(err)
		}
		sent := without(t.Object.Fields, t.Object.Keep)
		answer := t.answer(c, written, sent, plan.Stored(sent, written.Content))
		t.noteAltered(written, lostLabels(t.objectLabels(), written))
		return t.ledger.confirmObject(ctx, t.Action, written.UID, answer)
	})
}

func (t *task) objectRef() plan.ObjectRef {
	return plan.ObjectRef{
		Cluster: t.Cluster, APIVersion: t.Object.APIVersion, Kind: t.Object.Kind,
		Namespace: t.Namespace, Name: t.Name, UID: t.Object.UID,
	}
}

// objectLabels are those that the object carries beside its own.
func (t *task) objectLabels() map[string]string {
	out := t.labels(plan.LabelSite)
	out[plan.LabelSite], out[plan.LabelObject] = string(t.Object.Site), plan.OverlayObject
	return out
}

// writeObject reads the object again: as planned or as desired means write,
// anything else is stale.
func (t *task) writeObject(ctx context.Context, c Cluster) (Object, error) {
	want := Object{
		ObjectRef: t.objectRef(), Content: t.Object.Manifest,
		Labels: t.objectLabels(), Annotations: t.annotations(t.Object.Fields),
	}
	live, err := t.live(ctx, c, want.ObjectRef)
	switch {
	case errors.Is(err, ErrNotFound) && t.Object.UID == "":
		return c.Apply(ctx, want, false)
	case errors.Is(err, ErrNotFound):
		return Object{}, fmt.Errorf("%s is gone: %w", want.ObjectRef, ErrStale)
	case err != nil:
		return Object{}, err
	}
	if err := t.checkObject(live); err != nil {
		return Object{}, err
	}
	want.UID, want.ResourceVersion = live.UID, live.ResourceVersion
	want.Content = plan.KeepIn(t.Object.Manifest, live.Content, t.Object.Keep)
	written, err := c.Apply(ctx, want, true)
	if err != nil {
		return written, err
	}
	return written, t.dropped(written)
}

// dropped checks that what the overlay no longer has is gone: server-side apply
// leaves a field that somebody else applied as well.
func (t *task) dropped(written Object) error {
	now := plan.Pick(written.Content, t.Object.Observed, t.Object.Fields)
	for path, before := range t.Object.Observed {
		if _, wanted := t.Object.Fields[path]; !wanted && before != nil && sameJSON(now[path], before) {
			return fmt.Errorf("%s keeps %s, which somebody else applied too; remove it there, with: kubectl edit", written.ObjectRef, path)
		}
	}
	return nil
}

// checkObject refuses an object that is not the planned one.
func (t *task) checkObject(live Object) error {
	owned := live.Labels[plan.LabelManagedBy] == plan.ManagedBy && live.Labels[plan.LabelNetwork] == t.plan.Network
	switch {
	case t.Object.UID == "" && !owned:
		return fmt.Errorf("%s appeared and is not ours: %w", live.ObjectRef, ErrStale)
	case t.Object.UID != "" && t.Object.UID != live.UID:
		return fmt.Errorf("%s was made anew: %w", live.ObjectRef, ErrStale)
	}
	now := plan.Pick(live.Content, t.Object.Observed, t.Object.Fields)
	for path, planned := range t.Object.Observed {
		if !sameJSON(now[path], planned) && !sameJSON(now[path], t.Object.Fields[path]) {
			return fmt.Errorf("%s: %s is not as it was planned: %w", live.ObjectRef, path, ErrStale)
		}
	}
	return nil
}

// sameJSON compares two values of a manifest.
func sameJSON(a, b any) bool {
	left, errLeft := json.Marshal(a)
	right, errRight := json.Marshal(b)
	return errLeft == nil && errRight == nil && string(left) == string(right)
}

// deleteObject removes an object that no overlay has any more, and its record.
func (t *task) deleteObject(ctx context.Context) error {
	c, err := t.cluster(t.Cluster)
	if err != nil {
		return err
	}
	if err := t.step(ctx, plan.StepDelete, func(ctx context.Context) error {
		if t.Object.UID == "" {
			return nil
		}
		if err := recheck(ctx, c, t.objectRef(), t.checkObject); err != nil {
			return err
		}
		return t.remove(ctx, c, t.objectRef())
	}); err != nil {
		return err
	}
	return t.step(ctx, plan.StepConfirm, func(ctx context.Context) error {
		return t.ledger.forgetObject(ctx, t.Action)
	})
}

// confirmObject records that an object is written, and how the API server keeps it.
func (l *ledger) confirmObject(ctx context.Context, a plan.Action, uid string, answer plan.Answer) error {
	return l.update(ctx, a.Cluster, a.Namespace, func(inv *plan.Inventory) { inv.ConfirmObject(a, uid, answer) })
}

func (l *ledger) forgetObject(ctx context.Context, a plan.Action) error {
	return l.update(ctx, a.Cluster, a.Namespace, func(inv *plan.Inventory) { inv.ForgetObject(a.Key()) })
}
