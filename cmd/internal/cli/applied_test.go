package cli

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
)

// The exit code of an apply, by how its actions ended.
func TestCodeOf(t *testing.T) {
	t.Parallel()
	other := errors.New("no luck")
	failed := func(err error) apply.Outcome {
		return apply.Outcome{State: apply.Failed, Err: fmt.Errorf("site: %w", err)}
	}
	altered := apply.Outcome{State: apply.Altered, Err: fmt.Errorf("%w a: x", apply.ErrAltered)}
	done, blocked, untouched := apply.Outcome{State: apply.Done}, apply.Outcome{State: apply.Blocked}, apply.Outcome{State: apply.Untouched}
	for _, tt := range []struct {
		name     string
		outcomes []apply.Outcome
		leftOut  bool
		want     int
	}{
		{"nothing to do", nil, false, exitOK},
		{"nothing to do, a cluster left out", nil, true, exitPartial},
		{"all done", []apply.Outcome{done, done}, false, exitOK},
		{"all done, a cluster left out", []apply.Outcome{done, done}, true, exitPartial},
		{"one stale", []apply.Outcome{done, failed(apply.ErrStale)}, false, exitStale},
		{"one stale, others blocked by it", []apply.Outcome{failed(apply.ErrStale), blocked}, false, exitStale},
		{"one timed out", []apply.Outcome{done, failed(apply.ErrTimeout), failed(apply.ErrTimeout)}, false, exitTimeout},
		{"one without a class", []apply.Outcome{done, failed(other)}, false, exitPartial},
		{"a class and none", []apply.Outcome{failed(apply.ErrTimeout), failed(other)}, false, exitPartial},
		{"one altered", []apply.Outcome{done, altered}, false, exitPartial},
		{"one altered, one timed out", []apply.Outcome{altered, failed(apply.ErrTimeout)}, false, exitPartial},
		{"two classes", []apply.Outcome{failed(apply.ErrTimeout), failed(apply.ErrStale)}, false, exitPartial},
		{"two classes of one code", []apply.Outcome{failed(apply.ErrForbidden), failed(apply.ErrUnreachable)}, false, exitUnreachable},
		{"a class, a cluster left out", []apply.Outcome{failed(apply.ErrUnreachable)}, true, exitPartial},
		{"two classes and a third time the first", []apply.Outcome{failed(apply.ErrTimeout), failed(apply.ErrStale), failed(apply.ErrTimeout)}, false, exitPartial},
		{"interrupted before anything", []apply.Outcome{untouched, untouched}, false, exitPartial},
		{"a circle", []apply.Outcome{done, blocked}, false, exitPartial},
	} {
		if got := codeOf(apply.Report{Outcomes: tt.outcomes}, tt.leftOut); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// A signal's code goes before any other, but not before success.
func TestCodeOfError(t *testing.T) {
	t.Parallel()
	stopped, cancel := context.WithCancelCause(t.Context())
	cancel(interrupted{syscall.SIGTERM})
	for _, tt := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{t.Context(), nil, exitOK}, {t.Context(), quit(exitStale), exitStale}, {t.Context(), errors.New("x"), exitError},
		{stopped, quit(exitPartial), 143}, {stopped, errors.New("x"), 143}, {stopped, nil, exitOK},
	} {
		if got := codeOfError(tt.ctx, tt.err); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.err, got, tt.want)
		}
	}
}

// What planExit makes of clusters that could not be read, with --allow-partial.
func TestAccepted(t *testing.T) {
	t.Parallel()
	ok, down := plan.Cluster{Name: "a", State: plan.StateOK}, plan.Cluster{Name: "b", State: plan.StateUnreachable}
	refused := []plan.Refusal{{}}
	for _, tt := range []struct {
		name     string
		partial  bool
		clusters []plan.Cluster
		refusals []plan.Refusal
		want     int
	}{
		{"all read", false, []plan.Cluster{ok}, nil, exitOK},
		{"one down", false, []plan.Cluster{ok, down}, nil, exitUnreachable},
		{"one down, allowed", true, []plan.Cluster{ok, down}, nil, exitOK},
		{"all down, allowed", true, []plan.Cluster{down, down}, nil, exitUnreachable},
		{"one down, allowed, and a refusal", true, []plan.Cluster{ok, down}, refused, exitRefused},
	} {
		o := partialFlag{tt.partial}
		code := codeOfError(t.Context(), planExit(o.accepted(plan.Plan{Clusters: tt.clusters, Refusals: tt.refusals}), false))
		if code != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, code, tt.want)
		}
	}
}
