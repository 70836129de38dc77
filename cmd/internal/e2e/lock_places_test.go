package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/apply/lock"
	planrecord "fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// locksIn has the description keep its locks in the world's namespace of that name, on all
// clusters, and makes that.
func (w *world) locksIn(name string) string {
	w.t.Helper()
	for i := range w.dyn {
		w.put(i, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": w.ns(name)},
		}})
	}
	file := filepath.Join(w.dir, "net.cue")
	text, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	more := "clusters: [string]: lockNamespace: \"" + w.ns(name) + "\"\n"
	writeFile(w.t, file, string(text)+more)
	return w.ns(name)
}

// recorded are the places of locks that the records of sites on a cluster note.
func (w *world) recorded(cluster int) string {
	w.t.Helper()
	var out []string
	for _, o := range w.list(cluster, "", "configmaps", w.owned()) {
		if o.GetName() != network.InventoryName(w.name) {
			continue
		}
		inv, err := planrecord.Decode(textOf(&o, "data", planrecord.Key))
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, inv.LockNamespace)
	}
	return strings.Join(out, " ")
}

// Two applies at once, the later one of a revision that keeps the locks elsewhere: it is
// kept out, whichever of both places was used last, or waits.
func TestLockNamespaceChanges(t *testing.T) {
	t.Parallel()
	a := newWorld(t)
	b := a.beside()
	sites, links := hubAndSpoke()
	costs := func(cost int) []link { return []link{{"spoke-hub", "spoke", "hub", cost}} }
	a.describe(sites, links)
	a.must(0, "apply", "--yes")

	a.describe(sites, costs(3))
	b.describe(sites, costs(5))
	place := b.locksIn("locks")
	reached, let := a.holdAt("/links")
	defer let()
	first := a.start("-", "apply", "--yes")
	<-reached
	o := b.must(9, "apply", "--yes")
	b.says(o, "cluster one is locked in namespace default by", "nothing was applied", "unlock --cluster one --lock-namespace default ")
	second := b.start("Waiting for up to 30m0s: cluster one is locked in namespace default by", "apply", "--yes", "--lock-timeout", lockPatience)
	<-second.errOut.seen
	if n := b.countWrites(); n != 0 {
		t.Errorf("%d writes without the locks", n)
	}
	let()
	first.end(a, 0)
	second.end(b, 0)
	b.settled(sites, costs(5))
	b.unlocked()

	// Now the locks are there, for all who come, and nothing more is noted in the old place.
	for i := range b.dyn {
		if got := b.recorded(i); got != place {
			t.Errorf("records on %s note %q", contextName(i), got)
		}
		old, _ := b.lock(i)
		now := b.get(i, place, "leases", "fairlead-"+b.name)
		if was := old.GetAnnotations(); was[lock.AnnotationNamespaces] != "" || was[lock.AnnotationClusters] != "[]" || was[lock.AnnotationDeletes] != "" {
			t.Errorf("the Lease that the lock left notes %v", was)
		}
		if is := now.GetAnnotations(); is[lock.AnnotationNamespaces] == "" || textOf(now, "spec", "holderIdentity") != "" {
			t.Errorf("the Lease of the lock notes %v", is)
		}
	}
	b.describe(sites, costs(7))
	b.locksIn("locks")
	reached, free := b.holdAt("/links")
	defer free()
	third := b.start("-", "apply", "--yes")
	<-reached
	a.says(a.must(9, "apply", "--yes"), "cluster one is locked in namespace "+place+" by", "--lock-namespace "+place)
	free()
	third.end(b, 0)
	b.settled(sites, costs(7))
}

// An apply that changes nothing moves the locks, too, and after it the old place is not
// touched. The rights for both are those of both revisions.
func TestLockNamespaceMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	place := w.locksIn("locks")
	w.must(0, "plan")
	w.says(w.must(0, "apply", "--yes"), "The lock of cluster one was kept in namespace default: it is taken there, too.")
	w.rewire()
	if o := w.must(0, "apply", "--yes"); strings.Contains(o.errOut, "default") {
		t.Errorf("the old place is still in use:\n%s", o.errOut)
	}
	if n := w.countWrites(); n != 0 {
		t.Errorf("%d writes by an apply without changes", n)
	}
	for _, r := range w.requests() {
		if strings.Contains(r.Path, "/namespaces/"+lockNamespace+"/leases") {
			t.Errorf("asked for %s", r.Path)
		}
	}
	if got := w.recorded(0) + " " + w.recorded(1); got != place+" "+place {
		t.Errorf("records note %q", got)
	}
}

// noLeases is the way of somebody who may not touch the Leases of a namespace.
func noLeases(namespace string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if !strings.Contains(r.URL.Path, "/namespaces/"+namespace+"/leases") {
				return next.RoundTrip(r)
			}
			closeBody(r)
			return &http.Response{
				StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}}, Request: r, ProtoMajor: 1, ProtoMinor: 1,
				Body: io.NopCloser(strings.NewReader(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"no","code":403}`)),
			}, nil
		})
	}
}

// Without the rights for the former place nothing is applied, and the apply says which they
// are; the lock of a run that died there is freed by name.
func TestLockNamespaceRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	links[0].cost = 4
	w.describe(sites, links)
	place := w.locksIn("locks")
	w.wrap = noLeases(lockNamespace)
	w.rewire()
	w.says(w.must(7, "apply", "--yes"), "cluster one in namespace default: ", "An earlier apply kept it in namespace default of cluster one",
		"fairlead rbac --since REV prints the rights for that", "nothing was applied")
	if n := w.countWrites(); n != 0 {
		t.Errorf("%d writes without the locks", n)
	}
	for i := range w.dyn {
		if o := w.get(i, place, "leases", "fairlead-"+w.name); textOf(o, "spec", "holderIdentity") != "" {
			t.Errorf("%s is still locked", contextName(i))
		}
	}
	w.speaks(w.must(0, "plan"), "the network's Lease may not be read there")
	w.wrap = nil
	w.shows(w.must(0, "unlock", "--cluster", "one", "--lock-namespace", "default", "x"), "Cluster one is not locked.")
	w.must(0, "apply", "--yes")
	w.wrap = noLeases(lockNamespace)
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
}
