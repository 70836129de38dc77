package planner_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// paired is a link to an HA site, up.
func paired(t *testing.T) (*model, network.Network) {
	n := twoSites(1)
	n.Sites[0].HA = true
	m := newModel(t, "net", "a", "b")
	m.run(planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}))
	return m, n
}

func (m *model) plan(n network.Network) plan.Plan {
	return planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs})
}

func linkActions(p plan.Plan) (out []string) {
	for _, a := range p.Actions {
		if a.Kind == plan.KindLink {
			out = append(out, describe(a))
		}
	}
	return out
}

// What happens to a link's Links when its listening site's routers change.
func TestRouterActions(t *testing.T) {
	t.Parallel()
	dropLink := func(m *model, name string) {
		view := m.cluster("b")
		view.Links = slices.DeleteFunc(view.Links, func(l world.LinkView) bool { return l.Name == name })
	}
	for _, tt := range []struct {
		name   string
		change func(m *model, n *network.Network)
		want   []string
		gone   string
	}{
		{"nothing", func(*model, *network.Network) {}, nil, ""},
		{"a router that is not shown just now", func(m *model, _ *network.Network) {
			s := &m.cluster("a").Sites[0]
			s.Endpoints = s.Endpoints[:1]
		}, nil, ""},
		{"ha off", func(_ *model, n *network.Network) { n.Sites[0].HA = false },
			[]string{"update link/spoke-hub pending none [record operational clean confirm] routers 2>1 after site/hub"}, "spoke-hub-2"},
		{"ha off while only the second Link is left", func(m *model, n *network.Network) {
			n.Sites[0].HA = false
			dropLink(m, "spoke-hub-1")
		}, []string{"replace link/spoke-hub drift replace [record grant redeem take-over configured operational retire clean confirm] after site/hub attempt 2"}, "spoke-hub-2"},
		{"one Link is gone", func(m *model, _ *network.Network) { dropLink(m, "spoke-hub-1") },
			[]string{"update link/spoke-hub drift none [record add confirm] routers 1>2"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, n := paired(t)
			tt.change(m, &n)
			p := m.plan(n)
			if diff := cmp.Diff(tt.want, linkActions(p)); diff != "" {
				t.Error(diff)
			}
			gone := ""
			for _, a := range p.Actions {
				for _, r := range removes(a) {
					if r.Kind == plan.ObjectLink {
						gone = r.Name
					}
				}
			}
			if gone != tt.gone {
				t.Errorf("Link %q goes, want %q", gone, tt.gone)
			}
		})
	}
}

// Of two Links to one router the one that works stays, whatever their names.
func TestWorkingRouterLinkStays(t *testing.T) {
	t.Parallel()
	m, n := paired(t)
	view, hub := m.cluster("b"), &m.cluster("a").Sites[0]
	for i := range view.Links {
		view.Links[i].Endpoints = slices.Clone(hub.Endpoints[:1])
		view.Links[i].Operational = view.Links[i].Name == "spoke-hub-2"
	}
	hub.Endpoints, hub.Fields["ha"], n.Sites[0].HA = hub.Endpoints[:1], false, false
	p := m.plan(n)
	if len(p.Actions) == 0 {
		t.Fatal("nothing is planned")
	}
	for _, a := range p.Actions {
		for _, r := range removes(a) {
			if r.Kind == plan.ObjectLink && r.Name != "spoke-hub-1" {
				t.Errorf("%s goes, which works", r)
			}
		}
	}
}

func removes(a plan.Action) []plan.ObjectRef {
	if a.Link == nil {
		return nil
	}
	return a.Link.Remove
}

// With the inventory lost in the midst of a replacement, the Link that works stays
// until another does.
func TestLostInventoryKeepsWhatWorks(t *testing.T) {
	t.Parallel()
	m, n := up(t), twoSites(1)
	view := m.cluster("b")
	next := view.Links[0]
	next.Name, next.UID, next.TLSCredentials, next.Operational = "spoke-hub-r2", "new", "spoke-hub-r2", false
	view.Links = append(view.Links, next)
	view.Secrets = append(view.Secrets, world.SecretView{Meta: world.Meta{Namespace: "spoke", Name: "spoke-hub-r2", UID: "s2", Labels: next.Labels}})
	view.Inventories = nil
	p := m.plan(n)
	if diff := cmp.Diff([]string{
		"update link/spoke-hub drift none [record take-over configured operational clean confirm] after site/spoke",
	}, linkActions(p)); diff != "" {
		t.Error(diff)
	}
	a := p.Actions[len(p.Actions)-1]
	if len(a.Link.Live) != 1 || a.Link.Live[0].Name != "spoke-hub" {
		t.Errorf("%v stay", a.Link.Live)
	}
	m.run(p)
	if again := m.plan(n); again.Pending() {
		t.Errorf("still to do:\n%s", dump(again))
	}
}

// Links of a site agree on a proxy's Secret, also on one without our labels.
func TestLinksAgreeOnProxy(t *testing.T) {
	t.Parallel()
	for _, second := range []network.LinkName{"another", "zulu"} {
		n := proxied()
		m := proxiedUp(t, n)
		m.cluster("b").Proxies[0].Labels = nil
		m.cluster("b").Secrets[0].Labels = nil
		l := n.Links[0]
		l.Name = second
		n.Links = append(n.Links, l)
		p := m.plan(n)
		if p.Summary.Replace != 0 || p.Summary.Adopt != 1 || p.Summary.Create != 1 {
			t.Errorf("with %s:\n%s", second, dump(p))
		}
		m.run(p)
		if again := m.plan(n); again.Pending() {
			t.Errorf("with %s still to do:\n%s", second, dump(again))
		}
	}
}

// A plan is the same whoever may read the secrets, on any day, and in any order.
func TestPlanIDIsOfWhatIsDone(t *testing.T) {
	t.Parallel()
	n := proxied()
	m := proxiedUp(t, n)
	n.Links[0].Cost = 9
	for _, revision := range []string{"7", "3", "5"} {
		v := m.cluster("b").Proxies[0]
		v.Name, v.UID, v.Host = "fairlead-proxy-corp-"+revision, "p"+revision, "old"+revision
		m.cluster("b").Proxies = append(m.cluster("b").Proxies, v)
	}
	known := m.plan(n)
	for range 20 {
		blind := m.wanted(n)
		blind.Proxies[0].Digest, blind.Proxies[0].Unknown = "", "not set"
		p := planner.Make(planner.Input{Desired: blind, Observation: m.obs})
		if p.ID != known.ID || len(p.Diagnostics) == 0 {
			t.Fatalf("%s and %s, warnings %v", p.ID, known.ID, p.Diagnostics)
		}
	}
	m.cluster("b").Proxies[0].Host = "changed"
	first := m.plan(n)
	for range 50 {
		if again := m.plan(n); again.ID != first.ID {
			t.Fatal("the same input gives several plans")
		}
	}
}

// One of two links goes ahead to a proxy's new settings: what that leaves is no drift.
func TestNarrowedProxyIsNoDrift(t *testing.T) {
	t.Parallel()
	n := proxied()
	l := n.Links[0]
	l.Name = "again"
	n.Links = append(n.Links, l)
	m := proxiedUp(t, n)
	n.Proxies[0].Host = "other"
	m.run(planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs, Filter: plan.Filter{Links: []network.LinkName{"again"}}}))
	for _, a := range m.plan(n).Actions {
		if a.Cause != plan.CausePending {
			t.Errorf("%s is called %s: %s", a.ID, a.Cause, a.Why)
		}
	}
}

// An old controller gets new endpoints in a new Link.
func TestOldControllerMovedSite(t *testing.T) {
	t.Parallel()
	n := twoSites(1)
	n.Links[0].Via = network.ViaCertificate
	m := newModel(t, "net", "a", "b")
	m.run(m.plan(n))
	m.cluster("b").Sites[0].Version = "2.1.3"
	m.cluster("a").Sites[0].Endpoints[0].Host = "moved"
	if p := m.plan(n); p.Summary.Replace != 1 || len(p.Refusals) > 0 {
		t.Errorf("%v\n%s", p.Refusals, dump(p))
	}
}

// A narrowed plan that changes how a site is reached takes its links along.
func TestNarrowedSiteTakesLinks(t *testing.T) {
	t.Parallel()
	m, n := up(t), twoSites(1)
	n.Sites[0].LinkAccess = "nodeport"
	p := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs, Filter: plan.Filter{Clusters: []network.ClusterName{"a"}}})
	if len(linkActions(p)) != 1 {
		t.Errorf("the link is left behind:\n%s", dump(p))
	}
}
