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

// refusedBy are the refusals of a code, as their flags start, or with "!" where no flag
// lifts them.
func refusedBy(p plan.Plan, code string) string {
	var out []string
	for _, r := range p.Refusals {
		if strings.HasPrefix(r.Code, code) {
			flag, _, numbered := strings.Cut(strings.TrimPrefix(r.Override, "--allow "), "@")
			if !numbered {
				flag = r.Code + "!"
			}
			out = append(out, flag)
		}
	}
	return strings.Join(out, " ")
}

// A name that leads to another cluster than Leases, records or the description say is
// refused, and what cannot be compared is not.
func TestClusterChanged(t *testing.T) {
	t.Parallel()
	type view = func(m *model, name network.ClusterName) *world.ClusterView
	at := func(m *model, name network.ClusterName) *world.ClusterView { return m.cluster(name) }
	// elsewhere lets a name lead to a cluster on which another network of the name runs.
	elsewhere := func(m *model, name network.ClusterName) *world.ClusterView {
		v := at(m, name)
		v.UID = "other"
		for i := range v.Sites {
			v.Sites[i].UID += "-other"
			v.Inventories[i].Content.UID, v.Inventories[i].Content.ClusterUID = v.Sites[i].UID, "other"
		}
		return v
	}
	var _ view = elsewhere
	pin := func(uid string) func(*model, *network.Network) {
		return func(_ *model, n *network.Network) { n.Clusters[0].UID = uid }
	}
	for _, tt := range []struct {
		name   string
		change func(m *model, n *network.Network)
		want   string
	}{
		{"as it was", func(*model, *network.Network) {}, ""},
		{"the records of links know another", func(m *model, _ *network.Network) { elsewhere(m, "a") }, "cluster-changed.a:1"},
		{"its own records are of another", func(m *model, _ *network.Network) {
			v := at(m, "b")
			v.UID = "other"
			for i := range v.Sites {
				v.Sites[i].UID += "-restored"
			}
		}, "cluster-changed.b:2"},
		{"a Lease knows another", func(m *model, _ *network.Network) {
			at(m, "b").Noted = []world.NotedCluster{{Name: "a", UID: "other", Sites: 1}}
		}, "cluster-changed.a:1"},
		{"its Sites tell that it is the same", func(m *model, _ *network.Network) { at(m, "a").UID = "other" }, ""},
		{"what is noted is of another namespace", func(m *model, _ *network.Network) {
			at(m, "b").Noted = []world.NotedCluster{{Name: "a", UID: "namespace/default:other", Sites: 1}}
		}, ""},
		{"what is noted is of the lock's namespace", func(m *model, _ *network.Network) {
			at(m, "a").LockUID = "namespace/default:own"
			at(m, "b").Noted = []world.NotedCluster{{Name: "a", UID: "namespace/default:other", Sites: 1}}
		}, "cluster-changed.a:1"},
		{"the rights end at a namespace", func(m *model, _ *network.Network) { elsewhere(m, "a").UID = "namespace/default:own" }, ""},
		{"it was not read", func(m *model, _ *network.Network) {
			*at(m, "a") = world.ClusterView{Name: "a", UID: "other", State: plan.StateForbidden}
		}, ""},
		{"records are of an older build", func(m *model, _ *network.Network) {
			for i, inv := range at(m, "b").Inventories {
				for name, l := range inv.Content.Links {
					l.ToClusterUID = ""
					at(m, "b").Inventories[i].Content.Links[name] = l
				}
			}
			elsewhere(m, "a")
		}, ""},
		{"the pinned one", pin("uid-a"), ""},
		{"another one than the pinned", pin("uid-c"), "cluster-changed.a!"},
		{"nothing tells whether it is the pinned one", pin("namespace/default:x"), "cluster-changed.a!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := star(2)
			m := carriedOut(t, n)
			tt.change(m, &n)
			in := planner.Input{Desired: m.wanted(n), Observation: m.obs, Limits: &network.DefaultDeletes}
			p := planner.Make(in)
			if got := refusedBy(p, plan.ClusterChanged); got != tt.want {
				t.Errorf("refused: %q, want %q\n%+v", got, tt.want, p.Refusals)
			}
			in.Filter = plan.Filter{Sites: []network.SiteName{"nobody"}}
			if got := refusedBy(planner.Make(in), plan.ClusterChanged); got != "" {
				t.Errorf("a part that touches nothing is refused for %s", got)
			}
			drift := m.drift(m.wanted(n))
			told := slices.ContainsFunc(drift.Live, func(l plan.Live) bool { return l.Code == plan.LiveClusterChanged })
			if told != (tt.want != "") || told && !drift.Ill() {
				t.Errorf("drift tells %v, is ill %v", told, drift.Ill())
			}
		})
	}
}

// A cluster that was made anew is taken by the flag, and once that is carried out its
// records are of it.
func TestClusterMadeAnew(t *testing.T) {
	t.Parallel()
	n := star(2)
	m := carriedOut(t, n)
	anew := m.cluster("a")
	*anew = world.ClusterView{Name: "a", UID: "anew", State: plan.StateOK, Namespaces: []string{"kube-system"}}
	p := m.railed(n, network.DefaultDeletes, plan.Filter{})
	lifted, err := plan.Lift(p, []plan.Allowance{{Code: "cluster-changed.a", Number: 1, Plan: strings.TrimPrefix(p.ID, "sha256:")[:12]}})
	if err != nil || !slices.Equal(lifted.TakenFor(), []network.ClusterName{"a"}) {
		t.Fatalf("%v: %v\n%+v", err, lifted.TakenFor(), p.Refusals)
	}
	m.run(p)
	if got := refusedBy(m.railed(n, network.DefaultDeletes, plan.Filter{}), plan.ClusterChanged); got != "" {
		t.Errorf("refused for %s after it was carried out", got)
	}
}
