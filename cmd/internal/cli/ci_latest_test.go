package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/forge/forgetest"
)

// scattered is a repository whose description in network reads files elsewhere, most of
// them without a telling name.
func scattered(t *testing.T) (dir string, write func(name, content string) string) {
	t.Helper()
	dir = t.TempDir()
	gitIn(t, dir, "init", "-q", "-b", "main")
	write = func(name, content string) string {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		gitIn(t, dir, "add", "-A")
		gitIn(t, dir, "commit", "-qm", name)
		return gitIn(t, dir, "rev-parse", "HEAD")
	}
	write("network/net.cue", "package network\nnetwork: \"retail\"\nclusters: c: {context: \"c\"}\noverlay: \"over\"\n"+
		"sites: a: {cluster: \"c\", namespace: \"a\", linkAccess: \"default\"}\nsites: b: {cluster: \"c\", namespace: \"b\"}\n"+
		"proxies: p: {host: \"p\", port: 1, username: file: \"../keys/user\", password: age: file: \"../keys/password\"}\n"+
		"links: l: {from: \"b\", to: \"a\", proxy: \"p\"}\n")
	write("network/over/kustomization.yaml", "resources: [../../base]\n")
	write("shared/Kustomization", "configMapGenerator: [{name: motd, files: [motd.txt]}]\n")
	write("shared/motd.txt", "hello\n")
	if err := os.Symlink("shared", filepath.Join(dir, "base")); err != nil {
		t.Fatal(err)
	}
	return dir, write
}

// What matters is what loading the description read, wherever it is and whatever it is
// called, and nothing else, by the forge's list of files and by the repository's own.
func TestCILatestByWhatIsRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file string
		code int
	}{
		{"shared/motd.txt", exitStale}, {"shared/Kustomization", exitStale}, {"shared/kustomization.yml", exitStale},
		{"keys/user", exitStale}, {"keys/password", exitStale}, {"network/new.txt", exitStale}, {"above.cue", exitStale}, {"base", exitStale},
		{"other/net.cue", exitOK}, {"other/kustomization.yaml", exitOK}, {"deploy.yaml", exitOK}, {"package.json", exitOK}, {"shared/README.md", exitOK},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			dir, write := scattered(t)
			commit := write("README.md", "x\n")
			if c.file == "base" {
				if err := os.Remove(filepath.Join(dir, "base")); err != nil {
					t.Fatal(err)
				}
			}
			tip := write(c.file, "changed: true\n")
			gitIn(t, dir, "checkout", "-q", "--detach", commit)
			stand := forgetest.New(t, "github")
			stand.SetTip("main", tip)
			stand.SetSince(commit, []string{c.file})
			for _, args := range [][]string{{"ci", "latest"}, {"ci", "latest", "--tip", tip}, {"ci", "latest", "--tip", "main"}} {
				args = append(args, "--description", "network")
				code, _, errOut := runIn(dir, stand.Env(0, commit), args...)
				if code != c.code || code == exitStale && !strings.Contains(errOut, c.file+" is of the description") {
					t.Errorf("%v: exit %d, want %d: %s", args, code, c.code, errOut)
				}
			}
		})
	}
}

// With a revision of the repository no forge is asked, and no token is needed. What is
// invalid is judged by every file.
func TestCILatestOfTheRepository(t *testing.T) {
	t.Parallel()
	dir, write := scattered(t)
	write("network/broken.cue", "package network\nsites: 3\n")
	commit := write("one.txt", "x\n")
	tip := write("two.txt", "x\n")
	env := forgetest.New(t, "gitlab").Env(0, commit)
	delete(env, "FAIRLEAD_GITLAB_TOKEN")
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{exitOK, []string{"--tip", commit}, "is the last one"},
		{exitStale, []string{"--tip", tip}, "this job is for commit " + commit + ", and the branch is at " + tip},
		{exitStale, []string{"--tip", tip, "--description", "network"}, "each file matters"},
		{exitInvalid, []string{"--tip", "nowhere"}, `--tip: revision "nowhere"`},
	} {
		code, _, errOut := runIn(dir, env, append([]string{"ci", "latest"}, c.args...)...)
		if code != c.code || !strings.Contains(errOut, c.want) {
			t.Errorf("%v: exit %d, want %d and %q: %s", c.args, code, c.code, c.want, errOut)
		}
	}
}
