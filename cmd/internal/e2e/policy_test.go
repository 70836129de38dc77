package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
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

// refused checks that whatever reaches a cluster refuses with these words, and asks none.
func (w *world) refused(word string, args ...string) {
	w.t.Helper()
	w.rewire()
	for _, command := range [][]string{{"plan"}, {"apply", "--yes"}, {"drift"}, {"status"}, {"unlock", "--cluster", "one", "nobody"}} {
		if o := w.must(6, append(command, args...)...); !strings.Contains(o.errOut, word) {
			w.t.Errorf("%v does not say %q:\n%s", command, word, o.errOut)
		}
	}
	if n := w.requestsTo(0) + w.requestsTo(1); n > 0 {
		w.t.Errorf("%d requests about what was refused", n)
	}
}

// A policy that asks for a clean tree refuses what is not committed, also a file far
// from the description that its overlay reads.
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
	w.must(0, "vet")
	w.must(0, "drift", "--rev", "HEAD")
	w.must(0, "status", "--rev", "HEAD")
	w.must(0, "apply", "--yes", "--rev", "HEAD")
	w.git("commit", "-qam", "y")
	w.must(0, "apply", "--yes")
	w.must(0, "plan", "--detailed-exitcode")
}

// signed gives the world's description a policy by which alice has to sign, a repository,
// the lists of who may sign by their names, and what commits everything as one of them.
func (w *world) signed() (lists map[string]string, sign func(name string)) {
	w.t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		w.t.Skip("there is no ssh-keygen to sign with")
	}
	keys := w.t.TempDir()
	lists = map[string]string{}
	for _, name := range []string{"alice", "bob"} {
		file := filepath.Join(keys, name)
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file).CombinedOutput(); err != nil {
			w.t.Fatalf("%v\n%s", err, out)
		}
		public, err := os.ReadFile(file + ".pub")
		if err != nil {
			w.t.Fatal(err)
		}
		list := name + "@example.com " + string(public)
		lists[name] = file + ".allowed"
		writeFile(w.t, lists[name], list)
		if name == "alice" {
			w.file("allowed", list)
		}
	}
	w.file("policy.cue", "package test\npolicy: signers: [\"allowed\"]\n")
	w.git("init", "-q")
	return lists, func(name string) {
		w.git("add", "-A")
		w.git("-c", "gpg.format=ssh", "-c", "user.signingkey="+filepath.Join(keys, name), "commit", "-q", "-S", "-m", "x")
	}
}

// A policy with signers refuses a commit that none of them signed; --signers goes
// before the list that the revision itself has.
func TestSignersPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.railed = true
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	lists, sign := w.signed()
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
	w.must(0, "drift", "--rev", "HEAD")
	w.must(0, "status", "--rev", "HEAD")
	w.git("commit", "-qam", "unsigned")
	w.refused("is not signed")
	w.must(0, "plan", "--detailed-exitcode", "--rev", "HEAD~1")
	w.file("note", "again")
	sign("alice")
	w.must(0, "apply", "--yes", "--signers", lists["bob"], "--signers", lists["alice"])
	w.must(0, "plan", "--detailed-exitcode")
}

// A plan does not hold who signed its commit: one that was made of an unsigned commit is
// applied at a signed one, as is one of an older build that holds the refusal; at an
// unsigned commit none is, and no flag lifts that.
func TestSignedWhereItIsApplied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.railed = true
	sites, links := hubAndSpoke()
	w.describe(sites, links)
	_, sign := w.signed()
	w.git("add", "-A")
	w.git("commit", "-qm", "a test merge")
	flag := strings.Fields(allowFlag.FindString(w.must(6, "plan", "-o", "plan.json").errOut))
	if len(flag) != 2 {
		t.Fatalf("the refusal shows no flag: %v", flag)
	}
	w.must(0, "plan", "-o", "plan.json", flag[0], flag[1])
	p := w.readPlan("plan.json")
	if len(p.Refusals) > 0 {
		t.Errorf("the plan holds %+v", p.Refusals)
	}
	p.Refusals = []plan.Refusal{{Code: plan.Unsigned, Subject: "commit", Message: "is not signed", Number: 1}}
	p.ID = plan.Identify(p)
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	w.file("older.json", string(data))

	w.rewire()
	for _, name := range []string{"plan.json", "older.json"} {
		w.says(w.must(6, "apply", "--plan", name), "is not signed; policy.signers lists who may sign")
		w.says(w.must(3, "apply", "--plan", name, flag[0], flag[1]), "does not go with --plan")
		w.says(w.must(3, "apply", "--plan", name, "--allow", "unsigned:1@"+strings.TrimPrefix(p.ID, "sha256:")), "does not go with --plan")
	}
	if n := w.requestsTo(0) + w.requestsTo(1); n > 0 {
		t.Errorf("%d requests about what was refused", n)
	}
	sign("alice")
	w.must(0, "apply", "--plan", "older.json")
	w.settled(sites, links)
	w.must(0, "apply", "--plan", "plan.json")
}
