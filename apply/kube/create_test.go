package kube

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/secrets"
)

// shelf is an API server of objects by path, enough for single ones. Only one request
// is under way at a time.
type shelf struct {
	objects map[string]map[string]any
	// got are the requests, such as "POST links".
	got []string
	// fault may bend the n-th request, from 1; nil is answered as it should be.
	fault func(n int) bend
}

// bend takes what would serve the request, and answers instead.
type bend func(serve func() *http.Response) (*http.Response, error)

func before(err error) bend {
	return func(func() *http.Response) (*http.Response, error) { return nil, err }
}

func after(err error) bend {
	return func(serve func() *http.Response) (*http.Response, error) { serve(); return nil, err }
}

func answering(code int) bend {
	return func(func() *http.Response) (*http.Response, error) { return failed(code).Result(), nil }
}

// failed is an answer of an API server that refuses.
func failed(code int) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	reason := map[int]string{404: "NotFound", 409: "AlreadyExists", 500: "InternalError", 429: "TooManyRequests"}[code]
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": "no",
	})
	return w
}

func (s *shelf) RoundTrip(r *http.Request) (*http.Response, error) {
	s.got = append(s.got, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/apis/skupper.io/v2alpha1/namespaces/shop/"))
	serve := func() *http.Response { return s.serve(r).Result() }
	if s.fault != nil {
		if b := s.fault(len(s.got)); b != nil {
			return b(serve)
		}
	}
	return serve(), nil
}

func (s *shelf) serve(r *http.Request) *httptest.ResponseRecorder {
	at := r.URL.Path
	var sent map[string]any
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(data, &sent) != nil && len(data) > 0 {
			return failed(400)
		}
	}
	switch r.Method {
	case http.MethodPost:
		meta, _ := sent["metadata"].(map[string]any)
		at = path.Join(at, meta["name"].(string))
		if s.objects[at] != nil {
			return failed(409)
		}
		s.objects[at] = sent
	case http.MethodPatch:
		s.objects[at] = sent
	case http.MethodDelete:
		if s.objects[at] == nil {
			return failed(404)
		}
		delete(s.objects, at)
	}
	if s.objects[at] == nil && r.Method != http.MethodDelete {
		return failed(404)
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.objects[at])
	return w
}

const anyKubeconfig = `{apiVersion: v1, kind: Config, current-context: c,
  clusters: [{name: c, cluster: {server: "http://cluster"}}], users: [{name: c, user: {}}],
  contexts: [{name: c, context: {cluster: c, user: c}}]}`

// over connects a Cluster to a shelf.
func over(t *testing.T, fault func(n int) bend) (*Cluster, *shelf) {
	t.Helper()
	s := &shelf{objects: map[string]map[string]any{}, fault: fault}
	c, err := Connect(Config{
		Name: "hub", Kubeconfig: secrets.New(anyKubeconfig),
		Wrap: func(http.RoundTripper) http.RoundTripper { return s },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func aLink() apply.Object {
	return apply.Object{
		ObjectRef: plan.ObjectRef{Cluster: "hub", Kind: plan.ObjectLink, Namespace: "shop", Name: "shop-hub"},
		Spec:      map[string]any{"cost": int64(1)},
	}
}

// at bends the listed requests.
func at(faults map[int]bend) func(int) bend { return func(n int) bend { return faults[n] } }

const aLinkPath = "/apis/skupper.io/v2alpha1/namespaces/shop/links/shop-hub"

// A creation whose answer is lost looks what happened.
func TestCreateLost(t *testing.T) {
	t.Parallel()
	reset := syscall.ECONNRESET
	foreign := func(s *shelf) {
		s.objects[aLinkPath] = map[string]any{"apiVersion": "skupper.io/v2alpha1", "kind": "Link", "metadata": map[string]any{"name": "shop-hub"}}
	}
	for _, c := range []struct {
		name  string
		there func(*shelf)
		fault func(int) bend
		class error // nil for success
		got   string
	}{
		{name: "nothing lost", got: "POST links"},
		{name: "after it was carried out", fault: at(map[int]bend{1: after(reset)}), got: "POST links, GET links/shop-hub"},
		{name: "before", fault: at(map[int]bend{1: before(reset)}), got: "POST links, GET links/shop-hub, POST links"},
		{name: "500", fault: at(map[int]bend{1: answering(500)}), got: "POST links, GET links/shop-hub, POST links"},
		{name: "429 is the transport's", fault: at(map[int]bend{1: answering(429)}), got: "POST links, POST links"},
		{name: "someone else's is there", there: foreign, class: apply.ErrExists, got: "POST links, GET links/shop-hub"},
		{name: "lost, and someone else's is there", there: foreign, fault: at(map[int]bend{1: before(reset)}), class: apply.ErrExists, got: "POST links, GET links/shop-hub"},
		{name: "for ever", fault: func(n int) bend { return map[int]bend{1: before(reset)}[n%2] }, class: apply.ErrUnreachable,
			got: "POST links, GET links/shop-hub, POST links, GET links/shop-hub, POST links, GET links/shop-hub"},
		{name: "forbidden", fault: at(map[int]bend{1: answering(403)}), class: apply.ErrForbidden, got: "POST links"},
		{name: "lost, and not seen", fault: func(n int) bend {
			if n == 1 {
				return after(reset)
			}
			return answering(403)
		}, class: apply.ErrUnreachable, got: "POST links, GET links/shop-hub"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cluster, s := over(t, c.fault)
				if c.there != nil {
					c.there(s)
				}
				made, err := cluster.Create(t.Context(), aLink())
				if !errors.Is(err, c.class) {
					t.Errorf("%v, want %v", err, c.class)
				}
				if err == nil && made.Name != "shop-hub" {
					t.Errorf("made %+v", made)
				}
				if got := strings.Join(s.got, ", "); got != c.got {
					t.Errorf("requests: %s\nwant %s", got, c.got)
				}
			})
		})
	}
}

// Each kind of request, as a Cluster sends it, is repeated or not; client-go adds
// nothing to that.
func TestRequestsOfCluster(t *testing.T) {
	t.Parallel()
	always := func(b bend) func(int) bend { return func(int) bend { return b } }
	withUID := aLink()
	withUID.UID = "1"
	get := func(ctx context.Context, c *Cluster) error { _, err := c.Get(ctx, aLink().ObjectRef); return err }
	put := func(ctx context.Context, c *Cluster) error { _, err := c.Apply(ctx, withUID, true); return err }
	for _, c := range []struct {
		name  string
		do    func(context.Context, *Cluster) error
		fault func(int) bend
		class error
		sent  int
	}{
		{"get, reset", get, always(before(syscall.ECONNRESET)), apply.ErrUnreachable, 5},
		{"get, end of file", get, always(before(io.EOF)), apply.ErrUnreachable, 5},
		{"get, 500", get, always(answering(500)), errOther, 5},
		{"get, 503", get, always(answering(503)), apply.ErrUnreachable, 5},
		{"get, 429", get, always(answering(429)), apply.ErrUnreachable, 5},
		{"apply, lost", put, at(map[int]bend{1: after(syscall.ECONNRESET)}), nil, 2},
		{"apply, 409", put, at(map[int]bend{1: answering(409)}), apply.ErrExists, 1},
		{"delete by UID, lost", func(ctx context.Context, c *Cluster) error { return c.Delete(ctx, withUID.ObjectRef) },
			at(map[int]bend{1: after(io.ErrUnexpectedEOF)}), nil, 2},
		{"delete by name, lost", func(ctx context.Context, c *Cluster) error { return c.Delete(ctx, aLink().ObjectRef) },
			at(map[int]bend{1: after(io.ErrUnexpectedEOF)}), apply.ErrUnreachable, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cluster, s := over(t, c.fault)
				err := c.do(t.Context(), cluster)
				if !errors.Is(err, c.class) {
					t.Errorf("%v, want %v", err, c.class)
				}
				if len(s.got) != c.sent {
					t.Errorf("%d requests, want %d: %q", len(s.got), c.sent, s.got)
				}
			})
		})
	}
}
