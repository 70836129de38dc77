package e2e

import (
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan/topology"
)

// What a plan does to traffic is judged from what runs, and drift says first who is cut
// off.
func TestEffectsStartFromWhatRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites := []site{{"hub", 0, `linkAccess: "default"`}, {"backup", 0, `linkAccess: "default"`}, {"shop", 1, ""}}
	links := []link{{"backup-hub", "backup", "hub", 1}, {"shop-hub", "shop", "hub", 1}, {"shop-backup", "shop", "backup", 99999}}
	w.applied(sites, links)
	w.settled(sites, links)

	t.Log("a cost that somebody changed")
	w.patch(1, w.ns("shop"), "links", "shop-hub", map[string]any{"spec": map[string]any{"cost": 777}})
	links[1].cost = 5000
	w.describe(sites, links)
	w.shows(w.must(0, "plan"), "cost: 777 → 5000", "now 5000, was 777")
	p := w.drift(2)
	if e := p.Topology.Effects; len(e) == 0 || e[0].Code != topology.CostRaised || !strings.Contains(e[0].Message, "now 777, was 1") {
		t.Errorf("drift tells of %+v", e)
	}
	w.must(0, "apply", "--yes")

	t.Log("all links of a shop, deleted by hand")
	w.remove(1, w.ns("shop"), "links", "shop-hub")
	w.remove(1, w.ns("shop"), "links", "shop-backup")
	w.shows(w.must(0, "plan"), "What it does to the network", "shop gains a path to backup and hub")
	o := w.must(2, "drift")
	w.shows(o, "shop loses its last path to backup and hub")
	cut, first := strings.Index(o.out, "shop loses its last path"), strings.Index(o.out, "was applied before and is gone")
	if cut < 0 || first < cut {
		t.Errorf("drift does not begin with who is cut off:\n%s", o.out)
	}
	p = w.drift(2)
	if e := p.Topology.Effects; len(e) == 0 || e[0].Code != topology.ConnectionLost {
		t.Errorf("drift tells of %+v", p.Topology)
	}
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	w.healthy()
}
