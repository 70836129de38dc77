package revision_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/schema/revision"
	"fairlead.dev/fairlead/schema/revision/signature"
	"fairlead.dev/fairlead/schema/revision/signature/signaturetest"
)

// need skips a test without the programs that it compares with.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("there is no %s to compare with", p)
		}
	}
}

func (r repo) head(keys signature.Keys) signature.Signature {
	r.t.Helper()
	tree, err := revision.WorkTree(r.t.Context(), r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	return tree.Signature(keys)
}

// What git signs with ssh-keygen holds, and lists of allowed signers mean the same to
// git and to us.
func TestSSHAsGitDoes(t *testing.T) {
	t.Parallel()
	need(t, "ssh-keygen")
	r := newRepo(t)
	keys := realTemp(t)
	lines := map[string]string{}
	for _, name := range []string{"alice", "bob"} {
		file := filepath.Join(keys, name)
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		public, err := os.ReadFile(file + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		lines[name] = strings.TrimSpace(string(public))
	}
	list := filepath.Join(keys, "allowed")
	for name, value := range map[string]string{"gpg.format": "ssh", "user.signingkey": filepath.Join(keys, "alice"), "gpg.ssh.allowedSignersFile": list} {
		r.git("config", name, value)
	}
	r.write("net.cue", "package net\n")
	r.git("add", "-A")
	r.git("commit", "-q", "-S", "-m", "signed")
	for _, options := range []string{
		"", `namespaces="git" `, `namespaces="file" `, `namespaces="file,g*" `, `namespaces="*,!git" `, `namespaces="?it" `, `namespaces="GIT" `,
		`valid-after="20260102010405Z" `, `valid-after="20260102010406Z" `, `valid-before="20260102010405Z" `,
		`valid-before="20260102010404Z" `, `valid-before="20270101Z",valid-after="20250101Z" `, `Valid-After="20270101Z" `,
	} {
		for _, who := range []string{"alice", "bob"} {
			text := "# a list\n" + who + "@example.com " + options + lines[who] + "\n"
			if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := r.tryGit("verify-commit", "HEAD")
			if got := r.head(signaturetest.Keys(t, text)); got.Holds() != (err == nil) {
				t.Errorf("%s %s: got %+v, git says %v\n%s", who, options, got, err, out)
			}
		}
	}
	r.git("commit", "-q", "--allow-empty", "-m", "unsigned")
	signaturetest.Wants(t, r.head(signaturetest.Keys(t, "alice "+lines["alice"])), "", "", "is not signed")
}

// What git signs with gpg holds, by a key that gpg exports.
func TestOpenPGPAsGitDoes(t *testing.T) {
	t.Parallel()
	need(t, "gpg", "gpgconf")
	home, err := os.MkdirTemp("", "gpg") // short: sockets go into it
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "GNUPGHOME="+home)
	gpg := func(program string, args ...string) (string, error) {
		cmd := exec.Command(program, args...)
		cmd.Env = env
		out, err := cmd.Output()
		return string(out), err
	}
	t.Cleanup(func() {
		_, _ = gpg("gpgconf", "--kill", "all")
		_ = os.RemoveAll(home)
	})
	for _, name := range []string{"Alice <alice@example.com>", "Bob <bob@example.com>"} {
		if _, err := gpg("gpg", "--batch", "--passphrase", "", "--quick-gen-key", name, "default", "sign", "never"); err != nil {
			t.Skipf("gpg makes no keys here: %v", err)
		}
	}
	export := func(name string) string {
		text, err := gpg("gpg", "--armor", "--export", name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	wrapper := filepath.Join(home, "run-gpg")
	if err := os.WriteFile(wrapper, []byte("#!/bin/sh\nGNUPGHOME="+home+" exec gpg --batch \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := newRepo(t)
	r.git("config", "gpg.program", wrapper)
	r.git("config", "user.signingkey", "alice@example.com")
	r.write("net.cue", "package net\n")
	r.git("add", "-A")
	if out, err := r.tryGit("commit", "-q", "-S", "-m", "signed"); err != nil {
		t.Skipf("gpg does not sign here: %v\n%s", err, out)
	}
	r.git("verify-commit", "HEAD")
	alice, bob := export("alice@example.com"), export("bob@example.com")
	got := r.head(signaturetest.Keys(t, bob+alice))
	signaturetest.Wants(t, got, "Alice <alice@example.com>", got.Fingerprint, "")
	if len(got.Fingerprint) < 40 {
		t.Errorf("fingerprint %q", got.Fingerprint)
	}
	signaturetest.Wants(t, r.head(signaturetest.Keys(t, bob)), "", got.Fingerprint, "not listed")
	both, err := gpg("gpg", "--armor", "--export")
	if err != nil {
		t.Fatal(err)
	}
	signaturetest.Wants(t, r.head(signaturetest.Keys(t, both)), "Alice <alice@example.com>", got.Fingerprint, "")
}
