package revision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// Uncommitted gives those of the files, slash paths in FS, that are not what the commit
// holds under the same name, sorted: changed, new or ignored ones, and those that a
// symbolic link leads to. Line endings alone make no difference. The answer is empty
// for a revision; outside of a repository and before the first commit it is all files.
func (t Tree) Uncommitted(ctx context.Context, files []string) (different []string, err error) {
	defer guard("work tree", &err)
	if t.Root == "" {
		return nil, nil
	}
	var committed *commitFS
	if t.commit != nil {
		committed = newCommitFS(t.repo.store, t.commit)
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(files))) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		same, err := t.asCommitted(committed, path.Clean(name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if !same {
			different = append(different, name)
		}
	}
	return different, nil
}

// asCommitted reports whether reading a file gives what the commit gives.
func (t Tree) asCommitted(committed *commitFS, name string) (bool, error) {
	if committed == nil {
		return false, nil
	}
	n, err := committed.find("open", name, true)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) || errors.Is(err, ErrEscape) {
		return false, nil
	}
	if err != nil || n.mode == filemode.Dir {
		return false, err
	}
	c := &comparison{repo: t.repo}
	info, err := os.Stat(c.path(name))
	if errors.Is(err, fs.ErrNotExist) || err != nil && isNotDir(c.path(name)) {
		return false, nil
	}
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	changed, err := c.contentChanged(c.path(name), info.Size(), n)
	return !changed, err
}
