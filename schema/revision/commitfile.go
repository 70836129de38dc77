package revision

import (
	"bytes"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing/filemode"
)

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
