package e2e

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// An apply gets through to clusters that are in trouble, but not down.
func TestTroubledClusters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		wrap func(next http.RoundTripper) http.RoundTripper
	}{
		{"one of three like requests is throttled", throttling(3)},
		{"slow", slow(200 * time.Millisecond)},
		{"watches end after a second", shortWatches(time.Second)},
		{"watches end at once", shortWatches(0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sites, links := twoHubs()
			w.describe(sites, links)
			w.wrap = c.wrap
			w.must(0, "apply", "--yes")
			w.wrap = nil
			w.settled(sites, links)
		})
	}
}

// throttling answers the first, and then each n-th, of the same requests to a cluster
// with 429. It counts for each address alone: one count for all could meet one request
// at each of its tries.
func throttling(n int) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		var mu sync.Mutex
		count := map[string]int{}
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			address := r.Method + " " + r.URL.RequestURI()
			refused := count[address]%n == 0
			count[address]++
			mu.Unlock()
			if refused {
				closeBody(r)
				return refusal(r, http.StatusTooManyRequests, "TooManyRequests"), nil
			}
			return next.RoundTrip(r)
		})
	}
}

// slow lets each request wait.
func slow(d time.Duration) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			ctx, cancel := context.WithTimeout(r.Context(), d)
			defer cancel()
			<-ctx.Done()
			return next.RoundTrip(r)
		})
	}
}

// shortWatches ends the answer to each watch after a while.
func shortWatches(d time.Duration) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err != nil || !strings.HasPrefix(classOf(r), "WATCH") {
				return resp, err
			}
			body := resp.Body
			over := time.AfterFunc(d, func() { _ = body.Close() })
			resp.Body = &timedBody{body, over}
			return resp, nil
		})
	}
}

type timedBody struct {
	io.ReadCloser
	over *time.Timer
}

func (b *timedBody) Close() error {
	b.over.Stop()
	return b.ReadCloser.Close()
}

// A cluster that takes requests of one link and never answers them costs that link
// alone, and the next apply makes it.
func TestHalfDeadCluster(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		among func(w *world, r *http.Request) bool
	}{
		{"all about grants of the hub", func(w *world, r *http.Request) bool {
			return strings.Contains(r.URL.Path, w.ns("hub")+"/accessgrants")
		}},
		{"reading the token", func(_ *world, r *http.Request) bool {
			return strings.Contains(r.URL.Path, "/accesstokens") && strings.Contains(r.URL.RequestURI(), "spoke-hub")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sites, links := twoHubs()
			w.describe(sites, links)
			w.wrap = func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					if c.among(w, r) {
						closeBody(r)
						<-r.Context().Done()
						return nil, r.Context().Err()
					}
					return next.RoundTrip(r)
				})
			}
			// The bound is that of readiness, too, on a machine that may be busy.
			o := w.must(7, "apply", "--yes", "--timeout", "60s")
			w.says(o, "link spoke-hub", "no answer within 20s")
			if o := w.get(1, w.ns("spoke"), "links", "spoke-good"); o == nil {
				t.Error("the other link was held up")
			}
			w.wrap = nil
			w.must(0, "apply", "--yes")
			w.settled(sites, links)
		})
	}
}
