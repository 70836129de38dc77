package planner_test

import (
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// altering carries out a plan on clusters whose admission gives every Site, Link and object
// another value, as an apply records it.
func (m *model) altering(p plan.Plan) {
	m.run(p)
	for i := range m.obs.Clusters {
		view := &m.obs.Clusters[i]
		for j, s := range view.Sites {
			view.Sites[j].Fields = maps.Clone(s.Fields)
			view.Sites[j].Fields["settings.size"] = "large"
		}
		for j := range view.Links {
			view.Links[j].Cost = 7
		}
		for j := range view.Objects {
			view.Objects[j].Content["spec"].(map[string]any)["port"] = int64(9)
		}
	}
	for _, a := range p.Actions {
		m.inventory(a.Cluster, a.Namespace, func(inv *record.Inventory) {
			switch {
			case a.Verb == plan.VerbDelete:
			case a.Kind == plan.KindSite && a.Site.Fields["settings.size"] != nil:
				inv.Confirm(a, inv.UID, record.Answer{Stored: map[string]any{"settings.size": "large"}, Altered: []string{"settings.size"}})
			case a.Kind == plan.KindLink:
				inv.ConfirmCost(network.LinkName(a.Name), 7)
			case a.Kind == plan.KindObject:
				answer := inv.Objects[a.Key()].Answer
				stored := maps.Clone(answer.Stored)
				if stored == nil {
					stored = map[string]any{}
				}
				stored["spec.port"] = int64(9)
				inv.ConfirmObject(a, inv.Objects[a.Key()].UID, record.Answer{Stored: stored, Altered: []string{"spec.port"}})
			}
		})
	}
}

// What clusters alter is neither planned again nor drift, and each plan warns of it; what
// somebody makes of it later is.
func TestAltered(t *testing.T) {
	t.Parallel()
	told := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 61))
		m := newModel(t, "net", "a", "b")
		n := randomNetwork(r)
		for i := range n.Sites {
			n.Sites[i].Settings["size"] = "small"
		}
		d := randomObjects(r, n)
		d.Proxies = m.wanted(n).Proxies
		m.altering(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
		again := planner.Make(planner.Input{Desired: d, Observation: m.obs})
		drift := m.drift(d)
		if again.Pending() || drift.Ill() || len(drift.Behind) > 0 {
			t.Fatalf("seed %d: %s\ndrift %s\n%v", seed, dump(again), dump(drift), drift.Live)
		}
		if want := len(n.Sites) + len(n.Links) + len(d.Objects); len(again.Diagnostics) != want || len(drift.Diagnostics) != want {
			t.Fatalf("seed %d: %d and %d warnings, want %d\n%v", seed, len(again.Diagnostics), len(drift.Diagnostics), want, again.Diagnostics)
		}
		for _, f := range again.Diagnostics {
			told++
			if f.Code != planner.CodeAltered || !strings.Contains(f.Message, " there and ") || f.Fix == "" {
				t.Fatalf("seed %d: %v", seed, f)
			}
		}
		m.obs.Clusters[0].Links, m.obs.Clusters[1].Links = nil, nil
		for i := range m.obs.Clusters {
			for j := range m.obs.Clusters[i].Sites {
				m.obs.Clusters[i].Sites[j].Fields["settings.size"] = "other"
			}
		}
		if p := m.drift(d); p.Summary.Drift < len(n.Sites)+len(n.Links) {
			t.Fatalf("seed %d: changed by hand: %s", seed, dump(p))
		}
	}
	if told == 0 {
		t.Error("nothing was ever altered")
	}
}
