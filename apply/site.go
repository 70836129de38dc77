package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/record"
)

// site is the action of a Site.
type site struct {
	*task
	c Cluster
	// uid is that of the Site that was written.
	uid string
}

// close deletes the RouterAccess that Skupper leaves.
func (s *site) close(ctx context.Context) error { return s.remove(ctx, s.c, s.Site.Close) }

// make writes the Site and its record.
func (s *site) make(ctx context.Context) error {
	written, err := s.write(ctx, s.Site.Fields)
	if err != nil {
		return err
	}
	sent := without(s.Site.Fields, s.Site.Keep)
	answer := s.answer(s.c, written, s.labels(plan.LabelSite), sent, field.StoredSite(sent, FieldsOf(written)))
	s.uid = written.UID
	return s.note(ctx, func(inv *record.Inventory) { inv.Confirm(s.Action, written.UID, answer) })
}

// mostMakes is how often one apply makes a Site.
const mostMakes = 3

// ready waits until the Site is ready. One that is new, and that the controller took for the
// Site before it, is made again: nothing is linked to it yet.
func (s *site) ready(ctx context.Context) error {
	err := s.waitReady(ctx)
	for made := 1; made < mostMakes && s.Site.UID == "" && errors.Is(err, errMistaken); made++ {
		ref := s.ref()
		ref.UID = s.uid
		if err := s.remove(ctx, s.c, ref); err != nil {
			return err
		}
		if err := s.make(ctx); err != nil {
			return err
		}
		err = s.waitReady(ctx)
	}
	if errors.Is(err, errMistaken) {
		return fmt.Errorf("%w; delete it and apply again: kubectl -n %s delete site %s", err, s.Namespace, s.Site.Object)
	}
	return err
}

// quiet makes the Site as desired but for edge, and waits until the controller has
// seen it.
func (s *site) quiet(ctx context.Context) error {
	fields := maps.Clone(s.Site.Fields)
	fields["edge"] = false
	if _, err := s.write(ctx, fields); err != nil {
		return err
	}
	return s.waitReady(ctx)
}

// createNamespace makes the namespace. It reads none, which takes a right of its own: one that
// is there may be one that is being deleted, and that is waited for.
func (s *site) createNamespace(ctx context.Context) error {
	o := Object{ObjectRef: plan.ObjectRef{Cluster: s.Cluster, Kind: plan.ObjectNamespace, Name: s.Namespace}}
	_, err := s.c.Create(ctx, o)
	if errors.Is(err, ErrExists) {
		there := false
		err = s.wait(ctx, s.c, o.ObjectRef, "gone", func(now Object, exists bool) (bool, error) {
			there = exists
			return !exists || !now.Deleting, nil
		}, goes)
		if err == nil && !there {
			_, err = s.c.Create(ctx, o)
		}
	}
	if errors.Is(err, ErrExists) {
		return nil
	}
	return s.withNamespaceHint(ctx, err)
}

func (s *site) ref() plan.ObjectRef {
	return plan.ObjectRef{
		Cluster: s.Cluster, Kind: plan.ObjectSite, Namespace: s.Namespace, Name: s.Site.Object, UID: s.Site.UID,
	}
}

// write writes the Site with these fields.
func (s *site) write(ctx context.Context, fields map[string]any) (Object, error) {
	return s.writePlanned(ctx, s.c, s.wanted(fields), s.check, func(want *Object, live Object) {
		*want = s.wanted(s.keep(fields, live))
	})
}

// wanted is the Site to send, with these fields: it carries what its overlays set, and
// Fairlead's own.
func (s *site) wanted(fields map[string]any) Object {
	spec, labels, annotations := field.SiteManifest(fields)
	maps.Copy(labels, s.labels(plan.LabelSite))
	maps.Copy(annotations, s.annotations(s.Site.Fields))
	if s.Site.Protect {
		annotations[plan.AnnotationProtect] = "true"
	}
	return Object{ObjectRef: s.ref(), Spec: spec, Labels: labels, Annotations: annotations}
}

// keep gives the fields with those that the plan leaves alone as they are now. They
// are sent, and not left out: server-side apply would take away what we own.
func (s *site) keep(fields map[string]any, live Object) map[string]any {
	fields = maps.Clone(fields)
	now := FieldsOf(live)
	for _, path := range s.Site.Keep {
		if v, there := now[path]; there {
			fields[path] = v
		}
	}
	return fields
}

// check refuses a Site that is not the planned one.
func (s *site) check(live Object) error {
	if err := s.isPlanned(live, s.Site.UID); err != nil {
		return err
	}
	if s.Site.UID == "" {
		return s.checkNew(live)
	}
	now := FieldsOf(live)
	for path, planned := range s.Site.Observed {
		if !expected(now[path], planned, s.Site.Fields[path]) {
			return fmt.Errorf("%s: %s is now %v, was %v: %w", live.ObjectRef, path, now[path], planned, ErrStale)
		}
	}
	return nil
}

// checkNew refuses to overwrite a Site of ours that appeared with other fields
// than the wanted ones: another apply made is.
func (s *site) checkNew(live Object) error {
	now := FieldsOf(live)
	for path, want := range s.Site.Fields {
		blank := now[path] == nil || now[path] == "" || now[path] == false || now[path] == "none"
		if !blank && now[path] != want {
			return fmt.Errorf("%s appeared with %s %v: %w", live.ObjectRef, path, now[path], ErrStale)
		}
	}
	return nil
}

func (s *site) waitReady(ctx context.Context) error {
	ref := s.ref()
	ref.UID = ""
	return s.wait(ctx, s.c, ref, "ready",
		func(o Object, exists bool) (bool, error) { return siteReady(o, exists, s.Site.Listens) },
		siteReason)
}

// delete removes the Site and its inventory.
func (s *site) delete(ctx context.Context) error {
	if s.Site.UID != "" {
		if err := recheck(ctx, s.c, s.ref(), s.check); err != nil {
			return err
		}
		if err := s.remove(ctx, s.c, s.ref()); err != nil { // a namespace has room for one
			return err
		}
	}
	return s.ledger.remove(ctx, s.Cluster, s.Namespace)
}

// FieldsOf flattens a Site into fields by path, as plan.SiteView has them.
func FieldsOf(o Object) map[string]any { return field.SiteFields(o.Spec, o.Labels, o.Annotations) }
