package standin

import (
	"context"
	"fmt"

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
	// events are those seen: a new Link is left alone until the second.
	events int
	// reported is what the last report that was not skipped said.
	reported *linkReport
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
		st = &linkState{uid: u.GetUID()}
		s.links[name] = st
	}
	st.events++
	active := s.routers[name.Namespace] != nil
	s.mu.Unlock()
	if active && old != nil && proxySettingOf(old) == "" && proxySettingOf(u) != "" {
		s.crash(fmt.Sprintf("link %s: %s added to an existing Link", name, proxySetting))
	}
	s.work.Add(key{"link", name.Namespace, name.Name})
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
	if r == nil {
		return s.writeUnconfigured(ctx, link, u)
	}
	r.keepOnly(name, link.UID)
	st, known := s.linkState(u)
	if known && !st.checked {
		st.proxy, err = s.lookUpProxy(ctx, link)
		if err != nil {
			return err
		}
	}
	if !known || st.events < 2 || ctx.Err() != nil {
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

func (s *Standin) setReported(namespace, name string, report *linkReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.links[types.NamespacedName{Namespace: namespace, Name: name}]; st != nil {
		st.reported = report
	}
}

// writeConfigured writes the status of a configured Link.
func (s *Standin) writeConfigured(ctx context.Context, link *linkObject, u *unstructured.Unstructured) error {
	st, known := s.linkState(u)
	if !known {
		return nil
	}
	out := linkStatusOf(link)
	operational := condition{"Operational", "Not Operational", false}
	if st.reported != nil && st.reported.Up {
		operational.problem = ""
		out.RemoteSiteID, out.RemoteSiteName = st.reported.PeerID, st.reported.PeerName
	}
	out.settle(link.Generation, true, condition{kind: "Configured"}, operational)
	return s.writeStatus(ctx, linksGVR, u, out)
}

// writeUnconfigured takes the status of a Link back when its site is gone.
func (s *Standin) writeUnconfigured(ctx context.Context, link *linkObject, u *unstructured.Unstructured) error {
	s.setReported(link.Namespace, link.Name, nil)
	if link.Status == nil || len(link.Status.Conditions) == 0 {
		return nil
	}
	out := linkStatusOf(link)
	out.settle(link.Generation, true, condition{"Configured", "No active site in namespace", false}, condition{"Operational", "Not Operational", false})
	return s.writeStatus(ctx, linksGVR, u, out)
}

func linkStatusOf(link *linkObject) *linkStatus {
	if link.Status != nil {
		return link.Status
	}
	return &linkStatus{}
}
