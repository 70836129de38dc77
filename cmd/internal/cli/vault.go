package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/kube"
	"fairlead.dev/fairlead/cmd/internal/judge"
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
	// failed says why the credentials of a proxy could not be told. They are not asked
	// for again.
	failed map[network.ProxyName]error
}

// newVault has all six sources, for a description that was judged; paths start at its
// directory. Secrets of clusters are read through those that are in the map by the time
// of asking.
func newVault(sys *System, judged judge.Passed[description], clusters map[network.ClusterName]*kube.Cluster) *vault {
	dir := judged.Description().dir
	lookup := func(name string) (string, bool) {
		value := sys.Getenv(name)
		return value, value != ""
	}
	var environ []string
	if sys.Environ != nil {
		environ = sys.Environ()
	}
	return &vault{failed: map[network.ProxyName]error{}, resolver: secrets.Mux{
		secrets.SourceEnv:        env.Resolver{Lookup: lookup},
		secrets.SourceFile:       file.Resolver{Dir: dir},
		secrets.SourceAge:        age.Resolver{Dir: dir, Lookup: lookup},
		secrets.SourceSOPS:       sops.Resolver{Dir: dir, Env: environ},
		secrets.SourceCommand:    command.Resolver{Dir: dir, Env: environ},
		secrets.SourceKubernetes: kubernetes.Resolver{Getter: clusterSecrets(clusters)},
	}}
}

// refusePrograms lets the sources that run a program give nothing.
func (v *vault) refusePrograms() {
	v.resolver[secrets.SourceSOPS], v.resolver[secrets.SourceCommand] = refusedProgram{}, refusedProgram{}
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

// compare fills in the digests of the session's proxies, for the plan to compare
// with those on the clusters. What cannot be resolved here stays unknown.
func (v *vault) compare(ctx context.Context, limit time.Duration, s session) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	source := proxies{v, s.Network.Proxies}
	for i := range s.desired.Proxies {
		p := &s.desired.Proxies[i]
		found, err := source.Credentials(ctx, p.Name)
		if err != nil {
			p.Unknown, v.failed[p.Name] = err.Error(), err
			continue
		}
		p.Digest, p.Unknown = found.Sum(&v.digester), ""
	}
}

// proxies resolves what the description's proxies want.
type proxies struct {
	*vault
	list []network.Proxy
}

// Credentials implements apply.Proxies.
func (p proxies) Credentials(ctx context.Context, name network.ProxyName) (apply.Credentials, error) {
	var out apply.Credentials
	if err := p.failed[name]; err != nil {
		return out, err
	}
	i := slices.IndexFunc(p.list, func(d network.Proxy) bool { return d.Name == name })
	if i < 0 {
		return out, fmt.Errorf("proxy %s is not described", name)
	}
	for _, part := range []struct {
		ref  *network.SecretRef
		into *secrets.Value
	}{{p.list[i].Username, &out.Username}, {p.list[i].Password, &out.Password}} {
		if part.ref == nil {
			continue
		}
		value, err := p.resolve(ctx, *part.ref)
		if err != nil {
			return apply.Credentials{}, err
		}
		*part.into = value
	}
	return out, nil
}

// clusterSecrets reads Secrets of the description's clusters.
type clusterSecrets map[network.ClusterName]*kube.Cluster

// SecretValue implements kubernetes.SecretGetter.
func (c clusterSecrets) SecretValue(ctx context.Context, cluster, namespace, name, key string) (secrets.Value, error) {
	client, ok := c[network.ClusterName(cluster)]
	if !ok {
		return secrets.Value{}, kube.Unanswered(secrets.KubernetesRef{Cluster: cluster, Namespace: namespace, Name: name, Key: key}, apply.ErrUnreachable)
	}
	return client.SecretValue(ctx, namespace, name, key)
}

// What --programs and FAIRLEAD_PROGRAMS take.
const (
	programsAllow  = "allow"
	programsRefuse = "refuse"
	programsEnv    = "FAIRLEAD_PROGRAMS"
)

// programsRefused reads the flag, or the variable, of a name.
func programsRefused(name, value string) (bool, error) {
	return value == programsRefuse, oneOf(name, cmp.Or(value, programsAllow), programsAllow, programsRefuse)
}

// refusedProgram stands for the sources that run a program where none may run.
type refusedProgram struct{}

// Resolve implements secrets.Resolver.
func (refusedProgram) Resolve(_ context.Context, ref secrets.Ref) (secrets.Value, error) {
	return secrets.Value{}, &secrets.Error{
		Ref: ref, Kind: secrets.ErrProgram, Detail: "takes a program, and none that the description names may run here",
		Fix: "read it where --programs and " + programsEnv + " allow programs, or use another source, such as env or file",
	}
}

// programRefused reports whether something is missing because its program may not run.
func programRefused(err error) bool { return errors.Is(err, secrets.ErrProgram) }
