package planner_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// What is removed from a description while a cluster is down, and what waits for it.
func TestWaitsForUnread(t *testing.T) {
	t.Parallel()
	down := func(m *model, c network.ClusterName) {
		m.cluster(c).State, m.cluster(c).Reason = plan.StateUnreachable, "no answer"
	}
	for _, tt := range []struct {
		name    string
		change  func(m *model, n *network.Network)
		want    []string
		waits   string
		unknown int
	}{
		{"the hub is removed, and its links may come from there", func(m *model, n *network.Network) {
			n.Links, n.Sites = nil, n.Sites[1:]
			down(m, "b")
		}, nil, `site "hub": links may lead to it from cluster b, which could not be read: its removal waits`, 2},
		{"a site to which no link can lead is removed", func(m *model, n *network.Network) {
			n.Links, n.Sites = nil, n.Sites[:1]
			down(m, "a")
		}, []string{"delete link/spoke-hub pending reconnect [delete confirm]", "delete site/spoke pending reconnect [delete] after link/spoke-hub"}, "", 1},
		{"a site moves to where it cannot be made", func(m *model, n *network.Network) {
			n.Sites[1].Cluster, n.Sites[1].Namespace = "a", "spoke"
			down(m, "a")
		}, nil, `site "spoke": it moves to cluster a, which could not be read: its removal here waits`, 4},
		{"another site takes the hub's place", func(m *model, n *network.Network) {
			n.Links, n.Sites[0].Name = nil, "hub2"
			down(m, "b")
		}, nil, `site "hub": links may lead to it from cluster b, which could not be read: its removal waits`, 3},
		{"the hub listens otherwise", func(m *model, n *network.Network) {
			n.Sites[0].LinkAccess = "nodeport"
			down(m, "b")
		}, nil, `site "hub": links may lead to it from cluster b, which could not be read: its change waits`, 3},
		{"the hub changes otherwise", func(m *model, n *network.Network) {
			n.Sites[0].Settings = map[string]string{"router-data-connection-count": "2"}
			down(m, "b")
		}, []string{"update site/hub pending restart [record site ready] settings.router-data-connection-count <nil>>2"}, "", 2},
		{"the hub begins to listen", func(m *model, n *network.Network) {
			m.cluster("a").Sites[0].Fields["linkAccess"] = "none"
			down(m, "b")
		}, []string{"update site/hub drift none [site ready] linkAccess none>default"}, "", 2},
		{"a protected hub is refused all the same", func(m *model, n *network.Network) {
			m.cluster("a").Inventories[0].Content.Protect = true
			n.Links, n.Sites = nil, n.Sites[1:]
			down(m, "b")
		}, nil, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, n := up(t), twoSites(1)
			tt.change(m, &n)
			p := makePlan(n, m.obs)
			var got []string
			for _, a := range p.Actions {
				got = append(got, describe(a))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			var waits []string
			for _, f := range p.Diagnostics {
				waits = append(waits, f.Subject+": "+f.Message)
			}
			if strings.Join(waits, "; ") != tt.waits || p.Summary.Unknown != tt.unknown {
				t.Errorf("%d unknown, warnings %q, want %d, %q", p.Summary.Unknown, waits, tt.unknown, tt.waits)
			}
		})
	}
}

// A link whose new connecting site cannot be reached keeps the old one.
func TestMovedLinkWaits(t *testing.T) {
	t.Parallel()
	n := twoSites(1)
	n.Clusters = append(n.Clusters, network.Cluster{Name: "c"})
	n.Sites = append(n.Sites, network.Site{Name: "other", Cluster: "c", Namespace: "other"})
	m := newModel(t, "net", "a", "b", "c")
	m.run(makePlan(n, m.obs))
	n.Links[0].From = "other"
	m.cluster("c").State = plan.StateForbidden
	if p := makePlan(n, m.obs); p.Pending() || p.Summary.Unknown != 2 {
		t.Errorf("%d unknown\n%s", p.Summary.Unknown, dump(p))
	}
}

// Whatever becomes of a network while a cluster is down: nothing on it is planned, no
// Site goes that its Links lead to, and when it is back one more plan finishes.
func TestPartialPlanIsFinished(t *testing.T) {
	t.Parallel()
	names := []network.ClusterName{"a", "b", "c"}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 7))
		m := newModel(t, "net", names...)
		threeClusters := func() network.Network {
			n := randomNetwork(r)
			n.Clusters = append(n.Clusters, network.Cluster{Name: "c"})
			for i := range n.Sites {
				n.Sites[i].Cluster = names[r.IntN(3)]
			}
			return n
		}
		m.run(planner.Make(planner.Input{Desired: m.wanted(threeClusters()), Observation: m.obs}))
		n := threeClusters()
		down := names[r.IntN(3)]
		needed := m.reachedFrom(down)
		p := planner.Make(planner.Input{Desired: m.wanted(n), Observation: without(r, m.obs, down)})
		if i := slices.IndexFunc(p.Actions, func(a plan.Action) bool { return touches(a, down) }); i >= 0 {
			t.Fatalf("seed %d: %s touches cluster %s, which is down\n%s", seed, p.Actions[i].ID, down, dump(p))
		}
		m.run(p)
		for uid, access := range needed {
			if s, ok := m.siteByUID(uid); !ok || s.Fields["linkAccess"] != access {
				t.Fatalf("seed %d: a site that cluster %s links to went\n%s", seed, down, dump(p))
			}
		}
		rest := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs})
		m.run(rest)
		if again := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}); again.Pending() || len(again.Refusals) > 0 {
			t.Fatalf("seed %d: still to do after\n%s\n%s\n%s", seed, dump(p), dump(rest), dump(again))
		}
		m.noStray("partial", n, rest)
	}
}

// reachedFrom gives the Sites elsewhere that Links of a cluster lead to, by UID, with
// how they listen.
func (m *model) reachedFrom(c network.ClusterName) map[string]any {
	out := map[string]any{}
	for _, l := range m.cluster(c).Links {
		if s, ok := m.siteByUID(l.RemoteSiteID); ok && !slices.ContainsFunc(m.cluster(c).Sites, func(v world.SiteView) bool { return v.UID == s.UID }) {
			out[s.UID] = s.Fields["linkAccess"]
		}
	}
	return out
}

func (m *model) siteByUID(uid string) (world.SiteView, bool) {
	for _, c := range m.obs.Clusters {
		for _, s := range c.Sites {
			if s.UID == uid {
				return s, true
			}
		}
	}
	return world.SiteView{}, false
}

// without is an observation in which one cluster could be read in part, or not at all.
func without(r *rand.Rand, o world.Observation, down network.ClusterName) world.Observation {
	o.Clusters = slices.Clone(o.Clusters)
	for i := range o.Clusters {
		v := &o.Clusters[i]
		if v.Name != down {
			continue
		}
		v.State, v.Reason = plan.StateUnreachable, "no answer"
		for _, forget := range []func(){
			func() { v.Sites = nil }, func() { v.Links = nil }, func() { v.Inventories = nil }, func() { v.Secrets = nil }, func() { v.Certificates = nil },
		} {
			if r.IntN(2) == 0 {
				forget()
			}
		}
	}
	return o
}

// touches reports whether an action would write to a cluster.
func touches(a plan.Action, c network.ClusterName) bool {
	if a.Cluster == c || a.Proxy != nil && a.Proxy.Secret.Cluster == c {
		return true
	}
	return a.Link != nil && (a.Verb != plan.VerbDelete && a.Link.To.Cluster == c ||
		slices.ContainsFunc(a.Link.Remove, func(ref plan.ObjectRef) bool { return ref.Cluster == c }))
}

func TestUnknownAt(t *testing.T) {
	t.Parallel()
	d := desired.Build(twoSites(1))
	d.Objects = []plan.DesiredObject{{Site: "hub", Cluster: "a"}}
	if a, b := world.UnknownAt(d, "a"), world.UnknownAt(d, "b"); a != 3 || b != 2 {
		t.Errorf("%d, %d", a, b)
	}
}
