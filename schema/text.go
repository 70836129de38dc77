package schema

import (
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"

	"fairlead.dev/fairlead/schema/diag"
)

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
