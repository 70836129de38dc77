package kube

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/secrets"
)

// SecretValue reads one key of a Secret. The error matches secrets.ErrUnavailable
// (no answer, or no such Secret), secrets.ErrDenied or secrets.ErrInvalid (no such
// key), and holds nothing of the Secret's content.
func (c *Cluster) SecretValue(ctx context.Context, namespace, name, key string) (secrets.Value, error) {
	ref := plan.ObjectRef{Cluster: c.name, Kind: plan.ObjectSecret, Namespace: namespace, Name: name}
	asked := secrets.Ref{Kubernetes: &secrets.KubernetesRef{Cluster: string(c.name), Namespace: namespace, Name: name, Key: key}}
	data, err := c.SecretData(ctx, ref)
	switch {
	case errors.Is(err, apply.ErrForbidden):
		return secrets.Value{}, Unanswered(*asked.Kubernetes, apply.ErrForbidden)
	case errors.Is(err, apply.ErrNotFound):
		return secrets.Value{}, secrets.Unavailable(asked, "is not there", "create the Secret, or correct the reference")
	case err != nil:
		return secrets.Value{}, Unanswered(*asked.Kubernetes, apply.ErrUnreachable)
	}
	value, ok := data[key]
	if !ok {
		return secrets.Value{}, secrets.Invalid(asked, "has no such key", "correct the key")
	}
	return value, nil
}

// Unanswered is the error about a key of a Secret that the cluster did not give,
// which is no fault of the reference. The class is apply.ErrForbidden or
// apply.ErrUnreachable; it matches that, and secrets.ErrDenied or
// secrets.ErrUnavailable.
func Unanswered(ref secrets.KubernetesRef, class error) error {
	out := &secrets.Error{
		Ref:    secrets.Ref{Kubernetes: &ref},
		Kind:   fmt.Errorf("%w: %w", secrets.ErrUnavailable, class),
		Detail: fmt.Sprintf("cannot be read, as cluster %s does not answer", ref.Cluster),
		Fix:    "try again when it does",
	}
	if errors.Is(class, apply.ErrForbidden) {
		out.Kind = fmt.Errorf("%w: %w", secrets.ErrDenied, class)
		out.Detail, out.Fix = "may not be read", "give this run the right to get the Secret"
	}
	return out
}

// SecretData implements apply.Reader. The content of Secrets is otherwise looked at
// only in those of proxies, see proxyView.
func (c *Cluster) SecretData(ctx context.Context, ref plan.ObjectRef) (map[string]secrets.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	u, err := c.resource(ref).Get(ctx, ref.Name, getOptions)
	if err != nil {
		return nil, wrap(err, "get", ref)
	}
	return secretData(u), nil
}

// secretData wraps the values of a Secret. One that is not base64, which no API
// server gives, is left out.
func secretData(u *unstructured.Unstructured) map[string]secrets.Value {
	raw, _, _ := unstructured.NestedStringMap(u.Object, "data")
	out := make(map[string]secrets.Value, len(raw))
	for key, text := range raw {
		if value, err := base64.StdEncoding.DecodeString(text); err == nil {
			out[key] = secrets.New(string(value))
		}
	}
	return out
}
