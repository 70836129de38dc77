package apply

import (
	"context"
	"fmt"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
)

// overlayObject is the action of an object of an overlay.
type overlayObject struct {
	*task
	c Cluster
}

// write writes the object and its record.
func (o *overlayObject) write(ctx context.Context) error {
	want := Object{
		ObjectRef: o.ref(), Content: o.Object.Manifest,
		Labels: o.objectLabels(), Annotations: o.annotations(o.Object.Fields),
	}
	written, err := o.writePlanned(ctx, o.c, want, o.check, func(want *Object, live Object) {
		want.Content = field.KeepIn(o.Object.Manifest, live.Content, o.Object.Keep)
	})
	if err == nil {
		err = o.dropped(written)
	}
	if err != nil {
		return o.withNamespaceHint(ctx, err)
	}
	sent := without(o.Object.Fields, o.Object.Keep)
	answer := o.answer(o.c, written, want.Labels, sent, field.Stored(sent, written.Content))
	return o.note(ctx, func(inv *record.Inventory) { inv.ConfirmObject(o.Action, written.UID, answer) })
}

func (o *overlayObject) ref() plan.ObjectRef {
	return plan.ObjectRef{
		Cluster: o.Cluster, APIVersion: o.Object.APIVersion, Kind: o.Object.Kind,
		Namespace: o.Namespace, Name: o.Name, UID: o.Object.UID,
	}
}

// objectLabels are those that the object carries beside its own.
func (o *overlayObject) objectLabels() map[string]string {
	out := o.labels(plan.LabelSite)
	out[plan.LabelSite], out[plan.LabelObject] = string(o.Object.Site), world.OverlayObject
	return out
}

// dropped checks that what the overlay no longer has is gone: server-side apply
// leaves a field that somebody else applied as well.
func (o *overlayObject) dropped(written Object) error {
	now := field.Pick(written.Content, o.Object.Observed, o.Object.Fields)
	for path, before := range o.Object.Observed {
		if _, wanted := o.Object.Fields[path]; !wanted && before != nil && sameJSON(now[path], before) {
			return fmt.Errorf("%s keeps %s, which somebody else applied too; remove it there, with: kubectl edit",
				written.ObjectRef, path)
		}
	}
	return nil
}

// check refuses an object that is not the planned one.
func (o *overlayObject) check(live Object) error {
	if err := o.isPlanned(live, o.Object.UID); err != nil {
		return err
	}
	now := field.Pick(live.Content, o.Object.Observed, o.Object.Fields)
	for path, planned := range o.Object.Observed {
		if !expected(now[path], planned, o.Object.Fields[path]) {
			return fmt.Errorf("%s: %s is not as it was planned: %w", live.ObjectRef, path, ErrStale)
		}
	}
	return nil
}

// delete removes an object that no overlay has any more.
func (o *overlayObject) delete(ctx context.Context) error {
	if o.Object.UID == "" {
		return nil
	}
	if err := recheck(ctx, o.c, o.ref(), o.check); err != nil {
		return err
	}
	return o.remove(ctx, o.c, o.ref())
}

// forget removes the record of an object that is gone.
func (o *overlayObject) forget(ctx context.Context) error {
	return o.note(ctx, func(inv *record.Inventory) { inv.ForgetObject(o.Key()) })
}
