package planner_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// randomNetwork makes up a valid network over two clusters.
func randomNetwork(r *rand.Rand) network.Network {
	n := network.Network{Name: "net", Clusters: []network.Cluster{{Name: "a"}, {Name: "b"}}}
	for i := range 1 + r.IntN(5) {
		s := network.Site{
			Name: network.SiteName(fmt.Sprintf("s%d", i)), Cluster: []network.ClusterName{"a", "b"}[r.IntN(2)],
			LinkAccess: []string{"default", "default", "nodeport", "none"}[r.IntN(4)], HA: r.IntN(4) == 0,
			Settings: map[string]string{},
		}
		s.Namespace = fmt.Sprintf("ns%d", i)
		if r.IntN(6) == 0 {
			s.Name += "x" // a site renamed in place
		}
		if r.IntN(3) == 0 {
			s.Object = fmt.Sprintf("obj%d", i) // stays when the key changes
		}
		if r.IntN(4) == 0 {
			s.Settings["router-data-connection-count"] = "2"
		}
		n.Sites = append(n.Sites, s)
	}
	n.Proxies = []network.Proxy{{Name: "p", Host: []string{"h1", "h2"}[r.IntN(2)], Port: 3128}, {Name: "q", Host: "h3", Port: 1 + r.IntN(2)}}
	for i := range r.IntN(6) {
		from, to := n.Sites[r.IntN(len(n.Sites))], n.Sites[r.IntN(len(n.Sites))]
		if from.Name == to.Name || !to.Listens() {
			continue
		}
		n.Links = append(n.Links, network.Link{
			Name: network.LinkName(fmt.Sprintf("l%d", i)), From: from.Name, To: to.Name, Cost: 1 + r.Int32N(3),
			Via: []network.Via{network.ViaToken, network.ViaCertificate}[r.IntN(2)], Rotation: r.Int32N(8) / 6,
		})
		if l := &n.Links[len(n.Links)-1]; l.Via == network.ViaCertificate && r.IntN(2) == 0 {
			l.Proxy = n.Proxies[r.IntN(2)].Name
		}
	}
	return n
}

func makePlan(n network.Network, o world.Observation) plan.Plan {
	return planner.Make(planner.Input{Desired: desired.Build(n), Observation: o})
}

// The invariant: carried out, a plan leaves nothing to plan, whatever the network
// was, whatever it becomes, and whatever happened to the clusters in between.
func TestPlanOfPlanIsEmpty(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := newModel(t, "net", "a", "b")
		n := network.Network{}
		for round := range 4 {
			if round == 0 || r.IntN(4) > 0 {
				n = randomNetwork(r)
			}
			m.digest = []string{"d1", "d2"}[r.IntN(2)]
			for range r.IntN(3) {
				m.meddle(r)
			}
			p := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs, Adopt: true})
			if len(p.Refusals) > 0 {
				if !strings.HasPrefix(p.Refusals[0].Code, "foreign-") {
					t.Fatalf("seed %d round %d: %v", seed, round, p.Refusals)
				}
				break // labels that were taken off make an object foreign to a network that moved on
			}
			m.run(p)
			again := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs})
			if again.Pending() || len(again.Refusals) > 0 {
				t.Fatalf("seed %d round %d: still to do after\n%s\n%s", seed, round, dump(p), dump(again))
			}
			m.noStray(fmt.Sprintf("seed %d round %d", seed, round), n, p)
		}
	}
}

// noStray checks that of ours there is what the network describes and no more.
func (m *model) noStray(when string, n network.Network, p plan.Plan) {
	m.t.Helper()
	links, secrets := map[string]bool{}, 0
	for _, c := range m.obs.Clusters {
		for _, v := range c.Grants {
			if v.Owned(m.net) {
				m.t.Fatalf("%s: grant %s is left after\n%s", when, v.Name, dump(p))
			}
		}
		for _, v := range c.Tokens {
			if v.Owned(m.net) {
				m.t.Fatalf("%s: token %s is left after\n%s", when, v.Name, dump(p))
			}
		}
		for _, v := range c.Links {
			if v.Owned(m.net) {
				links[v.Labels[plan.LabelLink]] = true
			}
		}
		for _, v := range c.Secrets {
			foreign := func(l world.LinkView) bool {
				return l.Namespace == v.Namespace && l.TLSCredentials == v.Name && !l.Owned(m.net)
			}
			if v.Owned(m.net) && v.Labels[plan.LabelLink] != "" && !slices.ContainsFunc(c.Links, foreign) {
				secrets++
			}
		}
	}
	m.noLateAnswer(when, p)
	m.noStrayOfProxies(when, n, p)
	if len(links) != len(n.Links) || secrets != len(n.Links) {
		m.t.Fatalf("%s: %d links and %d Secrets on the clusters, %d described, after\n%s", when, len(links), secrets, len(n.Links), dump(p))
	}
}

// noLateAnswer checks that nothing unlabelled is left that a redemption of ours made.
func (m *model) noLateAnswer(when string, p plan.Plan) {
	m.t.Helper()
	for _, c := range m.obs.Clusters {
		for _, v := range c.Links {
			if len(v.Labels) == 0 && v.OwnerUID != "" && v.Name == v.TLSCredentials {
				m.t.Fatalf("%s: Link %s is left after\n%s", when, v.Name, dump(p))
			}
		}
		for _, v := range c.Secrets {
			ours := slices.ContainsFunc(c.Sites, func(s world.SiteView) bool { return s.UID == v.OwnerUID })
			if len(v.Labels) == 0 && ours {
				m.t.Fatalf("%s: Secret %s is left after\n%s", when, v.Name, dump(p))
			}
		}
	}
}

// noStrayOfProxies checks the Certificates and the proxies' Secrets: one for each link
// by certificate, one for each proxy at a connecting site.
func (m *model) noStrayOfProxies(when string, n network.Network, p plan.Plan) {
	m.t.Helper()
	certificates, proxies, most := 0, 0, 0
	for _, c := range m.obs.Clusters {
		for _, s := range c.Secrets {
			issued := func(v world.CertificateView) bool { return v.UID == s.OwnerUID }
			if strings.HasPrefix(s.Name, "net-") && s.OwnerUID != "" && !slices.ContainsFunc(c.Certificates, issued) {
				m.t.Fatalf("%s: Secret %s of a deleted Certificate is left after\n%s", when, s.Name, dump(p))
			}
		}
		for _, v := range c.Certificates {
			if v.Owned(m.net) { // without labels and inventory nothing tells whose one is
				certificates++
			}
		}
		for _, v := range c.Proxies {
			foreign := func(l world.LinkView) bool { return l.Namespace == v.Namespace && l.Proxy == v.Name && !l.Owned(m.net) }
			if !slices.ContainsFunc(c.Links, foreign) {
				proxies++
			}
		}
	}
	used := map[string]bool{}
	for _, l := range n.Links {
		if l.Via == network.ViaCertificate {
			most++
		}
		if l.Proxy != "" {
			used[string(l.From)+"/"+string(l.Proxy)] = true
		}
	}
	if certificates > most || proxies < len(used) || proxies > most {
		m.t.Fatalf("%s: %d Certificates and %d proxy Secrets, %d and %d described, after\n%s", when, certificates, proxies, most, len(used), dump(p))
	}
}

func dump(p plan.Plan) string {
	var lines []string
	for _, a := range p.Actions {
		lines = append(lines, describe(a)+" in "+string(a.Cluster)+"/"+a.Namespace+": "+a.Why)
	}
	return strings.Join(lines, "\n")
}

// The plan does not depend on the order of its input, and survives JSON.
func TestPlanIsDeterministic(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 2))
		m := newModel(t, "net", "a", "b")
		n := randomNetwork(r)
		if seed%2 == 0 {
			n = randomMesh(r)
		}
		m.run(makePlan(n, m.obs))
		m.meddle(r)
		if n = randomNetwork(r); seed%2 == 0 {
			n = mutated(r, randomMesh(r))
		}
		p := m.railed(n, network.DefaultDeletes, plan.Filter{})
		shuffleAll(r, m, &n)
		if diff := cmp.Diff(p, m.railed(n, network.DefaultDeletes, plan.Filter{})); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range p.Actions {
			if a.Fields == nil {
				t.Fatalf("seed %d: %s has no list of fields", seed, a.ID)
			}
		}
		if at := nullList.FindString(string(data)); at != "" {
			t.Fatalf("seed %d: a list is null: %s", seed, at)
		}
		back, err := plan.Decode(data)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if back.ID != p.ID {
			t.Fatalf("seed %d: the ID changed", seed)
		}
	}
}

// shuffleAll changes the order of everything that a plan is made of.
func shuffleAll(r *rand.Rand, m *model, n *network.Network) {
	for i := range m.obs.Clusters {
		c := &m.obs.Clusters[i]
		shuffle(r, c.Namespaces)
		shuffle(r, c.Sites)
		shuffle(r, c.Links)
		shuffle(r, c.Grants)
		shuffle(r, c.Tokens)
		shuffle(r, c.Secrets)
		shuffle(r, c.Inventories)
		shuffle(r, c.Accesses)
		shuffle(r, c.Certificates)
		shuffle(r, c.Proxies)
	}
	shuffle(r, m.obs.Clusters)
	shuffle(r, n.Clusters)
	shuffle(r, n.Sites)
	shuffle(r, n.Links)
	shuffle(r, n.Proxies)
}

var nullList = regexp.MustCompile(`"(actions|steps|dependsOn|live|remove|refusals|unmanaged|clusters|components|effects|diagnostics)":null`)

func shuffle[T any](r *rand.Rand, s []T) {
	r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
}

// twoSites is the smallest linked network.
func twoSites(cost int32) network.Network {
	return network.Network{
		Name: "net", Clusters: []network.Cluster{{Name: "a"}, {Name: "b"}},
		Sites: []network.Site{{Name: "hub", Cluster: "a", Namespace: "hub", LinkAccess: "default"}, {Name: "spoke", Cluster: "b", Namespace: "spoke"}},
		Links: []network.Link{{Name: "spoke-hub", From: "spoke", To: "hub", Cost: cost, Via: network.ViaToken}},
	}
}

func up(t *testing.T) *model {
	m := newModel(t, "net", "a", "b")
	m.run(makePlan(twoSites(1), m.obs))
	return m
}

// underWay marks the spoke's link as an interrupted apply does.
func (m *model) underWay() {
	links := m.cluster("b").Inventories[0].Content.Links
	l := links["spoke-hub"]
	l.State = record.LinkUnderWay
	links["spoke-hub"] = l
}

// summaries of what one change leads to: verb, cause and reason of each action.
func TestActions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(m *model, n *network.Network)
		want   []string
	}{
		{"nothing", func(*model, *network.Network) {}, nil},
		{"cost in git", func(_ *model, n *network.Network) { n.Links[0].Cost = 5 },
			[]string{"update link/spoke-hub pending reconnect [record take-over configured] cost 1>5"}},
		{"cost on the cluster", func(m *model, _ *network.Network) { m.cluster("b").Links[0].Cost = 5 },
			[]string{"update link/spoke-hub drift reconnect [take-over configured] cost 5>1"}},
		{"cost on both", func(m *model, n *network.Network) { m.cluster("b").Links[0].Cost = 5; n.Links[0].Cost = 9 },
			[]string{"update link/spoke-hub both reconnect [record take-over configured] cost 5>9"}},
		{"cost changed by hand to what git says now", func(m *model, n *network.Network) { m.cluster("b").Links[0].Cost = 5; n.Links[0].Cost = 5 },
			[]string{"update link/spoke-hub pending none [record]"}},
		{"Link deleted", func(m *model, _ *network.Network) { m.cluster("b").Links = nil },
			[]string{"create link/spoke-hub drift none [record grant redeem take-over configured operational clean confirm] attempt 2"}},
		{"Secret deleted", func(m *model, _ *network.Network) { m.cluster("b").Secrets = nil },
			[]string{"replace link/spoke-hub drift replace [record grant redeem take-over configured operational retire clean confirm] attempt 2"}},
		{"hub made anew", func(m *model, _ *network.Network) { m.cluster("a").Sites[0].UID = "new" },
			[]string{"replace link/spoke-hub drift replace [record grant redeem take-over configured operational retire clean confirm] attempt 2"}},
		{"label taken off", func(m *model, _ *network.Network) { m.cluster("b").Links[0].Labels = nil },
			[]string{"update link/spoke-hub drift none [take-over configured]"}},
		{"link removed", func(_ *model, n *network.Network) { n.Links = nil },
			[]string{"delete link/spoke-hub pending reconnect [delete confirm]"}},
		{"site removed", func(_ *model, n *network.Network) { n.Links, n.Sites = nil, n.Sites[:1] },
			[]string{"delete link/spoke-hub pending reconnect [delete confirm]", "delete site/spoke pending reconnect [delete] after link/spoke-hub"}},
		{"cluster unreachable", func(m *model, n *network.Network) {
			n.Links, n.Sites = nil, nil
			m.cluster("b").State = plan.StateUnreachable
		}, nil}, // a link may lead to the hub from there
		{"setting", func(_ *model, n *network.Network) {
			n.Sites[1].Settings = map[string]string{"router-data-connection-count": "2"}
		},
			[]string{"update site/spoke pending restart [record site ready] settings.router-data-connection-count <nil>>2"}},
		{"a listening site becomes an edge", func(m *model, n *network.Network) {
			n.Links, n.Sites[0].LinkAccess, n.Sites[0].Edge = nil, "", true
			m.cluster("a").Accesses = []world.AccessView{{Meta: world.Meta{Namespace: "hub", Name: world.RouterAccess, UID: "access"}}}
		}, []string{
			"update site/hub pending restart [record quiet close site ready] edge false>true linkAccess default>none",
			"delete link/spoke-hub pending reconnect [delete confirm]",
		}},
		{"protect", func(_ *model, n *network.Network) { n.Sites[0].Protect = true },
			[]string{"update site/hub pending none [record site ready] protect false>true"}},
		{"interrupted", func(m *model, _ *network.Network) {
			inv := m.cluster("b").Inventories[0].Content
			l := inv.Links["spoke-hub"]
			l.State = record.LinkUnderWay
			inv.Links["spoke-hub"] = l
		}, []string{"create link/spoke-hub pending none [record grant redeem take-over configured operational clean confirm] attempt 1"}},
		{"interrupted, and the hub made anew since", func(m *model, _ *network.Network) {
			m.underWay()
			m.cluster("a").Sites[0].UID = "new"
		}, []string{"replace link/spoke-hub pending replace [record grant redeem take-over configured operational retire clean confirm] attempt 2"}},
		{"interrupted, and its Secret deleted since", func(m *model, _ *network.Network) {
			m.underWay()
			m.cluster("b").Secrets = nil
		}, []string{"replace link/spoke-hub pending replace [record grant redeem take-over configured operational retire clean confirm] attempt 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, n := up(t), twoSites(1)
			tt.change(m, &n)
			var got []string
			for _, a := range makePlan(n, m.obs).Actions {
				got = append(got, describe(a))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func describe(a plan.Action) string {
	s := fmt.Sprintf("%s %s %s %s %v", a.Verb, a.ID, a.Cause, a.Disruption, a.Steps)
	for _, f := range a.Fields {
		s += fmt.Sprintf(" %s %v>%v", f.Path, f.From, f.To)
	}
	if len(a.DependsOn) > 0 {
		s += " after " + strings.Join(a.DependsOn, " ")
	}
	if a.Has(plan.StepGrant) || a.Has(plan.StepCertificate) {
		s += fmt.Sprintf(" attempt %d", a.Link.Attempt)
	}
	return s
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	foreign := func(m *model) { m.cluster("b").Sites[0].Labels = nil; m.cluster("b").Inventories = nil }
	for _, tt := range []struct {
		name   string
		change func(m *model, n *network.Network)
		want   []string
	}{
		{"foreign Site of that name", func(m *model, _ *network.Network) { foreign(m) }, []string{"foreign-site"}},
		{"another Site in the namespace", func(m *model, _ *network.Network) {
			foreign(m)
			m.cluster("b").Sites[0].Name = "other"
		}, []string{"foreign-site"}},
		{"foreign Link", func(m *model, _ *network.Network) {
			m.cluster("b").Links[0].Labels = nil
			delete(m.cluster("b").Inventories[0].Content.Links, "spoke-hub")
		}, []string{"foreign-link"}},
		{"another network's Link", func(m *model, _ *network.Network) {
			m.cluster("b").Links[0].Labels = map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: "x", plan.LabelLink: "y"}
			delete(m.cluster("b").Inventories[0].Content.Links, "spoke-hub")
		}, []string{"foreign-link"}},
		{"protected", func(m *model, n *network.Network) {
			m.cluster("a").Inventories[0].Content.Protect = true
			n.Sites, n.Links = n.Sites[1:], nil
		}, []string{"protected"}},
		{"broken inventory", func(m *model, _ *network.Network) {
			m.cluster("a").Inventories[0].Broken = "no JSON"
		}, []string{"broken-inventory"}},
		{"broken inventory of a protected site that is no longer described", func(m *model, n *network.Network) {
			inv := &m.cluster("a").Inventories[0]
			inv.Broken, inv.Content = "no JSON", record.Inventory{Network: "net"}
			n.Sites, n.Links = n.Sites[1:], nil
		}, []string{"broken-inventory"}},
		{"one cluster under two names", func(m *model, _ *network.Network) {
			m.cluster("b").UID = m.cluster("a").UID
		}, []string{"same-cluster"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, n := up(t), twoSites(1)
			tt.change(m, &n)
			var got []string
			for _, r := range makePlan(n, m.obs).Refusals {
				got = append(got, r.Code)
				if r.Override == "" || r.Message == "" || r.Subject == "" {
					t.Errorf("a refusal without %+v", r)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	m := up(t)
	data, err := json.Marshal(makePlan(twoSites(4), m.obs))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"altered":      strings.Replace(string(data), `"cost":4`, `"cost":5`, 1),
		"newer format": strings.Replace(string(data), plan.Format, "fairlead.plan/v9", 1),
		"not JSON":     "{",
	} {
		if _, err := plan.Decode([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
