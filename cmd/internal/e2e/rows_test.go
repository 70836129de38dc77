package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// row is one kind of network: a fixture of that name, and what is changed in it.
type row struct {
	// fixture is the folder; network is its network, and starts its namespaces.
	fixture, network string
	// proxies are the users that the row's proxies want, "" for anonymous ones;
	// their password is the user's name backwards.
	proxies []string
	changes []edit
}

// edit is one change of a description: old stands in it exactly once.
type edit struct {
	name, old, new string
	// file is another file than the description.
	file string
	// env are variables that change with it.
	env map[string]string
	// through says which of the row's proxies the link goes through anew, counting
	// from 1; 0 leaves it as it was.
	through int
}

// The ports of a row's proxies stand in its edits as PORT-1, PORT-2 and so on, and an
// access type other than the default one as OTHER-ACCESS.
var rows = []row{
	{fixture: "token", network: "token", changes: []edit{
		{name: "cost", old: "cost: 2", new: "cost: 7"},
		{name: "cost left out", old: ", cost: 7", new: ""},
		{name: "access", old: `linkAccess: "default"`, new: `linkAccess: "OTHER-ACCESS"`},
		{name: "connecting namespace", old: `"token-shop"`, new: `"token-shop2"`},
		{name: "connecting cluster", old: `cluster: "west"`, new: `cluster: "east"`},
		{name: "listening namespace", old: `"token-hub"`, new: `"token-hub2"`},
		{name: "link's name", old: `"shop-hub"`, new: `"to-hub"`},
	}},
	{fixture: "certificate", network: "certificate", changes: []edit{
		{name: "cost", old: "cost: 2", new: "cost: 7"},
		{name: "token", old: `, via: "certificate"`, new: `, via: "token"`},
		{name: "certificate", old: `, via: "token"`, new: `, via: "certificate"`},
		{name: "access", old: `linkAccess: "default"`, new: `linkAccess: "OTHER-ACCESS"`},
		{name: "ha", old: `linkAccess: "OTHER-ACCESS"`, new: `linkAccess: "OTHER-ACCESS", ha: true`},
		{name: "rotation", old: `via: "certificate"`, new: `via: "certificate", rotation: 1`},
		{name: "rotation raised", old: `rotation: 1`, new: `rotation: 2`},
	}},
	{fixture: "ha", network: "ha", changes: []edit{
		{name: "cost", old: "cost: 2", new: "cost: 7"},
		{name: "one router", old: ", ha: true", new: ""},
		{name: "two routers", old: `linkAccess: "default"`, new: `linkAccess: "default", ha: true`},
		{name: "access", old: `linkAccess: "default"`, new: `linkAccess: "OTHER-ACCESS"`},
	}},
	{fixture: "edge", network: "edge", changes: []edit{
		{name: "cost", old: "cost: 2", new: "cost: 7"},
		{name: "interior", old: ", edge: true", new: ""},
		{name: "edge", old: `namespace: "edge-shop"`, new: `namespace: "edge-shop", edge: true`},
		{name: "interior that listens", old: "edge: true", new: `linkAccess: "default"`},
		{name: "edge that no longer listens", old: `"edge-shop", linkAccess: "default"`, new: `"edge-shop", edge: true`},
	}},
	{fixture: "settings", network: "settings", changes: []edit{
		{name: "value", old: `revisions": "1"`, new: `revisions": "3"`},
		{name: "one dropped", old: `, "router-data-connection-count": "2"`, new: ""},
		{name: "all dropped", old: `, settings: {"tls-prior-valid-revisions": "3"}`, new: ""},
		{name: "on the other site", old: `linkAccess: "default"`, new: `linkAccess: "default", settings: {"tls-prior-valid-revisions": "1"}`},
	}},
	{fixture: "failover", network: "failover", changes: []edit{
		{name: "cost of the backup", old: "cost: 99999", new: "cost: 50"},
		{name: "cost of the first", old: "cost: 2", new: "cost: 99"},
		{name: "ends swapped", old: `{from: "shop", to: "hub", cost: 99}
	"shop-backup": {from: "shop", to: "backup"`, new: `{from: "shop", to: "backup", cost: 99}
	"shop-backup": {from: "shop", to: "hub"`},
		{name: "one link less", old: `	"backup-hub": {from: "backup", to: "hub"}`, new: ""},
	}},
	{fixture: "overlay", network: "overlay", changes: []edit{
		{name: "a Listener's port", file: "base/listener.yaml", old: "port: 8080", new: "port: 9090"},
		{name: "a Listener's host left out for another", file: "base/listener.yaml", old: "host: backend", new: "host: shop"},
		{name: "content of a generated ConfigMap", file: "base/kustomization.yaml", old: "greeting=hello", new: "greeting=bye"},
		{name: "label", file: "common/kustomization.yaml", old: "team: retail", new: "team: sales"},
		{name: "patched setting", file: "common/kustomization.yaml", old: `router-data-connection-count: "2"`, new: `tls-prior-valid-revisions: "1"`},
		{name: "link access by a patch", file: "hub/kustomization.yaml", old: "commonAnnotations:", new: "patches:\n- target: {kind: Site}\n  patch: '[{\"op\": \"replace\", \"path\": \"/spec/linkAccess\", \"value\": \"OTHER-ACCESS\"}]'\ncommonAnnotations:"},
		{name: "a Connector less", file: "hub/kustomization.yaml", old: "resources:\n- connector.yaml\n", new: ""},
		{name: "no overlay at the hub", old: `, overlay: "hub"`, new: ""},
		{name: "cost", old: `to: "overlay-hub"}`, new: `to: "overlay-hub", cost: 5}`},
		{name: "no overlay for all", old: `overlay: "common"`, new: ""},
	}},
	{fixture: "proxy", network: "proxy", proxies: []string{"first", "first", "second"}, changes: []edit{
		{name: "cost", old: "cost: 2", new: "cost: 7"},
		{name: "another proxy", old: "PORT-1", new: "PORT-2", through: 2},
		{name: "the same user elsewhere", old: `"PROXY_USER"`, new: `"OTHER_USER"`, env: map[string]string{"OTHER_USER": "first"}},
		{name: "another user", old: "PORT-2", new: "PORT-3", env: map[string]string{"OTHER_USER": "second", "PROXY_PASSWORD": backwards("second")}, through: 3},
		{name: "no proxy", old: `proxy: "corp"`, new: `via: "certificate"`},
		{name: "a proxy again", old: `via: "certificate"`, new: `proxy: "corp"`, through: 3},
	}},
	{fixture: "proxy-anonymous", network: "anonymous", proxies: []string{"", "first"}, changes: []edit{
		{name: "cost", old: "cost: 2", new: "cost: 7"},
		{
			name: "credentials", old: "port: PORT-1", new: `port: PORT-2, username: env: "PROXY_USER", password: env: "PROXY_PASSWORD"`,
			through: 2,
		},
		{name: "anonymous again", old: `PORT-2, username: env: "PROXY_USER", password: env: "PROXY_PASSWORD"`, new: "PORT-1", through: 1},
	}},
}

// backwards is a proxy user's password.
func backwards(user string) string {
	letters := []byte(user)
	slices.Reverse(letters)
	return string(letters)
}

// Every kind of network comes up as its fixture describes it, stays as it is,
// follows a change of each of its fields, and goes without a trace. The check on
// writes watches that no path is lost on the way.
func TestRows(t *testing.T) {
	t.Parallel()
	for _, r := range rows {
		t.Run(r.fixture, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.name = r.network
			w.useFixture(r.fixture)
			vetted := w.must(0, "vet").out
			w.golden(r.fixture, "vet.txt", vetted)
			if r.fixture == "overlay" {
				w.golden(r.fixture, "plan.txt", w.must(2, "plan", "--detailed-exitcode").out)
			}
			if !strings.Contains(vetted, "no warnings") {
				t.Errorf("vet warns:\n%s", vetted)
			}
			r.live(t, w)
		})
	}
}

// live is a row's life, from nothing to nothing.
func (r row) live(t *testing.T, w *world) {
	d := &rowLife{row: r, world: w, secrets: map[string]bool{}}
	d.startProxies(t)
	d.up(min(len(r.proxies), 1))
	for _, e := range r.changes {
		d.change(t, e)
		d.up(e.through)
	}
	d.goes(t)
}

// rowLife is what a row's test keeps in mind.
type rowLife struct {
	row
	*world
	running []proxy
	// secrets are those that Links used, as namespace/name.
	secrets map[string]bool
}

// startProxies runs the row's proxies and describes the first.
func (d *rowLife) startProxies(t *testing.T) {
	for _, user := range d.proxies {
		d.running = append(d.running, startProxy(t, user, backwards(user)))
	}
	if len(d.running) == 0 {
		return
	}
	user := d.proxies[0]
	if user == "" {
		user = "first"
	}
	d.env = map[string]string{"PROXY_USER": user, "PROXY_PASSWORD": backwards(user)}
	d.replace("proxy.example.com", d.running[0].host)
	d.replace("3128", d.ports("PORT-1"))
}

// ports puts in the ports of the running proxies, and the other access type.
func (d *rowLife) ports(text string) string {
	text = strings.ReplaceAll(text, "OTHER-ACCESS", otherAccess())
	for i, p := range d.running {
		text = strings.ReplaceAll(text, "PORT-"+strconv.Itoa(i+1), strconv.Itoa(p.port))
	}
	return text
}

func (d *rowLife) change(t *testing.T, e edit) {
	t.Helper()
	t.Logf("change: %s", e.name)
	if e.file != "" {
		d.replaceIn(filepath.Join(d.dir, e.file), e.old, strings.ReplaceAll(e.new, "OTHER-ACCESS", otherAccess()))
		return
	}
	d.replace(d.ports(e.old), d.ports(e.new))
	for k, v := range e.env {
		d.env[k] = v
	}
}

// replace changes the one place of the description that has the text.
func (w *world) replace(old, new string) {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.dir, "*.cue"))
	if err != nil || len(files) != 1 {
		w.t.Fatalf("%d files: %v", len(files), err)
	}
	w.replaceIn(files[0], old, new)
}

// replaceIn does so in any file.
func (w *world) replaceIn(file, old, new string) {
	w.t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	if n := strings.Count(string(data), old); n != 1 {
		w.t.Fatalf("%q stands %d times in:\n%s", old, n, data)
	}
	writeFile(w.t, file, strings.Replace(string(data), old, new, 1))
}

// up applies and checks that nothing is left to do, that all is ready, and that
// the link went through the proxy of that number; 0 for none.
func (d *rowLife) up(through int) {
	d.t.Helper()
	before := d.carried(through)
	d.must(0, "apply", "--yes")
	d.must(0, "plan", "--detailed-exitcode")
	d.eventually("status is ready", func() bool { return d.status().Ready() })
	d.drift(0)
	if after := d.carried(through); through > 0 && after <= before {
		d.t.Errorf("the link does not go through proxy %d", through)
	}
	d.noteSecrets()
}

// carried is how many connections a proxy has let through.
func (d *rowLife) carried(through int) int {
	if through == 0 {
		return 0
	}
	return len(d.running[through-1].connects(d.t))
}

// noteSecrets keeps the names of the Secrets that Links use.
func (d *rowLife) noteSecrets() {
	for i := range d.dyn {
		for _, o := range d.ours(i, "links") {
			d.secrets[o.GetNamespace()+"/"+textOf(&o, "spec", "tlsCredentials")] = true
		}
	}
}

// ours lists a kind in the namespaces of the row's network.
func (w *world) ours(cluster int, kind string) (out []unstructured.Unstructured) {
	for _, o := range w.list(cluster, "", kind, "") {
		if strings.HasPrefix(o.GetNamespace(), w.name+"-") {
			out = append(out, o)
		}
	}
	return out
}

// goes removes everything from the description and checks that nothing remains.
func (d *rowLife) goes(t *testing.T) {
	t.Helper()
	file := filepath.Join(d.dir, d.fixture+".cue")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	clusters, _, found := strings.Cut(string(data), "\nsites: {")
	if !found {
		t.Fatalf("the fixture has no sites:\n%s", data)
	}
	writeFile(t, file, clusters)
	d.must(0, "apply", "--yes")
	d.nothingLeft()
	d.nothingOfAnyKind(t)
	// What the Site owned goes with it, by the cluster's own garbage collection.
	for _, kind := range []string{"accessgrants", "accesstokens", "certificates", "links"} {
		d.eventually("no "+kind, func() bool { return len(d.ours(0, kind))+len(d.ours(1, kind)) == 0 })
	}
	d.eventually("no Secret that a Link used", func() bool { return d.usedSecrets() == 0 })
}

func (d *rowLife) usedSecrets() (n int) {
	for i := range d.dyn {
		for _, o := range d.ours(i, "secrets") {
			if d.secrets[o.GetNamespace()+"/"+o.GetName()] {
				n++
			}
		}
	}
	return n
}

// nothingOfAnyKind looks for the network's label on every kind that the clusters
// have: only locks that nobody holds may stay.
func (d *rowLife) nothingOfAnyKind(t *testing.T) {
	t.Helper()
	for i := range d.dyn {
		groups := []string{"v1"}
		var all metav1.APIGroupList
		d.ask(i, "/apis", &all)
		for _, g := range all.Groups {
			groups = append(groups, g.PreferredVersion.GroupVersion)
		}
		kinds := 0
		for _, g := range groups {
			var list metav1.APIResourceList
			d.ask(i, map[bool]string{true: "/api/", false: "/apis/"}[g == "v1"]+g, &list)
			for _, r := range list.APIResources {
				if slices.Contains(r.Verbs, "list") {
					kinds++
					d.noneLabelled(t, i, g, r.Name)
				}
			}
		}
		if kinds < 20 {
			t.Errorf("%s has %d kinds only", contextName(i), kinds)
		}
	}
}

// ask reads a path of an API server that is no object's.
func (w *world) ask(cluster int, path string, into any) {
	w.t.Helper()
	cfg := bed.configs[cluster]
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, base.JoinPath(path).String(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		w.t.Fatalf("%s: %s", path, err)
	}
}

func (d *rowLife) noneLabelled(t *testing.T, cluster int, groupVersion, kind string) {
	t.Helper()
	gv, err := schema.ParseGroupVersion(groupVersion)
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.dyn[cluster].Resource(gv.WithResource(kind)).List(t.Context(), metav1.ListOptions{LabelSelector: d.owned()})
	if err != nil {
		t.Fatalf("%s: %s", kind, err)
	}
	for _, o := range l.Items {
		if kind == "leases" && textOf(&o, "spec", "holderIdentity") == "" {
			continue // the lock stays, held by nobody
		}
		t.Errorf("left over: %s %s/%s on %s", kind, o.GetNamespace(), o.GetName(), contextName(cluster))
	}
}
