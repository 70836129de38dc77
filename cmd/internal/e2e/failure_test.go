package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// twoHubs has a link whose listening site a test bends, and one that must come up
// all the same.
func twoHubs() ([]site, []link) {
	return []site{{"hub", 0, `linkAccess: "default"`}, {"good", 0, `linkAccess: "default"`}, {"spoke", 1, ""}},
		[]link{{"spoke-good", "spoke", "good", 1}, {"spoke-hub", "spoke", "hub", 1}}
}

// theOther checks that the link to the good hub is up and that no credential of
// the failed one stays.
func (w *world) theOther() {
	w.t.Helper()
	if o := w.get(1, w.ns("spoke"), "links", "spoke-good"); o == nil {
		w.t.Error("the other link was held up")
	}
	for i := range w.dyn {
		for _, kind := range []string{"accessgrants", "accesstokens"} {
			for _, o := range w.list(i, "", kind, w.owned()) {
				w.t.Errorf("stray %s %s", kind, o.GetName())
			}
		}
	}
}

func (w *world) says(o outcome, words ...string) {
	w.t.Helper()
	for _, word := range words {
		if !strings.Contains(o.errOut, word) {
			w.t.Errorf("stderr does not say %q:\n%s", word, o.errOut)
		}
	}
}

func foreignSecret(namespace, name string) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Secret",
		"metadata":   map[string]any{"namespace": namespace, "name": name},
		"stringData": map[string]any{"mine": "yes"},
	}
}

// A Secret of the token's name burns the grant. When it is seen beforehand another
// name is used at once; when it comes in between, a fresh attempt succeeds.
func TestSecretOfThatNameIsThere(t *testing.T) {
	t.Parallel()
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sites, links := hubAndSpoke()
		w.describe(sites, links)
		w.namespace(1, "spoke", nil)
		w.create(1, "secrets", foreignSecret(w.ns("spoke"), "spoke-hub"))
		o := w.must(0, "apply", "--yes")
		if strings.Contains(o.errOut, "fresh grant") {
			t.Errorf("a grant was burnt although the Secret could be seen:\n%s", o.errOut)
		}
		w.settled(sites, links)
		w.keptForeign()
	})
	t.Run("meanwhile", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sites, links := hubAndSpoke()
		w.describe(sites, links)
		w.check.allow(ruleNamesFree) // the test takes the name between the command's look and its write
		var once sync.Once
		w.bendBy(func(v *wires) {
			v.after = func(_ int, r request) {
				if strings.HasSuffix(r.Path, "/accessgrants") {
					once.Do(func() { w.create(1, "secrets", foreignSecret(w.ns("spoke"), "spoke-hub")) })
				}
			}
		})
		o := w.must(0, "apply", "--yes")
		w.says(o, "link/spoke-hub", "Secret "+w.ns("spoke")+"/spoke-hub", "is not ours")
		w.settled(sites, links)
		w.keptForeign()
	})
}

func (w *world) keptForeign() {
	w.t.Helper()
	o := w.get(1, w.ns("spoke"), "secrets", "spoke-hub")
	if o == nil || len(o.GetLabels()) > 0 {
		w.t.Error("the foreign Secret was not left alone")
	}
}

// bendGrant shortens the window of new grants of one link and lets it pass before
// the token is made, the first times.
func (w *world) bendGrant(link string, times int) {
	var mu sync.Mutex
	left := times
	w.bendBy(func(v *wires) {
		v.rewrite = func(method, path string, body []byte) []byte {
			if method != "POST" || !strings.Contains(string(body), link) {
				return body
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case strings.HasSuffix(path, "/accessgrants") && left > 0:
				return replaceSpec(body, "expirationWindow", "1s")
			case strings.HasSuffix(path, "/accesstokens") && left > 0:
				left--
				timer := time.NewTimer(1500 * time.Millisecond)
				defer timer.Stop()
				<-timer.C
			}
			return body
		}
	})
}

func replaceSpec(body []byte, field string, value any) []byte {
	var o map[string]any
	if err := json.Unmarshal(body, &o); err != nil {
		return body
	}
	o["spec"].(map[string]any)[field] = value
	data, err := json.Marshal(o)
	if err != nil {
		return body
	}
	return data
}

func TestExpiredGrant(t *testing.T) {
	t.Parallel()
	t.Run("once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sites, links := hubAndSpoke()
		w.describe(sites, links)
		w.bendGrant("spoke-hub", 1)
		o := w.must(0, "apply", "--yes")
		w.says(o, "trying a fresh grant")
		w.settled(sites, links)
	})
	t.Run("always", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sites, links := twoHubs()
		w.describe(sites, links)
		w.bendGrant("spoke-hub", 1000)
		o := w.must(4, "apply", "--yes")
		w.says(o, "link spoke-hub", "site hub", "site spoke", "404", "3 fresh grants")
		w.theOther()
		w.rewire()
		w.must(0, "apply", "--yes")
		w.settled(sites, links)
	})
}

// A wrong code makes any grant server refuse.
func TestGrantServerRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := twoHubs()
	w.describe(sites, links)
	w.bendBy(func(v *wires) {
		v.rewrite = func(method, path string, body []byte) []byte {
			if method == "POST" && strings.HasSuffix(path, "/accesstokens") && strings.Contains(string(body), "spoke-hub") {
				return replaceSpec(body, "code", "not-the-code")
			}
			return body
		}
	})
	o := w.must(4, "apply", "--yes")
	w.says(o, "link spoke-hub", "site hub", "site spoke")
	w.theOther()
	w.rewire()
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
}

// A grant server that answers with an error, and one whose reply is lost after it
// counted the redemption.
func TestGrantServerFails(t *testing.T) {
	t.Parallel()
	for how, answer := range map[string]func(http.ResponseWriter, redemption){"refuses": refuses, "loses the reply": loses} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sites, links := twoHubs()
			w.describe(sites, links)
			w.relayGrants("spoke-hub", answer)
			o := w.must(4, "apply", "--yes")
			w.says(o, "link spoke-hub", "site hub", "site spoke")
			w.theOther()
			w.rewire()
			w.must(0, "apply", "--yes")
			w.settled(sites, links)
		})
	}
}

func TestControllerWithoutGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := twoHubs()
	w.applied(sites, nil)
	w.withoutGrants(0, "hub")
	w.describe(sites, links)
	o := w.must(4, "apply", "--yes")
	w.says(o, "link spoke-hub", "site hub", "AccessGrants are not enabled", "enable the controller's grant server")
	w.theOther()
}

func TestSiteNeverReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	w.neverReady(0, "hub")
	o := w.must(8, "apply", "--yes", "--timeout", "30s")
	w.says(o, "Site "+w.ns("hub")+"/hub", "not ready after 30s", "link spoke-hub: blocked by site/hub")
}

// A cluster that does not answer is unknown: planned as nothing, least of all as
// deletes, and nothing is applied.
func TestClusterUnreachable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	w.describe(nil, nil)
	w.bendBy(func(v *wires) { v.down = map[int]bool{1: true} })
	// Links from cluster two may lead to the hub; nothing is known of them.
	o := w.must(7, "plan")
	for _, want := range []string{"cluster two is unreachable", "unknown", "its removal waits"} {
		if !strings.Contains(o.out, want) {
			t.Errorf("plan does not say %q:\n%s", want, o.out)
		}
	}
	if strings.Contains(o.out, "delete site spoke") || strings.Contains(o.out, "delete link") {
		t.Errorf("something on the unreachable cluster is planned:\n%s", o.out)
	}
	w.must(7, "apply", "--yes")
	if n := w.countWrites(); n > 100 {
		t.Error(n)
	}
	if w.get(0, w.ns("hub"), "sites", "hub") == nil {
		t.Error("the hub was deleted although a cluster is unknown")
	}
}

// A foreign Site or Link is refused with the command that adopts it; adopting
// re-creates nothing.
func TestAdoption(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	for i, s := range sites {
		w.patch(s.cluster, w.ns(s.name), "sites", s.name, unlabelled)
		w.remove(s.cluster, w.ns(s.name), "configmaps", "fairlead-"+w.name)
		_ = i
	}
	w.patch(1, w.ns("spoke"), "links", "spoke-hub", unlabelled)
	before := w.get(1, w.ns("spoke"), "links", "spoke-hub").GetUID()

	o := w.must(6, "apply", "--yes")
	if !strings.Contains(o.out, "fairlead apply --adopt") {
		t.Errorf("the refusal does not say how to adopt:\n%s", o.out)
	}
	w.must(0, "apply", "--yes", "--adopt")
	w.must(0, "plan", "--detailed-exitcode")
	if after := w.get(1, w.ns("spoke"), "links", "spoke-hub").GetUID(); after != before {
		t.Error("the Link was made anew")
	}
	if !w.status().Ready() {
		t.Error("not ready after adoption")
	}
}

var unlabelled = map[string]any{"metadata": map[string]any{"labels": map[string]any{
	"app.kubernetes.io/managed-by": nil, "fairlead.dev/network": nil, "fairlead.dev/link": nil, "fairlead.dev/site": nil,
}}}

// A protected site is not deleted, even when its lines are removed.
func TestProtected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	sites[0].extra += ", protect: true"
	w.applied(sites, links)
	w.describe(sites[1:], nil)
	o := w.must(6, "apply", "--yes")
	if !strings.Contains(o.out, `site "hub": is protected`) {
		t.Errorf("the refusal does not say why:\n%s", o.out)
	}
	sites[0].extra = `linkAccess: "default"`
	w.applied(sites, nil)
	w.describe(nil, nil)
	w.must(0, "apply", "--yes")
	w.nothingLeft()
}

// A saved plan is applied only while it is still the plan.
func TestSavedPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	w.git("init", "-q")
	w.git("add", "-A")
	w.git("commit", "-qm", "x")
	w.must(0, "plan", "-o", "plan.json") // which makes the work tree dirty, and no other plan
	w.must(0, "apply", "--plan", "plan.json")
	w.settled(sites, links)
	links[0].cost = 4
	w.describe(sites, links)
	w.must(0, "plan", "-o", "plan.json")
	w.patch(1, w.ns("spoke"), "links", "spoke-hub", map[string]any{"spec": map[string]any{"cost": 50}})
	o := w.must(5, "apply", "--plan", "plan.json")
	w.says(o, "stale")
	if o := w.must(3, "apply"); !strings.Contains(o.errOut, "--yes") {
		t.Errorf("without a terminal: %s", o.errOut)
	}
}

// A site that was made anew by hand has a new CA: its links get new credentials.
func TestSiteRecreatedByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	w.remove(0, w.ns("hub"), "sites", "hub")
	o := w.must(2, "drift")
	if !strings.Contains(o.out, "hub") {
		t.Errorf("drift does not name the hub:\n%s", o.out)
	}
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	w.remove(1, w.ns("spoke"), "sites", "spoke")
	w.eventually("the Links went with their Site", func() bool { return len(w.list(1, w.ns("spoke"), "links", "")) == 0 })
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
}

// A new Site that the controller takes for the one that was deleted before it is made again.
func TestSiteTakenForAnother(t *testing.T) {
	t.Parallel()
	needSandbox(t, "how late a controller handles a deletion cannot be chosen; a busy one is late by itself")
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	w.turn(0, "hub", switchSite, "missed")
	w.remove(0, w.ns("hub"), "sites", "hub")
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	w.remove(0, w.ns("hub"), "sites", "hub")
	w.create(0, "sites", map[string]any{
		"apiVersion": "skupper.io/v2alpha1", "kind": "Site", "metadata": map[string]any{"namespace": w.ns("hub"), "name": "hub"},
		"spec": map[string]any{"linkAccess": "default"},
	})
	if o := w.must(4, "apply", "--yes", "--adopt"); !strings.Contains(o.out+o.errOut, "kubectl -n "+w.ns("hub")+" delete site hub") {
		t.Errorf("no word of what to do:\n%s%s", o.out, o.errOut)
	}
}

// Links of one site whose names look like those of an HA pair keep apart.
func TestLikeNamedLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites := []site{{"hub", 0, `linkAccess: "default"`}, {"spare", 1, `linkAccess: "default"`}, {"shop", 1, ""}}
	links := []link{{"shop-hub", "shop", "hub", 1}, {"shop-hub-1", "shop", "spare", 5}, {"shop-hub-2", "shop", "spare", 99999}}
	w.describe(sites, links)
	o := w.must(0, "apply", "--yes")
	if strings.Contains(o.errOut, "fresh grant") {
		t.Errorf("a grant was burnt:\n%s", o.errOut)
	}
	w.settled(sites, links)
	if n := len(w.list(1, w.ns("shop"), "links", "")); n != 3 {
		t.Errorf("%d Links", n)
	}
}

// One cluster under two names is refused: each object would be seen twice.
func TestSameClusterTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.railed = true
	sites, links := hubAndSpoke()
	w.applied(sites, links)
	data, err := os.ReadFile(filepath.Join(w.dir, "net.cue"))
	if err != nil {
		t.Fatal(err)
	}
	twice := strings.Replace(string(data), "clusters: {", fmt.Sprintf("clusters: {again: context: %q, ", contextName(0)), 1)
	writeFile(t, filepath.Join(w.dir, "net.cue"), twice)
	o := w.must(6, "apply", "--yes")
	if !strings.Contains(o.out, "is the same cluster as") {
		t.Errorf("%s", o.out)
	}
}
