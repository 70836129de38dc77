package apply

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// linkWriter writes the Links of a link, and waits until the routers carry them.
type linkWriter struct {
	*link
	// keptCost is the cost that the link's Links have instead of the one that was sent, 0
	// where there is none.
	keptCost int32
}

// configured waits until the controller has configured the Links.
func (w *linkWriter) configured(ctx context.Context) error { return w.waitConfigured(ctx, w.links) }

// confirm records that the link is up as desired.
func (w *linkWriter) confirm(ctx context.Context, links []string) error {
	return w.note(ctx, func(inv *plan.Inventory) {
		inv.ConfirmLink(w.Action, w.Link.To.UID, links, w.keptCost)
	})
}

func names(links []Object) []string {
	out := make([]string, 0, len(links))
	for _, l := range links {
		out = append(out, l.Name)
	}
	slices.Sort(out)
	return out
}

// owned are the link's owned fields, for the digest.
func (w *linkWriter) owned() map[string]any {
	return map[string]any{
		"from": w.Link.From.Site, "to": w.Link.To.Site, "cost": w.Link.Cost,
		"via": w.Link.Via, "proxy": w.Link.ProxySecret, "rotation": w.Link.Rotation,
	}
}

// takeOver labels one Link and sets its cost. Any change of its metadata is the
// touch without which the controller leaves a new Link alone until its resync. The
// UID is always a condition; a new Link's version is not, as its status moves.
func (w *linkWriter) takeOver(ctx context.Context, l Object, version string, endpoints []any) error {
	sent := w.takenOver(l, version, endpoints)
	written, err := w.from.Apply(ctx, sent, true)
	if err != nil {
		return err
	}
	w.noteAltered(written, lostLabels(sent.Labels, written))
	if want, kept := number(sent.Spec, "cost"), costOf(written); want != kept {
		w.keptCost = int32(kept)
		w.noteAltered(written, []string{fmt.Sprintf("cost of Link %s is %d there and %d was sent", l.Name, kept, want)})
	}
	return nil
}

// takenOver is what an apply writes of a Link. Server-side apply takes away what was
// applied before and is left out now, so endpoints that may have been, those of a link by
// certificate and noted ones, always go along.
func (w *linkWriter) takenOver(l Object, version string, endpoints []any) Object {
	spec := map[string]any{"cost": int64(w.Link.Cost)}
	if w.Link.KeepCost {
		spec["cost"] = costOf(l)
	}
	switch have, _ := l.Spec["endpoints"].([]any); {
	case endpoints != nil:
		spec["endpoints"] = endpoints
	case (w.Link.Via == network.ViaCertificate || l.Annotations[plan.AnnotationEndpoints] != "") && len(have) > 0:
		spec["endpoints"] = have
	}
	notes := w.notes()
	if at := cmp.Or(addressesOf(endpoints), l.Annotations[plan.AnnotationEndpoints]); at != "" {
		notes[plan.AnnotationEndpoints] = at
	}
	return Object{
		ObjectRef: l.ObjectRef, ResourceVersion: version, Labels: w.labels(plan.LabelLink), Annotations: notes, Spec: spec,
	}
}

// notes are a Link's annotations: beside commit and digest the declared cost, which may
// not be the one that it keeps, and what a plan has to know of it when the inventory is
// lost.
func (w *linkWriter) notes() map[string]string {
	out := w.annotations(w.owned())
	out[plan.AnnotationVia], out[plan.AnnotationRotation] = string(w.Link.Via), strconv.Itoa(int(w.Link.Rotation))
	out[plan.AnnotationCost] = strconv.Itoa(int(w.Link.Cost))
	if w.Link.Adopted {
		out[plan.AnnotationAdopted] = "true"
	}
	return out
}

// The keys of a Secret of type kubernetes.io/tls, and of the CA beside them that
// Skupper demands.
const (
	keyCertificate = "tls.crt"
	keyPrivate     = "tls.key"
	keyAuthority   = "ca.crt"
)

// labelSecrets marks the Secrets that the Links use, so that they can be found when
// the link goes, and notes when their certificates end. A Secret that neither we
// nor a redemption made is left alone.
func (w *linkWriter) labelSecrets(ctx context.Context, links []Object) error {
	done := map[string]bool{}
	for _, l := range links {
		name := text(l.Spec, "tlsCredentials")
		if name == "" || done[name] {
			continue
		}
		done[name] = true
		if err := w.labelSecret(ctx, w.secretRef(name)); err != nil {
			return err
		}
	}
	return nil
}

func (w *linkWriter) labelSecret(ctx context.Context, ref plan.ObjectRef) error {
	o, err := w.from.Get(ctx, ref)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil || !w.redeemed(o):
		return err
	case o.Deleting:
		return notGoing(o)
	case w.labelled(o) && o.Annotations[plan.AnnotationExpires] != "":
		return nil
	}
	data, err := w.from.SecretData(ctx, ref)
	if err != nil {
		return err
	}
	_, err = w.from.Apply(ctx, Object{
		ObjectRef: o.ObjectRef, Labels: w.labels(plan.LabelLink), Annotations: noteRun(w.opts.Run, ends509(data[keyCertificate].Reveal())),
	}, true)
	return err
}

// ends509 notes when a certificate in PEM ends; nothing when it cannot be read. The
// controller leaves status.expiration of its Certificates empty.
func ends509(certificate string) map[string]string {
	block, _ := pem.Decode([]byte(certificate))
	if block == nil {
		return nil
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return map[string]string{plan.AnnotationExpires: c.NotAfter.UTC().Format(time.RFC3339)}
}

// createLink makes a Link, or finds the one that this link made before.
func (w *linkWriter) createLink(ctx context.Context, name string, spec map[string]any) (o Object, existed bool, err error) {
	ref := w.linkRef(name)
	o, err = w.create(ctx, w.from, Object{
		ObjectRef: ref, Labels: w.labels(plan.LabelLink), Annotations: noteRun(w.opts.Run, nil), Spec: spec,
	})
	if existed = errors.Is(err, ErrExists); existed {
		o, err = w.existing(ctx, w.from, ref)
	}
	return o, existed, err
}

func (w *linkWriter) checkProxy(ctx context.Context) error {
	if w.Link.ProxySecret == "" {
		return nil
	}
	ref := w.secretRef(w.Link.ProxySecret)
	if _, err := present(ctx, w.from, ref); err != nil {
		return fmt.Errorf("the settings of proxy %s: %w", w.Link.Proxy, err)
	}
	return nil
}

func (w *linkWriter) linkSpec(group []any, secret string) map[string]any {
	spec := map[string]any{"endpoints": group, "tlsCredentials": secret, "cost": int64(w.Link.Cost)}
	if w.Link.ProxySecret != "" {
		spec["settings"] = map[string]any{"proxy-configuration": w.Link.ProxySecret}
	}
	return spec
}

// groups are the endpoints of the listening Site as they are now, by group.
func (w *linkWriter) groups(ctx context.Context) ([][]any, error) {
	site, err := w.to.Get(ctx, siteAt(w.Link.To))
	if err != nil {
		return nil, err
	}
	out := groupsOf(site)
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no endpoints: %w", site.ObjectRef, ErrStale)
	}
	return out, nil
}

// groupsOf are the endpoints in a Site's status by group, in the order of the
// groups' names.
func groupsOf(site Object) [][]any {
	list, _ := site.Status["endpoints"].([]any)
	byGroup := map[string][]any{}
	var names []string
	for _, item := range list {
		endpoint, ok := item.(map[string]any)
		if !ok {
			continue
		}
		name := text(endpoint, "group")
		if byGroup[name] == nil {
			names = append(names, name)
		}
		byGroup[name] = append(byGroup[name], endpoint)
	}
	slices.Sort(names)
	out := make([][]any, 0, len(names))
	for _, name := range names {
		out = append(out, byGroup[name])
	}
	return out
}

// groupName is the group of endpoints that are all of one.
func groupName(endpoints []any) string {
	if len(endpoints) == 0 {
		return ""
	}
	first, _ := endpoints[0].(map[string]any)
	return text(first, "group")
}

// addressesOf words endpoints as plans do.
func addressesOf(endpoints []any) string {
	var list []plan.Endpoint
	for _, item := range endpoints {
		endpoint, _ := item.(map[string]any)
		list = append(list, plan.Endpoint{Name: text(endpoint, "name"), Host: text(endpoint, "host"), Port: text(endpoint, "port")})
	}
	return plan.Addresses(list)
}

// leadingTo is a Link that was read, with what is to be noted of its endpoints.
func (o Object) leadingTo(group []any) Object {
	o.Annotations = maps.Clone(o.Annotations)
	if o.Annotations == nil {
		o.Annotations = map[string]string{}
	}
	o.Annotations[plan.AnnotationEndpoints] = addressesOf(group)
	return o
}
