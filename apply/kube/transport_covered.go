package kube

import (
	"fmt"
	"net/http"
)

// covered stands around a finished client: a request returns when its context ends, also
// where something between it and the network hangs and knows no context. What hangs is left
// behind, in a goroutine that ends with it, and its answer is dropped.
type covered struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t covered) RoundTrip(r *http.Request) (*http.Response, error) {
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
func (t covered) ask(r *http.Request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{err: fmt.Errorf("internal error: a panic of type %T", p)}
		}
	}()
	a.resp, a.err = t.next.RoundTrip(r)
	return a
}
