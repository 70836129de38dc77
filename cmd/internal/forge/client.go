package forge

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// The bounds of one request.
const (
	// tries is how often a request is sent at most.
	tries = 4
	// tryTimeout bounds one try, the answer's body included.
	tryTimeout = time.Minute
	// longestPause is how long a forge may make us wait before the next try.
	longestPause = time.Minute
	// mostPages bounds a list, mostBytes an answer, and mostPlan a plan.
	mostPages = 200
	mostBytes = 64 << 20
	mostPlan  = 256 << 20
	// perPage is what both forges give at most.
	perPage = 100
)

// names are words for messages.
type names struct {
	// forge is what it is called, token the variable that holds the token.
	forge, token string
}

// client sends requests to one forge.
type client struct {
	http  *retryablehttp.Client
	base  string
	names names
	token string
	// header are set on each request; credentials among them only go to the base's host.
	header http.Header
	// more tells, by the header of a list's page, whether there is another.
	more func(http.Header) bool
}

// request is one call, a GET unless it says otherwise. goal and need are for messages: what
// it is to do, and which right it takes.
type request struct {
	method, path string
	query        url.Values
	body         any
	goal, need   string
	// most bounds the answer, in bytes; 0 means mostBytes.
	most int64
}

// newClient gives a client of the API at base.
func newClient(base string, n names, token string, header http.Header) *client {
	h := retryablehttp.NewClient()
	h.Logger = nil
	h.RetryMax, h.RetryWaitMin, h.RetryWaitMax = tries-1, 500*time.Millisecond, 10*time.Second
	h.CheckRetry, h.Backoff = again, pause
	h.ErrorHandler = retryablehttp.PassthroughErrorHandler
	h.HTTPClient.Timeout = tryTimeout
	h.HTTPClient.CheckRedirect = redirected(header)
	return &client{http: h, base: strings.TrimSuffix(base, "/"), names: n, token: token, header: header}
}

// redirected follows redirections, which artifacts need, and leaves credentials behind
// where they lead to another host.
func redirected(header http.Header) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		if len(via) >= 5 {
			return errors.New("too many redirections")
		}
		if first := via[0].URL; next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
			for name := range header {
				next.Header.Del(name)
			}
		}
		return nil
	}
}

// methodKey marks a context with the method of its request, for again: where there is
// no answer nothing else tells it.
type methodKey struct{}

// do sends a request and decodes the answer into what is given; nil leaves it unread.
func (c *client) do(ctx context.Context, r request, into any) error {
	_, err := c.ask(ctx, r, into)
	return err
}

// ask does the same and gives the answer's header.
func (c *client) ask(ctx context.Context, r request, into any) (http.Header, error) {
	body, header, err := c.fetch(ctx, r)
	if err != nil || into == nil {
		return header, err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, fmt.Errorf("%s: cannot %s: the answer is not what was expected: %w", c.names.forge, r.goal, err)
	}
	return header, nil
}

// fetch sends a request and gives the answer's bytes.
func (c *client) fetch(ctx context.Context, r request) ([]byte, http.Header, error) {
	out, err := c.build(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	resp, err := c.http.Do(out)
	if err != nil {
		return nil, nil, c.broken(ctx, r, err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read, or is of no use
	most := cmp.Or(r.most, mostBytes)
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return nil, nil, c.broken(ctx, r, err)
	case resp.StatusCode >= http.StatusMultipleChoices:
		return nil, nil, c.failure(r, resp, body)
	case int64(len(body)) > most:
		return nil, nil, fmt.Errorf("%s: cannot %s: the answer has more than %d MiB", c.names.forge, r.goal, most>>20)
	}
	return body, resp.Header, nil
}

func (c *client) build(ctx context.Context, r request) (*retryablehttp.Request, error) {
	address := c.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var body any
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", c.names.forge, r.goal, err)
		}
		body = bytes.NewReader(text)
	}
	method := cmp.Or(r.method, http.MethodGet)
	out, err := retryablehttp.NewRequestWithContext(context.WithValue(ctx, methodKey{}, method), method, address, body)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot %s: %w", c.names.forge, r.goal, err)
	}
	for name, values := range c.header {
		out.Header[name] = values
	}
	if body != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	return out, nil
}

// broken is the error of a request without an answer.
func (c *client) broken(ctx context.Context, r request, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err // without the address: where artifacts are has a signature in it
	}
	text := fmt.Sprintf("%s: cannot %s: %s", c.names.forge, r.goal, c.clean(err.Error()))
	if r.method == http.MethodPost && !notSent(err) {
		return fmt.Errorf("%s; %w", text, ErrUnsure)
	}
	return errors.New(text)
}

// again reports whether a request is sent once more: where it was surely not carried
// out, and where carrying it out twice changes nothing more. A POST makes something, so
// one whose answer was lost is not repeated here: see Comment.
func again(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	method, _ := ctx.Value(methodKey{}).(string)
	repeatable := method != http.MethodPost
	if err != nil {
		known, _ := retryablehttp.DefaultRetryPolicy(ctx, resp, err)
		return known && (repeatable || notSent(err)), nil
	}
	if limited(resp) {
		asked, ok := asked(resp, time.Now())
		return !ok || asked <= longestPause, nil
	}
	return repeatable && resp.StatusCode >= http.StatusInternalServerError && resp.StatusCode != http.StatusNotImplemented, nil
}

// notSent reports whether a request surely never left: there was no connection.
func notSent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns)
}

// limited reports whether an answer says that there were too many requests. GitHub says
// it with 403 too, and tells by its headers.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
func limited(resp *http.Response) bool {
	if resp.StatusCode == http.StatusForbidden {
		return resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-RateLimit-Remaining") == "0"
	}
	return resp.StatusCode == http.StatusTooManyRequests
}

// asked is how long a forge wants us to wait: by Retry-After in seconds or as a date,
// or until its limit starts anew: X-RateLimit-Reset of GitHub, RateLimit-Reset of
// GitLab, in seconds since 1970.
func asked(resp *http.Response, now time.Time) (time.Duration, bool) {
	header := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(seconds, 0), 86400)) * time.Second, true
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), 0), true
	}
	for _, name := range []string{"X-RateLimit-Reset", "RateLimit-Reset"} {
		if at, err := strconv.ParseInt(resp.Header.Get(name), 10, 64); err == nil {
			return max(time.Unix(at, 0).Sub(now), 0), true
		}
	}
	return 0, false
}

// pause is how long to wait for the next try: as the forge asks, or longer each time,
// and by a random part more.
func pause(shortest, longest time.Duration, attempt int, resp *http.Response) time.Duration {
	if resp != nil && limited(resp) {
		if d, ok := asked(resp, time.Now()); ok {
			return min(d, longestPause) + rand.N(250*time.Millisecond)
		}
	}
	d := min(shortest<<attempt, longest)
	return d + rand.N(max(d/2, 1))
}

// pages reads all pages of a list.
func pages[T any](ctx context.Context, c *client, r request) ([]T, error) {
	var all []T
	if r.query = maps.Clone(r.query); r.query == nil {
		r.query = url.Values{}
	}
	r.query.Set("per_page", strconv.Itoa(perPage))
	for n := 1; n <= mostPages; n++ {
		r.query.Set("page", strconv.Itoa(n))
		var page []T
		header, err := c.ask(ctx, r, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if !c.more(header) {
			return all, nil
		}
	}
	return nil, fmt.Errorf("%s: cannot %s: there are more than %d", c.names.forge, r.goal, mostPages*perPage)
}

// Error is an answer of a forge that is not what was asked for. It never holds a token.
type Error struct {
	// Forge is its name, and Goal what was tried: "edit the comment".
	Forge, Goal string
	// Status is the HTTP status, Message what the forge said.
	Status  int
	Message string
	// Fix says what to do; empty where nobody knows.
	Fix string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: cannot %s: %d %s", e.Forge, e.Goal, e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		text += " (" + e.Message + ")"
	}
	if e.Fix != "" {
		text += "; " + e.Fix
	}
	return text
}

// mostWords is how much of a forge's message is shown.
const mostWords = 300

// failure is the error of an answer.
func (c *client) failure(r request, resp *http.Response, body []byte) error {
	err := &Error{
		Forge: c.names.forge, Goal: r.goal, Status: resp.StatusCode,
		Message: c.clean(messageOf(body)), Fix: c.fix(r, resp),
	}
	if r.method == http.MethodPost && resp.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%w; %w", err, ErrUnsure)
	}
	return err
}

// messageOf finds what a forge says in its answer: GitHub has "message", GitLab
// "message" or "error", and either may be more than a string.
func messageOf(body []byte) string {
	var said struct{ Message, Error json.RawMessage }
	if err := json.Unmarshal(body, &said); err != nil {
		return ""
	}
	for _, raw := range []json.RawMessage{said.Message, said.Error} {
		var text string
		if json.Unmarshal(raw, &text) == nil && text != "" {
			return text
		}
		if len(raw) > 0 {
			return string(raw)
		}
	}
	return ""
}

// clean makes a message safe to show: one line, not too long, without the token.
func (c *client) clean(text string) string {
	if c.token != "" {
		text = strings.ReplaceAll(text, c.token, "***")
	}
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > mostWords {
		text = string(runes[:mostWords]) + "…"
	}
	return text
}

// fix says what to do about a refusal.
func (c *client) fix(r request, resp *http.Response) string {
	switch status := resp.StatusCode; {
	case status == http.StatusUnauthorized:
		return fmt.Sprintf("the token in %s is wrong or has expired", c.names.token)
	case limited(resp):
		return "too many requests; run the job again later"
	case status == http.StatusForbidden:
		return fmt.Sprintf("the token in %s lacks a right: %s", c.names.token, r.need)
	case status == http.StatusNotFound:
		return fmt.Sprintf("it is not there, or the token in %s may not see it: %s", c.names.token, r.need)
	}
	return ""
}
