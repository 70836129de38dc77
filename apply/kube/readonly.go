package kube

import (
	"fmt"
	"net/http"
)

// readOnly lets nothing pass but requests that read. It stands before every other
// transport, so that a command which only looks cannot write, whatever its code does.
type readOnly struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper. A request that could write is an error and is
// never sent.
func (t readOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		return nil, fmt.Errorf("internal error: %s %s in a command that only reads; it was not sent", r.Method, r.URL.Path)
	}
	return t.next.RoundTrip(r)
}
