package rules

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const module = "fairlead.dev/fairlead"

// listed is what `go list` says about a package: its own code, tests apart.
type listed struct {
	ImportPath string
	Dir        string
	Doc        string
	Name       string
	GoFiles    []string
	Imports    []string
	Deps       []string
	Standard   bool
}

// short is the path below the module's root.
func (p listed) short() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

func (p listed) ours() bool { return strings.HasPrefix(p.ImportPath, module+"/") }

// packages are all packages that the program is made of, ours and others',
// by import path. `go list` runs once for all tests.
var packages = sync.OnceValues(func() (map[string]listed, error) {
	return list(root(), "-deps", "./...")
})

// sandbox are the packages of the sandbox's module, without dependencies.
var sandbox = sync.OnceValues(func() (map[string]listed, error) {
	return list(filepath.Join(root(), "cmd", "sandbox"), "./...")
})

func root() string { return filepath.Join("..", "..", "..") }

func list(dir string, args ...string) (map[string]listed, error) {
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Doc,Name,GoFiles,Imports,Deps,Standard"}, args...)...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	all, err := decode(out)
	return all, errors.Join(err, cmd.Wait())
}

func decode(r io.Reader) (map[string]listed, error) {
	all := map[string]listed{}
	for dec := json.NewDecoder(r); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
	}
}

// mustList gives the packages of one of the two modules.
func mustList(t *testing.T, from func() (map[string]listed, error)) map[string]listed {
	t.Helper()
	all, err := from()
	if err != nil {
		t.Fatal(err)
	}
	return all
}
