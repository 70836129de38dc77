package kube

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/kube/request"
	"fairlead.dev/fairlead/plan"
)

// errAgain means that the watch ended without an answer and the object has to be
// listed anew.
var errAgain = errors.New("watch ended")

// Wait implements apply.Reader with one list and one watch of the single object.
// A watch that the server ends, or that breaks, is followed by another; after five
// failures in a row, with growing pauses, the error is returned, and at once when the
// server took the request and never answered.
func (c *Cluster) Wait(ctx context.Context, ref plan.ObjectRef, until func(apply.Object, bool) (bool, error)) error {
	backoff := newBackoff()
	for {
		start := time.Now()
		err := c.waitOnce(ctx, ref, until)
		if time.Since(start) > time.Second {
			backoff = newBackoff()
		}
		switch {
		case err == nil || ctx.Err() != nil:
			return contextError(ctx, err)
		case errors.Is(err, errAgain):
			backoff.Steps = max(backoff.Steps, 1) // an ended watch is no failure, but a pause
		case !errors.Is(err, apply.ErrUnreachable) || errors.Is(err, request.ErrSilent) || backoff.Steps == 0:
			return err
		}
		if apply.Pause(ctx, backoff.Step()) != nil {
			return ctx.Err()
		}
	}
}

func newBackoff() wait.Backoff {
	return wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 5}
}

// contextError prefers the context's own error, as the client's names only a URL.
func contextError(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// waitOnce lists the object and watches from there; nil when until said done.
func (c *Cluster) waitOnce(ctx context.Context, ref plan.ObjectRef, until func(apply.Object, bool) (bool, error)) error {
	only := fields.OneTermEqualSelector("metadata.name", ref.Name).String()
	list, err := c.resource(ref).List(ctx, metav1.ListOptions{FieldSelector: only})
	if err != nil {
		return wrap(err, "list", ref)
	}
	now, exists := apply.Object{}, len(list.Items) > 0
	if exists {
		now = object(ref, &list.Items[0])
	}
	if done, err := until(now, exists); done || err != nil {
		return err
	}
	w, err := c.resource(ref).Watch(ctx, metav1.ListOptions{
		FieldSelector: only, ResourceVersion: list.GetResourceVersion(), AllowWatchBookmarks: true,
	})
	if err != nil {
		return wrap(err, "watch", ref)
	}
	defer w.Stop()
	return follow(ctx, ref, w, until)
}

func follow(ctx context.Context, ref plan.ObjectRef, w watch.Interface, until func(apply.Object, bool) (bool, error)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, open := <-w.ResultChan():
			if !open || e.Type == watch.Error {
				return errAgain
			}
			u, ok := e.Object.(*unstructured.Unstructured)
			if !ok || e.Type == watch.Bookmark {
				continue
			}
			if done, err := until(object(ref, u), e.Type != watch.Deleted); done || err != nil {
				return err
			}
		}
	}
}
