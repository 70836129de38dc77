package secrets

import (
	"context"
	"errors"
)

var (
	// ErrUnavailable: the source cannot be reached from here. A variable is not
	// set, a file or program is absent, a cluster does not answer.
	ErrUnavailable = errors.New("secret source unavailable")
	// ErrDenied: the source was reached and does not let this run read the secret.
	ErrDenied = errors.New("secret access denied")
	// ErrInvalid: the source was reached and holds no usable secret there, or the
	// reference itself is wrong.
	ErrInvalid = errors.New("secret invalid")
	// ErrProgram: a program would have to run to give the secret, and none may.
	ErrProgram = errors.New("program may not run")
)

// Error is why a reference gave no secret. Its text is safe to show: whoever makes
// one puts no content of a source into it, nor what a program printed.
type Error struct {
	// Ref is what was asked for.
	Ref Ref
	// Kind is ErrUnavailable, ErrDenied, ErrInvalid, ErrProgram, or the error of a context that
	// ended. errors.Is finds it.
	Kind error
	// Detail says what is wrong, in lower case, without naming the place again.
	Detail string
	// Fix says what to do next; it may be empty.
	Fix string
}

// Error gives the place, what is wrong and what to do.
func (e *Error) Error() string {
	text := e.Ref.String() + ": " + e.Detail
	if e.Fix != "" {
		text += "; " + e.Fix
	}
	return text
}

// Unwrap gives the kind.
func (e *Error) Unwrap() error { return e.Kind }

// Unavailable makes an *Error of that kind; detail and fix as in Error.
func Unavailable(ref Ref, detail, fix string) error {
	return &Error{Ref: ref, Kind: ErrUnavailable, Detail: detail, Fix: fix}
}

// Denied makes an *Error of that kind; detail and fix as in Error.
func Denied(ref Ref, detail, fix string) error {
	return &Error{Ref: ref, Kind: ErrDenied, Detail: detail, Fix: fix}
}

// Invalid makes an *Error of that kind; detail and fix as in Error.
func Invalid(ref Ref, detail, fix string) error {
	return &Error{Ref: ref, Kind: ErrInvalid, Detail: detail, Fix: fix}
}

// Sanitized makes any error about ref safe to show: an *Error stays as it is, of
// any other only the kind is kept, as its text may hold what the source said. An
// error without a kind counts as ErrUnavailable. nil stays nil.
func Sanitized(ref Ref, err error) error {
	var safe *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &safe):
		return safe
	case errors.Is(err, context.Canceled):
		return ended(ref, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		return ended(ref, context.DeadlineExceeded)
	case errors.Is(err, ErrDenied):
		return Denied(ref, "may not be read from here", "check the rights of this run")
	case errors.Is(err, ErrInvalid):
		return Invalid(ref, "holds no usable secret", "check the reference and its source")
	}
	return Unavailable(ref, "cannot be reached", "check that its source is reachable from here")
}

// Ended gives nil while ctx goes on, and then an *Error about ref whose kind is
// the context's error.
func Ended(ctx context.Context, ref Ref) error {
	if err := ctx.Err(); err != nil {
		return ended(ref, err)
	}
	return nil
}

func ended(ref Ref, kind error) error {
	if errors.Is(kind, context.DeadlineExceeded) {
		return &Error{Ref: ref, Kind: kind, Detail: "took too long to read", Fix: "raise --timeout, or make its source answer sooner"}
	}
	return &Error{Ref: ref, Kind: kind, Detail: "reading it was interrupted"}
}
