package revision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// ignores are patterns of files to leave out, the last that matches wins.
type ignores []gitignore.Pattern

func (p ignores) match(name string, isDir bool) bool {
	return gitignore.NewMatcher(p).Match(strings.Split(name, "/"), isDir)
}

// with adds the patterns of the directory's own .gitignore.
func (p ignores) with(root, dir string) (ignores, error) {
	var domain []string
	if dir != "." {
		domain = strings.Split(dir, "/")
	}
	own, err := readIgnores(filepath.Join(root, filepath.FromSlash(dir), ".gitignore"), domain)
	return append(slices.Clip(p), own...), err
}

// sharedIgnores are the patterns that hold for the whole work tree: the user's own
// and those of the repository's info/exclude.
func (r *repository) sharedIgnores() (ignores, error) {
	user, err := readIgnores(userIgnoreFile(r.settings), nil)
	if err != nil {
		return nil, err
	}
	shared, err := readIgnores(filepath.Join(r.commonDir, "info", "exclude"), nil)
	return append(user, shared...), err
}

// userIgnoreFile is core.excludesFile, or git's default for it; "" if there is no
// home directory. A configuration that cannot be read is taken for empty: what
// the user ignores everywhere is a convenience.
func userIgnoreFile(repo settings) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	xdg := os.Getenv("XDG_CONFIG_HOME")
	if xdg == "" {
		xdg = filepath.Join(home, ".config")
	}
	file := repo.last("core.excludesfile")
	for _, name := range []string{filepath.Join(home, ".gitconfig"), filepath.Join(xdg, "git", "config")} {
		if cfg, err := readSettings(name); err == nil && file == "" {
			file = cfg.last("core.excludesfile")
		}
	}
	if rest, ok := strings.CutPrefix(file, "~/"); ok {
		return filepath.Join(home, rest)
	}
	if file == "" {
		return filepath.Join(xdg, "git", "ignore")
	}
	return file
}

// readIgnores reads a file of patterns, which need not exist.
func readIgnores(file string, domain []string) (ignores, error) {
	if file == "" {
		return nil, nil
	}
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || isDir(file) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var out ignores
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			out = append(out, gitignore.ParsePattern(line, domain))
		}
	}
	return out, nil
}
