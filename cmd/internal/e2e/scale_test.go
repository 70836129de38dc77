package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// Observing costs one LIST for each kind and cluster, however large the network.
func TestObserveRequests(t *testing.T) {
	t.Parallel()
	t.Run("small", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sites, links := hubAndSpoke()
		w.describe(sites, links)
		w.must(0, "apply", "--yes")
		w.countObservation()
	})
	t.Run("200 sites, 400 links", func(t *testing.T) {
		t.Parallel()
		needSandbox(t) // a real cluster would have to run 200 routers
		w := newWorld(t)
		sites := []site{{"hub-a", 0, `linkAccess: "default"`}, {"hub-b", 1, `linkAccess: "default"`}, {"hub-c", 0, `linkAccess: "default"`}}
		var links []link
		for i := len(sites); i < 200; i++ {
			name := fmt.Sprintf("s%d", i)
			sites = append(sites, site{name, i % 2, ""})
			links = append(links, link{name + "-a", name, "hub-a", 1}, link{name + "-b", name, "hub-b", 10})
			if i < 9 {
				links = append(links, link{name + "-c", name, "hub-c", 99999})
			}
		}
		w.describe(sites, links)
		if len(sites) != 200 || len(links) != 400 {
			t.Fatalf("%d sites, %d links", len(sites), len(links))
		}
		w.must(0, "apply", "--yes")
		w.countObservation()
	})
}

// countObservation plans over fresh wires and checks every request.
func (w *world) countObservation() {
	w.t.Helper()
	w.rewire()
	w.must(0, "plan", "--detailed-exitcode")
	count := map[string]int{}
	for _, r := range w.requests() {
		if !r.isList() {
			w.t.Errorf("not a list: %s %s?%s", r.Method, r.Path, r.Query)
		}
		if !strings.Contains(r.Query, "continue=") { // where others' objects fill a page
			count[r.resource()]++
		}
	}
	for _, kind := range []string{"sites", "links", "accessgrants", "accesstokens", "certificates", "secrets", "configmaps", "namespaces", "routeraccesses"} {
		each := 1
		if kind == "secrets" {
			each = 2 // all as metadata, and those of proxies in full
		}
		if count[kind] != each*clusters {
			w.t.Errorf("%d lists of %s on %d clusters, want %d each", count[kind], kind, clusters, each)
		}
		delete(count, kind)
	}
	if len(count) > 0 {
		w.t.Errorf("other lists: %v", count)
	}
}
