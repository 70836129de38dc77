package revision

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

const (
	maxLinks      = 40
	maxLinkLength = 4096
)

var (
	errNotDir = errors.New("not a directory")
	errIsDir  = errors.New("is a directory")
)

// commitFS is the tree of a commit. Directories are read when they are first
// entered, files when their content is asked for.
type commitFS struct {
	store *store
	root  node
	when  time.Time

	mu   sync.Mutex
	dirs map[plumbing.Hash]*listing
	// lost is the first error about an object that the repository does not have.
	lost error
}

// node is a file, directory, symbolic link or submodule of the tree.
type node struct {
	name string
	mode filemode.FileMode
	hash plumbing.Hash
}

// listing is a directory: its nodes sorted by name.
type listing struct{ nodes []node }

func newCommitFS(s *store, c *object.Commit) *commitFS {
	return &commitFS{
		store: s,
		root:  node{name: ".", mode: filemode.Dir, hash: c.TreeHash},
		when:  c.Committer.When.UTC(),
		dirs:  map[plumbing.Hash]*listing{},
	}
}

func (f *commitFS) Open(name string) (fs.File, error) {
	n, err := f.find("open", name, true)
	if err != nil {
		return nil, err
	}
	info := f.info(n, path.Base(name))
	if info.IsDir() {
		entries, err := f.entries("open", name, n)
		return &openDir{info: info, path: name, entries: entries}, err
	}
	return &openFile{info: info, path: name}, nil
}

func (f *commitFS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := f.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	return f.entries("readdir", name, n)
}

func (f *commitFS) ReadFile(name string) ([]byte, error) {
	n, err := f.find("read", name, true)
	if err != nil {
		return nil, err
	}
	content, err := f.content(n)
	if err != nil {
		return nil, f.problem("read", name, err)
	}
	return content, nil
}

// problem is an error about a file. The first about an object that is missing is noted:
// whoever reads the file may take it for a file that is not there, or for a broken one.
func (f *commitFS) problem(op, name string, err error) error {
	if errors.Is(err, ErrIncomplete) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.lost == nil {
			f.lost = fmt.Errorf("%s: %w", name, err)
		}
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// incomplete is the first error about an object that the repository does not have.
func (f *commitFS) incomplete() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost
}

func (f *commitFS) Stat(name string) (fs.FileInfo, error)  { return f.stat("stat", name, true) }
func (f *commitFS) Lstat(name string) (fs.FileInfo, error) { return f.stat("lstat", name, false) }

// ReadLink gives the target of a symbolic link as it was committed.
func (f *commitFS) ReadLink(name string) (string, error) {
	n, err := f.find("readlink", name, false)
	if err != nil {
		return "", err
	}
	if n.mode != filemode.Symlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target, err := f.target(n)
	if err != nil {
		return "", f.problem("readlink", name, err)
	}
	return target, nil
}

func (f *commitFS) stat(op, name string, follow bool) (fs.FileInfo, error) {
	n, err := f.find(op, name, follow)
	if err != nil {
		return nil, err
	}
	info := f.info(n, path.Base(name))
	if err := info.load(); err != nil {
		return nil, f.problem(op, name, err)
	}
	return info, nil
}

func (f *commitFS) mustHaveDir(dir string) error {
	info, err := f.Stat(dir)
	_, below := f.find("stat", path.Join(dir, "x"), true)
	var in inSubmodule
	switch {
	case errors.As(below, &in):
		return withFix(in)
	case errors.Is(err, fs.ErrNotExist):
		return noDir{"; there is " + f.parentOf(dir)}
	case err != nil:
		return err
	case !info.IsDir():
		return errors.New("is a file; name the directory of the description")
	}
	return nil
}

// parentOf describes the nearest parent of a missing directory that is there.
func (f *commitFS) parentOf(dir string) string {
	for dir = path.Dir(dir); ; dir = path.Dir(dir) {
		entries, err := f.ReadDir(dir)
		if err != nil && dir != "." {
			continue
		}
		names := []string{}
		for _, e := range entries {
			if e.IsDir() {
				names = append(names, e.Name())
			}
		}
		if len(names) == 0 {
			return fmt.Sprintf("%q, with no directories in it", dir)
		}
		more := ""
		if len(names) > 2*maxNear {
			names, more = names[:2*maxNear], ", ..."
		}
		return fmt.Sprintf("%q, with %s%s", dir, strings.Join(names, ", "), more)
	}
}

// find walks to name and follows the symbolic links on the way, and at its end if
// follow is set.
func (f *commitFS) find(op, name string, follow bool) (node, error) {
	if !fs.ValidPath(name) {
		return node{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, err := f.walk(strings.Split(name, "/"), follow)
	if err != nil {
		return node{}, f.problem(op, name, err)
	}
	return n, nil
}

func (f *commitFS) walk(parts []string, follow bool) (node, error) {
	stack := []node{f.root}
	for links := 0; len(parts) > 0; {
		part := parts[0]
		parts = parts[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(stack) == 1 {
				return node{}, escape()
			}
			stack = stack[:len(stack)-1]
			continue
		}
		if stack[len(stack)-1].mode == filemode.Submodule {
			return node{}, inSubmodule{pathOf(stack)}
		}
		child, err := f.child(stack[len(stack)-1], part)
		if err != nil {
			return node{}, err
		}
		if child.mode != filemode.Symlink || (len(parts) == 0 && !follow) {
			stack = append(stack, child)
			continue
		}
		if links++; links > maxLinks {
			return node{}, errors.New("too many levels of symbolic links")
		}
		if parts, err = f.expand(child, parts); err != nil {
			return node{}, err
		}
	}
	return stack[len(stack)-1], nil
}

// pathOf names the last of the nodes that lead to it from the root.
func pathOf(stack []node) string {
	name := "."
	for _, n := range stack {
		name = path.Join(name, n.name)
	}
	return name
}

func escape() error { return fmt.Errorf("%w; copy what it points to into the repository", ErrEscape) }

func (f *commitFS) expand(link node, rest []string) ([]string, error) {
	target, err := f.target(link)
	if err != nil {
		return nil, err
	}
	if path.IsAbs(target) {
		return nil, escape()
	}
	return append(strings.Split(target, "/"), rest...), nil
}

func (f *commitFS) target(link node) (string, error) {
	size, err := f.store.size(link.hash)
	if err != nil {
		return "", err
	}
	if size > maxLinkLength {
		return "", errors.New("symbolic link is too long")
	}
	content, err := f.store.blob(link.hash)
	return string(content), err
}

func (f *commitFS) child(dir node, name string) (node, error) {
	if dir.mode != filemode.Dir {
		return node{}, fmt.Errorf("%w: %s is not a directory", fs.ErrNotExist, dir.name)
	}
	l, err := f.list(dir.hash)
	if err != nil {
		return node{}, err
	}
	i, ok := slices.BinarySearchFunc(l.nodes, name, func(n node, name string) int { return cmp.Compare(n.name, name) })
	if !ok {
		return node{}, fs.ErrNotExist
	}
	return l.nodes[i], nil
}

func (f *commitFS) list(tree plumbing.Hash) (*listing, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l, ok := f.dirs[tree]; ok {
		return l, nil
	}
	entries, err := f.store.tree(tree)
	if err != nil {
		return nil, err
	}
	l := &listing{}
	for _, e := range entries {
		// A crafted tree may hold names that are no names.
		if fs.ValidPath(e.Name) && e.Name != "." && !strings.Contains(e.Name, "/") {
			l.nodes = append(l.nodes, node{name: e.Name, mode: e.Mode, hash: e.Hash})
		}
	}
	slices.SortFunc(l.nodes, func(a, b node) int { return cmp.Compare(a.name, b.name) })
	f.dirs[tree] = l
	return l, nil
}

func (f *commitFS) content(n node) ([]byte, error) {
	if n.mode == filemode.Dir || n.mode == filemode.Submodule {
		return nil, errIsDir
	}
	return f.store.blob(n.hash)
}

// entries lists a directory; a submodule is empty, as when it is not checked out.
func (f *commitFS) entries(op, name string, n node) ([]fs.DirEntry, error) {
	if n.mode == filemode.Submodule {
		return []fs.DirEntry{}, nil
	}
	if n.mode != filemode.Dir {
		return nil, &fs.PathError{Op: op, Path: name, Err: errNotDir}
	}
	l, err := f.list(n.hash)
	if err != nil {
		return nil, f.problem(op, name, err)
	}
	out := make([]fs.DirEntry, len(l.nodes))
	for i, n := range l.nodes {
		out[i] = f.info(n, n.name)
	}
	return out, nil
}

func (f *commitFS) info(n node, name string) *info {
	return &info{fsys: f, node: n, name: name}
}

// info is both the fs.DirEntry and the fs.FileInfo of a node. The size is read
// when it is first needed.
type info struct {
	fsys *commitFS
	node node
	name string

	once sync.Once
	size int64
	err  error
}

func (i *info) Name() string               { return i.name }
func (i *info) ModTime() time.Time         { return i.fsys.when }
func (i *info) IsDir() bool                { return i.Mode().IsDir() }
func (i *info) Type() fs.FileMode          { return i.Mode().Type() }
func (i *info) Sys() any                   { return nil }
func (i *info) String() string             { return fs.FormatFileInfo(i) }
func (i *info) Info() (fs.FileInfo, error) { return i, i.load() }

func (i *info) Size() int64 {
	_ = i.load() // Info and Stat have reported the error
	return i.size
}

func (i *info) load() error {
	i.once.Do(func() {
		if !i.IsDir() {
			i.size, i.err = i.fsys.store.size(i.node.hash)
		}
	})
	return i.err
}

// Mode has no write permission: nothing here can be changed.
func (i *info) Mode() fs.FileMode {
	switch i.node.mode {
	case filemode.Dir, filemode.Submodule:
		return fs.ModeDir | 0o555
	case filemode.Symlink:
		return fs.ModeSymlink | 0o777
	case filemode.Executable:
		return 0o555
	}
	return 0o444
}

// openFile reads its content at the first Read.
type openFile struct {
	info   *info
	path   string
	reader *bytes.Reader
	closed bool
}

func (f *openFile) Stat() (fs.FileInfo, error) {
	if f.closed {
		return nil, &fs.PathError{Op: "stat", Path: f.path, Err: fs.ErrClosed}
	}
	return f.info.Info()
}

func (f *openFile) Read(p []byte) (int, error) {
	if f.closed {
		return 0, &fs.PathError{Op: "read", Path: f.path, Err: fs.ErrClosed}
	}
	if f.reader == nil {
		content, err := f.info.fsys.content(f.info.node)
		if err != nil {
			return 0, f.info.fsys.problem("read", f.path, err)
		}
		f.reader = bytes.NewReader(content)
	}
	return f.reader.Read(p)
}

func (f *openFile) Close() error {
	if f.closed {
		return &fs.PathError{Op: "close", Path: f.path, Err: fs.ErrClosed}
	}
	f.closed, f.reader = true, nil
	return nil
}

// openDir lists a directory in portions.
type openDir struct {
	info    *info
	path    string
	entries []fs.DirEntry
	next    int
	closed  bool
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.path, Err: errIsDir}
}

func (d *openDir) Close() error {
	if d.closed {
		return &fs.PathError{Op: "close", Path: d.path, Err: fs.ErrClosed}
	}
	d.closed = true
	return nil
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if d.closed {
		return nil, &fs.PathError{Op: "readdir", Path: d.path, Err: fs.ErrClosed}
	}
	left := d.entries[d.next:]
	if n > 0 && len(left) == 0 {
		return nil, io.EOF
	}
	if n > 0 {
		left = left[:min(n, len(left))]
	}
	d.next += len(left)
	return append([]fs.DirEntry{}, left...), nil
}
