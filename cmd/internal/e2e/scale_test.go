package e2e

import (
	"fmt"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
)

// Observing costs one LIST for each kind and cluster and a look at its lock, however large
// the network.
func TestObserveRequests(t *testing.T) {
	t.Parallel()
	t.Run("small", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sites, links := hubAndSpoke()
		w.applied(sites, links)
		w.countObservation(0)
	})
	t.Run("200 sites, 400 links", func(t *testing.T) {
		t.Parallel()
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
		if bed.sandbox {
			w.must(0, "apply", "--yes")
			w.countObservation(0)
		} else { // a real controller would run 200 routers
			w.standIdle(sites, links)
			w.countObservation(2)
		}
	})
}

// standIdle makes the objects of a network in namespaces that no controller has.
func (w *world) standIdle(sites []site, links []link) {
	w.t.Helper()
	object := func(kind, name, at string, labels, spec map[string]any) map[string]any {
		labels[plan.LabelManagedBy], labels[plan.LabelNetwork] = plan.ManagedBy, w.name
		meta := map[string]any{"name": name, "namespace": w.ns(at), "labels": labels}
		return map[string]any{"apiVersion": "skupper.io/v2alpha1", "kind": kind, "metadata": meta, "spec": spec}
	}
	cluster := map[string]int{}
	for _, s := range sites {
		cluster[s.name] = s.cluster
		w.neverReady(s.cluster, s.name)
		w.create(s.cluster, "sites", object("Site", s.name, s.name, map[string]any{plan.LabelSite: s.name}, map[string]any{}))
	}
	for _, l := range links {
		nowhere := []any{map[string]any{"name": "inter-router", "host": "nowhere.invalid", "port": "55671"}}
		w.create(cluster[l.from], "links", object("Link", l.name, l.from, map[string]any{plan.LabelLink: l.name},
			map[string]any{"cost": l.cost, "tlsCredentials": l.name, "endpoints": nowhere}))
	}
}

// countObservation plans over fresh wires, which has to end with the code, and checks
// every request.
func (w *world) countObservation(code int) {
	w.t.Helper()
	w.rewire()
	w.must(code, "plan", "--detailed-exitcode")
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
	lock := "fairlead-" + w.name // which says that the network had sites there
	if count[lock] != clusters {
		w.t.Errorf("%d reads of locks on %d clusters, want one each", count[lock], clusters)
	}
	delete(count, lock)
	if len(count) > 0 {
		w.t.Errorf("other lists: %v", count)
	}
}
