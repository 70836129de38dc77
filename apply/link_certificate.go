package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/secrets"
)

// typeTLS is the type of a Link's Secret.
const typeTLS = "kubernetes.io/tls"

// certify makes a link without a token: a Certificate at the listening site, its
// Secret carried over, and one Link for each endpoint group. Each part bears our
// labels from the start and the attempt's own name, so doing all of it again
// finishes whatever an earlier apply left undone.
func (t *task) certify(ctx context.Context, e ends) ([]Object, error) {
	if err := t.step(ctx, plan.StepCertificate, func(ctx context.Context) error { return t.issue(ctx, e) }); err != nil {
		return nil, err
	}
	if err := t.step(ctx, plan.StepCarry, func(ctx context.Context) error { return t.carry(ctx, e) }); err != nil {
		return nil, err
	}
	var links []Object
	err := t.step(ctx, plan.StepLink, func(ctx context.Context) (err error) {
		links, err = t.createLinks(ctx, e)
		return err
	})
	return links, err
}

// issue makes sure of the Certificate and waits for its Secret.
func (t *task) issue(ctx context.Context, e ends) error {
	site, err := e.to.Get(ctx, t.siteOf(t.Link.To))
	if err != nil {
		return err
	}
	issuer := text(site.Status, "defaultIssuer")
	if issuer == "" {
		return fmt.Errorf("%s names no issuer in its status", site.ObjectRef)
	}
	ref := t.certificateRef(plan.ObjectCertificate)
	made, err := t.create(ctx, e.to, Object{
		ObjectRef: ref, Labels: t.labels(plan.LabelLink), Annotations: t.annotations(t.owned()),
		Spec: map[string]any{"ca": issuer, "client": true, "subject": string(t.Link.From.Site)},
	})
	if errors.Is(err, ErrExists) {
		if made, err = t.ownObject(ctx, e.to, ref); err == nil && text(made.Spec, "ca") != issuer {
			return t.takeBack(ctx, e, made, issuer)
		}
	}
	if err != nil {
		return err
	}
	return t.awaitIssued(ctx, e, made)
}

// takeBack deletes a Certificate of an interrupted apply that another CA signed: its
// content is never issued again. The next apply makes it anew.
func (t *task) takeBack(ctx context.Context, e ends, made Object, issuer string) error {
	if err := t.remove(ctx, e.to, made.ObjectRef); err != nil {
		return err
	}
	secret := t.certificateRef(plan.ObjectSecret)
	if err := again(func() error { return t.removeIssued(ctx, e.to, secret, made.UID) }); err != nil {
		return err
	}
	return fmt.Errorf("%s was signed by %s and the site's issuer is %s now: %w", made.ObjectRef, text(made.Spec, "ca"), issuer, ErrStale)
}

// awaitIssued waits for the Certificate's own Secret.
func (t *task) awaitIssued(ctx context.Context, e ends, made Object) error {
	secret := t.certificateRef(plan.ObjectSecret)
	return t.wait(ctx, e.to, secret, "issued",
		func(o Object, exists bool) (bool, error) {
			return exists && !o.Deleting && (o.OwnerUID == "" || o.OwnerUID == made.UID), nil
		},
		func(o Object) string {
			if o.Deleting {
				return goes(o)
			}
			now, err := e.to.Get(context.WithoutCancel(ctx), made.ObjectRef)
			if err != nil {
				return "its Certificate cannot be read"
			}
			return Reason(now, "Ready")
		})
}

// ownObject is an object that is there already, if this link made it.
func (t *task) ownObject(ctx context.Context, c Reader, ref plan.ObjectRef) (Object, error) {
	o, err := present(ctx, c, ref)
	if err == nil && !t.labelled(o) {
		return o, fmt.Errorf("%s is there already and is not ours: %w", ref, ErrStale)
	}
	return o, err
}

// carry copies the Certificate's Secret to the connecting site. A copy that is
// there gets the content anew, which the router takes up without a drop.
func (t *task) carry(ctx context.Context, e ends) error {
	issued := t.certificateRef(plan.ObjectSecret)
	data, err := e.to.SecretData(ctx, issued)
	if err != nil {
		return err
	}
	content := map[string]secrets.Value{}
	for _, key := range []string{keyCertificate, keyPrivate, keyAuthority} {
		if data[key].IsZero() {
			return fmt.Errorf("%s has no %s", issued, key)
		}
		content[key] = data[key]
	}
	copied := Object{
		ObjectRef: t.secretRef(t.attempt), Labels: t.labels(plan.LabelLink),
		Annotations: noteRun(t.opts.Run, ends509(content[keyCertificate].Reveal())), Secret: content, Type: typeTLS,
	}
	_, err = t.create(ctx, e.from, copied)
	if !errors.Is(err, ErrExists) {
		return err
	}
	old, err := t.ownObject(ctx, e.from, copied.ObjectRef)
	if err != nil {
		return err
	}
	copied.UID = old.UID
	_, err = e.from.Apply(ctx, copied, true)
	return err
}

// createLinks makes one Link for each endpoint group of the listening site, named
// as Skupper names its own: the object name, or numbered ones for an HA site. A
// proxy's Secret must be there first: the controller crashes on a Link without it.
func (t *task) createLinks(ctx context.Context, e ends) ([]Object, error) {
	if err := t.checkProxy(ctx, e); err != nil {
		return nil, err
	}
	groups, err := t.groups(ctx, e)
	if err != nil {
		return nil, err
	}
	var links []Object
	for i, group := range groups {
		ref := t.linkRef(network.LinkObjectNames(t.object())[0])
		if len(groups) > 1 {
			ref = t.linkRef(fmt.Sprintf("%s-%d", t.object(), i+1))
		}
		o, err := t.create(ctx, e.from, Object{
			ObjectRef: ref, Labels: t.labels(plan.LabelLink), Annotations: noteRun(t.opts.Run, nil), Spec: t.linkSpec(group),
		})
		if errors.Is(err, ErrExists) {
			if o, err = t.ownObject(ctx, e.from, ref); err == nil {
				o.Spec["endpoints"] = group // the site may have moved since; taking over writes them
			}
		}
		if err != nil {
			return nil, err
		}
		links = append(links, o.leadingTo(group))
	}
	return links, nil
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

// addressesOf words endpoints as plans do.
func addressesOf(endpoints []any) string {
	var list []plan.Endpoint
	for _, item := range endpoints {
		endpoint, _ := item.(map[string]any)
		list = append(list, plan.Endpoint{Name: text(endpoint, "name"), Host: text(endpoint, "host"), Port: text(endpoint, "port")})
	}
	return plan.Addresses(list)
}

func (t *task) checkProxy(ctx context.Context, e ends) error {
	if t.Link.ProxySecret == "" {
		return nil
	}
	ref := t.secretRef(t.attempt)
	ref.Name = t.Link.ProxySecret
	if _, err := present(ctx, e.from, ref); err != nil {
		return fmt.Errorf("the settings of proxy %s: %w", t.Link.Proxy, err)
	}
	return nil
}

func (t *task) linkSpec(group []any) map[string]any {
	spec := map[string]any{"endpoints": group, "tlsCredentials": t.object(), "cost": int64(t.Link.Cost)}
	if t.Link.ProxySecret != "" {
		spec["settings"] = map[string]any{"proxy-configuration": t.Link.ProxySecret}
	}
	return spec
}

// groups are the endpoints of the listening Site as they are now, by group.
func (t *task) groups(ctx context.Context, e ends) ([][]any, error) {
	site, err := e.to.Get(ctx, t.siteOf(t.Link.To))
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

// siteOf is the Site at one end of the link.
func (t *task) siteOf(e plan.End) plan.ObjectRef {
	return plan.ObjectRef{Cluster: e.Cluster, Kind: plan.ObjectSite, Namespace: e.Namespace, Name: e.Object}
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
func (t *task) removeIssued(ctx context.Context, c Cluster, ref plan.ObjectRef, owner string) error {
	o, err := c.Get(ctx, ref)
	if errors.Is(err, ErrNotFound) || err == nil && o.OwnerUID != owner {
		return nil
	}
	if err != nil {
		return err
	}
	return t.remove(ctx, c, o.ObjectRef)
}
