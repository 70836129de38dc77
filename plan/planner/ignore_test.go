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
	"fairlead.dev/fairlead/plan/approve"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// ignoring are rules with these paths.
func ignoring(paths ...string) (out []network.Ignore) {
	for _, p := range paths {
		out = append(out, network.Ignore{Path: p, Reason: "because"})
	}
	return out
}

var someRules = []string{
	"link/*/cost", "link/l1/*", "link/*/endpoints", "site/*/settings.*", "site/*/*", "site/s1/*",
	"object/*/*/*/spec.port", "object/*/*/*/*", "object/*/Gate/*", "object/s1/Listener/o0/spec.list*",
}

func randomRules(r *rand.Rand) []network.Ignore {
	var paths []string
	for range r.IntN(4) {
		paths = append(paths, someRules[r.IntN(len(someRules))])
	}
	return ignoring(paths...)
}

// tune changes what people, and other controllers, change on purpose.
func (m *model) tune(r *rand.Rand) {
	view := &m.obs.Clusters[r.IntN(len(m.obs.Clusters))]
	for _, s := range view.Sites {
		if _, set := s.Fields["settings.router-data-connection-count"]; set && r.IntN(2) == 0 {
			s.Fields["settings.router-data-connection-count"] = "4"
		}
	}
	for i := range view.Links {
		if r.IntN(3) == 0 {
			view.Links[i].Cost = 1 + r.Int32N(9)
		}
	}
	for _, o := range view.Objects {
		if spec, ok := o.Content["spec"].(map[string]any); ok && r.IntN(2) == 0 {
			spec["port"] = int64(r.IntN(4))
		}
	}
}

// The invariant holds with rules: carried out, a plan leaves nothing to plan, drift says
// the same as before of what is ignored, and the clusters still have it.
func TestPlanOfPlanIsEmptyWithRules(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 21))
		m := newModel(t, "net", "a", "b")
		n := randomNetwork(r)
		for round := range 4 {
			if r.IntN(3) == 0 {
				n = randomNetwork(r)
			}
			d, rules := randomObjects(r, n), randomRules(r)
			if r.IntN(2) == 0 {
				m.meddle(r)
				m.meddleObjects(r)
			}
			m.tune(r)
			p := planner.Make(planner.Input{Desired: d, Observation: m.obs, Adopt: true, Ignore: rules})
			if len(p.Refusals) > 0 {
				break // as in TestPlanOfPlanIsEmpty
			}
			m.run(p)
			again := planner.Make(planner.Input{Desired: d, Observation: m.obs, Ignore: rules})
			if again.Pending() || len(again.Refusals) > 0 {
				t.Fatalf("seed %d round %d: still to do after\n%s\n%s", seed, round, dump(p), dump(again))
			}
			drift := planner.Make(planner.Input{Desired: desired.LastApplied(m.obs, d), Observation: m.obs, Ignore: rules})
			if diff := cmp.Diff(again.Ignored, drift.Ignored); diff != "" || drift.Pending() {
				t.Fatalf("seed %d round %d: drift after an apply\n%s\n%s", seed, round, dump(drift), diff)
			}
			for _, i := range p.Ignored {
				seen[i.Action[:4]]++
				made := slices.ContainsFunc(p.Actions, func(a plan.Action) bool { return a.ID == i.Action && a.Verb != plan.VerbUpdate })
				if !made && !slices.ContainsFunc(again.Ignored, func(o plan.Ignored) bool { return fmt.Sprint(i) == fmt.Sprint(o) }) {
					t.Fatalf("seed %d round %d: %+v was not left alone by\n%s\nthen\n%+v", seed, round, i, dump(p), again.Ignored)
				}
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("ignored: %v", seen)
	}
}

// Rules that cover nothing of what there is change nothing, not a byte.
func TestRulesThatCoverNothing(t *testing.T) {
	t.Parallel()
	idle := ignoring("link/none/cost", "site/none/*", "object/none/*/*", "link/*/link-down", "object/*/Nothing/*/*")
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 22))
		m := newModel(t, "net", "a", "b")
		m.run(planner.Make(planner.Input{Desired: randomObjects(r, randomNetwork(r)), Observation: m.obs}))
		for range 3 {
			m.meddle(r)
			m.meddleObjects(r)
		}
		in := planner.Input{Desired: randomObjects(r, randomNetwork(r)), Observation: m.obs}
		without := planner.Make(in)
		in.Ignore = idle
		a, errA := json.Marshal(without)
		b, errB := json.Marshal(planner.Make(in))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Fatalf("seed %d: %v %v\n%s", seed, errA, errB, cmp.Diff(string(a), string(b)))
		}
	}
}

// notes are what a plan ignores: "action field from>to by rule".
func notes(list []plan.Ignored) (out []string) {
	for _, i := range list {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %v>%v by %s", i.Action, i.Field, i.From, i.To, i.Rule)))
	}
	return out
}

func TestIgnoreRules(t *testing.T) {
	t.Parallel()
	listed := map[string]any{"port": int64(1), "rules": []any{map[string]any{"v": int64(1)}, map[string]any{"v": int64(2)}}}
	spec := func(m *model) map[string]any { return m.cluster("b").Objects[0].Content["spec"].(map[string]any) }
	rule := func(m *model, i int) map[string]any { return spec(m)["rules"].([]any)[i].(map[string]any) }
	for _, tt := range []struct {
		name   string
		rules  []string
		change func(m *model, d *plan.Desired)
		// want are the actions, left what is ignored.
		want, left []string
	}{
		{"a cost on the cluster", []string{"link/*/cost"}, func(m *model, _ *plan.Desired) { m.cluster("b").Links[0].Cost = 7 },
			nil, []string{"link/spoke-hub cost 7>1 by link/*/cost"}},
		{"a cost in git", []string{"link/*/cost"}, func(_ *model, d *plan.Desired) { d.Links[0].Cost = 5 },
			[]string{"update link/spoke-hub pending reconnect [record take-over configured] cost 1>5"}, nil},
		{"a cost in both", []string{"link/*/cost"}, func(m *model, d *plan.Desired) { m.cluster("b").Links[0].Cost = 7; d.Links[0].Cost = 5 },
			[]string{"update link/spoke-hub both reconnect [record take-over configured] cost 7>5"}, nil},
		{"a cost beside labels", []string{"link/*/cost"}, func(m *model, _ *plan.Desired) {
			m.cluster("b").Links[0].Cost, m.cluster("b").Links[0].Labels = 7, nil
		}, []string{"update link/spoke-hub drift none [take-over configured]"}, []string{"link/spoke-hub cost 7>1 by link/*/cost"}},
		{"a link that is gone", []string{"link/*/*"}, func(m *model, _ *plan.Desired) { m.cluster("b").Links = nil },
			[]string{"create link/spoke-hub drift none [record grant redeem take-over configured operational clean confirm] attempt 2"}, nil},
		{"a field of a site", []string{"site/hub/router*"}, func(m *model, _ *plan.Desired) { m.cluster("a").Sites[0].Fields["router"] = "x" },
			nil, nil}, // nobody's
		{"a setting", []string{"site/*/settings.*"}, func(m *model, _ *plan.Desired) { m.cluster("a").Sites[0].Fields["settings.log"] = "debug" },
			nil, []string{"site/hub settings.log debug>info by site/*/settings.*"}},
		{"a setting that is taken off", []string{"site/*/settings.*"}, func(m *model, _ *plan.Desired) { delete(m.cluster("a").Sites[0].Fields, "settings.log") },
			[]string{"update site/hub drift restart [site ready] settings.log <nil>>info"}, nil},
		{"what links hang on", []string{"site/*/*"}, func(m *model, _ *plan.Desired) { m.cluster("b").Sites[0].Fields["linkAccess"] = "default" },
			[]string{"update site/spoke drift reconnect [site ready] linkAccess default>none"}, nil},
		{"a setting beside another", []string{"site/*/settings.log"}, func(m *model, d *plan.Desired) {
			m.cluster("a").Sites[0].Fields["settings.log"] = "debug"
			d.Sites[0].Fields = maps.Clone(d.Sites[0].Fields)
			d.Sites[0].Fields["settings.other"] = "on"
		}, []string{"update site/hub pending restart [record site ready] settings.other <nil>>on"}, []string{"site/hub settings.log debug>info by site/*/settings.log"}},
		{"a field of an object", []string{"object/*/Gate/g/spec.port"}, func(m *model, _ *plan.Desired) { spec(m)["port"] = int64(9) },
			nil, []string{"object/spoke/Gate/g spec.port 9>1 by object/*/Gate/g/spec.port"}},
		{"a field of an object in git", []string{"object/*/Gate/g"}, func(_ *model, d *plan.Desired) {
			d.Objects[0] = gate(map[string]any{"port": int64(3), "rules": listed["rules"]}).Objects[0]
		}, []string{"update object/spoke/Gate/g pending none [record object] spec.port 1>3"}, nil},
		{"a list without names", []string{"object/*/Gate/g/spec.rules*"}, func(m *model, _ *plan.Desired) { rule(m, 1)["v"] = int64(8) },
			nil, []string{"object/spoke/Gate/g spec.rules[1].v 8>2 by object/*/Gate/g/spec.rules*"}},
		{"a part of a list without names", []string{"object/*/Gate/g/spec.rules[1].v"}, func(m *model, _ *plan.Desired) { rule(m, 1)["v"] = int64(8) },
			[]string{"update object/spoke/Gate/g drift none [object] spec.rules[1].v 8>2"}, nil},
		{"an object that is gone, of which fields are ignored", []string{"object/*/Gate/g/*"}, func(m *model, _ *plan.Desired) { m.cluster("b").Objects = nil },
			[]string{"create object/spoke/Gate/g drift none [record object] spec.port <nil>>1 spec.rules[#] <nil>>2 spec.rules[0].v <nil>>1 spec.rules[1].v <nil>>2"}, nil},
		{"an object that is gone", []string{"object/*/Gate.example.com/g"}, func(m *model, _ *plan.Desired) { m.cluster("b").Objects = nil },
			nil, []string{"object/spoke/Gate/g  <nil>><nil> by object/*/Gate.example.com/g"}},
		{"an object that somebody made anew", []string{"object/*/Gate/g"}, func(m *model, _ *plan.Desired) {
			m.cluster("b").Objects[0].UID, m.cluster("b").Objects[0].Labels = "other", nil
			spec(m)["port"] = int64(9)
		}, nil, []string{"object/spoke/Gate/g  <nil>><nil> by object/*/Gate/g"}},
		{"an object that is gone before it was written", []string{"object/*/Gate/g"}, func(m *model, d *plan.Desired) {
			m.cluster("b").Objects = nil
			objects := m.cluster("b").Inventories[0].Content.Objects
			o := objects["Gate.example.com/g"]
			o.Intent = &record.Intent{Fields: gate(map[string]any{"port": int64(3)}).Objects[0].Fields}
			objects["Gate.example.com/g"] = o
			d.Objects[0] = gate(map[string]any{"port": int64(3)}).Objects[0]
		}, []string{"create object/spoke/Gate/g drift none [record object] spec.port <nil>>3"}, nil},
		{"an object that is gone and changes", []string{"object/*/Gate/g"}, func(m *model, d *plan.Desired) {
			m.cluster("b").Objects = nil
			d.Objects[0] = gate(map[string]any{"port": int64(3)}).Objects[0]
		}, []string{"create object/spoke/Gate/g drift none [record object] spec.port <nil>>3"}, nil},
		{"an object that was never written", []string{"object/*/Gate/g"}, func(m *model, _ *plan.Desired) {
			m.cluster("b").Objects = nil
			objects := m.cluster("b").Inventories[0].Content.Objects
			o := objects["Gate.example.com/g"]
			o.UID = ""
			objects["Gate.example.com/g"] = o
		}, []string{"create object/spoke/Gate/g drift none [record object] spec.port <nil>>1 spec.rules[#] <nil>>2 spec.rules[0].v <nil>>1 spec.rules[1].v <nil>>2"}, nil},
		{"an object without labels", []string{"object/*/Gate/g"}, func(m *model, _ *plan.Desired) { m.cluster("b").Objects[0].Labels = nil },
			[]string{"update object/spoke/Gate/g drift none [object]"}, nil},
		{"without a record", []string{"link/*/cost", "object/*/*/*"}, func(m *model, _ *plan.Desired) {
			m.cluster("b").Inventories = nil
			m.cluster("b").Links[0].Cost = 7
			spec(m)["port"] = int64(9)
		}, []string{
			"update site/spoke drift none [record]", "update object/spoke/Gate/g drift none [record object] spec.port 9>1",
			"update link/spoke-hub drift none [record take-over configured clean confirm] cost 7>1",
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newModel(t, "net", "a", "b")
			d := gate(listed)
			d.Sites[0].Fields["settings.log"] = "info"
			m.run(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
			tt.change(m, &d)
			p := planner.Make(planner.Input{Desired: d, Observation: m.obs, Ignore: ignoring(tt.rules...)})
			var got []string
			for _, a := range p.Actions {
				a.DependsOn = nil
				got = append(got, describe(a))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.left, notes(p.Ignored)); diff != "" {
				t.Errorf("ignored (-want +got):\n%s", diff)
			}
			m.run(p)
			again := planner.Make(planner.Input{Desired: d, Observation: m.obs, Ignore: ignoring(tt.rules...)})
			if diff := cmp.Diff(notes(p.Ignored), notes(again.Ignored)); diff != "" || again.Pending() {
				t.Errorf("after the apply:\n%s\n%s", dump(again), diff)
			}
		})
	}
}

// What somebody made in an object's place is left alone only where a rule covers all of
// the object, git did not move it since, and it is nobody's.
func TestObjectMadeAnewIsRefused(t *testing.T) {
	t.Parallel()
	other := map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: "other"}
	for name, c := range map[string]struct {
		rule   string
		port   int64
		labels map[string]string
		want   int
	}{
		"covered":            {"object/*/Gate/g", 1, nil, 0},
		"no rule":            {"object/*/Gate/h", 1, nil, 1},
		"a rule for a field": {"object/*/Gate/g/*", 1, nil, 1},
		"moved by git":       {"object/*/Gate/g", 2, nil, 1},
		"another network's":  {"object/*/Gate/g", 1, other, 1},
	} {
		m := newModel(t, "net", "a", "b")
		m.run(planner.Make(planner.Input{Desired: gate(map[string]any{"port": int64(1)}), Observation: m.obs}))
		m.cluster("b").Objects[0].UID, m.cluster("b").Objects[0].Labels = "other", c.labels
		p := planner.Make(planner.Input{Desired: gate(map[string]any{"port": c.port}), Observation: m.obs, Ignore: ignoring(c.rule)})
		if len(p.Refusals) != c.want || len(p.Ignored) != 1-c.want || p.Pending() {
			t.Errorf("%s: %v, %v\n%s", name, p.Refusals, notes(p.Ignored), dump(p))
		}
	}
}

// A saved plan is not stale because something moved that its rules cover.
func TestApproveWithRules(t *testing.T) {
	t.Parallel()
	m := newModel(t, "net", "a", "b")
	d := gate(map[string]any{"port": int64(1), "cpu": "1"})
	d.Sites[0].Fields["settings.log"] = "info"
	m.run(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
	d = gate(map[string]any{"port": int64(1), "cpu": "2"})
	d.Sites[0].Fields["settings.log"] = "info"
	d.Sites[0].Fields["settings.other"] = "on"
	m.cluster("b").Links[0].Labels = nil
	in := planner.Input{Desired: d, Observation: m.obs, Ignore: ignoring("object/*/*/*/spec.port", "site/*/settings.log", "link/*/cost")}
	saved := planner.Make(in)
	m.cluster("b").Objects[0].Content["spec"].(map[string]any)["port"] = int64(9)
	m.cluster("a").Sites[0].Fields["settings.log"] = "debug"
	m.cluster("b").Links[0].Cost = 9
	in.Observation = m.obs
	approval := approve.Approve(saved, planner.Make(in))
	if n := approval.Count(approve.StandingOpen); n != 3 || len(approval.Judged) != 3 {
		t.Errorf("%d of %d open: %+v", n, len(approval.Judged), approval.Judged)
	}
	in.Ignore = nil
	if a := approve.Approve(saved, planner.Make(in)); a.Count(approve.StandingStale) != 3 {
		t.Errorf("without rules nothing of this may go ahead: %+v", a.Judged)
	}
}

// The part that was asked for says what is ignored of it.
func TestIgnoredIsNarrowed(t *testing.T) {
	t.Parallel()
	m := newModel(t, "net", "a", "b")
	d := gate(map[string]any{"port": int64(1)})
	m.run(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
	m.cluster("b").Objects[0].Content["spec"] = map[string]any{"port": int64(9)}
	m.cluster("b").Links[0].Cost = 9
	in := planner.Input{Desired: d, Observation: m.obs, Ignore: ignoring("object/*/*/*/*", "link/*/*")}
	in.Filter.Links = []network.LinkName{"spoke-hub"}
	if got := notes(planner.Make(in).Ignored); len(got) != 1 || !strings.HasPrefix(got[0], "link/") {
		t.Errorf("of the link: %q", got)
	}
	in.Filter = plan.Filter{Clusters: []network.ClusterName{"a"}}
	if got := notes(planner.Make(in).Ignored); len(got) != 0 {
		t.Errorf("of cluster a: %q", got)
	}
}

func TestKeepIn(t *testing.T) {
	t.Parallel()
	var manifest, live map[string]any
	for text, into := range map[string]*map[string]any{
		`{"spec":{"replicas":3,"containers":[{"name":"web","image":"a","args":["x"]}],"rules":[{"v":1},{"v":2}],"a.b":"1"},"data":{"x":"y"}}`:                                            &manifest,
		`{"spec":{"replicas":5,"containers":[{"name":"side"},{"name":"web","image":"b","args":["y","z"]}],"rules":[{"v":9},{"v":8},{"v":7}],"a.b":"2"},"metadata":{"labels":{"l":"v"}}}`: &live,
	} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := json.Marshal(manifest)
	for paths, want := range map[string]string{
		"":                                  string(before), // no path
		"spec.replicas":                     strings.Replace(string(before), `"replicas":3`, `"replicas":5`, 1),
		`spec.containers[name="web"].image`: strings.Replace(string(before), `"image":"a"`, `"image":"b"`, 1),
		`spec.containers[name="web"].args`:  strings.Replace(string(before), `["x"]`, `["y","z"]`, 1),
		`spec.rules[1].v`:                   strings.Replace(string(before), `[{"v":1},{"v":2}]`, `[{"v":9},{"v":8},{"v":7}]`, 1),
		`spec.rules[#]`:                     strings.Replace(string(before), `[{"v":1},{"v":2}]`, `[{"v":9},{"v":8},{"v":7}]`, 1),
		`spec["a.b"]`:                       strings.Replace(string(before), `"a.b":"1"`, `"a.b":"2"`, 1),
		"data.x":                            string(before), // not there any more: as described
		"metadata.labels.l":                 string(before), // not described: nobody asked for it
		`spec[`:                             string(before),
	} {
		got, _ := json.Marshal(field.KeepIn(manifest, live, []string{paths}))
		if string(got) != want {
			t.Errorf("%s:\n%s, want\n%s", paths, got, want)
		}
	}
	if after, _ := json.Marshal(manifest); string(after) != string(before) {
		t.Error("the manifest itself was changed")
	}
}

// Below an empty map others keep what is theirs: it is not sent along. What somebody put
// in the place of a value is.
func TestKeepInOfEmptyMaps(t *testing.T) {
	t.Parallel()
	manifest := map[string]any{"dir": map[string]any{}, "size": int64(1)}
	live := map[string]any{"dir": map[string]any{"limit": "1Gi"}, "size": map[string]any{"min": int64(2)}}
	want := map[string]any{"dir": map[string]any{}, "size": map[string]any{"min": int64(2)}}
	if diff := cmp.Diff(want, field.KeepIn(manifest, live, []string{"dir", "size"})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
