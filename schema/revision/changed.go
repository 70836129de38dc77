package revision

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// Changed gives the paths of files that are not the same in two revisions of the repository
// that holds a path, slash paths from its root, sorted; never nil. What one of them lacks
// counts. Revisions are named as for At.
func Changed(ctx context.Context, in, from, to string) (files []string, err error) {
	defer guard(in, &err)
	repo, err := openAt(in, to)
	if err != nil {
		return nil, err
	}
	var trees [2]*commitFS
	for i, rev := range []string{from, to} {
		found, err := repo.resolve(ctx, rev)
		if err != nil {
			return nil, fmt.Errorf("revision %q: %w", rev, err)
		}
		trees[i] = newCommitFS(repo.store, found.commit)
	}
	c := changes{ctx: ctx, from: trees[0], to: trees[1], files: []string{}}
	err = c.compare("", trees[0].root, trees[1].root)
	return c.files, err
}

// Resolve gives the whole hash of the commit that a revision names, as for At.
func Resolve(ctx context.Context, in, rev string) (commit string, err error) {
	defer guard(in, &err)
	repo, err := openAt(in, rev)
	if err != nil {
		return "", err
	}
	found, err := repo.resolve(ctx, rev)
	if err != nil {
		return "", fmt.Errorf("revision %q: %w", rev, err)
	}
	return found.commit.Hash.String(), nil
}

// openAt opens the repository that holds a path, to read a revision from.
func openAt(path, rev string) (*repository, error) {
	place, err := locate(path)
	if err != nil {
		return nil, err
	}
	if place.gitDir == "" {
		return nil, fmt.Errorf("%s: %w; revision %q can be read only from one", path, ErrNotRepository, rev)
	}
	repo, err := place.open()
	if err != nil {
		return nil, fmt.Errorf("revision %q: %w", rev, err)
	}
	return repo, nil
}

// changes are gathered from two trees.
type changes struct {
	ctx      context.Context
	from, to *commitFS
	files    []string
}

// compare adds what differs at and below a name; a node without a mode is not there.
func (c *changes) compare(name string, a, b node) error {
	if a.mode == b.mode && a.hash == b.hash || c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	if a.mode != filemode.Dir && a.mode != 0 || b.mode != filemode.Dir && b.mode != 0 {
		c.files = append(c.files, name)
	}
	before, err := c.below(c.from, a)
	if err != nil {
		return err
	}
	after, err := c.below(c.to, b)
	if err != nil {
		return err
	}
	names := map[string][2]node{}
	for i, list := range [][]node{before, after} {
		for _, n := range list {
			pair := names[n.name]
			pair[i] = n
			names[n.name] = pair
		}
	}
	for _, n := range slices.Sorted(maps.Keys(names)) {
		pair := names[n]
		if err := c.compare(path.Join(name, n), pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

// below lists a directory; of anything else there is nothing.
func (c *changes) below(tree *commitFS, n node) ([]node, error) {
	if n.mode != filemode.Dir || n.hash == plumbing.ZeroHash {
		return nil, nil
	}
	l, err := tree.list(n.hash)
	if err != nil {
		return nil, err
	}
	return l.nodes, nil
}
