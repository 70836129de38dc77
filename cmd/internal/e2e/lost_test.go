package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/plan"
	planworld "fairlead.dev/fairlead/plan/world"
)

// A site whose key changes while its Site keeps its name keeps its links, too.
func TestRenamedKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	describe := func(hub, spoke string) {
		writeFile(t, filepath.Join(w.dir, "net.cue"), fmt.Sprintf(`package test

network: %q
clusters: {one: context: %q, two: context: %q}
sites: {
	%q: {cluster: "one", namespace: %q, linkAccess: "default", object: "hub"}
	%q: {cluster: "two", namespace: %q, object: "spoke"}
}
links: "spoke-hub": {from: %q, to: %q}
`, w.name, contextName(0), contextName(1), hub, w.ns("hub"), spoke, w.ns("spoke"), spoke, hub))
	}
	describe("hub", "spoke")
	w.up()
	uid := w.get(1, w.ns("spoke"), "links", "spoke-hub").GetUID()
	for _, keys := range [][2]string{{"hub", "branch"}, {"centre", "branch"}, {"other", "another"}} {
		describe(keys[0], keys[1])
		w.up()
		if l := w.get(1, w.ns("spoke"), "links", "spoke-hub"); l == nil || l.GetUID() != uid {
			t.Fatalf("%v: the Link was made anew", keys)
		}
	}
	w.applied(nil, nil)
	w.nothingLeft()
}

// An inventory that is lost costs no link, whatever the link has been through.
func TestLostInventory(t *testing.T) {
	t.Parallel()
	const open, certificate = `linkAccess: "default"`, `via: "certificate", rotation: 1`
	for _, past := range []struct {
		name, hub string
		before    func(w *world)
		links     string
	}{
		{"a router more", open + ", ha: true", func(w *world) {
			w.byCertificate(open, "", certificate)
			w.up()
		}, "[spoke-hub spoke-hub-r2-2]"},
		{"new keys", open, func(w *world) {
			w.byCertificate(open, "", `via: "certificate"`)
			w.up()
		}, "[spoke-hub-r2]"},
	} {
		t.Run(past.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			past.before(w)
			w.byCertificate(past.hub, "", certificate)
			w.up()
			w.remove(1, w.ns("spoke"), "configmaps", "fairlead-"+w.name)
			w.up()
			if got := fmt.Sprint(w.spokeLinks()); got != past.links {
				t.Errorf("Links %s, want %s", got, past.links)
			}
			w.certificates(1)

			// What was declared since is not taken for done.
			w.remove(1, w.ns("spoke"), "configmaps", "fairlead-"+w.name)
			w.byCertificate(past.hub, "", `via: "certificate", rotation: 2`)
			before := w.spokeLinks()
			w.up()
			for _, name := range w.spokeLinks() {
				for _, old := range before {
					if name == old {
						t.Errorf("Link %s has its old keys", name)
					}
				}
			}
		})
	}
}

// Labels that somebody took off keep nothing alive when the link goes.
func TestStrippedLabels(t *testing.T) {
	t.Parallel()
	for _, heal := range []bool{true, false} {
		t.Run(fmt.Sprintf("healed first: %t", heal), func(t *testing.T) {
			t.Parallel()
			p := startProxy(t, "", "")
			w := newWorld(t)
			w.byCertificate(`linkAccess: "default"`, "", `proxy: "corp"`, w.through(p, "", ""))
			w.up()
			none := map[string]any{"metadata": map[string]any{"labels": nil}}
			w.patch(1, w.ns("spoke"), "secrets", "spoke-hub", none)
			w.patch(1, w.ns("spoke"), "secrets", "fairlead-proxy-corp-1", none)
			w.patch(0, w.ns("hub"), "certificates", plan.GrantName(w.name, "spoke-hub", 1), none)
			w.patch(1, w.ns("spoke"), "links", "spoke-hub", none)
			if heal {
				uid := w.get(1, w.ns("spoke"), "links", "spoke-hub").GetUID()
				w.up()
				if l := w.get(1, w.ns("spoke"), "links", "spoke-hub"); l == nil || l.GetUID() != uid {
					t.Error("the Link was made anew")
				}
			}
			w.applied(nil, nil)
			w.nothingLeft()
			w.certificates(0)
			for _, name := range []string{"spoke-hub", "fairlead-proxy-corp-1"} {
				if w.get(1, w.ns("spoke"), "secrets", name) != nil {
					t.Errorf("Secret %s is left", name)
				}
			}
		})
	}
}

// A link by certificate whose apply was cut off takes up where its site is now.
func TestInterruptedAtMovedSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.byCertificate(`linkAccess: "default"`, "", `via: "certificate"`)
	killed := w.killWhen(func(v *wires, kill func()) {
		v.after = func(_ int, r request) {
			if strings.HasSuffix(r.Path, "/links/spoke-hub") || strings.HasSuffix(r.Path, "/links") {
				kill()
			}
		}
	})
	if !killed {
		t.Fatal("no Link was made")
	}
	w.rewire()
	l := w.get(1, w.ns("spoke"), "links", "spoke-hub")
	endpoints, _, _ := unstructured.NestedSlice(l.Object, "spec", "endpoints")
	for _, e := range endpoints {
		e.(map[string]any)["port"] = "1"
	}
	w.patch(1, w.ns("spoke"), "links", "spoke-hub", map[string]any{"spec": map[string]any{"endpoints": endpoints}})
	w.up()
	w.certificates(1)
}

// A listening site that becomes an edge does so in steps that a kill cannot mix up;
// the check on writes knows the trap.
func TestKilledOnTheWayToAnEdge(t *testing.T) {
	t.Parallel()
	sites := []site{{"hub", 0, `linkAccess: "default"`}}
	killEverywhere(t, func(w *world) { w.describe(sites, nil) },
		func(w *world) { w.describe([]site{{"hub", 0, "edge: true"}}, nil) },
		func(w *world) {
			w.up()
			if w.get(0, w.ns("hub"), "routeraccesses", planworld.RouterAccess) != nil {
				t.Error("the RouterAccess is left")
			}
		})
}

// One label that is taken off costs no link, and a deleted inventory neither hides a
// change nor takes protection away.
func TestLostNotes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	sites[0].extra += ", protect: true"
	w.describe(sites, links)
	w.up()
	uid := w.get(1, w.ns("spoke"), "links", "spoke-hub").GetUID()
	w.patch(1, w.ns("spoke"), "links", "spoke-hub", map[string]any{"metadata": map[string]any{"labels": map[string]any{plan.LabelLink: nil}}})
	w.up()
	if l := w.get(1, w.ns("spoke"), "links", "spoke-hub"); l == nil || l.GetUID() != uid || l.GetLabels()[plan.LabelLink] != "spoke-hub" || len(w.spokeLinks()) != 1 {
		t.Errorf("Links %v, of which the first is %v", w.spokeLinks(), l)
	}

	for _, s := range sites {
		w.remove(s.cluster, w.ns(s.name), "configmaps", "fairlead-"+w.name)
	}
	if o := w.must(2, "drift"); !strings.Contains(o.out, "inventory is gone") {
		t.Errorf("drift does not tell of the lost inventories:\n%s", o.out)
	}
	w.describe(sites[1:], nil)
	if o := w.must(6, "apply", "--yes"); !strings.Contains(o.out, "protected") {
		t.Errorf("a protected site without its inventory:\n%s", o.out)
	}
	sites[0].extra = `linkAccess: "default"`
	w.describe(sites, links)
	w.up()
	w.must(0, "drift")
}

// An apply whose credentials cannot be read refuses before it writes anything.
func TestUnreadableCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.byCertificate(`linkAccess: "default"`, "", `proxy: "corp"`, `proxies: corp: {host: "proxy", port: 1, username: env: "NOT_SET", password: env: "NOT_SET"}`)
	o := w.must(0, "plan")
	w.shows(o, "NOT_SET", "1 unknown")
	w.rewire()
	o = w.must(3, "apply", "--yes")
	w.says(o, "proxy corp", "NOT_SET", "nothing was applied")
	if n := w.countWrites(); n != 0 {
		t.Errorf("%d writes", n)
	}
}

// An import refuses to write a description by which an apply would delete something.
func TestImportLeavesNothingToDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	sites[1].extra = `overlay: "shop"`
	w.describe(sites, links)
	w.file("shop/listener.yaml", overlayListener)
	w.file("shop/kustomization.yaml", "resources: [listener.yaml]\n")
	w.up()
	o := w.must(6, "import", "--network", w.name, "--context", contextName(0), "--context", contextName(1),
		"--namespace", w.ns("hub"), "--namespace", w.ns("spoke"), "-o", "imported.cue")
	w.says(o, "object backend", "nothing was written")
	if _, err := os.Stat(filepath.Join(w.dir, "imported.cue")); err == nil {
		t.Error("the file was written")
	}
}
