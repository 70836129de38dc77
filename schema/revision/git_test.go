package revision_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repo is a real repository made by the real git.
type repo struct {
	t   *testing.T
	dir string
}

func newRepo(t *testing.T, args ...string) repo {
	t.Helper()
	r := repo{t, filepath.Join(realTemp(t), "repo")}
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.git(append([]string{"init", "-q", "-b", "main"}, args...)...)
	return r
}

func realTemp(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// in is another directory of the same kind.
func (r repo) in(dir string) repo { return repo{r.t, dir} }

func (r repo) git(args ...string) string {
	r.t.Helper()
	out, err := r.tryGit(args...)
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (r repo) tryGit(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2026-01-02T03:04:05+02:00",
		"GIT_COMMITTER_NAME=c", "GIT_COMMITTER_EMAIL=c@example.com", "GIT_COMMITTER_DATE=2026-01-02T03:04:05+02:00",
		"GIT_ALLOW_PROTOCOL=file", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (r repo) write(name, content string) {
	r.t.Helper()
	file := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r repo) link(target, name string) {
	r.t.Helper()
	if err := os.Symlink(target, filepath.Join(r.dir, name)); err != nil {
		r.t.Fatal(err)
	}
}

func (r repo) commit(message string) string {
	r.t.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", message)
	return r.git("rev-parse", "HEAD")
}

// history makes five commits, a merge, branches, tags and a remote.
func (r repo) history() {
	r.t.Helper()
	r.write("cue.mod/module.cue", "module: \"example.com\"\n")
	for i := range 3 {
		r.write("prod/net.cue", fmt.Sprintf("package prod\nn: %d\n", i))
		r.write(fmt.Sprintf("step%d/x.cue", i), "package x\n")
		r.commit(fmt.Sprintf("commit %d", i))
		if i == 1 {
			r.git("tag", "light")
			r.git("tag", "-a", "-m", "annotated", "v1.2")
			r.git("tag", "-a", "-m", "nested", "v1.2-signed", "v1.2")
		}
	}
	r.git("checkout", "-q", "-b", "feature/one", "HEAD~1")
	r.write("side.cue", "package side\n")
	r.commit("side")
	r.git("checkout", "-q", "-b", "two", "HEAD~1")
	r.write("third.cue", "package third\n")
	r.commit("third")
	r.git("checkout", "-q", "main")
	r.git("merge", "-q", "--no-ff", "-m", "octopus", "feature/one", "two")
	r.git("branch", "beef", "HEAD~1")
	r.git("update-ref", "refs/remotes/origin/main", "HEAD~1")
	r.git("update-ref", "refs/remotes/origin/topic", "HEAD~2")
	r.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	r.git("config", "remote.origin.url", "https://user:secret@example.com/net.git?token=x")
}

// fingerprint covers every file below dir: name, mode, time and content.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	hash := sha256.New()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(hash, name, info.Mode(), info.ModTime().UnixNano())
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			hash.Write(content)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}
