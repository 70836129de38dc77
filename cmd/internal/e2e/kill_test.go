package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// An apply that is killed right after any one of its writes, before it learns
// that the write was made, is finished by the next one. Each life covers other
// writes: bringing up, changing cost, healing, moving a link, taking down.
func TestKilledAfterEveryWrite(t *testing.T) {
	t.Parallel()
	sites, links := hubAndSpoke()
	tuned := site{"spoke", 1, `settings: "router-data-connection-count": "2"`}
	renamed := []site{sites[0], {"spike=spoke", 1, ""}}
	renamedLinks := []link{{"spoke-hub", "spike", "hub", 1}}
	other := append(append([]site{}, sites...), site{"hub2", 0, `linkAccess: "default"`})
	for _, life := range []struct {
		name           string
		before, after  func(w *world)
		sites, expects []site
		links          []link
	}{
		{name: "create", after: func(w *world) { w.describe(sites, links) }, sites: sites, links: links},
		{
			name:   "cost",
			before: func(w *world) { w.describe(sites, links) },
			after:  func(w *world) { w.describe(sites, []link{{"spoke-hub", "spoke", "hub", 5}}) },
			sites:  sites, links: []link{{"spoke-hub", "spoke", "hub", 5}},
		},
		{
			name:   "heal",
			before: func(w *world) { w.describe(sites, links) },
			after:  func(w *world) { w.remove(1, w.ns("spoke"), "links", "spoke-hub") },
			sites:  sites, links: links,
		},
		{
			name:   "move",
			before: func(w *world) { w.describe(other, links) },
			after:  func(w *world) { w.describe(other, []link{{"spoke-hub", "spoke", "hub2", 1}}) },
			sites:  other, links: []link{{"spoke-hub", "spoke", "hub2", 1}},
		},
		{
			name:   "setting dropped",
			before: func(w *world) { w.describe([]site{sites[0], tuned}, links) },
			after:  func(w *world) { w.describe(sites, links) },
			sites:  sites, links: links,
		},
		{
			name:   "renamed in place",
			before: func(w *world) { w.describe(sites, links) },
			after:  func(w *world) { w.describe(renamed, renamedLinks) },
			sites:  renamed, links: renamedLinks,
		},
		{
			name:   "remove",
			before: func(w *world) { w.describe(sites, links) },
			after:  func(w *world) { w.describe(nil, nil) },
		},
	} {
		t.Run(life.name, func(t *testing.T) {
			t.Parallel()
			killEverywhere(t, life.before, life.after, func(w *world) {
				w.settled(life.sites, life.links)
				w.noSettings(life.sites)
				if len(life.sites) == 0 {
					w.nothingLeft()
				}
			})
		})
	}
}

// killEverywhere kills an apply after each of its writes in turn, each time in a
// world of its own, runs it again, and checks the end.
func killEverywhere(t *testing.T, before, after, check func(w *world), flags ...string) {
	t.Helper()
	cases := 0
	for n := 1; ; n++ {
		w := newWorld(t)
		if before != nil {
			before(w)
			w.must(0, "apply", "--yes")
		}
		after(w)
		if !w.killAfter(n, flags...) {
			break
		}
		cases++
		w.rewire()
		w.must(0, append([]string{"apply", "--yes"}, flags...)...)
		check(w)
		if t.Failed() {
			t.Fatalf("killed after write %d", n)
		}
	}
	t.Logf("killed after each of %d writes", cases)
	if cases == 0 {
		t.Error("no write was made")
	}
}

// The same for links by certificate: coming up, new keys, another way, going down.
func TestKilledAfterEveryWriteByCertificate(t *testing.T) {
	t.Parallel()
	const open, certificate = `linkAccess: "default"`, `via: "certificate"`
	for _, life := range []struct {
		name          string
		before, after string
		certificates  int
	}{
		{"create", "", certificate, 1},
		{"rotation", certificate, certificate + ", rotation: 1", 1},
		{"by token", certificate, `via: "token"`, 0},
		{"remove", certificate, "", 0},
	} {
		t.Run(life.name, func(t *testing.T) {
			t.Parallel()
			describe := func(w *world, link string) {
				if link == "" {
					w.describe(nil, nil)
					return
				}
				w.byCertificate(open, "", link)
			}
			before := func(w *world) { describe(w, life.before) }
			if life.before == "" {
				before = nil
			}
			killEverywhere(t, before, func(w *world) { describe(w, life.after) }, func(w *world) {
				w.up()
				w.certificates(life.certificates)
				want := 1
				if life.after == "" {
					w.nothingLeft()
					want = 0
				}
				if links, secrets := w.spokeLinks(), w.list(1, w.ns("spoke"), "secrets", w.owned()); len(links) != want || len(secrets) != want {
					t.Errorf("%d Links and %d Secrets, want %d", len(links), len(secrets), want)
				}
			})
		})
	}
}

// noSettings checks that a setting that the description dropped is gone.
func (w *world) noSettings(sites []site) {
	w.t.Helper()
	for _, s := range sites {
		o := w.get(s.cluster, w.ns(s.name), "sites", s.site())
		if settings, _, _ := unstructured.NestedStringMap(o.Object, "spec", "settings"); len(settings) > 0 {
			w.t.Errorf("site %s still has settings %v", s.name, settings)
		}
	}
}

// killAfter runs apply as a process of its own and kills it when its n-th write
// was made; false when it ended before that.
func (w *world) killAfter(n int, flags ...string) (killed bool) {
	w.t.Helper()
	flags = append(flags, allowances(w.run(append([]string{"plan"}, flags...)...))...)
	return w.killWhen(func(v *wires, kill func()) {
		v.after = func(made int, _ request) {
			if made >= n {
				kill()
			}
		}
	}, flags...)
}

// killWhen runs apply as a process of its own, which a hook on the wires may kill. Its
// locks outlive it for a second.
func (w *world) killWhen(hook func(v *wires, kill func()), flags ...string) (killed bool) {
	w.t.Helper()
	w.rewire()
	own := w.wires
	args := []string{"apply", "--yes", "--lock-lease", "1s", "--lock-timeout", lockPatience}
	cmd := exec.Command(bed.binary, append(args, flags...)...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+w.kubeconfig)
	for k, v := range w.env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	started := make(chan struct{})
	own.bendBy(func(v *wires) {
		hook(v, func() {
			own.cut()
			<-started
			_ = cmd.Process.Kill()
		})
	})
	w.check.begin()
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	close(started)
	err := cmd.Wait()
	w.check.end(err == nil)
	if err == nil {
		return false
	}
	if code := cmd.ProcessState.ExitCode(); code != -1 {
		w.t.Fatalf("apply was not killed but ended: %s\n%s", fmt.Sprint(err), out.String())
	}
	w.killed = true
	return true
}
