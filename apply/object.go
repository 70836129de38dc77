// Package apply carries out a plan: in order, bounded, resumable, one failure
// staying one failure. It decides nothing about what should be; it reaches
// clusters only through the interfaces that it declares here.
package apply

import (
	"context"
	"errors"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/secrets"
)

// What a cluster may answer, for errors.Is. The text of an error never holds a
// secret.
var (
	// ErrNotFound means that the object, or its namespace, is not there.
	ErrNotFound = errors.New("not found")
	// ErrExists means that an object of that name is there already.
	ErrExists = errors.New("already exists")
	// ErrConflict means that the object is not as the write demanded.
	ErrConflict = errors.New("changed meanwhile")
	// ErrForbidden means that the API server refuses us.
	ErrForbidden = errors.New("forbidden")
	// ErrUnreachable means that the API server did not answer.
	ErrUnreachable = errors.New("unreachable")
	// ErrTimeout means that something was not ready in time.
	ErrTimeout = errors.New("timed out")
	// ErrAltered means that something was written, and the API server keeps something else:
	// its admission changed it.
	ErrAltered = errors.New("altered by cluster")
	// ErrStale means that an object is neither as planned nor as desired.
	ErrStale = errors.New("changed since it was planned")
)

// Refused is the answer of an API server that did not carry out a write and would not do so
// the next time: the object is not valid, or may not be written. It is found by errors.As.
type Refused struct {
	Ref plan.ObjectRef
	// Reason is in the server's words; they hold no secret that was sent, but may repeat
	// other values of the object.
	Reason string
}

func (r *Refused) Error() string { return r.Reason }

// Object is a Kubernetes object as data. Secret content (AccessGrant and
// AccessToken codes) is held as secrets.Value inside Spec and Status; what a Secret
// holds is never part of an Object that was read.
type Object struct {
	plan.ObjectRef
	ResourceVersion string
	Generation      int64
	Labels          map[string]string
	Annotations     map[string]string
	// OwnerUID is the UID of the first owner reference.
	OwnerUID string
	// Deleting is true when a deletion timestamp is set: the object is there as long as
	// Finalizers hold it, and nothing that is written to it stays.
	Deleting   bool
	Finalizers []string
	Spec       map[string]any
	Status     map[string]any
	// Data is a ConfigMap's.
	Data map[string]string
	// Secret is the content of a Secret to write, Type its type. Neither is ever read:
	// see Reader.SecretData.
	Secret map[string]secrets.Value
	Type   string
	// Content is the whole manifest of an overlay's object, whose reference has an
	// APIVersion; Spec, Status and Data are then not used.
	Content map[string]any
	// Warnings are what the API server said beside its answer to a write.
	Warnings []string
}

// Reader reads single objects of one cluster.
type Reader interface {
	// Get returns the object, or ErrNotFound.
	Get(ctx context.Context, ref plan.ObjectRef) (Object, error)
	// Wait calls until with the object now and after every change, and returns when
	// it says done or gives an error, or when ctx ends. It watches and does not poll.
	Wait(ctx context.Context, ref plan.ObjectRef, until func(Object, bool) (done bool, err error)) error
	// SecretData returns the content of a Secret, or ErrNotFound.
	SecretData(ctx context.Context, ref plan.ObjectRef) (map[string]secrets.Value, error)
}

// Writer changes single objects of one cluster.
type Writer interface {
	// Create makes the object; ErrExists when the name is taken.
	Create(ctx context.Context, o Object) (Object, error)
	// Apply is a server-side apply of what o holds. A UID or ResourceVersion in o is
	// a condition (ErrConflict). Without force, fields that others own are too.
	Apply(ctx context.Context, o Object, force bool) (Object, error)
	// Annotate sets annotations of the object that has the reference's UID. What is
	// applied to the object later leaves them as they are, unless it sets them itself.
	Annotate(ctx context.Context, ref plan.ObjectRef, annotations map[string]string) error
	// Delete removes the object if it has the reference's UID (any, when that is
	// empty). An object that is gone already is no error.
	Delete(ctx context.Context, ref plan.ObjectRef) error
	// SameMeaning reports whether an API server may keep what was sent at a path of
	// field.Flatten in the other form without meaning anything else: another writing of a
	// quantity or duration, a default that it leaves out, a list to which others added.
	SameMeaning(path string, sent, kept any) bool
	// DeleteUnchanged removes the object if it is the version that was read, and gives
	// ErrConflict when it is not. One that is gone already is no error.
	DeleteUnchanged(ctx context.Context, o Object) error
}

// Cluster is what apply needs of one cluster.
type Cluster interface {
	Reader
	Writer
}
