package request

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// retryAfter is the header by which a server says when to come again.
const retryAfter = "Retry-After"

// worthwhile reports whether a request that ended so may be sent again.
func worthwhile(r *http.Request, a answer) bool {
	if r.Context().Err() != nil || r.Body != nil && r.Body != http.NoBody && r.GetBody == nil {
		return false
	}
	if a.err != nil {
		return (!a.sent || mayRepeat(r)) && !isPermanent(a.err)
	}
	switch a.resp.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusServiceUnavailable:
		return a.resp.Header.Get(retryAfter) != "" || mayRepeat(r)
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return mayRepeat(r)
	}
	return false
}

// mayRepeat reports whether a request may reach the server twice.
func mayRepeat(r *http.Request) bool {
	marked, _ := r.Context().Value(repeatableKey{}).(bool)
	return marked || r.Method == http.MethodGet
}

// isDialError reports whether there was no connection to send a request on.
func isDialError(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns)
}

// isPermanent reports whether trying again meets the same: a server that is not the
// one we trust, does not trust us, or does not speak TLS.
func isPermanent(err error) bool {
	var untrusted *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &untrusted) || errors.As(err, &header) || errors.As(err, &alert)
}

// pause is how long to wait for the next try: own, or longer if the server asks for it,
// and then a little more, so that those who were sent away together do not come back
// together.
func (a answer) pause(own time.Duration, now time.Time) time.Duration {
	if a.err != nil {
		return own
	}
	asked, ok := parseRetryAfter(a.resp.Header.Get(retryAfter), now)
	if !ok {
		return own
	}
	return max(own, min(asked, longestRetryAfter)+rand.N(250*time.Millisecond))
}

// parseRetryAfter reads seconds or a date, as HTTP has them.
func parseRetryAfter(header string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(seconds, 0), 3600)) * time.Second, true
	}
	at, err := http.ParseTime(header)
	return max(at.Sub(now), 0), err == nil
}

// reason says in a few words why a try was not the last.
func (a answer) reason() string {
	if a.err != nil {
		return plain(a.err).Error()
	}
	return "status " + strconv.Itoa(a.resp.StatusCode)
}

// instead is the error of a request that is not sent again after this answer, the zero one
// before the first try.
func (a answer) instead(err error) error {
	if a.err == nil && a.resp == nil {
		return NotSent{err}
	}
	a.drop()
	return fmt.Errorf("%w; the last try: %s", err, a.reason())
}

// drop closes an answer that nobody reads.
func (a answer) drop() {
	if a.resp != nil {
		_ = a.resp.Body.Close()
	}
}

// last is what the n-th try gives to the client, which must not repeat it: it would
// where a header asks for it or an error tells of a broken connection.
func (a answer) last(ctx context.Context, n int) (*http.Response, error) {
	if a.err == nil && isPage(a.resp) {
		a.drop()
		return nil, errPage
	}
	if a.err == nil {
		if a.resp.StatusCode >= http.StatusTooManyRequests {
			a.resp.Header.Del(retryAfter)
		}
		return a.resp, nil
	}
	a.drop()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err := plain(a.err)
	if !a.sent {
		err = NotSent{err}
	}
	if n > 1 {
		err = fmt.Errorf("%w (tried %d times)", err, n)
	}
	return nil, err
}

// errPage is an answer that no API server gives. Nothing of it is shown.
var errPage = errors.New("the answer is a web page and not an API server's: a proxy or a login may stand in front of it")

// isPage reports whether an answer that says that all is well is HTML.
func isPage(resp *http.Response) bool {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && kind == "text/html" && resp.StatusCode < http.StatusMultipleChoices
}

// NotSent is the error of a request that the server surely never had.
type NotSent struct{ error }

func (e NotSent) Unwrap() error { return e.error }

// errBroken stands for all errors of a connection that ended before the answer.
var errBroken = errors.New("the connection broke before the answer")

// plain gives errors of broken connections, which client-go repeats by itself, as
// errBroken, and others as they are.
func plain(err error) error {
	if utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) || utilnet.IsHTTP2ConnectionLost(err) {
		return errBroken
	}
	return err
}
