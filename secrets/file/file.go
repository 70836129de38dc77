// Package file resolves secrets from files that hold them in the clear, such as
// those that a pipeline or a cluster mounts.
package file

import (
	"context"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/internal/source"
)

// Resolver reads files. Relative paths start at Dir, the description's directory;
// "" is the current one.
type Resolver struct{ Dir string }

// Resolve implements secrets.Resolver. One trailing line break is cut off.
func (r Resolver) Resolve(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if err := source.Check(ctx, ref, secrets.SourceFile); err != nil {
		return secrets.Value{}, err
	}
	content, err := source.ReadFile(ref, source.Path(r.Dir, ref.File), secrets.MaxSize+len("\r\n"))
	if err != nil {
		return secrets.Value{}, err
	}
	return source.Line(ref, string(content))
}
