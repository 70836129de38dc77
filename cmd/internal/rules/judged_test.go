package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// What makes something act on a description, and who may: a function with a parameter of
// one of these types. A session is itself made of a judged description.
const (
	judgedType  = "judge.Passed["
	sessionType = "session"
)

// acting are the calls and literals that make clients, locks, resolvers and sessions.
var acting = map[string][]string{
	"kube.Connect": {judgedType, sessionType}, "lock.Take": {judgedType, sessionType}, "lock.Unlock": {judgedType, sessionType},
	"secrets.Mux{}": {judgedType}, "session{}": {judgedType}, "vault{}": {judgedType},
	"env.Resolver{}": {judgedType}, "file.Resolver{}": {judgedType}, "age.Resolver{}": {judgedType},
	"sops.Resolver{}": {judgedType}, "command.Resolver{}": {judgedType}, "kubernetes.Resolver{}": {judgedType},
}

// TestOnlyTheJudgedIsActedOn finds who runs, asks or locks anything without a description
// that was judged.
func TestOnlyTheJudgedIsActedOn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	eachFile(t, func(name string, content []byte) {
		if !strings.HasPrefix(name, "cmd/internal/") {
			return
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, content, 0)
		if err != nil {
			t.Error(err)
			return
		}
		for _, d := range file.Decls {
			eachActing(d, nil, func(n ast.Node, what string, given []string) {
				seen[what] = true
				if !slices.ContainsFunc(acting[what], func(want string) bool { return slices.ContainsFunc(given, isType(want)) }) {
					t.Errorf("%s: has %s and no parameter with a judged description", fset.Position(n.Pos()), what)
				}
			})
		}
	})
	for what := range acting {
		if !seen[what] {
			t.Errorf("%s: nobody has it; does the rule look for the right thing?", what)
		}
	}
}

func isType(want string) func(string) bool {
	return func(is string) bool { return is == want || strings.HasSuffix(want, "[") && strings.HasPrefix(is, want) }
}

// eachActing calls f with whatever acts below a node, and with the types of the parameters
// of the functions around it.
func eachActing(n ast.Node, given []string, f func(n ast.Node, what string, given []string)) {
	ast.Inspect(n, func(in ast.Node) bool {
		switch v := in.(type) {
		case *ast.FuncDecl:
			if v.Body != nil {
				eachActing(v.Body, parameters(given, v.Recv, v.Type.Params), f)
			}
			return false
		case *ast.FuncLit:
			eachActing(v.Body, parameters(given, v.Type.Params), f)
			return false
		case *ast.CallExpr:
			if what := types.ExprString(v.Fun); acting[what] != nil {
				f(v, what, given)
			}
		case *ast.CompositeLit:
			if len(v.Elts) == 0 || v.Type == nil { // a zero value, or part of another literal
				return true
			}
			if what := types.ExprString(v.Type) + "{}"; acting[what] != nil {
				f(v, what, given)
			}
		}
		return true
	})
}

// parameters adds the types of receivers and parameters, those of pointers without the star.
func parameters(given []string, lists ...*ast.FieldList) []string {
	out := slices.Clone(given)
	for _, l := range lists {
		if l == nil {
			continue
		}
		for _, p := range l.List {
			out = append(out, strings.TrimPrefix(types.ExprString(p.Type), "*"))
		}
	}
	return out
}
