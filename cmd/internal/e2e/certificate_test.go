package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
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

	if s := w.status(); s.Links[0].Expires == "" {
		t.Error("status does not say when the certificate ends")
	}
	w.describe(nil, nil)
	w.must(0, "apply", "--yes")
	w.nothingLeft()
	w.certificates(0)
}
