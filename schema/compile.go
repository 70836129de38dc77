package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// compile builds the value. References that lead nowhere keep CUE from building
// anything: they are reported, replaced by "any value" and the rest is built, so
// that its mistakes come out in the same run. It tells the places of what was replaced.
func compile(inst *build.Instance, places *places) (cue.Value, diag.List, map[diag.Position]bool) {
	value := buildValue(inst)
	var findings diag.List
	bad := map[token.Pos]bool{}
	for _, e := range errors.Errors(value.Err()) {
		if f, ok := compileFinding(e, places); ok {
			findings = append(findings, f)
			bad[e.Position()] = true
		}
	}
	if len(findings) == 0 {
		return value, nil, nil
	}
	for _, f := range inst.Files {
		patch(f, bad)
	}
	replaced := map[diag.Position]bool{}
	for pos := range bad {
		replaced[places.position(pos)] = true
	}
	inst.Err, inst.ResolutionErr = nil, nil
	return buildValue(inst), findings, replaced
}

// compileFinding turns an error of CUE's compiler into a finding; others, of the
// evaluation, are left to the decoder.
func compileFinding(e errors.Error, places *places) (diag.Finding, bool) {
	format, args := e.Msg()
	f := diag.Finding{Severity: diag.Error, At: places.position(e.Position())}
	switch {
	case strings.HasPrefix(format, "reference %q not found"):
		name := fmt.Sprint(args[0])
		f.Code, f.Message = "unresolved-reference", fmt.Sprintf("there is no %q to refer to", name)
		f.Fix = "declare it, or put it in quotes if it is text"
		around := places.around(e.Position())
		if !description().open(around) {
			f.Message = "the name that stands here refers to nothing"
		}
		if near := network.Closest(name, identifiers(places.files)); near != "" {
			f.Fix = fmt.Sprintf("did you mean %s? Text needs quotes", near)
		} else if description().withinSecret(around) {
			f.Fix = fixInClear
		}
	case strings.HasPrefix(format, "imported and not used"):
		f.Code, f.Message, f.Fix = "unused-import", cueText(e), "remove the import"
	case strings.HasPrefix(format, "builtin package %q undefined"):
		f.Code, f.Message = "import", fmt.Sprintf("CUE has no package %q of its own", args[0])
		f.Fix = "correct the path; packages of your own have a dot in the first part of their path"
	default:
		return f, false
	}
	return f, true
}

// patch removes what the compiler refused, and adds the places of what refers to it.
func patch(f *ast.File, bad map[token.Pos]bool) {
	ast.Walk(f, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		if spec, imported := id.Node.(*ast.ImportSpec); bad[id.Pos()] || imported && bad[spec.Pos()] {
			id.Name, id.Node, id.Scope = "_", nil, nil
			bad[id.Pos()] = true
		}
		return true
	}, nil)
	for _, d := range f.Decls {
		if imports, ok := d.(*ast.ImportDecl); ok {
			imports.Specs = slices.DeleteFunc(imports.Specs, func(s *ast.ImportSpec) bool { return bad[s.Pos()] })
		}
	}
}

// identifiers are the names that a reference at the top level can use.
func identifiers(files []*ast.File) []string {
	names := map[string]bool{}
	for _, f := range files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.Field:
				if name, isIdent, err := ast.LabelName(d.Label); err == nil && isIdent {
					names[name] = true
				}
			case *ast.LetClause:
				names[d.Ident.Name] = true
			}
		}
	}
	return sortedKeys(names)
}

func sortedKeys(set map[string]bool) []string {
	out := slices.AppendSeq(make([]string, 0, len(set)), maps.Keys(set))
	slices.Sort(out)
	return out
}

// LoadText is Load for a description of one file that imports nothing, such as Write
// gives. The name stands in places.
func LoadText(name string, text []byte) Result {
	res := Result{Findings: diag.List{}, Files: []string{name}}
	places := newPlaces(nil)
	file, err := parser.ParseFile(name, text)
	if err != nil {
		res.Findings = diag.List{{
			Severity: diag.Error, Code: "syntax", Message: syntaxText(errors.Errors(err)[0]),
			At: places.position(errors.Errors(err)[0].Position()),
		}}
		return res
	}
	places.index([]*ast.File{file})
	res.finish(cuecontext.New().BuildFile(file), nil, nil, places)
	if res.Findings == nil {
		res.Findings = diag.List{}
	}
	return res
}
