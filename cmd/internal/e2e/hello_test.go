package e2e

import (
	"path/filepath"
	"strings"
	"testing"
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
		w.describe(nil, nil)
		w.must(0, "apply", "--yes")
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

// fixtures/hello as it stands, on two clusters.
func TestHello(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.name = "hello"
	dir := filepath.Join(repository(t), "fixtures", "hello")
	for _, step := range []struct {
		code int
		args []string
	}{
		{0, []string{"vet"}},
		{2, []string{"plan", "--detailed-exitcode"}},
		{0, []string{"apply", "--yes"}},
		{0, []string{"plan", "--detailed-exitcode"}},
		{0, []string{"drift"}},
	} {
		if o := w.runIn(dir, step.args...); o.code != step.code {
			t.Fatalf("%v: exit %d, want %d\n%s%s", step.args, o.code, step.code, o.out, o.errOut)
		}
	}
	w.eventually("both links are ready", func() bool {
		return strings.Count(w.runIn(dir, "status").out, "ready") == 5
	})
	w.rewire()
	if o := w.runIn(dir, "apply", "--yes"); o.code != 0 || w.countWrites() != 0 {
		t.Errorf("second apply: exit %d, %d writes", o.code, w.countWrites())
	}
}
