package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan/planner"
)

// mutates has a cluster change what is written of some namespaced resources to a site's
// namespace, and there alone, by an expression that gives JSON patches of an object. It is
// in force when this returns.
func (w *world) mutates(cluster int, site, patches string, resources ...any) {
	w.t.Helper()
	object := func(kind string, spec map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": map[string]any{"name": w.name}, "spec": spec,
		}}
	}
	w.put(cluster, object("MutatingAdmissionPolicy", map[string]any{
		"failurePolicy": "Ignore", "reinvocationPolicy": "Never",
		"matchConstraints": map[string]any{
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": w.ns(site)}},
			"resourceRules": []any{map[string]any{
				"apiGroups": []any{"", "skupper.io"}, "apiVersions": []any{"*"}, "operations": []any{"CREATE", "UPDATE"},
				"resources": append(resources, "configmaps"),
			}},
		},
		"mutations": []any{map[string]any{"patchType": "JSONPatch", "jsonPatch": map[string]any{
			"expression": fmt.Sprintf(`object.kind == "ConfigMap" ? (object.metadata.name == "probe" ? [JSONPatch{op: "add", path: "/data", value: {"in": "force"}}] : []) : (%s)`, patches),
		}}},
	}))
	w.put(cluster, object("MutatingAdmissionPolicyBinding", map[string]any{"policyName": w.name}))
	probe := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "probe", "namespace": w.ns(site)}}}
	w.eventually("the policy is in force", func() bool {
		made, err := w.dyn[cluster].Resource(resource("configmaps")).Namespace(w.ns(site)).
			Create(context.Background(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil && made.Object["data"] != nil
	})
}

// What a cluster's admission makes of a write is told by the apply, which ends with 4, and
// by each plan after that; nothing is written again for its sake.
func TestAlteredWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	w.mutates(1, "spoke", `[JSONPatch{op: "add", path: "/spec/settings", value: {"size": "large"}}]`, "sites")
	sites[1].extra = `settings: "size": "small"`
	w.describe(sites, links)
	o := w.must(4, "apply", "--yes")
	const altered = `settings.size is "large" there and "small" was sent`
	w.says(o, "site spoke: done, and altered by cluster two: "+altered, "1 altered")
	if strings.Contains(o.errOut, "run it again") {
		t.Errorf("advice that does not help:\n%s", o.errOut)
	}
	w.rewire()
	w.shows(w.must(0, "plan", "--detailed-exitcode"), "Nothing to do", altered)
	w.must(0, "apply", "--yes")
	if n := w.countWrites(); n != 0 {
		t.Errorf("%d writes", n)
	}
	if p := w.drift(0); len(p.Actions) != 0 || len(p.Diagnostics) != 1 || p.Diagnostics[0].Code != planner.CodeAltered {
		t.Errorf("drift: %v %v", p.Actions, p.Diagnostics)
	}
	t.Run("what somebody changes after that is drift", func(t *testing.T) {
		w.mutates(1, "spoke", `[]`) // of sites no more
		w.eventually("the policy leaves sites alone", func() bool {
			w.patch(1, w.ns("spoke"), "sites", "spoke", map[string]any{"spec": map[string]any{"settings": map[string]any{"size": "other"}}})
			size, _, _ := unstructured.NestedString(w.get(1, w.ns("spoke"), "sites", "spoke").Object, "spec", "settings", "size")
			return size == "other"
		})
		w.must(2, "drift")
		w.must(0, "apply", "--yes")
		w.healthy()
	})
}

// The same of an overlay's objects and of a link's cost.
func TestAlteredObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	w.settled(sites, links)
	w.mutates(1, "spoke", `object.kind == "Listener" ? [JSONPatch{op: "replace", path: "/spec/port", value: 9090}] :
		object.kind == "Link" ? [JSONPatch{op: "replace", path: "/spec/cost", value: 7}] : []`, "listeners", "links")
	sites[1].extra, links[0].cost = `overlay: "shop"`, 5
	w.describe(sites, links)
	w.file("shop/kustomization.yaml", "resources: [listener.yaml]")
	w.file("shop/listener.yaml", overlayListener)
	w.says(w.must(4, "apply", "--yes"), "2 altered", "spec.port is 9090 there and 8080 was sent", "cost of Link spoke-hub is 7 there and 5 was sent")
	w.rewire()
	w.shows(w.must(0, "plan", "--detailed-exitcode"), "Nothing to do", "spec.port is 9090 there and 8080 was sent", "cost is 7 there and 5 was sent")
	w.must(0, "apply", "--yes")
	if n := w.countWrites(); n != 0 {
		t.Errorf("%d writes", n)
	}
}
