// Package sops resolves secrets from files encrypted with SOPS, by running the
// user's own sops program: all its key services work, with the keys and settings
// that the user gave it.
package sops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/internal/source"
	"fairlead.dev/fairlead/secrets/program"
)

// Resolver decrypts files with a sops program of version 3. The decrypted document
// exists only in memory.
type Resolver struct {
	// Dir is where relative paths start: the description's directory; "" is the
	// current one.
	Dir string
	// Program is the sops program; "" is sops, looked up in PATH.
	Program string
	// Env is its environment, as key=value; nil is this process's own.
	Env []string
}

// Exit statuses of sops that tell what is wrong, the same in all of version 3.
const (
	anyError          = 1 // among others, a file without the metadata of sops
	unreadableInput   = 2
	macUndecryptable  = 24
	treeUndecryptable = 25
	macMismatch       = 51
	macNotFound       = 52
	noKey             = 111
	keyNotRetrieved   = 128
)

// Resolve implements secrets.Resolver. With a key the secret is the text at that
// key, as it is; without one it is the whole decrypted file, as it is.
func (r Resolver) Resolve(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if err := source.Check(ctx, ref, secrets.SourceSOPS); err != nil {
		return secrets.Value{}, err
	}
	document, err := r.decrypt(ctx, ref)
	if err != nil {
		return secrets.Value{}, err
	}
	if ref.SOPS.Key == "" {
		return source.Value(ref, string(document))
	}
	return source.Pick(ref, document, ref.SOPS.Key)
}

// decrypt gives the document, as JSON when a key is to be picked out of it.
func (r Resolver) decrypt(ctx context.Context, ref secrets.Ref) ([]byte, error) {
	path, err := filepath.Abs(source.Path(r.Dir, ref.SOPS.File))
	if err != nil {
		return nil, secrets.Unavailable(ref, "has no absolute path", "check the current directory")
	}
	if err := source.Stat(ref, path); err != nil {
		return nil, err
	}
	argv := []string{cmp.Or(r.Program, "sops"), "--decrypt"}
	if ref.SOPS.Key != "" {
		argv = append(argv, "--output-type", "json")
	}
	document, err := program.Output(ctx, ref, program.Call{
		Argv: append(argv, path), Env: r.Env, Limit: secrets.MaxSize,
	})
	var exit program.ExitError
	if errors.As(err, &exit) {
		return nil, explain(ref, exit)
	}
	return document, err
}

// explain goes by the exit status alone, as what sops prints may hold the secret.
func explain(ref secrets.Ref, exit program.ExitError) error {
	byHand := fmt.Sprintf("run sops --decrypt %q by hand to see why", ref.SOPS.File)
	switch exit.Code {
	case keyNotRetrieved, noKey:
		return secrets.Denied(ref, "sops found no key here that decrypts it", "give sops its key (for age SOPS_AGE_KEY_FILE or SOPS_AGE_KEY), or "+byHand)
	case macMismatch, macNotFound, macUndecryptable, treeUndecryptable:
		return secrets.Invalid(ref, "was changed without sops, or is damaged", "restore it, or edit it with sops")
	case anyError, unreadableInput:
		return secrets.Invalid(ref, "cannot be read by sops, or was not encrypted with it", "encrypt it with sops, or "+byHand)
	}
	return secrets.Denied(ref, "sops "+exit.Error(), byHand)
}
