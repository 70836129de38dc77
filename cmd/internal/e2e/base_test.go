package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
)

// A plan with a base tells what a change does from what is pending or drifted anyway, on
// clusters; the comparison of the two revisions alone knows the change only, and agrees.
func TestPlanWithBase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	w.git("init", "-q", "-b", "main")
	w.must(0, "apply", "--yes")
	commit := func() {
		w.git("add", "net.cue")
		w.git("commit", "-q", "--allow-empty", "-m", "x")
	}
	w.describe(append(sites, site{"late", 1, ""}), links) // merged, and never applied
	commit()
	w.git("branch", "base")
	w.describe(append(sites, site{"late", 1, ""}), []link{{"spoke-hub", "spoke", "hub", 7}})
	commit()
	w.patch(0, w.ns("hub"), "sites", "hub", map[string]any{"spec": map[string]any{"settings": map[string]any{"name": "x"}}})

	var p plan.Plan
	o := w.must(0, "plan", "--base", "base", "--format", "json")
	if err := json.Unmarshal([]byte(o.out), &p); err != nil {
		t.Fatal(err)
	}
	want := map[string]plan.Origin{"link/spoke-hub": plan.OriginChange, "site/late": plan.OriginAnyway}
	for id, origin := range want {
		if got := p.OriginOf(id); got != origin {
			t.Errorf("%s: %q, want %q\n%s", id, got, origin, o.out)
		}
	}
	text := w.must(0, "plan", "--base", "base").out
	since, anyway := strings.Index(text, "What changed since base at "), strings.Index(text, "Pending or drifted anyway")
	if cost := strings.Index(text, "cost: 1 → 7"); since < 0 || cost < since || anyway < cost {
		t.Errorf("not told apart:\n%s", text)
	}

	var d plan.Plan
	before := w.requestsTo(0) + w.requestsTo(1)
	if err := json.Unmarshal([]byte(w.must(2, "diff", "--base", "base", "--format", "json", "--detailed-exitcode").out), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Actions) != 1 || d.Actions[0].ID != "link/spoke-hub" || d.Actions[0].Disruption != plan.DisruptionReconnect {
		t.Errorf("%+v", d.Actions)
	}
	if w.requestsTo(0)+w.requestsTo(1) != before {
		t.Error("diff asked a cluster")
	}
}
