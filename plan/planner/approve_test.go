package planner_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/approve"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// saved is the plan as it comes back from a file.
func saved(t testing.TB, p plan.Plan) plan.Plan {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	out, err := plan.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// runSome carries out some of a plan's actions, in an order that their dependencies
// allow, and cuts one of them off.
func (m *model) runSome(r *rand.Rand, p plan.Plan) {
	done := map[string]bool{}
	for range len(p.Actions) {
		var ready []plan.Action
		for _, a := range p.Actions {
			waits := slices.ContainsFunc(a.DependsOn, func(id string) bool {
				return !done[id] && slices.ContainsFunc(p.Actions, func(b plan.Action) bool { return b.ID == id })
			})
			if !done[a.ID] && !waits {
				ready = append(ready, a)
			}
		}
		if len(ready) == 0 || r.IntN(6) == 0 {
			return
		}
		a := ready[r.IntN(len(ready))]
		m.carryOut(a)
		done[a.ID] = true
		if a.Kind == plan.KindLink && a.Verb != plan.VerbDelete && r.IntN(4) == 0 {
			m.cutOff(r, a)
			return
		}
	}
}

// cutOff leaves a link that was just made as an apply does that dies before the end.
func (m *model) cutOff(r *rand.Rand, a plan.Action) {
	if !a.Has(plan.StepGrant) && !a.Has(plan.StepCertificate) {
		return
	}
	m.inventory(a.Cluster, a.Namespace, func(inv *record.Inventory) {
		e := inv.Links[network.LinkName(a.Name)]
		e.State = record.LinkUnderWay
		inv.Links[network.LinkName(a.Name)] = e
	})
	view := m.cluster(a.Cluster)
	object := network.ObjectName(network.LinkName(a.Name), a.Link.Attempt)
	for i := range view.Links {
		if view.Links[i].Namespace == a.Namespace && view.Links[i].TLSCredentials == object && r.IntN(2) == 0 {
			view.Links[i].Labels = nil
		}
	}
	if a.Has(plan.StepGrant) && r.IntN(2) == 0 {
		view.Tokens = append(view.Tokens, world.TokenView{Meta: world.Meta{
			Namespace: a.Namespace, Name: object, UID: m.uid(), Labels: m.labels(plan.LabelLink, a.Name),
		}})
	}
}

// A saved plan can be run again, however often it was cut off, until it is complete:
// nothing that it did itself makes it stale.
func TestSavedPlanIsFinished(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 7))
		m := newModel(t, "net", "a", "b")
		m.digest = "d1"
		for round := range 3 {
			n := randomNetwork(r)
			m.digest = []string{"d1", "d2"}[r.IntN(2)]
			input := func() planner.Input { return planner.Input{Desired: m.wanted(n), Observation: m.obs, Adopt: true} }
			p := saved(t, planner.Make(input()))
			if len(p.Refusals) > 0 {
				break
			}
			for try := 0; ; try++ {
				in := input()
				in.Approved = &p
				now := planner.Make(in)
				approval := approve.Approve(p, now)
				when := fmt.Sprintf("seed %d round %d try %d", seed, round, try)
				for _, j := range approval.Judged {
					if j.Standing != approve.StandingOpen && j.Standing != approve.StandingDone {
						t.Fatalf("%s: %s is %s: %s\nsaved\n%s\nnow\n%s", when, j.Action.ID, j.Standing, j.Reason, dump(p), dump(now))
					}
				}
				if len(approval.Others) > 0 {
					t.Fatalf("%s: not in the saved plan: %v\nsaved\n%s\nnow\n%s", when, approval.Others, dump(p), dump(now))
				}
				if try < 4 {
					m.runSome(r, approval.Run)
					continue
				}
				m.run(approval.Run)
				break
			}
			if again := planner.Make(input()); again.Pending() {
				t.Fatalf("seed %d round %d: still to do after\n%s\n%s", seed, round, dump(p), dump(again))
			}
		}
	}
}

// What is carried out of a saved plan after somebody meddled is what was approved, and
// nothing else.
func TestSavedPlanDoesNothingElse(t *testing.T) {
	t.Parallel()
	stale, open := 0, 0
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 8))
		m := newModel(t, "net", "a", "b")
		m.digest = "d1"
		m.run(planner.Make(planner.Input{Desired: m.wanted(randomNetwork(r)), Observation: m.obs}))
		n := randomNetwork(r)
		p := saved(t, planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}))
		for range 1 + r.IntN(2) {
			m.meddle(r)
		}
		approval := approve.Approve(p, planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}))
		stale += approval.Count(approve.StandingStale)
		for _, a := range approval.Run.Actions {
			i := slices.IndexFunc(p.Actions, func(b plan.Action) bool {
				return a.Kind == b.Kind && a.Name == b.Name && a.Cluster == b.Cluster && a.Namespace == b.Namespace &&
					(a.Verb == plan.VerbDelete) == (b.Verb == plan.VerbDelete) && (a.Kind != plan.KindProxy || a.Verb != plan.VerbDelete || a.Proxy.Secret.Name == b.Proxy.Secret.Name)
			})
			if i < 0 {
				t.Fatalf("seed %d: %s was not approved in\n%s", seed, a.ID, dump(p))
			}
			open++
			goal(t, seed, p.Actions[i], a)
		}
		m.run(approval.Run) // and it can be carried out
	}
	if stale == 0 || open == 0 {
		t.Errorf("%d stale and %d open actions prove nothing", stale, open)
	}
}

// goal checks that an action which is carried out leads where the approved one did.
func goal(t *testing.T, seed uint64, approved, a plan.Action) {
	t.Helper()
	want, got := "", ""
	for _, x := range []struct {
		a    plan.Action
		into *string
	}{{approved, &want}, {a, &got}} {
		var v any
		switch {
		case x.a.Verb == plan.VerbDelete:
		case x.a.Site != nil:
			v = []any{x.a.Site.Fields, x.a.Site.Protect, x.a.Site.Object}
		case x.a.Link != nil:
			w := x.a.Link
			v = []any{w.From.Site, w.To.Site, w.Cost, w.Via, w.Proxy, w.Rotation}
		case x.a.Proxy != nil:
			v = []any{x.a.Proxy.Host, x.a.Proxy.Port, x.a.Proxy.References}
		}
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		*x.into = string(data)
	}
	if want != got {
		t.Fatalf("seed %d: %s leads to %s, and %s was approved", seed, a.ID, got, want)
	}
}

// Every kind of action, and an edit behind its back: refused, or seen to be done.
func TestApproveAfterEdit(t *testing.T) {
	t.Parallel()
	base := func() (*model, network.Network) {
		m := newModel(t, "net", "a", "b")
		n := network.Network{Name: "net", Sites: []network.Site{
			{Name: "hub", Cluster: "a", Namespace: "hub", LinkAccess: "default", Settings: map[string]string{}},
			{Name: "shop", Cluster: "b", Namespace: "shop", Settings: map[string]string{}},
			{Name: "kiosk", Cluster: "b", Namespace: "kiosk", Settings: map[string]string{}},
		}, Links: []network.Link{
			{Name: "shop-hub", From: "shop", To: "hub", Cost: 1, Via: network.ViaToken},
			{Name: "kiosk-hub", From: "kiosk", To: "hub", Cost: 1, Via: network.ViaToken},
		}}
		m.run(planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}))
		return m, n
	}
	link := func(m *model, name string) *world.LinkView {
		view := m.cluster("b")
		for i := range view.Links {
			if view.Links[i].Labels[plan.LabelLink] == name {
				return &view.Links[i]
			}
		}
		t.Fatalf("no Link of %s", name)
		return nil
	}
	site := func(m *model, name string) *world.SiteView {
		for c := range m.obs.Clusters {
			for i := range m.obs.Clusters[c].Sites {
				if m.obs.Clusters[c].Sites[i].Name == name {
					return &m.obs.Clusters[c].Sites[i]
				}
			}
		}
		t.Fatalf("no Site %s", name)
		return nil
	}
	for _, c := range []struct {
		name   string
		change func(*network.Network)
		edit   func(*model)
		action string
		want   approve.Standing
		reason string
		// others are actions that go on all the same.
		others []string
	}{
		{
			name:   "cost changed to a third value",
			change: func(n *network.Network) { n.Links[0].Cost, n.Links[1].Cost = 5, 6 },
			edit:   func(m *model) { link(m, "shop-hub").Cost = 3 },
			action: "link/shop-hub", want: approve.StandingStale, reason: "cost is now 3, was 1", others: []string{"link/kiosk-hub"},
		},
		{
			name:   "cost changed to the wanted value",
			change: func(n *network.Network) { n.Links[0].Cost, n.Links[1].Cost = 5, 6 },
			edit:   func(m *model) { link(m, "shop-hub").Cost = 5 },
			action: "link/shop-hub", want: approve.StandingOpen, others: []string{"link/kiosk-hub"},
		},
		{
			name:   "link deleted before its cost changes",
			change: func(n *network.Network) { n.Links[0].Cost, n.Links[1].Cost = 5, 6 },
			edit:   func(m *model) { view := m.cluster("b"); view.Links = slices.Delete(view.Links, 0, 1) },
			action: "link/kiosk-hub", want: approve.StandingStale, reason: "was a update and is a create now", others: []string{"link/shop-hub"},
		},
		{
			name:   "link edited before its removal",
			change: func(n *network.Network) { n.Links[1].Cost, n.Links = 6, n.Links[1:] },
			edit:   func(m *model) { link(m, "shop-hub").Cost = 3 },
			action: "link/shop-hub", want: approve.StandingStale, reason: "Link shop-hub has cost 3 now, had 1", others: []string{"link/kiosk-hub"},
		},
		{
			name:   "link removed by hand before its removal",
			change: func(n *network.Network) { n.Links = n.Links[1:] },
			edit: func(m *model) {
				view := m.cluster("b")
				view.Links = slices.DeleteFunc(view.Links, func(l world.LinkView) bool { return l.Labels[plan.LabelLink] == "shop-hub" })
			},
			action: "link/shop-hub", want: approve.StandingOpen, // the record and the Secret are left to clear
		},
		{
			name:   "listening site made anew before a replacement",
			change: func(n *network.Network) { n.Links[0].Rotation = 1 },
			edit: func(m *model) {
				m.collect(m.cluster("a"), site(m, "hub").UID)
				m.cluster("a").Inventories = nil
			},
			action: "link/shop-hub", want: approve.StandingStale, reason: "site hub is gone",
		},
		{
			name:   "link edited before its replacement",
			change: func(n *network.Network) { n.Links[0].Rotation, n.Links[1].Cost = 1, 6 },
			edit:   func(m *model) { link(m, "shop-hub").Cost = 3 },
			action: "link/shop-hub", want: approve.StandingStale, reason: "cost 3 now, had 1", others: []string{"link/kiosk-hub"},
		},
		{
			name: "foreign Link of the name of a new one",
			change: func(n *network.Network) {
				n.Links = append(n.Links, network.Link{Name: "second", From: "shop", To: "hub", Cost: 9, Via: network.ViaToken})
				n.Links[1].Cost = 6
			},
			edit: func(m *model) {
				view := m.cluster("b")
				view.Links = append(view.Links, world.LinkView{Meta: world.Meta{Namespace: "shop", Name: "second", UID: m.uid()}, Cost: 2})
			},
			action: "link/second", want: approve.StandingStale, reason: "Fairlead did not make it", others: []string{"link/kiosk-hub"},
		},
		{
			name: "site changed to a third value",
			change: func(n *network.Network) {
				n.Sites[0].LinkAccess, n.Links[1].To, n.Links[1].Cost = "nodeport", "hub", 1
				n.Sites[2].Protect = true
			},
			edit:   func(m *model) { site(m, "hub").Fields["linkAccess"] = "route" },
			action: "site/hub", want: approve.StandingStale, reason: `linkAccess is now "route", was "default"`, others: []string{"site/kiosk"},
		},
		{
			name:   "site changed to the wanted value",
			change: func(n *network.Network) { n.Sites[2].HA, n.Links[0].Cost = true, 4 },
			edit:   func(m *model) { site(m, "kiosk").Fields["ha"] = true },
			action: "site/kiosk", want: approve.StandingOpen, others: []string{"link/shop-hub"},
		},
		{
			name: "foreign Site where one is to be made",
			change: func(n *network.Network) {
				n.Sites = append(n.Sites, network.Site{Name: "bar", Cluster: "b", Namespace: "bar", Settings: map[string]string{}})
				n.Links[0].Cost = 4
			},
			edit: func(m *model) {
				view := m.cluster("b")
				view.Sites = append(view.Sites, world.SiteView{Meta: world.Meta{Namespace: "bar", Name: "other", UID: m.uid()}, Fields: map[string]any{}})
			},
			action: "site/bar", want: approve.StandingStale, reason: "Fairlead did not make", others: []string{"link/shop-hub"},
		},
		{
			name:   "site edited before its removal",
			change: func(n *network.Network) { n.Sites, n.Links = n.Sites[:2], n.Links[:1]; n.Links[0].Cost = 4 },
			edit:   func(m *model) { site(m, "kiosk").Fields["ha"] = true },
			action: "site/kiosk", want: approve.StandingStale, reason: "ha is now true, was", others: []string{"link/shop-hub", "link/kiosk-hub"},
		},
		{
			name:   "Link made by hand at a site before its removal",
			change: func(n *network.Network) { n.Sites, n.Links = n.Sites[:2], n.Links[:1]; n.Links[0].Cost = 4 },
			edit: func(m *model) {
				view := m.cluster("b")
				view.Links = append(view.Links, world.LinkView{Meta: world.Meta{Namespace: "kiosk", Name: "mine", UID: m.uid(), OwnerUID: site(m, "kiosk").UID}, Cost: 2})
			},
			action: "site/kiosk", want: approve.StandingStale, reason: "Link mine was made there meanwhile", others: []string{"link/shop-hub"},
		},
		{
			name:   "protected meanwhile",
			change: func(n *network.Network) { n.Sites, n.Links = n.Sites[:2], n.Links[:1]; n.Links[0].Cost = 4 },
			edit:   func(m *model) { site(m, "kiosk").Protected = true },
			action: "site/kiosk", want: approve.StandingStale, reason: "is protected", others: []string{"link/shop-hub"},
		},
		{
			name:   "cluster gone",
			change: func(n *network.Network) { n.Links[0].Cost, n.Sites[0].HA = 4, true },
			edit: func(m *model) {
				m.cluster("b").State, m.cluster("b").Reason = plan.StateUnreachable, "connection refused"
			},
			action: "link/shop-hub", want: approve.StandingUnknown, reason: "cluster b could not be read: connection refused", others: []string{"site/hub"},
		},
		{
			name: "a link waits for a site that is stale",
			change: func(n *network.Network) {
				n.Sites[1].HA = true
				n.Links = append(n.Links, network.Link{Name: "second", From: "kiosk", To: "shop", Cost: 9, Via: network.ViaToken})
				n.Sites[1].LinkAccess = "default"
			},
			edit:   func(m *model) { site(m, "shop").Fields["linkAccess"] = "route" },
			action: "link/second", want: approve.StandingBlocked, reason: "needs site/shop, which is stale",
		},
		{
			name:   "a link waits for a site that drifted and was not approved",
			change: func(n *network.Network) { n.Links[0].Cost, n.Links[1].Cost = 4, 6 },
			edit:   func(m *model) { site(m, "shop").Fields["ha"] = true },
			action: "link/shop-hub", want: approve.StandingBlocked, reason: "needs site/shop, which the saved plan does not have", others: []string{"link/kiosk-hub"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, n := base()
			c.change(&n)
			p := saved(t, planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}))
			c.edit(m)
			now := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs})
			approval := approve.Approve(p, now)
			i := slices.IndexFunc(approval.Judged, func(j approve.Judgement) bool { return j.Action.ID == c.action })
			if i < 0 {
				t.Fatalf("the saved plan has no %s:\n%s", c.action, dump(p))
			}
			j := approval.Judged[i]
			if j.Standing != c.want || !strings.Contains(j.Reason, c.reason) {
				t.Errorf("%s is %s (%s), want %s (%s)\nnow\n%s", c.action, j.Standing, j.Reason, c.want, c.reason, dump(now))
			}
			for _, id := range c.others {
				if !slices.ContainsFunc(approval.Run.Actions, func(a plan.Action) bool { return a.ID == id }) {
					t.Errorf("%s does not go on: %+v", id, approval.Judged)
				}
			}
		})
	}
}

// What would be written has to be what was reviewed, whatever else is equal.
func TestApproveOfAnotherGoal(t *testing.T) {
	t.Parallel()
	m := newModel(t, "net", "a", "b")
	n := network.Network{Name: "net", Sites: []network.Site{{Name: "hub", Cluster: "a", Namespace: "hub", Settings: map[string]string{}}}}
	p := saved(t, planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}))
	n.Sites[0].Settings["router-data-connection-count"] = "4"
	approval := approve.Approve(p, planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}))
	if j := approval.Judged[0]; j.Standing != approve.StandingStale || j.Reason != "the description asks for another Site now" {
		t.Errorf("%+v", j)
	}
	m.run(planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}))
	m.cluster("b").State = plan.StateUnreachable
	n.Sites[0].Settings = map[string]string{}
	approval = approve.Approve(saved(t, p), planner.Make(planner.Input{Desired: m.wanted(network.Network{Name: "net"}), Observation: m.obs}))
	if j := approval.Judged[0]; j.Standing != approve.StandingUnknown {
		t.Errorf("absent from a plan of half the network: %+v", j)
	}
}

// A narrowed plan that was saved is finished like a whole one: nothing outside of it holds
// it up or has it refused.
func TestNarrowedSavedPlanIsFinished(t *testing.T) {
	t.Parallel()
	narrowed := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 11))
		m := newModel(t, "net", "a", "b")
		m.digest = "d1"
		m.run(planner.Make(planner.Input{Desired: m.wanted(randomNetwork(r)), Observation: m.obs, Adopt: true}))
		n := randomNetwork(r)
		filter := randomFilter(r, n)
		first := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs, Filter: filter, Limits: &network.DefaultDeletes})
		if !first.Narrowed || len(first.Refusals) > 0 {
			continue
		}
		p := saved(t, first)
		narrowed++
		for try := 0; try <= 4; try++ {
			now := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs, Approved: &p, Limits: &network.DefaultDeletes})
			approval := approve.Approve(p, now)
			when := fmt.Sprintf("seed %d try %d", seed, try)
			for _, j := range approval.Judged {
				if j.Standing != approve.StandingOpen && j.Standing != approve.StandingDone {
					t.Fatalf("%s: %s is %s: %s\nsaved\n%s\nnow\n%s", when, j.Action.ID, j.Standing, j.Reason, dump(p), dump(now))
				}
			}
			if len(approval.Others) > 0 || len(now.Refusals) > 0 {
				t.Fatalf("%s: not in the saved plan: %v, refused %v\nsaved\n%s\nnow\n%s", when, approval.Others, now.Refusals, dump(p), dump(now))
			}
			if try < 4 {
				m.runSome(r, approval.Run)
			} else {
				m.run(approval.Run)
			}
		}
		if left := approve.Approve(p, planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs, Approved: &p})).Run; left.Pending() {
			t.Fatalf("seed %d: still to do after\n%s\n%s", seed, dump(p), dump(left))
		}
	}
	if narrowed < 500 {
		t.Errorf("only %d plans were narrowed", narrowed)
	}
}
