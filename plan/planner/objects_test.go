package planner_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// carryOutObject does what apply and the API server do with an overlay's object.
func (m *model) carryOutObject(a plan.Action) {
	view := m.cluster(a.Cluster)
	if a.Verb == plan.VerbDelete {
		view.Objects = slices.DeleteFunc(view.Objects, func(v world.ObjectView) bool { return v.UID == a.Object.UID })
		if a.Has(plan.StepConfirm) {
			m.inventory(a.Cluster, a.Namespace, func(inv *record.Inventory) { inv.ForgetObject(a.Key()) })
		}
		return
	}
	if !a.Has(plan.StepObject) {
		return
	}
	content, uid := m.storeObject(view, a), ""
	for _, v := range view.Objects {
		if v.Namespace == a.Namespace && plan.ObjectKey(v.APIVersion, v.Kind, v.Name) == a.Key() {
			uid = v.UID
		}
	}
	sent := maps.Clone(a.Object.Fields)
	for _, path := range a.Object.Keep {
		delete(sent, path)
	}
	answer := record.Answer{Stored: field.Stored(sent, content)}
	m.inventory(a.Cluster, a.Namespace, func(inv *record.Inventory) { inv.ConfirmObject(a, uid, answer) })
}

// storeObject keeps an object as an API server does: with defaults, and some values
// in another form.
func (m *model) storeObject(view *world.ClusterView, a plan.Action) map[string]any {
	manifest := a.Object.Manifest
	for _, v := range view.Objects {
		if v.UID == a.Object.UID {
			manifest = field.KeepIn(manifest, v.Content, a.Object.Keep)
		}
	}
	content := clone(m.t, manifest)
	spec, _ := content["spec"].(map[string]any)
	if spec["cpu"] == "0.5" {
		spec["cpu"] = "500m"
	}
	delete(spec, "unknown")
	metadata, _ := content["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
		content["metadata"] = metadata
	}
	annotations, _ := metadata["annotations"].(map[string]any)
	if annotations == nil {
		annotations = map[string]any{}
		metadata["annotations"] = annotations
	}
	annotations[plan.AnnotationDigest] = "sha256:x"
	if spec != nil {
		spec["default"] = "set by the server"
	}
	labels := m.labels(plan.LabelSite, string(a.Object.Site))
	labels[plan.LabelObject] = world.OverlayObject
	for i, v := range view.Objects {
		if v.Namespace == a.Namespace && plan.ObjectKey(v.APIVersion, v.Kind, v.Name) == a.Key() {
			view.Objects[i].Content, view.Objects[i].Labels = content, labels
			return content
		}
	}
	view.Objects = append(view.Objects, world.ObjectView{
		Meta:       world.Meta{Namespace: a.Namespace, Name: a.Name, UID: m.uid(), Marked: true, Labels: labels},
		APIVersion: a.Object.APIVersion, Kind: a.Object.Kind, Content: content,
	})
	return content
}

// clone copies an object the way it travels; numbers come back as float64.
func clone(t testing.TB, manifest map[string]any) map[string]any {
	t.Helper()
	data, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// withObject adds an object with a spec to a site of the desired network.
func withObject(d plan.Desired, site network.SiteName, kind plan.ObjectKind, name string, spec map[string]any) plan.Desired {
	for _, s := range d.Sites {
		if s.Name == site {
			manifest := map[string]any{
				"apiVersion": "example.com/v1", "kind": string(kind),
				"metadata": map[string]any{"name": name, "namespace": s.Namespace}, "spec": spec,
			}
			d.Objects = append(d.Objects, plan.DesiredObject{
				Site: site, Cluster: s.Cluster, Namespace: s.Namespace, APIVersion: "example.com/v1", Kind: kind, Name: name,
				Fields: field.Flatten(manifest), Manifest: manifest,
			})
		}
	}
	return d
}

func randomObjects(r *rand.Rand, n network.Network) plan.Desired {
	d := desired.Build(n)
	for _, s := range n.Sites {
		for i := range r.IntN(4) {
			spec := map[string]any{"port": int64(r.IntN(2)), "cpu": "0.5"}
			if r.IntN(2) == 0 {
				spec["unknown"] = "x"
			}
			if r.IntN(2) == 0 {
				spec["list"] = []any{map[string]any{"name": "a", "v": int64(r.IntN(2))}, map[string]any{"name": "b"}}
			}
			d = withObject(d, s.Name, plan.ObjectKind([]string{"Listener", "Gate"}[i%2]), fmt.Sprintf("o%d", i/2), spec)
		}
	}
	return d
}

// meddleObjects changes objects behind the planner's back.
func (m *model) meddleObjects(r *rand.Rand) {
	view := &m.obs.Clusters[r.IntN(len(m.obs.Clusters))]
	if len(view.Objects) == 0 {
		return
	}
	i := r.IntN(len(view.Objects))
	switch r.IntN(5) {
	case 0:
		view.Objects = slices.Delete(view.Objects, i, i+1)
	case 1:
		view.Objects[i].Labels = nil
	case 2:
		view.Objects[i].Content["spec"] = map[string]any{"port": int64(7)}
	case 3:
		delete(view.Objects[i].Content, "spec")
	case 4:
		for _, inv := range view.Inventories {
			clear(inv.Content.Objects)
		}
	}
}

// The invariant holds with objects too, and nothing of ours stays behind.
func TestPlanOfPlanIsEmptyWithObjects(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 3))
		m := newModel(t, "net", "a", "b")
		for round := range 4 {
			n := randomNetwork(r)
			d := randomObjects(r, n)
			for range r.IntN(3) {
				m.meddle(r)
				m.meddleObjects(r)
			}
			p := planner.Make(planner.Input{Desired: d, Observation: m.obs, Adopt: true})
			if len(p.Refusals) > 0 {
				break // as in TestPlanOfPlanIsEmpty
			}
			m.run(p)
			again := planner.Make(planner.Input{Desired: d, Observation: m.obs})
			if again.Pending() || len(again.Refusals) > 0 {
				t.Fatalf("seed %d round %d: still to do after\n%s\n%s", seed, round, dump(p), dump(again))
			}
			drift := planner.Make(planner.Input{Desired: desired.LastApplied(m.obs, d), Observation: m.obs})
			if drift.Pending() {
				t.Fatalf("seed %d round %d: drift after an apply\n%s", seed, round, dump(drift))
			}
			owned := 0
			for _, c := range m.obs.Clusters {
				for _, v := range c.Objects {
					// A namespace that lost its Site and inventory tells nothing of its objects.
					site := func(s world.SiteView) bool { return s.Namespace == v.Namespace }
					if v.Owned("net") && slices.ContainsFunc(c.Sites, site) {
						owned++
					}
				}
			}
			if owned != len(d.Objects) {
				t.Fatalf("seed %d round %d: %d objects of ours, %d described, after\n%s", seed, round, owned, len(d.Objects), dump(p))
			}
		}
	}
}

// gate is the description of twoSites with one object at the spoke.
func gate(spec map[string]any) plan.Desired {
	return withObject(desired.Build(twoSites(1)), "spoke", "Gate", "g", spec)
}

func TestObjectActions(t *testing.T) {
	t.Parallel()
	same := map[string]any{"port": int64(1), "cpu": "0.5"}
	object := func(m *model) *world.ObjectView { return &m.cluster("b").Objects[0] }
	spec := func(m *model) map[string]any { return object(m).Content["spec"].(map[string]any) }
	for _, tt := range []struct {
		name   string
		change func(m *model, d *plan.Desired)
		want   []string
	}{
		{"nothing", func(*model, *plan.Desired) {}, nil},
		{"a field in git", func(_ *model, d *plan.Desired) { *d = gate(map[string]any{"port": int64(2), "cpu": "0.5"}) },
			[]string{"update object/spoke/Gate/g pending none [record object] spec.port 1>2"}},
		{"a field on the cluster", func(m *model, _ *plan.Desired) { spec(m)["port"] = int64(9) },
			[]string{"update object/spoke/Gate/g drift none [object] spec.port 9>1"}},
		{"a field on both", func(m *model, d *plan.Desired) {
			spec(m)["port"] = int64(9)
			*d = gate(map[string]any{"port": int64(2), "cpu": "0.5"})
		}, []string{"update object/spoke/Gate/g both none [record object] spec.port 9>2"}},
		{"a field dropped in git", func(_ *model, d *plan.Desired) { *d = gate(map[string]any{"cpu": "0.5"}) },
			[]string{"update object/spoke/Gate/g pending none [record object] spec.port 1><nil>"}},
		{"a normalised field on the cluster", func(m *model, _ *plan.Desired) { spec(m)["cpu"] = "1" },
			[]string{"update object/spoke/Gate/g drift none [object] spec.cpu 1>500m"}},
		{"others' fields", func(m *model, _ *plan.Desired) { spec(m)["default"] = "x" }, nil},
		{"gone", func(m *model, _ *plan.Desired) { m.cluster("b").Objects = nil },
			[]string{"create object/spoke/Gate/g drift none [record object] spec.cpu <nil>>0.5 spec.port <nil>>1"}},
		{"labels taken off", func(m *model, _ *plan.Desired) { object(m).Labels = nil },
			[]string{"update object/spoke/Gate/g drift none [object]"}},
		{"record lost", func(m *model, _ *plan.Desired) { m.cluster("b").Inventories[0].Content.Objects = nil },
			[]string{"update object/spoke/Gate/g drift none [record object] spec.cpu 500m>0.5"}},
		{"no longer wanted", func(_ *model, d *plan.Desired) { d.Objects = nil },
			[]string{"delete object/spoke/Gate/g pending none [delete confirm]"}},
		{"no longer wanted and gone", func(m *model, d *plan.Desired) { d.Objects = nil; m.cluster("b").Objects = nil },
			[]string{"delete object/spoke/Gate/g pending none [delete confirm]"}},
		{"no longer wanted, record lost", func(m *model, d *plan.Desired) {
			d.Objects = nil
			m.cluster("b").Inventories[0].Content.Objects = nil
		}, []string{"delete object/spoke/Gate/g pending none [delete]"}},
		{"made by a controller from ours", func(m *model, _ *plan.Desired) {
			made := *object(m)
			made.Name, made.UID, made.OwnerUID = "made", "made", "u"
			m.cluster("b").Objects = append(m.cluster("b").Objects, made)
		}, nil},
		{"its site goes", func(_ *model, d *plan.Desired) {
			n := twoSites(1)
			n.Sites, n.Links = n.Sites[:1], nil
			*d = desired.Build(n)
		}, []string{
			"delete link/spoke-hub pending reconnect [delete confirm]", "delete object/spoke/Gate/g pending none [delete confirm]",
			"delete site/spoke pending reconnect [delete] after link/spoke-hub object/spoke/Gate/g",
		}},
		{"no longer wanted, and made anew by somebody else", func(m *model, d *plan.Desired) {
			d.Objects = nil
			object(m).Labels, object(m).UID = nil, "theirs"
		}, []string{"delete object/spoke/Gate/g pending none [delete confirm]"}}, // of its record alone
		{"copied labels", func(m *model, _ *plan.Desired) { // as Endpoints have of their Service
			copied := *object(m)
			copied.Marked = false
			copied.Name, copied.UID, copied.Content = "copied", "copied", map[string]any{"metadata": map[string]any{}}
			m.cluster("b").Objects = append(m.cluster("b").Objects, copied)
		}, nil},
		{"a copy where no site of ours is", func(m *model, _ *plan.Desired) {
			restored := *object(m)
			restored.Namespace, restored.UID = "elsewhere", "restored"
			m.cluster("b").Objects = append(m.cluster("b").Objects, restored)
		}, nil},
		{"no longer wanted, of a version that is no longer served", func(m *model, d *plan.Desired) {
			d.Objects, m.cluster("b").Objects = nil, nil
			m.cluster("b").Kinds = []world.KindView{{APIVersion: "example.com/v1", Kind: "Gate", Scope: world.ScopeNone}}
		}, nil},
		{"its site moves", func(_ *model, d *plan.Desired) {
			n := twoSites(1)
			n.Sites[1].Cluster, n.Links = "a", nil
			*d = withObject(desired.Build(n), "spoke", "Gate", "g", same)
		}, []string{
			"create site/spoke pending none [namespace record site ready]",
			"create object/spoke/Gate/g pending none [record object] spec.cpu <nil>>0.5 spec.port <nil>>1 after site/spoke",
			"delete link/spoke-hub pending reconnect [delete confirm]",
			"delete object/spoke/Gate.example.com/g@b/spoke pending none [delete confirm] after object/spoke/Gate/g site/spoke",
			"delete site/spoke@b/spoke pending reconnect [delete] after link/spoke-hub object/spoke/Gate.example.com/g@b/spoke site/spoke",
		}},
		{"its cluster cannot be read", func(m *model, d *plan.Desired) {
			d.Objects = nil
			m.cluster("b").State = plan.StateUnreachable
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, d := newModel(t, "net", "a", "b"), gate(same)
			m.run(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
			tt.change(m, &d)
			var got []string
			for _, a := range planner.Make(planner.Input{Desired: d, Observation: m.obs}).Actions {
				got = append(got, describe(a))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An object of somebody else in the place of one that we wrote is refused, and two
// versions of one kind are.
func TestObjectOfAnother(t *testing.T) {
	t.Parallel()
	m, d := newModel(t, "net", "a", "b"), gate(map[string]any{"port": int64(1)})
	m.run(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
	v := &m.cluster("b").Objects[0]
	v.Labels, v.UID = nil, "theirs"
	if r := planner.Make(planner.Input{Desired: d, Observation: m.obs}).Refusals; len(r) != 1 || r[0].Code != "foreign-object" {
		t.Errorf("refusals %v", r)
	}
	d = withObject(d, "spoke", "Gate", "h", map[string]any{"port": int64(1)})
	d.Objects[1].APIVersion = "example.com/v2"
	r := planner.Make(planner.Input{Desired: d, Observation: newModel(t, "net", "a", "b").obs}).Refusals
	if len(r) != 1 || r[0].Code != "mixed-versions" {
		t.Errorf("refusals %v", r)
	}
}

func TestObjectRefusals(t *testing.T) {
	t.Parallel()
	foreign := func(labels map[string]string) func(m *model) {
		return func(m *model) {
			m.cluster("b").Objects = []world.ObjectView{{
				Meta:       world.Meta{Namespace: "spoke", Name: "g", UID: "x", Labels: labels},
				APIVersion: "example.com/v1", Kind: "Gate", Content: map[string]any{"spec": map[string]any{"port": int64(1)}},
			}}
		}
	}
	other := map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: "other"}
	own := map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: "net", plan.LabelLink: "l"}
	scope := func(s world.Scope) func(m *model) {
		return func(m *model) {
			m.cluster("b").Kinds = []world.KindView{{APIVersion: "example.com/v1", Kind: "Gate", Scope: s}}
		}
	}
	for _, tt := range []struct {
		name   string
		change func(m *model)
		adopt  bool
		want   string
	}{
		{"foreign", foreign(nil), false, "foreign-object: Gate spoke/g on cluster b is there and Fairlead did not make it"},
		{"foreign, adopted", foreign(nil), true, ""},
		{"another network's", foreign(other), true, `foreign-object: Gate spoke/g on cluster b belongs to network "other"`},
		{"a link's own", foreign(own), true, `foreign-object: Gate spoke/g on cluster b belongs to link "l" of network "net"`},
		{"no such kind", scope(world.ScopeNone), false, "unknown-kind: cluster b has no kind Gate in example.com/v1"},
		{"of the cluster", scope(world.ScopeCluster), false, "cluster-scoped: Gate.example.com belongs to no namespace on cluster b"},
		{"of a namespace", scope(world.ScopeNamespace), false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := up(t)
			tt.change(m)
			p := planner.Make(planner.Input{Desired: gate(map[string]any{"port": int64(1)}), Observation: m.obs, Adopt: tt.adopt})
			got := ""
			for _, r := range p.Refusals {
				got += r.Code + ": " + r.Message
				if r.Override == "" || r.Subject != `object Gate/g of site "spoke"` {
					t.Errorf("a refusal without %+v", r)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.adopt && tt.want == "" && p.Actions[0].Verb != plan.VerbAdopt {
				t.Errorf("not adopted: %s", dump(p))
			}
		})
	}
}

func TestFlatten(t *testing.T) {
	t.Parallel()
	manifest := map[string]any{
		"apiVersion": "v1", "kind": "X", "status": map[string]any{"a": "b"},
		"metadata": map[string]any{"name": "x", "labels": map[string]any{"a/b": "c", "x.y/z": "d"}},
		"data":     map[string]any{"a.b": "c", "": "d", `q"]`: "e", "long": strings.Repeat("x", 600)},
		"spec": map[string]any{
			"on": true, "n": int64(3), "none": nil, "empty": map[string]any{}, "args": []any{"a", "b"}, "no": []any{},
			"containers": []any{map[string]any{"name": "web", "image": "i"}, map[string]any{"name": `a"b`, "image": "j"}},
			"rules":      []any{map[string]any{"from": []any{map[string]any{"port": int64(1)}}}, map[string]any{}},
		},
	}
	want := map[string]any{
		`metadata.labels.a/b`: "c", `metadata.labels["x.y/z"]`: "d",
		`data["a.b"]`: "c", `data[""]`: "d", `data["q\"]"]`: "e",
		"spec.on": true, "spec.n": int64(3), "spec.empty": "{}", "spec.args": `["a","b"]`, "spec.no": "[]",
		`spec.containers[name="web"].name`: "web", `spec.containers[name="web"].image`: "i",
		`spec.containers[name="a\"b"].name`: `a"b`, `spec.containers[name="a\"b"].image`: "j",
		"spec.rules[#]": int64(2), "spec.rules[0].from[port=1].port": int64(1), "spec.rules[1]": "{}",
	}
	got := field.Flatten(manifest)
	if text, _ := got["data.long"].(string); !strings.HasPrefix(text, "600 bytes, sha256:") {
		t.Errorf("a long text is %q", text)
	}
	long := got["data.long"]
	delete(got, "data.long")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got["data.long"] = long
	if diff := cmp.Diff(got, field.Pick(manifest, got)); diff != "" {
		t.Errorf("what was flattened is not found again:\n%s", diff)
	}
	if stored := field.Stored(got, manifest); stored != nil {
		t.Errorf("stored in another form: %v", stored)
	}
}

// Paths that lead nowhere, of whatever form, are left out.
func TestPickNowhere(t *testing.T) {
	t.Parallel()
	live := map[string]any{"a": "b", "list": []any{"x"}, "maps": []any{map[string]any{"name": "x"}}}
	paths := map[string]any{
		"x": 1, "a.b": 1, "a[0]": 1, "list[1]": 1, "list[-1]": 1, "list.a": 1, `maps[name="y"]`: 1, "maps[": 1, `["`: 1, "": 1, "maps[0][0]": 1,
	}
	got := field.Pick(live, paths)
	delete(got, "")
	if len(got) > 0 {
		t.Errorf("found %v", slices.Sorted(maps.Keys(got)))
	}
}
