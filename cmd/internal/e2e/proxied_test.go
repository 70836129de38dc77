package e2e

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// through describes a proxy and sets its credentials in the environment.
func (w *world) through(p proxy, user, password string) string {
	w.env = map[string]string{"PROXY_USER": user, "PROXY_PASSWORD": password}
	credentials := ""
	if user != "" {
		credentials = `, username: env: "PROXY_USER", password: env: "PROXY_PASSWORD"`
	}
	return fmt.Sprintf(`proxies: corp: {host: %q, port: %d%s}`, p.host, p.port, credentials)
}

// proxySecrets are the proxies' Secrets at the spoke, by name.
func (w *world) proxySecrets() (names []string) {
	w.t.Helper()
	for _, s := range w.list(1, w.ns("spoke"), "secrets", w.owned()) {
		if kind, _, _ := unstructured.NestedString(s.Object, "type"); kind == "kubernetes.io/basic-auth" {
			names = append(names, s.GetName())
		}
	}
	slices.Sort(names)
	return names
}

// content reads a Secret, as the router does.
func (w *world) content(cluster int, namespace, name string) map[string]string {
	w.t.Helper()
	raw, _, _ := unstructured.NestedStringMap(w.get(cluster, namespace, "secrets", name).Object, "data")
	out := map[string]string{}
	for k, v := range raw {
		plain, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			w.t.Fatal(err)
		}
		out[k] = string(plain)
	}
	return out
}

// A link goes through a real CONNECT proxy by the settings that its Secret has, and
// every change of them is a new Secret and a new Link, made before the old ones go.
func TestProxiedLink(t *testing.T) {
	t.Parallel()
	for _, as := range []struct{ name, user, password string }{{"anonymous", "", ""}, {"credentials", "alice", "canary1"}} {
		t.Run(as.name, func(t *testing.T) {
			t.Parallel()
			first, second := startProxy(t, as.user, as.password), startProxy(t, as.user, as.password)
			w := newWorld(t)
			const open = `linkAccess: "default"`
			w.byCertificate(open, "", `proxy: "corp"`, w.through(first, as.user, as.password))
			w.up()
			endpoint := w.endpoint(0, "hub")
			w.carried(first, endpoint)

			w.byCertificate(open, "", `proxy: "corp", cost: 3`, w.through(first, as.user, as.password))
			w.up()
			if got := fmt.Sprint(w.proxySecrets(), w.spokeLinks()); got != "[fairlead-proxy-corp-1] [spoke-hub]" {
				t.Errorf("after a new cost: %s", got)
			}

			w.byCertificate(open, "", `proxy: "corp", cost: 3`, w.through(second, as.user, as.password))
			w.up()
			if got := fmt.Sprint(w.proxySecrets(), w.spokeLinks()); got != "[fairlead-proxy-corp-2] [spoke-hub-r2]" {
				t.Errorf("after a new port: %s", got)
			}
			w.carried(second, endpoint)

			w.byCertificate(open, "", `via: "certificate"`)
			w.up()
			if got := fmt.Sprint(w.proxySecrets(), w.spokeLinks()); got != "[] [spoke-hub-r3]" {
				t.Errorf("without a proxy: %s", got)
			}
			w.byCertificate(open, "", `proxy: "corp"`, w.through(first, as.user, as.password))
			w.up()
			if got := fmt.Sprint(w.proxySecrets(), w.spokeLinks()); got != "[fairlead-proxy-corp-3] [spoke-hub-r4]" {
				t.Errorf("with a proxy again: %s", got)
			}
			w.applied(nil, nil)
			w.nothingLeft()
		})
	}
}

// carried checks that the link goes through the proxy, and that what the Secret says
// opens a connection to the listening endpoint through it.
func (w *world) carried(p proxy, endpoint string) {
	w.t.Helper()
	w.eventually("a CONNECT to "+endpoint, func() bool { return slices.Contains(p.connects(w.t), endpoint) })
	secret := w.content(1, w.ns("spoke"), w.proxySecrets()[0])
	port, err := strconv.Atoi(secret["port"])
	if err != nil {
		w.t.Fatal(err)
	}
	said := proxy{host: secret["host"], port: port}
	var as *url.Userinfo
	if secret["username"] != "" {
		as = url.UserPassword(secret["username"], secret["password"])
	}
	if granted, met := said.reach(w.t.(*testing.T), as, endpoint); !granted || !met {
		w.t.Errorf("by the Secret's settings: granted %t, listening site met %t", granted, met)
	}
}

// Two links share a proxy: one Secret, replaced once for both; credentials that
// cannot be read at plan are said to be unknown and change nothing.
func TestSharedProxy(t *testing.T) {
	t.Parallel()
	p := startProxy(t, "", "")
	w := newWorld(t)
	sites := fmt.Sprintf("sites: hub2: {cluster: \"one\", namespace: %q, linkAccess: \"default\"}\n", w.ns("hub2"))
	const second = "links: second: {from: \"spoke\", to: \"hub2\", proxy: \"corp\"}\n"
	const open = `linkAccess: "default"`
	settings := func(port int) string {
		return fmt.Sprintf(`proxies: corp: {host: %q, port: %d, username: env: "PROXY_USER", password: env: "PROXY_PASSWORD"}`, p.host, port)
	}
	w.env = map[string]string{"PROXY_USER": "someone", "PROXY_PASSWORD": "first"}
	w.byCertificate(open, "", `proxy: "corp"`, sites, second, settings(p.port))
	w.up()
	if got := w.proxySecrets(); len(got) != 1 {
		t.Errorf("Secrets %v", got)
	}

	w.env = nil
	o := w.must(0, "plan", "--detailed-exitcode")
	if !strings.Contains(o.out, "1 unknown") || !strings.Contains(o.out, "PROXY_USER") {
		t.Errorf("the plan does not say what is unknown:\n%s", o.out)
	}
	w.env = map[string]string{"PROXY_USER": "someone-else", "PROXY_PASSWORD": "first"}
	o = w.must(2, "plan", "--detailed-exitcode")
	if strings.Contains(o.out, "someone") {
		t.Errorf("the plan shows credentials:\n%s", o.out)
	}
	w.must(2, "drift")
	w.up()
	if got := fmt.Sprint(w.proxySecrets(), w.spokeLinks()); got != "[fairlead-proxy-corp-2] [second-r2 spoke-hub-r2]" {
		t.Errorf("after new credentials: %s", got)
	}
	if got := w.content(1, w.ns("spoke"), "fairlead-proxy-corp-2")["username"]; got != "someone-else" {
		t.Errorf("username %q", got)
	}

	w.byCertificate(open, "", `via: "certificate"`, sites, second, settings(p.port))
	w.up()
	if got := fmt.Sprint(w.proxySecrets(), w.spokeLinks()); got != "[fairlead-proxy-corp-2] [second-r2 spoke-hub-r3]" {
		t.Errorf("after one link left the proxy: %s", got)
	}
	w.applied(nil, nil)
	w.nothingLeft()
}

// The same when an apply is killed after each of its writes.
func TestKilledAfterEveryWriteThroughProxy(t *testing.T) {
	t.Parallel()
	p, other := startProxy(t, "", ""), startProxy(t, "", "")
	const open = `linkAccess: "default"`
	for _, life := range []struct {
		name          string
		before, after func(w *world)
		secrets       int
	}{
		{"create", nil, func(w *world) { w.byCertificate(open, "", `proxy: "corp"`, w.through(p, "", "")) }, 1},
		{"new settings", func(w *world) { w.byCertificate(open, "", `proxy: "corp"`, w.through(p, "", "")) },
			func(w *world) { w.byCertificate(open, "", `proxy: "corp"`, w.through(other, "", "")) }, 1},
		{"remove", func(w *world) { w.byCertificate(open, "", `proxy: "corp"`, w.through(p, "", "")) },
			func(w *world) { w.describe(nil, nil) }, 0},
	} {
		t.Run(life.name, func(t *testing.T) {
			t.Parallel()
			killEverywhere(t, life.before, life.after, func(w *world) {
				w.up()
				if n := len(w.proxySecrets()); n != life.secrets || len(w.spokeLinks()) != life.secrets {
					t.Errorf("%d proxy Secrets, Links %v, want %d of each", n, w.spokeLinks(), life.secrets)
				}
				if life.secrets == 0 {
					w.nothingLeft()
				}
			})
		})
	}
}
