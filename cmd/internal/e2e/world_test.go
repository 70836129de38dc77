package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"fairlead.dev/fairlead/cmd/internal/cli"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/status"
)

var serial atomic.Int64

// world is one test's network: its own names on the shared clusters, a directory
// with a description, and wires to watch by.
type world struct {
	*wires
	// name is the network's, and the prefix of every namespace.
	name string
	dir  string
	// configs reach its clusters past the wires, and so does dyn.
	configs []*rest.Config
	dyn     []dynamic.Interface
	// env is further environment of its commands.
	env map[string]string
	// railed is true in tests of what a plan is refused for. In others an apply gets
	// the flags that the plan asks for: they delete most of a tiny network.
	railed bool
	// killed is true after a command was killed: its locks have to be waited for.
	killed bool
	// wrap is what its commands have around their way to the clusters, if anything.
	wrap func(http.RoundTripper) http.RoundTripper
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, bed.configs[:clusters])
}

func newWorldOn(t testing.TB, configs []*rest.Config) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), configs: configs}
	w.name = fmt.Sprintf("t%d-%x", serial.Add(1), time.Now().UnixNano()&0xffffff)
	for _, cfg := range configs {
		d, err := dynamic.NewForConfig(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.dyn = append(w.dyn, d)
	}
	w.wires = newWires(t, checkWrites(t, w.dyn), configs)
	t.Cleanup(w.clear)
	return w
}

// rewire gives the world fresh wires, as a new process has a new connection.
func (w *world) rewire() { w.wires = newWires(w.t, w.check, w.configs) }

// emptied are the kinds that a world's namespaces may hold, in an order in which they
// may go: nothing is carried, linked or issued for what is gone already.
var emptied = []string{
	"accesstokens", "accessgrants", "links", "listeners", "connectors", "sites", "certificates", "routeraccesses",
	"configmaps", "secrets",
}

// clear takes the world's namespaces away, and what is in them, and its lock. Left
// behind, they would be in every list that a later test's commands read.
func (w *world) clear() {
	ctx := context.Background()
	for i, d := range w.dyn {
		for _, ns := range w.list(i, "", "namespaces", "") {
			if !strings.HasPrefix(ns.GetName(), w.name+"-") {
				continue
			}
			for _, kind := range emptied {
				_ = d.Resource(resource(kind)).Namespace(ns.GetName()).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
			}
			w.finish(d, ns)
		}
		_ = d.Resource(resource("leases")).Namespace(lockNamespace).Delete(ctx, "fairlead-"+w.name, metav1.DeleteOptions{})
	}
}

// finish takes a namespace away. In the sandbox it does without the namespace controller,
// which asks for every kind there is each time: the namespace waits for none, and a second
// deletion ends it, the first one having marked it (Kubernetes API server: namespaces).
func (w *world) finish(d dynamic.Interface, ns unstructured.Unstructured) {
	ctx, all := context.Background(), d.Resource(resource("namespaces"))
	if bed.sandbox {
		unstructured.RemoveNestedField(ns.Object, "spec", "finalizers")
		_, _ = all.Update(ctx, &ns, metav1.UpdateOptions{}, "finalize")
		_ = all.Delete(ctx, ns.GetName(), metav1.DeleteOptions{})
	}
	_ = all.Delete(ctx, ns.GetName(), metav1.DeleteOptions{})
}

// site is a site of a test's description; its namespace is the network's name, a
// dash and the site's. A name "b=a" is site b in the namespace of site a.
type site struct {
	name    string
	cluster int
	extra   string
}

type link struct {
	name, from, to string
	cost           int
}

// hubAndSpoke is the smallest network with a link across clusters.
func hubAndSpoke() ([]site, []link) {
	return []site{{"hub", 0, `linkAccess: "default"`}, {"spoke", 1, ""}}, []link{{"spoke-hub", "spoke", "hub", 1}}
}

// clusterNames are the keys of the clusters in descriptions.
var clusterNames = []string{"one", "two", "three"}

// describe writes the description.
func (w *world) describe(sites []site, links []link) {
	w.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "package test\n\nnetwork: %q\n", w.name)
	b.WriteString("clusters: {")
	for i := range w.dyn {
		fmt.Fprintf(&b, "%s: context: %q, ", clusterNames[i], contextName(i))
	}
	b.WriteString("}\nsites: {\n")
	for _, s := range sites {
		fmt.Fprintf(&b, "\t%q: {cluster: %q, namespace: %q", s.site(), clusterNames[s.cluster], w.ns(s.name))
		if s.extra != "" {
			b.WriteString(", " + s.extra)
		}
		b.WriteString("}\n")
	}
	b.WriteString("}\nlinks: {\n")
	for _, l := range links {
		fmt.Fprintf(&b, "\t%q: {from: %q, to: %q, cost: %d}\n", l.name, l.from, l.to, max(l.cost, 1))
	}
	b.WriteString("}\n")
	writeFile(w.t, filepath.Join(w.dir, "net.cue"), b.String())
}

// applied describes sites and links, and applies that.
func (w *world) applied(sites []site, links []link) {
	w.t.Helper()
	w.describe(sites, links)
	w.must(0, "apply", "--yes")
}

func (s site) site() string {
	name, _, _ := strings.Cut(s.name, "=")
	return name
}

func (w *world) ns(site string) string {
	if _, at, ok := strings.Cut(site, "="); ok {
		site = at
	}
	return w.name + "-" + site
}

// outcome is what a command did.
type outcome struct {
	code        int
	out, errOut string
}

// run runs a command in this process, over the wires.
func (w *world) run(args ...string) outcome {
	w.t.Helper()
	o := w.runIn(w.dir, args...)
	if allowed := allowances(o); args[0] == "apply" && o.code == 6 && !w.railed && len(allowed) > 0 {
		return w.runIn(w.dir, append(args, allowed...)...)
	}
	return o
}

func (w *world) runIn(dir string, args ...string) outcome {
	w.t.Helper()
	var out, errOut bytes.Buffer
	env := map[string]string{"KUBECONFIG": w.kubeconfig, "HOME": w.dir}
	maps.Copy(env, w.env)
	if w.killed && args[0] == "apply" {
		args = append(slices.Clone(args), "--lock-timeout", lockPatience)
	}
	defer w.onlyReads(args)()
	w.check.begin()
	code := cli.Main(args, cli.System{
		In: strings.NewReader(""), Out: &out, Err: &errOut, Dir: dir,
		Getenv: func(k string) string { return env[k] }, Wrap: w.wrap,
	})
	w.check.end(code == 0)
	o := outcome{code, out.String(), errOut.String()}
	w.published(dir, args, o)
	return o
}

// must runs a command that has to end with the code.
func (w *world) must(code int, args ...string) outcome {
	w.t.Helper()
	o := w.run(args...)
	if !bed.sandbox && args[0] == "drift" { // real routers connect anew after a change of a Link, and tell of it late
		w.eventually(fmt.Sprintf("drift ends with %d", code), func() bool {
			if o.code != code {
				o = w.run(args...)
			}
			return o.code == code
		})
	}
	if o.code != code {
		w.t.Fatalf("fairlead %s: exit %d, want %d\n%s\n%s", strings.Join(args, " "), o.code, code, o.out, o.errOut)
	}
	return o
}

func resource(name string) schema.GroupVersionResource {
	if slices.Contains([]string{"namespaces", "secrets", "configmaps", "events", "pods"}, name) {
		return schema.GroupVersionResource{Version: "v1", Resource: name}
	}
	if name == "leases" {
		return schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: name}
	}
	return schema.GroupVersionResource{Group: "skupper.io", Version: "v2alpha1", Resource: name}
}

// list reads a kind directly, past the wires.
func (w *world) list(cluster int, namespace, kind, selector string) []unstructured.Unstructured {
	w.t.Helper()
	l, err := w.dyn[cluster].Resource(resource(kind)).Namespace(namespace).List(context.Background(), metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		w.t.Fatal(err)
	}
	return l.Items
}

func (w *world) get(cluster int, namespace, kind, name string) *unstructured.Unstructured {
	w.t.Helper()
	o, err := w.dyn[cluster].Resource(resource(kind)).Namespace(namespace).Get(context.Background(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *world) create(cluster int, kind string, o map[string]any) *unstructured.Unstructured {
	w.t.Helper()
	u := &unstructured.Unstructured{Object: o}
	made, err := w.dyn[cluster].Resource(resource(kind)).Namespace(u.GetNamespace()).Create(context.Background(), u, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

func (w *world) namespace(cluster int, site string, annotations map[string]any) {
	w.t.Helper()
	w.create(cluster, "namespaces", map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": w.ns(site), "annotations": annotations},
	})
}

func (w *world) patch(cluster int, namespace, kind, name string, body any) {
	w.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.dyn[cluster].Resource(resource(kind)).Namespace(namespace).Patch(context.Background(), name, types.MergePatchType, data, metav1.PatchOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
}

// goes deletes an object, which may stay as long as a finalizer holds it.
func (w *world) goes(cluster int, namespace, kind, name string) {
	w.t.Helper()
	r := w.dyn[cluster].Resource(resource(kind)).Namespace(namespace)
	if err := r.Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// remove deletes an object and waits until it is gone.
func (w *world) remove(cluster int, namespace, kind, name string) {
	w.t.Helper()
	w.goes(cluster, namespace, kind, name)
	w.eventually(kind+" "+name+" gone", func() bool { return w.get(cluster, namespace, kind, name) == nil })
}

// patience allows a real controller its 30 s resync and 10 s report, twice over.
const patience = 2 * time.Minute

// eventually waits for a condition on the cluster that a test cannot watch through
// one object.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !within(ctx, ok) {
		w.t.Fatalf("not so after %s: %s", patience, what)
	}
}

// within asks again and again until it is so, or until the context ends.
func within(ctx context.Context, ok func() bool) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// owned is the selector for everything that carries the network's label.
func (w *world) owned() string { return plan.LabelNetwork + "=" + w.name }

// otherAccess is an access type beside "default" that the clusters' controllers have
// enabled.
func otherAccess() string { return cmp.Or(os.Getenv("FAIRLEAD_E2E_ACCESS"), "nodeport") }

// status reads `status --format json`.
func (w *world) status() status.Status {
	w.t.Helper()
	var s status.Status
	if err := json.Unmarshal([]byte(w.must(0, "status", "--format", "json").out), &s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// settled checks the promise of a finished apply: everything ready, nothing to do,
// no credential and no duplicate left.
func (w *world) settled(sites []site, links []link) {
	w.t.Helper()
	w.must(0, "plan", "--detailed-exitcode")
	w.eventually("status is ready", func() bool { return w.status().Ready() })
	for i := range w.dyn {
		for _, kind := range []string{"accessgrants", "accesstokens"} {
			for _, o := range w.list(i, "", kind, "") {
				if strings.HasPrefix(o.GetNamespace(), w.name+"-") {
					w.t.Errorf("stray %s %s/%s on %s", kind, o.GetNamespace(), o.GetName(), contextName(i))
				}
			}
		}
	}
	w.exactLinks(sites, links)
	w.runNoted()
}

// exactLinks checks that each link has one Link, with its cost and labels, and one
// Secret that it uses, and that there are no others.
func (w *world) exactLinks(sites []site, links []link) {
	w.t.Helper()
	for _, s := range sites {
		var want, got, secrets, used []string
		for _, l := range links {
			if l.from == s.site() {
				want = append(want, fmt.Sprintf("%s cost %d", l.name, max(l.cost, 1)))
			}
		}
		for _, o := range w.list(s.cluster, w.ns(s.name), "links", "") {
			cost, _, _ := unstructured.NestedInt64(o.Object, "spec", "cost")
			got = append(got, fmt.Sprintf("%s cost %d", o.GetLabels()[plan.LabelLink], cost))
			tls, _, _ := unstructured.NestedString(o.Object, "spec", "tlsCredentials")
			used = append(used, tls)
		}
		for _, o := range w.list(s.cluster, w.ns(s.name), "secrets", w.owned()) {
			secrets = append(secrets, o.GetName())
		}
		for _, list := range []*[]string{&want, &got, &secrets, &used} {
			slices.Sort(*list)
		}
		if !slices.Equal(want, got) {
			w.t.Errorf("site %s has Links %q, want %q", s.name, got, want)
		}
		if !slices.Equal(secrets, used) {
			w.t.Errorf("site %s has Secrets %q, its Links use %q", s.name, secrets, used)
		}
	}
}

// nothingLeft checks that no object with the network's label remains.
func (w *world) nothingLeft() {
	w.t.Helper()
	for i := range w.dyn {
		for _, kind := range []string{"sites", "links", "certificates", "accessgrants", "accesstokens", "secrets", "configmaps"} {
			for _, o := range w.list(i, "", kind, w.owned()) {
				w.t.Errorf("left over: %s %s/%s on %s", kind, o.GetNamespace(), o.GetName(), contextName(i))
			}
		}
	}
}

// needSandbox skips a test on given clusters, where there is no way to do what it does.
func needSandbox(t *testing.T, why string) {
	t.Helper()
	if !bed.sandbox {
		t.Skip("only on the sandbox: " + why)
	}
}

// repository is the project's root.
func repository(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}
