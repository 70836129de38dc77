package planner_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/approve"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/schema/network"
)

// What is read from a file is refused or is a plan: writing it and reading it again
// gives the same, nothing that looks at plans panics, and no file lifts its own refusals.
func FuzzDecode(f *testing.F) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 11))
		m := newModel(f, "net", "a", "b")
		m.digest = "d1"
		m.run(planner.Make(planner.Input{Desired: m.wanted(randomNetwork(r)), Observation: m.obs}))
		p := planner.Make(planner.Input{Desired: m.wanted(randomNetwork(r)), Observation: m.obs, Limits: &network.DeleteLimits{}, Now: "2026-01-02T03:04:05Z"})
		data, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"format":"fairlead.plan/v1"}`))
	f.Add([]byte(`{"format":"fairlead.plan/v2"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := plan.Decode(data)
		if err != nil {
			tryAgain(t, data)
			return
		}
		check(t, p)
	})
}

// tryAgain gives altered content the ID that fits it, as somebody would who forges a plan.
func tryAgain(t *testing.T, data []byte) {
	var p plan.Plan
	if json.Unmarshal(data, &p) != nil {
		return
	}
	p.Format, p.ID = plan.Format, plan.Identify(p)
	p.ID = plan.Identify(p)
	forged, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = plan.Decode(forged); err == nil {
		check(t, p)
	}
}

func check(t *testing.T, p plan.Plan) {
	t.Helper()
	for _, r := range p.Refusals {
		if r.Overridden {
			t.Errorf("a file lifts %s", r.Code)
		}
	}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := plan.Decode(data); err != nil || again.ID != p.ID {
		t.Errorf("%v: %s, then %s", err, p.ID, again.ID)
	}
	if a := approve.Approve(p, p); len(a.Judged) != len(p.Actions) {
		t.Errorf("%d of %d actions judged", len(a.Judged), len(p.Actions))
	}
}
