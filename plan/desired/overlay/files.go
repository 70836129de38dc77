package overlay

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// files shows a read-only tree to kustomize as a file system whose root is the
// tree's: nothing outside it can be named. A few files of our own lie over it.
// What kustomize might write goes into memory and is dropped.
type files struct {
	filesys.FileSystem
	tree fs.FS
	own  map[string][]byte
}

func newFiles(tree fs.FS, own map[string][]byte) files {
	return files{FileSystem: filesys.MakeEmptyDirInMemory(), tree: tree, own: own}
}

// inside turns a path of kustomize into one of fs.FS.
func inside(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" {
		return "."
	}
	return name
}

// ReadFile reads a file of ours, or of the tree.
func (f files) ReadFile(name string) ([]byte, error) {
	if content, ok := f.own[inside(name)]; ok {
		return content, nil
	}
	return fs.ReadFile(f.tree, inside(name))
}

// IsDir reports whether the name is a directory.
func (f files) IsDir(name string) bool {
	if inside(name) == generatedDir && f.own[generatedDir+"/"+generatedFile] != nil {
		return true
	}
	info, err := fs.Stat(f.tree, inside(name))
	return err == nil && info.IsDir()
}

// Exists reports whether the name is a file or a directory.
func (f files) Exists(name string) bool {
	if _, ok := f.own[inside(name)]; ok || f.IsDir(name) {
		return true
	}
	_, err := fs.Stat(f.tree, inside(name))
	return err == nil
}

// ReadDir lists the names in a directory of the tree.
func (f files) ReadDir(name string) ([]string, error) {
	entries, err := fs.ReadDir(f.tree, inside(name))
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// CleanedAbs splits a path into its directory and its file.
func (f files) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	clean := "/" + resolved(f.tree, inside(name))
	switch {
	case f.IsDir(clean):
		return filesys.ConfirmedDir(clean), "", nil
	case f.Exists(clean):
		return filesys.ConfirmedDir(path.Dir(clean)), path.Base(clean), nil
	}
	return "", "", fmt.Errorf("%s: %w", inside(name), fs.ErrNotExist)
}

// Glob lists the files of the tree that fit a pattern.
func (f files) Glob(pattern string) ([]string, error) {
	found, err := fs.Glob(f.tree, inside(pattern))
	for i := range found {
		found[i] = "/" + found[i]
	}
	return found, err
}
