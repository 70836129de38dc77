package plan_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
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
		if again := plan.Make(plan.Input{Desired: before, Observation: applied}); again.Pending() || len(again.Refusals) > 0 {
			t.Fatalf("seed %d: what is applied is not: %v %v", seed, told(again), again.Refusals)
		}
		first := plan.Make(plan.Input{Desired: before, Observation: m.obs})
		if len(first.Refusals) > 0 {
			continue
		}
		m.run(first)
		want := plan.Make(plan.Input{Desired: after, Observation: m.obs})
		got := plan.Make(plan.Input{Desired: after, Observation: applied})
		if diff := cmp.Diff(told(want), told(got)); diff != "" {
			t.Fatalf("seed %d: clusters (-) and git (+) differ:\n%s", seed, diff)
		}
	}
}
