package kube

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/kube/request"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/secrets"
)

var getOptions = metav1.GetOptions{}

// requestTimeout bounds one request with all its tries, but for lists of many pages
// and watches.
const requestTimeout = 2 * time.Minute

// Get implements apply.Reader.
func (c *Cluster) Get(ctx context.Context, ref plan.ObjectRef) (apply.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if metadataOnly(ref.Kind) {
		m, err := c.metadata.Resource(kinds[ref.Kind]).Namespace(ref.Namespace).Get(ctx, ref.Name, getOptions)
		if err != nil {
			return apply.Object{}, wrap(err, "get", ref)
		}
		return metaObject(ref, m), nil
	}
	if err := c.find(ctx, ref); err != nil {
		return apply.Object{}, err
	}
	u, err := c.resource(ref).Get(ctx, ref.Name, getOptions)
	if err != nil {
		return apply.Object{}, wrap(err, "get", ref)
	}
	return object(ref, u), nil
}

// Apply implements apply.Writer.
func (c *Cluster) Apply(ctx context.Context, o apply.Object, force bool) (apply.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	body, hidden := manifest(o)
	if o.UID != "" {
		body.SetUID(types.UID(o.UID))
	}
	body.SetResourceVersion(o.ResourceVersion)
	data, err := json.Marshal(body)
	if err != nil {
		return apply.Object{}, fmt.Errorf("%s: %w", o.ObjectRef, err)
	}
	ctx, warned := withWarnings(request.Repeatable(ctx))
	opts := metav1.PatchOptions{FieldManager: plan.ManagedBy, Force: &force}
	if metadataOnly(o.Kind) {
		m, err := c.metadata.Resource(kinds[o.Kind]).Namespace(o.Namespace).Patch(ctx, o.Name, types.ApplyPatchType, data, opts)
		if err != nil {
			return apply.Object{}, wrap(err, "apply", o.ObjectRef, hidden...)
		}
		return metaObject(o.ObjectRef, m), nil
	}
	if err := c.find(ctx, o.ObjectRef); err != nil {
		return apply.Object{}, err
	}
	u, err := c.resource(o.ObjectRef).Patch(ctx, o.Name, types.ApplyPatchType, data, opts)
	if err != nil {
		return apply.Object{}, wrap(err, "apply", o.ObjectRef, hidden...)
	}
	written := object(o.ObjectRef, u)
	written.Warnings = warned.all()
	return written, nil
}

// Annotate implements apply.Writer.
func (c *Cluster) Annotate(ctx context.Context, ref plan.ObjectRef, annotations map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	data, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": ref.UID, "annotations": annotations,
	}})
	if err != nil {
		return fmt.Errorf("%s: %w", ref, err)
	}
	if err := c.find(ctx, ref); err != nil {
		return err
	}
	_, err = c.resource(ref).Patch(request.Repeatable(ctx), ref.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: plan.ManagedBy})
	if err != nil {
		return wrap(err, "annotate", ref)
	}
	return nil
}

// Delete implements apply.Writer. Dependents go in the background.
func (c *Cluster) Delete(ctx context.Context, ref plan.ObjectRef) error {
	return c.remove(ctx, ref, "")
}

// DeleteUnchanged implements apply.Writer. Dependents go in the background.
func (c *Cluster) DeleteUnchanged(ctx context.Context, o apply.Object) error {
	return c.remove(ctx, o.ObjectRef, o.ResourceVersion)
}

// remove deletes an object of the reference's UID and of the version, where those are given.
func (c *Cluster) remove(ctx context.Context, ref plan.ObjectRef, version string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	background := metav1.DeletePropagationBackground
	opts := metav1.DeleteOptions{PropagationPolicy: &background}
	if ref.UID != "" {
		uid := types.UID(ref.UID)
		opts.Preconditions = &metav1.Preconditions{UID: &uid}
		ctx = request.Repeatable(ctx)
	}
	if version != "" && opts.Preconditions != nil {
		opts.Preconditions.ResourceVersion = &version
	}
	if err := c.find(ctx, ref); err != nil {
		return err
	}
	err := c.resource(ref).Delete(ctx, ref.Name, opts)
	if err == nil || classOf(err) == apply.ErrNotFound {
		return nil
	}
	return wrap(err, "delete", ref)
}

// manifest builds the object as sent, and lists the secrets in it.
func manifest(o apply.Object) (*unstructured.Unstructured, []secrets.Value) {
	if o.APIVersion != "" {
		return overlayManifest(o), nil
	}
	gvr := kinds[o.Kind]
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetAPIVersion(gvr.GroupVersion().String())
	u.SetKind(string(o.Kind))
	u.SetName(o.Name)
	u.SetNamespace(o.Namespace)
	if len(o.Labels) > 0 {
		u.SetLabels(o.Labels)
	}
	if len(o.Annotations) > 0 {
		u.SetAnnotations(o.Annotations)
	}
	var hidden []secrets.Value
	if len(o.Spec) > 0 {
		u.Object["spec"] = reveal(o.Spec, &hidden)
	}
	if o.Secret != nil {
		data := map[string]any{}
		for k, v := range o.Secret {
			hidden = append(hidden, v)
			data[k] = base64.StdEncoding.EncodeToString([]byte(v.Reveal()))
			hidden = append(hidden, secrets.New(data[k].(string)))
		}
		u.Object["data"] = data
	}
	if o.Type != "" {
		u.Object["type"] = o.Type
	}
	if o.Data != nil {
		data := map[string]any{}
		for k, v := range o.Data {
			data[k] = v
		}
		u.Object["data"] = data
	}
	return u, hidden
}

// reveal copies a spec, taking secrets out of their wrapping.
func reveal(spec map[string]any, hidden *[]secrets.Value) map[string]any {
	out := map[string]any{}
	for k, v := range spec {
		switch v := v.(type) {
		case secrets.Value:
			*hidden = append(*hidden, v)
			out[k] = v.Reveal()
		case map[string]any:
			out[k] = reveal(v, hidden)
		default:
			out[k] = v
		}
	}
	return out
}

// object turns what was read into data. Codes are wrapped before anything else
// sees them.
func object(ref plan.ObjectRef, u *unstructured.Unstructured) apply.Object {
	o := fromMeta(ref, u)
	if ref.APIVersion != "" {
		o.Content = u.Object
		return o
	}
	o.Spec, _, _ = unstructured.NestedMap(u.Object, "spec")
	o.Status, _, _ = unstructured.NestedMap(u.Object, "status")
	if ref.Kind == plan.ObjectGrant || ref.Kind == plan.ObjectToken {
		hideCode(o.Spec)
		hideCode(o.Status)
	}
	if ref.Kind == plan.ObjectNamespace { // its own finalizers are in its spec
		held, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "finalizers")
		o.Finalizers = append(o.Finalizers, held...)
	}
	if ref.Kind == plan.ObjectConfigMap {
		o.Data, _, _ = unstructured.NestedStringMap(u.Object, "data")
	}
	return o
}

func hideCode(m map[string]any) {
	if code, ok := m["code"].(string); ok {
		m["code"] = secrets.New(code)
	}
}

func metaObject(ref plan.ObjectRef, m *metav1.PartialObjectMetadata) apply.Object {
	return fromMeta(ref, m)
}

func fromMeta(ref plan.ObjectRef, m metav1.Object) apply.Object {
	ref.UID = string(m.GetUID())
	o := apply.Object{
		ObjectRef: ref, ResourceVersion: m.GetResourceVersion(), Generation: m.GetGeneration(),
		Labels: m.GetLabels(), Annotations: m.GetAnnotations(), Deleting: m.GetDeletionTimestamp() != nil,
		Finalizers: m.GetFinalizers(),
	}
	if owners := m.GetOwnerReferences(); len(owners) > 0 {
		o.OwnerUID = string(owners[0].UID)
	}
	return o
}
