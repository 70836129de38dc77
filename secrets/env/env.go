// Package env resolves secrets from environment variables.
package env

import (
	"context"
	"os"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/internal/source"
)

// Resolver reads variables through Lookup, which is os.LookupEnv when nil.
type Resolver struct {
	Lookup func(name string) (value string, set bool)
}

// Resolve implements secrets.Resolver. The value is taken as it is.
func (r Resolver) Resolve(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if err := source.Check(ctx, ref, secrets.SourceEnv); err != nil {
		return secrets.Value{}, err
	}
	lookup := r.Lookup
	if lookup == nil {
		lookup = os.LookupEnv
	}
	value, set := lookup(ref.Env)
	if !set {
		return secrets.Value{}, secrets.Unavailable(ref, "is not set", "set it for this run")
	}
	return source.Value(ref, value)
}
