package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"fairlead.dev/fairlead/plan"
)

// without takes a cluster out of the description.
func (w *world) without(cluster int) {
	w.t.Helper()
	net := filepath.Join(w.dir, "net.cue")
	text, err := os.ReadFile(net)
	if err != nil {
		w.t.Fatal(err)
	}
	entry := regexp.MustCompile(clusterNames[cluster] + `: context: "[^"]*", `)
	writeFile(w.t, net, entry.ReplaceAllString(string(text), ""))
}

// A cluster that is taken out of the description while sites run there is missed by the
// others, until its sites are removed or it is forgotten on purpose.
func TestClusterLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.railed = true
	sites, links := hubAndSpoke()
	w.applied(sites, links)

	t.Log("with its sites")
	w.describe(sites[:1], nil)
	w.shows(w.must(0, "vet"), "no site is in it", "apply first, or what runs there goes on")
	w.without(1)
	const left = `cluster "two": still runs 1 site of network`
	w.shows(w.must(6, "plan"), left, "describe it again without its sites, apply, and take it out then", "--allow cluster-left.two:1@")
	w.shows(w.must(6, "apply", "--yes"), left)
	p := w.drift(2)
	if !slices.ContainsFunc(p.Live, func(l plan.Live) bool { return l.Code == plan.LiveClusterLeft && l.Subject == "cluster/two" }) {
		t.Errorf("drift tells of %+v", p.Live)
	}
	w.must(0, "plan", "--cluster", "one")

	t.Log("without its sites first, by a saved plan")
	w.describe(sites[:1], nil)
	flags := allowances(w.must(6, "plan", "-o", "plan.json"))
	w.must(0, append([]string{"apply", "--plan", "plan.json"}, flags...)...)
	w.without(1)
	w.shows(w.must(0, "plan"), "Nothing to do")
	w.must(0, "drift")

	t.Log("forgotten")
	w.applied(sites, links)
	w.describe(sites[:1], nil)
	w.without(1)
	flags = allowances(w.must(6, "plan"))
	w.must(0, append([]string{"apply", "--yes"}, flags...)...)
	w.shows(w.must(0, "plan"), "Nothing to do")
	w.must(0, "drift")
	w.applied(sites, links)
	w.settled(sites, links)
}

// A plan of clusters whose contexts are swapped says so beside what it would do.
func TestSwappedContexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.railed = true
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	w.kubeconfig = swapped(t, w.kubeconfig)
	const guess = "the sites of one, two are each found in another one of them, in the same namespaces: their contexts or kubeconfigs may be swapped"
	w.shows(w.must(6, "plan"), guess, `cluster "one": is another cluster than it was`, "--allow cluster-changed.one:1@", "--allow cluster-changed.two:1@")
	w.shows(w.run("drift"), guess)
	p := w.drift(2)
	if !slices.ContainsFunc(p.Live, func(l plan.Live) bool { return l.Code == plan.LiveClusterChanged && l.Subject == "cluster/one" }) {
		t.Errorf("drift tells of %+v", p.Live)
	}
	w.shows(w.must(6, "apply", "--yes", "--site", "spoke"), "cluster-changed.one:1@")
}

// A name that is pinned to another cluster than it leads to is refused before anything is
// written there, and one that is pinned to its own is not.
func TestClusterPinned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	net := filepath.Join(w.dir, "net.cue")
	text, err := os.ReadFile(net)
	if err != nil {
		t.Fatal(err)
	}
	pin := func(uid string) {
		writeFile(t, net, regexp.MustCompile(`one: context: "[^"]*", `).ReplaceAllString(string(text), "${0}one: uid: \""+uid+"\", "))
	}
	pin("00000000-0000-0000-0000-000000000000")
	const refused = "00000000-0000-0000-0000-000000000000"
	w.shows(w.must(6, "plan"), "is another cluster than the description pins", refused)
	w.speaks(w.must(6, "apply", "--yes"), "cluster one is another one than the description pins", refused, "nothing was applied")
	for cluster := range w.dyn {
		if w.get(cluster, lockNamespace, "leases", "fairlead-"+w.name) != nil {
			t.Error("a lock was written")
		}
	}
	uid := w.get(0, "", "namespaces", "kube-system").GetUID()
	pin(string(uid))
	w.must(0, "apply", "--yes")
	w.must(0, "plan", "--detailed-exitcode")
}
