package e2e

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A change that failed and is taken back is no drift, before and after, and leaves nothing
// to plan: what was last applied and what was intended are recorded apart.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	const open = `linkAccess: "default"`
	dead := fmt.Sprintf(`proxies: corp: {host: %q, port: %d}`, proxyHost(), freePort(t))
	for _, tt := range []struct {
		name string
		// describe describes the network as it works, or as it never comes up.
		describe func(w *world, works bool)
	}{
		{"a proxy that nobody listens on", func() func(w *world, works bool) {
			p := startProxy(t, "", "")
			return func(w *world, works bool) {
				proxies := w.through(p, "", "")
				if !works {
					proxies = dead
				}
				w.byCertificate(open, "", `proxy: "corp"`, proxies)
			}
		}()},
		{"a proxy on the way of a link", func(w *world, works bool) {
			if works {
				w.byCertificate(open, "", `via: "certificate"`)
				return
			}
			w.byCertificate(open, "", `proxy: "corp"`, dead)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.describe(w, true)
			w.up()
			w.healthy()
			before := fmt.Sprint(w.spokeLinks())
			tt.describe(w, false)
			w.must(8, "apply", "--yes", "--timeout", "20s")
			if o := w.must(0, "drift"); !strings.Contains(o.out, "Git is ahead") {
				t.Errorf("drift of a change that failed:\n%s", o.out)
			}
			tt.describe(w, true)
			w.must(0, "drift")
			w.must(0, "apply", "--yes")
			w.healthy()
			if o := w.must(0, "plan", "--detailed-exitcode"); !strings.Contains(o.out, "Nothing to do") {
				t.Errorf("the plan:\n%s", o.out)
			}
			if now := fmt.Sprint(w.spokeLinks()); now != before {
				t.Errorf("Links %s, and %s before: what worked was replaced", now, before)
			}
		})
	}
}

const twoPorts = `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}, {port: 81, name: b}]}
`

// What the API server refuses was never applied: drift and plan say so, with the reason,
// and nobody is blamed for it.
func TestRefusedWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.describe([]site{{"hub", 0, `overlay: "extra"`}}, nil)
	w.file("extra/kustomization.yaml", "resources: [s.yaml]")
	w.file("extra/s.yaml", twoPorts)
	w.must(4, "apply", "--yes")
	const never = `was never applied: Service "web" is invalid: spec.ports[0].name: Required value`
	w.shows(w.must(0, "drift"), "Git is ahead", never, "No drift.")
	w.shows(w.must(2, "plan", "--detailed-exitcode"), never)
	if w.get(0, w.ns("hub"), "services", "web") != nil {
		t.Error("the Service is there")
	}

	w.file("extra/s.yaml", strings.Replace(twoPorts, "{port: 80}", "{port: 80, name: a}", 1))
	if o := w.run("plan"); strings.Contains(o.out, "never applied") {
		t.Errorf("the reason stays although the object is another:\n%s", o.out)
	}
	w.must(0, "apply", "--yes")
	w.healthy()

	w.file("extra/s.yaml", strings.Replace(twoPorts, "ports: [{port: 80}", "ports: [{port: 80, name: a_b}", 1))
	w.must(4, "apply", "--yes")
	w.shows(w.must(0, "drift"), "changed in the description", "was never applied: ", "No drift.")
	w.file("extra/s.yaml", strings.Replace(twoPorts, "{port: 80}", "{port: 80, name: a}", 1))
	w.shows(w.must(0, "plan", "--detailed-exitcode"), "Nothing to do")
	w.healthy()

	w.file("extra/s.yaml", strings.Replace(twoPorts, "name: web", "name: other", 1))
	w.must(4, "apply", "--yes", "--allow-partial")
	w.file("extra/kustomization.yaml", "resources: []\ncommonLabels: {}\n")
	w.shows(w.must(0, "apply", "--yes"), "was never applied; its record is cleared")
	w.healthy()
}

// The same of a Site: the API server refuses a value, and nothing of it was applied.
func TestRefusedSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.applied([]site{{"hub", 0, ""}}, nil)
	w.describe([]site{{"hub", 0, `overlay: "extra"`}}, nil)
	w.file("extra/kustomization.yaml", `patches:
- target: {kind: Site}
  patch: '[{"op": "add", "path": "/metadata/labels", "value": {"team": "no label has blanks"}}]'
`)
	w.must(4, "apply", "--yes")
	p := w.drift(0)
	if len(p.Actions) != 0 || len(p.Behind) != 1 || !strings.Contains(p.Behind[0].Why, "was never applied: ") {
		t.Errorf("drift: %v, behind %v", p.Actions, p.Behind)
	}
	s := w.get(0, w.ns("hub"), "sites", "hub")
	if _, labelled, _ := unstructured.NestedString(s.Object, "metadata", "labels", "team"); labelled {
		t.Error("the Site has the label")
	}
	w.file("extra/kustomization.yaml", "commonAnnotations: {}\n")
	w.must(0, "plan", "--detailed-exitcode")
	w.healthy()
}
