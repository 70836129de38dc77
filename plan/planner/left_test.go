package planner_test

import (
	"slices"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/origin"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// A cluster that is described no more is missed, as long as another one notes or records
// that the network has sites there.
func TestClusterLeft(t *testing.T) {
	t.Parallel()
	noted := func(list ...world.NotedCluster) func(*model, *network.Network) {
		return func(m *model, _ *network.Network) {
			if i := slices.IndexFunc(m.obs.Clusters, func(c world.ClusterView) bool { return c.Name == "a" }); i >= 0 {
				m.obs.Clusters[i].Noted = list
			}
		}
	}
	unread := func(m *model, _ *network.Network) {
		for i, c := range m.obs.Clusters {
			if c.Name == "c" {
				m.obs.Clusters[i] = world.ClusterView{Name: "c", State: plan.StateUnreachable}
			}
		}
	}
	others := func(n *network.Network) {
		drop(n, "shop00", "shop01")
		n.Clusters = n.Clusters[:1]
	}
	renamed := func(n *network.Network) {
		n.Clusters[1].Name = "c"
		for i := range n.Sites[1:] {
			n.Sites[i+1].Cluster = "c"
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*network.Network)
		then   func(*model, *network.Network)
		want   string
	}{
		{"nothing is noted", others, noted(), ""},
		{"it is noted", others, noted(world.NotedCluster{Name: "a", Sites: 1}, world.NotedCluster{Name: "b", UID: "uid-b", Sites: 2}), "cluster-left.b:2"},
		{"it is described", func(n *network.Network) { drop(n, "shop00", "shop01") }, noted(world.NotedCluster{Name: "b", Sites: 2}), ""},
		{"it has another name", renamed, noted(world.NotedCluster{Name: "b", UID: "uid-b", Sites: 2}), ""},
		{"it may have another name", renamed, func(m *model, n *network.Network) {
			noted(world.NotedCluster{Name: "b", UID: "uid-b", Sites: 2})(m, n)
			unread(m, n)
		}, ""},
		{"one that is noted too cannot be read", renamed, func(m *model, n *network.Network) {
			noted(world.NotedCluster{Name: "b", UID: "uid-d", Sites: 2}, world.NotedCluster{Name: "c", UID: "uid-b", Sites: 1})(m, n)
			unread(m, n)
		}, "cluster-left.b:2"},
		{"a link leads there", func(n *network.Network) { n.Clusters = n.Clusters[1:]; drop(n, "hub") }, noted(), "cluster-left.a:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := star(2)
			m := carriedOut(t, n)
			tt.change(&n)
			var views []world.ClusterView
			for _, c := range n.Clusters {
				view := *m.cluster(map[network.ClusterName]network.ClusterName{"c": "b"}[c.Name] + network.ClusterName(map[bool]string{true: "", false: string(c.Name)}[c.Name == "c"]))
				view.Name = c.Name
				views = append(views, view)
			}
			m.obs.Clusters = views
			tt.then(m, &n)
			in := planner.Input{Desired: m.wanted(n), Observation: m.obs, Limits: &network.DefaultDeletes}
			p := planner.Make(in)
			if got := leftIn(p); got != tt.want {
				t.Errorf("refused: %q, want %q", got, tt.want)
			}
			in.Filter = plan.Filter{Clusters: []network.ClusterName{n.Clusters[0].Name}}
			if got := leftIn(planner.Make(in)); got != "" {
				t.Errorf("a part is refused for %s", got)
			}
			drift := m.drift(m.wanted(n))
			told := slices.ContainsFunc(drift.Live, func(l plan.Live) bool { return l.Code == plan.LiveClusterLeft })
			if told != (tt.want != "") || told && !drift.Ill() {
				t.Errorf("drift tells %v, is ill %v", told, drift.Ill())
			}
		})
	}
}

// leftIn are the refusals for clusters that were left.
func leftIn(p plan.Plan) string {
	var out []string
	for _, r := range p.Refusals {
		if strings.HasPrefix(r.Code, plan.ClusterLeft) {
			flag, _, _ := strings.Cut(strings.TrimPrefix(r.Override, "--allow "), "@")
			out = append(out, flag)
		}
	}
	return strings.Join(out, " ")
}

// A change that takes a cluster out with its sites is refused where it is compared with its
// base, and one that first takes its sites out is not.
func TestClusterLeftBetweenRevisions(t *testing.T) {
	t.Parallel()
	before := star(2)
	for want, clusters := range map[string]int{"": 2, "cluster-left.b": 1} {
		after := star(2)
		drop(&after, "shop00", "shop01")
		after.Clusters = after.Clusters[:clusters]
		to := desired.Build(after)
		p := origin.FromGit(planner.Make(planner.Input{
			Desired: to, Observation: desired.AsApplied(desired.Build(before), to.Clusters...), Limits: &network.DefaultDeletes,
		}), plan.Source{})
		found := slices.ContainsFunc(p.Refusals, func(r plan.Refusal) bool { return r.Code == "cluster-left.b" })
		if found != (want != "") {
			t.Errorf("with %d clusters: %+v", clusters, p.Refusals)
		}
	}
}
