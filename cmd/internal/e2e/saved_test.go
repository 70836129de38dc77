package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
)

// readPlan reads a plan that was saved beside the description.
func (w *world) readPlan(name string) plan.Plan {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := plan.Decode(data)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// Of a saved plan, what somebody changed behind its back is left alone, for every kind
// of action, and what has nothing to do with it is done all the same.
func TestSavedPlanAfterEdits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	spoke := func(name, extra string) site { return site{name, 1, extra} }
	sites := []site{
		{"hub", 0, `linkAccess: "default"`}, spoke("quiet", `settings: {"router-data-connection-count": "2"}`), spoke("dear", ""), spoke("gone", ""),
		spoke("anew", ""), spoke("fine", ""), spoke("left", ""), spoke("store", `overlay: "store"`),
	}
	links := []link{{"dear-hub", "dear", "hub", 1}, {"gone-hub", "gone", "hub", 1}, {"anew-hub", "anew", "hub", 1}, {"fine-hub", "fine", "hub", 1}}
	w.describe(sites, links)
	w.file("store/kustomization.yaml", `
generatorOptions: {disableNameSuffixHash: true}
configMapGenerator: [{name: changes, literals: [colour=blue]}, {name: goes, literals: [colour=blue]}, {name: stays, literals: [colour=blue]}]
`)
	w.must(0, "apply", "--yes")

	sites[1].extra = `settings: {"router-data-connection-count": "4"}`
	after := append(append([]site{}, sites[:6]...), sites[7], spoke("fresh", ""))
	w.describe(after, []link{{"dear-hub", "dear", "hub", 5}, {"anew-hub", "anew", "hub", 1}, {"fine-hub", "fine", "hub", 7}, {"taken", "quiet", "hub", 3}})
	net := filepath.Join(w.dir, "net.cue")
	text, err := os.ReadFile(net)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, net, strings.Replace(string(text), `"anew-hub": {`, `"anew-hub": {rotation: 1, `, 1))
	w.file("store/kustomization.yaml", `
generatorOptions: {disableNameSuffixHash: true}
configMapGenerator: [{name: changes, literals: [colour=red]}, {name: stays, literals: [colour=red]}]
`)
	allowed := allowances(w.must(6, "plan", "-o", "plan.json"))
	if p := w.readPlan("plan.json"); len(p.Actions) != 11 || len(allowed) == 0 {
		t.Fatalf("the plan has %d actions, allowed by %v", len(p.Actions), allowed)
	}
	saved := append([]string{"apply", "--plan", "plan.json"}, allowed...)

	cost := func(site, name string, value int) {
		w.patch(1, w.ns(site), "links", name, map[string]any{"spec": map[string]any{"cost": value}})
	}
	colour := func(name string) {
		w.patch(1, w.ns("store"), "configmaps", name, map[string]any{"data": map[string]any{"colour": "green"}})
	}
	w.patch(1, w.ns("quiet"), "sites", "quiet", map[string]any{"spec": map[string]any{"settings": map[string]any{"router-data-connection-count": "8"}}})
	w.patch(1, w.ns("left"), "sites", "left", map[string]any{"spec": map[string]any{"ha": true}})
	cost("dear", "dear-hub", 9)
	cost("gone", "gone-hub", 9)
	cost("anew", "anew-hub", 9)
	colour("changes")
	colour("goes")
	w.namespace(1, "fresh", nil)
	w.create(1, "sites", map[string]any{"apiVersion": "skupper.io/v2alpha1", "kind": "Site", "metadata": map[string]any{"name": "other", "namespace": w.ns("fresh")}})

	o := w.must(5, saved...)
	w.says(o,
		"site/quiet is stale", "link/taken is blocked: needs site/quiet", "site/left is stale", "link/dear-hub is stale: cost is now 9, was 1",
		"link/gone-hub is stale", "link/anew-hub is stale", "object/store/ConfigMap/changes is stale", "object/store/ConfigMap/goes is stale", "site/fresh is stale",
		"what is stale stays so, however often this plan is applied: make a new plan, review it, and apply that.")
	if now := w.get(1, w.ns("fine"), "links", "fine-hub"); costOf(now) != 7 {
		t.Errorf("the unrelated cost was not changed: %v", now)
	}
	if now := w.get(1, w.ns("store"), "configmaps", "stays"); colourOf(now) != "red" {
		t.Errorf("the unrelated object was not changed: %v", now)
	}
	for site, name := range map[string]string{"dear": "dear-hub", "gone": "gone-hub", "anew": "anew-hub"} {
		if now := w.get(1, w.ns(site), "links", name); costOf(now) != 9 {
			t.Errorf("Link %s was touched: %v", name, now)
		}
	}
	if w.get(1, w.ns("left"), "sites", "left") == nil || w.get(1, w.ns("store"), "configmaps", "goes") == nil {
		t.Error("something was deleted that had been edited")
	}
	w.rewire()
	w.must(5, saved...)
	if n := w.countWrites(); n != 0 {
		t.Errorf("the stale rest made %d writes", n)
	}

	// As it was, or as it is wanted: both go on.
	cost("dear", "dear-hub", 5)
	cost("gone", "gone-hub", 1)
	cost("anew", "anew-hub", 1)
	w.patch(1, w.ns("quiet"), "sites", "quiet", map[string]any{"spec": map[string]any{"settings": map[string]any{"router-data-connection-count": "4"}}})
	w.patch(1, w.ns("left"), "sites", "left", map[string]any{"spec": map[string]any{"ha": false}})
	w.patch(1, w.ns("store"), "configmaps", "changes", map[string]any{"data": map[string]any{"colour": "blue"}})
	w.patch(1, w.ns("store"), "configmaps", "goes", map[string]any{"data": map[string]any{"colour": "blue"}})
	w.remove(1, w.ns("fresh"), "sites", "other")
	w.must(0, saved...)
	w.must(0, "plan", "--detailed-exitcode")
	w.says(w.must(0, append(saved, "--events", "events.jsonl")...), "11 of 11 actions are done already", "done before")
	already := 0
	for _, e := range w.events("events.jsonl") {
		if e.Type == report.RecordAction && e.Already && e.Phase == "done" {
			already++
		}
	}
	if already != 11 {
		t.Errorf("%d actions are recorded as done before", already)
	}
}

// costOf is a Link's cost; 0 when there is none.
func costOf(l *unstructured.Unstructured) int64 {
	if l == nil {
		return 0
	}
	cost, _, _ := unstructured.NestedInt64(l.Object, "spec", "cost")
	return cost
}

// colourOf is what a ConfigMap has under that key.
func colourOf(m *unstructured.Unstructured) string {
	if m == nil {
		return ""
	}
	colour, _, _ := unstructured.NestedString(m.Object, "data", "colour")
	return colour
}

// A saved plan that was cut off is finished by applying it again, and then it is done.
func TestSavedPlanIsFinished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	w.must(0, "plan", "-o", "plan.json")
	for _, writes := range []int{1, 3, 5, 2} {
		w.bendBy(func(v *wires) {
			v.after = func(n int, _ request) {
				if n == writes {
					v.cut()
				}
			}
		})
		if o := w.run("apply", "--plan", "plan.json", "--timeout", "20s", "--lock-lease", "2s"); o.code == 0 || o.code == 5 {
			t.Errorf("cut off after %d writes: exit %d\n%s", writes, o.code, o.errOut)
		}
		w.rewire()
		w.killed = true
	}
	w.must(0, "apply", "--plan", "plan.json")
	w.settled(sites, links)
}

// What makes a saved plan unfit is told apart, and nothing is written.
func TestSavedPlanRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	w.must(0, "plan", "-o", "plan.json")
	good, err := os.ReadFile(filepath.Join(w.dir, "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	p := w.readPlan("plan.json")
	saved := func(change func(*plan.Plan)) {
		q := p
		change(&q)
		data, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		w.file("plan.json", string(data))
	}
	for _, c := range []struct {
		name string
		set  func()
		code int
		args []string
		want string
	}{
		{"wrong id", func() {}, 5, []string{"--expect-plan-id", "sha256:000000000000"}, "--expect-plan-id"},
		{"altered", func() { w.file("plan.json", strings.Replace(string(good), `"spoke-hub"`, `"spoke-hop"`, 1)) }, 3, nil, "was altered"},
		{"newer format", func() {
			w.file("plan.json", strings.Replace(string(good), "fairlead.plan/v1", "fairlead.plan/v2", 1))
		}, 3, nil, "a newer Fairlead"},
		{"no plan", func() { w.file("plan.json", "{") }, 3, nil, "plan.json"},
		{"expired", func() { saved(func(q *plan.Plan) { q.Made = "2020-01-02T03:04:05Z" }) }, 5, nil, "expired: it was made at 2020-01-02T03:04:05Z"},
		{"another network", func() { saved(func(q *plan.Plan) { q.Network = "other"; q.ID = plan.Identify(*q) }) }, 6, nil, `of network "other"`},
		{"another description", func() { w.describe(sites, []link{{"spoke-hub", "spoke", "hub", 4}}) }, 5, nil, "made of another description"},
		{"swapped contexts", func() { w.kubeconfig = swapped(t, w.kubeconfig) }, 6, nil, "are contexts swapped?"},
		{"narrowed", func() {}, 3, []string{"--site", "hub"}, "do not go with --plan"},
	} {
		before := w.kubeconfig
		c.set()
		w.says(w.must(c.code, append([]string{"apply", "--plan", "plan.json"}, c.args...)...), c.want)
		w.kubeconfig = before
		w.file("plan.json", string(good))
		w.describe(sites, links)
	}
	if n := w.countWrites(); n != 0 {
		t.Errorf("%d writes", n)
	}
	w.must(0, "apply", "--plan", "plan.json", "--expect-plan-id", p.ID)
	w.settled(sites, links)
}

// swapped is a kubeconfig whose two contexts lead to each other's clusters.
func swapped(t *testing.T, file string) string {
	t.Helper()
	kc, err := clientcmd.LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	one, two := kc.Contexts[contextName(0)], kc.Contexts[contextName(1)]
	one.Cluster, two.Cluster = two.Cluster, one.Cluster
	out := filepath.Join(t.TempDir(), "swapped")
	if err := clientcmd.WriteToFile(*kc, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// A plan that was saved without what it is refused for deletes no more than the
// description allows.
func TestSavedPlanWithoutRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.railed = true
	sites, links := hubAndSpoke()
	sites, links = append(sites, site{"far", 1, ""}), append(links, link{"far-hub", "far", "hub", 1})
	w.applied(sites, links)
	w.describe(sites[:1], nil)
	w.must(6, "plan", "-o", "plan.json")
	p := w.readPlan("plan.json")
	p.Refusals = []plan.Refusal{}
	p.ID = plan.Identify(p)
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	w.file("plan.json", string(data))
	w.rewire()
	w.says(w.must(6, "apply", "--plan", "plan.json"), "the saved plan does not say that it is refused for that")
	if n := w.countWrites(); n != 0 {
		t.Errorf("%d writes", n)
	}
}
