package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The main promise: a described network comes up, a second run changes nothing,
// drift is found and healed, and what is removed is gone.
func TestNetworkLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	sites = append(sites, site{"near", 0, ""})
	links = append(links, link{"near-hub", "near", "hub", 3})
	w.describe(sites, links)

	w.must(2, "plan", "--detailed-exitcode")
	w.must(0, "apply", "--yes")
	w.settled(sites, links)

	t.Run("second apply writes nothing", func(t *testing.T) {
		w.rewire()
		w.must(0, "apply", "--yes")
		if n := w.countWrites(); n != 0 {
			t.Errorf("%d writes", n)
		}
	})
	t.Run("a cost change is one patch of the Link", func(t *testing.T) {
		links[0].cost = 9
		w.describe(sites, links)
		w.rewire()
		w.must(0, "apply", "--yes")
		w.settled(sites, links)
		if n := w.writesTo("links"); n != 1 {
			t.Errorf("%d writes to Links, want 1", n)
		}
	})
	t.Run("drift is found and healed", func(t *testing.T) {
		w.must(0, "drift")
		w.patch(1, w.ns("spoke"), "links", "spoke-hub", map[string]any{"spec": map[string]any{"cost": 77}})
		w.remove(0, w.ns("near"), "links", "near-hub")
		o := w.must(2, "drift")
		for _, want := range []string{"spoke-hub", "cost: 77 on the cluster, 9 when last applied", "near-hub", "gone"} {
			if !strings.Contains(o.out, want) {
				t.Errorf("drift does not say %q:\n%s", want, o.out)
			}
		}
		w.must(0, "apply", "--yes")
		w.settled(sites, links)
		w.must(0, "drift")
	})
	t.Run("removed links and sites are gone", func(t *testing.T) {
		sites, links = sites[:2], links[:1]
		w.describe(sites, links)
		o := w.must(0, "apply", "--yes")
		if !strings.Contains(o.out, "near-hub") {
			t.Errorf("the plan does not name the link that goes with its site:\n%s", o.out)
		}
		w.settled(sites, links)
		w.applied(nil, nil)
		w.nothingLeft()
	})
}

func (w *world) writesTo(resource string) (n int) {
	for _, r := range w.requests() {
		if r.isWrite() && strings.Contains(r.Path, "/"+resource) {
			n++
		}
	}
	return n
}

// fixtures/hello as it stands, on two clusters, with its golden outputs.
func TestHello(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.name = "hello"
	w.useFixture("hello")
	w.golden("hello", "vet.txt", w.must(0, "vet").out)
	w.golden("hello", "plan.txt", w.must(2, "plan", "--detailed-exitcode").out)
	w.must(0, "apply", "--yes")
	w.must(0, "plan", "--detailed-exitcode")
	w.eventually("both links are ready", func() bool { return w.status().Ready() })
	w.must(0, "drift")
	w.rewire()
	w.must(0, "apply", "--yes")
	if n := w.countWrites(); n != 0 {
		t.Errorf("a second apply made %d writes", n)
	}
	w.rewire()
	w.patch(1, "hello-west", "links", "hello-west-hub", map[string]any{"spec": map[string]any{"cost": 42}})
	w.golden("hello", "drift.txt", w.must(2, "drift").out)
}

// fixtures/retail, a network of 52 sites and 100 links, as planned from nothing.
func TestRetail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.useFixture("retail")
	w.golden("retail", "vet.txt", w.must(0, "vet").out)
	w.golden("retail", "plan.txt", w.must(2, "plan", "--detailed-exitcode").out)
}

// useFixture copies a fixture's description out of this repository, whose commit
// would show in the output.
func (w *world) useFixture(name string) {
	w.t.Helper()
	dir := filepath.Join(repository(w.t), "fixtures", name)
	if err := os.CopyFS(w.dir, os.DirFS(dir)); err != nil {
		w.t.Fatal(err)
	}
}

var update = flag.Bool("update", false, "rewrite golden files")

func (w *world) golden(fixture, file, got string) {
	w.t.Helper()
	path := filepath.Join(repository(w.t), "fixtures", fixture, "golden", file)
	if *update {
		writeFile(w.t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		w.t.Errorf("%s differs, run with -update after a look:\n%s", path, diff)
	}
}
