package e2e

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/effects"
)

// hand makes things as people do with kubectl.
type hand struct{ *world }

func (h hand) object(kind, ns, name string, spec map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "skupper.io/v2alpha1", "kind": kind,
		"metadata": map[string]any{"namespace": ns, "name": name}, "spec": spec,
	}
}

// site makes a namespace with a Site of the given name and waits until it runs.
func (h hand) site(cluster int, site, name string, spec map[string]any) {
	h.t.Helper()
	h.namespace(cluster, site, nil)
	h.create(cluster, "sites", h.object("Site", h.ns(site), name, spec))
	h.eventually("Site "+name+" is ready", func() bool { return holds(h.get(cluster, h.ns(site), "sites", name), "Ready") })
}

func holds(o *unstructured.Unstructured, condition string) bool {
	if o == nil {
		return false
	}
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	return slices.ContainsFunc(conditions, func(c any) bool {
		m, _ := c.(map[string]any)
		return m["type"] == condition && m["status"] == "True"
	})
}

// redeem makes a grant at the hub of cluster 0 and a token at the spoke of cluster 1,
// and waits for the Links that come of it.
func (h hand) redeem(hub, spoke, name string, cost int64, links ...string) {
	h.t.Helper()
	h.create(0, "accessgrants", h.object("AccessGrant", h.ns(hub), name, map[string]any{"redemptionsAllowed": int64(1), "expirationWindow": "15m"}))
	token := map[string]any{"linkCost": cost}
	h.eventually("the grant is ready", func() bool {
		grant := h.get(0, h.ns(hub), "accessgrants", name)
		for _, field := range []string{"url", "code", "ca"} {
			token[field], _, _ = unstructured.NestedString(grant.Object, "status", field)
		}
		return token["url"] != "" && token["code"] != "" && token["ca"] != ""
	})
	h.create(1, "accesstokens", h.object("AccessToken", h.ns(spoke), name, token))
	h.operational(spoke, links...)
}

// operational waits for Links of cluster 1, and touches them: a new Link is
// configured at the second event.
func (h hand) operational(site string, names ...string) {
	h.t.Helper()
	for _, name := range names {
		h.eventually("Link "+name+" is there", func() bool { return h.get(1, h.ns(site), "links", name) != nil })
		h.patch(1, h.ns(site), "links", name, map[string]any{"metadata": map[string]any{"annotations": map[string]any{"touched": "yes"}}})
		h.eventually("Link "+name+" is operational", func() bool { return holds(h.get(1, h.ns(site), "links", name), "Operational") })
	}
}

// certificate makes a client certificate at the hub and carries it to the spoke.
func (h hand) certificate(hub, hubName, spoke, name string) {
	h.t.Helper()
	at := h.get(0, h.ns(hub), "sites", hubName)
	issuer, _, _ := unstructured.NestedString(at.Object, "status", "defaultIssuer")
	h.create(0, "certificates", h.object("Certificate", h.ns(hub), name, map[string]any{"ca": issuer, "client": true, "subject": name}))
	var data map[string]any
	h.eventually("the certificate is issued", func() bool {
		if s := h.get(0, h.ns(hub), "secrets", name); s != nil {
			data, _, _ = unstructured.NestedMap(s.Object, "data")
		}
		return data["tls.crt"] != nil
	})
	h.secret(spoke, name, "kubernetes.io/tls", data)
}

// secret makes a Secret at a site of cluster 1; its data is in base64.
func (h hand) secret(site, name, kind string, data map[string]any) {
	h.t.Helper()
	h.create(1, "secrets", map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": kind, "data": data,
		"metadata": map[string]any{"namespace": h.ns(site), "name": name},
	})
}

// endpoints are those of a Site of cluster 0, as a Link has them.
func (h hand) endpoints(hub, name string) (out []any) {
	h.t.Helper()
	list, _, _ := unstructured.NestedSlice(h.get(0, h.ns(hub), "sites", name).Object, "status", "endpoints")
	for _, e := range list {
		m := e.(map[string]any)
		out = append(out, map[string]any{"name": m["name"], "host": m["host"], "port": m["port"], "group": m["group"]})
	}
	return out
}

// uids are the UIDs of all Sites and Links of the world's namespaces.
func (h hand) uids() map[string]string {
	h.t.Helper()
	out := map[string]string{}
	for i := range h.dyn {
		for _, kind := range []string{"sites", "links"} {
			for _, o := range h.list(i, "", kind, "") {
				if strings.HasPrefix(o.GetNamespace(), h.name+"-") {
					out[fmt.Sprintf("%s %d/%s/%s", kind, i, o.GetNamespace(), o.GetName())] = string(o.GetUID())
				}
			}
		}
	}
	return out
}

// importNet imports the sites into net.cue, and checks that it vets.
func (h hand) importNet(sites ...string) (text string, o outcome) {
	h.t.Helper()
	args := []string{"import", "--network", h.name, "--context", "one=" + contextName(0), "--context", "two=" + contextName(1), "-o", "net.cue", "--force"}
	for _, s := range sites {
		args = append(args, "--namespace", h.ns(s))
	}
	h.rewire()
	o = h.must(0, args...)
	if n := h.countWrites(); n != 0 {
		h.t.Errorf("import made %d writes", n)
	}
	h.must(0, "vet")
	data, err := os.ReadFile(filepath.Join(h.dir, "net.cue"))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(data), o
}

// adopted checks that what was imported is taken over as it is.
func (h hand) adopted(text string, actions int) {
	h.t.Helper()
	before := h.uids()
	h.must(0, "plan", "--adopt", "-o", "plan.json")
	data, err := os.ReadFile(filepath.Join(h.dir, "plan.json"))
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := plan.Decode(data)
	if err != nil {
		h.t.Fatal(err)
	}
	if len(p.Actions) != actions {
		h.t.Errorf("%d actions, want %d", len(p.Actions), actions)
	}
	for _, a := range p.Actions {
		if a.Verb != plan.VerbAdopt || len(a.Fields) > 0 {
			h.t.Errorf("%s: %s %v (%s)", a.ID, a.Verb, a.Fields, a.Why)
		}
	}
	for _, e := range p.Topology.Effects {
		if e.Code != effects.EffectTakenOver && e.Code != effects.EffectLinksDown {
			h.t.Errorf("taking over what runs does something to the network: %s", e.Message)
		}
	}
	if h.t.Failed() {
		h.t.Fatalf("the plan is not to adopt alone:\n%s", text)
	}
	h.must(0, "apply", "--adopt", "--yes")
	h.must(0, "plan", "--detailed-exitcode")
	h.eventually("status is ready", func() bool { return h.status().Ready() })
	h.must(0, "drift")
	after := h.uids()
	for name, uid := range before {
		if after[name] != uid {
			h.t.Errorf("%s is another one or gone", name)
		}
	}
	if len(after) != len(before) {
		h.t.Errorf("%d Sites and Links, %d before", len(after), len(before))
	}
	h.importNet(h.sites()...) // once more, now that it is Fairlead's
	h.must(0, "plan", "--detailed-exitcode")
}

// sites are the world's, by the names of its namespaces.
func (h hand) sites() []string {
	h.t.Helper()
	found := map[string]bool{}
	for i := range h.dyn {
		for _, s := range h.list(i, "", "sites", "") {
			if name, ok := strings.CutPrefix(s.GetNamespace(), h.name+"-"); ok {
				found[name] = true
			}
		}
	}
	var out []string
	for name := range found {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// What was made by hand is imported, and adopting it changes nothing.
func TestImport(t *testing.T) {
	t.Parallel()
	t.Run("hub and spoke", func(t *testing.T) {
		t.Parallel()
		h := hand{newWorld(t)}
		h.site(0, "hub", "hub", map[string]any{"linkAccess": "default"})
		h.site(1, "spoke", "spoke", map[string]any{"settings": map[string]any{"router-data-connection-count": "4"}})
		h.redeem("hub", "spoke", "token-to-hub", 5, "token-to-hub")
		text, o := h.importNet("hub", "spoke")
		h.says(o, "Found 2 sites and 1 link.")
		for _, want := range []string{`"token-to-hub": {from: "spoke", to: "hub", cost: 5}`, `settings: "router-data-connection-count": "4"`} {
			if !strings.Contains(text, want) {
				t.Errorf("the description has no %s:\n%s", want, text)
			}
		}
		h.adopted(text, 3)
	})
	t.Run("other names and an HA pair", func(t *testing.T) {
		t.Parallel()
		h := hand{newWorld(t)}
		h.site(0, "hub", "my-site", map[string]any{"linkAccess": "default", "ha": true})
		h.site(0, "plain", "plain", map[string]any{"linkAccess": "default"})
		h.site(1, "shop", "my-site", nil)
		h.redeem("hub", "shop", "pair", 1, "pair-1", "pair-2")
		h.redeem("plain", "shop", "again-r2", 7, "again-r2")
		text, _ := h.importNet("hub", "plain", "shop")
		for _, want := range []string{
			fmt.Sprintf(`pair: {from: "%s", to: "%s"}`, h.ns("shop"), h.ns("hub")), `object: "again-r2"`, `object: "my-site"`,
		} {
			if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
				t.Errorf("the description has no %s:\n%s", want, text)
			}
		}
		h.adopted(text, 5)
	})
	t.Run("by certificate, one through a proxy", func(t *testing.T) {
		t.Parallel()
		h := hand{newWorld(t)}
		h.site(0, "hub", "hub", map[string]any{"linkAccess": "default"})
		h.site(1, "direct", "direct", nil)
		h.site(1, "behind", "behind", nil)
		h.certificate("hub", "hub", "direct", "direct-hub")
		h.create(1, "links", h.object("Link", h.ns("direct"), "direct-hub", map[string]any{"endpoints": h.endpoints("hub", "hub"), "tlsCredentials": "direct-hub"}))
		h.operational("direct", "direct-hub")
		host, port := connectProxy(t)
		h.certificate("hub", "hub", "behind", "behind-hub")
		encoded := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
		h.secret("behind", "corp", "kubernetes.io/basic-auth", map[string]any{
			"host": encoded(host), "port": encoded(port), "username": encoded("someone"), "password": encoded("hunter2")})
		h.create(1, "links", h.object("Link", h.ns("behind"), "behind-hub", map[string]any{
			"endpoints": h.endpoints("hub", "hub"), "tlsCredentials": "behind-hub", "settings": map[string]any{"proxy-configuration": "corp"}}))
		h.operational("behind", "behind-hub")
		text, o := h.importNet("hub", "direct", "behind")
		for _, want := range []string{
			`"direct-hub": {from: "direct", to: "hub", via: "certificate"}`, `"behind-hub": {from: "behind", to: "hub", proxy: "corp"}`,
			fmt.Sprintf(`username: kubernetes: {cluster: "two", namespace: %q, name: "corp", key: "username"}`, h.ns("behind")),
			"port: " + port,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the description has no %s:\n%s", want, text)
			}
		}
		if strings.Contains(text+o.out+o.errOut, "someone") || strings.Contains(text+o.out+o.errOut, "hunter2") {
			t.Error("credentials are shown")
		}
		h.adopted(text, 6)
	})
}

// connectProxy runs a CONNECT proxy that the routers reach until the test ends.
func connectProxy(t *testing.T) (host, port string) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(proxyHost(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(tunnel)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	host, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

func tunnel(w http.ResponseWriter, r *http.Request) {
	there, err := net.Dial("tcp", r.Host)
	if r.Method != http.MethodConnect || err != nil {
		http.Error(w, "no", http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	here, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	go func() {
		_, _ = io.Copy(there, buffered)
		_ = there.Close()
	}()
	_, _ = io.Copy(here, there)
	_ = here.Close()
}

// A network that is Fairlead's already comes back, when git was lost, as it was.
func TestImportOfAManagedNetwork(t *testing.T) {
	t.Parallel()
	h := hand{newWorld(t)}
	sites, links := hubAndSpoke()
	sites[0].extra += ", protect: true"
	links[0].cost = 4
	h.describe(sites, links)
	h.must(0, "apply", "--yes")
	h.rewire()
	o := h.must(0, "import", "--network", h.name, "--all", "--namespace", h.ns("hub"), "--namespace", h.ns("spoke"))
	h.says(o, "is Fairlead's already")
	writeFile(t, filepath.Join(h.dir, "net.cue"), o.out)
	h.must(0, "vet")
	h.must(0, "plan", "--detailed-exitcode")
	h.eventually("status is ready", func() bool { return h.status().Ready() })
	h.must(0, "drift")
}

// What cannot be described is said in the file, and a cluster that cannot be read
// leaves nothing behind.
func TestImportOfAPart(t *testing.T) {
	t.Parallel()
	h := hand{newWorld(t)}
	h.site(0, "hub", "hub", map[string]any{"linkAccess": "default"})
	h.site(1, "spoke", "spoke", nil)
	h.redeem("hub", "spoke", "spoke-hub", 1, "spoke-hub")
	o := h.must(0, "import", "--network", h.name, "--context", contextName(1), "--namespace", h.ns("spoke"))
	left := fmt.Sprintf(`Link %s/spoke-hub on cluster sandbox-2: it leads to Site "hub", which is on none of the clusters that were read`, h.ns("spoke"))
	if !strings.Contains(o.out, "//   "+left+"\n") || !strings.Contains(o.errOut, left) {
		t.Errorf("it does not say %q:\n%s\n%s", left, o.out, o.errOut)
	}
	o = h.must(1, "import", "--network", h.name, "--context", contextName(1), "--namespace", h.ns("nowhere"))
	if o.out != "" || !strings.Contains(o.errOut, "no Site to take over") {
		t.Errorf("without a Site:\n%s\n%s", o.out, o.errOut)
	}
	h.bendBy(func(w *wires) { w.down = map[int]bool{0: true} })
	h.must(7, "import", "--network", h.name, "--all", "--timeout", "5s", "-o", "net.cue")
	if _, err := os.Stat(filepath.Join(h.dir, "net.cue")); err == nil {
		t.Error("a file was written although a cluster could not be read")
	}
}
