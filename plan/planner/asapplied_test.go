package planner_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/schema/network"
)

// told is what a plan says of its actions, without what only clusters know.
func told(p plan.Plan) []string {
	out := []string{}
	for _, a := range p.Actions {
		fields := ""
		for _, f := range a.Fields {
			if f.Path != "endpoints" { // made up
				fields += fmt.Sprintf(" %s: %v -> %v;", f.Path, f.From, f.To)
			}
		}
		out = append(out, fmt.Sprintf("%s %s %s %s%s", a.ID, a.Verb, a.Cause, a.Disruption, fields))
	}
	return out
}

// someObjects gives sites objects that API servers keep as they are sent.
func someObjects(r *rand.Rand, n network.Network) plan.Desired {
	d := desired.Build(n)
	for _, s := range n.Sites {
		for i := range r.IntN(3) {
			d = withObject(d, s.Name, []plan.ObjectKind{"Listener", "Gate"}[i%2], "o", map[string]any{"port": int64(r.IntN(2))})
		}
	}
	return d
}

// What is taken as applied leaves nothing to plan, and a plan from it to another
// description is that of clusters to which the first one was really applied.
func TestAsApplied(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 5))
		m := newModel(t, "net", "a", "b")
		before, after := someObjects(r, randomNetwork(r)), someObjects(r, randomNetwork(r))
		for _, d := range []plan.Desired{before, after} {
			for i := range d.Proxies {
				d.Proxies[i].Digest, d.Proxies[i].Unknown = m.digest, ""
			}
		}
		applied := desired.AsApplied(before, after.Clusters...)
		if again := planner.Make(planner.Input{Desired: before, Observation: applied}); again.Pending() || len(again.Refusals) > 0 {
			t.Fatalf("seed %d: what is applied is not: %v %v", seed, told(again), again.Refusals)
		}
		first := planner.Make(planner.Input{Desired: before, Observation: m.obs})
		if len(first.Refusals) > 0 {
			continue
		}
		m.run(first)
		want := planner.Make(planner.Input{Desired: after, Observation: m.obs})
		got := planner.Make(planner.Input{Desired: after, Observation: applied})
		if diff := cmp.Diff(told(want), told(got)); diff != "" {
			t.Fatalf("seed %d: clusters (-) and git (+) differ:\n%s", seed, diff)
		}
	}
}

// Clusters that get other names, as long as they are reached as before, are the same ones
// from git alone as they are for a plan: nothing is made anew for the name.
func TestAsAppliedOfRenamedClusters(t *testing.T) {
	renamed := []desired.Names{{"a": "a", "b": "c"}, {"a": "c", "b": "d"}, {"a": "b", "b": "a"}}
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 6))
		m := newModel(t, "net", "a", "b")
		was, is, names := randomNetwork(r), randomNetwork(r), renamed[seed%3]
		was.Clusters = []network.Cluster{{Name: "a", Context: "one"}, {Name: "b", Context: "two"}}
		is.Clusters = []network.Cluster{{Name: names["a"], Context: "one"}, {Name: names["b"], Context: "two"}}
		for i, s := range is.Sites {
			is.Sites[i].Cluster = names[s.Cluster]
		}
		if got := desired.NamesOf(was.Clusters, is.Clusters); !maps.Equal(got, names) {
			t.Fatalf("got %v, want %v", got, names)
		}
		before, after := desired.Build(was), desired.Build(is)
		now := names.Of(before, was)
		for _, d := range []plan.Desired{before, after, now} {
			for i := range d.Proxies {
				d.Proxies[i].Digest, d.Proxies[i].Unknown = m.digest, ""
			}
		}
		first := planner.Make(planner.Input{Desired: before, Observation: m.obs})
		if len(first.Refusals) > 0 {
			continue
		}
		m.run(first)
		for i, c := range m.obs.Clusters {
			m.obs.Clusters[i].Name = names[c.Name]
		}
		want := planner.Make(planner.Input{Desired: after, Observation: m.obs})
		got := planner.Make(planner.Input{Desired: after, Observation: names.Recorded(desired.AsApplied(now, after.Clusters...))})
		if diff := cmp.Diff(told(want), told(got)); diff != "" {
			t.Fatalf("seed %d: clusters (-) and git (+) differ:\n%s", seed, diff)
		}
	}
}

// What a later description calls a cluster goes by how it is reached, and by its name only
// where that tells nothing.
func TestNamesOfClusters(t *testing.T) {
	t.Parallel()
	of := func(pairs ...string) (out []network.Cluster) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, network.Cluster{Name: network.ClusterName(pairs[i]), Context: pairs[i+1]})
		}
		return out
	}
	kept := func(name, cluster network.ClusterName) network.Cluster {
		return network.Cluster{Name: name, Kubeconfig: &network.SecretRef{Kubernetes: &network.SecretKey{Cluster: cluster, Name: "k"}}}
	}
	for name, c := range map[string]struct {
		before, after []network.Cluster
		want          desired.Names
	}{
		"as it was":                   {of("a", "1"), of("a", "1"), desired.Names{"a": "a"}},
		"another name":                {of("a", "1"), of("b", "1"), desired.Names{"a": "b"}},
		"another way":                 {of("a", "1"), of("a", "2"), desired.Names{"a": "a"}},
		"names swapped":               {of("a", "1", "b", "2"), of("a", "2", "b", "1"), desired.Names{"a": "b", "b": "a"}},
		"gone":                        {of("a", "1", "b", "2"), of("a", "1"), desired.Names{"a": "a", "b": "b"}},
		"gone, and its name is used":  {of("a", "1", "b", "2"), of("a", "2"), desired.Names{"a": "a (before)", "b": "a"}},
		"the same way twice":          {of("a", "1", "b", "1"), of("b", "1", "c", "1"), desired.Names{"a": "c", "b": "b"}},
		"kept in one that is renamed": {append(of("a", "1"), kept("k", "a")), append(of("b", "1"), kept("l", "b")), desired.Names{"a": "b", "k": "l"}},
	} {
		if got := desired.NamesOf(c.before, c.after); !maps.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
