package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/status"
	"fairlead.dev/fairlead/schema/network"
)

// drift reads `drift --format json`, which has to end with the code.
func (w *world) drift(code int, args ...string) plan.Plan {
	w.t.Helper()
	var p plan.Plan
	if err := json.Unmarshal([]byte(w.must(code, append([]string{"drift", "--format", "json"}, args...)...).out), &p); err != nil {
		w.t.Fatal(err)
	}
	return p
}

// tells waits until drift tells of the fact about the subject and of nothing that is worse.
func (w *world) tells(code int, fact, subject string) {
	w.t.Helper()
	var last outcome
	within := func() bool {
		last = w.run("drift", "--format", "json")
		var p plan.Plan
		if err := json.Unmarshal([]byte(last.out), &p); err != nil {
			w.t.Fatal(err)
		}
		return last.code == code && slices.ContainsFunc(p.Live, func(l plan.Live) bool { return l.Code == fact && l.Subject == subject })
	}
	defer func() {
		if w.t.Failed() {
			w.t.Logf("drift ends with %d and tells\n%s", last.code, last.out)
		}
	}()
	w.eventually(fmt.Sprintf("drift tells of %s of %s and ends with %d", fact, subject, code), within)
}

func (w *world) annotate(cluster int, namespace, kind, name, annotation string, value any) {
	w.t.Helper()
	w.patch(cluster, namespace, kind, name, map[string]any{"metadata": map[string]any{"annotations": map[string]any{annotation: value}}})
}

// healthy waits until drift has nothing at all to tell.
func (w *world) healthy() {
	w.t.Helper()
	w.eventually("drift has nothing to tell", func() bool {
		o := w.run("drift")
		return o.code == 0 && strings.HasSuffix(o.out, "\nNo drift.\n")
	})
}

// What no description shows: drift tells of it, an error ends with 2 and a warning with 0.
func TestLiveFacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	sites = append(sites, site{"near", 0, ""})
	links = append(links, link{"near-hub", "near", "hub", 1})
	w.applied(sites, links)
	w.settled(sites, links)
	w.healthy()
	spoke, hub := w.ns("spoke"), w.ns("hub")

	t.Run("a certificate", func(t *testing.T) {
		for end, code := range map[string]int{"certificate-expiring": 0, "certificate-expired": 2} {
			at := time.Now().Add(map[string]time.Duration{"certificate-expiring": 24, "certificate-expired": -1}[end] * time.Hour)
			w.annotate(1, spoke, "secrets", "spoke-hub", plan.AnnotationExpires, at.UTC().Format(time.RFC3339))
			w.tells(code, end, "link/spoke-hub")
		}
		w.annotate(1, spoke, "secrets", "spoke-hub", plan.AnnotationExpires, nil)
		w.healthy()
	})
	t.Run("a Link made by hand", func(t *testing.T) {
		endpoints, _, _ := unstructured.NestedSlice(w.get(1, spoke, "links", "spoke-hub").Object, "spec", "endpoints")
		w.create(1, "links", map[string]any{
			"apiVersion": "skupper.io/v2alpha1", "kind": "Link", "metadata": map[string]any{"name": "by-hand", "namespace": spoke},
			"spec": map[string]any{"cost": 5, "tlsCredentials": "spoke-hub", "endpoints": endpoints},
		})
		w.tells(0, "unmanaged-link", "link/by-hand")
		w.remove(1, spoke, "links", "by-hand")
		w.healthy()
	})
	t.Run("an address", func(t *testing.T) {
		endpoints, _, _ := unstructured.NestedSlice(w.get(1, spoke, "links", "spoke-hub").Object, "spec", "endpoints")
		moved := append(slices.Clone(endpoints), map[string]any{"name": "edge", "host": "192.0.2.1", "port": "45671"})
		w.patch(1, spoke, "links", "spoke-hub", map[string]any{"spec": map[string]any{"endpoints": moved}})
		w.tells(0, "endpoint-moved", "link/spoke-hub")
		w.patch(1, spoke, "links", "spoke-hub", map[string]any{"spec": map[string]any{"endpoints": endpoints}})
		w.healthy()
	})
	t.Run("what an apply left", func(t *testing.T) {
		labels := map[string]any{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: w.name, plan.LabelLink: "gone"}
		meta := map[string]any{"name": w.name + "-gone-1", "namespace": hub, "labels": labels}
		w.create(0, "accessgrants", map[string]any{
			"apiVersion": "skupper.io/v2alpha1", "kind": "AccessGrant", "metadata": meta, "spec": map[string]any{"redemptionsAllowed": 1},
		})
		w.create(0, "certificates", map[string]any{
			"apiVersion": "skupper.io/v2alpha1", "kind": "Certificate", "metadata": meta,
			"spec": map[string]any{"ca": "skupper-site-ca", "subject": "gone", "client": true},
		})
		w.tells(0, "grant-left-open", "link/gone")
		w.tells(0, "leftover", "link/gone")
		w.must(0, "apply", "--yes")
		w.healthy()
	})
	t.Run("a rule covers a fact", func(t *testing.T) {
		w.file("policy.cue", "package test\n\npolicy: ignore: [{path: \"link/*/certificate-expired\", reason: \"the cluster is a museum\"}]\n")
		w.annotate(1, spoke, "secrets", "spoke-hub", plan.AnnotationExpires, "2020-01-01T00:00:00Z")
		w.shows(w.must(0, "drift"), "the cluster is a museum (link/*/certificate-expired)", "1 ignored by policy.")
		w.annotate(1, spoke, "secrets", "spoke-hub", plan.AnnotationExpires, nil)
		w.file("policy.cue", "package test\n")
		w.healthy()
	})
	t.Run("a CA", func(t *testing.T) {
		w.eventually("the hub's CA is newer than the link's credentials", func() bool {
			made := w.get(0, w.ns("near"), "secrets", "near-hub").GetCreationTimestamp()
			if ca := w.get(0, hub, "secrets", "skupper-site-ca"); ca != nil {
				if at := ca.GetCreationTimestamp(); made.Before(&at) {
					return true
				}
				_ = w.dyn[0].Resource(resource("secrets")).Namespace(hub).Delete(context.Background(), ca.GetName(), metav1.DeleteOptions{})
			}
			return false
		})
		// The stand-in listens on other ports with another CA. The Link follows, as one that
		// leads to a name does.
		w.eventually("drift tells of it", func() bool {
			endpoints, _, _ := unstructured.NestedSlice(w.get(0, hub, "sites", "hub").Object, "status", "endpoints")
			if len(endpoints) == 0 {
				return false // it is not ready again
			}
			w.patch(0, w.ns("near"), "links", "near-hub", map[string]any{"spec": map[string]any{"endpoints": endpoints}})
			return strings.Contains(w.run("drift").out, "(ca-mismatch)")
		})
		if bed.sandbox { // a real router goes on with the certificate that it has
			w.must(2, "drift") // the old credentials are refused
		}
	})
}

// Sites and links that are down, and a router that has another cost than its Link.
func TestLiveTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	w.settled(sites, links)

	w.otherRouterCost()
	w.tells(0, "link-cost", "link/spoke-hub")
	w.shows(w.must(0, "drift"), "the routers have Link spoke-hub at cost 7, and it asks for 1")
	w.sameRouterCost()
	w.healthy()

	w.goDown(0, "hub")
	w.tells(2, "site-not-ready", "site/hub")
	w.tells(2, "link-down", "link/spoke-hub")
	w.comeBack(0, "hub")
	w.eventually("the hub is ready again", func() bool { return w.status().Sites[0].State == status.ConditionReady })
	w.must(0, "apply", "--yes") // it may listen elsewhere now
	w.healthy()
}

// otherRouterCost lets the router of the spoke have its link at cost 7, of which the Link
// says 1, as before Skupper 2.2.0, where a cost edit does not reach the router: drift asks
// the routers of such a site. The stand-in does so; on given clusters the test does it.
func (w *world) otherRouterCost() {
	w.t.Helper()
	if !bed.sandbox {
		w.setVersion(1, "spoke", "2.1.3")
		w.setRouterCost(1, "spoke", "spoke-hub", 7)
	} else {
		w.linkCost(7)
		w.eventually("the router has cost 7", w.reported(7))
		w.setVersion(1, "spoke", "2.1.3")
		w.linkCost(1)
	}
	w.eventually("the router has cost 7", w.reported(7))
	w.eventually("the link is ready", func() bool { return w.status().Ready() })
}

// sameRouterCost undoes it.
func (w *world) sameRouterCost() {
	w.t.Helper()
	if !bed.sandbox {
		w.setRouterCost(1, "spoke", "spoke-hub", 1)
	}
	w.resetVersion(1, "spoke")
	w.eventually("the router has cost 1", func() bool {
		if bed.sandbox { // the stand-in looks at the link anew when it is touched
			w.annotate(1, w.ns("spoke"), "links", "spoke-hub", "touched", fmt.Sprint(serial.Add(1)))
		}
		return w.reported(1)()
	})
}

func (w *world) linkCost(n int) {
	w.patch(1, w.ns("spoke"), "links", "spoke-hub", map[string]any{"spec": map[string]any{"cost": n}})
}

// reported tells whether the routers report the link of the spoke at a cost.
func (w *world) reported(cost int) func() bool {
	return func() bool {
		id := string(w.get(1, w.ns("spoke"), "sites", "spoke").GetUID())
		report := w.get(1, w.ns("spoke"), "configmaps", routersReport)
		return slices.Contains(reportedLinks(report, id), reportedLink{"spoke-hub", "up", cost})
	}
}

// Drift takes no list more than a plan where the Links' own status leaves no doubt: the
// routers' reports are large.
func TestDriftRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	sites, links = append(sites, site{"two", 1, ""}), append(links, link{"two-hub", "two", "hub", 1})
	w.applied(sites, links)
	w.settled(sites, links)
	w.rewire()
	w.healthy()
	w.rewire()
	w.must(0, "drift")
	count := map[string]int{}
	for _, r := range w.requests() {
		if r.Method != http.MethodGet || r.isWatch() {
			t.Errorf("not a list: %s %s?%s", r.Method, r.Path, r.Query)
		}
		count[r.resource()]++
	}
	for kind, want := range map[string]int{"configmaps": clusters, "secrets": 2 * clusters, "sites": clusters, "links": clusters} {
		if count[kind] != want {
			t.Errorf("%d lists of %s, want %d", count[kind], kind, want)
		}
	}
}

// What a rule covers is left as it is by drift and by apply, until git moves it.
func TestIgnoreRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	sites[0].extra += `, settings: "router-data-connection-count": "2"`
	sites[1].extra = `overlay: "shop"`
	w.describe(sites, links)
	w.file("shop/listener.yaml", overlayListener)
	w.file("shop/gone.yaml", strings.ReplaceAll(overlayListener, "backend", "gone"))
	w.file("shop/kustomization.yaml", "resources: [listener.yaml, gone.yaml]\n")
	w.file("policy.cue", `package test

policy: ignore: [
	{path: "link/*/cost", reason: "tuned by the night shift"},
	{path: "site/hub/settings.*", reason: "support raises it"},
	{path: "object/*/Listener/backend/spec.port", reason: "follows the load"},
	{path: "object/spoke/Listener/gone", reason: "a job removes it"},
]
`)
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	w.healthy()
	spoke, hub := w.ns("spoke"), w.ns("hub")
	tune := func() {
		w.patch(1, spoke, "links", "spoke-hub", map[string]any{"spec": map[string]any{"cost": 7}})
		w.patch(0, hub, "sites", "hub", map[string]any{"spec": map[string]any{"settings": map[string]any{"router-data-connection-count": "4"}}})
		w.patch(1, spoke, "listeners", "backend", map[string]any{"spec": map[string]any{"port": 9999}})
		w.remove(1, spoke, "listeners", "gone")
		w.eventually("status is ready", func() bool { return w.status().Ready() })
	}
	tuned := func(when string) {
		cost, _, _ := unstructured.NestedInt64(w.get(1, spoke, "links", "spoke-hub").Object, "spec", "cost")
		connections, _, _ := unstructured.NestedString(w.get(0, hub, "sites", "hub").Object, "spec", "settings", "router-data-connection-count")
		port, _, _ := unstructured.NestedInt64(w.get(1, spoke, "listeners", "backend").Object, "spec", "port")
		if gone := w.get(1, spoke, "listeners", "gone"); cost != 7 || connections != "4" || port != 9999 || gone != nil {
			t.Errorf("%s: cost %d, connections %q, port %d, gone %t", when, cost, connections, port, gone == nil)
		}
	}
	ignored := func() {
		w.t.Helper()
		w.eventually("drift says what is ignored, and nothing else", func() bool {
			o := w.run("drift")
			return o.code == 0 && strings.HasSuffix(o.out, "\nNo drift.\n4 ignored by policy.\n")
		})
	}

	tune()
	ignored()
	w.shows(w.must(0, "drift"),
		"link/spoke-hub cost: 7 on the cluster, 1 when last applied", "tuned by the night shift (link/*/cost)",
		`site/hub settings.router-data-connection-count: "4" on the cluster, "2" when last applied`,
		"object/spoke/Listener/backend spec.port: 9999 on the cluster, 8080 when last applied", "object/spoke/Listener/gone: gone from the cluster")
	w.rewire()
	w.must(0, "apply", "--yes")
	if n := w.countWrites(); n != 0 {
		t.Errorf("an apply with nothing to do made %d writes", n)
	}

	// Writes of the same objects for other reasons leave it alone, and so does the record.
	w.patch(1, spoke, "links", "spoke-hub", map[string]any{"metadata": map[string]any{"labels": nil}})
	sites[0].extra += `, serviceAccount: "skupper-router"`
	w.describe(sites, links)
	w.file("shop/listener.yaml", strings.Replace(overlayListener, "host: backend", "host: other", 1))
	w.must(0, "apply", "--yes")
	tuned("after an apply")
	w.eventually("status is ready", func() bool { return w.status().Ready() })
	ignored()

	// What git changes is applied all the same.
	links[0].cost = 3
	sites[0].extra = strings.Replace(sites[0].extra, `"2"`, `"8"`, 1)
	w.describe(sites, links)
	w.file("shop/listener.yaml", strings.Replace(overlayListener, "8080", "8081", 1))
	w.file("shop/gone.yaml", strings.NewReplacer("backend", "gone", "8080", "8081").Replace(overlayListener))
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	w.healthy()

	// Without the rules it is drift.
	tune()
	w.file("policy.cue", "package test\n")
	if p := w.drift(2); len(p.Actions) != 4 || len(p.Ignored) != 0 {
		t.Errorf("%d actions, %d ignored", len(p.Actions), len(p.Ignored))
	}
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
}

// What git changed and nobody applied stands apart from drift, with the commits.
func TestDriftAgainstGit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	sites = append(sites, site{"near", 0, ""})
	w.describe(sites, links)
	w.git("init", "-q")
	w.git("add", "net.cue")
	w.git("commit", "-qm", "x")
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	first := w.drift(0)
	if len(first.Applied) != 1 || first.Applied[0].Commit != first.Source.Commit || len(first.Applied[0].Sites) != 3 {
		t.Errorf("applied %+v, git is at %s", first.Applied, first.Source.Commit)
	}
	w.must(0, "drift", "--against", "git")

	links[0].cost = 4
	w.describe(sites, links)
	w.git("commit", "-qam", "y")
	w.shows(w.must(0, "drift"), "Git is ahead, not applied yet", "~ update link spoke-hub: changed in the description", "~ cost: 1 → 4",
		"No drift.\nGit is ahead by 1 change.")
	w.must(2, "drift", "--against", "git")
	w.patch(1, w.ns("spoke"), "links", "spoke-hub", map[string]any{"spec": map[string]any{"cost": 9}})
	w.shows(w.must(2, "drift"), "cost: 9 on the cluster, 1 when last applied", "~ cost: 9 → 4")

	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	second := w.drift(0, "--against", "git")
	if len(second.Applied) != 2 || second.Applied[0].Commit != first.Source.Commit || second.Applied[1].Commit != second.Source.Commit ||
		!slices.Equal(second.Applied[1].Sites, []network.SiteName{"spoke"}) {
		t.Errorf("applied %+v, git is at %s", second.Applied, second.Source.Commit)
	}
	w.shows(w.must(0, "drift"), "last applied: "+first.Source.Commit[:12]+" (hub, near), "+second.Source.Commit[:12]+" (spoke)", "at "+second.Source.Commit[:12])
	w.must(3, "drift", "--against", "nothing")

	links[0].cost = 5
	w.applied(sites, links)
	w.settled(sites, links)
	if third := w.drift(0); len(third.Applied) != 2 || third.Applied[0].Dirty || !third.Applied[1].Dirty || third.Applied[1].Commit != second.Source.Commit {
		t.Errorf("applied %+v, git is at %s", third.Applied, second.Source.Commit)
	}
	w.shows(w.must(0, "drift"), second.Source.Commit[:12]+" with uncommitted changes (spoke)")
}
