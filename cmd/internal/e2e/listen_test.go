package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
)

// A change of how a site listens reaches its links in the same apply: HA on and
// off, another access type, and access switched off, which must leave nothing open.
func TestListeningChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	w.must(0, "apply", "--yes")
	for _, change := range []struct {
		hub   string
		links int
	}{
		{`linkAccess: "default", ha: true`, 2},
		{`linkAccess: "default"`, 1},
		{`linkAccess: "nodeport"`, 1},
	} {
		before := w.spokeLinks()
		sites[0].extra = change.hub
		w.describe(sites, links)
		w.must(0, "apply", "--yes")
		w.must(0, "plan", "--detailed-exitcode")
		w.eventually("ready after "+change.hub, func() bool { return w.status().Ready() })
		after := w.spokeLinks()
		if len(after) != change.links {
			t.Errorf("%s: Links %v, want %d", change.hub, after, change.links)
		}
		for _, name := range after {
			if slices.Contains(before, name) {
				t.Errorf("%s: Link %s was kept or its name used again", change.hub, name)
			}
		}
		if n := len(w.list(1, w.ns("spoke"), "secrets", w.owned())); n != 1 {
			t.Errorf("%s: %d Secrets of ours", change.hub, n)
		}
	}
	sites[0].extra = ""
	w.describe(sites, nil)
	o := w.must(0, "apply", "--yes")
	if !strings.Contains(o.out, "remove RouterAccess") {
		t.Errorf("the plan does not say that the RouterAccess goes:\n%s", o.out)
	}
	w.must(0, "plan", "--detailed-exitcode")
	if w.get(0, w.ns("hub"), "routeraccesses", plan.RouterAccess) != nil {
		t.Error("the RouterAccess is left, so links would go on working")
	}
}

// spokeLinks names the Links of the spoke's namespace.
func (w *world) spokeLinks() (names []string) {
	for _, o := range w.list(1, w.ns("spoke"), "links", "") {
		names = append(names, o.GetName())
	}
	return names
}

// An HA pair comes up, is one link to the user, and goes as one.
func TestHAPair(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	sites[0].extra = `linkAccess: "default", ha: true`
	w.describe(sites, links)
	w.must(0, "apply", "--yes")
	w.must(0, "plan", "--detailed-exitcode")
	if got := fmt.Sprint(w.spokeLinks()); got != "[spoke-hub-1 spoke-hub-2]" {
		t.Errorf("Links %s", got)
	}
	w.remove(1, w.ns("spoke"), "links", "spoke-hub-2")
	w.must(2, "drift")
	w.must(0, "apply", "--yes")
	w.must(0, "plan", "--detailed-exitcode")
	if n := len(w.spokeLinks()); n != 2 {
		t.Errorf("%d Links after healing", n)
	}
	w.describe(nil, nil)
	w.must(0, "apply", "--yes")
	w.nothingLeft()
}
