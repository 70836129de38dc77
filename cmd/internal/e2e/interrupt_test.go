package e2e

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/cli"
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
