package planner_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/schema/network"
)

func TestParseAllowance(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]plan.Allowance{
		"deletes.sites:12@0a1b2c3d4e5f":        {Code: "deletes.sites", Number: 12, Plan: "0a1b2c3d4e5f"},
		"deletes.links.a:b:1@0a1b2c3d4e5f":     {Code: "deletes.links.a:b", Number: 1, Plan: "0a1b2c3d4e5f"},
		"all@0a1b2c3d4e5f":                     {Code: "all", Plan: "0a1b2c3d4e5f"},
		"partition:3@sha256:0a1b2c3d4e5f67890": {Code: "partition", Number: 3, Plan: "0a1b2c3d4e5f67890"},
	} {
		got, err := plan.ParseAllowance(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
	for _, text := range []string{
		"", "partition", "partition:1", "partition@0a1b2c3d4e5f", "partition:0@0a1b2c3d4e5f", "partition:-1@0a1b2c3d4e5f",
		"all", "all:1@0a1b2c3d4e5f", "all@0a1b2c3d4e5", "partition:1@0a1b2c3d4e5", "partition:1@0A1B2C3D4E5F", ":1@0a1b2c3d4e5f", "partition:99999999999999999999@0a1b2c3d4e5f",
	} {
		if a, err := plan.ParseAllowance(text); err == nil {
			t.Errorf("%q is read as %+v", text, a)
		}
	}
}

// An allowance lifts one refusal of one plan: code, number and plan all have to fit.
func TestLift(t *testing.T) {
	t.Parallel()
	p := plan.Plan{ID: "sha256:" + strings.Repeat("0a1b2c3d", 8), Refusals: []plan.Refusal{
		{Code: "deletes.sites", Number: 4, Override: "--allow deletes.sites:4@0a1b2c3d0a1b"},
		{Code: "partition", Number: 2, Override: "--allow partition:2@0a1b2c3d0a1b"},
		{Code: "protected", Subject: `site "hub"`, Override: "put it back"},
		{Code: plan.Unsigned, Subject: "work tree", Number: 1, Override: "--allow unsigned:1@0a1b2c3d0a1b"},
	}}
	for _, tt := range []struct {
		name  string
		allow string
		// stand are the codes that are still refused; says is part of the error.
		stand, says string
	}{
		{"nothing", "", "deletes.sites partition protected unsigned", ""},
		{"one", "partition:2@0a1b2c3d0a1b", "deletes.sites protected unsigned", ""},
		{"both", "partition:2@0a1b2c3d0a1b deletes.sites:4@0a1b2c3d0a1b2c3d", "protected unsigned", ""},
		{"all that is deleted or cut off", "all@0a1b2c3d0a1b", "protected unsigned", ""},
		{"all, and where it comes from", "all@0a1b2c3d0a1b unsigned:1@0a1b2c3d0a1b", "protected", ""},
		{"all of another plan", "all@ffffffffffff", "", "--allow all@0a1b2c3d0a1b"},
		{"another number", "partition:3@0a1b2c3d0a1b", "", "partition:2@0a1b2c3d0a1b"},
		{"another plan", "partition:2@ffffffffffff", "", "partition:2@0a1b2c3d0a1b"},
		{"another code", "deletes.links:4@0a1b2c3d0a1b", "", "deletes.sites:4@0a1b2c3d0a1b"},
		{"one fits and one does not", "partition:2@0a1b2c3d0a1b deletes.sites:5@0a1b2c3d0a1b", "", "does not fit"},
		{"what no flag lifts", "protected:1@0a1b2c3d0a1b", "", `no flag lifts protected of site "hub"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var list []plan.Allowance
			for _, text := range strings.Fields(tt.allow) {
				a, err := plan.ParseAllowance(text)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, a)
			}
			got, err := plan.Lift(p, list)
			if (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v, want one that says %q", err, tt.says)
			}
			var stand []string
			for _, r := range got.Refused() {
				stand = append(stand, r.Code)
			}
			if diff := cmp.Diff(tt.stand, strings.Join(stand, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
	if p.Refusals[0].Overridden {
		t.Error("the plan that was given is changed")
	}
	if _, err := plan.Lift(plan.Plan{ID: p.ID}, []plan.Allowance{{Code: "partition", Number: 2, Plan: "0a1b2c3d0a1b"}}); err == nil || !strings.Contains(err.Error(), "0a1b2c3d0a1b") {
		t.Errorf("of a plan without refusals: %v", err)
	}
	one := plan.Plan{ID: p.ID, Refusals: p.Refusals[1:]}
	if flag := one.AllowAll(); flag != "" {
		t.Errorf("%s is offered for one refusal", flag)
	}
	if flag := p.AllowAll(); flag != "--allow all@0a1b2c3d0a1b" {
		t.Errorf("%q is offered for two refusals", flag)
	}
	if _, err := plan.Lift(plan.Plan{ID: p.ID, Refusals: p.Refusals[2:]}, []plan.Allowance{{Code: "all", Plan: "0a1b2c3d0a1b"}}); err == nil {
		t.Error("a flag that lifts nothing is taken")
	}
}

// What no flag lifts has its own way to go ahead, and it works.
func TestOverridesWithoutAFlag(t *testing.T) {
	t.Parallel()
	protected := func() (*model, network.Network) {
		n := star(12)
		n.Sites[1].Protect = true
		return carriedOut(t, n), n
	}
	codes := func(p plan.Plan) string {
		var out []string
		for _, r := range p.Refusals {
			out = append(out, r.Code)
		}
		return strings.Join(out, " ")
	}
	t.Run("protect", func(t *testing.T) {
		t.Parallel()
		m, n := protected()
		without := n
		drop(&without, "shop00")
		p := m.railed(without, network.DefaultDeletes, plan.Filter{})
		// Its link would go, and cut it off.
		if codes(p) != "partition protected" || !strings.Contains(p.Refusals[1].Override, "protect: false") {
			t.Fatalf("%+v", p.Refusals)
		}
		if _, err := plan.Lift(p, []plan.Allowance{{Code: "protected", Number: 1, Plan: p.ID[7:19]}}); err == nil {
			t.Error("a flag lifts it")
		}
		n = star(12)
		m.run(m.railed(n, network.DefaultDeletes, plan.Filter{}))
		drop(&n, "shop00")
		if p := m.railed(n, network.DefaultDeletes, plan.Filter{}); len(p.Refusals) > 0 || p.Summary.Delete != 2 {
			t.Errorf("after protect: false: %+v %+v", p.Refusals, p.Summary)
		}
	})
	t.Run("protect when the object went with the line", func(t *testing.T) {
		t.Parallel()
		m, n := protected()
		view := m.cluster("b")
		m.collect(view, view.Sites[0].UID)
		drop(&n, "shop00")
		if p := m.railed(n, network.DefaultDeletes, plan.Filter{}); !strings.Contains(codes(p), "protected") {
			t.Errorf("%+v", p.Refusals)
		}
	})
	t.Run("foreign", func(t *testing.T) {
		t.Parallel()
		n := star(3)
		m := carriedOut(t, n)
		view := m.cluster("b")
		view.Inventories = nil
		for i := range view.Sites {
			view.Sites[i].Labels = nil
		}
		for i := range view.Links {
			view.Links[i].Labels = nil
		}
		p := m.railed(n, network.DefaultDeletes, plan.Filter{})
		if codes(p) != "foreign-link foreign-link foreign-link foreign-site foreign-site foreign-site" {
			t.Fatalf("%+v", p.Refusals)
		}
		for _, r := range p.Refusals {
			if !strings.Contains(r.Override, "--adopt") {
				t.Errorf("%+v", r)
			}
		}
		p = planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs, Limits: &network.DefaultDeletes, Adopt: true})
		if len(p.Refusals) > 0 || p.Summary.Adopt != 6 {
			t.Errorf("with --adopt: %+v %+v", p.Refusals, p.Summary)
		}
	})
}
