package apply

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

func (t *task) applySite(ctx context.Context) error {
	c, err := t.cluster(t.Cluster)
	if err != nil {
		return err
	}
	if err := t.step(ctx, plan.StepNamespace, func(ctx context.Context) error { return t.createNamespace(ctx, c) }); err != nil {
		return err
	}
	if err := t.step(ctx, plan.StepRecord, func(ctx context.Context) error {
		return t.ledger.begin(ctx, t.Cluster, t.Namespace)
	}); err != nil {
		return t.withNamespaceHint(err)
	}
	closing := func(ctx context.Context) error { return t.remove(ctx, c, t.Site.Close) }
	if err := t.step(ctx, plan.StepQuiet, func(ctx context.Context) error { return t.quiet(ctx, c) }); err != nil {
		return err
	}
	if t.Has(plan.StepQuiet) {
		if err := t.step(ctx, plan.StepClose, closing); err != nil {
			return err
		}
	}
	var uid string
	if err := t.step(ctx, plan.StepSite, func(ctx context.Context) (err error) {
		uid, err = t.makeSite(ctx, c)
		return err
	}); err != nil {
		return err
	}
	if err := t.step(ctx, plan.StepReady, func(ctx context.Context) error { return t.readySite(ctx, c, uid) }); err != nil {
		return err
	}
	if t.Has(plan.StepQuiet) {
		return nil // closed above
	}
	return t.step(ctx, plan.StepClose, closing)
}

// makeSite writes the Site and its record, and gives its UID.
func (t *task) makeSite(ctx context.Context, c Cluster) (string, error) {
	var written Object
	if err := again(func() (err error) {
		written, err = t.writeSite(ctx, c, t.Site.Fields)
		return err
	}); err != nil {
		return "", err
	}
	sent := without(t.Site.Fields, t.Site.Keep)
	answer := t.answer(c, written, sent, plan.StoredSite(sent, FieldsOf(written)))
	t.noteAltered(written, lostLabels(t.labels(plan.LabelSite), written))
	return written.UID, t.ledger.confirmSite(ctx, t.Action, written.UID, answer)
}

// mostMakes is how often one apply makes a Site.
const mostMakes = 3

// readySite waits until the Site of that UID is ready. One that is new, and that the
// controller took for the Site before it, is made again: nothing is linked to it yet.
func (t *task) readySite(ctx context.Context, c Cluster, uid string) error {
	err := t.waitSite(ctx, c)
	for made := 1; made < mostMakes && t.Site.UID == "" && errors.Is(err, errMistaken); made++ {
		ref := t.siteRef()
		ref.UID = uid
		if err := t.remove(ctx, c, ref); err != nil {
			return err
		}
		if uid, err = t.makeSite(ctx, c); err != nil {
			return err
		}
		err = t.waitSite(ctx, c)
	}
	if errors.Is(err, errMistaken) {
		return fmt.Errorf("%w; delete it and apply again: kubectl -n %s delete site %s", err, t.Namespace, t.Site.Object)
	}
	return err
}

// quiet makes the Site as desired but for edge, and waits until the controller has
// seen it.
func (t *task) quiet(ctx context.Context, c Cluster) error {
	fields := maps.Clone(t.Site.Fields)
	fields["edge"] = false
	if err := again(func() error {
		_, err := t.writeSite(ctx, c, fields)
		return err
	}); err != nil {
		return err
	}
	return t.waitSite(ctx, c)
}

// createNamespace makes the namespace. It reads none, which takes a right of its own: one that
// is there may be one that is being deleted, and that is waited for.
func (t *task) createNamespace(ctx context.Context, c Cluster) error {
	o := Object{ObjectRef: plan.ObjectRef{Cluster: t.Cluster, Kind: plan.ObjectNamespace, Name: t.Namespace}}
	_, err := c.Create(ctx, o)
	if errors.Is(err, ErrExists) {
		there := false
		err = t.wait(ctx, c, o.ObjectRef, "gone", func(now Object, exists bool) (bool, error) {
			there = exists
			return !exists || !now.Deleting, nil
		}, goes)
		if err == nil && !there {
			_, err = c.Create(ctx, o)
		}
	}
	if errors.Is(err, ErrExists) {
		return nil
	}
	return t.withNamespaceHint(err)
}

// withNamespaceHint says what to do about a namespace that is missing.
func (t *task) withNamespaceHint(err error) error {
	if errors.Is(err, ErrNotFound) || t.at == plan.StepNamespace && errors.Is(err, ErrForbidden) {
		return fmt.Errorf("%w; create it with: kubectl create namespace %s", err, t.Namespace)
	}
	return err
}

func (t *task) siteRef() plan.ObjectRef {
	return plan.ObjectRef{Cluster: t.Cluster, Kind: plan.ObjectSite, Namespace: t.Namespace, Name: t.Site.Object, UID: t.Site.UID}
}

// writeSite reads the Site again: as desired means done, as planned means write,
// anything else is stale.
func (t *task) writeSite(ctx context.Context, c Cluster, fields map[string]any) (Object, error) {
	want := t.wantedSite(fields)
	live, err := t.live(ctx, c, want.ObjectRef)
	switch {
	case errors.Is(err, ErrNotFound):
		if t.Site.UID != "" {
			return Object{}, fmt.Errorf("%s is gone: %w", want.ObjectRef, ErrStale)
		}
		return c.Apply(ctx, want, false)
	case err != nil:
		return Object{}, err
	}
	if err := t.checkSite(live); err != nil {
		return Object{}, err
	}
	want = t.wantedSite(t.keepSite(fields, live))
	want.UID, want.ResourceVersion = live.UID, live.ResourceVersion
	return c.Apply(ctx, want, true)
}

// wantedSite is the Site to send, with these fields.
func (t *task) wantedSite(fields map[string]any) Object {
	return Object{
		ObjectRef: t.siteRef(), Spec: specOf(fields),
		Labels: t.siteLabels(fields), Annotations: t.siteAnnotations(fields),
	}
}

// keepSite gives the fields with those that the plan leaves alone as they are now. They
// are sent, and not left out: server-side apply would take away what we own.
func (t *task) keepSite(fields map[string]any, live Object) map[string]any {
	fields = maps.Clone(fields)
	now := FieldsOf(live)
	for _, path := range t.Site.Keep {
		if v, there := now[path]; there {
			fields[path] = v
		}
	}
	return fields
}

// checkSite refuses a Site that is not the planned one.
func (t *task) checkSite(live Object) error {
	owned := live.Labels[plan.LabelManagedBy] == plan.ManagedBy && live.Labels[plan.LabelNetwork] == t.plan.Network
	switch {
	case t.Site.UID == "" && !owned:
		return fmt.Errorf("%s appeared and is not ours: %w", live.ObjectRef, ErrStale)
	case t.Site.UID != "" && t.Site.UID != live.UID:
		return fmt.Errorf("%s was made anew: %w", live.ObjectRef, ErrStale)
	case t.Site.UID == "":
		return t.checkNewSite(live)
	}
	now := FieldsOf(live)
	for path, planned := range t.Site.Observed {
		if desired := t.Site.Fields[path]; now[path] != planned && now[path] != desired {
			return fmt.Errorf("%s: %s is now %v, was %v: %w", live.ObjectRef, path, now[path], planned, ErrStale)
		}
	}
	return nil
}

func (t *task) waitSite(ctx context.Context, c Cluster) error {
	ref := t.siteRef()
	ref.UID = ""
	return t.wait(ctx, c, ref, "ready",
		func(o Object, exists bool) (bool, error) { return siteReady(o, exists, t.Site.Listens) },
		func(o Object) string { return Reason(o, "Configured", "Running", "Resolved", "Ready") })
}

func (t *task) deleteSite(ctx context.Context) error {
	c, err := t.cluster(t.Cluster)
	if err != nil {
		return err
	}
	return t.step(ctx, plan.StepDelete, func(ctx context.Context) error {
		if t.Site.UID != "" {
			if err := recheck(ctx, c, t.siteRef(), t.checkSite); err != nil {
				return err
			}
			if err := t.remove(ctx, c, t.siteRef()); err != nil { // a namespace has room for one
				return err
			}
		}
		return t.ledger.remove(ctx, t.Cluster, t.Namespace)
	})
}

// remove deletes an inventory and waits until it is gone; the next use of the page reads it
// again.
func (l *ledger) remove(ctx context.Context, cluster network.ClusterName, namespace string) error {
	pg := l.page(cluster, namespace)
	pg.mu.Lock()
	defer pg.mu.Unlock()
	pg.loaded, pg.begun, pg.lost, pg.held = false, false, false, nil
	o, err := l.clusters[cluster].Get(ctx, pg.ref)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := l.clusters[cluster].Delete(ctx, o.ObjectRef); err != nil {
		return err
	}
	return waitGone(ctx, l.clusters[cluster], o.ObjectRef, l.timeout)
}

// labels are what every object of the action carries.
func (t *task) labels(kind string) map[string]string {
	return map[string]string{
		plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: t.plan.Network, kind: t.Name,
	}
}

// noteRun adds the run to annotations, which may be nil. Every object that is written
// carries it; nothing is written for its sake.
func noteRun(run string, annotations map[string]string) map[string]string {
	if run == "" {
		return annotations
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[plan.AnnotationRun] = run
	return annotations
}

// annotations are the commit, the run and the digest of the owned fields.
func (t *task) annotations(fields map[string]any) map[string]string {
	data, err := json.Marshal(fields)
	if err != nil {
		data = nil // fields are strings, booleans and numbers, which always marshal
	}
	sum := sha256.Sum256(data)
	out := map[string]string{plan.AnnotationDigest: "sha256:" + hex.EncodeToString(sum[:])}
	if s := t.plan.Source; s.Commit != "" {
		out[plan.AnnotationCommit] = s.Commit
		if s.Dirty {
			out[plan.AnnotationCommit] += plan.DirtySuffix
		}
	}
	return noteRun(t.opts.Run, out)
}

// specOf builds a Site's spec from owned fields by path.
func specOf(fields map[string]any) map[string]any {
	spec, _, _ := plan.SiteManifest(fields)
	return spec
}

// siteLabels are what a Site carries: what its overlays set, and Fairlead's own.
func (t *task) siteLabels(fields map[string]any) map[string]string {
	_, labels, _ := plan.SiteManifest(fields)
	maps.Copy(labels, t.labels(plan.LabelSite))
	return labels
}

func (t *task) siteAnnotations(fields map[string]any) map[string]string {
	_, _, annotations := plan.SiteManifest(fields)
	maps.Copy(annotations, t.annotations(t.Site.Fields))
	if t.Site.Protect {
		annotations[plan.AnnotationProtect] = "true"
	}
	return annotations
}

// FieldsOf flattens a Site into fields by path, as plan.SiteView has them.
func FieldsOf(o Object) map[string]any { return plan.SiteFields(o.Spec, o.Labels, o.Annotations) }
