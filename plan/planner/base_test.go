package planner_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/origin"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/safety"
	"fairlead.dev/fairlead/schema/network"
)

// Each action of a plan is the change's, pending anyway, or both; what the change makes
// needless is told, and the ID stays that of the plan alone.
func TestAgainst(t *testing.T) {
	t.Parallel()
	site := func(name, access string) network.Site {
		return network.Site{Name: network.SiteName(name), Cluster: "a", Namespace: name, LinkAccess: access}
	}
	link := func(name string, from, to network.SiteName, cost int32) network.Link {
		return network.Link{Name: network.LinkName(name), From: from, To: to, Cost: cost, Via: network.ViaToken}
	}
	of := func(sites []network.Site, links ...network.Link) network.Network {
		return network.Network{Name: "net", Clusters: []network.Cluster{{Name: "a"}}, Sites: sites, Links: links}
	}
	hub, shop := site("hub", "default"), site("shop", "")
	m := newModel(t, "net", "a")
	applied := of([]network.Site{hub, shop}, link("one", "shop", "hub", 1))
	m.run(makePlan(applied, m.obs))
	m.cluster("a").Sites[0].Fields["edge"] = true // drift of the hub

	base := of([]network.Site{hub, shop, site("late", ""), site("needless", "")}, link("one", "shop", "hub", 2))
	head := of([]network.Site{hub, shop, site("late", ""), site("new", "")}, link("one", "shop", "hub", 3))
	alone := makePlan(head, m.obs)
	source := plan.Source{Commit: "abc", Ref: "main"}
	p := origin.Against(alone, makePlan(base, m.obs), source)
	for id, want := range map[string]plan.Origin{
		"site/hub": plan.OriginAnyway, "site/late": plan.OriginAnyway, "site/new": plan.OriginChange, "link/one": plan.OriginBoth,
	} {
		if got := p.OriginOf(id); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	if len(p.Base.Spared) != 1 || p.Base.Spared[0].ID != "site/needless" || !cmp.Equal(p.Base.Source, source) || p.Base.Alone {
		t.Errorf("%+v", p.Base)
	}
	change, anyway := p.ByOrigin()
	if len(change) != 2 || len(anyway) != 2 {
		t.Errorf("%d of the change, %d anyway", len(change), len(anyway))
	}
	if p.ID != alone.ID || plan.Identify(p) != alone.ID || alone.Base != nil {
		t.Error("the base is part of the ID")
	}
}

// An action on the same thing is the same one also where the base tells it apart from
// another of its name: its ID has the place then.
func TestAgainstFindsTheSameThing(t *testing.T) {
	t.Parallel()
	of := func(from network.SiteName) network.Network {
		n := network.Network{Name: "net", Clusters: []network.Cluster{{Name: "a"}}, Sites: []network.Site{
			{Name: "hub", Cluster: "a", Namespace: "hub", LinkAccess: "default"}, {Name: "s1", Cluster: "a", Namespace: "s1"}, {Name: "s2", Cluster: "a", Namespace: "s2"},
		}}
		if from != "" {
			n.Links = []network.Link{{Name: "l", From: from, To: "hub", Cost: 1, Via: network.ViaToken}}
		}
		return n
	}
	m := newModel(t, "net", "a")
	m.run(makePlan(of("s1"), m.obs))
	p := origin.Against(makePlan(of(""), m.obs), makePlan(of("s2"), m.obs), plan.Source{})
	if len(p.Actions) != 1 || p.Actions[0].ID != "link/l" || p.OriginOf("link/l") != plan.OriginAnyway {
		t.Errorf("%s\n%v", dump(p), p.Base.Origins)
	}
	if len(p.Base.Spared) != 1 || p.Base.Spared[0].ID != "link/l" || p.Base.Spared[0].Verb != plan.VerbCreate {
		t.Errorf("spared: %+v", p.Base.Spared)
	}
}

// A comparison of two revisions says nothing of clusters and has no flags.
func TestFromGit(t *testing.T) {
	t.Parallel()
	n := network.Network{Name: "net", Clusters: []network.Cluster{{Name: "a"}}}
	for _, name := range []network.SiteName{"hub", "s1", "s2"} {
		n.Sites = append(n.Sites, network.Site{Name: name, Cluster: "a", Namespace: string(name), LinkAccess: "default"})
	}
	n.Links = []network.Link{{Name: "l1", From: "s1", To: "hub", Cost: 1, Via: network.ViaToken}, {Name: "l2", From: "s2", To: "hub", Cost: 1, Via: network.ViaToken}}
	after := n
	after.Links = n.Links[:1]
	p := origin.FromGit(planner.Make(planner.Input{
		Desired: desired.Build(after), Observation: desired.AsApplied(desired.Build(n)), Limits: &network.DefaultDeletes,
	}), plan.Source{Ref: "main"})
	if len(p.Actions) != 1 || p.Actions[0].ID != "link/l2" || p.Actions[0].Verb != plan.VerbDelete || len(p.Clusters) != 0 || p.ID != plan.Identify(p) {
		t.Fatalf("%+v", p)
	}
	if len(p.Refusals) != 1 || p.Refusals[0].Code != safety.Partition || p.Refusals[0].Number != 0 {
		t.Errorf("%+v", p.Refusals)
	}
}
