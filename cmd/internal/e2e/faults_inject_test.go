package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// faultKind is a way in which one request fails.
type faultKind string

// The kinds of faults.
const (
	// refused is a connection that is refused.
	refused faultKind = "refused"
	// timeoutBefore is a request that is lost, timeoutAfter an answer.
	timeoutBefore faultKind = "timeout-before"
	timeoutAfter  faultKind = "timeout-after"
	// conflict, throttled and serverError are answers; nothing is carried out.
	conflict    faultKind = "409"
	throttled   faultKind = "429"
	serverError faultKind = "500"
	// dropped is an answer that breaks off: a watch's after its first event, any other
	// half way.
	dropped faultKind = "dropped"
	// killedBefore is the program's death before the request, killedAfter after it and
	// before its answer.
	killedBefore faultKind = "killed-before"
	killedAfter  faultKind = "killed-after"
)

var faultKinds = []faultKind{
	refused, timeoutBefore, timeoutAfter, conflict, throttled, serverError, dropped, killedBefore, killedAfter,
}

func (k faultKind) kills() bool { return k == killedBefore || k == killedAfter }

// point is where a fault happens: at the n-th request of a run, whichever that is, or
// at the n-th of one class. Actions run side by side, so their requests come in another
// order each time: the number of a request tells roughly when it happens, its class
// what it does.
type point struct {
	class string // empty for any
	n     int
}

func (p point) String() string {
	if p.class == "" {
		return strconv.Itoa(p.n)
	}
	return p.class + "#" + strconv.Itoa(p.n)
}

func parsePoint(s string) (point, error) {
	class, number, ofClass := strings.Cut(s, "#")
	if !ofClass {
		class, number = "", s
	}
	n, err := strconv.Atoi(number)
	if err == nil && n < 1 {
		err = errors.New("requests are counted from 1")
	}
	return point{class, n}, err
}

// classOf names what a request does: its verb and its resource, "WATCH links". FIND is
// the list of a single object, with which a wait begins.
func classOf(r *http.Request) string {
	verb, resource, query := r.Method, r.URL.Path, r.URL.Query()
	m := pathPattern.FindStringSubmatch(r.URL.Path)
	if m != nil {
		resource = m[2]
	}
	switch {
	case verb != http.MethodGet || m == nil || m[3] != "":
	case query.Get("watch") == "true":
		verb = "WATCH"
	case query.Get("fieldSelector") != "":
		verb = "FIND"
	default:
		verb = "LIST"
	}
	return verb + " " + resource
}

// injector lets requests of a command fail. It goes around the way to each of its
// clusters and counts their requests together.
type injector struct {
	kind faultKind

	mu      sync.Mutex
	n       int
	classes map[string]int
	// waiting are the points that were not reached yet, hit the requests that failed.
	waiting []point
	hit     []string
	dead    bool
	// died is closed when the program is as good as dead.
	died chan struct{}
	// passing are the requests that the clusters are answering.
	passing sync.WaitGroup
}

func newInjector(kind faultKind, at ...point) *injector {
	return &injector{kind: kind, waiting: slices.Clone(at), classes: map[string]int{}, died: make(chan struct{})}
}

// wrap implements cli.System.Wrap.
func (i *injector) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) { return i.roundTrip(next, r) })
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var errDead = errors.New("the program is dead")

func (i *injector) roundTrip(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	faulty, alive := i.count(r)
	if !alive {
		closeBody(r)
		return nil, errDead
	}
	defer i.passing.Done()
	if !faulty {
		return next.RoundTrip(r)
	}
	return i.fail(next, r)
}

// count counts a request in, and says whether it is the faulty one. One that is counted
// in while the program lives has to be counted out.
func (i *injector) count(r *http.Request) (faulty, alive bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.dead {
		return false, false
	}
	class := classOf(r)
	i.n++
	i.classes[class]++
	before := len(i.waiting)
	i.waiting = slices.DeleteFunc(i.waiting, func(p point) bool {
		return p == point{"", i.n} || p == point{class, i.classes[class]}
	})
	if faulty = len(i.waiting) < before; faulty {
		i.hit = append(i.hit, fmt.Sprintf("%s %s (request %d, %s#%d)", r.Method, r.URL.RequestURI(), i.n, class, i.classes[class]))
		i.dead = i.kind.kills()
	}
	i.passing.Add(1)
	return faulty, true
}

// fail gives the request its fault.
func (i *injector) fail(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	switch i.kind {
	case timeoutAfter, killedAfter:
		if resp, err := next.RoundTrip(r); err == nil {
			_ = resp.Body.Close()
		}
	case dropped:
		resp, err := next.RoundTrip(r)
		if err == nil {
			resp.Body = breakOff(resp.Body, classOf(r))
		}
		return resp, err
	default:
		closeBody(r)
	}
	switch i.kind {
	case refused:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case conflict:
		return refusal(r, http.StatusConflict, "Conflict"), nil
	case throttled:
		return refusal(r, http.StatusTooManyRequests, "TooManyRequests"), nil
	case serverError:
		return refusal(r, http.StatusInternalServerError, "InternalError"), nil
	case killedBefore, killedAfter:
		close(i.died)
		return nil, errDead
	}
	return nil, lostAnswer{}
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// lostAnswer is what a request ends with whose answer did not come.
type lostAnswer struct{}

func (lostAnswer) Error() string   { return "made-up timeout" }
func (lostAnswer) Timeout() bool   { return true }
func (lostAnswer) Temporary() bool { return true }

// refusal is an answer of an API server that does not do what is asked.
func refusal(r *http.Request, code int, reason string) *http.Response {
	header := http.Header{"Content-Type": {"application/json"}}
	if code == http.StatusTooManyRequests {
		header.Set("Retry-After", "0")
	}
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d,"message":"made up by the test"}`, reason, code)
	return &http.Response{
		Status: http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// breakOff lets an answer end too early: a watch's after one event, any other after
// half of it.
func breakOff(body io.ReadCloser, class string) io.ReadCloser {
	if strings.HasPrefix(class, "WATCH") {
		return &firstLine{ReadCloser: body}
	}
	content, err := io.ReadAll(body)
	_ = body.Close()
	if err != nil {
		content = nil
	}
	return io.NopCloser(io.MultiReader(bytes.NewReader(content[:len(content)/2]), broken{}))
}

// broken is where an answer breaks off.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// firstLine ends a body after its first line, which holds a watch's first event.
type firstLine struct {
	io.ReadCloser
	over bool
}

func (f *firstLine) Read(p []byte) (int, error) {
	if f.over {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := f.ReadCloser.Read(p)
	if at := bytes.IndexByte(p[:n], '\n'); at >= 0 {
		f.over = true
		return at + 1, nil
	}
	return n, err
}
