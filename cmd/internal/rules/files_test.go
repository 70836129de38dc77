package rules

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	// mostLines is how long a file with code may be, tests apart.
	mostLines = 500
	// mostMainLines is how long the program's main file may be.
	mostMainLines = 25
)

// ownPackages are ours in both modules.
func ownPackages(t *testing.T) []listed {
	t.Helper()
	var out []listed
	for _, from := range []func() (map[string]listed, error){packages, sandbox} {
		for _, p := range mustList(t, from) {
			if p.ours() {
				out = append(out, p)
			}
		}
	}
	return out
}

// eachFile calls f with every file of ours that is not a test.
func eachFile(t *testing.T, f func(name string, content []byte)) {
	t.Helper()
	for _, p := range ownPackages(t) {
		for _, file := range p.GoFiles {
			content, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			f(p.short()+"/"+file, content)
		}
	}
}

func lines(content []byte) int { return bytes.Count(content, []byte("\n")) }

func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	eachFile(t, func(name string, content []byte) {
		if n := lines(content); n > mostLines {
			t.Errorf("%s: has %d lines, more than %d", name, n, mostLines)
		}
	})
}

// readers are the files that may read os.Stderr, which is shut while kustomize runs: others
// would lose what they write, and race.
var readers = []string{"cmd/internal/cli/cli.go", "plan/desired/overlay/build.go", "apply/kube/client/plugin_run.go"}

func TestStandardErrorIsReadOnce(t *testing.T) {
	t.Parallel()
	eachFile(t, func(name string, content []byte) {
		if bytes.Contains(content, []byte("os.Stderr")) && !strings.HasPrefix(name, "cmd/sandbox/") && !slices.Contains(readers, name) {
			t.Errorf("%s: reads os.Stderr", name)
		}
	})
}

func TestMainIsShort(t *testing.T) {
	t.Parallel()
	main, found := mustList(t, packages)[module+"/cmd/fairlead"]
	if !found || !slices.Equal(main.GoFiles, []string{"main.go"}) {
		t.Fatalf("cmd/fairlead has the files %q, want main.go alone", main.GoFiles)
	}
	content, err := os.ReadFile(filepath.Join(main.Dir, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if n := lines(content); n > mostMainLines {
		t.Errorf("cmd/fairlead/main.go: has %d lines, more than %d", n, mostMainLines)
	}
}

func TestPackagesSayTheirJob(t *testing.T) {
	t.Parallel()
	for _, p := range ownPackages(t) {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + filepath.Base(p.ImportPath) + " "
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: its comment starts %q, want %q", p.short(), p.Doc, want+"…")
		}
	}
}

func TestFoldersHaveReadme(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{".", ".github", "apply", "cmd", "fixtures", "plan", "schema", "secrets"} {
		info, err := os.Stat(filepath.Join(root(), dir, "README.md"))
		if err != nil {
			t.Errorf("%s: has no README.md", dir)
		} else if info.Size() == 0 {
			t.Errorf("%s: its README.md is empty", dir)
		}
	}
}

// TestNobodySleeps finds time.Sleep under any name of the import: code waits for
// an event, never for a while.
func TestNobodySleeps(t *testing.T) {
	t.Parallel()
	eachFile(t, func(name string, content []byte) {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, content, 0)
		if err != nil {
			t.Error(err)
			return
		}
		timeName := importName(file, "time")
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && timeName != "" && s.Sel.Name == "Sleep" && isIdent(s.X, timeName) {
				t.Errorf("%s: calls time.Sleep", fset.Position(n.Pos()))
			}
			return true
		})
	})
}

// importName is the name under which a file knows a package of the standard
// library; empty when it does not import it.
func importName(file *ast.File, path string) string {
	for _, i := range file.Imports {
		switch {
		case i.Path.Value != `"`+path+`"`:
		case i.Name != nil:
			return i.Name.Name
		default:
			return path
		}
	}
	return ""
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}
