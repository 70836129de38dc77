package planner_test

import (
	"slices"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// What is being deleted is not gone: a plan says that it goes and what holds it, keeps its
// record, and does not write to it.
func TestBeingDeleted(t *testing.T) {
	t.Parallel()
	const held = "is being deleted and still there, held by finalizer example.com/hold"
	for _, c := range []struct {
		name string
		goes func(m *model, d *plan.Desired)
		verb plan.Verb
		why  string
	}{
		{"a Site", func(m *model, _ *plan.Desired) {
			goes(&m.cluster("b").Sites[0].Meta)
		}, plan.VerbCreate, "it is made when that is gone"},
		{"an object of an overlay", func(m *model, _ *plan.Desired) {
			goes(&m.cluster("b").Objects[0].Meta)
		}, plan.VerbCreate, "it is made when that is gone"},
		{"an object that was taken out", func(m *model, d *plan.Desired) {
			goes(&m.cluster("b").Objects[0].Meta)
			d.Objects = nil
		}, plan.VerbDelete, "its record stays until then"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := up(t)
			n := twoSites(1)
			n.Links = nil
			d := withObject(m.wanted(n), "spoke", "Gate", "g", map[string]any{"port": int64(1)})
			m.run(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
			c.goes(m, &d)
			p := planner.Make(planner.Input{Desired: d, Observation: m.obs})
			if len(p.Actions) == 0 || p.Actions[0].Verb != c.verb || !strings.Contains(p.Actions[0].Why, held) || !strings.Contains(p.Actions[0].Why, c.why) {
				t.Fatalf("%s", dump(p))
			}
			if o := p.Actions[0].Object; c.verb == plan.VerbDelete && o.UID == "" {
				t.Error("apply would only clear its record")
			}
		})
	}
}

func goes(m *world.Meta) { m.Deleting, m.Finalizers = true, []string{"example.com/hold"} }

// Nothing is made of what goes, and what removes it says what it waits for.
func TestPartsBeingDeleted(t *testing.T) {
	t.Parallel()
	const held = "is being deleted and still there, held by finalizer example.com/hold"
	interrupted := func(m *model) *world.ClusterView {
		m.underWay()
		b := m.cluster("b")
		b.Links, b.Secrets = nil, nil
		return b
	}
	for _, c := range []struct {
		name  string
		goes  func(m *model, n *network.Network)
		id    string
		why   string
		right func(a plan.Action) bool
	}{
		{"a link's Secret", func(m *model, _ *network.Network) {
			goes(&m.cluster("b").Secrets[0].Meta)
		}, "link/spoke-hub", `Secret "spoke-hub" with its credentials ` + held, func(a plan.Action) bool { return a.Verb == plan.VerbReplace }},
		{"the token of an interrupted apply", func(m *model, _ *network.Network) {
			b := interrupted(m)
			v := world.TokenView{Meta: world.Meta{Namespace: "spoke", Name: "spoke-hub", UID: "t", Labels: m.labels(plan.LabelLink, "spoke-hub")}}
			goes(&v.Meta)
			b.Tokens = append(b.Tokens, v)
		}, "link/spoke-hub", "AccessToken spoke-hub " + held, func(a plan.Action) bool { return a.Link.Attempt == 2 && !a.Link.Resume }},
		{"the Link of an interrupted apply", func(m *model, _ *network.Network) {
			l := m.cluster("b").Links[0]
			b := interrupted(m)
			goes(&l.Meta)
			b.Links = append(b.Links, l)
		}, "link/spoke-hub", "", func(a plan.Action) bool { return a.Link.Attempt == 2 && !a.Link.Resume }},
		{"a RouterAccess", func(m *model, n *network.Network) {
			n.Sites[0].LinkAccess, n.Links = "none", nil
			goes(&m.cluster("a").Accesses[0].Meta)
		}, "site/hub", "RouterAccess skupper-router " + held, func(a plan.Action) bool { return a.Has(plan.StepClose) }},
		{"a record", func(m *model, _ *network.Network) {
			goes(&m.cluster("b").Inventories[0].Meta)
		}, "site/spoke", "its record " + held + "; it is made when that is gone", func(a plan.Action) bool {
			return a.Cause == plan.CauseDrift && len(a.Steps) == 1 && a.Has(plan.StepRecord)
		}},
		{"a namespace", func(m *model, _ *network.Network) {
			b := m.cluster("b")
			b.Sites, b.Links, b.Inventories, b.Secrets = nil, nil, nil, nil
			b.Namespaces, b.Going = []string{"kube-system"}, []string{"spoke"}
		}, "site/spoke", "its namespace is being deleted with all that is in it; it is made when that is gone", func(a plan.Action) bool {
			return a.Has(plan.StepNamespace)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, n := up(t), twoSites(1)
			c.goes(m, &n)
			p := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs})
			i := slices.IndexFunc(p.Actions, func(a plan.Action) bool { return a.ID == c.id })
			if i < 0 || !strings.Contains(p.Actions[i].Why, c.why) || !c.right(p.Actions[i]) {
				t.Errorf("%s\n%+v", dump(p), p.Actions)
			}
		})
	}
}
