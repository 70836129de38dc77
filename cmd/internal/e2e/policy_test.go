package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// git runs git in the world's directory, with nothing of this machine's own settings,
// and gives what it prints.
func (w *world) git(args ...string) string {
	w.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		w.t.Fatalf("git %v: %v\n%s%s", args, err, out.Bytes(), errOut.Bytes())
	}
	return strings.TrimSpace(out.String())
}

// refused checks that plan and apply refuse with these words and write nothing.
func (w *world) refused(word string, args ...string) {
	w.t.Helper()
	before := w.countWrites()
	for _, command := range [][]string{{"plan"}, {"apply", "--yes"}} {
		if o := w.must(6, append(command, args...)...); !strings.Contains(o.out, word) {
			w.t.Errorf("%v does not say %q:\n%s", command, word, o.out)
		}
	}
	if n := w.countWrites() - before; n > 0 {
		w.t.Errorf("%d writes of what was refused", n)
	}
}

// A policy that asks for a clean tree refuses what is not committed, also a file far
// from the description that its overlay reads; what only looks goes on.
func TestCleanPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.railed = true
	sites, links := hubAndSpoke()
	sites[0].extra += `, overlay: "overlay"`
	w.describe(sites, links)
	w.file("policy.cue", "package test\npolicy: clean: true\n")
	w.file("overlay/kustomization.yaml", "labels: [{pairs: {team: x}}]\n")
	w.git("init", "-q")
	w.refused("is not committed, and policy.clean asks for it")
	w.git("add", "-A")
	w.git("commit", "-qm", "x")
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	w.file("overlay/kustomization.yaml", "labels: [{pairs: {team: z}}]\n")
	w.refused("refused: work tree: overlay/kustomization.yaml is not as committed")
	w.must(0, "drift")
	w.must(0, "status")
	w.must(0, "vet")
	w.must(0, "apply", "--yes", "--rev", "HEAD")
	w.git("commit", "-qam", "y")
	w.must(0, "apply", "--yes")
	w.must(0, "plan", "--detailed-exitcode")
}

// A policy with signers refuses a commit that none of them signed; --signers goes
// before the list that the revision itself has.
func TestSignersPolicy(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("there is no ssh-keygen to sign with")
	}
	w := newWorld(t)
	w.railed = true
	keys := t.TempDir()
	lists := map[string]string{}
	for _, name := range []string{"alice", "bob"} {
		file := filepath.Join(keys, name)
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		public, err := os.ReadFile(file + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		lists[name] = file + ".allowed"
		writeFile(t, lists[name], name+"@example.com "+string(public))
	}
	sign := func(name string) {
		w.git("add", "-A")
		w.git("-c", "gpg.format=ssh", "-c", "user.signingkey="+filepath.Join(keys, name), "commit", "-q", "-S", "-m", "x")
	}
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	w.file("policy.cue", "package test\npolicy: signers: [\"allowed\"]\n")
	list, err := os.ReadFile(lists["alice"])
	if err != nil {
		t.Fatal(err)
	}
	w.file("allowed", string(list))
	w.git("init", "-q")
	sign("bob")
	w.refused("which is not listed; policy.signers lists who may sign")
	w.file("note", "")
	sign("alice")
	w.must(0, "apply", "--yes")
	w.settled(sites, links)
	w.refused("which is not listed; --signers lists who may sign", "--signers", lists["bob"])
	links[0].cost = 4
	w.describe(sites, links)
	w.refused("net.cue is not as committed, so no signature covers it")
	w.must(0, "drift")
	w.must(0, "status")
	w.git("commit", "-qam", "unsigned")
	w.refused("is not signed")
	w.must(0, "plan", "--detailed-exitcode", "--rev", "HEAD~1")
	w.file("note", "again")
	sign("alice")
	w.must(0, "apply", "--yes", "--signers", lists["bob"], "--signers", lists["alice"])
	w.must(0, "plan", "--detailed-exitcode")
}
