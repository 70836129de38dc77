package planner_test

import (
	"slices"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
	planapprove "fairlead.dev/fairlead/plan/approve"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// madeByHand is a network, with an object of an overlay, that nobody knows to be Fairlead's.
func madeByHand(t *testing.T) (*model, plan.Desired) {
	t.Helper()
	m, d := newModel(t, "net", "a", "b"), gate(map[string]any{"port": int64(1)})
	m.run(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
	for i := range m.obs.Clusters {
		c := &m.obs.Clusters[i]
		c.Inventories = nil
		for j := range c.Sites {
			c.Sites[j].Labels, c.Sites[j].Marked = nil, false
		}
		for j := range c.Links {
			c.Links[j].Labels, c.Links[j].Marked = nil, false
		}
		for j := range c.Secrets {
			c.Secrets[j].Labels, c.Secrets[j].Marked = nil, false
		}
		for j := range c.Objects {
			c.Objects[j].Labels, c.Objects[j].Marked = nil, false
		}
	}
	return m, d
}

// A saved plan adopts what it names, with the UID that it saw. What came to be there since
// is refused and stays as it is, whatever the command line says.
func TestSavedPlanAdoptsWhatItNames(t *testing.T) {
	t.Parallel()
	const notThis = "the saved plan does not take over this one (UID new)"
	spoke := func(m *model) *world.ClusterView { return m.cluster("b") }
	all := []string{"site/hub", "site/spoke", "object/spoke/Gate/g", "link/spoke-hub"}
	for _, c := range []struct {
		name string
		// before is done before the plan is saved, since after that.
		before, since func(m *model)
		// stale are actions that are left alone, the first for the reason; open go on.
		stale  []string
		reason string
		open   []string
	}{
		{"as it was", nil, func(*model) {}, nil, "", all},
		{"another Site", nil, func(m *model) { spoke(m).Sites[0].UID = "new" }, []string{"site/spoke"}, notThis, []string{"site/hub"}},
		{"another Link", nil, func(m *model) { spoke(m).Links[0].UID = "new" }, []string{"link/spoke-hub"}, notThis, all[:3]},
		{"another Secret of a Link", nil, func(m *model) { spoke(m).Secrets[0].UID = "new" }, []string{"link/spoke-hub"},
			"Secret spoke-hub of Link spoke-hub was made anew", all[:3]},
		{"another object", nil, func(m *model) { spoke(m).Objects[0].UID = "new" }, []string{"object/spoke/Gate/g"}, notThis, []string{"site/hub", "site/spoke", "link/spoke-hub"}},
		{"a Site that was to be made", func(m *model) {
			spoke(m).Sites, spoke(m).Links, spoke(m).Secrets, spoke(m).Objects = nil, nil, nil, nil
		},
			func(m *model) {
				spoke(m).Sites = []world.SiteView{{Meta: world.Meta{Namespace: "spoke", Name: "spoke", UID: "new"}, Fields: map[string]any{}}}
			}, []string{"site/spoke"}, notThis, []string{"site/hub"}},
		{"a Link that was to be made", func(m *model) { spoke(m).Links, spoke(m).Secrets = nil, nil },
			func(m *model) {
				spoke(m).Links = []world.LinkView{{Meta: world.Meta{Namespace: "spoke", Name: "spoke-hub", UID: "new"}, Cost: 1, TLSCredentials: "x", Operational: true}}
			}, []string{"link/spoke-hub"}, notThis, all[:3]},
		{"an object that was to be made", func(m *model) { spoke(m).Objects = nil },
			func(m *model) {
				spoke(m).Objects = []world.ObjectView{{
					Meta: world.Meta{Namespace: "spoke", Name: "g", UID: "new"}, APIVersion: "example.com/v1", Kind: "Gate",
					Content: map[string]any{"spec": map[string]any{"port": int64(1)}},
				}}
			}, []string{"object/spoke/Gate/g"}, notThis, []string{"site/hub", "site/spoke", "link/spoke-hub"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, d := madeByHand(t)
			if c.before != nil {
				c.before(m)
			}
			p := saved(t, planner.Make(planner.Input{Desired: d, Observation: m.obs, Adopt: true}))
			if len(p.Refusals) > 0 || p.Summary.Adopt == 0 {
				t.Fatalf("the plan adopts nothing:\n%s", dump(p))
			}
			c.since(m)
			now := planner.Make(planner.Input{Desired: d, Observation: m.obs, Adopt: true, Approved: &p})
			approval := planapprove.Approve(p, now)
			for _, j := range approval.Judged {
				switch {
				case slices.Contains(c.stale, j.Action.ID) && (j.Standing != planapprove.StandingStale || !strings.Contains(j.Reason, c.reason)):
					t.Errorf("%s is %s: %s, want stale: %s", j.Action.ID, j.Standing, j.Reason, c.reason)
				case slices.Contains(c.open, j.Action.ID) && j.Standing != planapprove.StandingOpen:
					t.Errorf("%s is %s: %s, want open", j.Action.ID, j.Standing, j.Reason)
				}
			}
			for _, a := range approval.Run.Actions {
				if a.Site != nil && a.Site.UID == "new" || a.Object != nil && a.Object.UID == "new" ||
					a.Link != nil && slices.ContainsFunc(a.Link.Live, func(l plan.LiveLink) bool { return l.UID == "new" }) {
					t.Errorf("%s would take over what nobody reviewed", a.ID)
				}
			}
		})
	}
}

// A saved plan is applied again after it was cut off at any of its adoptions, and takes
// over no Link that was made in the place of one.
func TestSavedAdoptionIsFinished(t *testing.T) {
	t.Parallel()
	m, d := madeByHand(t)
	p := saved(t, planner.Make(planner.Input{Desired: d, Observation: m.obs, Adopt: true}))
	approve := func() planapprove.Approval {
		return planapprove.Approve(p, planner.Make(planner.Input{Desired: d, Observation: m.obs, Approved: &p}))
	}
	for _, a := range approve().Run.Actions {
		if a.Kind == plan.KindSite {
			m.carryOut(a)
		}
	}
	for _, a := range approve().Run.Actions {
		if a.Kind == plan.KindLink {
			m.begin(a) // and no more
		}
	}
	again := approve()
	if n := again.Count(planapprove.StandingOpen) + again.Count(planapprove.StandingDone); n != len(p.Actions) {
		t.Fatalf("cut off: %+v", again.Judged)
	}
	uid := m.cluster("b").Links[0].UID
	m.cluster("b").Links[0].UID = "new"
	for _, j := range approve().Judged {
		if j.Action.Name == "spoke-hub" && (j.Standing != planapprove.StandingStale || !strings.Contains(j.Reason, "(UID new)")) {
			t.Errorf("a Link in its place: %s %s", j.Standing, j.Reason)
		}
	}
	m.cluster("b").Links[0].UID = uid
	m.run(approve().Run)
	if last := approve(); last.Count(planapprove.StandingDone) != len(p.Actions) || network.SiteName(m.cluster("b").Links[0].Labels[plan.LabelLink]) != "spoke-hub" {
		t.Errorf("not finished: %+v", last.Judged)
	}
}
