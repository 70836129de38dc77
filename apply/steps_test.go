package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/secrets"
)

// memory is a cluster in memory, with a controller that is always done at once.
type memory struct {
	mu      sync.Mutex
	objects map[plan.ObjectRef]Object
	count   int
	changed chan struct{}
	// burns is how many redemptions fail.
	burns  int
	writes []string
}

func newMemory() *memory {
	return &memory{objects: map[plan.ObjectRef]Object{}, changed: make(chan struct{})}
}

// key is what one object of its kind and name has.
func key(ref plan.ObjectRef) plan.ObjectRef {
	ref.UID, ref.Cluster, ref.APIVersion = "", "", ""
	return ref
}

func (m *memory) Get(_ context.Context, ref plan.ObjectRef) (Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key(ref)]
	if !ok {
		return Object{}, fmt.Errorf("%s: %w", ref, ErrNotFound)
	}
	return o, nil
}

func (m *memory) Wait(ctx context.Context, ref plan.ObjectRef, until func(Object, bool) (bool, error)) error {
	for {
		m.mu.Lock()
		o, ok := m.objects[key(ref)]
		changed := m.changed
		m.mu.Unlock()
		if done, err := until(o, ok); done || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (m *memory) SecretData(context.Context, plan.ObjectRef) (map[string]secrets.Value, error) {
	text := secrets.New("text")
	return map[string]secrets.Value{keyCertificate: text, keyPrivate: text, keyAuthority: text}, nil
}

func (m *memory) Create(_ context.Context, o Object) (Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[key(o.ObjectRef)]; ok {
		return Object{}, ErrExists
	}
	return m.put(o), nil
}

func (m *memory) Apply(_ context.Context, o Object, _ bool) (Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.objects[key(o.ObjectRef)]
	if o.UID != "" && o.UID != was.UID || o.ResourceVersion != "" && o.ResourceVersion != was.ResourceVersion {
		return Object{}, ErrConflict
	}
	o.OwnerUID, o.Spec = was.OwnerUID, merged(was.Spec, o.Spec)
	o.Labels, o.Annotations = merged(was.Labels, o.Labels), merged(was.Annotations, o.Annotations)
	return m.put(o), nil
}

func merged[V any](was, more map[string]V) map[string]V {
	out := map[string]V{}
	maps.Copy(out, was)
	maps.Copy(out, more)
	return out
}

// put keeps an object and does what the controller does of it; the caller has the mutex.
func (m *memory) put(o Object) Object {
	m.count++
	m.writes = append(m.writes, o.String())
	if o.UID = m.objects[key(o.ObjectRef)].UID; o.UID == "" {
		o.UID = fmt.Sprintf("u%d", m.count)
	}
	o.ResourceVersion = fmt.Sprint(m.count)
	beside := func(kind plan.ObjectKind, owner string, spec map[string]any) {
		m.put(Object{ObjectRef: plan.ObjectRef{Kind: kind, Namespace: o.Namespace, Name: o.Name}, OwnerUID: owner, Spec: spec})
	}
	switch o.Kind {
	case plan.ObjectSite:
		o.Status = conditions("Configured", "Ready")
		o.Status["defaultIssuer"] = "ca"
		o.Status["endpoints"] = []any{
			map[string]any{"name": "inter-router", "group": "one", "host": "a", "port": "1"},
			map[string]any{"name": "inter-router", "group": "two", "host": "b", "port": "1"},
		}
	case plan.ObjectGrant:
		o.Status = conditions("Ready")
		o.Status["url"], o.Status["ca"], o.Status["code"] = "https://x", "ca", secrets.New("code")
	case plan.ObjectToken:
		if m.burns--; m.burns >= 0 {
			o.Status = map[string]any{"status": "Error", "message": "Controller got failed response: 404 (Not Found) no such claim"}
			break
		}
		owner := m.objects[plan.ObjectRef{Kind: plan.ObjectSite, Namespace: o.Namespace, Name: "shop"}].UID
		o.Status = map[string]any{"redeemed": true}
		beside(plan.ObjectSecret, owner, nil)
		beside(plan.ObjectLink, owner, map[string]any{"cost": int64(1), "tlsCredentials": o.Name})
	case plan.ObjectCertificate:
		beside(plan.ObjectSecret, o.UID, nil)
	case plan.ObjectLink:
		o.Status = conditions("Configured", "Operational", "Ready")
	}
	m.objects[key(o.ObjectRef)] = o
	m.turn()
	return o
}

func (m *memory) turn() {
	close(m.changed)
	m.changed = make(chan struct{})
}

func conditions(kinds ...string) map[string]any {
	var list []any
	for _, kind := range kinds {
		list = append(list, map[string]any{"type": kind, "status": "True", "observedGeneration": int64(0)})
	}
	return map[string]any{"conditions": list}
}

func (m *memory) Annotate(context.Context, plan.ObjectRef, map[string]string) error { return nil }

func (m *memory) Delete(_ context.Context, ref plan.ObjectRef) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes = append(m.writes, "delete "+ref.String())
	delete(m.objects, key(ref))
	m.turn()
	return nil
}

func (m *memory) SameMeaning(string, any, any) bool { return true }

func (m *memory) DeleteUnchanged(ctx context.Context, o Object) error {
	return m.Delete(ctx, o.ObjectRef)
}

// settled is a cluster with two Sites, a Link with its Secret, a proxy and an object, as an
// earlier apply left them.
func settled() *memory {
	m := newMemory()
	ours := map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: "net", plan.LabelLink: "l"}
	for _, o := range []Object{
		{ObjectRef: plan.ObjectRef{Kind: plan.ObjectSite, Namespace: "shop", Name: "shop"}},
		{ObjectRef: plan.ObjectRef{Kind: plan.ObjectSite, Namespace: "hub", Name: "hub"}},
		{ObjectRef: plan.ObjectRef{Kind: plan.ObjectAccess, Namespace: "shop", Name: "access"}},
		{ObjectRef: plan.ObjectRef{Kind: plan.ObjectSecret, Namespace: "shop", Name: "l"}},
		{ObjectRef: plan.ObjectRef{Kind: plan.ObjectLink, Namespace: "shop", Name: "l"}, Spec: map[string]any{
			"cost": int64(1), "tlsCredentials": "l", "endpoints": []any{map[string]any{"name": "inter-router", "group": "one", "host": "a", "port": "1"}},
		}},
		{ObjectRef: plan.ObjectRef{Kind: plan.ObjectSecret, Namespace: "shop", Name: "fairlead-proxy-p-1"}},
		{ObjectRef: plan.ObjectRef{Kind: "ConfigMap", Namespace: "shop", Name: "o"}, Content: map[string]any{}},
	} {
		o.Labels = ours
		m.put(o)
	}
	m.writes = nil
	return m
}

type anonymous struct{}

func (anonymous) Credentials(context.Context, network.ProxyName) (Credentials, error) {
	return Credentials{}, nil
}

// action is an action on what settled has.
func (m *memory) action(kind plan.Kind, verb plan.Verb, steps ...plan.Step) plan.Action {
	uid := func(kind plan.ObjectKind, name string) string {
		return m.objects[plan.ObjectRef{Kind: kind, Namespace: "shop", Name: name}].UID
	}
	a := plan.Action{ID: "a", Kind: kind, Verb: verb, Cluster: "c", Namespace: "shop", Name: "l", Steps: steps}
	made := verb == plan.VerbCreate
	switch kind {
	case plan.KindSite:
		a.Name = "shop"
		a.Site = &plan.SiteWork{Object: "shop", UID: uid(plan.ObjectSite, "shop"), Fields: map[string]any{"edge": true}}
		a.Site.Close = plan.ObjectRef{Cluster: "c", Kind: plan.ObjectAccess, Namespace: "shop", Name: "access", UID: uid(plan.ObjectAccess, "access")}
	case plan.KindObject:
		a.Name = "o"
		a.Object = &plan.ObjectWork{Site: "shop", APIVersion: "v1", Kind: "ConfigMap", Manifest: map[string]any{}, UID: uid("ConfigMap", "o")}
	case plan.KindProxy:
		a.Name = "p"
		secret := plan.ObjectRef{Cluster: "c", Kind: plan.ObjectSecret, Namespace: "shop", Name: "fairlead-proxy-p-1"}
		if made {
			secret.Name = "fairlead-proxy-p-2"
		}
		a.Proxy = &plan.ProxyWork{Secret: secret, Host: "h", Port: "1", Revision: 1}
	case plan.KindLink:
		old := plan.LiveLink{Name: "l", UID: uid(plan.ObjectLink, "l"), Cost: 1, Secret: "l"}
		a.Link = &plan.LinkWork{
			From: plan.End{Site: "shop", Object: "shop", Cluster: "c", Namespace: "shop", UID: uid(plan.ObjectSite, "shop")},
			To:   plan.End{Site: "hub", Object: "hub", Cluster: "c", Namespace: "hub"},
			Cost: 5, Attempt: 2, Groups: 2, Via: network.ViaToken, Live: []plan.LiveLink{old},
			Remove: []plan.ObjectRef{{Cluster: "c", Kind: plan.ObjectLink, Namespace: "shop", Name: "l-old"}},
		}
		if slices.Contains(steps, plan.StepCertificate) {
			a.Link.Via = network.ViaCertificate
		}
		if slices.Contains(steps, plan.StepAdd) {
			a.Link.Routers, a.Link.Attempt = 2, 1
		}
	}
	return a
}

// ran are the steps that an apply started, in order.
func (s *sink) ran() (out []plan.Step) {
	for _, e := range s.events {
		if e.Step != "" && e.Phase == Started {
			out = append(out, e.Step)
		}
	}
	return out
}

func listed(text string) (out []plan.Step) {
	for _, s := range strings.Fields(text) {
		out = append(out, plan.Step(s))
	}
	return out
}

func (m *memory) run(t *testing.T, a plan.Action) (*sink, Outcome) {
	t.Helper()
	events := &sink{}
	report := Run(t.Context(), plan.Plan{Network: "net", Actions: []plan.Action{a}}, map[network.ClusterName]Cluster{"c": m}, events,
		Options{Timeout: time.Minute, Proxies: anonymous{}})
	return events, report.Outcomes[0]
}

// Apply runs the steps of an action, all of them and in their order, whatever that is. Each
// step that it knows is tried.
func TestStepsAreRunAsListed(t *testing.T) {
	t.Parallel()
	tried := map[string]map[plan.Step]bool{}
	known := map[string]map[plan.Step]step{}
	for _, tt := range []struct {
		kind  plan.Kind
		verb  plan.Verb
		steps string
	}{
		{plan.KindSite, plan.VerbUpdate, "namespace record site ready"},
		{plan.KindSite, plan.VerbUpdate, "record"},
		{plan.KindSite, plan.VerbUpdate, "record site ready close"},
		{plan.KindSite, plan.VerbUpdate, "record quiet close site ready"},
		{plan.KindSite, plan.VerbUpdate, "close record"},
		{plan.KindSite, plan.VerbDelete, "delete"},
		{plan.KindObject, plan.VerbUpdate, "record object"},
		{plan.KindObject, plan.VerbUpdate, "object record"},
		{plan.KindObject, plan.VerbDelete, "delete confirm"},
		{plan.KindObject, plan.VerbDelete, "delete"},
		{plan.KindProxy, plan.VerbCreate, "record secret"},
		{plan.KindProxy, plan.VerbAdopt, "record secret"},
		{plan.KindProxy, plan.VerbUpdate, "record"},
		{plan.KindProxy, plan.VerbDelete, "delete"},
		{plan.KindLink, plan.VerbCreate, "record grant redeem take-over configured operational clean confirm"},
		{plan.KindLink, plan.VerbReplace, "record grant redeem take-over configured operational retire clean confirm"},
		{plan.KindLink, plan.VerbCreate, "record certificate carry link take-over configured operational clean confirm"},
		{plan.KindLink, plan.VerbReplace, "record certificate carry link take-over configured operational retire clean confirm"},
		{plan.KindLink, plan.VerbReplace, "record certificate carry link take-over configured operational clean confirm"},
		{plan.KindLink, plan.VerbAdopt, "record take-over configured clean confirm"},
		{plan.KindLink, plan.VerbUpdate, "record take-over configured operational clean confirm"},
		{plan.KindLink, plan.VerbUpdate, "record take-over configured add operational clean confirm"},
		{plan.KindLink, plan.VerbUpdate, "confirm"},
		{plan.KindLink, plan.VerbDelete, "delete confirm"},
		{plan.KindLink, plan.VerbDelete, "delete"},
	} {
		m := settled()
		a := m.action(tt.kind, tt.verb, listed(tt.steps)...)
		events, out := m.run(t, a)
		if out.State != Done || !slices.Equal(events.ran(), a.Steps) {
			t.Errorf("%s of a %s, %s: ran %v, %s: %v", tt.verb, tt.kind, tt.steps, events.ran(), out.State, out.Err)
		}
		r := &runner{clusters: map[network.ClusterName]Cluster{"c": m}}
		table, err := (&task{runner: r, Action: a}).table()
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint(slices.Sorted(maps.Keys(table)))
		known[name] = table
		if tried[name] == nil {
			tried[name] = map[plan.Step]bool{}
		}
		for _, s := range a.Steps {
			tried[name][s] = true
		}
	}
	for name, table := range known {
		for s := range table {
			if !tried[name][s] {
				t.Errorf("%s: step %s was not tried", name, s)
			}
		}
	}
}

// A redemption that failed goes back to its grant, under a fresh attempt.
func TestRedemptionGoesBackToItsGrant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for burns, want := range map[int]string{
			1: "record grant redeem grant redeem take-over configured operational clean confirm",
			9: "record grant redeem grant redeem grant redeem",
		} {
			m := settled()
			m.burns = burns
			events, out := m.run(t, m.action(plan.KindLink, plan.VerbCreate, listed("record grant redeem take-over configured operational clean confirm")...))
			if !slices.Equal(events.ran(), listed(want)) || out.Attempt != min(burns+2, 4) || (out.State == Done) != (burns == 1) {
				t.Errorf("%d burnt: ran %v, attempt %d, %s: %v", burns, events.ran(), out.Attempt, out.State, out.Err)
			}
		}
	})
}

// What an earlier apply did of an action is not done again.
func TestResumedRedemption(t *testing.T) {
	t.Parallel()
	for left, want := range map[plan.ObjectKind]string{
		"":               "record grant redeem take-over",
		plan.ObjectToken: "record redeem take-over",
		plan.ObjectLink:  "record take-over",
	} {
		m := settled()
		a := m.action(plan.KindLink, plan.VerbCreate, listed("record grant redeem take-over")...)
		a.Link.Resume = true
		if left != "" {
			m.put(Object{
				ObjectRef: plan.ObjectRef{Kind: left, Namespace: "shop", Name: network.ObjectName("l", 2)},
				Labels:    map[string]string{plan.LabelNetwork: "net", plan.LabelLink: "l"},
			})
		}
		if events, out := m.run(t, a); out.State != Done || !slices.Equal(events.ran(), listed(want)) {
			t.Errorf("with %q: ran %v, %s: %v", left, events.ran(), out.State, out.Err)
		}
	}
}

// A Link of the attempt without labels is the earlier apply's where it bears a mark of ours,
// and somebody's where it does not.
func TestResumedWithoutLabels(t *testing.T) {
	t.Parallel()
	for want, notes := range map[string]map[string]string{
		"record take-over":              {plan.AnnotationCost: "1"},
		"record grant redeem take-over": {"example.com/x": "1"},
	} {
		m := settled()
		a := m.action(plan.KindLink, plan.VerbCreate, listed("record grant redeem take-over")...)
		a.Link.Resume = true
		name := network.ObjectName("l", 2)
		m.put(Object{
			ObjectRef:   plan.ObjectRef{Kind: plan.ObjectLink, Namespace: "shop", Name: name},
			Annotations: notes, Spec: map[string]any{"tlsCredentials": name},
		})
		if events, out := m.run(t, a); out.State != Done || !slices.Equal(events.ran(), listed(want)) {
			t.Errorf("with %v: ran %v, %s: %v", notes, events.ran(), out.State, out.Err)
		}
	}
}

// A step that nothing runs is an error before any other is run.
func TestUnknownStep(t *testing.T) {
	t.Parallel()
	for kind, steps := range map[plan.Kind]string{
		plan.KindSite: "record grant", plan.KindObject: "record object dance", plan.KindProxy: "record confirm",
		plan.KindLink: "record take-over redeem", "other": "record",
	} {
		m := settled()
		events, out := m.run(t, m.action(kind, plan.VerbUpdate, listed(steps)...))
		if out.State != Failed || len(events.ran())+len(m.writes) > 0 || !strings.Contains(out.Err.Error(), "nothing runs step") {
			t.Errorf("%s: ran %v, wrote %v, %s: %v", kind, events.ran(), m.writes, out.State, out.Err)
		}
	}
}
