// Package schema turns a description, a package of CUE files, into a
// network.Network: it loads and evaluates the files, holds the value against the
// schema, checks structure and meaning, and says where each mistake stands. It is
// the only package of Fairlead that knows CUE.
package schema

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/mod/modconfig"
	"cuelang.org/go/mod/modfile"
	"cuelang.org/go/mod/module"

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

func checkSource(ctx context.Context, src Source) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("description not read: %w", err)
	}
	if src.FS == nil {
		return errors.New("description not read: no file tree given")
	}
	if _, err := fs.Stat(src.FS, "."); err != nil {
		return fmt.Errorf("description not read: %w", err)
	}
	return nil
}

// guarded runs load where neither a panic nor an endless evaluation of CUE can
// take the program along. An evaluation cannot be stopped: when ctx is done
// first, it is left behind and its result is dropped.
func guarded(ctx context.Context, src Source) (Result, error) {
	type outcome struct {
		res Result
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		var out outcome
		defer func() {
			if p := recover(); p != nil {
				out = outcome{res: Result{Findings: diag.List{internalFinding(p)}.Sorted(), Files: []string{}}}
			}
			done <- out
		}()
		out.res, out.err = evaluateKnown(src)
	}()
	select {
	case out := <-done:
		return out.res, out.err
	case <-ctx.Done():
		return Result{}, fmt.Errorf("description not evaluated in time: %w", ctx.Err())
	}
}

func internalFinding(p any) diag.Finding {
	return diag.Finding{
		Severity: diag.Error, Code: "internal",
		Message: "the evaluation broke down: " + panicText(p),
		Fix:     "please report this with the description that causes it",
	}
}

// panicText is what a panic says, unless that may hold a value of the description.
func panicText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return clip(err.Error())
	}
	return fmt.Sprintf("a panic with a %T", p)
}

// evaluate is Load without its guards.
func evaluate(src Source) (Result, error) {
	if dir, pkg := packagePath(src.Dir); pkg != "" && (pkg == "_" || !ast.IsValidIdent(pkg)) {
		return Result{Findings: diag.List{badPackage(src, dir, pkg)}.Sorted(), Files: []string{}}, nil
	}
	inst, err := instance(src)
	if err != nil {
		return Result{}, err
	}
	places := newPlaces(src.Display)
	res := Result{Files: files(inst)}
	read := newSurvey(src, places, inst)
	passed := read.files()
	if res.Findings = read.misread(passed).Sorted(); len(res.Findings) > 0 {
		return res, nil
	}
	if inst.Err != nil {
		if err := unreadable(inst.Err); err != nil {
			return Result{}, err
		}
		res.Findings = loadFindings(src, places, inst).Sorted()
		return res, nil
	}
	places.index(inst.Files)
	value, findings, replaced := compile(inst, places)
	for _, p := range passed {
		findings = append(findings, p.finding)
		res.LeftOut = append(res.LeftOut, LeftOut{File: p.name, Why: p.why})
	}
	res.finish(value, findings, replaced, places)
	return res, nil
}

// finish decodes and checks the value. With findings from compiling it, what
// seems unfinished is not worth a word: it depends on what was replaced.
func (res *Result) finish(v cue.Value, findings diag.List, replaced map[diag.Position]bool, places *places) {
	d := &decoder{reporter{places: places, root: description(), reported: map[string]bool{}}}
	d.valid = len(replaced) == 0 && v.Validate(cue.Concrete(true)) == nil
	decl := d.network(v)
	d.leftovers(v)
	for _, f := range d.findings {
		if len(replaced) == 0 || !follows(f, replaced) {
			findings = append(findings, f)
		}
	}
	res.Findings = append(findings, check(decl)...).Sorted()
	if !res.Findings.HasErrors() {
		res.Network = decl.network()
		res.Digest = digest(res.Network)
	}
}

// buildValue evaluates the instance. Each evaluation has its own context: CUE keeps
// all it ever built in one.
func buildValue(inst *build.Instance) cue.Value { return cuecontext.New().BuildInstance(inst) }

// packagePath splits what the user gave into a clean directory inside the tree
// and a package name, which may be empty.
func packagePath(arg string) (dir, pkg string) {
	dir, pkg, _ = strings.Cut(arg, ":")
	dir = strings.TrimPrefix(path.Clean("/"+dir), "/")
	if dir == "" {
		dir = "."
	}
	return dir, pkg
}

// instance loads the syntax of the package and of what it imports.
func instance(src Source) (*build.Instance, error) {
	dir, pkg := packagePath(src.Dir)
	arg := "."
	if pkg != "" {
		arg += ":" + pkg
	}
	tree := fs.FS(readable{src.FS})
	if root, ok := moduleRoot(src.FS, dir); src.renewed && ok {
		tree = renewedSchema{readable{src.FS}, path.Join(root, schemaDir)}
	}
	cfg := &load.Config{FS: tree, Dir: "/" + dir}
	if root, ok := vendoringRoot(tree, dir); ok {
		var err error
		if cfg, err = copied(tree, root, dir); err != nil {
			return nil, err
		}
	}
	cfg.Tags, cfg.Registry, cfg.Env = src.Tags, offline{}, []string{}
	return load.Instances([]string{arg}, cfg)[0], nil
}

// unreadable gives the error of a tree that cannot be read, as opposed to one
// that holds mistakes.
func unreadable(err error) error {
	var broken *fs.PathError
	if errors.As(err, &broken) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("description not read: %w", broken)
	}
	return nil
}

func badPackage(src Source, dir, pkg string) diag.Finding {
	return diag.Finding{
		Severity: diag.Error, Code: "no-package", At: diag.Position{File: display(src, dir)},
		Message: fmt.Sprintf("%q is no name of a package", pkg),
		Fix:     "name one as DIRECTORY:PACKAGE, or leave the package out",
	}
}

// files lists the CUE files of the instance and of all that it imports.
func files(inst *build.Instance) []string {
	names := map[string]bool{}
	for _, i := range instances(inst) {
		for _, f := range i.Files {
			names[treePath(f.Filename)] = true
		}
	}
	return sortedKeys(names)
}

// instances are the instance and all that it imports, each once.
func instances(inst *build.Instance) (out []*build.Instance) {
	visited := map[*build.Instance]bool{}
	var visit func(*build.Instance)
	visit = func(i *build.Instance) {
		if visited[i] {
			return
		}
		visited[i] = true
		out = append(out, i)
		for _, imported := range i.Imports {
			visit(imported)
		}
	}
	visit(inst)
	return out
}

// offline is a registry that has nothing: a description is complete in its tree.
type offline struct{}

var (
	errOffline                    = errors.New("not vendored")
	_          modconfig.Registry = offline{}
)

func (offline) ModFile(context.Context, module.Version) (*modfile.File, error) {
	return nil, errOffline
}

func (offline) Fetch(context.Context, module.Version) (module.SourceLoc, error) {
	return module.SourceLoc{}, errOffline
}

func (offline) ModuleVersions(context.Context, string) ([]string, error) { return nil, nil }

// follows tells a finding that only says again what stands at a replaced place.
func follows(f diag.Finding, replaced map[diag.Position]bool) bool {
	return f.Code == "incomplete" || replaced[f.At]
}
