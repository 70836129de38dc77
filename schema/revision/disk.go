package revision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// readOnly is all that a tree on disk offers.
type readOnly interface {
	fs.ReadDirFS
	fs.ReadFileFS
	fs.StatFS
	fs.ReadLinkFS
}

// diskTree opens root as a confined, read-only file system.
func diskTree(root, dir string, facts Facts) (Tree, error) {
	opened, err := os.OpenRoot(root)
	if err != nil {
		return Tree{}, fmt.Errorf("%s: %w", root, err)
	}
	files, ok := opened.FS().(readOnly)
	if !ok {
		return Tree{}, fmt.Errorf("%s: this build of Go cannot confine reads", root)
	}
	return Tree{FS: diskFS{files: files}, Dir: dir, Facts: facts, Root: root}, nil
}

// diskFS says in plain words that a symbolic link leads out of the tree, and that a file is in
// a submodule that is not checked out.
type diskFS struct {
	files readOnly
	// commit is the one that is checked out, nil where it is not known.
	commit *commitFS
}

func (d diskFS) Open(name string) (fs.File, error) {
	f, err := d.files.Open(name)
	return f, d.explain("open", name, err)
}

func (d diskFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := d.files.ReadDir(name)
	return entries, d.explain("readdir", name, err)
}

func (d diskFS) ReadFile(name string) ([]byte, error) {
	content, err := d.files.ReadFile(name)
	return content, d.explain("read", name, err)
}

func (d diskFS) Stat(name string) (fs.FileInfo, error) {
	info, err := d.files.Stat(name)
	return info, d.explain("stat", name, err)
}

func (d diskFS) Lstat(name string) (fs.FileInfo, error) {
	info, err := d.files.Lstat(name)
	return info, d.explain("lstat", name, err)
}

func (d diskFS) ReadLink(name string) (string, error) {
	target, err := d.files.ReadLink(name)
	return target, d.explain("readlink", name, err)
}

// explain recognises a missing file of a submodule, and the error of os.Root, which it does
// not export.
func (d diskFS) explain(op, name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		if why := d.absent(name); why != nil {
			return &fs.PathError{Op: op, Path: name, Err: why}
		}
	}
	if err != nil && strings.Contains(err.Error(), "escapes from parent") {
		return &fs.PathError{Op: op, Path: name, Err: escape()}
	}
	return err
}
