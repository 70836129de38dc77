package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// writeStatus writes the status of an observed object, if it is new. It fails
// when the object has changed since: the next event brings the work back.
func (s *Standin) writeStatus(ctx context.Context, r schema.GroupVersionResource, u *unstructured.Unstructured, status any) error {
	_, err := s.writtenStatus(ctx, r, u, status)
	return err
}

// writtenStatus is writeStatus, and gives what the API server made of it; nil where there
// was nothing to write, or the object is gone.
func (s *Standin) writtenStatus(ctx context.Context, r schema.GroupVersionResource, u *unstructured.Unstructured, status any) (*unstructured.Unstructured, error) {
	want, err := encodeMap(status)
	if err != nil {
		return nil, err
	}
	have, _, _ := unstructured.NestedMap(u.Object, "status")
	if len(have) == 0 && len(want) == 0 || reflect.DeepEqual(have, want) {
		return nil, nil
	}
	updated, err := s.updateStatus(ctx, r, u, status)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("status of %s %s/%s: %w", r.Resource, u.GetNamespace(), u.GetName(), err)
	}
	return updated, nil
}

// updateStatus writes the status whether or not it is new, and gives the object as it is then.
func (s *Standin) updateStatus(ctx context.Context, r schema.GroupVersionResource, u *unstructured.Unstructured, status any) (*unstructured.Unstructured, error) {
	want, err := encodeMap(status)
	if err != nil {
		return nil, err
	}
	next := u.DeepCopy()
	next.Object["status"] = want
	return s.dyn.Resource(r).Namespace(u.GetNamespace()).UpdateStatus(ctx, next, metav1.UpdateOptions{})
}

// patchStatus writes the status of this very object even if it has changed
// since: what happened must be told, and cannot be done again.
func (s *Standin) patchStatus(ctx context.Context, r schema.GroupVersionResource, u *unstructured.Unstructured, status any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": u.GetUID()}, "status": status})
	if err != nil {
		return err
	}
	_, err = s.dyn.Resource(r).Namespace(u.GetNamespace()).
		Patch(ctx, u.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// create makes one of our objects and gives what the API server made of it.
func (s *Standin) create(ctx context.Context, r schema.GroupVersionResource, obj any, namespace string) (*unstructured.Unstructured, error) {
	u, err := encode(obj)
	if err != nil {
		return nil, err
	}
	unstructured.RemoveNestedField(u.Object, "status")
	return s.dyn.Resource(r).Namespace(namespace).Create(ctx, u, metav1.CreateOptions{})
}

// discard deletes an object of an earlier owner, if it is still that one.
func (s *Standin) discard(ctx context.Context, r schema.GroupVersionResource, u *unstructured.Unstructured) error {
	uid := u.GetUID()
	err := s.dyn.Resource(r).Namespace(u.GetNamespace()).Delete(ctx, u.GetName(),
		metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// foreignOwner tells whether an owner of this kind is named, yet with another
// UID: the object belonged to one that is gone.
func foreignOwner(owners []metav1.OwnerReference, want metav1.OwnerReference) bool {
	for _, o := range owners {
		if o.Kind == want.Kind && o.UID != want.UID {
			return true
		}
	}
	return false
}
