package planner_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/drift"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

const (
	now  = "2026-01-02T03:04:05Z"
	soon = "2026-02-01T00:00:00Z"
)

func (m *model) drift(d plan.Desired, rules ...string) plan.Plan {
	return drift.Of(planner.Input{
		Desired: d, Observation: m.obs, Now: now, ExpiringBefore: soon, Ignore: ignoring(rules...),
	}, desired.LastApplied(m.obs, d))
}

// Right after an apply there is nothing to tell, whatever the network.
func TestNothingToTellAfterAnApply(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 31))
		m := newModel(t, "net", "a", "b")
		for round := range 3 {
			m.digest = []string{"d1", "d2"}[r.IntN(2)]
			d := m.wanted(randomNetwork(r))
			m.run(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
			p := m.drift(d)
			if p.Ill() || len(p.Live)+len(p.Ignored)+len(p.Behind) > 0 {
				t.Fatalf("seed %d round %d: %s\n%+v\n%+v", seed, round, dump(p), p.Live, p.Behind)
			}
		}
	}
}

// Whatever happens to the clusters, drift is a plan like any other: its ID fits, it
// travels as JSON, and it is the same again.
func TestDriftIsDeterministic(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 32))
		m := newModel(t, "net", "a", "b")
		d := m.wanted(randomNetwork(r))
		m.run(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
		for range 4 {
			m.meddle(r)
		}
		d = m.wanted(randomNetwork(r))
		p := m.drift(d, "link/*/link-down", "link/*/cost")
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := plan.Decode(data)
		if err != nil || again.ID != p.ID {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, c := range m.obs.Clusters {
			r.Shuffle(len(c.Links), func(i, j int) { c.Links[i], c.Links[j] = c.Links[j], c.Links[i] })
			r.Shuffle(len(c.Sites), func(i, j int) { c.Sites[i], c.Sites[j] = c.Sites[j], c.Sites[i] })
		}
		other, err := json.Marshal(m.drift(d, "link/*/link-down", "link/*/cost"))
		if err != nil || string(other) != string(data) {
			t.Fatalf("seed %d: %v\n%s", seed, err, cmp.Diff(string(data), string(other)))
		}
	}
}

// said are facts as "severity code subject".
func said(list []plan.Live) (out []string) {
	for _, l := range list {
		out = append(out, fmt.Sprintf("%s %s %s", l.Severity, l.Code, l.Subject))
	}
	return out
}

func TestLiveFacts(t *testing.T) {
	t.Parallel()
	spoke := func(m *model) *world.LinkView { return &m.cluster("b").Links[0] }
	hub := func(m *model) *world.SiteView { return &m.cluster("a").Sites[0] }
	report := func(m *model, name string, up bool, cost int32) {
		site := m.cluster("b").Sites[0].UID
		list := &m.cluster("b").Reports
		if len(*list) == 0 {
			*list = append(*list, world.SiteReport{Site: site})
		}
		(*list)[0].Links = append((*list)[0].Links, world.LinkReport{Name: name, Up: up, Cost: cost})
	}
	secret := func(m *model, c network.ClusterName, ns, name string) *world.SecretView {
		list := &m.cluster(c).Secrets
		i := slices.IndexFunc(*list, func(s world.SecretView) bool { return s.Namespace == ns && s.Name == name })
		if i < 0 {
			*list = append(*list, world.SecretView{Meta: world.Meta{Namespace: ns, Name: name, UID: m.uid()}})
			i = len(*list) - 1
		}
		return &(*list)[i]
	}
	grant := func(m *model, name, expires string) {
		meta := world.Meta{Namespace: "hub", Name: name, UID: m.uid(), Labels: m.labels(plan.LabelLink, strings.Split(name, "-")[1]+"-hub")}
		m.cluster("a").Grants = append(m.cluster("a").Grants, world.GrantView{Meta: meta, Expires: expires})
	}
	stray := func(m *model, link string) world.Meta {
		return world.Meta{Namespace: "spoke", Name: link, UID: m.uid(), Labels: m.labels(plan.LabelLink, link)}
	}
	for _, tt := range []struct {
		name   string
		via    network.Via
		change func(m *model)
		// drift are the actions' IDs, with verb; word is in the first fact.
		drift, want []string
		word        string
	}{
		{name: "nothing", change: func(*model) {}},
		{name: "a link that is down", change: func(m *model) { spoke(m).Operational, spoke(m).Message = false, "Not Operational" },
			want: []string{"error link-down link/spoke-hub"}, word: "Link spoke-hub is not operational: Not Operational"},
		{name: "a link that is not configured", change: func(m *model) { spoke(m).Operational, spoke(m).Configured = false, false },
			want: []string{"error link-down link/spoke-hub"}, word: "not configured"},
		{name: "a link that only its status has down", change: func(m *model) { spoke(m).Operational = false; report(m, "spoke-hub", true, 1) },
			want: []string{"error link-down link/spoke-hub"}, word: "controller has missed it"},
		{name: "a cost edit, after which Operational stays as it was", change: func(m *model) { spoke(m).Current = false; report(m, "spoke-hub", true, 1) }},
		{name: "a new link and a report without it", change: func(m *model) {
			spoke(m).Operational, spoke(m).Unreported = false, true
			report(m, "other", true, 1)
		}, want: []string{"warning link-unknown link/spoke-hub"}, word: "whether Link spoke-hub is up is not known: the routers' report does not have it"},
		{name: "another site's report", change: func(m *model) {
			m.cluster("a").Reports = append(m.cluster("a").Reports, world.SiteReport{Site: hub(m).UID, Links: []world.LinkReport{{Name: "spoke-hub", Up: true, Cost: 9}}})
		}},
		{name: "a change that the controller has yet to see", change: func(m *model) {
			spoke(m).Configured = false
			hub(m).Ready, hub(m).WasReady = false, true
		}},
		{name: "a link that an apply did not finish, and is up", change: func(m *model) { m.underWay() }},
		{name: "a link that an apply did not finish, and of which no report came", change: func(m *model) {
			m.underWay()
			spoke(m).Operational, spoke(m).Unreported = false, true
			m.cluster("b").Reports = []world.SiteReport{{Site: m.cluster("b").Sites[0].UID, Fault: "it is cut"}}
		}, want: []string{"warning link-unknown link/spoke-hub"}, word: "whether Link spoke-hub is up is not known: it is cut"},
		{name: "a link that an apply did not finish", change: func(m *model) { m.underWay(); spoke(m).Operational, spoke(m).Message = false, "Not Operational" },
			want: []string{"error link-down link/spoke-hub"}, word: "interrupted, and Link spoke-hub is not operational: Not Operational"},
		{name: "a link that an apply did not begin to make", change: func(m *model) { m.underWay(); m.cluster("b").Links = nil },
			want: []string{"error link-down link/spoke-hub"}, word: "has no Link"},
		{name: "a link of two of which one is down", change: func(m *model) {
			two := *spoke(m)
			two.Name, two.UID, two.Operational = "spoke-hub-2", m.uid(), false
			m.cluster("b").Links = append(m.cluster("b").Links, two)
			m.cluster("b").Inventories[0].Content.Links["spoke-hub"] = func(l record.Link) record.Link {
				l.Objects = []string{"spoke-hub", "spoke-hub-2"}
				return l
			}(m.cluster("b").Inventories[0].Content.Links["spoke-hub"])
			for i := range m.cluster("b").Links {
				m.cluster("b").Links[i].Endpoints[0].Group = "skupper-router"
			}
		}, drift: []string{"update link/spoke-hub"}, want: []string{"warning link-down link/spoke-hub"}, word: "another Link of it is up"},
		{name: "a link that is gone", change: func(m *model) { m.cluster("b").Links = nil }, drift: []string{"create link/spoke-hub"}},
		{name: "another cost in the router", change: func(m *model) { report(m, "spoke-hub", true, 5) },
			want: []string{"warning link-cost link/spoke-hub"}, word: "at cost 5, and it asks for 1"},
		{name: "the same cost in one of two routers", change: func(m *model) { report(m, "spoke-hub", false, 5); report(m, "spoke-hub", true, 1) }},
		{name: "another cost in the Link and in the router", change: func(m *model) { spoke(m).Cost = 4; report(m, "spoke-hub", true, 1) },
			drift: []string{"update link/spoke-hub"}},
		{name: "a cost of a link that is down", change: func(m *model) { report(m, "spoke-hub", false, 5) },
			want: []string{"error link-down link/spoke-hub"}, word: "the routers of its site report it down"},
		{name: "one of two addresses moved", change: func(m *model) {
			spoke(m).Endpoints = append(spoke(m).Endpoints, world.Endpoint{Name: "edge", Host: "old", Port: "45671", Group: "skupper-router"})
		}, want: []string{"warning endpoint-moved link/spoke-hub"}, word: "leads to edge old:45671"},
		{name: "all addresses moved", change: func(m *model) { hub(m).Endpoints[0].Host = "elsewhere" }, drift: []string{"replace link/spoke-hub"}},
		{name: "addresses of a link by certificate moved", via: network.ViaCertificate, change: func(m *model) { hub(m).Endpoints[0].Host = "elsewhere" },
			drift: []string{"update link/spoke-hub"}},
		{name: "the address of a link made by hand", change: func(m *model) {
			l := m.cluster("b").Inventories[0].Content.Links["spoke-hub"]
			l.Adopted = true
			m.cluster("b").Inventories[0].Content.Links["spoke-hub"] = l
			hub(m).Endpoints[0].Host = "elsewhere"
		}, want: []string{"warning endpoint-moved link/spoke-hub"}},
		{name: "a certificate that ends soon", change: func(m *model) { secret(m, "b", "spoke", "spoke-hub").Expires = "2026-01-20T00:00:00Z" },
			want: []string{"warning certificate-expiring link/spoke-hub"}, word: "certificate ends at 2026-01-20"},
		{name: "a certificate that ended", change: func(m *model) { secret(m, "b", "spoke", "spoke-hub").Expires = now },
			want: []string{"error certificate-expired link/spoke-hub"}},
		{name: "a certificate that lasts", change: func(m *model) { secret(m, "b", "spoke", "spoke-hub").Expires = soon }},
		{name: "a CA that is newer by far", change: func(m *model) {
			secret(m, "a", "hub", "skupper-site-ca").Created, secret(m, "b", "spoke", "spoke-hub").Created = 10_000, 1_000
		}, want: []string{"warning ca-mismatch link/spoke-hub"}, word: "2 hours after"},
		{name: "a CA that is newer by another clock", change: func(m *model) {
			secret(m, "a", "hub", "skupper-site-ca").Created, secret(m, "b", "spoke", "spoke-hub").Created = 1_500, 1_000
		}},
		{name: "a CA that is older", change: func(m *model) {
			secret(m, "a", "hub", "skupper-site-ca").Created, secret(m, "b", "spoke", "spoke-hub").Created = 1_000, 10_000
		}},
		{name: "another issuer", change: func(m *model) {
			hub(m).Fields["defaultIssuer"] = "own"
			m.cluster("a").Inventories[0].Content.Fields["defaultIssuer"] = "own"
			secret(m, "a", "hub", "own").Created, secret(m, "b", "spoke", "spoke-hub").Created = 10_000, 1_000
		}, want: []string{"warning ca-mismatch link/spoke-hub"}, word: "Secret own"},
		{name: "a site made anew", change: func(m *model) { hub(m).UID = "other" }, drift: []string{"replace link/spoke-hub"}},
		{name: "a site that is not ready", change: func(m *model) { hub(m).Ready, hub(m).Message = false, "no pods" },
			want: []string{"error site-not-ready site/hub"}, word: "no pods"},
		{name: "a lost inventory", change: func(m *model) { m.cluster("b").Inventories = nil }, want: []string{"error inventory-lost site/spoke"}},
		{name: "a lost inventory and a link that is down", change: func(m *model) { m.cluster("b").Inventories, spoke(m).Operational = nil, false },
			want: []string{"error link-down link/spoke-hub", "error inventory-lost site/spoke"}},
		{name: "a Link made by hand", change: func(m *model) {
			m.cluster("b").Links = append(m.cluster("b").Links, world.LinkView{
				Meta: world.Meta{Namespace: "spoke", Name: "by-hand", UID: m.uid()}, Operational: true, RemoteSiteName: "hub", Cost: 3})
		}, want: []string{"warning unmanaged-link link/by-hand"}, word: "from site spoke to site hub at cost 3"},
		{name: "an open grant of a link", change: func(m *model) { grant(m, "net-spoke-hub-2", "2026-01-02T03:09:05Z") },
			drift: []string{"update link/spoke-hub"}, want: []string{"warning grant-left-open link/spoke-hub"}, word: "until 2026-01-02T03:09:05Z"},
		{name: "an open grant of no link", change: func(m *model) { grant(m, "net-gone-hub-1", "") },
			want: []string{"warning grant-left-open link/gone-hub"}},
		{name: "an expired grant of no link", change: func(m *model) { grant(m, "net-gone-hub-1", now[:10]) },
			want: []string{"warning leftover link/gone-hub"}},
		{name: "an expired grant of a link", change: func(m *model) { grant(m, "net-spoke-hub-1", now[:10]) }, drift: []string{"update link/spoke-hub"}},
		{name: "a redeemed grant", change: func(m *model) { grant(m, "net-spoke-hub-1", "") }, drift: []string{"update link/spoke-hub"}},
		{name: "a token of no link", change: func(m *model) {
			m.cluster("b").Tokens = append(m.cluster("b").Tokens, world.TokenView{Meta: stray(m, "gone")})
		}, want: []string{"warning leftover link/gone"}, word: "AccessToken spoke/gone on cluster b"},
		{name: "a token of no link while a cluster is away", change: func(m *model) {
			m.cluster("b").Tokens = append(m.cluster("b").Tokens, world.TokenView{Meta: stray(m, "gone")})
			m.cluster("a").State = plan.StateUnreachable
		}},
		{name: "a Link of no link", change: func(m *model) {
			m.cluster("b").Links = append(m.cluster("b").Links, world.LinkView{Meta: stray(m, "gone"), Operational: true})
		}, want: []string{"warning leftover link/gone"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newModel(t, "net", "a", "b")
			n := twoSites(1)
			if tt.via != "" {
				n.Links[0].Via = tt.via
			}
			d := desired.Build(n)
			m.run(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
			tt.change(m)
			p := m.drift(d)
			var actions []string
			for _, a := range p.Actions {
				actions = append(actions, string(a.Verb)+" "+a.ID)
			}
			if diff := cmp.Diff(tt.drift, actions); diff != "" {
				t.Errorf("drift (-want +got):\n%s%s", diff, dump(p))
			}
			if diff := cmp.Diff(tt.want, said(p.Live)); diff != "" {
				t.Errorf("facts (-want +got):\n%s\n%+v", diff, p.Live)
			}
			if tt.word != "" && (len(p.Live) == 0 || !strings.Contains(p.Live[0].Message+p.Live[0].Fix, tt.word)) {
				t.Errorf("no %q in %+v", tt.word, p.Live)
			}
			for _, l := range p.Live {
				if l.Cluster == "" || l.Namespace == "" || l.Fix == "" {
					t.Errorf("no place or no way out: %+v", l)
				}
			}
			bad := slices.ContainsFunc(tt.want, func(s string) bool { return strings.HasPrefix(s, "error") })
			if p.Ill() != (bad || len(tt.drift) > 0) {
				t.Errorf("ill: %t", p.Ill())
			}
		})
	}
}

// Rules cover facts too, by their codes.
func TestIgnoredFacts(t *testing.T) {
	t.Parallel()
	m := up(t)
	m.cluster("b").Links[0].Operational = false
	m.cluster("a").Sites[0].Ready = false
	d := desired.Build(twoSites(1))
	p := m.drift(d, "link/spoke-*/link-down", "site/*/site-not-ready")
	if diff := cmp.Diff([]string{"link/spoke-hub link-down <nil>><nil> by link/spoke-*/link-down", "site/hub site-not-ready <nil>><nil> by site/*/site-not-ready"}, notes(p.Ignored)); diff != "" || p.Ill() {
		t.Errorf("ill: %t\n%s", p.Ill(), diff)
	}
	p = drift.Of(planner.Input{Desired: d, Observation: m.obs, Now: now, Filter: plan.Filter{Sites: []network.SiteName{"hub"}}}, desired.LastApplied(m.obs, d))
	if diff := cmp.Diff([]string{"error link-down link/spoke-hub", "error site-not-ready site/hub"}, said(p.Live)); diff != "" {
		t.Errorf("of the hub:\n%s", diff)
	}
	p = drift.Of(planner.Input{Desired: d, Observation: m.obs, Now: now, Filter: plan.Filter{Sites: []network.SiteName{"other"}}}, desired.LastApplied(m.obs, d))
	if len(p.Live) > 0 {
		t.Errorf("of another site: %v", said(p.Live))
	}
}

// A fact about a site of which no record tells is of that site all the same.
func TestFactsOfTheUnrecordedAreNarrowed(t *testing.T) {
	t.Parallel()
	labelled := func(m *model, ns string) world.Meta {
		return world.Meta{Namespace: ns, Name: "gone", UID: m.uid(), Labels: m.labels(plan.LabelLink, "gone")}
	}
	for name, tt := range map[string]struct {
		site   network.SiteName
		change func(m *model)
		want   []string
	}{
		"a link that is down": {"spoke", func(m *model) { m.cluster("b").Inventories, m.cluster("b").Links[0].Operational = nil, false },
			[]string{"error link-down link/spoke-hub", "error inventory-lost site/spoke"}},
		"a Link made by hand": {"spoke", func(m *model) {
			m.cluster("b").Inventories = nil
			m.cluster("b").Links = append(m.cluster("b").Links, world.LinkView{Meta: world.Meta{Namespace: "spoke", Name: "by-hand", UID: m.uid()}})
		}, []string{"error inventory-lost site/spoke", "warning unmanaged-link link/by-hand"}},
		"an open grant": {"hub", func(m *model) {
			m.cluster("a").Grants = append(m.cluster("a").Grants, world.GrantView{Meta: labelled(m, "hub")})
		}, []string{"warning grant-left-open link/gone"}},
		"a token": {"spoke", func(m *model) {
			m.cluster("b").Tokens = append(m.cluster("b").Tokens, world.TokenView{Meta: labelled(m, "spoke")})
		}, []string{"warning leftover link/gone"}},
	} {
		m := up(t)
		tt.change(m)
		d := desired.Build(twoSites(1))
		for site, want := range map[network.SiteName][]string{tt.site: tt.want, "other": nil} {
			p := drift.Of(planner.Input{Desired: d, Observation: m.obs, Now: now, Filter: plan.Filter{Sites: []network.SiteName{site}}}, desired.LastApplied(m.obs, d))
			if diff := cmp.Diff(want, said(p.Live)); diff != "" {
				t.Errorf("%s, of %s (-want +got):\n%s", name, site, diff)
			}
		}
	}
}

// Every code may be ignored, and no other.
func TestCodesOfFacts(t *testing.T) {
	t.Parallel()
	codes := []string{
		plan.LiveLinkDown, plan.LiveLinkUnknown, plan.LiveLinkCost, plan.LiveEndpointMoved, plan.LiveCertificateExpiring, plan.LiveCertificateExpired,
		plan.LiveCAMismatch, plan.LiveUnmanagedLink, plan.LiveLeftover, plan.LiveGrantLeftOpen, plan.LiveUnmanagedGrant, plan.LiveUnmanagedSite, plan.LiveSiteNotReady, plan.LiveInventoryLost,
	}
	known := slices.Concat(network.LinkFacts, network.SiteFacts)
	slices.Sort(codes)
	slices.Sort(known)
	if diff := cmp.Diff(known, codes); diff != "" {
		t.Error(diff)
	}
}

// What git moved stands apart from what the clusters moved, field by field.
func TestBehind(t *testing.T) {
	t.Parallel()
	m := up(t)
	for i, site := range []string{"c0ffee", ""} {
		c := []network.ClusterName{"a", "b"}[i]
		m.cluster(c).Inventories[0].Content.Commit = site
	}
	m.cluster("b").Links[0].Cost = 7
	n := twoSites(5)
	n.Sites[0].Settings = map[string]string{"x": "y"}
	p := m.drift(desired.Build(n))
	if len(p.Actions) != 1 || p.Actions[0].Fields[0].To != int32(1) {
		t.Errorf("drift: %s", dump(p))
	}
	var got []string
	for _, a := range p.Behind {
		got = append(got, describe(a))
	}
	if diff := cmp.Diff([]string{
		"update site/hub pending restart [record site ready] settings.x <nil>>y",
		"update link/spoke-hub both reconnect [record take-over configured] cost 7>5 after site/hub",
	}, got); diff != "" {
		t.Errorf("behind (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]plan.Applied{{Commit: "", Sites: []network.SiteName{"spoke"}}, {Commit: "c0ffee", Sites: []network.SiteName{"hub"}}}, p.Applied); diff != "" {
		t.Errorf("applied (-want +got):\n%s", diff)
	}
	m.cluster("b").Inventories[0].Content.Commit, m.cluster("b").Inventories[0].Content.Dirty = "c0ffee", true
	if diff := cmp.Diff([]plan.Applied{
		{Commit: "c0ffee", Sites: []network.SiteName{"hub"}}, {Commit: "c0ffee", Dirty: true, Sites: []network.SiteName{"spoke"}},
	}, m.drift(desired.Build(n)).Applied); diff != "" {
		t.Errorf("applied with uncommitted changes (-want +got):\n%s", diff)
	}
	m.cluster("b").Links[0].Cost = 1
	if p = m.drift(desired.Build(n)); p.Ill() || len(p.Behind) != 2 {
		t.Errorf("git alone moved: ill %t, behind %d", p.Ill(), len(p.Behind))
	}
	if p = m.drift(desired.Build(twoSites(1))); len(p.Behind) > 0 {
		t.Errorf("nothing moved: %v", p.Behind)
	}
}

// A Site that git gives another name is made anew by git, and so are its links: nothing is
// gone from a cluster.
func TestARenamedSiteIsNoDrift(t *testing.T) {
	t.Parallel()
	for i, link := range []string{"replace link/spoke-hub pending", "create link/spoke-hub pending"} {
		m := up(t)
		d := desired.Build(twoSites(1))
		d.Sites[i].Object = "other"
		text := dump(planner.Make(planner.Input{Desired: d, Observation: m.obs}))
		if !strings.Contains(text, fmt.Sprintf("create site/%s pending", d.Sites[i].Name)) || !strings.Contains(text, link) {
			t.Error(text)
		}
		if p := m.drift(d); p.Ill() || len(p.Behind) != 3 {
			t.Errorf("ill: %t, behind %v", p.Ill(), p.Behind)
		}
	}
}

// Where the clusters moved nothing, git is ahead by all that a plan has.
func TestBehindIsThePlan(t *testing.T) {
	t.Parallel()
	split := 0
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 34))
		m := newModel(t, "net", "a", "b")
		m.digest = "d1"
		if first := planner.Make(planner.Input{Desired: randomObjects(r, randomNetwork(r)), Observation: m.obs}); len(first.Refusals) == 0 {
			m.run(first)
		}
		d := randomObjects(r, randomNetwork(r))
		for i := range d.Sites {
			if r.IntN(4) == 0 {
				d.Sites[i].Object = "renamed"
			}
		}
		ids := func(list []plan.Action) (out []string) {
			for _, a := range list {
				out = append(out, a.ID)
				if strings.HasSuffix(a.ID, "@old") {
					split++
				}
			}
			return out
		}
		want := ids(planner.Make(planner.Input{Desired: d, Observation: m.obs}).Actions)
		if diff := cmp.Diff(want, ids(m.drift(d).Behind)); diff != "" {
			t.Fatalf("seed %d (-plan +behind):\n%s\n%s", seed, diff, dump(planner.Make(planner.Input{Desired: d, Observation: m.obs})))
		}
	}
	if split == 0 {
		t.Error("no old Link ever went in an action of its own")
	}
}

// A certificate that ends soon is told once, as a fact.
func TestDriftTellsOfExpiryOnce(t *testing.T) {
	t.Parallel()
	m := up(t)
	for i := range m.cluster("b").Secrets {
		m.cluster("b").Secrets[i].Expires = "2026-01-20T00:00:00Z"
	}
	p := m.drift(desired.Build(twoSites(1)))
	if p.Diagnostics.Count(diag.Warning) != 0 || len(p.Live) != 1 {
		t.Errorf("%v\n%v", p.Diagnostics, p.Live)
	}
}
