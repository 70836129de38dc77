package revision

import (
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// Reads is a tree that notes which of its files are read. It is safe for concurrent
// use as far as the tree is.
type Reads struct {
	tree fs.FS

	mu    sync.Mutex
	files map[string]bool
	// asked are all names that somebody looked for, there or not, and listed are directories.
	asked, listed map[string]bool
}

// NewReads wraps a tree.
func NewReads(tree fs.FS) *Reads {
	return &Reads{tree: tree, files: map[string]bool{}, asked: map[string]bool{}, listed: map[string]bool{}}
}

// Files are the names of what was read, sorted; never nil. Directories do not count.
func (r *Reads) Files() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, slices.Sorted(maps.Keys(r.files))...)
}

// Asked are all names that were looked for, also those that are not there: a file that
// comes to be there matters. Sorted.
func (r *Reads) Asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.asked))
}

// Listed are the directories that were listed, sorted.
func (r *Reads) Listed() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.listed))
}

func (r *Reads) note(in map[string]bool, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in[name] = true
}

// Open opens a file or directory of the tree.
func (r *Reads) Open(name string) (fs.File, error) {
	r.note(r.asked, name)
	f, err := r.tree.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.IsDir() {
		r.note(r.files, name)
	}
	return f, nil
}

// ReadFile reads a file of the tree.
func (r *Reads) ReadFile(name string) ([]byte, error) {
	r.note(r.asked, name)
	content, err := fs.ReadFile(r.tree, name)
	if err == nil {
		r.note(r.files, name)
	}
	return content, err
}

// ReadDir lists a directory of the tree.
func (r *Reads) ReadDir(name string) ([]fs.DirEntry, error) {
	r.note(r.listed, name)
	return fs.ReadDir(r.tree, name)
}

// Stat tells what a path leads to.
func (r *Reads) Stat(name string) (fs.FileInfo, error) {
	r.note(r.asked, name)
	return fs.Stat(r.tree, name)
}

// Lstat is Stat, but does not follow a symbolic link at the end of the path.
func (r *Reads) Lstat(name string) (fs.FileInfo, error) {
	r.note(r.asked, name)
	return fs.Lstat(r.tree, name)
}

// ReadLink gives the target of a symbolic link.
func (r *Reads) ReadLink(name string) (string, error) {
	r.note(r.asked, name)
	return fs.ReadLink(r.tree, name)
}
