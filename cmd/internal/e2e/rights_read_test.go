package e2e

import (
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan"
)

// allRights says whether each printed right is taken away in turn, or a sample of them.
func allRights() bool { return os.Getenv("FAIRLEAD_E2E_RIGHTS") == "all" }

// sampled reports whether the i-th of n rights is tried, about most of them evenly.
func sampled(i, n, most int) bool {
	return allRights() || n <= most || i*most/n != (i+1)*most/n
}

// With the Roles that are printed for them, commands that read see what who may do
// everything sees; without any one of those rights they fail, or their output differs.
func TestReadingRights(t *testing.T) {
	t.Parallel()
	bothScopes(t, func(t *testing.T, scope string) {
		w, p := newWard(t, scope)
		before, now := everything(), everything()
		before.old, before.past = true, true
		w.draw(before, p)
		w.must(0, "apply", "--yes")
		w.eventually("status is ready", func() bool { return w.status().Ready() })
		w.leases()
		w.draw(now, p)
		w.patch(0, w.ns("past"), "sites", "past", map[string]any{"spec": map[string]any{"edge": true}})
		w.patch(1, w.ns("old"), "sites", "old", map[string]any{"spec": map[string]any{"edge": true}})
		w.patch(1, w.ns("shop"), "links", "shop-gate", map[string]any{"spec": map[string]any{"cost": 7}})
		w.eventually("the controller has seen the cost", func() bool { return w.status().Ready() })
		wide := w.plan()
		tried := 0
		for _, command := range []struct {
			name string
			code int
			args []string
		}{
			{"plan", 0, []string{"plan", "--format", "json"}},
			{"drift", 2, []string{"drift", "--format", "json"}},
			{"status", 0, []string{"status", "--format", "json"}},
			{"import", 0, w.importArgs()},
		} {
			w.draw(before, p)
			w.become(command.name)
			w.draw(now, p)
			first := len(w.requests())
			want := w.steady(command.code, command.args...)
			w.refusals(w.requests()[first:])
			if command.name == "plan" {
				w.samePlan(wide, w.plan())
			}
			for i, right := range w.printed {
				if !sampled(i, len(w.printed), 8) {
					continue
				}
				tried++
				w.take(right, true)
				without := w.say(command.args...)
				w.take(right, false)
				w.eventually("with all rights "+command.name+" says the same again", func() bool {
					again := w.say(command.args...)
					return again.code == want.code && again.out == want.out
				})
				if command.name == "plan" && right.verb == "list" && right.resource != "namespaces" {
					w.explained(right, without)
				}
				if without.code == want.code && without.out == want.out {
					t.Errorf("%s loses nothing without the right to %s", command.name, right)
				}
			}
			t.Logf("%s: %d rights", command.name, len(w.printed))
		}
		t.Logf("took away %d rights", tried)
	})
}

// explained checks that a plan without the right to list something says what it lacks.
func (w *ward) explained(right printed, o outcome) {
	w.t.Helper()
	if right.namespace == w.ns("past") || right.namespace == w.ns("old") { // where only the Lease leads to
		if o.code != 0 || !strings.Contains(o.out, "namespace-unread") {
			w.t.Errorf("without the right to %s: exit %d, and no warning:\n%s", right, o.code, o.out)
		}
		return
	}
	for _, part := range []string{"list " + right.resource, "in namespace " + cmp.Or(right.namespace, w.name), "fairlead rbac", `"forbidden"`} {
		if o.code != 7 || !strings.Contains(o.out, part) {
			w.t.Errorf("without the right to %s: exit %d, and the plan does not say %q:\n%s", right, o.code, part, o.out)
		}
	}
}

// steady runs a command until it says the same twice.
func (w *ward) steady(code int, args ...string) outcome {
	w.t.Helper()
	var last outcome
	w.eventually(args[0]+" says the same twice", func() bool {
		before := last
		if last = w.say(args...); last.code != code {
			w.t.Fatalf("fairlead %s: exit %d, want %d\n%s", strings.Join(args, " "), last.code, code, last.errOut)
		}
		return last.out == before.out
	})
	return last
}

// madeAt is when a plan was made.
var madeAt = regexp.MustCompile(`(?m)^\s*"made": .*\n`)

// say runs a command and leaves out what differs from run to run.
func (w *ward) say(args ...string) outcome {
	o := w.run(args...)
	o.out = madeAt.ReplaceAllString(o.out, "")
	return o
}

// leases writes what an apply that holds the lock leaves on each cluster.
func (w *ward) leases() {
	w.t.Helper()
	for cluster, sites := range [][]string{{"hub", "gate", "past"}, {"shop", "office", "old"}} {
		var names []string
		for _, s := range sites {
			names = append(names, w.ns(s))
		}
		w.put(cluster, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
			"metadata": map[string]any{
				"namespace": "default", "name": "fairlead-" + w.name,
				"labels":      map[string]any{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: w.name},
				"annotations": map[string]any{"fairlead.dev/namespaces": strings.Join(names, ",")},
			},
		}})
	}
}

// importArgs reads the network's namespaces: by their names where the whole cluster is
// read, and otherwise by what the Lease says.
func (w *ward) importArgs() []string {
	args := []string{"import", "--network", w.name, "--force", "--context", "one=" + contextName(0), "--context", "two=" + contextName(1)}
	if w.scope == "cluster" {
		for _, s := range []string{"hub", "gate", "past", "shop", "office", "old"} {
			args = append(args, "--namespace", w.ns(s))
		}
	}
	return args
}

// plan reads `plan --format json`.
func (w *ward) plan() plan.Plan {
	w.t.Helper()
	var p plan.Plan
	if err := json.Unmarshal([]byte(w.must(0, "plan", "--format", "json").out), &p); err != nil {
		w.t.Fatal(err)
	}
	return p
}

// samePlan compares plans of who may do everything and of the present user, but for how
// the latter tells clusters apart where it may not see all.
func (w *ward) samePlan(wide, narrow plan.Plan) {
	w.t.Helper()
	if w.scope == "namespace" {
		for i := range wide.Clusters {
			if !strings.HasPrefix(narrow.Clusters[i].UID, "namespace/default:") {
				w.t.Errorf("the cluster is told by %q", narrow.Clusters[i].UID)
			}
			wide.Clusters[i].UID, narrow.Clusters[i].UID = "", ""
		}
		for _, p := range []plan.Plan{wide, narrow} {
			for _, a := range p.Actions {
				if a.Link != nil {
					a.Link.From.ClusterUID, a.Link.To.ClusterUID = "", ""
				}
				if a.Site != nil {
					a.Site.ClusterUID = ""
				}
			}
		}
		wide.ID, narrow.ID = "", ""
	}
	wide.Made, narrow.Made = "", ""
	if diff := gocmp.Diff(wide, narrow); diff != "" {
		w.t.Errorf("with rights to a %s the plan differs:\n%s", w.scope, diff)
	}
	if len(narrow.Actions) == 0 {
		w.t.Error("the plan is empty")
	}
}

// refusals checks that nothing was refused but, where rights are of namespaces, lists
// of the whole cluster, looks at namespaces themselves, and namespaces that only the
// Lease names.
func (w *ward) refusals(seen []request) {
	w.t.Helper()
	for _, r := range seen {
		if r.Status != http.StatusForbidden {
			continue
		}
		m := requestPath.FindStringSubmatch(r.Path)
		harmless := m != nil && (m[3] == "namespaces" || m[2] == w.ns("past") || m[2] == w.ns("old"))
		if !harmless && (w.scope == "cluster" || m == nil || m[2] != "") {
			w.t.Errorf("refused: %s %s?%s", r.Method, r.Path, r.Query)
		}
	}
}
