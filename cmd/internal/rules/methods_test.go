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
		if n > mostMethods {
			t.Errorf("%s: has %d methods, more than %d", name, n, mostMethods)
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
