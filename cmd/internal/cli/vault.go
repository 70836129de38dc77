package cli

import (
	"context"
	"fmt"

	"fairlead.dev/fairlead/apply/kube"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/age"
	"fairlead.dev/fairlead/secrets/command"
	"fairlead.dev/fairlead/secrets/env"
	"fairlead.dev/fairlead/secrets/file"
	"fairlead.dev/fairlead/secrets/kubernetes"
	"fairlead.dev/fairlead/secrets/sops"
)

// vault resolves the references of one description. What it gives stays in memory.
type vault struct {
	resolver secrets.Mux
	digester secrets.Digester
}

// newVault has all six sources; paths start at dir. Secrets of clusters are read
// through those that are in the map by the time of asking.
func newVault(sys *System, dir string, clusters map[network.ClusterName]*kube.Cluster) *vault {
	lookup := func(name string) (string, bool) {
		value := sys.Getenv(name)
		return value, value != ""
	}
	var environ []string
	if sys.Environ != nil {
		environ = sys.Environ()
	}
	return &vault{resolver: secrets.Mux{
		secrets.SourceEnv:        env.Resolver{Lookup: lookup},
		secrets.SourceFile:       file.Resolver{Dir: dir},
		secrets.SourceAge:        age.Resolver{Dir: dir, Lookup: lookup},
		secrets.SourceSOPS:       sops.Resolver{Dir: dir, Env: environ},
		secrets.SourceCommand:    command.Resolver{Dir: dir, Env: environ},
		secrets.SourceKubernetes: kubernetes.Resolver{Getter: clusterSecrets(clusters)},
	}}
}

// resolve gives the value of a reference of the description.
func (v *vault) resolve(ctx context.Context, ref network.SecretRef) (secrets.Value, error) {
	return v.resolver.Resolve(ctx, toRef(ref))
}

func toRef(ref network.SecretRef) secrets.Ref {
	out := secrets.Ref{Env: ref.Env, File: ref.File, Command: ref.Command}
	if r := ref.Age; r != nil {
		out.Age = &secrets.AgeRef{File: r.File, Key: r.Key}
	}
	if r := ref.SOPS; r != nil {
		out.SOPS = &secrets.SOPSRef{File: r.File, Key: r.Key}
	}
	if r := ref.Kubernetes; r != nil {
		out.Kubernetes = &secrets.KubernetesRef{Cluster: string(r.Cluster), Namespace: r.Namespace, Name: r.Name, Key: r.Key}
	}
	return out
}

// clusterSecrets reads Secrets of the description's clusters.
type clusterSecrets map[network.ClusterName]*kube.Cluster

// SecretValue implements kubernetes.SecretGetter.
func (c clusterSecrets) SecretValue(ctx context.Context, cluster, namespace, name, key string) (secrets.Value, error) {
	client, ok := c[network.ClusterName(cluster)]
	if !ok {
		return secrets.Value{}, fmt.Errorf("cluster %s: %w", cluster, secrets.ErrUnavailable)
	}
	return client.SecretValue(ctx, namespace, name, key)
}
