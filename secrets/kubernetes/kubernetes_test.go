package kubernetes_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/kubernetes"
	"fairlead.dev/fairlead/secrets/secretstest"
)

var ref = secrets.Ref{Kubernetes: &secrets.KubernetesRef{Cluster: "hub", Namespace: "retail", Name: "proxy", Key: "password"}}

func TestConformance(t *testing.T) {
	secretstest.Run(t, secretstest.Harness{
		Store: func(_ *testing.T, _, content string) (secrets.Resolver, secrets.Ref) {
			return kubernetes.Resolver{Getter: getter{"hub/retail/proxy/password": secrets.New(content)}}, ref
		},
		Missing: failing(secrets.ErrUnavailable),
		Failures: []secretstest.Failure{
			{Name: "no rights", Want: secrets.ErrDenied, Make: failing(secrets.ErrDenied)},
			{Name: "no such key", Want: secrets.ErrInvalid, Make: failing(secrets.ErrInvalid)},
			{Name: "of no kind", Want: secrets.ErrUnavailable, Make: failing(errors.New("odd"))},
			{Name: "timed out", Want: context.DeadlineExceeded, Make: failing(context.DeadlineExceeded)},
			{Name: "no key in the reference", Want: secrets.ErrInvalid, Make: func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
				return kubernetes.Resolver{Getter: getter{}}, secrets.Ref{Kubernetes: &secrets.KubernetesRef{Cluster: "hub", Namespace: "n", Name: "x"}}
			}},
		},
	})
}

func TestGettersOwnText(t *testing.T) {
	t.Parallel()
	own := secrets.Unavailable(ref, "cluster does not answer", "check its context")
	_, err := kubernetes.Resolver{Getter: broken{fmt.Errorf("get: %w", own)}}.Resolve(t.Context(), ref)
	if err == nil || err.Error() != own.Error() {
		t.Errorf("got %v, want %v", err, own)
	}
}

func failing(kind error) func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
	return func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
		return kubernetes.Resolver{Getter: broken{fmt.Errorf("cannot decode %q: %w", secretstest.Canary, kind)}}, ref
	}
}

type getter map[string]secrets.Value

func (g getter) SecretValue(ctx context.Context, cluster, namespace, name, key string) (secrets.Value, error) {
	value, ok := g[cluster+"/"+namespace+"/"+name+"/"+key]
	if !ok {
		return secrets.Value{}, secrets.ErrUnavailable
	}
	return value, ctx.Err()
}

type broken struct{ err error }

func (b broken) SecretValue(context.Context, string, string, string, string) (secrets.Value, error) {
	return secrets.Value{}, b.err
}
