package request

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Covered stands around a finished client: a request returns when its context ends, also
// where something between it and the network hangs and knows no context. What hangs is left
// behind, in a goroutine that ends with it, and its answer is dropped.
type Covered struct{ Next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t Covered) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, done := r.Context(), make(chan answer)
	go func() {
		a := t.ask(r)
		select {
		case done <- a:
		case <-ctx.Done():
			a.drop()
		}
	}()
	select {
	case a := <-done:
		return a.resp, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ask passes the request on. A panic is an error: here nobody else would catch it.
func (t Covered) ask(r *http.Request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{err: fmt.Errorf("internal error: a panic of type %T", p)}
		}
	}()
	a.resp, a.err = t.Next.RoundTrip(r)
	return a
}

// ReadOnly lets nothing pass but requests that read. It stands before every other
// transport, so that a command which only looks cannot write, whatever its code does.
type ReadOnly struct{ Next http.RoundTripper }

// RoundTrip implements http.RoundTripper. A request that could write is an error and is
// never sent.
func (t ReadOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		return nil, fmt.Errorf("internal error: %s %s in a command that only reads; it was not sent", r.Method, r.URL.Path)
	}
	return t.Next.RoundTrip(r)
}

// Logging logs the requests it passes on: method, path, status, time.
type Logging struct {
	Next http.RoundTripper
	Log  *slog.Logger
}

func (t *Logging) RoundTrip(r *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := t.Next.RoundTrip(r)
	attrs := []any{"method", r.Method, "path", r.URL.Path, "took", time.Since(start).Round(time.Millisecond)}
	if n := attemptOf(r.Context()); n > 1 {
		attrs = append(attrs, "attempt", n)
	}
	if err != nil {
		t.Log.DebugContext(r.Context(), "request", append(attrs, "error", err.Error())...)
		return resp, err
	}
	t.Log.DebugContext(r.Context(), "request", append(attrs, "status", resp.StatusCode)...)
	return resp, nil
}
