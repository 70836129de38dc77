package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan"
)

const overlayListener = `apiVersion: skupper.io/v2alpha1
kind: Listener
metadata: {name: backend}
spec: {routingKey: backend, port: 8080, host: backend}
`

// file writes a file beside the description.
func (w *world) file(name, content string) {
	w.t.Helper()
	writeFile(w.t, filepath.Join(w.dir, name), content)
}

// The life of what an overlay adds: it goes up with its site, drift of it is found
// and healed, and it goes with its lines, or with its site.
func TestOverlay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	sites[1].extra = `overlay: "shop"`
	w.describe(sites, links)
	w.file("shop/listener.yaml", overlayListener)
	w.file("shop/kustomization.yaml", `
resources: [listener.yaml]
labels: [{pairs: {team: retail}}]
configMapGenerator: [{name: conf, literals: [colour=blue, quantity=1]}]
`)
	ns := w.ns("spoke")
	listener := func() *unstructured.Unstructured { return w.get(1, ns, "listeners", "backend") }
	w.must(2, "plan", "--detailed-exitcode")
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	w.must(0, "drift")

	t.Run("everything is there and labelled", func(t *testing.T) {
		l := listener()
		if l == nil || l.GetLabels()["team"] != "retail" || l.GetLabels()[plan.LabelNetwork] != w.name || l.GetLabels()[plan.LabelSite] != "spoke" {
			t.Errorf("the Listener is %v", l)
		}
		if s := w.get(1, ns, "sites", "spoke"); s.GetLabels()["team"] != "retail" {
			t.Errorf("the Site has labels %v", s.GetLabels())
		}
		if n := len(w.list(1, ns, "configmaps", "team=retail")); n != 1 {
			t.Errorf("%d generated ConfigMaps", n)
		}
	})
	t.Run("second apply writes nothing", func(t *testing.T) {
		w.rewire()
		w.must(0, "apply", "--yes")
		if n := w.countWrites(); n != 0 {
			t.Errorf("%d writes", n)
		}
	})
	t.Run("one list more for each kind", func(t *testing.T) {
		w.rewire()
		w.must(0, "plan", "--detailed-exitcode")
		count := map[string]int{}
		for _, r := range w.requests() {
			count[r.resource()]++
		}
		// The kinds of both group versions are asked for once; the other cluster has no objects.
		for kind, want := range map[string]int{"listeners": 1, "configmaps": clusters + 1, "v1": 1, "v2alpha1": 1, "sites": clusters} {
			if count[kind] != want {
				t.Errorf("%d requests for %s, want %d", count[kind], kind, want)
			}
		}
	})
	t.Run("drift is found and healed", func(t *testing.T) {
		w.patch(1, ns, "listeners", "backend", map[string]any{"spec": map[string]any{"port": 9999}})
		w.patch(1, ns, "sites", "spoke", map[string]any{"metadata": map[string]any{"labels": map[string]any{"team": nil}}})
		o := w.must(2, "drift")
		for _, want := range []string{"Listener/backend", "spec.port: 9999 on the cluster, 8080 when last applied", "metadata.labels.team"} {
			if !strings.Contains(o.out, want) {
				t.Errorf("drift does not say %q:\n%s", want, o.out)
			}
		}
		w.must(0, "apply", "--yes")
		w.settled(sites, links)
		w.must(0, "drift")
		if port, _, _ := unstructured.NestedInt64(listener().Object, "spec", "port"); port != 8080 {
			t.Errorf("the port is %d", port)
		}
	})
	t.Run("a patch of the Site reaches it", func(t *testing.T) {
		w.file("shop/kustomization.yaml", `
resources: [listener.yaml]
patches:
- target: {kind: Site}
  patch: '[{"op": "add", "path": "/spec/settings", "value": {"router-data-connection-count": "2"}}]'
`)
		w.must(0, "apply", "--yes")
		w.settled(sites, links)
		site := w.get(1, ns, "sites", "spoke")
		connections, _, _ := unstructured.NestedString(site.Object, "spec", "settings", "router-data-connection-count")
		if connections != "2" || site.GetLabels()["team"] != "" || len(w.list(1, ns, "configmaps", "team=retail")) != 0 {
			t.Errorf("%q connections, labels %v", connections, site.GetLabels())
		}
	})
	t.Run("what the overlay drops is deleted", func(t *testing.T) {
		w.file("shop/kustomization.yaml", "commonAnnotations: {owner: retail}")
		o := w.must(0, "apply", "--yes")
		if !strings.Contains(o.out, "delete object Listener/backend") || listener() != nil {
			t.Errorf("the Listener is still there:\n%s", o.out)
		}
		w.settled(sites, links)
	})
	t.Run("it goes with its site", func(t *testing.T) {
		w.file("shop/kustomization.yaml", "resources: [listener.yaml]")
		w.must(0, "apply", "--yes")
		w.applied(nil, nil)
		w.nothingLeft()
		if listener() != nil {
			t.Error("the Listener is left")
		}
	})
}

// Kinds whose values the API server defaults and normalises are no drift.
func TestOverlayOfBuiltinKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.describe([]site{{"hub", 0, `overlay: "extra"`}}, nil)
	w.file("extra/kustomization.yaml", "resources: [all.yaml]")
	w.file("extra/all.yaml", `
apiVersion: v1
kind: Service
metadata: {name: backend}
spec: {selector: {app: backend}, ports: [{port: 80, name: web}, {port: 81, name: other}]}
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, default: {cpu: "0.5", memory: 1000Mi}}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: backend}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: policy}
spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}, {port: web}]}, {}], egress: []}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: web, ports: [{containerPort: 80}], env: [{name: A, value: ""}], resources: {limits: {cpu: "0.5"}}}
      volumes: [{name: tmp, emptyDir: {}}]
`)
	w.must(0, "apply", "--yes")
	w.must(0, "plan", "--detailed-exitcode")
	w.must(0, "drift")
	w.rewire()
	w.must(0, "apply", "--yes")
	if n := w.countWrites(); n != 0 {
		t.Errorf("a second apply made %d writes", n)
	}
}

func TestOverlayRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.describe([]site{{"hub", 0, `overlay: "extra"`}}, nil)
	w.file("extra/kustomization.yaml", "resources: [x.yaml]")
	with := func(manifest string) { w.file("extra/x.yaml", manifest) }
	with("{apiVersion: v1, kind: Secret, metadata: {name: x}}")
	for _, command := range [][]string{{"vet"}, {"plan"}, {"apply", "--yes"}, {"drift"}} {
		o := w.must(3, command...)
		if !strings.Contains(o.out+o.errOut, "extra/x.yaml: Secret x cannot come from an overlay") {
			t.Errorf("%v says\n%s%s", command, o.out, o.errOut)
		}
	}
	with("{apiVersion: example.com/v1, kind: Gate, metadata: {name: x}}")
	if o := w.must(6, "plan"); !strings.Contains(o.out, "has no kind Gate in example.com/v1") {
		t.Error(o.out)
	}
	with("{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {a: b}}")
	w.namespace(0, "hub", nil)
	w.create(0, "configmaps", map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "x", "namespace": w.ns("hub")}, "data": map[string]any{"a": "c", "d": "e"},
	})
	w.must(6, "apply", "--yes")
	w.must(0, "apply", "--yes", "--adopt")
	w.must(0, "plan", "--detailed-exitcode")
	data, _, _ := unstructured.NestedStringMap(w.get(0, w.ns("hub"), "configmaps", "x").Object, "data")
	if data["a"] != "b" || data["d"] != "e" {
		t.Errorf("adopted as %v", data)
	}
	w.applied(nil, nil)
	if w.get(0, w.ns("hub"), "configmaps", "x") != nil {
		t.Error("an adopted object is left")
	}
}

// An apply that is killed after any of its writes to an overlay's objects is
// finished by the next one, and what the overlay dropped meanwhile is gone.
func TestOverlayKilledAfterEveryWrite(t *testing.T) {
	t.Parallel()
	const config = "{apiVersion: v1, kind: ConfigMap, metadata: {name: conf}, data: {a: b}}"
	up := func(w *world) {
		w.describe([]site{{"hub", 0, `overlay: "extra"`}}, nil)
		w.file("extra/kustomization.yaml", "resources: [a.yaml, b.yaml]")
		w.file("extra/a.yaml", strings.Replace(overlayListener, "port: 8080", "port: 8080, type: tcp", 1))
		w.file("extra/b.yaml", config)
	}
	change := func(w *world) {
		w.file("extra/kustomization.yaml", "resources: [a.yaml, c.yaml]\nlabels: [{pairs: {team: x}}]")
		w.file("extra/a.yaml", overlayListener)
		w.file("extra/c.yaml", strings.Replace(config, "name: conf", "name: other", 1))
	}
	for _, life := range []struct {
		name          string
		before, after func(w *world)
		listener      bool
		configs       int
	}{
		{"create", nil, up, true, 1},
		{"change", up, change, true, 1},
		{"remove", up, func(w *world) { w.describe(nil, nil) }, false, 0},
	} {
		t.Run(life.name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				w := newWorld(t)
				if life.before != nil {
					life.before(w)
					w.must(0, "apply", "--yes")
				}
				life.after(w)
				if !w.killAfter(n) {
					t.Logf("killed after each of %d writes", n-1)
					return
				}
				w.rewire()
				w.must(0, "apply", "--yes")
				w.must(0, "plan", "--detailed-exitcode")
				w.drift(0)
				l := w.get(0, w.ns("hub"), "listeners", "backend")
				configs := w.list(0, w.ns("hub"), "configmaps", plan.LabelObject)
				if (l != nil) != life.listener || len(configs) != life.configs {
					t.Fatalf("killed after write %d: Listener %v, %d ConfigMaps", n, l != nil, len(configs))
				}
				if l == nil {
					w.nothingLeft()
				} else if kept, _, _ := unstructured.NestedString(l.Object, "spec", "type"); life.name == "change" && kept == "tcp" {
					t.Fatalf("killed after write %d: a dropped field is kept", n)
				}
			}
		})
	}
}

// An object that somebody changes between plan and write is not overwritten.
func TestOverlayChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]func(w *world){
		"changed": func(w *world) {
			w.patch(0, w.ns("hub"), "listeners", "backend", map[string]any{"spec": map[string]any{"port": 7}})
		},
		"deleted": func(w *world) { w.remove(0, w.ns("hub"), "listeners", "backend") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.describe([]site{{"hub", 0, `overlay: "extra"`}}, nil)
			w.file("extra/kustomization.yaml", "resources: [a.yaml]")
			w.file("extra/a.yaml", overlayListener)
			w.must(0, "apply", "--yes")
			w.file("extra/a.yaml", strings.Replace(overlayListener, "8080", "9090", 1))
			w.rewire()
			w.bendBy(func(v *wires) {
				v.after = func(n int, _ request) {
					if n == 1 { // the record, which comes before the write
						meddle(w)
					}
				}
			})
			o := w.must(5, "apply", "--yes")
			w.says(o, "changed since it was planned")
			w.rewire()
			w.must(0, "apply", "--yes")
			w.must(0, "plan", "--detailed-exitcode")
			l := w.get(0, w.ns("hub"), "listeners", "backend")
			if port, _, _ := unstructured.NestedInt64(l.Object, "spec", "port"); port != 9090 {
				t.Errorf("the port is %d", port)
			}
		})
	}
}
