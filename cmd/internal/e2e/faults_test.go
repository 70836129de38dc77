package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead.dev/fairlead/cmd/internal/cli"
)

// faultsVariable chooses the cases of TestFaults: empty for a sample, "all" for all of
// them, with those that an apply survives many to a run, "all:KIND" for those of one kind,
// "each" for all in runs of their own, a share of these such as "1/20", or one run as a failure names it, "KIND:POINT",
// such as "429:17" or "dropped:WATCH links#2".
const faultsVariable = "FAIRLEAD_FAULTS"

// faultsAtOnce is how many runs go side by side. On given clusters each has routers of its own.
func faultsAtOnce() int {
	if bed.sandbox {
		return 8
	}
	return 2
}

// faultRun is an apply with faults of one kind. Each point is a case.
type faultRun struct {
	kind faultKind
	at   []point
}

func (r faultRun) String() string {
	points := make([]string, len(r.at))
	for i, p := range r.at {
		points[i] = p.String()
	}
	return string(r.kind) + ":" + strings.Join(points, ",")
}

func parseFaultRun(s string) (r faultRun, err error) {
	kind, points, _ := strings.Cut(s, ":")
	if r.kind = faultKind(kind); !slices.Contains(faultKinds, r.kind) {
		return r, fmt.Errorf("%q is none of %q", kind, faultKinds)
	}
	for text := range strings.SplitSeq(points, ",") {
		p, err := parsePoint(text)
		if err != nil {
			return r, err
		}
		r.at = append(r.at, p)
	}
	return r, nil
}

// parseFaultRuns reads several, with spaces between.
func parseFaultRuns(text string) (runs []faultRun, err error) {
	for _, one := range strings.Fields(text) {
		r, err := parseFaultRun(one)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// An apply in which any one request fails, in any of the ways, is finished by a plain
// second apply: the network is as described and nothing is stray. All cases take an
// hour or two; without being told to, the test takes a sample of a smaller network:
// each fault at one request of each class. On given clusters, where an apply takes half
// a minute, that is one case of each fault.
func TestFaults(t *testing.T) {
	t.Parallel()
	proxy := faultProxy(t)
	chosen := os.Getenv(faultsVariable)
	if chosen == "" {
		h := newFaultHarness(t, fewLinks(proxy))
		h.run(h.sample())
		for range 3 { // which watches there are depends on what is ready before
			h.runMissed()
		}
		h.sum()
		return
	}
	h := newFaultHarness(t, fullNetwork(proxy))
	runs, err := h.chosen(chosen)
	if err != nil {
		t.Fatalf("%s=%s: want all, all:KIND, each, 1/NUMBER, or KIND:NUMBER, several with spaces between: %s", faultsVariable, chosen, err)
	}
	h.run(runs)
	if strings.HasPrefix(chosen, "all") {
		h.runMissed()
	}
	h.sum()
}

// faultHarness runs cases and counts.
type faultHarness struct {
	t       *testing.T
	network faultNetwork
	// want is the picture of a network that came up without a fault, and count what
	// that took: requests by class.
	want  []string
	count map[string]int
	start time.Time
	// dying are commands that are dead and only have to come to their end.
	dying sync.WaitGroup

	mu                 sync.Mutex
	runs, cases, wrong int
	missed             []faultRun
	// through counts the first applies that their faults did not stop, by kind.
	through map[faultKind]int
	slowest time.Duration
}

// The arguments of the applies. One that dies keeps its locks for some seconds, which
// the second one waits for.
var (
	firstApply  = []string{"apply", "--yes", "--lock-lease", "2s"}
	secondApply = []string{"apply", "--yes", "--lock-timeout", lockPatience}
)

// newFaultHarness brings the network up without a fault, to learn what is wanted.
func newFaultHarness(t *testing.T, n faultNetwork) *faultHarness {
	t.Helper()
	h := &faultHarness{t: t, network: n, start: time.Now(), through: map[faultKind]int{}}
	w := newDirectWorld(t)
	defer w.clear()
	n.describe(w)
	counting := newInjector("")
	w.wrap = counting.wrap
	w.must(0, firstApply...)
	w.wrap = nil
	w.must(0, "plan", "--detailed-exitcode")
	w.eventually("status is ready", func() bool { return w.status().Ready() })
	h.want, h.count = w.picture(n.sites), counting.classes
	h.checkWanted()
	return h
}

// checkWanted makes sure that what all cases are compared with is right itself.
func (h *faultHarness) checkWanted() {
	h.t.Helper()
	links := map[string]bool{}
	for _, line := range h.want {
		switch _, link, _ := strings.Cut(line, ", link "); {
		case strings.Contains(line, ": accessgrants "), strings.Contains(line, ": accesstokens "):
			h.t.Errorf("stray %s", line)
		case strings.Contains(line, ": links "):
			name, _, _ := strings.Cut(link, ",")
			links[name] = strings.HasSuffix(line, "operational true")
		}
	}
	for i, l := range h.network.links {
		if !links[l.name(i)] {
			h.t.Errorf("link %s is not up", l.name(i))
		}
	}
	if len(links) != len(h.network.links) || h.t.Failed() {
		h.t.Fatalf("the network did not come up:\n%s", strings.Join(h.want, "\n"))
	}
}

// total is how many requests the apply without a fault made.
func (h *faultHarness) total() (n int) {
	for _, of := range h.count {
		n += of
	}
	return n
}

// chosen are the runs that the variable asks for.
func (h *faultHarness) chosen(text string) ([]faultRun, error) {
	every := 1
	if share, ok := strings.CutPrefix(text, "1/"); ok {
		n, err := strconv.Atoi(share)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no share", text)
		}
		every = n
	} else if text == "all" {
		return h.all(faultKinds...), nil
	} else if kind, ok := strings.CutPrefix(text, "all:"); ok && slices.Contains(faultKinds, faultKind(kind)) {
		return h.all(faultKind(kind)), nil
	} else if text != "each" {
		return parseFaultRuns(text)
	}
	var all []faultRun
	for n := 1; n <= h.total(); n++ {
		for _, kind := range faultKinds {
			all = append(all, faultRun{kind, []point{{n: n}}})
		}
	}
	var out []faultRun
	for i := 0; i < len(all); i += every {
		out = append(out, all[i])
	}
	return out, nil
}

// shared is how many faults of a kind share a run where all are tried: so many that an
// apply gets through, and one where it dies.
func shared(kind faultKind) int {
	switch {
	case kind.kills():
		return 1
	case kind == conflict:
		return 10
	}
	return 20
}

// all has each fault of the kinds at every request. Those that share a run are far apart in it.
func (h *faultHarness) all(kinds ...faultKind) (runs []faultRun) {
	for _, kind := range kinds {
		stride := (h.total() + shared(kind) - 1) / shared(kind)
		for first := 1; first <= stride; first++ {
			r := faultRun{kind: kind}
			for n := first; n <= h.total(); n += stride {
				r.at = append(r.at, point{n: n})
			}
			runs = append(runs, r)
		}
	}
	return runs
}

// together is how many faults of a kind that an apply survives share a run of the
// sample.
const together = 5

// sample has each fault at one request of each class, not always the same one.
func (h *faultHarness) sample() (runs []faultRun) {
	classes := slices.Sorted(maps.Keys(h.count))
	if !bed.sandbox {
		return oneOfEach(classes)
	}
	for j, kind := range faultKinds {
		each := together
		if kind.kills() || kind == conflict {
			each = 1
		}
		n := (len(classes) + each - 1) / each
		dealt := make([]faultRun, n)
		for i, class := range classes {
			k := 1 + (i+j)%h.count[class]
			if strings.HasPrefix(class, "WATCH") {
				k = 1 // how many there are depends on what is ready before
			}
			dealt[i%n].kind, dealt[i%n].at = kind, append(dealt[i%n].at, point{class, k})
		}
		runs = append(runs, dealt...)
	}
	return runs
}

// oneOfEach has each fault at the first request of one class of writes.
func oneOfEach(classes []string) (runs []faultRun) {
	writes := slices.DeleteFunc(classes, func(class string) bool {
		verb, _, _ := strings.Cut(class, " ")
		return slices.Contains([]string{"LIST", "FIND", "WATCH", http.MethodGet}, verb)
	})
	for i, kind := range faultKinds {
		runs = append(runs, faultRun{kind, []point{{writes[i%len(writes)], 1}}})
	}
	return runs
}

// runMissed runs alone what a run did not reach because of its other faults.
func (h *faultHarness) runMissed() {
	var alone []faultRun
	for _, r := range h.missed {
		for _, p := range r.at {
			alone = append(alone, faultRun{r.kind, []point{p}})
		}
	}
	h.missed = nil
	h.run(alone)
}

// run makes the runs, some side by side.
func (h *faultHarness) run(runs []faultRun) {
	slots := make(chan struct{}, faultsAtOnce())
	var wg sync.WaitGroup
	for _, r := range runs {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			begin := time.Now()
			missed, problem := h.try(r)
			h.note(r, missed, problem, time.Since(begin))
		})
	}
	wg.Wait()
}

func (h *faultHarness) note(r faultRun, missed []point, problem string, took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runs++
	h.cases += len(r.at) - len(missed)
	h.slowest = max(h.slowest, took)
	if len(missed) > 0 {
		h.missed = append(h.missed, faultRun{r.kind, missed})
	}
	if problem != "" {
		h.wrong++
		h.t.Errorf("%s\nrun this alone with: %s=%q go test ./cmd/internal/e2e -run '^TestFaults$'", problem, faultsVariable, r)
	}
	if h.runs%50 == 0 {
		fmt.Fprintf(os.Stderr, "faults: %d cases after %s, %d wrong\n", h.cases, time.Since(h.start).Round(time.Second), h.wrong)
	}
}

// sum waits for the dead and says how much was done.
func (h *faultHarness) sum() {
	h.dying.Wait()
	took := time.Since(h.start)
	h.t.Logf("%d of %d cases: %d kinds of faults at the %d requests, of %d classes, of an apply of %d links",
		h.cases, h.total()*len(faultKinds), len(faultKinds), h.total(), len(h.count), len(h.network.links))
	h.t.Logf("first applies that went through all the same, by kind of fault: %v", h.through)
	h.t.Logf("%d runs in %s, the slowest %s; %d wrong; not reached: %v",
		h.runs, took.Round(time.Second), h.slowest.Round(time.Second), h.wrong, h.missed)
}

// try makes one run: the points that it did not reach, and what is wrong, empty when
// nothing is.
func (h *faultHarness) try(r faultRun) (missed []point, problem string) {
	w := newDirectWorld(h.t)
	defer w.clear()
	h.network.describe(w)
	i := newInjector(r.kind, r.at...)
	first := h.first(w, i)
	missed = i.waiting
	if first.code == 0 {
		h.mu.Lock()
		h.through[r.kind]++
		h.mu.Unlock()
	}
	fail := func(format string, args ...any) ([]point, string) {
		return missed, fmt.Sprintf("%s at %s: %s\nthe first apply: exit %s\n%s",
			r, strings.Join(i.hit, ", "), fmt.Sprintf(format, args...), first.status(), first.errOut)
	}
	if second := w.run(secondApply...); second.code != 0 {
		return fail("the second apply: exit %d\n%s%s", second.code, second.out, second.errOut)
	}
	if again := w.run("plan", "--detailed-exitcode"); again.code != 0 {
		return fail("something is left to do: exit %d\n%s%s", again.code, again.out, again.errOut)
	}
	if diff := difference(h.want, w.picture(h.network.sites)); diff != "" {
		return fail("the clusters are not as they should be:\n%s", diff)
	}
	return missed, ""
}

// killedCode is the code of an apply that the fault killed.
const killedCode = -1

func (o outcome) status() string {
	if o.code == killedCode {
		return "killed"
	}
	return fmt.Sprint(o.code)
}

// first runs the apply with the fault. One that is killed goes on for a while without
// reaching anything; nobody waits for it but the end of the test.
func (h *faultHarness) first(w *world, i *injector) outcome {
	ended := make(chan outcome, 1)
	env := map[string]string{"KUBECONFIG": w.kubeconfig, "HOME": w.dir}
	h.dying.Go(func() {
		var out, errOut bytes.Buffer
		code := cli.Main(firstApply, cli.System{
			In: strings.NewReader(""), Out: &out, Err: &errOut, Dir: w.dir,
			Getenv: func(k string) string { return env[k] }, Wrap: i.wrap,
		})
		ended <- outcome{code, out.String(), errOut.String()}
	})
	select {
	case o := <-ended:
		return o
	case <-i.died:
		i.passing.Wait()
		return outcome{code: killedCode}
	}
}
