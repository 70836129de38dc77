package e2e

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/cmd/internal/cli"
	"fairlead.dev/fairlead/schema/network"
)

// lockNamespace is where locks are kept unless it is declared.
const lockNamespace = "default"

// lockPatience is longer than any command of a test holds its locks.
const lockPatience = "30m"

// lock reads the network's Lease on a cluster.
func (w *world) lock(cluster int) (o *unstructured.Unstructured, holder string) {
	w.t.Helper()
	o = w.get(cluster, lockNamespace, "leases", "fairlead-"+w.name)
	return o, textOf(o, "spec", "holderIdentity")
}

// unlocked checks that nobody has a lock.
func (w *world) unlocked() {
	w.t.Helper()
	for i := range w.dyn {
		if _, holder := w.lock(i); holder != "" {
			w.t.Errorf("%s is still locked by %s", contextName(i), holder)
		}
	}
}

// beside is another clone of the same network's repository, with wires of its own.
func (w *world) beside() *world {
	w.t.Helper()
	return &world{name: w.name, dir: w.t.TempDir(), configs: w.configs, dyn: w.dyn, wires: newWires(w.t, checkWrites(w.t, w.dyn), w.configs)}
}

// running is a command that goes on in the background.
type running struct {
	errOut *notify
	ended  chan int
}

// start runs a command; seen of its errOut is closed when the word shows on standard
// error.
func (w *world) start(word string, args ...string) *running {
	r := &running{errOut: &notify{word: word, seen: make(chan struct{})}, ended: make(chan int, 1)}
	env := map[string]string{
		"KUBECONFIG": w.kubeconfig, "HOME": w.dir,
		"GITHUB_SERVER_URL": "https://git.example.com", "GITHUB_REPOSITORY": "net/retail", "GITHUB_RUN_ID": "42",
	}
	go func() { // ends with the command, which every test waits for
		var out bytes.Buffer
		w.check.begin()
		code := cli.Main(args, cli.System{
			In: strings.NewReader(""), Out: &out, Err: r.errOut, Dir: w.dir, Getenv: func(k string) string { return env[k] },
		})
		w.check.end(code == 0)
		r.ended <- code
	}()
	return r
}

// end waits for the command, which has to end with the code.
func (r *running) end(w *world, code int) {
	w.t.Helper()
	if got := <-r.ended; got != code {
		w.t.Errorf("exit %d, want %d\n%s", got, code, r.errOut.String())
	}
}

// holdAt keeps the command of the wires at its first write to a path until let is
// called; reached is closed when it is there.
func (w *world) holdAt(path string) (reached chan struct{}, let func()) {
	reached, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.bendBy(func(v *wires) {
		v.after = func(_ int, r request) {
			if strings.Contains(r.Path, path) {
				once.Do(func() {
					close(reached)
					<-free
				})
			}
		}
	})
	return reached, sync.OnceFunc(func() { close(free) })
}

// Two applies at once, of the same and of different revisions: the second is kept out
// or waits, and at the end the network is that of one of them.
func TestTwoAppliesAtOnce(t *testing.T) {
	t.Parallel()
	sites, links := hubAndSpoke()
	for _, tt := range []struct {
		name  string
		sites []site
		links []link
	}{
		{"same revision", sites, links},
		{"other cost", sites, []link{{"spoke-hub", "spoke", "hub", 7}}},
		{"other sites", []site{sites[0], {"near", 1, ""}}, []link{{"near-hub", "near", "hub", 1}}},
	} {
		t.Run(tt.name+", kept out", func(t *testing.T) {
			t.Parallel()
			a := newWorld(t)
			b := a.beside()
			a.describe(sites, links)
			b.describe(tt.sites, tt.links)
			reached, let := a.holdAt("/namespaces")
			defer let()
			first := a.start("-", "apply", "--yes")
			<-reached
			o := b.must(9, "apply", "--yes")
			if n := b.countWrites() + b.countLocks(); n != 0 {
				t.Errorf("%d writes without the locks", n)
			}
			b.says(o, "cluster one is locked by", "nothing was applied", "fairlead unlock --cluster one ")
			let()
			first.end(a, 0)
			a.settled(sites, links)
			a.unlocked()
		})
		t.Run(tt.name+", waiting", func(t *testing.T) {
			t.Parallel()
			a := newWorld(t)
			b := a.beside()
			a.describe(sites, links)
			b.describe(tt.sites, tt.links)
			reached, let := a.holdAt("/namespaces")
			defer let()
			first := a.start("-", "apply", "--yes")
			<-reached
			second := b.start("Waiting for up to 30m0s: cluster one is locked by", "apply", "--yes", "--lock-timeout", lockPatience)
			<-second.errOut.seen
			if n := b.countWrites() + b.countLocks(); n != 0 {
				t.Errorf("%d writes without the locks", n)
			}
			let()
			first.end(a, 0)
			second.end(b, 0)
			b.settled(tt.sites, tt.links)
			b.unlocked()
		})
	}
}

// Applies of different revisions without any order between them.
func TestAppliesInAnyOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	type revision struct {
		*world
		sites []site
		links []link
		run   *running
	}
	var all []*revision
	for _, cost := range []int{1, 5, 9} {
		r := &revision{world: w.beside(), sites: sites, links: []link{{"spoke-hub", "spoke", "hub", cost}}}
		if cost == 9 {
			r.sites = append([]site{{"near", 0, ""}}, sites...)
			r.links = append(r.links, link{"near-hub", "near", "hub", 2})
		}
		r.describe(r.sites, r.links)
		all = append(all, r)
	}
	w.describe(sites, links)
	for _, r := range all {
		r.run = r.start("-", "apply", "--yes", "--lock-timeout", lockPatience)
	}
	for _, r := range all {
		r.run.end(r.world, 0)
	}
	same := 0
	for _, r := range all {
		if r.run0("plan", "--detailed-exitcode") == 0 {
			same++
			r.settled(r.sites, r.links)
		}
	}
	if same != 1 {
		t.Errorf("the network is that of %d of three revisions", same)
	}
	w.unlocked()
}

func (w *world) run0(args ...string) int { return w.run(args...).code }

// Whoever is kept out learns by whom; what only reads takes no lock, and needs none.
func TestLockShowsItsHolder(t *testing.T) {
	t.Parallel()
	a := newWorld(t)
	b := a.beside()
	sites, links := hubAndSpoke()
	a.describe(sites, links)
	b.describe(sites, links)
	reached, let := a.holdAt("/namespaces")
	defer let()
	first := a.start("-", "apply", "--yes")
	<-reached
	o := b.must(9, "apply", "--yes")
	b.says(o, " on ", "since 20", "https://git.example.com/net/retail/actions/runs/42", "run ", "renewed 20", "--lock-timeout 2m0s")
	for _, command := range []string{"vet", "plan", "status", "render"} {
		b.must(0, command)
	}
	b.run("drift")
	if n := b.countWrites() + b.countLocks(); n != 0 {
		t.Errorf("commands that only read made %d writes", n)
	}
	let()
	first.end(a, 0)
	for i, ns := range []string{a.ns("hub"), a.ns("spoke")} {
		l, holder := a.lock(i)
		notes := l.GetAnnotations()
		delete(notes, "fairlead.dev/request")
		sites := map[network.ClusterName]int{}
		for _, c := range lock.ClustersOf(lock.Lease{Annotations: notes}) {
			sites[c.Name] = c.Sites
		}
		known := sites["one"] == 1 && sites["two"] == 1 && len(sites) == 2
		if holder != "" || notes["fairlead.dev/namespaces"] != ns || !known || notes[lock.AnnotationDeletes] == "" || len(notes) != 3 {
			t.Errorf("the Lease that stays on %s: %q %v", contextName(i), holder, notes)
		}
	}
	a.describe(nil, nil)
	a.must(0, "apply", "--yes")
	for i := range a.dyn {
		if l, _ := a.lock(i); l.GetAnnotations()["fairlead.dev/namespaces"] != "" || l.GetAnnotations()[lock.AnnotationClusters] != "[]" {
			t.Errorf("the Lease on %s notes %v", contextName(i), l.GetAnnotations())
		}
	}
}

// The lock of a run that was killed keeps others out until it expires. Running it again
// finishes it, without a flag.
func TestDeadHolderExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	if !w.killAfter(3) {
		t.Fatal("the apply was not killed")
	}
	w.rewire()
	w.killed = false
	w.says(w.must(0, "apply", "--yes"), "Looking for up to 1s whether that run lives: cluster one is locked by")
	w.settled(sites, links)
	w.unlocked()
}

// An apply that is killed right after any write of a lock is finished by the next one.
func TestKilledAtItsLocks(t *testing.T) {
	t.Parallel()
	sites, links := hubAndSpoke()
	cases := 0
	for n := 1; ; n++ {
		w := newWorld(t)
		w.describe(sites, links)
		killed := w.killWhen(func(v *wires, kill func()) {
			v.afterLock = func(made int, _ request) {
				if made >= n {
					kill()
				}
			}
		})
		if !killed {
			break
		}
		cases++
		w.rewire()
		w.must(0, "apply", "--yes")
		w.settled(sites, links)
		w.unlocked()
	}
	t.Logf("killed after each of %d writes of locks", cases)
	if cases < 2*clusters {
		t.Errorf("only %d writes of locks", cases)
	}
}

var holderID = regexp.MustCompile(`fairlead unlock --cluster one ([a-z0-9]{26})\b`)

// unlock frees the lock of exactly that run.
func TestUnlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	w.shows(w.must(0, "unlock", "--cluster", "one", "nobody"), "Cluster one is not locked.")
	if !w.killAfter(2, "--lock-lease", "24h") {
		t.Fatal("the apply was not killed")
	}
	w.rewire()
	w.killed = false
	o := w.must(9, "apply", "--yes")
	found := holderID.FindStringSubmatch(o.errOut)
	if found == nil {
		t.Fatalf("no command to unlock in:\n%s", o.errOut)
	}
	w.says(w.must(9, "unlock", "--cluster", "one", "somebody"), "cluster one is locked by", found[1], "left alone")
	w.must(3, "unlock", "--cluster", "three", found[1])
	w.must(3, "unlock", found[1])
	w.must(3, "unlock", "--cluster", "one")
	for _, cluster := range []string{"one", "two"} {
		w.shows(w.must(0, "unlock", ".", "--cluster", cluster, found[1]), "Cluster "+cluster+" is free", found[1])
		w.shows(w.must(0, "unlock", "--cluster", cluster, found[1]), "Cluster "+cluster+" is not locked.")
	}
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
}

// A run whose lock is freed under it stops, takes its credentials back, and says so.
func TestLostLock(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"/accessgrants", "/accesstokens"} {
		t.Run(strings.Trim(at, "/"), func(t *testing.T) {
			t.Parallel()
			a := newWorld(t)
			b := a.beside()
			sites, links := hubAndSpoke()
			a.describe(sites, links)
			b.describe(sites, links)
			reached, let := a.holdAt(at)
			defer let()
			first := a.start("lost the lock on cluster two", "apply", "--yes", "--lock-lease", "4s")
			<-reached
			_, holder := a.lock(1)
			b.must(0, "unlock", "--cluster", "two", holder)
			<-first.errOut.seen
			let()
			first.end(a, 9)
			for i := range a.dyn {
				for _, kind := range []string{"accessgrants", "accesstokens"} {
					if n := len(a.list(i, "", kind, a.owned())); n > 0 {
						t.Errorf("%d %s left alive", n, kind)
					}
				}
			}
			a.unlocked()
			b.must(0, "apply", "--yes")
			b.settled(sites, links)
		})
	}
}

// Where a lock cannot be taken nothing is applied, and no lock stays.
func TestLocksFailClosed(t *testing.T) {
	t.Parallel()
	sites, links := hubAndSpoke()
	t.Run("foreign", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.describe(sites, links)
		w.create(1, "leases", map[string]any{
			"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
			"metadata": map[string]any{"name": "fairlead-" + w.name, "namespace": lockNamespace},
		})
		w.says(w.must(6, "apply", "--yes"), "cluster two", "not those of network "+w.name)
		w.must(6, "unlock", "--cluster", "two", "x")
		if n := w.countWrites(); n != 0 {
			t.Errorf("%d writes", n)
		}
		w.unlocked()
	})
	t.Run("unreachable", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.describe(sites, links)
		w.bendBy(func(v *wires) { v.down = map[int]bool{1: true} })
		w.says(w.must(7, "apply", "--yes"), "cluster two", "the locks could not be taken; nothing was applied")
		if n := w.countWrites() + w.countLocks(); n != 0 {
			t.Errorf("%d writes", n)
		}
	})
}
