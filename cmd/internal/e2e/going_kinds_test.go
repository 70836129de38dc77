package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan"
	planworld "fairlead.dev/fairlead/plan/world"
)

// goingCase is an object of some kind that is being deleted while a finalizer holds it.
type goingCase struct {
	name string
	// start describes what is applied first. It is also what is there in the end, unless
	// next describes something else.
	start, next func(w *world)
	// left makes the object, where no apply leaves one.
	left    func(w *world)
	cluster int
	site    string
	kind    string
	object  func(w *world) string
	// deleted tells that somebody deletes it. Otherwise the apply does.
	deleted bool
	// planned tells that a plan says that it goes, before an apply met it.
	planned bool
}

func called(name string) func(*world) string { return func(*world) string { return name } }

func theRecord(w *world) string { return "fairlead-" + w.name }

func byToken(w *world) { w.describe(hubAndSpoke()) }

func unlinked(w *world) {
	sites, _ := hubAndSpoke()
	w.describe(sites, nil)
}

func alone(w *world) {
	sites, _ := hubAndSpoke()
	w.describe(sites[:1], nil)
}

func closedAlone(w *world) { w.describe([]site{{"hub", 0, ""}}, nil) }

func certified(w *world) { w.byCertificate(`linkAccess: "default"`, "", `via: "certificate"`) }

// ofLink makes an object of the link, as an earlier apply would have left it.
func (w *world) ofLink(cluster int, site, kind, resource, name string, spec map[string]any) {
	w.t.Helper()
	w.create(cluster, resource, map[string]any{
		"apiVersion": "skupper.io/v2alpha1", "kind": kind, "spec": spec,
		"metadata": map[string]any{"name": name, "namespace": w.ns(site), "labels": map[string]any{
			plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: w.name, plan.LabelLink: "spoke-hub",
		}},
	})
}

var goingCases = []goingCase{
	{name: "a link's Secret", start: byToken, cluster: 1, site: "spoke", kind: "secrets", object: called("spoke-hub"), deleted: true, planned: true},
	{name: "the Secret of a link that goes", start: byToken, next: unlinked, cluster: 1, site: "spoke", kind: "secrets", object: called("spoke-hub")},
	{name: "a Certificate", start: certified, next: unlinked, cluster: 0, site: "hub", kind: "certificates", object: func(w *world) string {
		return w.name + "-spoke-hub-1"
	}},
	{name: "a RouterAccess", start: alone, next: closedAlone, cluster: 0, site: "hub", kind: "routeraccesses", object: called(planworld.RouterAccess)},
	{name: "a grant", cluster: 0, site: "hub", kind: "accessgrants", object: called("left"), start: byToken, left: func(w *world) {
		w.ofLink(0, "hub", "AccessGrant", "accessgrants", "left", map[string]any{"redemptionsAllowed": 1})
	}},
	{name: "a token", cluster: 1, site: "spoke", kind: "accesstokens", object: called("left"), start: byToken, left: func(w *world) {
		w.ofLink(1, "spoke", "AccessToken", "accesstokens", "left", map[string]any{"url": "https://127.0.0.1:1/x", "code": "x", "ca": "x"})
	}},
	{name: "a record", start: byToken, cluster: 1, site: "spoke", kind: "configmaps", object: theRecord, deleted: true, planned: true},
	{name: "the record of a site that goes", start: byToken, next: alone, cluster: 1, site: "spoke", kind: "configmaps", object: theRecord},
}

const hold = "example.com/hold"

// What is being deleted counts neither as there nor as gone, whatever its kind: a plan says
// that it goes, an apply waits for it, and the next one finishes when it is gone.
func TestKindsBeingDeleted(t *testing.T) {
	t.Parallel()
	for _, c := range goingCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.start(w)
			w.must(0, "apply", "--yes")
			if c.left != nil {
				c.left(w)
			}
			w.goneLater(c)
		})
	}
}

// goneLater lets the object of a case go, and later be gone.
func (w *world) goneLater(c goingCase) {
	w.t.Helper()
	at, object := w.ns(c.site), c.object(w)
	w.held(c.cluster, at, c.kind, object, hold)
	if c.deleted {
		w.goes(c.cluster, at, c.kind, object)
	}
	if c.next != nil {
		c.next(w)
	}
	if c.planned {
		w.speaks(w.must(2, "plan", "--detailed-exitcode"), "being deleted", hold)
	}
	for range 2 {
		w.speaks(w.must(8, "apply", "--yes", "--timeout", "20s"), "being deleted", hold)
	}
	if w.get(c.cluster, at, c.kind, object) != nil {
		w.held(c.cluster, at, c.kind, object)
	}
	w.must(0, "apply", "--yes")
	w.must(0, "plan", "--detailed-exitcode")
	w.must(0, "drift")
}

// The Secret of a proxy that is being deleted is not used any more, and one that an apply
// removes keeps its record until it is gone.
func TestProxyIsBeingDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := startProxy(t, "", "")
	through := func(w *world) {
		w.byCertificate(`linkAccess: "default"`, "", `proxy: "corp"`, w.through(p, "", ""))
	}
	c := goingCase{start: through, cluster: 1, site: "spoke", kind: "secrets", object: called("fairlead-proxy-corp-1"), deleted: true, planned: true}
	through(w)
	w.must(0, "apply", "--yes")
	w.goneLater(c)
	c.object, c.deleted, c.planned, c.next = called("fairlead-proxy-corp-2"), false, false, certified
	w.goneLater(c)
}

// Nothing can be made in a namespace that is being deleted, and what is in it goes along.
func TestNamespaceIsBeingDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	at := w.ns("spoke")
	waits := func() {
		w.speaks(w.must(8, "apply", "--yes", "--timeout", "10s"), "Namespace "+at, "is being deleted", hold+" in 1 resource instances")
	}
	w.held(1, at, "sites", "spoke", hold)
	w.goes(1, "", "namespaces", at)
	w.endPods(1, at)
	w.speaks(w.must(2, "plan", "--detailed-exitcode"), "with its namespace", hold)
	w.speaks(w.must(2, "drift"), "with its namespace", hold)
	w.eventually("the cluster says what holds the namespace", func() bool {
		conditions, _, _ := unstructured.NestedSlice(w.get(1, "", "namespaces", at).Object, "status", "conditions")
		return strings.Contains(fmt.Sprint(conditions), hold)
	})
	waits()
	w.held(1, at, "sites", "spoke")
	w.must(0, "apply", "--yes")
	w.settled(sites, links)

	w.create(1, "configmaps", map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "kept", "namespace": at, "finalizers": []any{hold}},
	})
	w.goes(1, "", "namespaces", at)
	w.endPods(1, at)
	w.eventually("only that is left", func() bool { return len(w.list(1, at, "configmaps", "")) == 1 && w.get(1, at, "sites", "spoke") == nil })
	w.speaks(w.must(2, "plan", "--detailed-exitcode"), "its namespace is being deleted")
	w.held(1, at, "configmaps", "kept")
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
}

// endPods ends the Pods of a namespace, as a kubelet does: it may be played by somebody who
// does not, and a namespace waits for its Pods before all else.
func (w *world) endPods(cluster int, namespace string) {
	w.t.Helper()
	now := metav1.DeleteOptions{GracePeriodSeconds: new(int64)}
	if err := w.dyn[cluster].Resource(resource("pods")).Namespace(namespace).DeleteCollection(context.Background(), now, metav1.ListOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// A namespace that begins to go when the plan is made already is no refusal of the cluster's.
func TestNamespaceGoesMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, _ := hubAndSpoke()
	w.namespace(1, "spoke", nil)
	w.describe(sites[1:], nil)
	w.must(0, "plan", "-o", "plan.json")
	w.bendBy(func(v *wires) {
		v.rewrite = func(method, path string, body []byte) []byte {
			if method == http.MethodPost && strings.HasSuffix(path, "/configmaps") {
				_ = w.dyn[1].Resource(resource("namespaces")).Delete(context.Background(), w.ns("spoke"), metav1.DeleteOptions{})
			}
			return body
		}
	})
	w.speaks(w.must(5, "apply", "--plan", "plan.json"), "namespace "+w.ns("spoke")+" is being deleted", "apply again when it is gone")
}

// A lock whose Lease is being deleted would end with that: it is not taken.
func TestLeaseIsBeingDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, _ := hubAndSpoke()
	w.applied(sites[1:], nil)
	lease := "fairlead-" + w.name
	w.held(1, lockNamespace, "leases", lease, hold)
	w.goes(1, lockNamespace, "leases", lease)
	w.speaks(w.must(9, "apply", "--yes"), "being deleted", hold, "nothing was applied")
	w.speaks(w.must(9, "apply", "--yes", "--lock-timeout", "1s"), "being deleted", hold)
	w.held(1, lockNamespace, "leases", lease)
	w.must(0, "apply", "--yes")
	if l := w.get(1, lockNamespace, "leases", lease); l == nil || l.GetDeletionTimestamp() != nil {
		t.Error("there is no new Lease")
	}
}

// A grant that a finalizer holds can be redeemed: a link is not done before it is gone, and
// an apply that fails says that it stays.
func TestGrantIsHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, nil)
	all := "/namespaces/" + w.ns("hub") + "/accessgrants"
	holds := func() {
		w.bendBy(func(v *wires) {
			v.after = func(_ int, r request) {
				var o unstructured.Unstructured
				if r.Method == http.MethodPost && strings.HasSuffix(r.Path, all) && json.Unmarshal(r.Body, &o.Object) == nil {
					w.held(0, w.ns("hub"), "accessgrants", o.GetName(), hold)
				}
			}
		})
	}
	letGo := func() {
		for _, g := range w.list(0, w.ns("hub"), "accessgrants", "") {
			w.held(0, w.ns("hub"), "accessgrants", g.GetName())
		}
	}
	w.describe(sites, links)
	holds()
	for range 2 {
		w.speaks(w.must(8, "apply", "--yes", "--timeout", "20s"), "AccessGrant", "being deleted", hold)
	}
	letGo()
	w.must(0, "apply", "--yes")
	w.settled(sites, links)

	needSandbox(t, "the grants of a site can be switched off there beside another bend")
	w.applied(sites, nil)
	w.withoutGrants(0, "hub")
	w.describe(sites, links)
	w.speaks(w.run("apply", "--yes", "--timeout", "20s"), "is still there: it is being deleted", hold)
	w.turn(0, "hub", switchGrants, nil)
	w.bendBy(func(v *wires) { v.after = nil })
	letGo()
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
}
