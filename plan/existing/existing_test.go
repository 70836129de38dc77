package existing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/existing"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// bench is an observation in the making, of the clusters "one" and "two".
type bench struct{ in existing.Input }

func newBench() *bench {
	b := &bench{existing.Input{Network: "net"}}
	for _, name := range []network.ClusterName{"one", "two"} {
		b.in.Clusters = append(b.in.Clusters, network.Cluster{Name: name, Context: "ctx-" + string(name)})
		b.in.Observation.Clusters = append(b.in.Observation.Clusters, world.ClusterView{Name: name, UID: "uid-" + string(name), State: plan.StateOK})
	}
	return b
}

func (b *bench) view(cluster string) *world.ClusterView {
	i := slices.IndexFunc(b.in.Observation.Clusters, func(v world.ClusterView) bool { return string(v.Name) == cluster })
	return &b.in.Observation.Clusters[i]
}

// site adds the Site "cluster/namespace/name", whose UID is the same text.
func (b *bench) site(path string, fields map[string]any, endpoints ...string) *world.SiteView {
	p := strings.Split(path, "/")
	v := b.view(p[0])
	v.Sites = append(v.Sites, world.SiteView{
		Meta: world.Meta{Namespace: p[1], Name: p[2], UID: path}, Ready: true, Fields: fields, Endpoints: endpointsOf(endpoints),
	})
	return &v.Sites[len(v.Sites)-1]
}

// link adds the Link "cluster/namespace/name" that its router knows to lead to the
// Site with the UID, made from a token by the Site "cluster/namespace/owner".
func (b *bench) link(path, to string, cost int32, change ...func(*world.LinkView)) {
	p := strings.Split(path, "/")
	v := b.view(p[0])
	l := world.LinkView{Meta: world.Meta{Namespace: p[1], Name: p[2], UID: path}, Cost: cost, TLSCredentials: p[2], RemoteSiteID: to}
	for _, s := range v.Sites {
		if s.Namespace == p[1] {
			l.OwnerUID = s.UID
		}
	}
	for _, c := range change {
		c(&l)
	}
	v.Links = append(v.Links, l)
}

// endpointsOf reads "name host:port".
func endpointsOf(list []string) []world.Endpoint {
	var out []world.Endpoint
	for _, text := range list {
		name, rest, _ := strings.Cut(text, " ")
		colon := strings.LastIndex(rest, ":")
		out = append(out, world.Endpoint{Name: name, Host: rest[:colon], Port: rest[colon+1:]})
	}
	return out
}

func byHand(l *world.LinkView) { l.OwnerUID = "" }

func secret(name string) func(*world.LinkView) {
	return func(l *world.LinkView) { l.TLSCredentials = name }
}

func labelled(kind, key, net string) map[string]string {
	return map[string]string{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: net, kind: key}
}

var listening = map[string]any{"linkAccess": "default"}

// linkLines gives "key: from > to cost via object proxy" for each link.
func linkLines(r existing.Result) []string {
	out := []string{}
	for _, l := range r.Network.Links {
		line := fmt.Sprintf("%s: %s > %s %d %s", l.Name, l.From, l.To, l.Cost, l.Via)
		if l.Object != string(l.Name) {
			line += " object " + l.Object
		}
		if l.Proxy != "" {
			line += " proxy " + string(l.Proxy)
		}
		out = append(out, line)
	}
	return out
}

func siteLines(r existing.Result) []string {
	out := []string{}
	for _, s := range r.Network.Sites {
		line := fmt.Sprintf("%s: %s/%s", s.Name, s.Cluster, s.Namespace)
		if s.Object != string(s.Name) {
			line += " object " + s.Object
		}
		out = append(out, line)
	}
	return out
}

func noteLines(list []existing.Note) []string {
	out := []string{}
	for _, n := range list {
		out = append(out, n.String())
	}
	return out
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestWhole(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.site("one/hub/hub", map[string]any{"linkAccess": "default", "ha": true, "defaultIssuer": "ca", "settings.router-data-connection-count": "4"})
	b.site("two/shop/shop", map[string]any{"linkAccess": "", "serviceAccount": "sa"})
	b.site("two/kiosk/kiosk", map[string]any{"edge": true, "linkAccess": "none"})
	b.link("two/shop/shop-hub", "one/hub/hub", 0)
	b.link("two/kiosk/kiosk-hub", "one/hub/hub", 99999, byHand)
	got := existing.Import(b.in)
	want := network.Network{
		Name:     "net",
		Clusters: []network.Cluster{{Name: "one", Context: "ctx-one", UID: "uid-one"}, {Name: "two", Context: "ctx-two", UID: "uid-two"}},
		Sites: []network.Site{
			{Name: "hub", Cluster: "one", Namespace: "hub", LinkAccess: "default", HA: true, DefaultIssuer: "ca", Object: "hub",
				Settings: map[string]string{"router-data-connection-count": "4"}},
			{Name: "kiosk", Cluster: "two", Namespace: "kiosk", Edge: true, Object: "kiosk", Settings: map[string]string{}},
			{Name: "shop", Cluster: "two", Namespace: "shop", ServiceAccount: "sa", Object: "shop", Settings: map[string]string{}},
		},
		Links: []network.Link{
			{Name: "kiosk-hub", From: "kiosk", To: "hub", Cost: 99999, Via: network.ViaCertificate, Object: "kiosk-hub"},
			{Name: "shop-hub", From: "shop", To: "hub", Cost: 1, Via: network.ViaToken, Object: "shop-hub"},
		},
		Proxies: []network.Proxy{},
		Policy:  network.Policy{UnreachableSites: network.LevelWarn, Deletes: network.DefaultDeletes},
	}
	if diff := cmp.Diff(want, got.Network); diff != "" {
		t.Errorf("network (-want +got):\n%s", diff)
	}
	if got.Managed || len(got.LeftOut) > 0 || len(got.Altered) > 0 {
		t.Errorf("managed %t, left out %v, altered %v", got.Managed, got.LeftOut, got.Altered)
	}
}

func TestKeysOfSites(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.site("one/east/my-site", nil)
	b.site("two/east/my-site", nil)
	b.site("two/west/my-site", nil)
	b.site("one/dots/a.b", nil)
	b.site("one/plain/west", nil)
	got := existing.Import(b.in)
	same(t, "sites", []string{
		"dots: one/dots object a.b", "east: one/east object my-site", "east-two: two/east object my-site",
		"west: one/plain", "west-two: two/west object my-site",
	}, siteLines(got))
}

func TestSitesLeftOut(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.site("one/a/main", listening)
	b.site("one/a/idle", nil).Ready = false
	b.site("one/b/foreign", listening).Labels = labelled(plan.LabelSite, "foreign", "other")
	b.site("one/c/odd", map[string]any{"linkAccess": "pigeon"})
	b.site("one/d/going", nil).Deleting = true
	b.site("one/e/both", map[string]any{"edge": true, "ha": true, "linkAccess": "default"})
	b.link("one/a/to-foreign", "one/b/foreign", 1)
	b.link("one/b/from-foreign", "one/a/main", 1, func(l *world.LinkView) { l.Labels = labelled(plan.LabelLink, "from-foreign", "other") })
	b.link("one/d/from-going", "one/a/main", 1)
	got := existing.Import(b.in)
	same(t, "sites", []string{"both: one/e", "main: one/a"}, siteLines(got))
	same(t, "left out", []string{
		`Link a/to-foreign on cluster one: it leads to Site b/foreign on cluster one, which is not taken over`,
		`Link d/from-going on cluster one: its namespace has no Site that is taken over`,
		`Site a/idle on cluster one: a namespace has one active Site, and that is main`,
		`Site b/foreign on cluster one: it belongs to network "other", and so do its Links`,
		`Site c/odd on cluster one: its linkAccess "pigeon" is none that a description can have`,
		`Site d/going on cluster one: it is being deleted`,
		`cluster two: it has no Site to take over`,
	}, noteLines(got.LeftOut))
	same(t, "altered", []string{
		`Site e/both on cluster one: its ha is dropped, because an edge site has one router`,
		`Site e/both on cluster one: its linkAccess "default" is dropped, because an edge site does not listen`,
	}, noteLines(got.Altered))
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.site("one/hub/hub", listening)
	b.site("two/shop/shop", nil)
	b.site("two/other/other", nil)
	b.link("two/shop/shop-hub", "one/hub/hub", 1)
	b.link("two/other/other-hub", "one/hub/hub", 1)
	b.in.Namespaces = []string{"shop", "nowhere"}
	got := existing.Import(b.in)
	same(t, "sites", []string{"shop: two/shop"}, siteLines(got))
	same(t, "left out", []string{
		"Link shop/shop-hub on cluster two: it leads to Site hub/hub on cluster one, which is not taken over",
		"cluster one: it has no Site to take over",
		"namespace nowhere: no cluster that was read has a Site there",
	}, noteLines(got.LeftOut))
}

// A Link without a connection leads where its endpoints are, if that can be told.
func TestTargets(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.site("one/hub/hub", listening, "inter-router 10.0.0.1:55671", "edge 10.0.0.1:45671")
	b.site("one/twin1/twin1", listening, "inter-router hub.svc:55671")
	b.site("two/twin2/twin2", listening, "inter-router hub.svc:55671")
	b.site("one/mute/mute", nil)
	b.site("two/shop/shop", nil)
	at := func(endpoints ...string) func(*world.LinkView) {
		return func(l *world.LinkView) { l.Endpoints = endpointsOf(endpoints) }
	}
	b.link("two/shop/by-endpoint", "", 1, at("inter-router 10.0.0.1:55671", "edge 10.0.0.1:45671"))
	b.link("two/shop/gone-id", "gone", 1, at("edge 10.0.0.1:45671"))
	b.link("two/shop/twins", "", 1, at("inter-router hub.svc:55671"))
	b.link("two/shop/nowhere", "", 1, at("inter-router 10.9.9.9:55671"))
	b.link("two/shop/abroad", "elsewhere", 1, func(l *world.LinkView) { l.RemoteSiteName = "paris" })
	b.link("two/shop/self", "two/shop/shop", 1)
	b.link("two/shop/to-mute", "one/mute/mute", 1)
	b.link("two/shop/ending", "one/hub/hub", 1, func(l *world.LinkView) { l.Deleting = true })
	got := existing.Import(b.in)
	same(t, "links", []string{"by-endpoint: shop > hub 1 token", "gone-id: shop > hub 1 token"}, linkLines(got))
	same(t, "left out", []string{
		`Link shop/abroad on cluster two: it leads to Site "paris", which is on none of the clusters that were read`,
		`Link shop/ending on cluster two: it is being deleted`,
		`Link shop/nowhere on cluster two: it is not connected, and no Site of the clusters that were read listens at its endpoints (inter-router 10.9.9.9:55671)`,
		`Link shop/self on cluster two: it leads to its own Site`,
		`Link shop/to-mute on cluster two: it leads to Site mute/mute on cluster one, whose linkAccess is off`,
		`Link shop/twins on cluster two: it is not connected, and its endpoints are those of more than one Site: Site twin1/twin1 on cluster one and Site twin2/twin2 on cluster two`,
	}, noteLines(got.LeftOut))
}

func TestPairs(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.site("one/hub/hub", map[string]any{"linkAccess": "default", "ha": true})
	b.site("one/old/old", listening)
	for _, ns := range []string{"a", "b", "c", "d", "e"} {
		b.site("two/"+ns+"/"+ns, nil)
	}
	// A pair, of which one half is not up, with costs that differ.
	b.link("two/a/pair-1", "one/hub/hub", 5, secret("pair"))
	b.link("two/a/pair-2", "", 7, secret("pair"))
	// Two links of their own: other credentials, or another site.
	b.link("two/b/other-1", "one/hub/hub", 1)
	b.link("two/b/other-2", "one/hub/hub", 1)
	b.link("two/c/apart-1", "one/hub/hub", 1, secret("apart"))
	b.link("two/c/apart-2", "one/old/old", 1, secret("apart"))
	// A Link of the bare name hides the pair.
	b.link("two/d/bare", "one/hub/hub", 1, secret("bare"))
	b.link("two/d/bare-1", "one/hub/hub", 1, secret("bare"))
	b.link("two/d/bare-2", "one/hub/hub", 1, secret("bare"))
	// Half a pair.
	b.link("two/e/half-1", "one/hub/hub", 1, secret("half"))
	got := existing.Import(b.in)
	same(t, "links", []string{
		"apart-1: c > hub 1 token", "apart-2: c > old 1 token",
		"bare-1: d > hub 1 token", "bare-2: d > hub 1 token", "d-hub: d > hub 1 token object bare", "half-1: e > hub 1 token",
		"other-1: b > hub 1 token", "other-2: b > hub 1 token", "pair: a > hub 5 token",
	}, linkLines(got))
	same(t, "altered", []string{"Link a/pair-2 on cluster two: its cost 7 becomes 5, that of pair-1: the two are one link"}, noteLines(got.Altered))
	same(t, "left out", nil, noteLines(got.LeftOut))
}

func TestKeysOfLinks(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("l", network.MaxLinkName+1)
	b := newBench()
	b.site("one/hub/hub", listening)
	for i, name := range []string{"again-r2", "skupper-router-x", "a.b", long, "twice", "twice", "good"} {
		ns := fmt.Sprintf("s%d", i)
		b.site("two/"+ns+"/"+ns, nil)
		b.link("two/"+ns+"/"+name, "one/hub/hub", 1)
	}
	b.link("two/s0/s0-hub", "nowhere", 1)
	got := existing.Import(b.in)
	same(t, "links", []string{
		"good: s6 > hub 1 token", "link-s0-hub: s0 > hub 1 token object again-r2", "s1-hub: s1 > hub 1 token object skupper-router-x",
		"s2-hub: s2 > hub 1 token object a.b", "s3-hub: s3 > hub 1 token object " + long,
		"s4-hub: s4 > hub 1 token object twice", "s5-hub: s5 > hub 1 token object twice",
	}, linkLines(got))
}

func TestProxies(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.site("one/hub/hub", listening)
	proxied := func(ns, name, secret string) {
		b.site("two/"+ns+"/"+ns, nil)
		b.link("two/"+ns+"/"+name, "one/hub/hub", 1, func(l *world.LinkView) { l.Proxy = secret })
	}
	have := func(ns, name, host, port string, username, password bool) {
		b.view("two").Proxies = append(b.view("two").Proxies, world.ProxyView{
			Meta: world.Meta{Namespace: ns, Name: name}, Host: host, Port: port, HasUsername: username, HasPassword: password})
	}
	proxied("a", "la", "corp")
	have("a", "corp", "proxy.example.com", "3128", true, true)
	proxied("b", "lb", "corp")
	have("b", "corp", "10.0.0.1", "80", false, false)
	proxied("c", "lc", "only-mine")
	have("c", "only-mine", "fd00::1", "65535", true, true)
	proxied("d", "ld", "missing")
	proxied("e", "le", "odd")
	have("e", "odd", "http://proxy", "80", false, false)
	proxied("f", "lf", "odd")
	have("f", "odd", "proxy", "eighty", false, false)
	proxied("g", "lg", "odd")
	have("g", "odd", "proxy", "80", false, true)
	proxied("h", "lh", "odd")
	have("h", "odd", "proxy", "80", true, false)
	got := existing.Import(b.in)
	same(t, "links", []string{
		"la: a > hub 1 certificate proxy a-corp", "lb: b > hub 1 certificate proxy b-corp", "lc: c > hub 1 certificate proxy only-mine",
	}, linkLines(got))
	key := func(ns, name, key string) *network.SecretRef {
		return &network.SecretRef{Kubernetes: &network.SecretKey{Cluster: "two", Namespace: ns, Name: name, Key: key}}
	}
	want := []network.Proxy{
		{Name: "a-corp", Host: "proxy.example.com", Port: 3128, Username: key("a", "corp", "username"), Password: key("a", "corp", "password")},
		{Name: "b-corp", Host: "10.0.0.1", Port: 80},
		{Name: "only-mine", Host: "fd00::1", Port: 65535, Username: key("c", "only-mine", "username"), Password: key("c", "only-mine", "password")},
	}
	if diff := cmp.Diff(want, got.Network.Proxies); diff != "" {
		t.Errorf("proxies (-want +got):\n%s", diff)
	}
	same(t, "left out", []string{
		`Link d/ld on cluster two: its proxy's Secret "missing" is not there`,
		`Link e/le on cluster two: its proxy's Secret "odd" has the host "http://proxy", which is no host name or address`,
		`Link f/lf on cluster two: its proxy's Secret "odd" has the port "eighty", want 1 to 65535`,
		`Link g/lg on cluster two: its proxy's Secret "odd" has a password without a username`,
		`Link h/lh on cluster two: its proxy's Secret "odd" has a username without a password, for which the router waits for ever`,
	}, noteLines(got.LeftOut))
}

// A network that is Fairlead's already comes back with its own keys.
func TestManaged(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.site("one/hub/live-hub", listening).Labels = labelled(plan.LabelSite, "hub", "net")
	b.site("two/shop/shop", nil).Labels = labelled(plan.LabelSite, "shop", "net")
	b.site("two/hand/hub", nil)
	ours := func(key string) func(*world.LinkView) {
		return func(l *world.LinkView) { l.Labels = labelled(plan.LabelLink, key, "net") }
	}
	b.link("two/shop/up", "one/hub/live-hub", 3, ours("up"))      // on its way out
	b.link("two/shop/up-r2", "one/hub/live-hub", 4, ours("up"))   // current
	b.link("two/hand/up", "one/hub/live-hub", 1)                  // of the same name, by hand
	b.link("two/shop/dark-r3", "", 9, ours("dark"))               // not connected
	b.link("two/shop/lost", "one/hub/live-hub", 2, ours("again")) // the inventory lost it
	b.view("two").Inventories = []world.InventoryView{
		{Meta: world.Meta{Namespace: "shop"}, Content: record.Inventory{Network: "net", Site: "shop", Protect: true,
			Links: map[network.LinkName]record.Link{
				"up":   {State: record.LinkApplied, To: "hub", Objects: []string{"up-r2"}},
				"dark": {State: record.LinkUnderWay, To: "hub", Objects: []string{}},
			}}},
	}
	got := existing.Import(b.in)
	same(t, "sites", []string{"hand: two/hand object hub", "hub: one/hub object live-hub", "shop: two/shop"}, siteLines(got))
	same(t, "links", []string{
		"again: shop > hub 2 token", "dark: shop > hub 9 token", "hand-hub: hand > hub 1 token object up", "up: shop > hub 4 token",
	}, linkLines(got))
	if !got.Managed || !got.Network.Sites[2].Protect || got.Network.Sites[1].Protect {
		t.Errorf("managed %t, sites %+v", got.Managed, got.Network.Sites)
	}
	same(t, "left out", nil, noteLines(got.LeftOut))
}

// Clusters get the names under which the network was applied, unless others were
// asked for.
func TestRecallsClusters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		given []network.ClusterName
		want  string
	}{{nil, "hub: east/hub"}, {[]network.ClusterName{"one"}, "hub: one/hub"}} {
		b := newBench()
		b.in.Given = c.given
		b.site("one/hub/hub", listening).Labels = labelled(plan.LabelSite, "hub", "net")
		b.site("two/shop/shop", nil).Labels = labelled(plan.LabelSite, "shop", "net")
		b.view("one").Inventories = []world.InventoryView{{Meta: world.Meta{Namespace: "hub"}, Content: record.Inventory{Network: "net", Site: "hub"}}}
		b.view("two").Inventories = []world.InventoryView{{Meta: world.Meta{Namespace: "shop"}, Content: record.Inventory{Network: "net", Site: "shop",
			Links: map[network.LinkName]record.Link{"l": {State: record.LinkApplied, To: "hub", ToCluster: "east", ToNamespace: "hub"}}}}}
		got := existing.Import(b.in)
		same(t, "sites", []string{c.want, "shop: two/shop"}, siteLines(got))
		if b.in.Clusters[0].Name != "one" || b.in.Observation.Clusters[0].Name != "one" {
			t.Error("it changed its input")
		}
	}
}

// The proxies of a managed network come back with the references that were declared.
func TestRecallsProxies(t *testing.T) {
	t.Parallel()
	password := &network.SecretRef{File: "password"}
	declared := []network.Proxy{
		{Name: "age", Host: "a", Port: 1, Username: &network.SecretRef{Env: "U"}, Password: &network.SecretRef{Age: &network.EncryptedFile{File: "f", Key: "k"}}},
		{Name: "bare", Host: "b", Port: 2},
		{Name: "here", Host: "h", Port: 3, Username: &network.SecretRef{Kubernetes: &network.SecretKey{Cluster: "two", Namespace: "n", Name: "s", Key: "k"}}, Password: password},
		{Name: "user", Host: "u", Port: 4, Username: &network.SecretRef{Command: []string{"pass", "show \" password {"}}, Password: password},
		{Name: "gone", Host: "g", Port: 5, Username: &network.SecretRef{Kubernetes: &network.SecretKey{Cluster: "other", Namespace: "n", Name: "s", Key: "k"}}, Password: password},
		{Name: "half", Host: "p", Port: 6, Username: &network.SecretRef{Env: "U"}},
	}
	b := newBench()
	b.site("one/hub/hub", listening).Labels = labelled(plan.LabelSite, "hub", "net")
	var links []network.Link
	inv := record.Inventory{Network: "net", Site: "shop", Links: map[network.LinkName]record.Link{}, Proxies: map[network.ProxyName]record.Proxy{}}
	b.site("two/shop/shop", nil).Labels = labelled(plan.LabelSite, "shop", "net")
	for _, p := range declared {
		key := network.LinkName(p.Name)
		links = append(links, network.Link{Name: key, Proxy: p.Name})
		inv.Links[key] = record.Link{State: record.LinkApplied, To: "hub", Proxy: p.Name, ProxySecret: "secret-" + string(key), Rotation: 2, Via: network.ViaCertificate}
		b.link("two/shop/"+string(key), "one/hub/hub", 1, func(l *world.LinkView) {
			l.Labels, l.Proxy = labelled(plan.LabelLink, string(key), "net"), "secret-"+string(key)
		})
		b.view("two").Proxies = append(b.view("two").Proxies, world.ProxyView{
			Meta: world.Meta{Namespace: "shop", Name: "secret-" + string(key), Labels: labelled(plan.LabelProxy, string(key), "net")}, Host: p.Host, Port: fmt.Sprint(p.Port), HasUsername: true, HasPassword: true})
	}
	for _, p := range desired.Build(network.Network{Links: links, Proxies: declared}).Proxies {
		inv.Proxies[p.Name] = record.Proxy{Revision: 1, Secrets: map[string]record.ProxySettings{
			"secret-" + string(p.Name): {Host: p.Host, Port: p.Port, References: p.References},
		}}
	}
	b.view("two").Inventories = []world.InventoryView{{Meta: world.Meta{Namespace: "shop"}, Content: inv}}
	got := existing.Import(b.in)
	// A cluster of that name is not there, or no description may have what is recorded: the
	// Secret in use is the next best.
	inUse := func(p network.Proxy) network.Proxy {
		key := func(key string) *network.SecretRef {
			return &network.SecretRef{Kubernetes: &network.SecretKey{Cluster: "two", Namespace: "shop", Name: "secret-" + string(p.Name), Key: key}}
		}
		p.Username, p.Password = key("username"), key("password")
		return p
	}
	want := []network.Proxy{declared[0], declared[1], inUse(declared[4]), inUse(declared[5]), declared[2], declared[3]}
	if diff := cmp.Diff(want, got.Network.Proxies); diff != "" {
		t.Errorf("proxies (-want +got):\n%s", diff)
	}
	for _, l := range got.Network.Links {
		if string(l.Proxy) != string(l.Name) || l.Rotation != 2 || l.Via != network.ViaCertificate {
			t.Errorf("link %+v", l)
		}
	}
}

// Two contexts of one cluster are one cluster, whether it tells its UID or not.
func TestOneClusterTwice(t *testing.T) {
	t.Parallel()
	for _, uid := range []string{"", "same"} {
		b := newBench()
		b.site("one/hub/hub", listening)
		b.view("two").Sites = b.view("one").Sites
		b.view("one").UID, b.view("two").UID = uid, uid
		got := existing.Import(b.in)
		same(t, "sites", []string{"hub: one/hub"}, siteLines(got))
		same(t, "left out", []string{"cluster two: it is cluster one under another name"}, noteLines(got.LeftOut))
	}
}

func TestClusterKeys(t *testing.T) {
	t.Parallel()
	got := existing.ClusterKeys([]string{"kind-hub", "arn:aws:eks:eu-west-1:1:cluster/Prod", "admin@x", "Admin X", "", "ü", "---"})
	want := []network.ClusterName{"kind-hub", "arn-aws-eks-eu-west-1-1-cluster-prod", "admin-x", "cluster-admin-x", "x", "cluster", "cluster-2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}
