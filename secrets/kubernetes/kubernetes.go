// Package kubernetes resolves secrets from Kubernetes Secrets, through whoever
// talks to the clusters.
package kubernetes

import (
	"context"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/internal/source"
)

// SecretGetter reads one key of the Secret namespace/name in a cluster. It may be
// used from several goroutines. Its errors match secrets.ErrUnavailable (the
// cluster does not answer, or there is no such Secret), secrets.ErrDenied (no
// right to read it) or secrets.ErrInvalid (no such key). Text of an error is shown
// only when it is a *secrets.Error.
type SecretGetter interface {
	SecretValue(ctx context.Context, cluster, namespace, name, key string) (secrets.Value, error)
}

// Resolver reads Secrets through Getter.
type Resolver struct{ Getter SecretGetter }

// Resolve implements secrets.Resolver. The value is taken as it is.
func (r Resolver) Resolve(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if err := source.Check(ctx, ref, secrets.SourceKubernetes); err != nil {
		return secrets.Value{}, err
	}
	k := ref.Kubernetes
	value, err := r.Getter.SecretValue(ctx, k.Cluster, k.Namespace, k.Name, k.Key)
	if err != nil {
		return secrets.Value{}, secrets.Sanitized(ref, err)
	}
	return source.Value(ref, value.Reveal())
}
