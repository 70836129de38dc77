package e2e

import (
	"fmt"
	"strings"
	"testing"

	planworld "fairlead.dev/fairlead/plan/world"
)

// A change of how a site listens reaches its links in the same apply: HA on and
// off, another access type, and access switched off, which must leave nothing open.
func TestListeningChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	for _, change := range []struct {
		hub   string
		links string
	}{
		{`linkAccess: "default", ha: true`, "[spoke-hub spoke-hub-r2-2]"},
		{`linkAccess: "default"`, "[spoke-hub]"},
		{`linkAccess: "default", ha: true`, "[spoke-hub spoke-hub-r3-2]"}, // no name twice
		{`linkAccess: "default"`, "[spoke-hub]"},
		{fmt.Sprintf("linkAccess: %q", otherAccess()), "[spoke-hub-r4]"},
	} {
		uid := w.get(1, w.ns("spoke"), "links", "spoke-hub").GetUID()
		sites[0].extra = change.hub
		w.describe(sites, links)
		w.up()
		if after := fmt.Sprint(w.spokeLinks()); after != change.links {
			t.Errorf("%s: Links %s, want %s", change.hub, after, change.links)
		}
		if same := w.get(1, w.ns("spoke"), "links", "spoke-hub"); same != nil && same.GetUID() != uid {
			t.Errorf("%s: the Link that stays was made anew", change.hub)
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
	if w.get(0, w.ns("hub"), "routeraccesses", planworld.RouterAccess) != nil {
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
	w.applied(sites, links)
	w.must(0, "plan", "--detailed-exitcode")
	if got := fmt.Sprint(w.spokeLinks()); got != "[spoke-hub-1 spoke-hub-2]" {
		t.Errorf("Links %s", got)
	}
	w.remove(1, w.ns("spoke"), "links", "spoke-hub-2")
	w.must(2, "drift")
	w.must(0, "apply", "--yes")
	w.must(0, "plan", "--detailed-exitcode")
	// Which router gets which number is left to chance.
	if got := fmt.Sprint(w.spokeLinks()); got != "[spoke-hub-1 spoke-hub-r2-1]" && got != "[spoke-hub-1 spoke-hub-r2-2]" {
		t.Errorf("Links %s after healing", got)
	}
	w.applied(nil, nil)
	w.nothingLeft()
}
