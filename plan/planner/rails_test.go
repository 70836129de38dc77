package planner_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// star is a hub on cluster a, and so many shops on cluster b that link to it.
func star(shops int) network.Network {
	n := network.Network{
		Name: "net", Clusters: []network.Cluster{{Name: "a"}, {Name: "b"}},
		Sites: []network.Site{{Name: "hub", Cluster: "a", Namespace: "hub", LinkAccess: "default"}},
	}
	for i := range shops {
		addShop(&n, fmt.Sprintf("shop%02d", i), "b")
	}
	return n
}

func addShop(n *network.Network, name string, cluster network.ClusterName) {
	n.Sites = append(n.Sites, network.Site{Name: network.SiteName(name), Cluster: cluster, Namespace: name})
	n.Links = append(n.Links, network.Link{
		Name: network.LinkName(name + "-hub"), From: network.SiteName(name), To: "hub", Cost: 1, Via: network.ViaToken,
	})
}

// drop takes sites, and the links at them, out of a description.
func drop(n *network.Network, names ...network.SiteName) {
	gone := func(s network.SiteName) bool { return slices.Contains(names, s) }
	n.Sites = slices.DeleteFunc(n.Sites, func(s network.Site) bool { return gone(s.Name) })
	n.Links = slices.DeleteFunc(n.Links, func(l network.Link) bool { return gone(l.From) || gone(l.To) })
}

func shopNames(from, to int) (out []network.SiteName) {
	for i := from; i < to; i++ {
		out = append(out, network.SiteName(fmt.Sprintf("shop%02d", i)))
	}
	return out
}

// railed plans under limits.
func (m *model) railed(n network.Network, limits network.DeleteLimits, f plan.Filter) plan.Plan {
	return planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs, Limits: &limits, Filter: f})
}

func carriedOut(t *testing.T, n network.Network) *model {
	m := newModel(t, "net", "a", "b")
	m.run(m.railed(n, network.DefaultDeletes, plan.Filter{}))
	return m
}

// Of the limits that are declared and those that were last applied the stricter ones hold.
func TestStricterLimitsHold(t *testing.T) {
	t.Parallel()
	loose, strict := network.DeleteLimits{Sites: 20, Links: 20, Objects: 20, Percent: 100}, network.DeleteLimits{Sites: 3, Links: 20, Objects: 20, Percent: 100}
	const raised = "(a limit that policy.deletes raises holds once it is applied)"
	for _, tt := range []struct {
		name           string
		applied        *network.DeleteLimits
		declared       network.DeleteLimits
		refused, tells bool
	}{
		{"nothing noted", nil, loose, false, false},
		{"raised by the change", &strict, loose, true, true},
		{"raised before", &loose, loose, false, false},
		{"lowered by the change", &loose, strict, true, false},
		{"the same", &strict, strict, true, false},
	} {
		m := carriedOut(t, star(10))
		m.cluster("a").Deletes = tt.applied
		n := star(10)
		drop(&n, shopNames(0, 4)...)
		p := m.railed(n, tt.declared, plan.Filter{})
		refused := slices.ContainsFunc(p.Refusals, func(r plan.Refusal) bool { return r.Code == "deletes.sites" })
		tells := slices.ContainsFunc(p.Refusals, func(r plan.Refusal) bool { return strings.Contains(r.Message, raised) })
		if refused != tt.refused || tells != tt.tells {
			t.Errorf("%s: %+v", tt.name, p.Refusals)
		}
	}
}

// Each rule: what trips it and what just does not, and that its flag lifts it.
func TestRails(t *testing.T) {
	t.Parallel()
	limits := network.DeleteLimits{Sites: 3, Links: 5, Percent: 30}
	type change = func(m *model, n *network.Network)
	unlink := func(names ...network.LinkName) change {
		return func(_ *model, n *network.Network) {
			n.Links = slices.DeleteFunc(n.Links, func(l network.Link) bool { return slices.Contains(names, l.Name) })
		}
	}
	remove := func(from, to int) change {
		return func(_ *model, n *network.Network) { drop(n, shopNames(from, to)...) }
	}
	for _, tt := range []struct {
		name   string
		shops  int
		change change
		want   []string
	}{
		{"the first apply", 20, func(m *model, _ *network.Network) { m.obs = newModel(m.t, "net", "a", "b").obs }, nil},
		{"as many sites as may go", 20, remove(0, 3), nil},
		{"one too many by number", 20, remove(0, 4),
			[]string{`deletes.sites:4 network "net"`, `deletes.sites.b:4 cluster "b"`}},
		{"one too many by share", 4, remove(0, 2),
			[]string{`deletes.sites:2 network "net"`, `deletes.sites.b:2 cluster "b"`}},
		{"the share lets one site and two links go", 2, remove(0, 1), nil},
		{"a share of one cluster alone", 12, func(m *model, n *network.Network) {
			addShop(n, "far1", "a")
			addShop(n, "far2", "a")
			m.run(m.railed(*n, limits, plan.Filter{}))
			drop(n, "far1", "far2")
		}, []string{`deletes.sites.a:2 cluster "a"`}},
		{"too many links by number", 30, func(_ *model, n *network.Network) { drop(n, shopNames(0, 6)...) },
			[]string{
				`deletes.links:6 network "net"`, `deletes.sites:6 network "net"`, `deletes.sites.b:6 cluster "b"`,
			}},
		{"one that was deleted by hand before counts still", 20, func(m *model, n *network.Network) {
			view := m.cluster("b")
			for _, s := range shopNames(0, 4) {
				i := slices.IndexFunc(view.Sites, func(v world.SiteView) bool { return v.Name == string(s) })
				m.collect(view, view.Sites[i].UID)
			}
			drop(n, shopNames(0, 4)...)
		}, []string{`deletes.sites:4 network "net"`, `deletes.sites.b:4 cluster "b"`}},
		{"a path is lost", 20, unlink("shop01-hub"), []string{`partition:20 network "net"`}},
		{"two paths are lost", 20, unlink("shop01-hub", "shop02-hub"), []string{`partition:39 network "net"`}},
		{"another path is left", 20, func(m *model, n *network.Network) {
			n.Sites[1].LinkAccess = "default"
			n.Links = append(n.Links, network.Link{Name: "round", From: "shop01", To: "shop00", Cost: 1, Via: network.ViaToken})
			m.run(m.railed(*n, limits, plan.Filter{}))
			unlink("shop01-hub")(m, n)
		}, nil},
		{"a site that no longer does transit", 4, func(m *model, n *network.Network) {
			n.Sites[1].LinkAccess = "default"
			n.Links[1].To = "shop00"
			m.run(m.railed(*n, limits, plan.Filter{}))
			n.Sites[1].LinkAccess, n.Sites[1].Edge = "", true
			n.Links = slices.Delete(n.Links, 1, 2)
		}, []string{`partition:4 network "net"`}},
		{"the last site of a cluster", 1, remove(0, 1), []string{`cluster-emptied.b:1 cluster "b"`}},
		{"the last sites of a cluster, for others", 3, func(_ *model, n *network.Network) {
			drop(n, shopNames(0, 3)...)
			addShop(n, "other", "b")
		}, []string{`deletes.links:3 network "net"`, `deletes.sites:3 network "net"`, `deletes.sites.b:3 cluster "b"`}},
		{"a whole network moves", 3, func(_ *model, n *network.Network) {
			for i := range n.Sites {
				n.Sites[i].Namespace += "-prod"
			}
		}, []string{
			`deletes.links:3 network "net"`, `deletes.sites:4 network "net"`, `deletes.sites.b:3 cluster "b"`,
		}},
		{"a cluster that is not read is not emptied", 20, func(m *model, n *network.Network) {
			m.cluster("b").State = plan.StateUnreachable
			drop(n, shopNames(0, 20)...)
		}, nil},
		{"links from a cluster that is not read stay", 3, func(m *model, n *network.Network) {
			m.cluster("b").State = plan.StateUnreachable
			unlink("shop00-hub")(m, n)
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := star(tt.shops)
			m := newModel(t, "net", "a", "b")
			m.run(m.railed(n, limits, plan.Filter{}))
			tt.change(m, &n)
			p := m.railed(n, limits, plan.Filter{})
			var got []string
			for _, r := range p.Refusals {
				got = append(got, fmt.Sprintf("%s:%d %s", r.Code, r.Number, r.Subject))
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Fatal(diff)
			}
			lifted(t, p)
		})
	}
}

// lifted passes the flags that a plan shows.
func lifted(t *testing.T, p plan.Plan) {
	t.Helper()
	var list []plan.Allowance
	for _, r := range p.Refusals {
		text, ok := strings.CutPrefix(r.Override, "--allow ")
		a, err := plan.ParseAllowance(text)
		if !ok || err != nil || r.Message == "" {
			t.Fatalf("%+v: %v", r, err)
		}
		list = append(list, a)
	}
	after, err := plan.Lift(p, list)
	if err != nil || len(after.Refused()) > 0 || len(after.Refusals) != len(p.Refusals) {
		t.Errorf("%v, still refused: %+v", err, after.Refused())
	}
	if plan.Identify(after) != p.ID {
		t.Error("the plan is another one once its refusals are lifted")
	}
	data, err := json.Marshal(after)
	if err != nil {
		t.Fatal(err)
	}
	back, err := plan.Decode(data)
	if err != nil || len(back.Refused()) != len(p.Refusals) {
		t.Errorf("a saved plan lifts refusals by itself: %v %+v", err, back.Refusals)
	}
}

func TestRailMessages(t *testing.T) {
	t.Parallel()
	n := star(13)
	m := carriedOut(t, n)
	drop(&n, shopNames(0, 12)...)
	n.Links = nil
	p := m.railed(n, network.DeleteLimits{Sites: 10, Links: 2, Percent: 50}, plan.Filter{})
	want := []string{
		`12 of 13 sites would be deleted, and 6 may go, which is 50 % of them but at least 1: ` +
			`shop00, shop01, shop02, shop03, shop04, shop05, shop06, shop07, shop08, shop09 and 2 more`,
		`13 of 13 links would be deleted, and 2 may go: shop00-hub, shop01-hub, shop02-hub, shop03-hub, shop04-hub, ` +
			`shop05-hub, shop06-hub, shop07-hub, shop08-hub, shop09-hub and 3 more`,
		`1 pair of sites would be cut off: shop12 loses its last path to hub`,
	}
	var got []string
	for _, r := range p.Refusals {
		got = append(got, r.Message)
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("not said: %s\nin %s", w, strings.Join(got, "\n   "))
		}
	}
}

// A plan of a part is judged by what it does, not by what the description says of the
// rest.
func TestRailsOfANarrowedPlan(t *testing.T) {
	t.Parallel()
	n := star(8)
	m := carriedOut(t, n)
	drop(&n, shopNames(0, 4)...)
	n.Links = slices.DeleteFunc(n.Links, func(l network.Link) bool { return l.From == "shop07" })
	if p := m.railed(n, network.DefaultDeletes, plan.Filter{Sites: []network.SiteName{"shop00"}}); len(p.Refusals) > 0 {
		t.Errorf("one site of a part is refused: %+v", p.Refusals)
	}
	p := m.railed(n, network.DefaultDeletes, plan.Filter{Links: []network.LinkName{"shop07-hub"}})
	if len(p.Refusals) != 1 || p.Refusals[0].Code != "partition" || p.Refusals[0].Number != 8 {
		t.Errorf("%+v", p.Refusals)
	}
}

// The flag stays good while a cluster is down, whatever its silence is called.
func TestReasonsAreNotPartOfTheID(t *testing.T) {
	t.Parallel()
	n := star(1)
	m := carriedOut(t, n)
	drop(&n, "hub", "shop00")
	view := m.cluster("b")
	view.State, view.Reason = plan.StateUnreachable, "EOF"
	p := m.railed(n, network.DefaultDeletes, plan.Filter{})
	view.Reason = "connection refused"
	if later := m.railed(n, network.DefaultDeletes, plan.Filter{}); later.ID != p.ID {
		t.Errorf("%s, then %s", p.ID, later.ID)
	}
}

// Limits of zero let nothing go; without any, as for drift, everything may.
func TestNoLimitsAndNoDeletes(t *testing.T) {
	t.Parallel()
	n := star(30)
	m := carriedOut(t, n)
	drop(&n, "shop00")
	codes := func(p plan.Plan) (out []string) {
		for _, r := range p.Refusals {
			out = append(out, r.Code)
		}
		return out
	}
	want := []string{"deletes.links", "deletes.sites", "deletes.sites.b"} // all links are of one cluster
	if got := codes(m.railed(n, network.DeleteLimits{}, plan.Filter{})); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	drop(&n, shopNames(0, 30)...)
	if got := codes(m.plan(n)); len(got) > 0 {
		t.Errorf("without limits: %v", got)
	}
}

// A description without sites says that it removes everything, and how much that is.
func TestNoSites(t *testing.T) {
	t.Parallel()
	n := star(2)
	m := carriedOut(t, n)
	n.Sites, n.Links = nil, nil
	given := diag.Finding{Severity: diag.Warning, Code: network.CodeNoSites, Subject: `network "net"`, Message: "has no site", At: diag.Position{File: "n.cue", Line: 2}}
	in := planner.Input{Desired: m.wanted(n), Observation: m.obs, Limits: &network.DefaultDeletes, Diagnostics: diag.List{given}}
	p := planner.Make(in)
	want := `n.cue:2: warning: network "net": has no site, and this removes everything: 3 sites, 2 links`
	if len(p.Diagnostics) != 1 || !strings.HasPrefix(p.Diagnostics[0].String(), want) {
		t.Errorf("found %v, want %s", p.Diagnostics, want)
	}
	m.run(p)
	in.Observation = m.obs
	if p := planner.Make(in); len(p.Diagnostics) != 1 || p.Diagnostics[0].Message != given.Message {
		t.Errorf("found %v when nothing is left", p.Diagnostics)
	}
	if n.Sites = star(1).Sites[:1]; len(m.railed(n, network.DefaultDeletes, plan.Filter{}).Diagnostics) > 0 {
		t.Error("a description with a site is said to have none")
	}
}
