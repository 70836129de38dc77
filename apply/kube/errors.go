package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
	// refused is set where a write was surely not carried out and never will be.
	refused *apply.Refused
}

func (e *apiError) Error() string { return e.text }

func (e *apiError) Unwrap() []error {
	if e.refused != nil {
		return []error{e.class, e.cause, e.refused}
	}
	return []error{e.class, e.cause}
}

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
	if namespaceGoes(err) {
		out.text = fmt.Sprintf("%s: %s: namespace %s is being deleted, and nothing can be made in it; apply again when it is gone", ref, doing, ref.Namespace)
	} else if doing != "get" && refusesWrite(err) {
		out.refused = &apply.Refused{Ref: ref, Reason: text}
	}
	if !clean {
		out.cause = errors.New(text)
	}
	return out
}

// namespaceGoes reports whether an API server made nothing because the namespace is being
// deleted (Kubernetes API: v1.NamespaceTerminatingCause). That passes, and is no refusal.
func namespaceGoes(err error) bool { return apierrors.HasStatusCause(err, "NamespaceTerminating") }

// refusesWrite reports whether an API server says of a write that it is not valid, or may
// not be done. Conflicts and names that are there or missing are not among that: they pass.
func refusesWrite(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	switch status.Status().Code {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
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
	case namespaceGoes(err):
		return apply.ErrStale
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
