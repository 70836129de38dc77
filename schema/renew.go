package schema

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"slices"

	"fairlead.dev/fairlead/schema/diag"
)

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
