package planner_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/drift"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// byHand adds a grant at the hub that Fairlead did not make.
func byHand(m *model, change func(*world.GrantView)) {
	g := world.GrantView{
		Meta:    world.Meta{Namespace: "hub", Name: "by-hand", UID: m.uid()},
		Expires: "2026-01-03T00:00:00Z", Left: 100, By: "kubectl-create", Made: now,
	}
	change(&g)
	m.cluster("a").Grants = append(m.cluster("a").Grants, g)
}

// seeing lets both sites see each other and what is given.
func seeing(m *model, others ...world.SeenSite) {
	hub, spoke := &m.cluster("a").Sites[0], &m.cluster("b").Sites[0]
	seen := []world.SeenSite{
		{ID: hub.UID, Name: "hub", Namespace: "hub"},
		{ID: spoke.UID, Name: "spoke", Namespace: "spoke", Links: []world.SeenLink{{Name: "spoke-hub", To: hub.UID}}},
	}
	hub.Seen, spoke.Seen = append(seen, others...), append(seen, others...)
}

func stranger(m *model) world.SeenSite {
	return world.SeenSite{
		ID: "elsewhere", Name: "laptop", Namespace: "dev", Platform: "podman",
		Links: []world.SeenLink{{Name: "in", To: m.cluster("a").Sites[0].UID}},
	}
}

// Grants and sites that nobody here made are told, with who made them where that is known.
func TestFactsOfOthers(t *testing.T) {
	t.Parallel()
	grant, site := []string{"warning unmanaged-grant site/hub"}, []string{"warning unmanaged-site site/hub"}
	for _, tt := range []struct {
		name   string
		change func(m *model)
		want   []string
		words  []string
	}{
		{"an open grant", func(m *model) { byHand(m, func(*world.GrantView) {}) }, grant,
			[]string{"until 2026-01-03T00:00:00Z, 100 times", "made with kubectl-create at 2026-01-02T03:04:05Z", "kubectl delete accessgrants.skupper.io by-hand -n hub"}},
		{"an open grant of which little is known", func(m *model) {
			byHand(m, func(g *world.GrantView) {
				*g = world.GrantView{Meta: world.Meta{Namespace: "hub", Name: "x", UID: "x"}}
			})
		}, grant, []string{"how often it may be redeemed is not known", "who made it is not known"}},
		{"an open grant of another network", func(m *model) {
			byHand(m, func(g *world.GrantView) {
				g.Labels = map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: "other"}
			})
		}, grant, []string{`Fairlead made it for network "other"`}},
		{"a spent grant", func(m *model) { byHand(m, func(g *world.GrantView) { g.Left, g.Spent = 0, true }) }, nil, nil},
		{"an expired grant", func(m *model) { byHand(m, func(g *world.GrantView) { g.Expires = now[:10] }) }, nil, nil},
		{"a grant elsewhere", func(m *model) { byHand(m, func(g *world.GrantView) { g.Namespace = "none-of-ours" }) }, nil, nil},
		{"nobody else", func(m *model) { seeing(m) }, nil, nil},
		{"a site that connects", func(m *model) { seeing(m, stranger(m)) }, site,
			[]string{`"laptop" (namespace dev, platform podman, linked by in) is a site of the network that no description shows`}},
		{"a site that a Link of ours leads to", func(m *model) {
			s := stranger(m)
			s.Links = nil
			seeing(m, s)
			m.cluster("b").Sites[0].Seen[1].Links = append(m.cluster("b").Sites[0].Seen[1].Links, world.SeenLink{Name: "out", To: s.ID})
		}, []string{"warning unmanaged-site site/spoke"}, []string{"linked by out"}},
		{"a site behind another", func(m *model) {
			s := stranger(m)
			far := world.SeenSite{ID: "far", Name: "far", Links: []world.SeenLink{{Name: "far-in", To: s.ID}}}
			seeing(m, far, s)
		}, site, []string{`"laptop" (`, "are sites of the network"}},
		{"a site on a cluster of ours", func(m *model) {
			s := stranger(m)
			seeing(m, s)
			m.cluster("b").Sites = append(m.cluster("b").Sites, world.SiteView{Meta: world.Meta{
				Namespace: "theirs", Name: "laptop", UID: s.ID, Labels: map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: "other"},
			}})
		}, site, []string{"namespace theirs of cluster b", `of network "other"`}},
		{"ours, made anew, as was seen before", func(m *model) {
			seeing(m)
			m.cluster("b").Sites[0].Seen, m.cluster("a").Sites[0].Seen = nil, []world.SeenSite{{ID: "before", Name: "spoke", Namespace: "spoke"}}
		}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := up(t)
			tt.change(m)
			p := m.drift(desired.Build(twoSites(1)))
			if diff := cmp.Diff(tt.want, said(p.Live)); diff != "" || p.Ill() {
				t.Fatalf("%s\n%+v", diff, p.Live)
			}
			for _, word := range tt.words {
				if !strings.Contains(p.Live[0].Message+p.Live[0].Fix, word) {
					t.Errorf("no %q in %+v", word, p.Live[0])
				}
			}
			if p := m.drift(desired.Build(twoSites(1)), "site/*/unmanaged-*"); len(p.Live) > 0 || len(p.Ignored) != len(tt.want) {
				t.Errorf("a rule does not cover it: %+v", p.Live)
			}
		})
	}
}

// Only what a description can hold is advised to be described.
func TestAdviceOnLinksOfOthers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(m *model, v *world.LinkView)
		words  []string
		not    string
	}{
		"to a site of ours": {func(*model, *world.LinkView) {}, []string{"describe it and run: fairlead apply --adopt"}, "RouterAccess"},
		"to a RouterAccess of somebody's": {func(m *model, _ *world.LinkView) {
			m.cluster("a").Accesses = append(m.cluster("a").Accesses, world.AccessView{Meta: world.Meta{Namespace: "hub", Name: "outside"}})
		}, []string{"describe it and run", "RouterAccess outside", "an overlay of site hub can hold it"}, ""},
		"to a RouterAccess of an overlay": {func(m *model, _ *world.LinkView) {
			m.cluster("a").Accesses = append(m.cluster("a").Accesses, world.AccessView{Meta: world.Meta{
				Namespace: "hub", Name: "outside", Labels: m.labels(plan.LabelSite, "hub"),
			}})
		}, []string{"describe it and run"}, "RouterAccess"},
		"to a site of others": {func(_ *model, v *world.LinkView) { v.RemoteSiteID = "theirs" },
			[]string{"leads to a site that is not described"}, "--adopt"},
		"to nowhere": {func(_ *model, v *world.LinkView) { v.RemoteSiteID, v.Operational = "", false },
			[]string{"cannot be described", "kubectl describe links.skupper.io by-hand -n spoke"}, "--adopt"},
	} {
		m := up(t)
		v := world.LinkView{
			Meta: world.Meta{Namespace: "spoke", Name: "by-hand", UID: m.uid()}, Operational: true, Cost: 1,
			RemoteSiteName: "hub", RemoteSiteID: m.cluster("a").Sites[0].UID,
		}
		tt.change(m, &v)
		m.cluster("b").Links = append(m.cluster("b").Links, v)
		p := m.drift(desired.Build(twoSites(1)))
		if diff := cmp.Diff([]string{"warning unmanaged-link link/by-hand"}, said(p.Live)); diff != "" {
			t.Fatalf("%s: %s", name, diff)
		}
		fix := p.Live[0].Fix
		for _, word := range append(tt.words, "or delete it; or ignore it by a rule of policy") {
			if !strings.Contains(fix, word) {
				t.Errorf("%s: no %q in %q", name, word, fix)
			}
		}
		if tt.not != "" && strings.Contains(fix, tt.not) {
			t.Errorf("%s: %q in %q", name, tt.not, fix)
		}
	}
}

// A site of a cluster that could not be read is no stranger.
func TestUnreadSitesAreNoStrangers(t *testing.T) {
	t.Parallel()
	m := up(t)
	seeing(m)
	m.cluster("b").State = plan.StateUnreachable
	d := desired.Build(twoSites(1))
	p := drift.Of(planner.Input{Desired: d, Observation: m.obs, Now: now}, desired.LastApplied(m.obs, d))
	for _, l := range p.Live {
		if l.Code == plan.LiveUnmanagedSite || l.Subject == "site/"+string(network.SiteName("spoke")) {
			t.Errorf("%+v", l)
		}
	}
}
