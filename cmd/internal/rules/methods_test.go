package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
	"testing"
)

// mostMethods is how many methods a type of the program may have.
const mostMethods = 30

// manyMethods are the types that have more, with how many. The list only gets shorter, and its
// numbers only smaller.
var manyMethods = map[string]int{
	"apply.task":                   125,
	"cmd/internal/report.document": 31,
	"cmd/internal/report.printer":  41,
	"plan.facts":                   34,
	"plan.maker":                   218,
	"plan/existing.importer":       35,
	"schema.decoder":               51,
	"schema.rules":                 33,
}

// TestTypesAreSmall finds types with too many methods of their own; those of embedded types
// count for these.
func TestTypesAreSmall(t *testing.T) {
	t.Parallel()
	methods := map[string]int{}
	eachFile(t, func(name string, content []byte) {
		dir := path.Dir(name)
		if strings.HasPrefix(name, "cmd/sandbox/") || strings.HasSuffix(dir, "test") { // a stand-in for tests
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, content, 0)
		if err != nil {
			t.Error(err)
			return
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
				methods[dir+"."+receiver(f.Recv.List[0].Type)]++
			}
		}
	})
	for name, n := range methods {
		switch most, listed := manyMethods[name]; {
		case !listed && n > mostMethods:
			t.Errorf("%s: has %d methods, more than %d", name, n, mostMethods)
		case listed && n > most:
			t.Errorf("%s: has %d methods, and had %d: it may only get smaller", name, n, most)
		case listed && n <= mostMethods:
			t.Errorf("%s: has %d methods and needs no exception any more; take it off the list", name, n)
		case listed && n < most:
			t.Errorf("%s: has %d methods, fewer than %d: lower its number in the list", name, n, most)
		}
	}
	for name := range manyMethods {
		if methods[name] == 0 {
			t.Errorf("%s: is gone; take it off the list", name)
		}
	}
}

// receiver is the name of a method's type, without star and type parameters.
func receiver(e ast.Expr) string {
	switch v := e.(type) {
	case *ast.StarExpr:
		return receiver(v.X)
	case *ast.IndexExpr:
		return receiver(v.X)
	case *ast.IndexListExpr:
		return receiver(v.X)
	case *ast.Ident:
		return v.Name
	}
	return ""
}
