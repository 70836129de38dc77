// Package command resolves secrets from what a program prints, for example the
// command line of a password manager.
package command

import (
	"context"
	"errors"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/internal/source"
	"fairlead.dev/fairlead/secrets/program"
)

// Resolver runs programs, without a shell, a terminal or any input. Use the
// context for a time limit.
type Resolver struct {
	// Dir is where they run, and where a program named with a relative path is: the
	// description's directory; "" is the current one.
	Dir string
	// Env is their environment, as key=value; nil is this process's own.
	Env []string
}

// Resolve implements secrets.Resolver. The secret is the standard output, without
// one trailing line break. A program that ends with a status other than 0 is
// ErrDenied, and what it printed appears nowhere.
func (r Resolver) Resolve(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if err := source.Check(ctx, ref, secrets.SourceCommand); err != nil {
		return secrets.Value{}, err
	}
	out, err := program.Output(ctx, ref, program.Call{
		Argv: ref.Command, Dir: r.Dir, Env: r.Env, Limit: secrets.MaxSize + len("\r\n"),
	})
	var exit program.ExitError
	if errors.As(err, &exit) {
		return secrets.Value{}, secrets.Denied(ref, exit.Error(), "run it by hand to see why; what it prints is not shown here")
	}
	if err != nil {
		return secrets.Value{}, err
	}
	return source.Line(ref, string(out))
}
