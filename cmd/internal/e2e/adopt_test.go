package e2e

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A saved plan with adoptions takes over what it names, with the UIDs that it saw, and
// nothing that came to be there since.
func TestSavedPlanAdoptsWhatItNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.describe([]site{{"hub", 0, `linkAccess: "default", overlay: "store"`}, {"spoke", 1, ""}, {"far", 1, ""}}, nil)
	w.file("store/kustomization.yaml", `
generatorOptions: {disableNameSuffixHash: true}
configMapGenerator: [{name: known, literals: [colour=blue]}, {name: anew, literals: [colour=blue]}, {name: later, literals: [colour=blue]}]
`)
	byHand := func(name string) string {
		return string(w.create(0, "configmaps", map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": w.ns("hub")},
			"data": map[string]any{"colour": "blue"},
		}).GetUID())
	}
	aSite := func(name string) string {
		return string(w.create(1, "sites", map[string]any{
			"apiVersion": "skupper.io/v2alpha1", "kind": "Site", "metadata": map[string]any{"name": name, "namespace": w.ns(name)}, "spec": map[string]any{},
		}).GetUID())
	}
	owned := func(o *unstructured.Unstructured) bool { return o != nil && len(o.GetLabels()) > 0 }
	w.namespace(0, "hub", nil)
	w.namespace(1, "spoke", nil)
	w.namespace(1, "far", nil)
	byHand("known")
	byHand("anew")
	aSite("spoke")
	w.must(0, "plan", "--adopt", "-o", "plan.json")
	if p := w.readPlan("plan.json"); p.Summary.Adopt != 3 {
		t.Fatalf("%d adoptions, want 3", p.Summary.Adopt)
	}

	w.remove(0, w.ns("hub"), "configmaps", "anew")
	anew, later, far := byHand("anew"), byHand("later"), aSite("far")
	w.says(w.must(3, "apply", "--plan", "plan.json", "--adopt"), "--adopt does not go with --plan")
	w.says(w.must(5, "apply", "--plan", "plan.json"),
		"object/hub/ConfigMap/anew is stale", "the saved plan does not take over this one (UID "+anew+")",
		"object/hub/ConfigMap/later is stale", "the saved plan does not take over this one (UID "+later+")",
		"site/far is stale", "the saved plan does not take over this one (UID "+far+")")
	for _, name := range []string{"anew", "later"} {
		if owned(w.get(0, w.ns("hub"), "configmaps", name)) {
			t.Errorf("ConfigMap %s was taken over", name)
		}
	}
	if owned(w.get(1, w.ns("far"), "sites", "far")) {
		t.Error("Site far was taken over")
	}
	if !owned(w.get(0, w.ns("hub"), "configmaps", "known")) || !owned(w.get(1, w.ns("spoke"), "sites", "spoke")) {
		t.Error("what the plan names was not taken over")
	}

	w.remove(0, w.ns("hub"), "configmaps", "later")
	w.remove(1, w.ns("far"), "sites", "far")
	w.eventually("what the Site owned is gone", func() bool { return w.get(1, w.ns("far"), "configmaps", routerName) == nil })
	w.must(5, "apply", "--plan", "plan.json") // ConfigMap anew stays another one
	if !owned(w.get(0, w.ns("hub"), "configmaps", "later")) || !owned(w.get(1, w.ns("far"), "sites", "far")) {
		t.Error("what was to be made was not")
	}
	w.must(0, "apply", "--yes", "--adopt")
	w.must(0, "plan", "--detailed-exitcode")
}
