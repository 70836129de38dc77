package e2e

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/cli"
	"fairlead.dev/fairlead/plan"
)

// Ctrl-C ends an apply cleanly: what could still be redeemed is withdrawn, the
// exit code says so, and the next apply finishes.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"/accessgrants", "/accesstokens", "/sites/hub"} {
		t.Run(strings.Trim(at, "/"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sites, links := hubAndSpoke()
			w.describe(sites, links)
			signals := make(chan os.Signal, 1)
			stopped := make(chan struct{})
			var once sync.Once
			w.bendBy(func(v *wires) {
				v.after = func(_ int, r request) {
					if strings.Contains(r.Path, at) {
						once.Do(func() {
							signals <- syscall.SIGINT
							<-stopped
						})
					}
				}
			})
			var out bytes.Buffer
			errOut := &notify{word: "stopping", seen: stopped}
			w.check.begin()
			code := cli.Main([]string{"apply", "--yes"}, cli.System{
				In: strings.NewReader(""), Out: &out, Err: errOut, Dir: w.dir, Signals: signals,
				Getenv: func(k string) string { return map[string]string{"KUBECONFIG": w.kubeconfig}[k] },
			})
			w.check.end(code == 0)
			if code != 130 {
				t.Errorf("exit %d, want 130\n%s", code, errOut.String())
			}
			for i := range w.dyn {
				for _, kind := range []string{"accessgrants", "accesstokens"} {
					if n := len(w.list(i, "", kind, w.owned())); n > 0 {
						t.Errorf("%d %s left alive", n, kind)
					}
				}
			}
			w.rewire()
			w.must(0, "apply", "--yes")
			w.settled(sites, links)
		})
	}
}

// An apply that is interrupted while a redemption is under way notes on the Site that its
// token went. By that the next apply knows the Link that comes of it, and goes on with it.
func TestInterruptedRedemption(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := hubAndSpoke()
	w.applied(sites, nil)
	w.describe(sites, links)
	held, answered := make(chan struct{}), make(chan struct{})
	w.relayGrants("spoke-hub", keepsWaiting(held, answered))
	code, errOut := w.interrupted(held)
	if code != 130 {
		t.Fatalf("exit %d, want 130\n%s", code, errOut)
	}
	noted := w.get(1, w.ns("spoke"), "sites", "spoke").GetAnnotations()[plan.AnnotationUnanswered+"spoke-hub"]
	if n := len(w.list(1, w.ns("spoke"), "accesstokens", "")); n > 0 || noted != "spoke-hub" {
		t.Errorf("%d tokens are left, and the Site notes %q", n, noted)
	}
	close(answered)
	w.eventually("the redemption makes its Link", func() bool { return w.get(1, w.ns("spoke"), "links", "spoke-hub") != nil })
	w.rewire()
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	w.exactLinks(sites, links)
	w.must(0, "drift")
}

// interrupted runs an apply that gets a signal when begun is closed.
func (w *world) interrupted(begun <-chan struct{}) (int, string) {
	w.t.Helper()
	signals, over := make(chan os.Signal), make(chan struct{})
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		select {
		case <-begun:
			signals <- syscall.SIGINT
		case <-over:
		}
	}()
	var out, errOut bytes.Buffer
	w.check.begin()
	code := cli.Main([]string{"apply", "--yes"}, cli.System{
		In: strings.NewReader(""), Out: &out, Err: &errOut, Dir: w.dir, Signals: signals,
		Getenv: func(k string) string { return map[string]string{"KUBECONFIG": w.kubeconfig}[k] },
	})
	w.check.end(code == 0)
	close(over)
	<-sent
	return code, errOut.String()
}

// notify is a writer that tells when a word was written.
type notify struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	word string
	seen chan struct{}
	once sync.Once
}

func (n *notify) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.buf.Write(p)
	if strings.Contains(n.buf.String(), n.word) {
		n.once.Do(func() { close(n.seen) })
	}
	return len(p), nil
}

func (n *notify) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buf.String()
}
