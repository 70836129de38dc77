package revision

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"
)

// scope is what part of a repository a description may read. Paths are relative
// to the repository, with slashes.
type scope struct {
	// dir is the package's directory: everything below it counts.
	dir string
	// module is the root of the CUE module: every .cue file below it counts. It is
	// "" without a module; then those directly in dir's parents count.
	module string
}

// holds reports whether the file counts.
func (s scope) holds(file string) bool {
	switch {
	case within(file, s.dir):
		return true
	case path.Ext(file) != ".cue":
		return false
	case s.module == "":
		return within(s.dir, path.Dir(file))
	}
	return within(file, s.module)
}

// enters reports whether a file below the directory may count.
func (s scope) enters(dir string) bool {
	return within(dir, s.dir) || within(s.dir, dir) ||
		s.module != "" && (within(dir, s.module) || within(s.module, dir))
}

// within reports whether name is dir or below it.
func within(name, dir string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}

// comparison compares the work tree with a commit, by content. Go-git's own
// Worktree.Status reads the whole repository and takes a checkout with converted
// line endings for changed.
type comparison struct {
	repo      *repository
	scope     scope
	committed map[string]node
	// staged are the paths in the index, nil if it cannot be read; true stands for
	// a path that a sparse checkout leaves out.
	staged map[string]bool
	// absent is the first committed file that is not on disk and is meant not to be.
	absent string
	// modes and links say whether the disk can hold executable bits and links.
	modes, links bool
}

// differ sets the facts of where what the description may read differs from tree, which is
// zero when there is no commit.
func (r *repository) differ(ctx context.Context, facts *Facts, tree plumbing.Hash) error {
	c := r.compare()
	if !tree.IsZero() {
		if err := c.widen(tree); err != nil {
			return err
		}
		if err := c.collect(ctx, tree, "."); err != nil {
			return err
		}
	}
	var err error
	if facts.Changed, err = c.firstChanged(ctx); err != nil {
		return err
	}
	facts.Absent = c.absent
	patterns, err := r.sharedIgnores()
	if err != nil {
		return err
	}
	facts.Untracked, err = c.firstNew(ctx, ".", patterns)
	facts.Dirty = facts.Changed != "" || facts.Untracked != ""
	return err
}

// widen takes the CUE module of the commit where the disk has none: a checkout may lack the
// directory that makes it one.
func (c *comparison) widen(tree plumbing.Hash) error {
	if c.scope.module != "" {
		return nil
	}
	at := "."
	for _, step := range append(strings.Split(c.scope.dir, "/"), "") {
		entries, err := c.repo.store.tree(tree)
		if err != nil {
			return err
		}
		tree = plumbing.ZeroHash
		for _, e := range entries {
			if e.Name == "cue.mod" {
				c.scope.module = at
			}
			if e.Name == step && e.Mode == filemode.Dir {
				tree = e.Hash
			}
		}
		if at = path.Join(at, step); tree.IsZero() {
			return nil
		}
	}
	return nil
}

// firstChanged is the first committed file, by name, that changed; "" for none. It notes
// what is absent before that.
func (c *comparison) firstChanged(ctx context.Context) (string, error) {
	for _, name := range slices.Sorted(maps.Keys(c.committed)) {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if changed, err := c.changed(name, c.committed[name]); changed || err != nil {
			return name, err
		}
	}
	return "", nil
}

func (r *repository) compare() *comparison {
	c := &comparison{
		repo:      r,
		scope:     scope{dir: r.dir},
		committed: map[string]node{},
		staged:    r.staged(),
		modes:     !r.settings.is("core.filemode", "false"),
		links:     !r.settings.is("core.symlinks", "false"),
	}
	if module, ok := moduleRoot(filepath.Join(r.root, r.dir), r.root); ok {
		if rel, err := filepath.Rel(r.root, module); err == nil {
			c.scope.module = filepath.ToSlash(rel)
		}
	}
	return c
}

// staged reads the index. One that go-git cannot read (a split or sparse index)
// only makes the answer coarser: content is compared with the commit anyway.
func (r *repository) staged() (staged map[string]bool) {
	var broken error
	defer guard("index", &broken)
	f, err := os.Open(filepath.Join(r.gitDir, "index"))
	if err != nil {
		return nil
	}
	defer f.Close()
	var idx index.Index
	if err := index.NewDecoder(f).Decode(&idx); err != nil {
		return nil
	}
	staged = make(map[string]bool, len(idx.Entries))
	for _, e := range idx.Entries {
		staged[e.Name] = e.SkipWorktree
	}
	return staged
}

// collect lists the committed files that count. Submodules are not ours to compare.
func (c *comparison) collect(ctx context.Context, tree plumbing.Hash, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := c.repo.store.tree(tree)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name)
		switch {
		case e.Mode == filemode.Dir && c.scope.enters(name):
			if err := c.collect(ctx, e.Hash, name); err != nil {
				return err
			}
		case e.Mode == filemode.Submodule:
			c.committed[name] = node{mode: e.Mode}
		case e.Mode != filemode.Dir && c.scope.holds(name):
			c.committed[name] = node{name: e.Name, mode: e.Mode, hash: e.Hash}
		}
	}
	return nil
}

// changed reports whether a committed file is gone or different on disk.
func (c *comparison) changed(name string, n node) (bool, error) {
	if n.mode == filemode.Submodule {
		return false, nil
	}
	file := c.path(name)
	info, err := os.Lstat(file)
	switch {
	case (errors.Is(err, fs.ErrNotExist) || err != nil && isNotDir(file)) && c.staged[name]:
		c.absent = cmp.Or(c.absent, name)
		return false, nil
	case errors.Is(err, fs.ErrNotExist), err != nil && isNotDir(file):
		return true, nil
	case err != nil:
		return false, err
	case info.Mode().Type() == fs.ModeSymlink:
		return c.linkChanged(file, n)
	case !info.Mode().IsRegular():
		return true, nil
	case n.mode == filemode.Symlink && c.links:
		return true, nil
	case n.mode != filemode.Symlink && c.modes && (info.Mode()&0o100 != 0) != (n.mode == filemode.Executable):
		return true, nil
	}
	return c.contentChanged(file, info.Size(), n)
}

func (c *comparison) path(name string) string {
	return filepath.Join(c.repo.root, filepath.FromSlash(name))
}

func (c *comparison) linkChanged(file string, n node) (bool, error) {
	if n.mode != filemode.Symlink {
		return true, nil
	}
	target, err := os.Readlink(file)
	if err != nil {
		return false, err
	}
	return plumbing.ComputeHash(plumbing.BlobObject, []byte(filepath.ToSlash(target))) != n.hash, nil
}

func (c *comparison) contentChanged(file string, size int64, n node) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	hash := plumbing.NewHasher(plumbing.BlobObject, size)
	if _, err := io.Copy(hash, f); err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	if hash.Sum() == n.hash {
		return false, nil
	}
	return c.textChanged(file, size, n)
}

// textChanged compares again without carriage returns at the ends of lines.
func (c *comparison) textChanged(file string, size int64, n node) (bool, error) {
	stored, err := c.repo.store.size(n.hash)
	if errors.Is(err, ErrIncomplete) {
		return true, nil // a partial clone has what it checked out: this is another content
	}
	if err != nil {
		return false, err
	}
	if stored == size || max(stored, size) > 2*min(stored, size) {
		return true, nil // adding or removing carriage returns changes the size, at most twofold
	}
	onDisk, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	committed, err := c.repo.store.blob(n.hash)
	if err != nil {
		return false, err
	}
	if bytes.IndexByte(committed, 0) >= 0 {
		return true, nil
	}
	return !bytes.Equal(withoutReturns(onDisk), withoutReturns(committed)), nil
}

func withoutReturns(text []byte) []byte {
	return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
}

// firstNew finds a file in dir that counts, is not committed and is either staged or
// not ignored; "" for none.
func (c *comparison) firstNew(ctx context.Context, dir string, ignored ignores) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(c.path(dir))
	if err != nil {
		return "", err
	}
	if ignored, err = ignored.with(c.repo.root, dir); err != nil {
		return "", err
	}
	for _, e := range entries {
		if e.Name() == ".git" {
			continue
		}
		found, err := c.newAt(ctx, path.Join(dir, e.Name()), e.IsDir(), ignored)
		if found != "" || err != nil {
			return found, err
		}
	}
	return "", nil
}

// newAt is name itself, or a file below it, if it is new; "" otherwise.
func (c *comparison) newAt(ctx context.Context, name string, isDir bool, ignored ignores) (string, error) {
	_, committed := c.committed[name]
	switch {
	case committed:
		return "", nil
	case isDir:
		if !c.scope.enters(name) || ignored.match(name, true) {
			return c.stagedBelow(name), nil
		}
		return c.firstNew(ctx, name, ignored)
	case !c.scope.holds(name):
		return "", nil
	}
	if _, staged := c.staged[name]; !staged && ignored.match(name, false) {
		return "", nil
	}
	return name, nil
}

// stagedBelow finds a file of an ignored directory that was added by force, counts and
// is on disk, but not committed; "" for none.
func (c *comparison) stagedBelow(dir string) string {
	first := ""
	for name := range c.staged {
		if _, committed := c.committed[name]; committed || !within(name, dir) || !c.scope.holds(name) || first != "" && first < name {
			continue
		}
		if _, err := os.Lstat(c.path(name)); err == nil {
			first = name
		}
	}
	return first
}
