package e2e

import (
	"strings"
	"testing"
)

// held gives an object a finalizer; none lets it go.
func (w *world) held(cluster int, namespace, kind, name string, finalizers ...any) {
	w.t.Helper()
	w.patch(cluster, namespace, kind, name, map[string]any{"metadata": map[string]any{"finalizers": finalizers}})
}

// speaks checks that a command's output has words.
func (w *world) speaks(o outcome, words ...string) {
	w.t.Helper()
	for _, word := range words {
		if !strings.Contains(o.out+o.errOut, word) {
			w.t.Errorf("%q is not said:\n%s\n%s", word, o.out, o.errOut)
		}
	}
}

// What is being deleted is there: an object of an overlay keeps its record until it is
// gone, and plan and apply say what holds it.
func TestObjectIsBeingDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites := []site{{"spoke", 1, `overlay: "shop"`}}
	w.describe(sites, nil)
	w.file("shop/listener.yaml", overlayListener)
	w.file("shop/kustomization.yaml", "resources: [listener.yaml]\n")
	w.must(0, "apply", "--yes")
	ns := w.ns("spoke")
	w.held(1, ns, "listeners", "backend", "example.com/hold")

	sites[0].extra = ""
	w.describe(sites, nil)
	w.speaks(w.must(8, "apply", "--yes", "--timeout", "20s"), "example.com/hold")
	for range 2 {
		w.speaks(w.must(2, "plan", "--detailed-exitcode"), "being deleted", "example.com/hold")
		w.speaks(w.must(8, "apply", "--yes", "--timeout", "20s"), "example.com/hold")
	}

	sites[0].extra = `overlay: "shop"`
	w.describe(sites, nil)
	w.speaks(w.must(2, "drift"), "being deleted", "example.com/hold")
	w.speaks(w.must(8, "apply", "--yes", "--timeout", "20s"), "example.com/hold")
	w.held(1, ns, "listeners", "backend")
	w.must(0, "apply", "--yes")
	if l := w.get(1, ns, "listeners", "backend"); l == nil || l.GetDeletionTimestamp() != nil {
		t.Error("the Listener is not there again")
	}
	w.must(0, "plan", "--detailed-exitcode")
	w.must(0, "drift")
}

// A Site that is being deleted is not as described, however ready it looks.
func TestSiteIsBeingDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites := []site{{"spoke", 1, ""}}
	w.applied(sites, nil)
	ns := w.ns("spoke")
	w.held(1, ns, "sites", "spoke", "example.com/hold")
	w.goes(1, ns, "sites", "spoke")
	w.speaks(w.must(2, "plan", "--detailed-exitcode"), "being deleted", "example.com/hold")
	w.speaks(w.must(0, "status"), "being deleted", "example.com/hold")
	w.speaks(w.must(8, "apply", "--yes", "--timeout", "20s"), "example.com/hold")
	w.held(1, ns, "sites", "spoke")
	w.must(0, "apply", "--yes")
	if s := w.get(1, ns, "sites", "spoke"); s == nil || s.GetDeletionTimestamp() != nil {
		t.Error("the Site is not there again")
	}
	w.must(0, "plan", "--detailed-exitcode")
}

// A Link that a finalizer holds still carries traffic: its link is not gone before it is.
func TestLinkIsBeingDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	ns := w.ns("spoke")
	w.held(1, ns, "links", "spoke-hub", "example.com/hold")
	w.describe(sites, nil)
	w.speaks(w.must(8, "apply", "--yes", "--timeout", "20s"), "example.com/hold")
	w.must(6, "plan") // it cuts the spoke off, as long as it is not done
	w.held(1, ns, "links", "spoke-hub")
	w.must(0, "apply", "--yes")
	w.must(0, "plan", "--detailed-exitcode")
}
