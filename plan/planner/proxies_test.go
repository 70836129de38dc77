package planner_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/status"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// proxied is the smallest network whose link goes through a proxy.
func proxied() network.Network {
	n := twoSites(1)
	n.Proxies = []network.Proxy{{Name: "corp", Host: "proxy", Port: 3128, Username: &network.SecretRef{Env: "U"}}}
	n.Links[0].Via, n.Links[0].Proxy = network.ViaCertificate, "corp"
	return n
}

// proxiedUp is that network as it is after an apply.
func proxiedUp(t *testing.T, n network.Network) *model {
	m := newModel(t, "net", "a", "b")
	m.digest = "old"
	m.run(planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}))
	return m
}

const (
	certified = "[record certificate carry link take-over configured operational retire clean confirm]"
	fresh     = "[record certificate carry link take-over configured operational clean confirm]"
)

// What a change of a proxy, or of a link by certificate, leads to.
func TestProxyActions(t *testing.T) {
	t.Parallel()
	second := func(n *network.Network) {
		l := n.Links[0]
		l.Name = "again"
		n.Links = append(n.Links, l)
	}
	for _, tt := range []struct {
		name   string
		start  func(n *network.Network)
		change func(m *model, n *network.Network)
		want   []string
	}{
		{"nothing", nil, func(*model, *network.Network) {}, nil},
		{"password", nil, func(m *model, _ *network.Network) { m.digest = "new" }, []string{
			"replace proxy/corp@b/spoke drift replace [record secret] credentials *** in the Secret>*** by the references",
			"replace link/spoke-hub drift replace " + certified + " after proxy/corp@b/spoke attempt 2",
			"delete proxy/fairlead-proxy-corp-1@b/spoke pending none [delete] after link/spoke-hub",
		}},
		{"password from another place", nil, func(m *model, n *network.Network) {
			m.digest = "new"
			n.Proxies[0].Username = &network.SecretRef{Env: "V"}
		}, []string{
			"replace proxy/corp@b/spoke pending replace [record secret] credentials *** in the Secret>*** by the references",
			"replace link/spoke-hub pending replace " + certified + " after proxy/corp@b/spoke attempt 2",
			"delete proxy/fairlead-proxy-corp-1@b/spoke pending none [delete] after link/spoke-hub",
		}},
		{"the same password from another place", nil, func(_ *model, n *network.Network) {
			n.Proxies[0].Username = &network.SecretRef{Env: "V"}
		}, []string{"update proxy/corp@b/spoke pending none [record]"}},
		{"host and port", nil, func(_ *model, n *network.Network) { n.Proxies[0].Host, n.Proxies[0].Port = "other", 1 }, []string{
			"replace proxy/corp@b/spoke pending replace [record secret] host proxy>other port 3128>1",
			"replace link/spoke-hub pending replace " + certified + " after proxy/corp@b/spoke attempt 2",
			"delete proxy/fairlead-proxy-corp-1@b/spoke pending none [delete] after link/spoke-hub",
		}},
		{"Secret changed by hand", nil, func(m *model, _ *network.Network) { m.cluster("b").Proxies[0].Port = "1" }, []string{
			"replace proxy/corp@b/spoke drift replace [record secret] port 1>3128",
			"replace link/spoke-hub drift replace " + certified + " after proxy/corp@b/spoke attempt 2",
			"delete proxy/fairlead-proxy-corp-1@b/spoke pending none [delete] after link/spoke-hub",
		}},
		{"Secret deleted", nil, func(m *model, _ *network.Network) {
			gone := m.cluster("b").Proxies[0]
			m.cluster("b").Proxies = nil
			m.remove([]plan.ObjectRef{{Cluster: "b", Kind: plan.ObjectSecret, Namespace: gone.Namespace, Name: gone.Name, UID: gone.UID}})
		}, []string{
			"create proxy/corp@b/spoke drift replace [record secret]",
			"replace link/spoke-hub drift replace " + certified + " after proxy/corp@b/spoke attempt 2",
		}},
		{"setting taken off the Link", nil, func(m *model, _ *network.Network) { m.cluster("b").Links[0].Proxy = "" }, []string{
			"replace link/spoke-hub drift replace " + certified + " attempt 2",
		}},
		{"no proxy any more", nil, func(_ *model, n *network.Network) { n.Links[0].Proxy = "" }, []string{
			"replace link/spoke-hub pending replace " + certified + " proxy corp> attempt 2",
			"delete proxy/fairlead-proxy-corp-1@b/spoke pending none [delete] after link/spoke-hub",
		}},
		{"link removed", nil, func(_ *model, n *network.Network) { n.Links = nil }, []string{
			"delete link/spoke-hub pending reconnect [delete confirm]",
			"delete proxy/fairlead-proxy-corp-1@b/spoke pending none [delete] after link/spoke-hub",
		}},
		{"one proxy for two links", second, func(m *model, _ *network.Network) { m.digest = "new" }, []string{
			"replace proxy/corp@b/spoke drift replace [record secret] credentials *** in the Secret>*** by the references",
			"replace link/again drift replace " + certified + " after proxy/corp@b/spoke attempt 2",
			"replace link/spoke-hub drift replace " + certified + " after proxy/corp@b/spoke attempt 2",
			"delete proxy/fairlead-proxy-corp-1@b/spoke pending none [delete] after link/again link/spoke-hub",
		}},
		{"one of two links leaves the proxy", second, func(_ *model, n *network.Network) { n.Links[0].Proxy = "" }, []string{
			"replace link/spoke-hub pending replace " + certified + " proxy corp> attempt 2",
		}},
		{"rotation", nil, func(_ *model, n *network.Network) { n.Links[0].Rotation = 1 }, []string{
			"replace link/spoke-hub pending replace " + certified + " rotation 0>1 attempt 2",
		}},
		{"by token", nil, func(_ *model, n *network.Network) { n.Links[0].Via, n.Links[0].Proxy = network.ViaToken, "" }, []string{
			"replace link/spoke-hub pending replace [record grant redeem take-over configured operational retire clean confirm] via certificate>token proxy corp> attempt 2",
			"delete proxy/fairlead-proxy-corp-1@b/spoke pending none [delete] after link/spoke-hub",
		}},
		{"load balancer moved", nil, func(m *model, _ *network.Network) { m.cluster("a").Sites[0].Endpoints[0].Host = "new" }, []string{
			"update link/spoke-hub drift reconnect [take-over configured] endpoints inter-router u2.default:55671>inter-router new:55671",
		}},
		{"Link removed by hand", nil, func(m *model, _ *network.Network) { m.cluster("b").Links = nil }, []string{
			"create link/spoke-hub drift none " + fresh + " attempt 2",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := proxied()
			if tt.start != nil {
				tt.start(&n)
			}
			m := proxiedUp(t, n)
			tt.change(m, &n)
			p := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs})
			var got []string
			for _, a := range p.Actions {
				got = append(got, describe(a))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			m.run(p)
			if again := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs}); again.Pending() {
				t.Errorf("still to do:\n%s", dump(again))
			}
		})
	}
}

// Credentials that cannot be resolved here are unknown: said, counted, and never
// taken for a change.
func TestUnknownCredentials(t *testing.T) {
	t.Parallel()
	n := proxied()
	m := proxiedUp(t, n)
	desired := m.wanted(n)
	desired.Proxies[0].Digest, desired.Proxies[0].Unknown = "", "environment variable \"U\": is not set"
	p := planner.Make(planner.Input{Desired: desired, Observation: m.obs})
	if p.Pending() || p.Summary.Unknown != 1 || len(p.Diagnostics) != 1 || p.Diagnostics[0].Code != "proxy-unknown" {
		t.Errorf("%d unknown, diagnostics %v\n%s", p.Summary.Unknown, p.Diagnostics, dump(p))
	}
	desired.Proxies[0].Port = "1"
	if p := planner.Make(planner.Input{Desired: desired, Observation: m.obs}); p.Summary.Replace != 2 {
		t.Errorf("a changed port goes unnoticed:\n%s", dump(p))
	}
}

// A proxied link that was made by hand is adopted as it is, with its Secret; other
// settings are no ground to touch it.
func TestAdoptProxied(t *testing.T) {
	t.Parallel()
	n := proxied()
	m := proxiedUp(t, n)
	strip := func(meta *world.Meta) { meta.Labels = nil }
	for _, c := range []network.ClusterName{"a", "b"} {
		view := m.cluster(c)
		view.Inventories, view.Certificates = nil, nil
		for i := range view.Sites {
			strip(&view.Sites[i].Meta)
		}
		for i := range view.Links {
			strip(&view.Links[i].Meta)
		}
		for i := range view.Secrets {
			strip(&view.Secrets[i].Meta)
		}
	}
	p := &m.cluster("b").Proxies[0]
	strip(&p.Meta)
	in := planner.Input{Desired: m.wanted(n), Observation: m.obs, Adopt: true}
	var got []string
	for _, a := range planner.Make(in).Actions {
		got = append(got, describe(a))
	}
	if diff := cmp.Diff([]string{
		"adopt site/hub pending none [record site ready]",
		"adopt site/spoke pending none [record site ready]",
		"adopt proxy/corp@b/spoke pending none [record secret] after site/spoke",
		"adopt link/spoke-hub pending none [record take-over configured clean confirm] after proxy/corp@b/spoke site/hub site/spoke",
	}, got); diff != "" {
		t.Error(diff)
	}
	p.Host = "elsewhere"
	if r := planner.Make(in).Refusals; len(r) != 1 || r[0].Code != "foreign-link" || !strings.Contains(r[0].Message, "proxy") {
		t.Errorf("refusals %v", r)
	}
}

// What Skupper before 2.2.0 cannot do is refused, and what it can is not.
func TestVersionGates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		version string
		change  func(n *network.Network)
		want    string
	}{
		{"2.1.3", func(n *network.Network) { n.Links[0].Cost = 5 }, "unsupported-version"},
		{"v2.1.3-rc1", func(n *network.Network) { n.Links[0].Cost = 5 }, "unsupported-version"},
		{"2.1.3", func(n *network.Network) { *n = proxied() }, "unsupported-version"},
		{"2.1.3", func(n *network.Network) { n.Links[0].Cost, n.Links[0].Rotation = 5, 1 }, ""},
		{"2.2.0", func(n *network.Network) { n.Links[0].Cost = 5 }, ""},
		{"2.10.0", func(n *network.Network) { *n = proxied() }, ""},
		{"main-3f2a", func(n *network.Network) { n.Links[0].Cost = 5 }, ""},
		{"", func(n *network.Network) { n.Links[0].Cost = 5 }, ""},
	} {
		m, n := up(t), twoSites(1)
		m.cluster("b").Sites[0].Version = tt.version
		tt.change(&n)
		p := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs})
		got := ""
		if len(p.Refusals) > 0 {
			got = p.Refusals[0].Code
		}
		if got != tt.want || got == "" && !p.Pending() {
			t.Errorf("%q: refused %q, want %q\n%s", tt.version, got, tt.want, dump(p))
		}
	}
}

func TestLatestVersionIsShown(t *testing.T) {
	t.Parallel()
	m := up(t)
	site := m.cluster("b").Sites[0]
	m.cluster("b").Sites[0].Version = "2.9.0"
	site.Version, site.Namespace, site.UID = "2.10.1", "other", "x"
	m.cluster("b").Sites = append(m.cluster("b").Sites, site)
	if v := makePlan(twoSites(1), m.obs).Clusters[1].Skupper; v != "2.10.1" {
		t.Errorf("version %s", v)
	}
}

// A site that is made anew says what that does to the links that lead to it.
func TestBlastRadius(t *testing.T) {
	t.Parallel()
	m, n := up(t), twoSites(1)
	m.cluster("a").Sites = nil
	p := makePlan(n, m.obs)
	if !strings.Contains(p.Actions[0].Why, "recreating hub invalidates 1 inbound link") || p.Summary.Replace != 1 {
		t.Errorf("%s", dump(p))
	}
}

func TestCertificateExpiry(t *testing.T) {
	t.Parallel()
	m, n := up(t), twoSites(1)
	m.cluster("b").Secrets[0].Expires = "2031-01-02T03:04:05Z"
	for before, want := range map[string]int{"2031-01-01T00:00:00Z": 0, "2031-02-01T00:00:00Z": 1, "": 0} {
		p := planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs, ExpiringBefore: before})
		if len(p.Diagnostics) != want || p.Pending() {
			t.Errorf("before %q: %v", before, p.Diagnostics)
		}
		if s := status.Of(m.wanted(n), m.obs, before); (s.Links[0].Reason != "") != (want > 0) {
			t.Errorf("before %q: status %q", before, s.Links[0].Reason)
		}
	}
}
