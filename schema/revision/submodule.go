package revision

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/go-git/go-git/v5/plumbing/object"
)

// inSubmodule is why a file is not in a commit: its directory stands for a commit of
// another repository. It counts as fs.ErrNotExist.
type inSubmodule struct{ dir string }

func (e inSubmodule) Error() string {
	return fmt.Sprintf("is in the submodule %q, whose files another repository holds", e.dir)
}
func (e inSubmodule) Unwrap() error { return fs.ErrNotExist }

// Fix says what to do about it.
func (e inSubmodule) Fix() string {
	return "keep a copy in this repository, or read the work tree with its submodules checked out"
}

// notCheckedOut is why a file is not in a work tree: nobody fetched the submodule that it is
// in. It counts as fs.ErrNotExist.
type notCheckedOut struct{ dir string }

func (e notCheckedOut) Error() string {
	return fmt.Sprintf("is in the submodule %q, which is not checked out", e.dir)
}
func (e notCheckedOut) Unwrap() error { return fs.ErrNotExist }

// Fix says what to do about it.
func (e notCheckedOut) Fix() string {
	return fmt.Sprintf("run: git submodule update --init %s; in a pipeline let the checkout fetch submodules", e.dir)
}

// withFix is an error that says in itself what to do.
func withFix(err error) error {
	var known interface{ Fix() string }
	if !errors.As(err, &known) {
		return err
	}
	return fmt.Errorf("%w; %s", err, known.Fix())
}

// absent explains that a path is not in the work tree, or has nothing in it: it may be in a
// submodule of the commit that is not checked out. Otherwise it is nil.
func (d diskFS) absent(name string) error {
	if d.commit == nil {
		return nil
	}
	_, err := d.commit.find("stat", path.Join(name, "x"), true)
	var in inSubmodule
	if !errors.As(err, &in) {
		return nil
	}
	if entries, err := d.files.ReadDir(in.dir); err == nil && len(entries) > 0 {
		return nil
	}
	return notCheckedOut(in)
}

// checkedOut keeps which commit a work tree is of.
func (t *Tree) checkedOut(repo *repository, commit *object.Commit) {
	t.repo, t.commit = repo, commit
	if files, ok := t.FS.(diskFS); ok && commit != nil {
		files.commit = newCommitFS(repo.store, commit)
		t.FS = files
	}
}

// fetched gives an error where the directory of the description is in a submodule that is
// not checked out.
func (t Tree) fetched(path string) error {
	if files, ok := t.FS.(diskFS); ok {
		if err := files.absent(t.Dir); err != nil {
			return fmt.Errorf("%s: %w", path, withFix(err))
		}
	}
	return nil
}

// missing explains why the directory of a description is not there.
func (p place) missing(path string, err error) error {
	if p.gitDir == "" || p.root == "" || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	t, opened := diskTree(p.root, p.dir, Facts{})
	repo, read := p.open()
	if opened != nil || read != nil {
		return err
	}
	head, read := repo.head()
	if read != nil {
		return err
	}
	t.checkedOut(repo, head.commit)
	return cmp.Or(t.fetched(path), err)
}
