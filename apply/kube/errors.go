package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/secrets"
)

// apiError is what a cluster answered, with its class for errors.Is and a text
// that names the object once and holds no secret.
type apiError struct {
	text  string
	class error
	cause error
}

func (e *apiError) Error() string { return e.text }

func (e *apiError) Unwrap() []error { return []error{e.class, e.cause} }

// wrap turns an error of client-go about ref into ours. The values of hidden are
// struck from its text, as a server may repeat what it refuses. The original is
// kept for errors.Is only when its text is clean.
func wrap(err error, doing string, ref plan.ObjectRef, hidden ...secrets.Value) error {
	if err == nil {
		return nil
	}
	text := strings.TrimSpace(err.Error())
	clean := true
	for _, h := range hidden {
		if s := h.Reveal(); s != "" && strings.Contains(text, s) {
			text, clean = strings.ReplaceAll(text, s, secrets.Mask), false
		}
	}
	out := &apiError{text: fmt.Sprintf("%s: %s: %s", ref, doing, text), class: classOf(err), cause: err}
	if !clean {
		out.cause = errors.New(text)
	}
	return out
}

// classOf sorts an error into the classes that apply knows.
func classOf(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return apply.ErrUnreachable
	case apierrors.IsNotFound(err):
		return apply.ErrNotFound
	case apierrors.IsAlreadyExists(err):
		return apply.ErrExists
	case apierrors.IsConflict(err):
		return apply.ErrConflict
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return apply.ErrForbidden
	case apierrors.ReasonForError(err) == "": // not an answer of an API server
		return apply.ErrUnreachable
	case apierrors.IsTooManyRequests(err), apierrors.IsServiceUnavailable(err), apierrors.IsTimeout(err), apierrors.IsServerTimeout(err):
		return apply.ErrUnreachable // it answers, but serves nobody
	}
	return errOther
}

var errOther = errors.New("refused by the API server")
