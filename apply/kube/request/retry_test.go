package request

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fairlead.dev/fairlead/apply/lock"
)

// pipes is a listener without a network, so that time can be a test's own.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// refuse is a dial to a port where nobody listens.
func refuse(context.Context, string, string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

// bench is a Retry before a server whose n-th answer the n-th step gives, the
// last one for ever. Both live in the test's bubble of time.
type bench struct {
	t        *testing.T
	under    *Retry
	requests atomic.Int32
	url      string

	mu     sync.Mutex
	bodies []string // guarded by mu
}

type step func(w http.ResponseWriter, r *http.Request)

func newBench(t *testing.T, steps ...step) *bench {
	b := &bench{t: t, url: "http://cluster"}
	listener := newPipes()
	server := &http.Server{ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(b.requests.Add(1))
		if r.ContentLength > 0 {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			b.mu.Lock()
			b.bodies = append(b.bodies, string(body))
			b.mu.Unlock()
		}
		steps[min(n, len(steps))-1](w, r)
	})}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) })
	network := &http.Transport{DialContext: listener.dial}
	b.under = &Retry{Next: network}
	t.Cleanup(func() {
		network.CloseIdleConnections()
		_ = server.Close()
		wg.Wait()
	})
	return b
}

// sent are the bodies that the server read.
func (b *bench) sent() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.bodies)
}

// dialing replaces the way to the server.
func (b *bench) dialing(dial func(context.Context, string, string) (net.Conn, error)) {
	b.under.Next = &http.Transport{DialContext: dial}
}

// ended is how a request went, with the time that it took in the bubble.
type ended struct {
	status int
	header http.Header
	body   string
	err    error
	took   time.Duration
}

func (b *bench) send(ctx context.Context, method, query, body string) ended {
	b.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, b.url+"/api/v1/things"+query, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	start := time.Now()
	resp, err := b.under.RoundTrip(r)
	out := ended{err: err}
	if err == nil {
		content, err := io.ReadAll(resp.Body)
		if err != nil {
			b.t.Error(err)
		}
		_ = resp.Body.Close()
		out.status, out.header, out.body = resp.StatusCode, resp.Header, string(content)
	}
	out.took = time.Since(start)
	return out
}

func status(code int, header ...string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "answer")
	}
}

// hangUp breaks the connection without an answer.
func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// halfBody breaks the connection within an answer.
func halfBody(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "half")
	panic(http.ErrAbortHandler)
}

// silence takes the request and never answers.
func silence(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// stall answers a part and then nothing more.
func stall(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "half")
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// What is sent again, how often, and after how long.
func TestRetries(t *testing.T) {
	t.Parallel()
	const read, create, write = "GET", "POST", "PATCH"
	for _, c := range []struct {
		name, method string
		// marked is a write that may be repeated.
		marked bool
		query  string
		steps  []step
		// requests is how many the server got, status the end, 0 for an error.
		requests, status int
		least, most      time.Duration
	}{
		{name: "first answer", method: read, steps: []step{status(200)}, requests: 1, status: 200},
		{name: "429 with seconds", method: create, steps: []step{status(429, "Retry-After", "7"), status(201)}, requests: 2, status: 201, least: 7 * time.Second, most: 7250 * time.Millisecond},
		{name: "429 with a date", method: create, steps: []step{laterDate(9 * time.Second), status(201)}, requests: 2, status: 201, least: 8 * time.Second, most: 9250 * time.Millisecond},
		{name: "429 with a date gone by", method: create, steps: []step{laterDate(-time.Hour), status(201)}, requests: 2, status: 201, least: 250 * time.Millisecond, most: 375 * time.Millisecond},
		{name: "429 with hours", method: create, steps: []step{status(429, "Retry-After", "7200"), status(201)}, requests: 2, status: 201, least: 30 * time.Second, most: 30250 * time.Millisecond},
		{name: "429 without", method: create, steps: []step{status(429), status(201)}, requests: 2, status: 201, least: 250 * time.Millisecond, most: 375 * time.Millisecond},
		{name: "429 with nonsense", method: create, steps: []step{status(429, "Retry-After", "soon"), status(201)}, requests: 2, status: 201, least: 250 * time.Millisecond, most: 375 * time.Millisecond},
		{name: "429 for ever", method: create, steps: []step{status(429, "Retry-After", "1")}, requests: 5, status: 429, least: 5 * time.Second, most: 6750 * time.Millisecond},
		{name: "429 at once for ever", method: create, steps: []step{status(429, "Retry-After", "0")}, requests: 5, status: 429, least: 3750 * time.Millisecond, most: 5625 * time.Millisecond},
		{name: "503 with seconds", method: create, steps: []step{status(503, "Retry-After", "2"), status(201)}, requests: 2, status: 201, least: 2 * time.Second, most: 2250 * time.Millisecond},
		{name: "503 without, create", method: create, steps: []step{status(503), status(201)}, requests: 1, status: 503},
		{name: "503 without, read", method: read, steps: []step{status(503), status(200)}, requests: 2, status: 200, least: 250 * time.Millisecond, most: 375 * time.Millisecond},
		{name: "500 with Retry-After, create", method: create, steps: []step{status(500, "Retry-After", "1"), status(201)}, requests: 1, status: 500},
		{name: "500, write", method: write, steps: []step{status(500), status(200)}, requests: 1, status: 500},
		{name: "500, repeatable write", method: write, marked: true, steps: []step{status(500), status(502), status(504), status(200)}, requests: 4, status: 200, least: 1750 * time.Millisecond, most: 2625 * time.Millisecond},
		{name: "500 for ever", method: read, steps: []step{status(500)}, requests: 5, status: 500, least: 3750 * time.Millisecond, most: 5625 * time.Millisecond},
		{name: "409", method: write, marked: true, steps: []step{status(409), status(200)}, requests: 1, status: 409},
		{name: "404", method: read, steps: []step{status(404), status(200)}, requests: 1, status: 404},
		{name: "lost answer, read", method: read, steps: []step{hangUp, hangUp, status(200)}, requests: 3, status: 200, least: 750 * time.Millisecond, most: 1125 * time.Millisecond},
		{name: "lost answer, create", method: create, steps: []step{hangUp, status(201)}, requests: 1},
		{name: "lost answer, repeatable write", method: write, marked: true, steps: []step{hangUp, status(200)}, requests: 2, status: 200, least: 250 * time.Millisecond, most: 375 * time.Millisecond},
		{name: "lost answers for ever", method: read, steps: []step{hangUp}, requests: 5, least: 3750 * time.Millisecond, most: 5625 * time.Millisecond},
		{name: "broken body, read", method: read, steps: []step{halfBody, status(200)}, requests: 2, status: 200, least: 250 * time.Millisecond, most: 375 * time.Millisecond},
		{name: "broken body, create", method: create, steps: []step{halfBody, status(201)}, requests: 1},
		{name: "silence once", method: read, steps: []step{silence, status(200)}, requests: 2, status: 200, least: 30 * time.Second, most: 31 * time.Second},
		{name: "silence", method: read, steps: []step{silence}, requests: 2, least: time.Minute, most: 61 * time.Second},
		{name: "silence, page", method: read, query: "?limit=500", steps: []step{silence, status(200)}, requests: 2, status: 200, least: time.Minute, most: 61 * time.Second},
		{name: "silence, create", method: create, steps: []step{silence}, requests: 1, least: 30 * time.Second, most: 30 * time.Second},
		{name: "stalled body", method: read, steps: []step{stall, status(200)}, requests: 2, status: 200, least: 30 * time.Second, most: 31 * time.Second},
		{name: "silent watch", method: read, query: "?watch=true", steps: []step{silence, status(200)}, requests: 2, status: 200, least: 30 * time.Second, most: 31 * time.Second},
		{name: "throttled watch", method: read, query: "?watch=true", steps: []step{status(429, "Retry-After", "3"), status(200)}, requests: 2, status: 200, least: 3 * time.Second, most: 4 * time.Second},
		{name: "long watch", method: read, query: "?watch=true", steps: []step{longWatch}, requests: 1, status: 200, least: time.Hour, most: time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, c.steps...)
				ctx := t.Context()
				if c.marked {
					ctx = Repeatable(ctx)
				}
				body := map[string]string{read: ""}[c.method]
				if c.method != read {
					body = "what is sent"
				}
				got := b.send(ctx, c.method, c.query, body)
				if int(b.requests.Load()) != c.requests || got.status != c.status || (got.err == nil) != (c.status != 0) {
					t.Errorf("%d requests, status %d, %v; want %d, %d", b.requests.Load(), got.status, got.err, c.requests, c.status)
				}
				if got.took < c.least || got.took > c.most {
					t.Errorf("took %s, want %s to %s", got.took, c.least, c.most)
				}
				for _, sent := range b.sent() {
					if sent != body {
						t.Errorf("the server read %q", sent)
					}
				}
				if len(b.sent()) != c.requests && body != "" {
					t.Errorf("%d bodies", len(b.sent()))
				}
				if got.header.Get("Retry-After") != "" {
					t.Error("the last answer asks client-go to repeat it")
				}
				if got.err != nil && repeatedByClient(got.err) {
					t.Errorf("client-go would repeat after: %v", got.err)
				}
			})
		})
	}
}

// repeatedByClient reports whether client-go would repeat a read after the error.
func repeatedByClient(err error) bool { return !errors.Is(plain(err), err) }

func laterDate(d time.Duration) step {
	return func(w http.ResponseWriter, r *http.Request) {
		status(429, "Retry-After", time.Now().Add(d).UTC().Format(http.TimeFormat))(w, r)
	}
}

// longWatch sends its only event after an hour.
func longWatch(w http.ResponseWriter, _ *http.Request) {
	w.(http.Flusher).Flush()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	<-timer.C
	_, _ = io.WriteString(w, "event")
}

// What was not sent is sent again whatever it is, for some seconds.
func TestNotSent(t *testing.T) {
	t.Parallel()
	blocked := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	handshake := func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() { // ends with the first bytes of the handshake
			_, _ = there.Read(make([]byte, 1))
			_ = there.Close()
		}()
		return here, nil
	}
	for _, c := range []struct {
		name        string
		dial        func(context.Context, string, string) (net.Conn, error)
		least, most time.Duration
		says        string
	}{
		{"refused", refuse, 3750 * time.Millisecond, 5625 * time.Millisecond, "connection refused (tried 5 times)"},
		{"handshake", handshake, 3750 * time.Millisecond, 5625 * time.Millisecond, "(tried 5 times)"},
		{"no connection", blocked, 20 * time.Second, 21 * time.Second, "no connection within 10s (tried 2 times)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, status(200))
				b.url = "https://cluster"
				// The library lets a dial go on when its request has ended.
				over, end := context.WithCancel(t.Context())
				defer end()
				b.dialing(func(context.Context, string, string) (net.Conn, error) { return c.dial(over, "", "") })
				got := b.send(t.Context(), "POST", "", "body")
				var unsent NotSent
				if got.err == nil || !strings.Contains(got.err.Error(), c.says) || !errors.As(got.err, &unsent) {
					t.Errorf("%v", got.err)
				}
				if got.took < c.least || got.took > c.most {
					t.Errorf("took %s", got.took)
				}
			})
		})
	}
}

// The context of the request ends everything, and its own error says so.
func TestContextEndsRetries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		step step
	}{
		{"in a pause", status(429, "Retry-After", "20")},
		{"in a request", silence},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, c.step)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				got := b.send(ctx, "GET", "", "")
				if !errors.Is(got.err, context.DeadlineExceeded) || got.took != 5*time.Second || b.requests.Load() != 1 {
					t.Errorf("%v after %s and %d requests", got.err, got.took, b.requests.Load())
				}
			})
		})
	}
}

// A body that cannot be had again is sent once.
func TestBodyOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, status(429), status(200))
		r, err := http.NewRequestWithContext(t.Context(), "PATCH", "http://cluster/x", io.NopCloser(bytes.NewReader([]byte("once"))))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 4
		resp, err := b.under.RoundTrip(r)
		if err != nil || resp.StatusCode != 429 || b.requests.Load() != 1 {
			t.Errorf("%v, %v, %d requests", resp, err, b.requests.Load())
		}
	})
}

// The log has a line for each try and one for each pause, and no content.
func TestRetriesAreLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, status(500), hangUp, status(200))
		var log bytes.Buffer
		b.under.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		b.under.Next = &Logging{Next: b.under.Next, Log: b.under.Log}
		b.send(Repeatable(t.Context()), "PATCH", "", "the-secret")
		for _, want := range []string{"status=500", "attempt=2", "because=\"status 500\"", "attempt=3", "because=\"the connection broke", "status=200"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %s:\n%s", want, log.String())
			}
		}
		if strings.Contains(log.String(), "the-secret") {
			t.Errorf("the log has content:\n%s", log.String())
		}
	})
}

// A write is not sent again once its lock is lost, and what nobody guards is.
func TestRetriesAreFenced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			method         string
			holds, request int
		}{{http.MethodPost, 9, 3}, {http.MethodPost, 1, 1}, {http.MethodPost, 0, 0}, {http.MethodGet, 0, 3}} {
			b := newBench(t, status(429, "Retry-After", "7"), status(429), status(200))
			asked := 0
			ctx := lock.FencedBy(t.Context(), func(context.Context) error {
				if asked++; asked > tt.holds {
					return &lock.Lost{Cluster: "hub"}
				}
				return nil
			})
			got := b.send(ctx, tt.method, "", "x")
			if n := int(b.requests.Load()); n != tt.request {
				t.Errorf("%s while it holds %d times: %d requests", tt.method, tt.holds, n)
			}
			if lost := errors.Is(got.err, lock.ErrLocked); lost != (tt.request < 3) {
				t.Errorf("%s while it holds %d times: %v", tt.method, tt.holds, got.err)
			}
		}
	})
}
