package e2e

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/cmd/internal/cli"
)

// fence is the way to the clusters of a run whose lock is taken away at its first write of a
// Site, and which does not hear of it: that API server asks it to come again later, and
// nothing about its Lease is answered any more.
type fence struct {
	take func() error

	mu sync.Mutex
	// host is the server on which the lock was taken.
	host string
	err  error
	// tries is how often a Site was written.
	tries int
}

func (f *fence) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		lease, site := strings.Contains(r.URL.Path, "/leases/"), r.Method != http.MethodGet && strings.Contains(r.URL.Path, "/sites")
		f.mu.Lock()
		hangs, first := lease && r.URL.Host == f.host, site && f.host == ""
		if site {
			f.tries++
		}
		if first {
			f.host, f.err = r.URL.Host, f.take()
		}
		f.mu.Unlock()
		switch {
		case hangs:
			closeBody(r)
			<-r.Context().Done()
			return nil, r.Context().Err()
		case first:
			closeBody(r)
			header := http.Header{"Retry-After": {"3"}, "Content-Type": {"application/json"}}
			return &http.Response{
				StatusCode: http.StatusTooManyRequests, Header: header, Request: r, ProtoMajor: 1, ProtoMinor: 1,
				Body: io.NopCloser(strings.NewReader(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"TooManyRequests","code":429}`)),
			}, nil
		}
		return next.RoundTrip(r)
	})
}

// A write that an API server put off is not sent again once another run may have the lock.
func TestRetriedWriteIsFenced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := []site{{"hub", 0, `linkAccess: "default"`}}, []link{}
	w.applied(sites, links)
	sites[0].extra = `linkAccess: "default", ha: true`
	w.describe(sites, links)
	f := &fence{take: func() error {
		o, _ := w.lock(0)
		if err := unstructured.SetNestedField(o.Object, "thief", "spec", "holderIdentity"); err != nil {
			return err
		}
		_, err := w.dyn[0].Resource(leaseResource).Namespace(lockNamespace).Update(t.Context(), o, metav1.UpdateOptions{})
		return err
	}}
	var out, errOut bytes.Buffer
	w.check.begin()
	code := cli.Main([]string{"apply", "--yes", "--lock-lease", "2s"}, cli.System{
		In: strings.NewReader(""), Out: &out, Err: &errOut, Dir: w.dir, Wrap: f.wrap,
		Getenv: func(k string) string { return map[string]string{"KUBECONFIG": w.kubeconfig}[k] },
	})
	w.check.end(false)
	if code != 9 || !strings.Contains(errOut.String(), "lost the lock on cluster one") {
		t.Errorf("exit %d, want 9\n%s", code, errOut.String())
	}
	if f.tries != 1 || f.err != nil {
		t.Errorf("the Site was written %d times, once before the lock was taken; %v", f.tries, f.err)
	}
	w.must(0, "apply", "--yes") // the thief is dead
	w.settled(sites, links)
}
