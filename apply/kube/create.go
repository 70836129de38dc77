package kube

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/kube/request"
	"fairlead.dev/fairlead/plan"
)

// creations is how often an object is sent, each time after a look showed that the
// last sending made nothing.
const creations = 3

// Create implements apply.Writer. A creation cannot just be repeated when its answer is
// lost: the second one would meet the first one's object, or make another after someone
// deleted that. So each call marks its object with a random text, looks what is there,
// and takes an object with its own mark for created, whichever sending made it.
func (c *Cluster) Create(ctx context.Context, o apply.Object) (apply.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	body, hidden := manifest(o)
	mark := markRequest(body)
	backoff := newBackoff()
	for n := 1; ; n++ {
		u, err := c.resource(o.ObjectRef).Create(ctx, body, metav1.CreateOptions{FieldManager: plan.ManagedBy})
		if err == nil {
			return object(o.ObjectRef, u), nil
		}
		failed := wrap(err, "create", o.ObjectRef, hidden...)
		if !isLost(err) && !apierrors.IsAlreadyExists(err) {
			return apply.Object{}, failed
		}
		found, err := c.Get(ctx, o.ObjectRef)
		switch {
		case err == nil && found.Annotations[plan.AnnotationRequest] == mark:
			return found, nil
		case err == nil:
			return apply.Object{}, wrap(apierrors.NewAlreadyExists(c.resourceOf(o.ObjectRef).GroupResource(), o.Name), "create", o.ObjectRef)
		case !errors.Is(err, apply.ErrNotFound) || n == creations || apply.Pause(ctx, backoff.Step()) != nil:
			return apply.Object{}, failed
		}
	}
}

// markRequest gives an object a random annotation.
func markRequest(u *unstructured.Unstructured) string {
	mark := strings.ToLower(rand.Text())
	annotations := u.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[plan.AnnotationRequest] = mark
	u.SetAnnotations(annotations)
	return mark
}

// isLost reports whether a request may have been carried out although it failed: the
// answer did not come, or is an error of the server's own.
func isLost(err error) bool {
	var unsent request.NotSent
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &unsent) {
		return false
	}
	var status apierrors.APIStatus
	return !errors.As(err, &status) || status.Status().Code >= 500
}
