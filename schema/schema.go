// Package schema turns a description, a package of CUE files, into a
// network.Network: it loads and evaluates the files, holds the value against the
// schema, checks structure and meaning, and says where each mistake stands. It is
// the only package of Fairlead that knows CUE.
package schema

import (
	"context"
	"io/fs"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Source is where a description is read from.
type Source struct {
	// FS is the root of the tree: the work tree or a git revision, read only.
	FS fs.FS
	// Dir is the slash path of the package inside FS, "." for its root. A leading
	// "./" and a package qualifier ("./shops:retail") are accepted.
	Dir string
	// Tags are "key=value" or, for a boolean tag, "key".
	Tags []string
	// Display maps a path inside FS to what the user sees in positions; nil
	// leaves it unchanged.
	Display func(string) string
	// renewed replaces a copy of the schema in the tree by the program's own.
	renewed bool
}

// Result is what a description holds.
type Result struct {
	// Network is the zero value when Findings has errors.
	Network network.Network
	// Findings of both passes, sorted; never nil.
	Findings diag.List
	// Digest is "sha256:" and the hex digest of the evaluated content: the same
	// for any formatting, comments or order. Empty when Findings has errors.
	Digest string
	// Files are the paths inside FS of the CUE files that were read for the
	// package and what it imports, sorted; never nil.
	Files []string
	// LeftOut are the files beside them that CUE does not read, each with a warning; it
	// is empty where Findings has errors of reading.
	LeftOut []LeftOut
}

// Load evaluates the description and validates it. User mistakes are findings;
// an error means that the program could not do its work: an FS that cannot be
// read, or a context that is done. A panic inside CUE is a finding with the code
// "internal".
func Load(ctx context.Context, src Source) (Result, error) {
	if err := checkSource(ctx, src); err != nil {
		return Result{}, err
	}
	res, err := guarded(ctx, src)
	if err == nil && res.Findings == nil {
		res.Findings = diag.List{}
	}
	return res, err
}
