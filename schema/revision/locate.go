package revision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// place is where a path stands in relation to a repository.
type place struct {
	// gitDir holds HEAD, "" outside a repository; commonDir holds the objects and
	// is the same, but for a linked work tree.
	gitDir, commonDir string
	// root is the top of the work tree, "" for a bare repository.
	root string
	// dir is the path inside the tree, with slashes.
	dir string
}

// locate finds the repository around path, whose last elements need not exist.
func locate(path string) (place, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return place{}, fmt.Errorf("%s: %w", path, err)
	}
	real, err := realPath(abs)
	if err != nil {
		return place{}, fmt.Errorf("%s: %w", path, err)
	}
	found, err := climb(real)
	if err != nil || found.gitDir == "" {
		return found, err
	}
	// A link inside the repository keeps its own name: what it points to at a
	// revision is up to that revision.
	if asked, err := climb(abs); err == nil && sameRepository(asked, found) {
		found.dir = asked.dir
	}
	return found, nil
}

func sameRepository(a, b place) bool {
	if a.gitDir == "" || (a.root == "") != (b.root == "") {
		return false
	}
	top := func(p place) string {
		if p.root != "" {
			return p.root
		}
		return p.gitDir
	}
	real, err := filepath.EvalSymlinks(top(a))
	return err == nil && real == top(b)
}

// realPath resolves symbolic links in the part of path that exists.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil || filepath.Dir(path) == path {
		return real, err
	}
	if !errors.Is(err, fs.ErrNotExist) && !isNotDir(path) {
		return "", err
	}
	parent, err := realPath(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(path)), nil
}

// isNotDir reports whether a parent of path is a file, so that path cannot exist.
func isNotDir(path string) bool {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil {
			return !info.IsDir()
		}
		if filepath.Dir(dir) == dir {
			return false
		}
	}
}

// climb walks up from path to the first directory that is or has a repository.
func climb(path string) (place, error) {
	for dir := path; ; dir = filepath.Dir(dir) {
		p, err := repositoryAt(dir)
		if err != nil {
			return place{}, err
		}
		if p.gitDir != "" {
			rel, err := filepath.Rel(dir, path)
			p.dir = filepath.ToSlash(rel)
			return p, err
		}
		if filepath.Dir(dir) == dir {
			return place{}, nil
		}
	}
}

// repositoryAt gives the repository whose top is dir; none is not an error.
func repositoryAt(dir string) (place, error) {
	dotGit := filepath.Join(dir, ".git")
	info, err := os.Stat(dotGit)
	switch {
	case err == nil && info.IsDir() && isGitDir(dotGit):
		return withCommonDir(place{gitDir: dotGit, root: dir})
	case err == nil && info.Mode().IsRegular():
		gitDir, err := readGitFile(dotGit)
		if err != nil {
			return place{}, err
		}
		return withCommonDir(place{gitDir: gitDir, root: dir})
	case isGitDir(dir):
		return withCommonDir(place{gitDir: dir})
	}
	return place{}, nil
}

// isGitDir applies git's own test: a HEAD, references and objects.
func isGitDir(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return false
	}
	if _, err := os.Stat(filepath.Join(dir, "commondir")); err == nil {
		return true
	}
	return isDir(filepath.Join(dir, "objects")) && isDir(filepath.Join(dir, "refs"))
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// readGitFile follows the .git file of a linked work tree or a submodule.
func readGitFile(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	target, ok := strings.CutPrefix(string(content), "gitdir:")
	if !ok {
		return "", fmt.Errorf("%s: is not a link to a repository: no line gitdir: in it", file)
	}
	gitDir := absolute(strings.TrimSpace(target), filepath.Dir(file))
	if !isGitDir(gitDir) {
		return "", fmt.Errorf("%s: points to %s, which is not a repository; run git worktree repair there", file, gitDir)
	}
	return gitDir, nil
}

func withCommonDir(p place) (place, error) {
	p.commonDir = p.gitDir
	file := filepath.Join(p.gitDir, "commondir")
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return place{}, fmt.Errorf("%s: %w", file, err)
	}
	p.commonDir = absolute(strings.TrimSpace(string(content)), p.gitDir)
	if !isDir(filepath.Join(p.commonDir, "objects")) {
		return place{}, fmt.Errorf("%s: points to %s, which is not a repository; run git worktree repair", file, p.commonDir)
	}
	return p, nil
}

func absolute(path, base string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(base, path)
}
