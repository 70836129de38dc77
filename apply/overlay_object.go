package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
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
		return t.ledger.keepStored(ctx, t.Action, written)
	})
}

func (t *task) objectRef() plan.ObjectRef {
	return plan.ObjectRef{
		Cluster: t.Cluster, APIVersion: t.Object.APIVersion, Kind: t.Object.Kind,
		Namespace: t.Namespace, Name: t.Name, UID: t.Object.UID,
	}
}

// writeObject reads the object again: as planned or as desired means write,
// anything else is stale.
func (t *task) writeObject(ctx context.Context, c Cluster) (Object, error) {
	want := Object{
		ObjectRef: t.objectRef(), Content: t.Object.Manifest,
		Labels: t.labels(plan.LabelSite), Annotations: t.annotations(t.Object.Fields),
	}
	want.Labels[plan.LabelSite], want.Labels[plan.LabelObject] = string(t.Object.Site), plan.OverlayObject
	live, err := c.Get(ctx, want.ObjectRef)
	if err == nil && live.Deleting {
		live, err = Object{}, t.waitGone(ctx, c, live.ObjectRef)
		if err == nil {
			err = ErrNotFound
		}
	}
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
		if err := c.Delete(ctx, t.objectRef()); err != nil {
			return err
		}
		return t.waitGone(ctx, c, t.objectRef())
	}); err != nil {
		return err
	}
	return t.step(ctx, plan.StepConfirm, func(ctx context.Context) error {
		return t.ledger.forgetObject(ctx, t.Action)
	})
}

func (t *task) waitGone(ctx context.Context, c Cluster, ref plan.ObjectRef) error {
	return t.wait(ctx, c, ref, "gone", func(o Object, exists bool) (bool, error) {
		return !exists || o.UID != ref.UID, nil
	}, func(Object) string { return "a finalizer may hold it" })
}

// intendObject writes an object's intent into the inventory.
func intendObject(inv *plan.Inventory, a plan.Action) {
	if inv.Site == "" {
		inv.Site = a.Object.Site
	}
	if inv.Objects == nil {
		inv.Objects = map[string]plan.InventoryObject{}
	}
	entry := inv.Objects[a.Key()]
	entry.APIVersion, entry.Kind, entry.Name = a.Object.APIVersion, a.Object.Kind, a.Name
	stored := map[string]any{}
	for path, kept := range entry.Stored { // of another value the form is not known yet
		if sameJSON(entry.Fields[path], a.Object.Fields[path]) {
			stored[path] = kept
		}
	}
	entry.UID, entry.Stored = a.Object.UID, stored
	entry.Unwritten = plan.Unwritten(entry.Unwritten, entry.Fields, a.Object.Fields)
	if !a.Has(plan.StepObject) { // it is as declared already
		entry.Unwritten = nil
	}
	entry.Fields = withTombstones(a.Object.Fields, entry.Fields)
	inv.Objects[a.Key()] = entry
}

// keepStored records how the API server keeps what was sent, and takes the marks of
// dropped fields and of those that were not written away.
func (l *ledger) keepStored(ctx context.Context, a plan.Action, live Object) error {
	return l.update(ctx, a.Cluster, a.Namespace, func(inv *plan.Inventory) {
		entry, ok := inv.Objects[a.Key()]
		if !ok || inv.Site != network.SiteName(a.Object.Site) {
			return
		}
		entry.Stored = storedOf(a.Object, entry.Stored, live)
		entry.UID, entry.Fields, entry.Unwritten = live.UID, a.Object.Fields, nil
		inv.Objects[a.Key()] = entry
	})
}

// storedOf tells how the API server keeps what was sent. At the paths that were left as
// they are nothing was learnt, and what was known stays.
func storedOf(w *plan.ObjectWork, known map[string]any, live Object) map[string]any {
	sent := maps.Clone(w.Fields)
	for _, path := range w.Keep {
		delete(sent, path)
	}
	out := plan.Stored(sent, live.Content)
	for _, path := range w.Keep {
		if v, ok := known[path]; ok {
			if out == nil {
				out = map[string]any{}
			}
			out[path] = v
		}
	}
	return out
}

func (l *ledger) forgetObject(ctx context.Context, a plan.Action) error {
	return l.update(ctx, a.Cluster, a.Namespace, func(inv *plan.Inventory) { delete(inv.Objects, a.Key()) })
}
