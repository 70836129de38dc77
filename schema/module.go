package schema

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"cuelang.org/go/cue/load"

	"fairlead.dev/fairlead/schema/diag"
)

// CUE's loader cannot find packages of cue.mod/pkg, usr and gen in an fs.FS: it
// asks for the place of the module on disk (cuelang.org/go v0.17.1,
// load.absPathForSourceLoc). A module that vendors is therefore handed over as an
// overlay, a copy of its .cue files under a root that no disk has.

// copyRoot is that root, as a slash path.
func copyRoot() string {
	if runtime.GOOS == "windows" {
		return "C:/.fairlead-description"
	}
	return "/.fairlead-description"
}

// treePath is the path inside the tree of a file name that CUE gives.
func treePath(filename string) string {
	return strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(filename), copyRoot()), "/")
}

// moduleRoot finds the module that governs dir.
func moduleRoot(tree fs.FS, dir string) (root string, ok bool) {
	for d := dir; ; d = path.Dir(d) {
		if isDir(tree, path.Join(d, "cue.mod")) {
			return d, true
		}
		if d == "." {
			return "", false
		}
	}
}

// vendoringRoot finds the module that governs dir, if it vendors packages.
func vendoringRoot(tree fs.FS, dir string) (string, bool) {
	root, ok := moduleRoot(tree, dir)
	return root, ok && slices.ContainsFunc([]string{"pkg", "usr", "gen"}, func(kind string) bool {
		return isDir(tree, path.Join(root, "cue.mod", kind))
	})
}

func isDir(tree fs.FS, name string) bool {
	info, err := fs.Stat(tree, name)
	return err == nil && info.IsDir()
}

// copied configures the loader with a copy of the module at root.
func copied(tree fs.FS, root, dir string) (*load.Config, error) {
	overlay := map[string]load.Source{}
	err := fs.WalkDir(tree, root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".cue":
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		overlay[copyPath(name)] = load.FromBytes(text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("description not read: %w", err)
	}
	return &load.Config{Overlay: overlay, Dir: copyPath(dir), ModuleRoot: copyPath(root)}, nil
}

func copyPath(name string) string {
	return filepath.FromSlash(path.Join(copyRoot(), name))
}

// schemaDir is where a module keeps its copy of the schema.
const schemaDir = "cue.mod/pkg/" + ImportPath

// CopyOfSchema is the path of the copy of the schema inside a module's directory.
const CopyOfSchema = schemaDir + "/schema.cue"

// Text is the schema itself, as CUE.
func Text() []byte {
	text, err := moduleFiles.ReadFile("schema.cue")
	if err != nil { // it is part of the program
		panic(err)
	}
	return text
}

// evaluateKnown is evaluate, and judges the module's copy of the schema. A copy of another
// program may refuse what this one takes: where there are mistakes, those are told apart
// that the program's own schema does not make.
func evaluateKnown(src Source) (Result, error) {
	res, err := evaluate(src)
	root, differs := otherSchema(src)
	if err != nil || !differs {
		return res, err
	}
	f := diag.Finding{Severity: diag.Warning, Code: "schema-copy", At: diag.Position{File: display(src, path.Join(root, CopyOfSchema))},
		Message: "this copy of Fairlead's schema is not the one of this program", Fix: "renew it with: fairlead init --update-schema " + display(src, root)}
	if res.Findings.HasErrors() {
		src.renewed = true
		if renewed, err := evaluate(src); err == nil && blame(res.Findings, renewed.Findings, display(src, root)) {
			f.Severity = diag.Error
		}
	}
	res.Findings = append(res.Findings, f).Sorted()
	return res, nil
}

// otherSchema finds the module whose copy of the schema is not this program's. Ends of
// lines do not count.
func otherSchema(src Source) (root string, differs bool) {
	dir, _ := packagePath(src.Dir)
	root, ok := moduleRoot(src.FS, dir)
	if !ok {
		return "", false
	}
	text, err := fs.ReadFile(src.FS, path.Join(root, CopyOfSchema))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	return root, !bytes.Equal(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), Text())
}

// blame says of each error that is not among those with the program's own schema whose
// fault it is. It reports whether there is any.
func blame(found, own diag.List, root string) (any bool) {
	for i, f := range found {
		same := func(o diag.Finding) bool { return o.Severity == diag.Error && o.At == f.At }
		if f.Severity == diag.Error && !slices.ContainsFunc(own, same) {
			found[i].Fix = "the copy of Fairlead's schema in cue.mod refuses it, this program does not: renew the copy with: fairlead init --update-schema " + root
			any = true
		}
	}
	return any
}

// renewedSchema is a tree with the program's own schema in place of a copy in dir.
type renewedSchema struct {
	readable
	dir string
}

func (r renewedSchema) ReadFile(name string) ([]byte, error) {
	if name == path.Join(r.dir, "schema.cue") {
		return Text(), nil
	}
	return r.readable.ReadFile(name)
}

//go:embed schema.cue
var moduleFiles embed.FS

// ImportPath is how a description imports the schema once it is vendored.
const ImportPath = "fairlead.dev/schema"

// Module holds the files of the package fairlead.dev/schema. Copied to
// cue.mod/pkg/fairlead.dev/schema in a user's module, they let `cue vet` and
// editors check a description that embeds schema.#Network. Load needs none of it.
func Module() fs.FS { return moduleFiles }
