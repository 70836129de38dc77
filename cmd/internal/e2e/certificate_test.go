package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/status"
)

// byCertificate describes hub and spoke with one link, and more in its braces.
func (w *world) byCertificate(hub, spoke, link string, more ...string) {
	w.t.Helper()
	writeFile(w.t, filepath.Join(w.dir, "net.cue"), fmt.Sprintf(`package test

network: %q
clusters: {one: context: %q, two: context: %q}
sites: {
	hub: {cluster: "one", namespace: %q, %s}
	spoke: {cluster: "two", namespace: %q, %s}
}
links: "spoke-hub": {from: "spoke", to: "hub", %s}
%s
`, w.name, contextName(0), contextName(1), w.ns("hub"), hub, w.ns("spoke"), spoke, link, strings.Join(more, "\n")))
}

// up applies and checks that nothing is left to do and all is ready.
func (w *world) up() outcome {
	w.t.Helper()
	o := w.must(0, "apply", "--yes")
	w.must(0, "plan", "--detailed-exitcode")
	w.eventually("status is ready", func() bool { return w.status().Ready() })
	return o
}

// credentials counts what a link by certificate should have exactly one of.
func (w *world) certificates(want int) {
	w.t.Helper()
	if n := len(w.list(0, w.ns("hub"), "certificates", w.owned())); n != want {
		w.t.Errorf("%d Certificates at the hub, want %d", n, want)
	}
	w.eventually(fmt.Sprintf("%d Secrets of Certificates at the hub", want), func() bool {
		issued := 0
		for _, s := range w.list(0, w.ns("hub"), "secrets", "") {
			if strings.HasPrefix(s.GetName(), w.name+"-") {
				issued++
			}
		}
		return issued == want
	})
}

// A link by certificate comes up without a grant, and each of its fields changes in
// the way that the routers honour.
func TestCertificateLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const open = `linkAccess: "default"`
	w.byCertificate(open, "", `via: "certificate"`)
	w.up()
	w.certificates(1)
	if names := fmt.Sprint(w.spokeLinks()); names != "[spoke-hub]" {
		t.Fatalf("Links %s", names)
	}
	uid := w.get(1, w.ns("spoke"), "links", "spoke-hub").GetUID()

	w.byCertificate(open, "", `via: "certificate", cost: 7`)
	w.up()
	l := w.get(1, w.ns("spoke"), "links", "spoke-hub")
	if cost, _, _ := unstructured.NestedInt64(l.Object, "spec", "cost"); cost != 7 || l.GetUID() != uid {
		t.Errorf("cost %d, made anew: %t", cost, l.GetUID() != uid)
	}

	endpoints, _, _ := unstructured.NestedSlice(l.Object, "spec", "endpoints")
	endpoints[0].(map[string]any)["port"] = "1"
	w.patch(1, w.ns("spoke"), "links", "spoke-hub", map[string]any{"spec": map[string]any{"endpoints": endpoints}})
	if o := w.must(2, "drift"); !strings.Contains(o.out, "endpoints") {
		t.Errorf("drift does not name the endpoints:\n%s", o.out)
	}
	w.up()
	if w.get(1, w.ns("spoke"), "links", "spoke-hub").GetUID() != uid {
		t.Error("endpoints were not changed in place")
	}

	for _, change := range []struct {
		what, hub, link     string
		links, certificates int
	}{
		{"rotation", open, `via: "certificate", rotation: 1`, 1, 1},
		{"via token", open, `rotation: 1`, 1, 0},
		{"via certificate", open, `via: "certificate", rotation: 1`, 1, 1},
		{"ha on", open + ", ha: true", `via: "certificate", rotation: 1`, 2, 1},
		{"ha off", open, `via: "certificate", rotation: 1`, 1, 1},
	} {
		before := w.spokeLinks()
		w.byCertificate(change.hub, "", change.link)
		w.up()
		after := w.spokeLinks()
		if len(after) != change.links {
			t.Errorf("%s: Links %v, want %d", change.what, after, change.links)
		}
		for _, name := range after {
			if !strings.HasPrefix(change.what, "ha ") && slices.Contains(before, name) {
				t.Errorf("%s: Link %s was kept or its name used again", change.what, name)
			}
		}
		w.certificates(change.certificates)
		if n := len(w.list(1, w.ns("spoke"), "secrets", w.owned())); n != 1 {
			t.Errorf("%s: %d Secrets of ours at the spoke", change.what, n)
		}
	}

	var s status.Status
	w.eventually("status says when the certificate ends, and nothing else", func() bool {
		s = w.status()
		return s.Links[0].Expires != "" && s.Links[0].Reason == ""
	})
	tls, _, _ := unstructured.NestedString(w.get(1, w.ns("spoke"), "links", s.Links[0].Object).Object, "spec", "tlsCredentials")
	soon := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	w.patch(1, w.ns("spoke"), "secrets", tls, map[string]any{"metadata": map[string]any{"annotations": map[string]any{plan.AnnotationExpires: soon}}})
	for _, command := range []string{"status", "drift", "plan"} {
		// The routers change over when an old Link goes, and may report the new one as down meanwhile.
		w.eventually(command+" warns of a certificate that ends soon", func() bool {
			o := w.run(command)
			return o.code == 0 && strings.Contains(o.out, "certificate ends")
		})
	}
	w.applied(nil, nil)
	w.nothingLeft()
	w.certificates(0)
}

// A link by certificate needs no grant server: it asks for no grant, and comes up where
// there are none.
func TestCertificateWithoutGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if bed.sandbox {
		w.namespace(0, "hub", map[string]any{switchGrants: "off"})
	}
	w.byCertificate(`linkAccess: "default"`, "", `via: "certificate"`)
	w.up()
	asks := func(r request) bool { return r.resource() == "accessgrants" || r.resource() == "accesstokens" }
	if n := w.count(func(r request) bool { return r.isWrite() && asks(r) }); n != 0 {
		t.Errorf("%d writes of grants and tokens", n)
	}
}

// What an older Skupper ignores or does not know is refused before anything is
// written, and what it can do is done.
func TestOldController(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const open = `linkAccess: "default"`
	w.byCertificate(open, "", `cost: 2`)
	w.up()
	w.setVersion(1, "spoke", "2.1.3")
	w.byCertificate(open, "", `cost: 5`)
	w.rewire()
	o := w.must(6, "apply", "--yes")
	w.shows(o, "Skupper 2.1.3", "2.2.0", "rotation")
	w.byCertificate(open, "", `proxy: "corp"`, `proxies: corp: {host: "proxy", port: 1}`)
	w.shows(w.must(6, "apply", "--yes"), "Skupper 2.1.3", "proxy corp")
	if n := w.countWrites(); n != 0 {
		t.Errorf("%d writes", n)
	}
	if !bed.sandbox {
		w.resetVersion(1, "spoke") // somebody has to redeem the token
	}
	w.byCertificate(open, "", `cost: 5, rotation: 1`)
	w.up()
	if l := w.get(1, w.ns("spoke"), "links", "spoke-hub-r2"); l == nil {
		t.Errorf("Links %v", w.spokeLinks())
	}
}

// An adoption that is killed is finished as one: nothing is made anew.
func TestAdoptionKilledAfterEveryWrite(t *testing.T) {
	t.Parallel()
	sites, links := hubAndSpoke()
	uid := map[string]string{}
	killEverywhere(t, func(w *world) { w.describe(sites, links) }, func(w *world) {
		for _, s := range sites {
			w.patch(s.cluster, w.ns(s.name), "sites", s.name, unlabelled)
			w.remove(s.cluster, w.ns(s.name), "configmaps", "fairlead-"+w.name)
		}
		w.patch(1, w.ns("spoke"), "links", "spoke-hub", unlabelled)
		uid[w.name] = string(w.get(1, w.ns("spoke"), "links", "spoke-hub").GetUID())
	}, func(w *world) {
		w.settled(sites, links)
		if after := string(w.get(1, w.ns("spoke"), "links", "spoke-hub").GetUID()); after != uid[w.name] {
			t.Error("the Link was made anew")
		}
	}, "--adopt")
}

// shows checks what a command printed on standard output.
func (w *world) shows(o outcome, parts ...string) {
	w.t.Helper()
	for _, part := range parts {
		if !strings.Contains(o.out, part) {
			w.t.Errorf("stdout does not say %q:\n%s", part, o.out)
		}
	}
}
