package planner_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/drift"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// twoHubs is a shop with a link to a hub and a dear one to its backup, which has a link to
// the hub.
func twoHubs() network.Network {
	return network.Network{
		Name: "net", Clusters: []network.Cluster{{Name: "a"}, {Name: "b"}},
		Sites: []network.Site{
			{Name: "hub", Cluster: "a", Namespace: "hub", LinkAccess: "default"},
			{Name: "backup", Cluster: "a", Namespace: "backup", LinkAccess: "default"},
			{Name: "shop", Cluster: "b", Namespace: "shop"},
		},
		Links: []network.Link{
			{Name: "backup-hub", From: "backup", To: "hub", Cost: 1, Via: network.ViaToken},
			{Name: "shop-hub", From: "shop", To: "hub", Cost: 1, Via: network.ViaToken},
			{Name: "shop-backup", From: "shop", To: "backup", Cost: 99999, Via: network.ViaToken},
		},
	}
}

// effects plans and gives what it does to the network.
func (m *model) effects(n network.Network) plan.Topology {
	return planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs, Shape: true}).Topology
}

// sentences are effects as "severity code: message".
func sentences(t plan.Topology) (out []string) {
	for _, e := range t.Effects {
		out = append(out, e.Severity+" "+e.Code+": "+e.Message)
	}
	return out
}

// What a plan does to the network starts from what runs, and drift says what became of
// what was last applied.
func TestEffectsStartFromWhatRuns(t *testing.T) {
	t.Parallel()
	type change = func(m *model, n *network.Network)
	cost := func(name string, live int32) change {
		return func(m *model, _ *network.Network) { m.link(name).Cost = live }
	}
	down := func(names ...string) change {
		return func(m *model, _ *network.Network) {
			for _, name := range names {
				l := m.link(name)
				l.Operational = false
			}
		}
	}
	gone := func(names ...string) change {
		return func(m *model, _ *network.Network) {
			for _, name := range names {
				uid, view := m.link(name).UID, m.cluster("b")
				view.Links = slices.DeleteFunc(view.Links, func(l world.LinkView) bool { return l.UID == uid })
			}
		}
	}
	describe := func(name network.LinkName, cost int32) change {
		return func(_ *model, n *network.Network) {
			i := slices.IndexFunc(n.Links, func(l network.Link) bool { return l.Name == name })
			n.Links[i].Cost = cost
		}
	}
	for _, tt := range []struct {
		name    string
		changes []change
		// planned and drifted begin effects that are told.
		planned, drifted []string
		basis            plan.Basis
	}{
		{"nothing", nil, nil, nil, plan.BasisRunning},
		{"a cost that somebody changed, and git too", []change{cost("shop-hub", 777), describe("shop-hub", 5000)},
			[]string{"medium cost-raised: path cost of shop to hub now 5000, was 777"},
			[]string{"medium cost-raised: path cost of shop to hub now 777, was 1"}, plan.BasisRunning},
		{"a link that is down", []change{down("shop-hub")},
			[]string{"low links-down: 1 link down that nothing here brings up: shop-hub"},
			[]string{"medium single-point-gained: "}, plan.BasisRunning},
		{"all links of a shop that are down", []change{down("shop-hub", "shop-backup")},
			[]string{"low links-down: 2 links down that nothing here brings up: shop-backup, shop-hub"},
			[]string{"high connection-lost: shop loses its last path to backup and hub", "medium links-removed: 2 links are down or gone: shop-backup and shop-hub"}, plan.BasisRunning},
		{"all links of a shop that are gone", []change{gone("shop-hub", "shop-backup")},
			[]string{"low connection-gained: shop gains a path to backup and hub"},
			[]string{"high connection-lost: shop loses its last path to backup and hub"}, plan.BasisRunning},
		{"a link that is down and goes", []change{down("shop-hub"), func(_ *model, n *network.Network) {
			n.Links = slices.DeleteFunc(n.Links, func(l network.Link) bool { return l.Name == "shop-hub" })
		}}, nil, []string{"medium single-point-gained: "}, plan.BasisRunning},
		{"a Site that is gone", []change{func(m *model, _ *network.Network) { m.collect(m.cluster("b"), m.cluster("b").Sites[0].UID) }},
			[]string{"low sites-added: 1 site is added: shop"}, []string{"medium sites-removed: 1 site is gone: shop"}, plan.BasisRunning},
		{"a cluster that cannot be read", []change{func(m *model, _ *network.Network) {
			*m.cluster("a") = world.ClusterView{Name: "a", State: plan.StateUnreachable}
		}, gone("shop-hub", "shop-backup")}, nil,
			[]string{"high connection-lost: shop loses its last path to backup and hub"}, plan.BasisDescribed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, n := newModel(t, "net", "a", "b"), twoHubs()
			m.run(m.railed(n, network.DefaultDeletes, plan.Filter{}))
			for _, c := range tt.changes {
				c(m, &n)
			}
			got := m.effects(n)
			tells(t, "the plan", sentences(got), tt.planned)
			if got.Basis != tt.basis {
				t.Errorf("the basis is %s, want %s", got.Basis, tt.basis)
			}
			drift := m.drift(m.wanted(n))
			tells(t, "drift", sentences(drift.Topology), tt.drifted)
			if drift.Topology.Basis != plan.BasisApplied {
				t.Errorf("the basis of drift is %s", drift.Topology.Basis)
			}
		})
	}
}

// tells checks that these effects are told in this order, by how they begin, the serious
// ones first of all; nothing is told where none are wanted.
func tells(t *testing.T, what string, got, want []string) {
	t.Helper()
	rest := slices.Clone(want)
	for _, g := range got {
		if len(rest) > 0 && strings.HasPrefix(g, rest[0]) {
			rest = rest[1:]
		}
	}
	first := len(want) > 0 && strings.HasPrefix(want[0], "high") && !strings.HasPrefix(strings.Join(got, ""), want[0])
	if len(rest) > 0 || first || len(want) == 0 && len(got) > 0 {
		t.Errorf("%s tells of\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// link is the live Link of a link.
func (m *model) link(name string) *world.LinkView {
	for i := range m.obs.Clusters {
		for j := range m.obs.Clusters[i].Links {
			if l := &m.obs.Clusters[i].Links[j]; l.Labels[plan.LabelLink] == name {
				return l
			}
		}
	}
	m.t.Fatalf("no link %s", name)
	return nil
}

// Clusters that are reached in each other's way are guessed, and sites that move are not.
func TestSwappedClusters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(m *model, n *network.Network)
		want   bool
	}{
		{"as they were", func(*model, *network.Network) {}, false},
		{"swapped", func(m *model, _ *network.Network) {
			m.obs.Clusters[0].Name, m.obs.Clusters[1].Name = "b", "a"
		}, true},
		{"swapped, and a new site", func(m *model, n *network.Network) {
			m.obs.Clusters[0].Name, m.obs.Clusters[1].Name = "b", "a"
			n.Sites = append(n.Sites, network.Site{Name: "new", Cluster: "b", Namespace: "new"})
		}, true},
		{"one of them moves", func(_ *model, n *network.Network) { n.Sites[2].Cluster = "a" }, false},
		{"all move, to other namespaces", func(_ *model, n *network.Network) {
			for i := range n.Sites {
				n.Sites[i].Cluster = map[network.ClusterName]network.ClusterName{"a": "b", "b": "a"}[n.Sites[i].Cluster]
				n.Sites[i].Namespace += "-new"
			}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, n := newModel(t, "net", "a", "b"), twoHubs()
			m.run(m.railed(n, network.DefaultDeletes, plan.Filter{}))
			tt.change(m, &n)
			told := func(p plan.Plan) bool {
				return slices.ContainsFunc(p.Diagnostics, func(f diag.Finding) bool {
					return f.Code == "clusters-swapped" && strings.HasPrefix(f.Message, "the sites of a, b are each found in another")
				})
			}
			if told(m.railed(n, network.DefaultDeletes, plan.Filter{})) != tt.want || told(m.drift(m.wanted(n))) != tt.want {
				t.Errorf("guessed, by a plan or by drift: not %v", tt.want)
			}
		})
	}
}

// What rules leave out, and what was not asked for, is no effect of drift.
func TestEffectsOfDriftLeaveOut(t *testing.T) {
	t.Parallel()
	m, n := newModel(t, "net", "a", "b"), twoHubs()
	m.run(m.railed(n, network.DefaultDeletes, plan.Filter{}))
	for _, name := range []string{"shop-hub", "shop-backup"} {
		l := m.link(name)
		l.Operational = false
	}
	d := m.wanted(n)
	tells(t, "drift with rules", sentences(m.drift(d, "link/*/link-down").Topology), nil)
	in := planner.Input{Desired: d, Observation: m.obs, Now: now, Filter: plan.Filter{Sites: []network.SiteName{"hub"}}}
	p := drift.Of(in, desired.LastApplied(m.obs, d))
	for _, e := range p.Topology.Effects {
		if e.Code == topology.ConnectionLost {
			t.Errorf("drift of the hub tells of the link to the backup: %s", e.Message)
		}
	}
}

// The ID of a plan does not depend on which links are up.
func TestShapeIsNoPartOfTheID(t *testing.T) {
	t.Parallel()
	m, n := newModel(t, "net", "a", "b"), twoHubs()
	m.run(m.railed(n, network.DefaultDeletes, plan.Filter{}))
	n.Sites = append(n.Sites, network.Site{Name: "new", Cluster: "b", Namespace: "new"})
	in := planner.Input{Desired: m.wanted(n), Observation: m.obs, Shape: true}
	up := planner.Make(in)
	m.link("shop-hub").Operational = false
	down := planner.Make(in)
	if up.ID != down.ID || len(up.Topology.Effects) == len(down.Topology.Effects) {
		t.Errorf("%s with %q, %s with %q", up.ID, sentences(up.Topology), down.ID, sentences(down.Topology))
	}
}

// What a plan says will run is what runs when it is carried out.
func TestShapeAfterIsTheNextBefore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 41))
		m := newModel(t, "net", "a", "b")
		for range 3 {
			in := planner.Input{Desired: m.wanted(randomNetwork(r)), Observation: m.obs, Shape: true, Adopt: true}
			p := planner.Make(in)
			m.run(p)
			in.Observation = m.obs
			next := planner.Make(in)
			if diff := cmp.Diff(p.Topology.After, next.Topology.Before); diff != "" {
				t.Fatalf("seed %d: what was to run, and what runs:\n%s\n%s", seed, diff, dump(p))
			}
			if found := planner.AsFound(in, next); len(next.Actions) == 0 && (len(found.Sites) != p.Topology.After.Sites || len(found.Links) < p.Topology.After.Links) {
				t.Fatalf("seed %d: %d sites and %d links are found", seed, len(found.Sites), len(found.Links))
			}
			for range 3 {
				m.meddle(r)
			}
		}
	}
}
