package e2e

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// With one of three clusters down nothing there is touched, the rest is applied where
// that is allowed, and when it is back one plain apply finishes.
func TestOneOfThreeClustersDown(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, append(slices.Clone(bed.configs[:clusters]), thirdCluster(t)))
	sites := []site{{"hub", 0, `linkAccess: "default"`}, {"spoke", 1, ""}, {"far", 2, ""}}
	links := []link{{"far-hub", "far", "hub", 1}, {"spoke-hub", "spoke", "hub", 1}}
	w.describe(sites, links)
	down := func(is bool) { w.bendBy(func(v *wires) { v.down = map[int]bool{2: is} }) }

	down(true)
	if o := w.must(7, "plan"); !strings.Contains(o.out, "cluster three is unreachable") || !strings.Contains(o.out, "nothing there is planned") {
		t.Errorf("the plan does not say that the cluster is down:\n%s", o.out)
	}
	w.must(0, "plan", "--allow-partial")
	w.must(2, "plan", "--allow-partial", "--detailed-exitcode")
	w.must(7, "apply", "--yes")
	if n := w.countWrites(); n > 0 {
		t.Fatalf("%d writes without --allow-partial", n)
	}
	o := w.partialApply(2)
	w.says(o, "3 done", "cluster three was left out, it is unreachable", "2 described things", "run it again")
	w.exactLinks(sites[:2], links[1:])
	o = w.partialApply(2)
	w.says(o, "Applied: nothing", "cluster three was left out")

	down(false)
	w.must(0, "apply", "--yes")
	w.settled(sites, links)

	// The hub goes from the description, and a link may lead to it from there.
	down(true)
	w.describe([]site{sites[1], sites[2]}, nil)
	o = w.partialApply(2)
	if !strings.Contains(o.out, `site "hub": links may lead to it from cluster three, which could not be read: its removal waits`) {
		t.Errorf("the plan does not say that the removal waits:\n%s", o.out)
	}
	if w.get(0, w.ns("hub"), "sites", "hub") == nil {
		t.Error("the hub was removed while a link may lead to it")
	}
	if w.get(1, w.ns("spoke"), "links", "spoke-hub") != nil {
		t.Error("the link from the readable cluster is still there")
	}
	down(false)
	w.must(0, "apply", "--yes")
	w.settled([]site{sites[1], sites[2]}, nil)
	w.applied(nil, nil)
	w.nothingLeft()
}

// partialApply applies without one cluster, and checks that it is not even asked once
// the apply has begun to write.
func (w *world) partialApply(down int) outcome {
	w.t.Helper()
	var asked atomic.Int64
	var once sync.Once
	w.bendBy(func(v *wires) {
		v.after = func(int, request) { once.Do(func() { asked.Store(int64(w.requestsTo(down))) }) }
	})
	o := w.must(4, "apply", "--yes", "--allow-partial")
	w.bendBy(func(v *wires) { v.after = nil })
	if before, now := asked.Load(), int64(w.requestsTo(down)); before > 0 && now != before {
		w.t.Errorf("%d requests to the cluster that is down, during the apply", now-before)
	}
	return o
}

// A cluster that stops answering after the plan fails its own actions and what needs
// them, and nothing else.
func TestClusterLostDuringApply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites := []site{{"hub", 0, `linkAccess: "default"`}, {"near", 0, ""}, {"spoke", 1, ""}}
	links := []link{{"near-hub", "near", "hub", 1}, {"spoke-hub", "spoke", "hub", 1}}
	w.describe(sites, links)
	w.bendBy(func(v *wires) {
		v.after = func(int, request) { w.bendBy(func(v *wires) { v.down = map[int]bool{1: true} }) }
	})
	o := w.run("apply", "--yes", "--timeout", "20s")
	if o.code != 7 {
		t.Errorf("exit %d, want 7", o.code)
	}
	w.says(o, "3 done", "1 failed", "1 blocked", "site spoke: failed", "link spoke-hub: blocked by site/spoke")
	w.bendBy(func(v *wires) { v.after, v.down = nil, nil })
	w.killed = true // its lock on the lost cluster could not be freed
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
}

// The same of a saved plan: what was approved of the readable cluster is done, and the
// rest of the same plan when the other one is back.
func TestSavedPlanWithoutACluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites := []site{{"hub", 0, `linkAccess: "default"`}, {"near", 0, ""}, {"spoke", 1, ""}}
	links := []link{{"near-hub", "near", "hub", 1}, {"spoke-hub", "spoke", "hub", 1}}
	w.describe(sites, links)
	w.must(0, "plan", "-o", "plan.json")
	w.bendBy(func(v *wires) { v.down = map[int]bool{1: true} })
	w.must(7, "apply", "--plan", "plan.json")
	if n := w.countWrites(); n > 0 {
		t.Fatalf("%d writes without --allow-partial", n)
	}
	o := w.must(4, "apply", "--plan", "plan.json", "--allow-partial")
	w.says(o, "3 done", "2 not started", "cluster two was left out", "site/spoke is unknown", "link/spoke-hub is unknown")
	w.exactLinks(sites[:2], links[:1])
	w.bendBy(func(v *wires) { v.down = nil })
	w.says(w.must(0, "apply", "--plan", "plan.json"), "3 of 5 actions are done already")
	w.settled(sites, links)
}
