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
	"sync"
	"time"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
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
	return w.note(ctx, func(inv *record.Inventory) {
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
	switch have := endpointsOf(l); {
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
		ObjectRef: o.ObjectRef, Labels: w.labels(plan.LabelLink),
		Annotations: noteRun(w.opts.Run, ends509(data[keyCertificate].Reveal())),
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
func (w *linkWriter) createLink(
	ctx context.Context, name string, spec map[string]any,
) (o Object, existed bool, err error) {
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

// endpointsOf are the endpoints of a Link.
func endpointsOf(link Object) []any {
	list, _ := link.Spec["endpoints"].([]any)
	return list
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
	var list []world.Endpoint
	for _, item := range endpoints {
		endpoint, _ := item.(map[string]any)
		list = append(list, world.Endpoint{
			Name: text(endpoint, "name"), Host: text(endpoint, "host"), Port: text(endpoint, "port"),
		})
	}
	return world.Addresses(list)
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

// How a new Link is touched again: the controller configures it at its second event, and
// one that comes before the first was handled is folded into that (seen of Skupper 2.2).
// The pauses grow by half each time; after the last, the controller's resync is near.
const (
	firstPause  = 200 * time.Millisecond
	mostTouches = 10
)

// waitConfigured waits until the controller has configured each Link as it is now, and
// meanwhile touches those that it never has.
func (w *linkWriter) waitConfigured(ctx context.Context, links []Object) error {
	touching, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, l := range links {
		all.Go(func() { w.keepTouching(touching, l) }) // ends with the wait below
	}
	err := w.eachLink(ctx, links, "configured", func(o Object) bool { return Holds(o, "Configured") },
		func(o Object) string { return Reason(o, "Configured", "Ready") })
	stop()
	all.Wait()
	return err
}

// keepTouching touches a Link again and again until it has been configured, was changed by
// somebody, which is a touch, or ctx ends. It only reads what the task holds.
func (w *linkWriter) keepTouching(ctx context.Context, l Object) {
	for n, pause := 1, firstPause; n <= mostTouches; n, pause = n+1, pause*3/2 {
		if Pause(ctx, pause) != nil {
			return
		}
		now, err := w.from.Get(ctx, l.ObjectRef)
		if err != nil {
			continue
		}
		touched := w.takenOver(now, now.ResourceVersion, nil)
		if now.UID != l.UID || LastHeld(now, "Configured") || costOf(now) != number(touched.Spec, "cost") {
			return
		}
		touched.Annotations[plan.AnnotationTouch] = strconv.Itoa(n)
		_, _ = w.from.Apply(ctx, touched, true) // the wait tells what is wrong, if anything is
	}
}

// waitNew is waitOperational for Links that this apply made, and meanwhile leads them to where
// the listening Site is. The addresses of others may be somebody's own.
func (w *linkWriter) waitNew(ctx context.Context, links []Object) error {
	following, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { w.follow(following, links) }) // ends with the wait below
	defer all.Wait()
	defer stop()
	return w.waitOperational(ctx, links)
}

// waitOperational waits until each Link is up, as far as its own status tells. Where one is
// not up in time, the report of its site may say more.
func (w *linkWriter) waitOperational(ctx context.Context, links []Object) error {
	up := func(o Object) bool {
		health, _ := LinkOf(o).Health(world.SiteReport{})
		return health == world.LinkUp
	}
	return w.eachLink(ctx, links, "operational", up, func(o Object) string {
		_, why := LinkOf(o).Health(w.ownReport(ctx))
		return why
	})
}

// follow leads Links to the endpoints that the listening Site comes to have, until ctx ends.
// A Site whose access changed is Ready with the endpoints that it had until its Service has
// an address, and a token carries those (Skupper: internal/kube/site, CheckRouterAccess; seen
// of 2.2). Routers take new endpoints of a Link since 2.2.0 alone. It only reads what the
// task holds.
func (w *linkWriter) follow(ctx context.Context, links []Object) {
	leads := map[string][]any{}
	for _, l := range links {
		leads[l.Name] = endpointsOf(l)
	}
	for {
		var behind plan.ObjectRef
		var group []any
		err := w.to.Wait(ctx, siteAt(w.Link.To), func(site Object, _ bool) (bool, error) {
			for _, l := range links {
				if group = movedTo(leads[l.Name], groupsOf(site)); group != nil {
					behind = l.ObjectRef
					return true, nil
				}
			}
			return false, nil
		})
		if err != nil { // the wait for the Links tells what is wrong, if anything is
			return
		}
		leads[behind.Name] = group
		_ = again(func() error { return w.lead(ctx, behind, group) })
	}
}

// lead leads a Link to other endpoints, where its site's routers take them.
func (w *linkWriter) lead(ctx context.Context, link plan.ObjectRef, group []any) error {
	site, err := w.from.Get(ctx, siteAt(w.Link.From))
	controller, _ := site.Status["controller"].(map[string]any)
	if err != nil || !world.EditsLinks(text(controller, "version")) {
		return err
	}
	now, err := w.from.Get(ctx, link)
	if err != nil || now.UID != link.UID {
		return err
	}
	_, err = w.from.Apply(ctx, w.takenOver(now, now.ResourceVersion, group), true)
	return err
}

// movedTo gives the group that a Link with some endpoints should lead to, where that has
// others; nil where it has not, or the group is not there.
func movedTo(have []any, groups [][]any) []any {
	for _, group := range groups {
		if groupName(have) == groupName(group) && addressesOf(have) != addressesOf(group) {
			return group
		}
	}
	return nil
}

// eachLink waits for one Link after the other.
func (w *linkWriter) eachLink(
	ctx context.Context, links []Object, what string, is func(Object) bool, why func(Object) string,
) error {
	for _, l := range links {
		err := w.wait(ctx, w.from, l.ObjectRef, what, func(o Object, exists bool) (bool, error) {
			if !exists || o.Deleting || o.UID != l.UID {
				return false, fmt.Errorf("%s was deleted meanwhile: %w", l.ObjectRef, ErrStale)
			}
			return is(o), nil
		}, why)
		if err != nil {
			return err
		}
	}
	return nil
}

// silence is how long a report may have nothing of a Link that its own status has as
// operational, before the status alone counts: routers report each 10 s (seen).
const silence = 30 * time.Second

// reportRef is the ConfigMap with the report of the connecting site.
func (w *linkWriter) reportRef() plan.ObjectRef {
	return objectAt(w.Link.From, plan.ObjectConfigMap, NetworkStatusName)
}

// ownReport is what the routers of the connecting site say just now. It waits for nothing:
// to list and to watch the ConfigMap is all that an apply may do with it.
func (w *linkWriter) ownReport(ctx context.Context) world.SiteReport {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawal)
	defer cancel()
	var report world.SiteReport
	err := w.from.Wait(bounded, w.reportRef(), func(o Object, _ bool) (bool, error) {
		report = Reported(o.Data, w.Link.From.UID)
		return true, nil
	})
	if err != nil {
		return NoReport(w.Link.From.UID, fmt.Sprintf("the report of its routers cannot be read: %s", err))
	}
	return report
}

// waitReport waits until the connecting site's routers themselves report the Links up:
// what they replace goes next. A report that tells nothing keeps nobody waiting, as the
// Links' own status has them as operational; one without them does for a while.
func (w *linkWriter) waitReport(ctx context.Context, links []Object) error {
	patience, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	err := w.watchReport(patience, links, func(l world.LinkReport, listed bool) bool { return listed && l.Up })
	if err == nil || ctx.Err() != nil || patience.Err() == nil {
		return err
	}
	return w.watchReport(ctx, links, func(l world.LinkReport, listed bool) bool { return !listed || l.Up })
}

// watchReport waits until the report says of each of the Links what is good, or nothing
// of their site at all.
func (w *linkWriter) watchReport(
	ctx context.Context, links []Object, good func(l world.LinkReport, listed bool) bool,
) error {
	down := ""
	return w.wait(ctx, w.from, w.reportRef(), "reporting the new links up", func(o Object, _ bool) (bool, error) {
		report := Reported(o.Data, w.Link.From.UID)
		down = ""
		for _, l := range links {
			if reported, listed := report.Link(l.Name); !good(reported, listed) {
				down = l.Name
			}
		}
		return down == "" || report.Fault != "", nil
	}, func(Object) string { return fmt.Sprintf("the routers do not report %s up", down) })
}
