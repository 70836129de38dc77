package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// request is what passed over a wire: enough to count and to judge the order.
type request struct {
	cluster             int
	Method, Path, Query string
	Status              int
	Body                []byte
}

// isWrite reports whether the request changes something.
func (r request) isWrite() bool { return r.Method != http.MethodGet }

// isLock reports whether it takes, renews or frees a lock.
func (r request) isLock() bool { return r.isWrite() && strings.Contains(r.Path, "/leases") }

// isRenewal tells the renewal of a lock, whose number depends on how long a command
// takes, from its taking, when both times are the same, and from its freeing.
func (r request) isRenewal() bool {
	var lease struct {
		Spec struct{ HolderIdentity, AcquireTime, RenewTime string }
	}
	return r.isLock() && json.Unmarshal(r.Body, &lease) == nil &&
		lease.Spec.HolderIdentity != "" && lease.Spec.AcquireTime != lease.Spec.RenewTime
}

func (r request) isWatch() bool { return strings.Contains(r.Query, "watch=true") }

// isList reports whether it lists a kind across namespaces.
func (r request) isList() bool {
	return r.Method == http.MethodGet && !r.isWatch() && !strings.Contains(r.Query, "fieldSelector")
}

// resource is the last part of a collection's path.
func (r request) resource() string { return r.Path[strings.LastIndex(r.Path, "/")+1:] }

// wires stand between one command under test and the clusters. They see each
// request, can cut the command off, and can bend what passes.
type wires struct {
	t testing.TB
	// check judges each write before it passes.
	check *writeCheck
	// kubeconfig is a file with one context for each cluster: sandbox-1, sandbox-2.
	kubeconfig string
	// started counts the commands over the wires, running those that have not ended.
	started, running atomic.Int64

	mu   sync.Mutex
	seen []request
	// after is called when a write was answered, before the command learns of it; those
	// of locks are not counted and go to afterLock, but for renewals.
	after, afterLock func(n int, r request)
	// rewrite may change a request's body on its way to the cluster.
	rewrite func(method, path string, body []byte) []byte
	// reread gives a change of the objects in the answer to a request, nil for none.
	reread func(cluster int, r *http.Request) func(o map[string]any)
	// down marks clusters that do not answer.
	down map[int]bool
	// tried counts the requests to each cluster, answered or not.
	tried  map[int]int
	dead   bool
	writes int
	locks  int
	// late answers lists of one name as of the command's last write, see lateness.
	late lateness
}

func newWires(t testing.TB, check *writeCheck, configs []*rest.Config) *wires {
	t.Helper()
	w := &wires{t: t, check: check, tried: map[int]int{}}
	kc := clientcmdapi.NewConfig()
	for i, cfg := range configs {
		name := contextName(i)
		srv := httptest.NewServer(w.proxy(i, cfg))
		t.Cleanup(func() {
			srv.CloseClientConnections()
			srv.Close()
		})
		kc.Clusters[name] = &clientcmdapi.Cluster{Server: srv.URL}
		kc.AuthInfos[name] = &clientcmdapi.AuthInfo{}
		kc.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	}
	w.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*kc, w.kubeconfig); err != nil {
		t.Fatal(err)
	}
	return w
}

func contextName(i int) string { return []string{"sandbox-1", "sandbox-2", "sandbox-3"}[i] }

func (w *wires) proxy(cluster int, cfg *rest.Config) http.Handler {
	transport, err := rest.TransportFor(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	host := cfg.Host
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	target, err := url.Parse(host)
	if err != nil {
		w.t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(target)
	p.Transport = &wire{wires: w, cluster: cluster, next: transport}
	p.FlushInterval = -1
	p.ErrorHandler = func(rw http.ResponseWriter, _ *http.Request, _ error) { panic(http.ErrAbortHandler) }
	return p
}

// wire is one cluster's transport.
type wire struct {
	wires   *wires
	cluster int
	next    http.RoundTripper
}

func (v *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w := v.wires
	w.try(v.cluster)
	if !w.open(v.cluster) {
		return nil, io.ErrClosedPipe
	}
	r.Header.Del("Authorization") // the wire has the cluster's own
	body, answered, err := v.pass(r)
	if err != nil {
		return nil, err
	}
	w.late.ask(v.cluster, r)
	change := w.rereading(v.cluster, r)
	resp, err := v.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	reread(resp, change)
	if err := w.late.note(v.cluster, r, resp); err != nil {
		return nil, err
	}
	answered(resp.StatusCode)
	w.record(request{cluster: v.cluster, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Status: resp.StatusCode, Body: body})
	if !w.open(v.cluster) {
		_ = resp.Body.Close()
		return nil, io.ErrClosedPipe
	}
	return resp, nil
}

// pass reads the body for the record, has the check look at what the command
// wrote, and lets the test bend it.
func (v *wire) pass(r *http.Request) (body []byte, answered func(status int), err error) {
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, nil, err
		}
	}
	answered, err = v.wires.check.incoming(v.cluster, r, body, v.next)
	if r.Context().Err() == nil && err != nil {
		v.wires.t.Error(err)
	}
	if err != nil || r.Body == nil {
		return nil, answered, err
	}
	body = v.wires.bend(r, body)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return body, answered, nil
}

// bend lets the test rewrite a body.
func (w *wires) bend(r *http.Request, body []byte) []byte {
	w.mu.Lock()
	rewrite := w.rewrite
	w.mu.Unlock()
	if rewrite == nil {
		return body
	}
	return rewrite(r.Method, r.URL.Path, body)
}

func (w *wires) record(r request) {
	w.mu.Lock()
	w.seen = append(w.seen, r)
	n, after := 0, w.after
	switch made := r.isWrite() && r.Status < 300; {
	case !made, r.isRenewal():
	case r.isLock():
		w.locks++
		n, after = w.locks, w.afterLock
	default:
		w.writes++
		n = w.writes
	}
	w.mu.Unlock()
	if n > 0 && after != nil {
		after(n, r)
	}
}

// open reports whether anything may pass to the cluster.
func (w *wires) open(cluster int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.dead && !w.down[cluster]
}

func (w *wires) try(cluster int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tried[cluster]++
}

// requestsTo gives how many requests were made to a cluster, answered or not.
func (w *wires) requestsTo(cluster int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tried[cluster]
}

// bendBy sets what happens to requests; the fields below it are for bendBy alone.
func (w *wires) bendBy(set func(*wires)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	set(w)
}

// cut lets nothing pass any more.
func (w *wires) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
}

// requests returns a copy of what passed.
func (w *wires) requests() []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]request(nil), w.seen...)
}

// countWrites counts writes other than those of locks.
func (w *wires) countWrites() int {
	return w.count(func(r request) bool { return r.isWrite() && !r.isLock() })
}

// countLocks counts the writes of locks, as far as they were made.
func (w *wires) countLocks() int {
	return w.count(func(r request) bool { return r.isLock() && r.Status < 300 })
}

func (w *wires) count(which func(request) bool) (n int) {
	for _, r := range w.requests() {
		if which(r) {
			n++
		}
	}
	return n
}

// writeFile is os.WriteFile for tests.
func writeFile(t testing.TB, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
