// Package revision opens a git revision, or the work tree, as a read-only fs.FS
// together with its commit facts. It never writes: not to the work tree, not to
// the index, not to the object database.
package revision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing/object"

	"fairlead.dev/fairlead/schema/revision/signature"
)

var (
	// ErrNotRepository is wrapped when no repository holds the path.
	ErrNotRepository = errors.New("not in a git repository")
	// ErrUnknownRevision is wrapped when a revision names no commit of the
	// repository.
	ErrUnknownRevision = errors.New("no such revision")
	// ErrShallow is wrapped when a revision lies beyond the boundary of a
	// shallow clone.
	ErrShallow = errors.New("history ends here, the clone is shallow")
	// ErrIncomplete is wrapped when an object is not in the repository, as in a
	// partial clone.
	ErrIncomplete = errors.New("object is missing")
	// ErrUnsupported is wrapped when the repository has a format that cannot be
	// read, such as SHA-256 objects or reftable references.
	ErrUnsupported = errors.New("unsupported repository format")
	// ErrEscape is wrapped when a symbolic link leads out of the tree.
	ErrEscape = errors.New("symbolic link leads out of the tree")
)

// Facts are the commit facts of a tree. All are empty outside a repository.
type Facts struct {
	// Commit is the full hash, "" when there is no commit yet.
	Commit string `json:"commit"`
	// Ref is a short branch or tag name. For the work tree it is the branch that
	// is checked out, "" when HEAD is detached. For a revision asked for by name
	// it is that name, shortened; "" for a hash or for a relative revision such
	// as main~1, which no name stands for.
	Ref string `json:"ref"`
	// Dirty is set only for a work tree: there is something Changed or Untracked. What
	// counts is every file under the package's directory, and every .cue file of the
	// CUE module around it; without a module, the .cue files directly in the parent
	// directories. Ignored files do not count, nor do differences in line endings
	// alone. Files elsewhere, and ignored ones, are told by Tree.Uncommitted.
	Dirty bool `json:"dirty"`
	// Changed is the first committed file, by name, that is different or gone on disk,
	// a slash path from the root of the tree; "" for none.
	Changed string `json:"changed,omitempty"`
	// Absent is the first committed file, by name, that is not on disk and is meant not to
	// be, as in a sparse checkout, and that comes before Changed; "" for none. It makes
	// nothing dirty, but what is read is not all that was committed.
	Absent string `json:"absent,omitempty"`
	// Untracked is a file that is not in the commit, nor ignored; "" for none.
	Untracked string `json:"untracked,omitempty"`
	// Committed is the commit's time, RFC 3339 in UTC.
	Committed string `json:"committed"`
	// Remote is the URL of the remote origin without credentials, "" if none.
	Remote string `json:"remote"`
}

// Tree is a tree of files to read a description from.
type Tree struct {
	// FS is read-only and confined to the tree: symbolic links are followed as
	// long as they stay inside, otherwise the error wraps ErrEscape.
	FS fs.FS
	// Dir is the package's directory inside FS, a slash path, "." for the root.
	Dir   string
	Facts Facts
	// Root is the absolute path of FS's root on disk, "" when FS holds a commit.
	Root string
	// Unread says why nothing is known of the commit that a work tree is of, nil when all
	// is: the repository has a format that cannot be read, or is damaged. The facts are
	// then zero.
	Unread error
	// repo and commit are nil outside a repository, commit also before the first one.
	repo   *repository
	commit *object.Commit
}

// WorkTree opens the work tree that holds path, a directory. Outside a repository
// the tree is rooted at the nearest parent that has a cue.mod, or else at path
// itself, and the facts are zero. A bare repository has no work tree and is an
// error. One that cannot be read is none: its work tree can be, and Unread is set.
func WorkTree(ctx context.Context, path string) (t Tree, err error) {
	defer guard(path, &err)
	place, err := locate(path)
	if err != nil {
		return Tree{}, err
	}
	if err := mustBeDir(path); err != nil {
		return Tree{}, place.missing(path, err)
	}
	if place.gitDir == "" {
		return plainTree(path)
	}
	if place.root == "" {
		return Tree{}, fmt.Errorf("%s: bare repository, which has no work tree; name a revision to read", path)
	}
	if t, err = diskTree(place.root, place.dir, Facts{}); err != nil {
		return Tree{}, err
	}
	t.Unread = t.learn(ctx, place)
	return t, cmp.Or(ctx.Err(), t.fetched(path))
}

// learn sets the facts of a work tree.
func (t *Tree) learn(ctx context.Context, place place) (err error) {
	defer guard(place.name(), &err)
	repo, err := place.open()
	if err != nil {
		return err
	}
	facts, commit, err := repo.workFacts(ctx)
	if err != nil {
		return err
	}
	t.Facts = facts
	t.checkedOut(repo, commit)
	return nil
}

// At opens path as of rev in the repository that holds path: a directory of a work
// tree (a linked one too), or a bare repository or .git directory, optionally
// followed by a subdirectory. The path need not exist on disk, only at rev. Rev is
// a branch, tag, remote-tracking branch, full or abbreviated hash, or a full
// reference name, optionally followed by ~N, ^N, ^{} or ^{commit}.
// Objects are read when they are needed; nothing is checked out. Where the path does not
// exist at rev, the tree comes with an error that wraps fs.ErrNotExist.
func At(ctx context.Context, path, rev string) (t Tree, err error) {
	defer guard(path, &err)
	repo, err := openAt(path, rev)
	if err != nil {
		return Tree{}, err
	}
	place := repo.place
	found, err := repo.resolve(ctx, rev)
	if err != nil {
		return Tree{}, fmt.Errorf("revision %q: %w", rev, err)
	}
	fsys := newCommitFS(repo.store, found.commit)
	t = Tree{
		FS: fsys, Dir: place.dir, Facts: repo.commitFacts(found.commit, found.ref), repo: repo, commit: found.commit,
	}
	if err := fsys.mustHaveDir(place.dir); err != nil {
		return t, fmt.Errorf("%s: at revision %q: %w", place.dir, rev, err)
	}
	return t, nil
}

// Incomplete gives the first file of a revision that was asked for and is not in the
// repository, as an error that wraps ErrIncomplete and says how to get it; nil for none.
// Whatever was made of the tree is then not to be trusted.
func (t Tree) Incomplete() error {
	if fsys, ok := t.FS.(*commitFS); ok {
		return fsys.incomplete()
	}
	return nil
}

// Signature holds the signature of the tree's commit against the keys. A tag's
// signature does not count: it is not the commit's. Nothing but the keys is asked, no
// program and no web of trust. Keys of OpenPGP have to be valid today, those of SSH
// within their window at the time of the commit.
func (t Tree) Signature(keys signature.Keys) signature.Signature {
	if t.commit == nil {
		return signature.Signature{Fault: "does not exist: nothing is committed here"}
	}
	return signature.Verify(t.commit, keys)
}

func mustBeDir(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", path, noDir{})
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case !info.IsDir():
		return fmt.Errorf("%s: is a file; name the directory of the description", path)
	}
	return nil
}

// noDir says that a directory is not there; it counts as fs.ErrNotExist.
type noDir struct{ hint string }

func (e noDir) Error() string { return "no such directory" + e.hint }
func (e noDir) Unwrap() error { return fs.ErrNotExist }

func plainTree(path string) (Tree, error) {
	dir, err := filepath.Abs(path)
	if err != nil {
		return Tree{}, fmt.Errorf("%s: %w", path, err)
	}
	root := dir
	if found, ok := moduleRoot(dir, ""); ok {
		root = found
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return Tree{}, fmt.Errorf("%s: %w", path, err)
	}
	return diskTree(root, filepath.ToSlash(rel), Facts{})
}

// moduleRoot finds the nearest directory from dir upwards that has a cue.mod. It
// looks no higher than top, when that is not empty.
func moduleRoot(dir, top string) (string, bool) {
	for {
		if _, err := os.Stat(filepath.Join(dir, "cue.mod")); err == nil {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if dir == top || parent == dir {
			return "", false
		}
		dir = parent
	}
}

// guard turns a panic, which a damaged repository may cause while it is parsed,
// into an error.
func guard(subject string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: unreadable, the repository may be damaged (%v); run git fsck", subject, r)
	}
}
