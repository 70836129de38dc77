package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// An apply that is killed right after any one of its writes, before it learns
// that the write was made, is finished by the next one. Each life covers other
// writes: bringing up, changing cost, healing, moving a link, taking down.
func TestKilledAfterEveryWrite(t *testing.T) {
	t.Parallel()
	sites, links := hubAndSpoke()
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
			name:   "remove",
			before: func(w *world) { w.describe(sites, links) },
			after:  func(w *world) { w.describe(nil, nil) },
		},
	} {
		t.Run(life.name, func(t *testing.T) {
			t.Parallel()
			cases := 0
			for n := 1; ; n++ {
				w := newWorld(t)
				if life.before != nil {
					life.before(w)
					w.must(0, "apply", "--yes")
				}
				life.after(w)
				if !w.killAfter(n) {
					break
				}
				cases++
				w.rewire()
				w.must(0, "apply", "--yes")
				w.settled(life.sites, life.links)
				if len(life.sites) == 0 {
					w.nothingLeft()
				}
				if t.Failed() {
					t.Fatalf("killed after write %d", n)
				}
			}
			t.Logf("%s: killed after each of %d writes", life.name, cases)
			if cases == 0 {
				t.Error("no write was made")
			}
		})
	}
}

// killAfter runs apply as a process of its own and kills it when its n-th write
// was made; false when it ended before that.
func (w *world) killAfter(n int) (killed bool) {
	w.t.Helper()
	w.rewire()
	cmd := exec.Command(bed.binary, "apply", "--yes")
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+w.kubeconfig)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	w.after = func(made int, _ request) {
		if made >= n {
			w.cut()
			_ = cmd.Process.Kill()
		}
	}
	err := cmd.Run()
	if err == nil {
		return false
	}
	if code := cmd.ProcessState.ExitCode(); code != -1 {
		w.t.Fatalf("apply was not killed but ended: %s\n%s", fmt.Sprint(err), out.String())
	}
	return true
}
