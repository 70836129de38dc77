package overlay

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// errGit is why a path in git's own directory cannot be read. What stands there is
// not the repository's content, and may hold credentials.
var errGit = errors.New("is inside .git")

// errUnresolved is why a path is not read whose symbolic links cannot be followed.
var errUnresolved = errors.New("leads through symbolic links that do not end in the tree")

// fixGit says what to do about errGit.
const fixGit = "keep everything that an overlay reads among the files of the repository"

// guarded is a tree without git's own directory, whatever symbolic links lead there.
type guarded struct{ tree fs.FS }

// check gives an error for a path that must not be read, and nil for any other.
func (g guarded) check(op, name string) error {
	to, ok := follow(g.tree, name)
	if slices.ContainsFunc(strings.Split(name+"/"+to, "/"), isGit) {
		return &fs.PathError{Op: op, Path: name, Err: errGit}
	}
	if ok {
		return nil
	}
	if _, err := fs.Stat(g.tree, name); err != nil { // it says better what is wrong
		return err
	}
	return &fs.PathError{Op: op, Path: name, Err: errUnresolved}
}

// isGit tells git's own directory, by each name that some file system has for it:
// in any case, with dots and spaces behind, with a stream's name, and short.
func isGit(segment string) bool {
	segment, _, _ = strings.Cut(segment, ":")
	segment = strings.TrimRight(segment, ". ")
	return strings.EqualFold(segment, ".git") || strings.EqualFold(segment, "git~1")
}

// Open opens a file of the tree.
func (g guarded) Open(name string) (fs.File, error) {
	if err := g.check("open", name); err != nil {
		return nil, err
	}
	return g.tree.Open(name)
}

// ReadFile reads a file of the tree.
func (g guarded) ReadFile(name string) ([]byte, error) {
	if err := g.check("open", name); err != nil {
		return nil, err
	}
	return fs.ReadFile(g.tree, name)
}

// ReadDir lists a directory of the tree, sorted by name.
func (g guarded) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := g.check("open", name); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(g.tree, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return isGit(e.Name()) }), err
}

// Stat tells what a path leads to.
func (g guarded) Stat(name string) (fs.FileInfo, error) {
	if err := g.check("stat", name); err != nil {
		return nil, err
	}
	return fs.Stat(g.tree, name)
}

// Lstat is Stat, but does not follow a symbolic link at the end of the path.
func (g guarded) Lstat(name string) (fs.FileInfo, error) {
	if err := g.check("lstat", path.Dir(name)); err != nil {
		return nil, err
	}
	return fs.Lstat(g.tree, name)
}

// ReadLink gives the target of a symbolic link; what it leads to is for others to check.
func (g guarded) ReadLink(name string) (string, error) { return fs.ReadLink(g.tree, name) }

// mostLinks is how many symbolic links one path may lead through.
const mostLinks = 40

// resolved follows the symbolic links of a path, as kustomize does before it looks at
// what stands beside or above a directory. A path that cannot be resolved inside the
// tree is left as it is: reading it tells why.
func resolved(tree fs.FS, name string) string {
	to, _ := follow(tree, name)
	return to
}

// follow is resolved, and tells whether the path could be resolved. What follows a
// link is taken from where the link leads, as the operating system does it.
func follow(tree fs.FS, name string) (to string, ok bool) {
	done, todo := ".", strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		step := todo[0]
		todo = todo[1:]
		if step == ".." && done == "." {
			return name, false
		}
		at := path.Join(done, step)
		if step == ".." || at == done {
			done = at
			continue
		}
		target, err := fs.ReadLink(tree, at)
		if err != nil { // not a link
			done = at
			continue
		}
		if links++; links > mostLinks || path.IsAbs(target) {
			return name, false
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return done, true
}
