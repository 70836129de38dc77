package schema

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"cuelang.org/go/cue/load"
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
