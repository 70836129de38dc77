package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
)

// repository is one with a description, and SSH keys beside it to sign with.
type repository struct {
	t *testing.T
	// dir is the work tree, keys the folder of the keys.
	dir, keys string
}

const policed = `package n

network: "n"
clusters: a: kubeconfig: file: "none"
sites: {
	hub: {cluster: "a", namespace: "hub", linkAccess: "default", overlay: "../overlay"}
	shop: {cluster: "a", namespace: "shop"}
}
links: l: {from: "shop", to: "hub"}
policy: {POLICY}
`

func newRepository(t *testing.T, policy string) repository {
	t.Helper()
	for _, program := range []string{"git", "ssh-keygen"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s", program)
		}
	}
	root := t.TempDir()
	r := repository{t, filepath.Join(root, "repo"), filepath.Join(root, "keys")}
	for _, name := range []string{"alice", "bob"} {
		file := filepath.Join(r.keys, name)
		writeAt(t, file+".who", "")
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		public, err := os.ReadFile(file + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		writeAt(t, file+".allowed", name+"@example.com "+string(public))
	}
	r.write("net/net.cue", strings.Replace(policed, "POLICY", policy, 1))
	r.write("overlay/kustomization.yaml", "labels: [{pairs: {team: x}}]\nresources: [../base]\n")
	r.write("base/kustomization.yaml", "resources: [map.yaml]\n")
	r.write("base/map.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: b}}\n")
	r.write(".gitignore", "*.local.cue\nignored.yaml\n")
	r.write("keys/allowed", r.allowed("alice"))
	r.git("init", "-q", "-b", "main")
	r.git("config", "gpg.format", "ssh")
	return r
}

func (r repository) write(name, text string) {
	r.t.Helper()
	writeAt(r.t, filepath.Join(r.dir, filepath.FromSlash(name)), text)
}

// allowed is the line of a list of allowed signers.
func (r repository) allowed(name string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.keys, name+".allowed"))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

func (r repository) git(args ...string) string {
	r.t.Helper()
	return gitIn(r.t, r.dir, args...)
}

// commit commits everything, signed by somebody or, without a name, by nobody.
func (r repository) commit(by string) {
	r.t.Helper()
	r.git("add", "-A")
	args := []string{"commit", "-q", "--allow-empty", "-m", "a commit"}
	if by != "" {
		args = append([]string{"-c", "user.signingkey=" + filepath.Join(r.keys, by)}, append(args, "-S")...)
	}
	r.git(args...)
}

// vet gives what vet finds, each as its text.
func (r repository) vet(args ...string) (code int, found []string) {
	r.t.Helper()
	code, out, errOut := runIn(filepath.Join(r.dir, "net"), nil, append([]string{"vet", "--format", "json"}, args...)...)
	var got struct{ Findings diag.List }
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		r.t.Fatalf("%v\n%s%s", err, out, errOut)
	}
	for _, f := range got.Findings {
		found = append(found, f.String())
	}
	return code, found
}

// finds checks what vet finds: nothing without a text, otherwise one finding with it.
func (r repository) finds(code int, want string, args ...string) {
	r.t.Helper()
	got, found := r.vet(args...)
	if got != code || (want == "") != (len(found) == 0) || len(found) > 0 && !strings.Contains(found[0], want) || len(found) > 1 {
		r.t.Errorf("vet %v: exit %d, found %q, want %q", args, got, found, want)
	}
}

// Whatever a description reads has to be committed where its policy wants a clean tree:
// overlays elsewhere in the repository, their bases, and files that git ignores.
func TestCleanCoversWhatIsRead(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]struct{ file, text, want string }{
		"the description":    {"net/net.cue", strings.Replace(policed, "POLICY", "clean: true}\n_x: {", 1), "net.cue is not as committed"},
		"a new file":         {"net/new.cue", "package n\n", "new.cue is not as committed"},
		"an ignored file":    {"net/x.local.cue", "package n\n", "x.local.cue is not as committed"},
		"an overlay":         {"overlay/kustomization.yaml", "resources: [../base]\n", "../overlay/kustomization.yaml is not as committed"},
		"a base":             {"base/map.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: c}}\n", "../base/map.yaml is not as committed"},
		"a file of nothing":  {"base/other.yaml", "", ""},
		"a file beside it":   {"net/plan.json", "{}", "plan.json is not committed"},
		"keys that are read": {"keys/allowed", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, "clean: true")
			r.commit("")
			r.finds(0, "")
			r.write(change.file, change.text)
			r.finds(0, change.want)
			r.finds(0, "", "--rev", "HEAD")
		})
	}
	r := newRepository(t, "clean: true")
	r.write("overlay/kustomization.yaml", "resources: [../base, ignored.yaml]\n")
	r.write("overlay/ignored.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: i}}\n")
	r.commit("")
	r.finds(0, "../overlay/ignored.yaml is not as committed")
}

func TestSigners(t *testing.T) {
	t.Parallel()
	r := newRepository(t, `signers: ["../keys/allowed"]`)
	r.commit("alice")
	r.finds(0, "")
	r.write("net/plan.json", "{}")
	r.finds(0, "") // not read
	r.write("base/map.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: c}}\n")
	r.finds(0, "../base/map.yaml is not as committed, so no signature covers it")
	r.finds(0, "", "--rev", "HEAD")
	r.commit("bob")
	r.finds(0, "which is not listed")
	r.finds(0, "", "--rev", "HEAD~1")
	r.commit("")
	r.finds(0, "net.cue:10:19: warning: commit "+r.git("rev-parse", "HEAD")[:12]+": is not signed; policy.signers lists who may sign")
	r.git("tag", "v1", "HEAD~2")
	r.finds(0, "", "--rev", "v1")
	// The list is that of the revision: whoever may change it may add a key.
	r.write("keys/allowed", r.allowed("alice")+r.allowed("bob"))
	r.finds(0, "keys/allowed is not as committed")
	r.commit("bob")
	r.finds(0, "")
}

// A checkout that leaves something out is not what was committed, nor what was signed.
func TestPolicyOfSparseCheckout(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]string{
		"clean: true":                  "net/more.cue is committed and not checked out, and policy.clean asks for all that is committed",
		`signers: ["../keys/allowed"]`: "net/more.cue is committed and not checked out, so what is read is not what was signed, and policy.signers asks for that",
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, policy)
			r.write("net/more.cue", "package n\n\nsites: extra: {cluster: \"a\", namespace: \"extra\"}\nlinks: e: {from: \"extra\", to: \"hub\"}\n")
			r.commit("alice")
			r.finds(0, "")
			r.git("config", "core.sparseCheckout", "true")
			r.write(".git/info/sparse-checkout", "/*\n!/net/more.cue\n")
			r.git("read-tree", "-mu", "HEAD")
			r.finds(0, strings.TrimPrefix(want, "net/"))
			r.finds(0, "", "--rev", "HEAD")
		})
	}
}

func TestSignersMistakes(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]string{
		`signers: ["../keys/none"]`:                                "net.cue:10:19: error: policy.signers: ../keys/none: no such file; name a file with the keys",
		`signers: ["../../keys/allowed"]`:                          "net.cue:10:19: error: policy.signers: ../../keys/allowed: leads out of the tree",
		`signers: ["../keys"]`:                                     "net.cue:10:19: error: policy.signers: ../keys: ",
		`signers: ["../keys/bad"]`:                                 "net.cue:10:19: error: policy.signers: ../keys/bad:3: has no key; write PRINCIPAL",
		`signers: ["../keys/allowed", "../keys/bad"], clean: true`: "../keys/bad:3: has no key",
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, policy)
			r.write("keys/bad", r.allowed("bob")+"\nbob\n")
			r.commit("alice")
			r.finds(exitInvalid, want)
			if !strings.Contains(policy, "../../keys") {
				r.finds(exitInvalid, strings.ReplaceAll(strings.TrimPrefix(want, "net.cue:10:19: "), "../", ""), "--rev", "HEAD")
			}
		})
	}
}

// The files of --signers take the place of policy.signers, and demand a signature where
// the description does not.
func TestSignersFlag(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "")
	r.commit("bob")
	writeAt(t, filepath.Join(r.keys, "bad"), "# x\nbob\n")
	for file, want := range map[string]string{"bad": "keys/bad:2: has no key", "none": "keys/none: no such file"} {
		for _, command := range []string{"plan", "apply"} {
			code, _, errOut := runIn(filepath.Join(r.dir, "net"), nil, command, "--signers", "../../keys/"+file)
			if code != exitInvalid || !strings.Contains(errOut, "--signers: ../../"+want) {
				t.Errorf("%s: exit %d\n%s", command, code, errOut)
			}
		}
	}
	for _, c := range []struct {
		signers []string
		want    []string
	}{
		{nil, nil},
		{[]string{"bob.allowed"}, nil},
		{[]string{"alice.allowed", "bob.allowed"}, nil},
		{[]string{"alice.allowed"}, []string{"unsigned"}},
	} {
		o := newPackageCommand(&System{Dir: filepath.Join(r.dir, "net"), Getenv: func(string) string { return "" }, Err: &bytes.Buffer{}})
		o.path = "."
		for _, s := range c.signers {
			o.signers = append(o.signers, filepath.Join(r.keys, s))
		}
		d, err := o.load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, refusal := range judge.Refusals(d.Network.Policy, d.from) {
			got = append(got, refusal.Code)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.signers, diff)
		}
	}
}

// Where a description comes from is no part of its plan: what is refused for that is judged
// before, and judged again where the plan is applied.
func TestPolicyIsInNoPlan(t *testing.T) {
	t.Parallel()
	r := newRepository(t, `signers: ["../keys/allowed"], clean: true`)
	r.commit("alice")
	made := func() (plan.Plan, error) {
		o := newPackageCommand(&System{Dir: filepath.Join(r.dir, "net"), Getenv: func(string) string { return "" }, Err: &bytes.Buffer{}})
		o.path = "."
		d, err := o.load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, refused := judgement(d, judge.Terms{})
		s, nothing := session{description: d}, world.Observation{}
		return o.make(s, s.input(nothing, plan.Filter{})), refused
	}
	before, refused := made()
	if refused != nil || before.Source.Dirty {
		t.Errorf("got %v, %+v", refused, before.Source)
	}
	r.write("net/note", "")
	r.git("add", "-A")
	r.git("commit", "-qm", "unsigned")
	r.write("base/map.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: \"b\"}}\n")
	after, refused := made()
	if codeOfError(t.Context(), refused) != exitRefused || !after.Source.Dirty {
		t.Errorf("got %v, %+v", refused, after.Source)
	}
	if after.ID != before.ID || len(after.Refusals) > 0 {
		t.Errorf("the plan has what its description is refused for: %+v", after.Refusals)
	}
}
