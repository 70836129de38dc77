package e2e

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/status"
)

// rotated raises the rotation of the link of hubAndSpoke.
const rotated = "package test\n\nlinks: \"spoke-hub\": rotation: 2\n"

// A routers' report that is missing or cut says nothing, and keeps nobody waiting: the
// Links' own status tells enough.
func TestReportTellsNothing(t *testing.T) {
	t.Parallel()
	for how, bent := range map[string]func(report string) string{
		"missing": func(string) string { return "" },
		"cut":     func(report string) string { return report[:len(report)/2] },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sites, links := hubAndSpoke()
			w.describe(sites, links)
			w.bendReport(1, "spoke", bent)
			w.must(0, "apply", "--yes")
			w.blind(sites, links)
			links[0].cost = 5
			w.applied(sites, links)
			w.blind(sites, links)
			w.file("rotation.cue", rotated)
			w.check.allow(ruleMakeBeforeBreak) // the check reads the report
			w.must(0, "apply", "--yes")
			w.blind(sites, links)
		})
	}
}

// blind checks that everything is ready and as described.
func (w *world) blind(sites []site, links []link) {
	w.t.Helper()
	w.must(0, "plan", "--detailed-exitcode")
	w.eventually("status is ready", func() bool { return w.status().Ready() })
	if o := w.must(0, "drift"); !strings.Contains(o.out, "No drift.") || strings.Contains(o.out, "warning") {
		w.t.Errorf("drift says\n%s", o.out)
	}
	w.exactLinks(sites, links)
}

// With a report that stands still, as at the API server's limit, whether a new Link is up
// is not known: apply says so when it has waited its time, and keeps the old one.
func TestReportStandsStill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	w.settled(sites, links)
	w.freezeReport(1, "spoke")
	links[0].cost = 5
	w.applied(sites, links)
	w.must(0, "plan", "--detailed-exitcode")
	if s := w.status(); !s.Ready() {
		t.Errorf("after a cost edit: %+v", s.Links)
	}
	w.must(0, "drift")

	w.file("rotation.cue", rotated)
	o := w.must(8, "apply", "--yes", "--timeout", "15s")
	w.says(o, "spoke-hub-r2 on cluster two is not operational after 15s", "the routers' report does not have it")
	var states []status.Condition
	for _, l := range w.status().Links {
		states = append(states, l.State)
		if l.State == status.ConditionUnknown && !strings.Contains(l.Reason, "the routers' report does not have it") {
			t.Errorf("the new Link: %q", l.Reason)
		}
	}
	if len(states) != 2 || states[0] != status.ConditionReady || states[1] != status.ConditionUnknown {
		t.Errorf("the old Link and the new one are %v", states)
	}
	w.must(0, "drift") // the old one is up

	w.thawReport(1, "spoke")
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
}

// So it is with the first Link of a link: it is not told as down.
func TestReportNeverCame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	w.namespace(1, "spoke", nil)
	w.freezeReport(1, "spoke")
	w.says(w.must(8, "apply", "--yes", "--timeout", "15s"), "not operational after 15s", "there is no report of its routers")
	if l := w.status().Links[0]; l.State != status.ConditionUnknown || !strings.Contains(l.Reason, "there is no report of its routers") {
		t.Errorf("status: %+v", l)
	}
	w.tells(0, plan.LiveLinkUnknown, "link/spoke-hub")
	w.thawReport(1, "spoke")
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
}

// A site's report has old costs of other sites' links; drift does not warn of them.
func TestCostsInOtherReports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites := []site{{"hub", 0, `linkAccess: "default"`}, {"a", 1, ""}, {"b", 1, ""}}
	links := []link{{"a-hub", "a", "hub", 1}, {"b-hub", "b", "hub", 1}}
	w.applied(sites, links)
	w.settled(sites, links)
	w.healthy()
	links[1].cost = 7
	w.applied(sites, links)
	w.settled(sites, links)
	w.healthy()
	if o := w.run("drift"); strings.Contains(o.out, "at cost") {
		t.Errorf("drift warns:\n%s", o.out)
	}
}

// A Link goes on saying that it is operational where Skupper's controller could not write that
// it went down: a status that is refused is not written again. The report tells.
func TestLinkStatusIsOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	w.settled(sites, links)
	if bed.sandbox {
		w.turn(1, "spoke", switchReport, "missed")
	}
	w.goDown(0, "hub")
	w.tells(2, "link-down", "link/spoke-hub")
	w.eventually("the report tells that the Link is down", func() bool {
		if !bed.sandbox { // whether a real controller's write fails is a matter of luck
			w.patchStatus(1, w.ns("spoke"), "links", "spoke-hub", map[string]any{"conditions": holding(w.get(1, w.ns("spoke"), "links", "spoke-hub"))})
		}
		o := w.run("drift")
		return o.code == 2 && strings.Contains(o.out, "Link spoke-hub is not operational: the routers of its site report it down")
	})
}

// holding are the conditions of an object, all true.
func holding(o *unstructured.Unstructured) []any {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		c.(map[string]any)["status"] = "True"
	}
	return conditions
}
