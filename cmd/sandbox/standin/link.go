package standin

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// linkState is what the controller remembers of one Link object.
type linkState struct {
	uid types.UID
	// due is when the creation is handled, where the namespace makes that late.
	due time.Time
	// events tells that there was one since the last look; looks counts those that events
	// led to, and a new Link is left alone until the second. Several events before one
	// look are one, as in the controller's queue.
	events bool
	looks  int
	// reported is what the last report that was not skipped said, and reportedOf the
	// Link's generation then.
	reported   *linkReport
	reportedOf int64
	// checked tells that the proxy was looked up, once and for all.
	checked bool
	proxy   proxy
}

// linkHandler counts events; the status writes of the controller do not count.
func (s *Standin) linkHandler() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { s.linkSeen(obj.(*unstructured.Unstructured), nil) },
		UpdateFunc: func(before, obj any) {
			old, u := before.(*unstructured.Unstructured), obj.(*unstructured.Unstructured)
			if old.GetUID() != u.GetUID() {
				old = nil
			} else if onlyStatus(old, u) {
				return
			}
			s.linkSeen(u, old)
		},
		DeleteFunc: func(obj any) {
			if u, ok := gone(obj).(*unstructured.Unstructured); ok {
				s.linkGone(u)
			}
		},
	}
}

func (s *Standin) linkSeen(u, old *unstructured.Unstructured) {
	if reserved(u.GetName()) {
		return
	}
	name := types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()}
	s.mu.Lock()
	st := s.links[name]
	if st == nil || st.uid != u.GetUID() {
		delay, _ := time.ParseDuration(s.watch.annotation(name.Namespace, "queue-delay"))
		st = &linkState{uid: u.GetUID(), due: time.Now().Add(delay)}
		s.links[name] = st
	}
	st.events = true
	due := st.due
	active := s.routers[name.Namespace] != nil
	s.mu.Unlock()
	if active && old != nil && proxySettingOf(old) == "" && proxySettingOf(u) != "" {
		s.crash(fmt.Sprintf("link %s: %s added to an existing Link", name, proxySetting))
	}
	s.work.AddAfter(key{"link", name.Namespace, name.Name}, time.Until(due))
}

func (s *Standin) linkGone(u *unstructured.Unstructured) {
	name := types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()}
	s.mu.Lock()
	if st := s.links[name]; st != nil && st.uid == u.GetUID() {
		delete(s.links, name)
	}
	s.mu.Unlock()
	s.work.Add(key{"link", name.Namespace, name.Name})
}

func proxySettingOf(u *unstructured.Unstructured) string {
	name, _, _ := unstructured.NestedString(u.Object, "spec", "settings", proxySetting)
	return name
}

// look notes a look at this very object, and gives a copy of what is remembered of it;
// false while nothing is to be done: it is unknown, or its creation is not handled yet.
func (s *Standin) look(u *unstructured.Unstructured) (linkState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.links[types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()}]
	if st == nil || st.uid != u.GetUID() || time.Now().Before(st.due) {
		return linkState{}, false
	}
	if st.events {
		st.events = false
		st.looks++
	}
	return *st, true
}

// linkState gives a copy of what is remembered of this very object.
func (s *Standin) linkState(u *unstructured.Unstructured) (linkState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.links[types.NamespacedName{Namespace: u.GetNamespace(), Name: u.GetName()}]
	if st == nil || st.uid != u.GetUID() {
		return linkState{}, false
	}
	return *st, true
}

// reconcileLink brings a router connection in line with a Link.
func (s *Standin) reconcileLink(ctx context.Context, namespace, name string) error {
	if reserved(name) {
		return nil
	}
	r := s.router(namespace)
	u, _ := s.watch.get(s.watch.links, namespace, name).(*unstructured.Unstructured)
	if u == nil {
		if r != nil {
			r.keepOnly(name, "")
		}
		return nil
	}
	link, err := decode[linkObject](u)
	if err != nil {
		return err
	}
	st, known := s.look(u)
	if r == nil {
		return s.writeUnconfigured(ctx, link, u)
	}
	r.keepOnly(name, link.UID)
	if known && !st.checked {
		st.proxy, err = s.lookUpProxy(ctx, link)
		if err != nil {
			return err
		}
	}
	if !known || st.looks < 2 || ctx.Err() != nil {
		return nil
	}
	s.connect(r, link, st)
	return s.writeConfigured(ctx, link, u)
}

// lookUpProxy reads the proxy Secret of a new Link; the real controller does
// not survive its absence.
func (s *Standin) lookUpProxy(ctx context.Context, link *linkObject) (proxy, error) {
	var p proxy
	if name := link.Spec.Settings[proxySetting]; name != "" {
		secret, err := s.core.CoreV1().Secrets(link.Namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			s.crash(fmt.Sprintf("link %s/%s: proxy Secret %s not found", link.Namespace, link.Name, name))
			return p, nil
		}
		if err != nil {
			return p, err
		}
		p = proxyOf(secret)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.links[types.NamespacedName{Namespace: link.Namespace, Name: link.Name}]; st != nil && st.uid == link.UID {
		st.checked, st.proxy = true, p
	}
	return p, nil
}

// connect gives the router its target, or takes the connection away where the
// Link has no usable endpoint or no credentials.
func (s *Standin) connect(r *router, link *linkObject, st linkState) {
	e := endpointFor(link.Spec.Endpoints, r.role())
	secret := s.watch.secret(link.Namespace, link.Spec.TLSCredentials)
	c := r.link(link.Name)
	if e == nil || secret == nil && c == nil {
		r.keepOnly(link.Name, "")
		r.report.forget(link.Name)
		s.setReported(link.Namespace, link.Name, nil)
		return
	}
	t := target{endpoint: *e, credentials: link.Spec.TLSCredentials, cost: effectiveCost(link.Spec.Cost), proxy: st.proxy}
	if c != nil && !liveCost(s.version(link.Namespace)) {
		t.cost = c.now().cost
	}
	if secret != nil {
		t.cert, t.key = string(secret.Data[corev1.TLSCertKey]), string(secret.Data[corev1.TLSPrivateKeyKey])
		t.roots = string(secret.Data["ca.crt"])
	} else if now := c.now(); now.credentials == t.credentials {
		// A router keeps the files that it was given.
		t.cert, t.key, t.roots = now.cert, now.key, now.roots
	}
	r.setLink(link.Name, link.UID, t)
}

// setReported keeps what a report says of a Link as it is now.
func (s *Standin) setReported(namespace, name string, report *linkReport) {
	u, _ := s.watch.get(s.watch.links, namespace, name).(*unstructured.Unstructured)
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.links[types.NamespacedName{Namespace: namespace, Name: name}]
	never := st != nil && st.reportedOf == 0
	if st == nil || u == nil || st.uid != u.GetUID() || report == nil && never {
		return
	}
	st.reported, st.reportedOf = report, u.GetGeneration()
}

// writeConfigured writes the status of a configured Link.
func (s *Standin) writeConfigured(ctx context.Context, link *linkObject, u *unstructured.Unstructured) error {
	st, known := s.linkState(u)
	if !known {
		return nil
	}
	out := linkStatusOf(link)
	operational := operationalOf(st)
	if operational.problem == "" {
		out.RemoteSiteID, out.RemoteSiteName = st.reported.PeerID, st.reported.PeerName
	}
	out.settle(link.Generation, true, condition{kind: "Configured"}, operational)
	return s.writeStatus(ctx, linksGVR, u, out)
}

// operationalOf is the condition that reports lead to, of the generation that the Link
// had at the last one with news.
func operationalOf(st linkState) condition {
	c := condition{kind: "Operational", problem: "Not Operational", seen: st.reportedOf, unreported: st.reportedOf == 0}
	if st.reported != nil && st.reported.Up {
		c.problem = ""
	}
	return c
}

// writeUnconfigured takes the status of a Link back when its site is gone.
func (s *Standin) writeUnconfigured(ctx context.Context, link *linkObject, u *unstructured.Unstructured) error {
	s.setReported(link.Namespace, link.Name, nil)
	if link.Status == nil || len(link.Status.Conditions) == 0 {
		return nil
	}
	out := linkStatusOf(link)
	out.settle(link.Generation, true, condition{kind: "Configured", problem: "No active site in namespace"}, condition{kind: "Operational", problem: "Not Operational"})
	return s.writeStatus(ctx, linksGVR, u, out)
}

func linkStatusOf(link *linkObject) *linkStatus {
	if link.Status != nil {
		return link.Status
	}
	return &linkStatus{}
}
