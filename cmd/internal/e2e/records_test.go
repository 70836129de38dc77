package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/schematest"
	"fairlead.dev/fairlead/plan"
)

// events reads a file of --events; every line has to fit the published schema.
func (w *world) events(file string) []report.Event {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, file))
	if err != nil {
		w.t.Fatal(err)
	}
	schema, err := schematest.Compile("events.json", report.EventSchema)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []report.Event
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for lines.Scan() {
		if err := schematest.Validate(w.t, schema, lines.Bytes()); err != nil {
			w.t.Errorf("%v\n%s", err, lines.Bytes())
		}
		var e report.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, e)
	}
	if len(out) < 2 || out[0].Type != report.RecordRun || out[len(out)-1].Type != report.RecordEnd {
		w.t.Fatalf("the file does not begin with a run and end with an end:\n%s", data)
	}
	return out
}

// Every step of every action is in the file, from its start to its end; the run is
// named in it, in the report, in the log and on every object that was written.
func TestEventsAndRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	o := w.must(0, "apply", "--yes", "--events", "events.jsonl", "--log-level", "info", "--log-format", "json")
	events := w.events("events.jsonl")
	run := events[0].Run
	w.says(o, "3 done", "(run "+run+")", `"run":"`+run+`"`, `"msg":"observe"`, `"msg":"apply"`)
	open := map[string]int{}
	for _, e := range events[1 : len(events)-1] {
		if e.Run != run || e.Network != w.name || e.Plan != events[0].Plan || e.Plan == "" {
			t.Errorf("%+v", e)
		}
		key := e.Action + " " + string(e.Step)
		switch e.Phase {
		case "started":
			open[key]++
		case "done":
			open[key]--
			if e.DurationMs == nil {
				t.Errorf("no duration: %+v", e)
			}
		default:
			t.Errorf("%+v", e)
		}
	}
	for key, n := range open {
		if n != 0 {
			t.Errorf("%q was started %d times more than it ended", key, n)
		}
	}
	for _, step := range []string{"link/spoke-hub redeem", "link/spoke-hub confirm", "site/hub ready", "site/hub "} {
		if _, seen := open[step]; !seen {
			t.Errorf("no event of %q in %v", step, open)
		}
	}
	end := events[len(events)-1]
	if *end.ExitCode != 0 || end.Counts[report.StateDone] != 3 || *events[0].Summary != (plan.Summary{Create: 3}) {
		t.Errorf("%+v %+v", end, events[0])
	}
	info, err := os.Stat(filepath.Join(w.dir, "events.jsonl"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	w.markedBy(run, "sites", "links", "configmaps", "secrets")

	// A second apply writes nothing, so what the first one noted stays.
	w.must(0, "apply", "--yes", "--events", "events.jsonl")
	if again := w.events("events.jsonl"); len(again) != 2 || again[0].Run == run {
		t.Errorf("%+v", again)
	}
	w.markedBy(run, "sites", "links", "configmaps", "secrets")
}

// markedBy checks that every object with the network's label notes the run.
func (w *world) markedBy(run string, kinds ...string) {
	w.t.Helper()
	for i := range w.dyn {
		for _, kind := range kinds {
			for _, o := range w.list(i, "", kind, w.owned()) {
				if got := o.GetAnnotations()[plan.AnnotationRun]; got != run {
					w.t.Errorf("%s %s/%s was written by run %q, want %q", kind, o.GetNamespace(), o.GetName(), got, run)
				}
			}
		}
	}
}

// Certificates, proxies' Secrets and objects of overlays note the run, too, and so do
// grants and tokens while they live.
func TestRunOnEveryWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	sites[1].extra = `overlay: "over"`
	w.describe(sites, links)
	writeFile(t, filepath.Join(w.dir, "over", "kustomization.yaml"), "resources: [cm.yaml]\n")
	writeFile(t, filepath.Join(w.dir, "over", "cm.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n")
	w.must(0, "apply", "--yes")
	file := filepath.Join(w.dir, "net.cue")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w.runNoted()
	writeFile(t, file, strings.Replace(string(data), "cost: 1", `via: "certificate"`, 1))
	w.must(0, "apply", "--yes")
	w.runNoted()
	w.must(0, "plan", "--detailed-exitcode")
}

// runNoted checks each object that was written over the wires: it notes a run.
func (w *world) runNoted() {
	w.t.Helper()
	for _, r := range w.requests() {
		bare := strings.HasSuffix(r.Path, "/namespaces") || strings.Contains(r.Path, "/leases")
		if !r.isWrite() || r.Method == "DELETE" || r.Status >= 300 || bare {
			continue
		}
		o := &unstructured.Unstructured{}
		if err := json.Unmarshal(r.Body, &o.Object); err != nil {
			w.t.Fatalf("%s %s: %v", r.Method, r.Path, err)
		}
		if o.GetAnnotations()[plan.AnnotationRun] == "" {
			w.t.Errorf("%s %s does not note the run", r.Method, r.Path)
		}
	}
}

// Each command leaves what it knows for Prometheus.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	read := func(file string, want ...string) {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(w.dir, file))
		if err != nil {
			t.Fatal(err)
		}
		labels := `network="` + w.name + `"`
		for _, line := range want {
			if !strings.Contains(strings.ReplaceAll(string(data), labels, "N"), line+"\n") {
				t.Errorf("%s has no line %q:\n%s", file, line, data)
			}
		}
	}
	w.must(0, "plan", "--metrics", "plan.prom")
	read("plan.prom", `fairlead_pending_actions{command="plan",N,verb="create"} 3`, `fairlead_cluster_up{cluster="one",command="plan",N} 1`,
		`fairlead_links{command="plan",N} 1`, `fairlead_links_ready{command="plan",N} 0`)
	w.must(0, "apply", "--yes", "--metrics", "apply.prom")
	read("apply.prom", `fairlead_pending_actions{command="apply",N,verb="create"} 0`, `fairlead_last_apply_success{command="apply",N} 1`,
		`fairlead_last_apply_actions{command="apply",N,state="done"} 3`)
	w.eventually("status is ready", func() bool { return w.status().Ready() })
	w.must(0, "status", "--metrics", "status.prom")
	read("status.prom", `fairlead_link_ready{command="status",from="spoke",link="spoke-hub",N,to="hub"} 1`, `fairlead_sites_ready{command="status",N} 2`)
	if data, err := os.ReadFile(filepath.Join(w.dir, "status.prom")); err != nil || !strings.Contains(string(data), `fairlead_certificate_expiry_timestamp_seconds{command="status",link="spoke-hub"`) {
		t.Errorf("%v\n%s", err, data)
	}
	w.patch(1, w.ns("spoke"), "links", "spoke-hub", map[string]any{"spec": map[string]any{"cost": 7}})
	w.must(2, "drift", "--metrics", "drift.prom")
	read("drift.prom", `fairlead_drift_actions{command="drift",N} 1`, `fairlead_run_exit_code{command="drift",N} 2`)
	w.bendBy(func(v *wires) { v.down = map[int]bool{1: true} })
	w.must(7, "status", "--metrics", "status.prom")
	read("status.prom", `fairlead_cluster_up{cluster="two",command="status",N} 0`, `fairlead_links_ready{command="status",N} 0`)
}
