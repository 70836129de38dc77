// Package request carries requests to an API server: it says how long one may take, when it is
// sent again, and which ones are not sent at all.
package request

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/lock"
)

// The bounds of one request. client-go's own repetitions are kept from happening: they
// know neither which writes may be repeated nor a server that never answers.
const (
	// tries is how often a request is sent at most.
	tries = 5
	// silences is how many tries may go without an answer until their deadline.
	silences = 2
	// longestRetryAfter caps what a server may make us wait before the next try.
	longestRetryAfter = 30 * time.Second
	// connectTimeout bounds how long a try waits for a connection.
	connectTimeout = 10 * time.Second
	// tryTimeout bounds one try, pageTimeout one that reads a page of a list. Both
	// cover reading the answer; of a watch they cover only its opening.
	tryTimeout  = 30 * time.Second
	pageTimeout = 60 * time.Second
)

// ErrSilent means that a server took a request, or a connection, and did not answer
// in time.
var ErrSilent = errors.New("no answer")

// repeatableKey marks the context of a write that may be sent twice.
type repeatableKey struct{}

// Repeatable marks a write whose second sending changes nothing more: it is a
// server-side apply, or it deletes one object by its UID.
func Repeatable(ctx context.Context) context.Context {
	return context.WithValue(ctx, repeatableKey{}, true)
}

// attemptKey holds the number of a try, for the log.
type attemptKey struct{}

// attemptOf is the number of the try that a context belongs to, from 1.
func attemptOf(ctx context.Context) int {
	n, _ := ctx.Value(attemptKey{}).(int)
	return max(n, 1)
}

// Retry sends requests again where that is right:
//   - any request that surely was not carried out: there was no connection, or the
//     server was too busy (429) or not there (503) and said when to come again;
//   - a request whose answer was lost, or is an error of the server's own, if it only
//     reads or may be repeated.
//
// Between tries it waits longer each time, by a random part more, and no shorter than
// the server asks. Before each try of a write it asks whether its lock still holds.
type Retry struct {
	Next http.RoundTripper
	// Limit shortens the bounds of each try; 0 leaves them as they are.
	Limit time.Duration
	// Log gets a debug line for each repetition; nil means none.
	Log *slog.Logger
}

// answer is how one try ended.
type answer struct {
	resp *http.Response
	err  error
	// sent is false when the server surely never had the whole request.
	sent bool
	// silent is true when its deadline ended the try.
	silent bool
}

// RoundTrip implements http.RoundTripper. Answers to anything but a watch are whole.
func (t *Retry) RoundTrip(r *http.Request) (*http.Response, error) {
	pauses := wait.Backoff{Duration: 250 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: tries}
	silent, a := 0, answer{}
	for n := 1; ; n++ {
		if err := fence(r); err != nil {
			return nil, a.instead(err)
		}
		a = t.try(r, n)
		if a.silent {
			silent++
		}
		if n == tries || silent == silences || !worthwhile(r, a) {
			return a.last(r.Context(), n)
		}
		pause := a.pause(pauses.Step(), time.Now())
		t.tell(r, n, a, pause)
		if err := apply.Pause(r.Context(), pause); err != nil {
			return nil, a.instead(err)
		}
	}
}

// try sends the request once and reads what a deadline has to cover.
func (t *Retry) try(r *http.Request, n int) answer {
	body, err := bodyOf(r, n)
	if err != nil {
		return answer{err: err, sent: true}
	}
	ctx, cancel := context.WithCancelCause(context.WithValue(r.Context(), attemptKey{}, n))
	track := &tracker{cancel: cancel, bound: t.shorter(connectTimeout)}
	limit := t.shorter(limitOf(r))
	deadline := time.AfterFunc(limit, func() { cancel(fmt.Errorf("%w within %s", ErrSilent, limit)) })
	out := r.Clone(httptrace.WithClientTrace(ctx, track.hooks()))
	out.Body = body
	resp, err := t.Next.RoundTrip(out)
	if err == nil && isWatch(r) && resp.StatusCode == http.StatusOK {
		deadline.Stop()
		resp.Body = &heldBody{ReadCloser: resp.Body, release: func() { cancel(nil) }}
		return answer{resp: resp, sent: true}
	}
	if err == nil {
		err = readWhole(resp)
	}
	a := answer{resp: resp, err: err, sent: track.sent(err)}
	if cause := context.Cause(ctx); err != nil && r.Context().Err() == nil && errors.Is(cause, ErrSilent) {
		a.err, a.silent = cause, true
	}
	deadline.Stop()
	track.stop()
	cancel(nil)
	return a
}

func (t *Retry) shorter(limit time.Duration) time.Duration {
	if t.Limit > 0 {
		return min(limit, t.Limit)
	}
	return limit
}

// tell logs that the request is sent again, and why.
func (t *Retry) tell(r *http.Request, n int, a answer, pause time.Duration) {
	if t.Log != nil {
		t.Log.DebugContext(r.Context(), "request is sent again", "method", r.Method, "path", r.URL.Path,
			"attempt", n+1, "after", pause.Round(time.Millisecond), "because", a.reason())
	}
}

// bodyOf gives the request's body for its n-th try.
func bodyOf(r *http.Request, n int) (io.ReadCloser, error) {
	if n == 1 || r.Body == nil || r.Body == http.NoBody {
		return r.Body, nil
	}
	return r.GetBody()
}

// fence is lock.Fence for what writes.
func fence(r *http.Request) error {
	if r.Method == http.MethodGet {
		return nil
	}
	return lock.Fence(r.Context())
}

func isWatch(r *http.Request) bool {
	watch, err := strconv.ParseBool(r.URL.Query().Get("watch"))
	return err == nil && watch
}

func limitOf(r *http.Request) time.Duration {
	if r.Method == http.MethodGet && r.URL.Query().Get("limit") != "" {
		return pageTimeout
	}
	return tryTimeout
}

// readWhole replaces the answer's body by its content.
func readWhole(resp *http.Response) error {
	content, err := io.ReadAll(resp.Body)
	if closing := resp.Body.Close(); err == nil {
		err = closing
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	return err
}

// heldBody is the body of a watch; its context ends with it.
type heldBody struct {
	io.ReadCloser
	release func()
}

func (b *heldBody) Close() error {
	err := b.ReadCloser.Close()
	b.release()
	return err
}

// tracker follows one try's way to the server, and ends it when there is no connection
// in time. Its hooks are called by the transport, from several goroutines.
type tracker struct {
	cancel  context.CancelCauseFunc
	bound   time.Duration
	timer   atomic.Pointer[time.Timer]
	asked   atomic.Bool
	written atomic.Bool
}

func (k *tracker) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) {
			k.asked.Store(true)
			end := func() { k.cancel(fmt.Errorf("%w: no connection within %s", ErrSilent, k.bound)) }
			if old := k.timer.Swap(time.AfterFunc(k.bound, end)); old != nil {
				old.Stop()
			}
		},
		GotConn:      func(httptrace.GotConnInfo) { k.stop() },
		WroteHeaders: func() { k.written.Store(true) },
	}
}

func (k *tracker) stop() {
	if timer := k.timer.Load(); timer != nil {
		timer.Stop()
	}
}

// sent reports whether the server may have had the request. Without a trace only an
// error that says so itself proves that it had not.
func (k *tracker) sent(err error) bool {
	if err == nil || k.written.Load() {
		return true
	}
	return !k.asked.Load() && !isDialError(err)
}
