package planner_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/approve"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/schema/network"
)

// otherValues gives the network with other costs and settings, and maybe other ways to
// listen.
func otherValues(r *rand.Rand, n network.Network) network.Network {
	n.Sites, n.Links = slices.Clone(n.Sites), slices.Clone(n.Links)
	for i := range n.Sites {
		s := &n.Sites[i]
		s.Settings = maps.Clone(s.Settings)
		if r.IntN(2) == 0 {
			s.Settings["router-data-connection-count"] = []string{"2", "8"}[r.IntN(2)]
		}
		if s.Listens() && r.IntN(4) == 0 {
			s.LinkAccess = []string{"default", "nodeport"}[r.IntN(2)]
		}
	}
	for i := range n.Links {
		if r.IntN(2) == 0 {
			n.Links[i].Cost = 1 + r.Int32N(3)
		}
	}
	return n
}

// gatesOf gives each site an object with a port.
func gatesOf(r *rand.Rand, n network.Network) plan.Desired {
	d := desired.Build(n)
	for _, s := range n.Sites {
		d = withObject(d, s.Name, "Gate", "g", map[string]any{"port": int64(r.IntN(3)), "cpu": []string{"1", "2"}[r.IntN(2)]})
	}
	return d
}

// notWritten says which of what git moved between two descriptions is not on the
// clusters, of the actions for which about holds.
func (m *model) notWritten(before, after plan.Desired, about func(id string) bool) (out []string) {
	miss := func(id, path string, was, want, live any) {
		if about(id) && fmt.Sprint(was) != fmt.Sprint(want) && fmt.Sprint(want) != fmt.Sprint(live) {
			out = append(out, fmt.Sprintf("%s %s is %v, want %v", id, path, live, want))
		}
	}
	for i, s := range after.Sites {
		for _, v := range m.cluster(s.Cluster).Sites {
			for path, want := range s.Fields {
				if v.Namespace == s.Namespace {
					miss("site/"+string(s.Name), path, before.Sites[i].Fields[path], want, v.Fields[path])
				}
			}
		}
	}
	for i, l := range after.Links {
		for _, c := range m.obs.Clusters {
			for _, v := range c.Links {
				if v.Labels[plan.LabelLink] == string(l.Name) {
					miss("link/"+string(l.Name), "cost", before.Links[i].Cost, l.Cost, v.Cost)
				}
			}
		}
	}
	for i, o := range after.Objects {
		for _, v := range m.cluster(o.Cluster).Objects {
			for path, want := range o.Fields {
				if v.Namespace == o.Namespace {
					miss(fmt.Sprintf("object/%s/%s/%s", o.Site, o.Kind, o.Name), path, before.Objects[i].Fields[path], want, field.Flatten(v.Content)[path])
				}
			}
		}
	}
	return out
}

// astray are the Links by certificate that lead where their site does not listen.
func (m *model) astray() (out []string) {
	known := map[string]bool{}
	for _, c := range m.obs.Clusters {
		for _, s := range c.Sites {
			for _, e := range s.Endpoints {
				known[e.String()] = true
			}
		}
	}
	for _, c := range m.obs.Clusters {
		for _, v := range c.Links {
			for _, e := range v.Endpoints {
				if !known[e.String()] && v.Noted.Via == network.ViaCertificate {
					out = append(out, v.Name+" "+e.String())
				}
			}
		}
	}
	return out
}

// However often applies die, before or after they wrote something: what git moved since
// the last complete one is on the clusters in the end, whatever rules cover, and a saved
// plan calls nothing done before.
func TestRulesSwallowNothingOfGit(t *testing.T) {
	t.Parallel()
	always := func(string) bool { return true }
	left := 0
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 41))
		m := newModel(t, "net", "a", "b")
		n := randomNetwork(r)
		rules := append(randomRules(r), ignoring("link/*/endpoints")...)
		before := gatesOf(r, n)
		m.run(planner.Make(planner.Input{Desired: before, Observation: m.obs, Ignore: rules}))
		m.tune(r)
		after := gatesOf(r, otherValues(r, n))
		input := func() planner.Input { return planner.Input{Desired: after, Observation: m.obs, Ignore: rules} }
		first := planner.Make(input())
		for try := range 4 {
			p := planner.Make(input())
			for _, j := range approve.Approve(first, p).Judged {
				missing := m.notWritten(before, after, func(id string) bool { return id == j.Action.ID })
				if j.Standing == approve.StandingDone && len(missing) > 0 {
					t.Fatalf("seed %d try %d: %s is called done\n%s\n%q", seed, try, j.Action.ID, dump(p), missing)
				}
			}
			for _, s := range after.Sites {
				if r.IntN(2) == 0 {
					m.begin(p.At(s.Cluster, s.Namespace)...)
				}
			}
			if r.IntN(2) == 0 {
				m.runSome(r, p)
			}
		}
		m.run(planner.Make(input()))
		last := planner.Make(input())
		if last.Pending() || len(last.Refusals) > 0 {
			t.Fatalf("seed %d: still to do\n%s\n%v", seed, dump(last), last.Refusals)
		}
		if missing := append(m.notWritten(before, after, always), m.astray()...); len(missing) > 0 {
			t.Fatalf("seed %d: rules %v cover what git moved:\n%q", seed, notesOf(rules), missing)
		}
		left += len(last.Ignored)
	}
	if left == 0 {
		t.Error("nothing was ever left alone")
	}
}

func notesOf(rules []network.Ignore) (out []string) {
	for _, r := range rules {
		out = append(out, r.Path)
	}
	return out
}

// upByCertificate is a network of two sites and a link by certificate that is applied, and
// what plans of it are made of.
func upByCertificate(t *testing.T, rules []network.Ignore) (*model, planner.Input) {
	t.Helper()
	m := newModel(t, "net", "a", "b")
	n := twoSites(1)
	n.Links[0].Via = network.ViaCertificate
	in := planner.Input{Desired: desired.Build(n), Observation: m.obs, Ignore: rules}
	m.run(planner.Make(in))
	return m, in
}

// A rule leaves alone an address that somebody gave a Link by certificate, for as long as
// its site listens where it did.
func TestEndpointsRule(t *testing.T) {
	t.Parallel()
	m, in := upByCertificate(t, ignoring("link/*/endpoints"))
	m.cluster("b").Links[0].Endpoints[0].Host = "nat.example.com"
	in.Observation = m.obs
	if p := planner.Make(in); p.Pending() || len(p.Ignored) != 1 {
		t.Errorf("a Link that was changed: %s\n%v", dump(p), notes(p.Ignored))
	}
	m.cluster("a").Sites[0].Endpoints[0].Host = "elsewhere"
	p := planner.Make(in)
	if len(p.Actions) != 1 || !p.Actions[0].Link.Reconnect || len(p.Ignored) != 0 {
		t.Fatalf("a site that moved: %s\n%v", dump(p), notes(p.Ignored))
	}
	m.run(p)
	if at := m.astray(); len(at) > 0 {
		t.Errorf("still at %q", at)
	}
}

// A link that is made anew has the cost of the description, so nothing of it is left alone.
func TestNothingIsIgnoredOfALinkMadeAnew(t *testing.T) {
	t.Parallel()
	m, in := upByCertificate(t, ignoring("link/*/cost"))
	m.cluster("b").Links[0].Cost = 7
	m.cluster("a").Sites[0].Endpoints[0].Host = "elsewhere"
	in.Observation = m.obs
	if p := planner.Make(in); len(p.Actions) != 1 || p.Actions[0].Verb != plan.VerbUpdate || len(p.Ignored) != 1 {
		t.Errorf("changed in place: %s\n%v", dump(p), notes(p.Ignored))
	}
	m.cluster("b").Sites[0].Version = "2.1.0" // takes up other endpoints in a new Link only
	in.Observation = m.obs
	if p := planner.Make(in); len(p.Actions) != 1 || p.Actions[0].Verb != plan.VerbReplace || len(p.Ignored) != 0 {
		t.Errorf("made anew: %s\n%v", dump(p), notes(p.Ignored))
	}
}
