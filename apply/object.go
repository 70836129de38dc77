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
	// ErrStale means that an object is neither as planned nor as desired.
	ErrStale = errors.New("changed since it was planned")
)

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
	Deleting bool
	Spec     map[string]any
	Status   map[string]any
	// Data is a ConfigMap's.
	Data map[string]string
	// Secret is the content of a Secret to write, Type its type. Neither is ever read:
	// see Reader.SecretData.
	Secret map[string]secrets.Value
	Type   string
	// Content is the whole manifest of an overlay's object, whose reference has an
	// APIVersion; Spec, Status and Data are then not used.
	Content map[string]any
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
	// Delete removes the object if it has the reference's UID (any, when that is
	// empty). An object that is gone already is no error.
	Delete(ctx context.Context, ref plan.ObjectRef) error
}

// Cluster is what apply needs of one cluster.
type Cluster interface {
	Reader
	Writer
}
