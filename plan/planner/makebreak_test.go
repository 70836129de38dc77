package planner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// meshOf reads sites and links: "hub+" listens, "shop" does not, "till*" is an edge
// site, and "shop>hub" is a link of that name.
func meshOf(text string) network.Network {
	n := network.Network{Name: "net", Clusters: []network.Cluster{{Name: "a"}, {Name: "b"}}}
	for _, word := range strings.Fields(text) {
		if from, to, ok := strings.Cut(word, ">"); ok {
			name := from + "-" + to
			if before, after, named := strings.Cut(from, "="); named {
				name, from = before, after
			}
			n.Links = append(n.Links, network.Link{Name: network.LinkName(name), From: network.SiteName(from), To: network.SiteName(to), Cost: 1, Via: network.ViaToken})
			continue
		}
		name := strings.TrimRight(word, "+*")
		s := network.Site{Name: network.SiteName(name), Cluster: "a", Namespace: name, Edge: strings.HasSuffix(word, "*")}
		if strings.HasSuffix(word, "+") {
			s.LinkAccess = "default"
		}
		n.Sites = append(n.Sites, s)
	}
	return n
}

// What waits for what, so that no path is lost on the way.
func TestMakeBeforeBreak(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, before, after string
		want                []string
	}{
		{"a link that only goes waits for nothing", "hub+ a b a>hub b>hub", "hub+ a b a>hub", []string{"delete link/b-hub"}},
		{"a link replaces another", "h1+ h2+ a h1>h2 a>h1", "h1+ h2+ a h1>h2 a>h2",
			[]string{"create link/a-h2", "delete link/a-h1 after link/a-h2"}},
		{"what has nothing to do with it does not wait", "h1+ h2+ a b h1>h2 a>h1 b>h1", "h1+ h2+ a b h1>h2 a>h2 b>h2", []string{
			"create link/a-h2", "create link/b-h2", "delete link/a-h1 after link/a-h2", "delete link/b-h1 after link/b-h2",
		}},
		{"another way stays", "h1+ h2+ a h1>h2 a>h1 a>h2", "h1+ h2+ a h1>h2 a>h2", []string{"delete link/a-h1"}},
		{"a link moves where its sites stay joined", "h1+ h2+ a b h1>h2 x=a>h1 y=b>h1", "h1+ h2+ a b h1>h2 x=a>h2 y=b>h2",
			[]string{"replace link/x", "replace link/y"}},
		{"all links move, and would leave each other on the way", "h1+ h2+ a b x=a>h1 y=b>h1", "h1+ h2+ a b x=a>h2 y=b>h2", []string{
			"replace link/x", "replace link/y",
			"delete link/x@old after link/x link/y", "delete link/y@old after link/x link/y",
		}},
		{"a link turns round", "h1+ h2 x=h2>h1", "h1 h2+ x=h1>h2", []string{
			"update site/h1 after link/x", "update site/h2", "create link/x after site/h2", "delete link/x@a/h2 after link/x",
		}},
		{"a site becomes an edge", "h1+ h2+ a b a>h1 b>h1 b>h2", "h1* h2+ a b h1>h2 a>h2 b>h2", []string{
			// What comes of its own can be made only when it is an edge.
			"update site/h1 after link/a-h2", "create link/a-h2", "create link/h1-h2 after site/h1",
			"delete link/a-h1 after link/a-h2 link/h1-h2", "delete link/b-h1 after link/a-h2 link/h1-h2",
		}},
		{"an edge site moves", "h1+ h2+ e* h1>h2 e>h1", "h1+ h2+ e* h1>h2 e>h2",
			[]string{"create link/e-h2", "delete link/e-h1 after link/e-h2"}},
		{"a site listens otherwise", "h1+ h2+ a a>h1 h2>h1", "h1+nodeport h2+ a a>h2 h2>h1", []string{
			"update site/h1 after link/a-h2", "create link/a-h2",
			"replace link/h2-h1 after site/h1", "delete link/a-h1 after link/a-h2 link/h2-h1",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newModel(t, "net", "a", "b")
			m.run(m.plan(meshOf(tt.before)))
			n := meshOf(strings.ReplaceAll(tt.after, "+nodeport", "+"))
			if strings.Contains(tt.after, "+nodeport") {
				n.Sites[0].LinkAccess = "nodeport"
			}
			var got []string
			for _, a := range m.plan(n).Actions {
				line := fmt.Sprintf("%s %s", a.Verb, a.ID)
				if len(a.DependsOn) > 0 {
					line += " after " + strings.Join(a.DependsOn, " ")
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An old Link that goes in an action of its own is no deleted link: no limit counts it,
// its Secret goes with it, and grants do not wait for it.
func TestOldLinksOfTheirOwn(t *testing.T) {
	t.Parallel()
	m := newModel(t, "net", "a", "b")
	m.run(m.plan(meshOf("h1+ h2+ a b c x=a>h1 y=b>h1 z=c>h1")))
	view := m.cluster("a")
	view.Grants = append(view.Grants, world.GrantView{Meta: world.Meta{Namespace: "h1", Name: "net-x-1", UID: "g", Labels: m.labels(plan.LabelLink, "x")}})
	p := m.railed(meshOf("h1+ h2+ a b c x=a>h2 y=b>h2 z=c>h2"), network.DeleteLimits{}, plan.Filter{})
	if len(p.Refusals) != 1 || p.Refusals[0].Code != "partition" { // h1 is left alone
		t.Errorf("%+v", p.Refusals)
	}
	for _, a := range p.Actions {
		var kinds []string
		for _, r := range a.Link.Remove {
			kinds = append(kinds, string(r.Kind))
		}
		want := []string{"Link", "Secret"}
		switch {
		case a.ID == "link/x":
			want = []string{"AccessGrant"}
		case a.Verb == plan.VerbReplace:
			want = nil
		case a.Link.To.Site != "h1" || a.Link.To.Object != "h1" || a.Link.To.Namespace != "h1" || a.Link.To.UID == "":
			t.Errorf("%s leads to %+v", a.ID, a.Link.To)
		}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("%s: %s", a.ID, diff)
		}
		if a.Has(plan.StepRetire) {
			t.Errorf("%s retires", a.ID)
		}
	}
	m.run(p)
	if again := m.plan(meshOf("h1+ h2+ a b c x=a>h2 y=b>h2 z=c>h2")); again.Pending() {
		t.Errorf("still to do\n%s", dump(again))
	}
}

// A part of the network is ordered by itself: it takes nothing along that it does not
// wait for otherwise.
func TestNarrowedPlanHasItsOwnOrder(t *testing.T) {
	t.Parallel()
	m := newModel(t, "net", "a", "b")
	m.run(m.plan(meshOf("h1+ h2+ a b x=a>h1 y=b>h1")))
	p := m.railed(meshOf("h1+ h2+ a b x=a>h2 y=b>h2"), network.DefaultDeletes, plan.Filter{Links: []network.LinkName{"x"}})
	var ids []string
	for _, a := range p.Actions {
		ids = append(ids, a.ID)
	}
	if !slices.Equal(ids, []string{"link/x"}) || !p.Actions[0].Has(plan.StepRetire) {
		t.Errorf("%s", dump(p))
	}
}

// Many breaks and makes of one exchange do not give an order for each pair of them.
func TestOrdersOfALargeExchangeAreFew(t *testing.T) {
	t.Parallel()
	before, after := "h1+ h2+", "h1+ h2+"
	for i := range 300 {
		before += fmt.Sprintf(" s%03d l%03d=s%03d>h1", i, i, i)
		after += fmt.Sprintf(" s%03d l%03d=s%03d>h2", i, i, i)
	}
	m := newModel(t, "net", "a", "b")
	m.run(m.plan(meshOf(before)))
	p := m.plan(meshOf(after))
	orders := 0
	for _, a := range p.Actions {
		orders += len(a.DependsOn)
	}
	if len(p.Actions) != 600 || orders > 1200 {
		t.Errorf("%d actions with %d orders", len(p.Actions), orders)
	}
	m.run(p)
}
