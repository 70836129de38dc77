package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// mostHops is how many functions a flow may lead through.
const mostHops = 12

var hop = regexp.MustCompile("^([0-9]+)\\. `([a-z_/]+\\.go)` `([A-Za-z.]+)`")

// TestFlows keeps the flows of plan's README true: each function is in the file that is named.
func TestFlows(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(root(), "plan", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, flows, _ := strings.Cut(string(readme), "## Three flows")
	began := 0
	for line := range strings.Lines(flows) {
		found := hop.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		number, err := strconv.Atoi(found[1])
		if err != nil || number > mostHops {
			t.Errorf("more than %d functions: %s", mostHops, line)
		}
		if number == 1 {
			began++
		}
		if !functionsOf(t, found[2])[found[3]] {
			t.Errorf("%s has no function %s", found[2], found[3])
		}
	}
	if began != 3 {
		t.Errorf("%d flows, want 3", began)
	}
}

// functionsOf are a file's functions by name, methods with their type.
func functionsOf(t *testing.T, name string) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root(), filepath.FromSlash(name)), nil, 0)
	if err != nil {
		t.Error(err)
		return nil
	}
	out := map[string]bool{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		switch {
		case ok && f.Recv != nil:
			out[receiver(f.Recv.List[0].Type)+"."+f.Name.Name] = true
		case ok:
			out[f.Name.Name] = true
		}
	}
	return out
}
