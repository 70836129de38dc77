//go:build unix

package sops_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	filippo "filippo.io/age"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/secretstest"
	"fairlead.dev/fairlead/secrets/sops"
)

func TestConformanceWholeFile(t *testing.T) {
	real := newStation(t)
	secretstest.Run(t, secretstest.Harness{
		Store: func(t *testing.T, dir, content string) (secrets.Resolver, secrets.Ref) {
			real.seal(t, filepath.Join(dir, "pw.bin"), content)
			return real.resolver(dir), secrets.Ref{SOPS: &secrets.SOPSRef{File: "pw.bin"}}
		},
		Missing:  real.missing,
		Failures: real.failures(t, ""),
	})
}

func TestConformanceKey(t *testing.T) {
	real := newStation(t)
	failures := append(real.failures(t, "db.password"),
		real.document("no such key", "password: "+secretstest.Canary, "db.password"),
		real.document("a map", "db: {password: {x: "+secretstest.Canary+"}}", "db.password"),
		real.document("a number", "db: {user: "+secretstest.Canary+", password: 0123}", "db.password"),
		real.document("null", "db: {user: "+secretstest.Canary+", password: null}", "db.password"),
	)
	secretstest.Run(t, secretstest.Harness{
		TextOnly: true,
		Store: func(t *testing.T, dir, content string) (secrets.Resolver, secrets.Ref) {
			document, err := json.Marshal(map[string]any{"db": map[string]any{"password": content}, "other": "x"})
			if err != nil {
				t.Fatal(err)
			}
			real.seal(t, filepath.Join(dir, "pw.json"), string(document))
			return real.resolver(dir), secrets.Ref{SOPS: &secrets.SOPSRef{File: "pw.json", Key: "db.password"}}
		},
		Missing:  real.missing,
		Failures: failures,
	})
}

func TestFormats(t *testing.T) {
	t.Parallel()
	real := newStation(t)
	for _, c := range []struct{ file, content, key, want string }{
		{"a.yaml", "db:\n  users:\n    - pw: one\n    - pw: two\n", "db.users.1.pw", "two"},
		{"a.yaml", "db:\n  pem: |\n    one\n    two\n", "db.pem", "one\ntwo\n"},
		{"a.yaml", "files:\n  tls.key: one\n", "/files/tls.key", "one"},
		{"a.json", `{"a/b": {"~": "one"}}`, "/a~1b/~0", "one"},
		{"a.env", "PW=one\n", "PW", "one"},
		{"a.env", "PIN=0123\n", "PIN", "0123"},
		{"a.ini", "[db]\npw = one\n", "db.pw", "one"},
		{"a.env", "A=one\nB=two\n", "", "A=one\nB=two\n"},
		{"-a.yaml", "pw: one\n", "pw", "one"},
	} {
		t.Run(c.file+" "+c.key, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			real.seal(t, filepath.Join(dir, c.file), c.content)
			value, err := real.resolver(dir).Resolve(t.Context(), secrets.Ref{SOPS: &secrets.SOPSRef{File: c.file, Key: c.key}})
			if err != nil || value.Reveal() != c.want {
				t.Errorf("got %q, %v, want %q", value.Reveal(), err, c.want)
			}
		})
	}
}

func TestNoProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pw.yaml"), secretstest.Canary)
	resolver := sops.Resolver{Dir: dir, Program: "fairlead-no-such-program"}
	secretstest.CheckError(t, resolver, secrets.Ref{SOPS: &secrets.SOPSRef{File: "pw.yaml"}}, secrets.ErrUnavailable)
}

// TestProgramThatTellsAll has a sops that prints the secret wherever it can and
// ends in every way that the real one knows, and in some that it does not.
func TestProgramThatTellsAll(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[string]error{
		"1": secrets.ErrInvalid, "2": secrets.ErrInvalid, "25": secrets.ErrInvalid, "51": secrets.ErrInvalid,
		"128": secrets.ErrDenied, "111": secrets.ErrDenied, "42": secrets.ErrDenied,
		"0": secrets.ErrInvalid, // what it prints is no JSON document
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "pw.yaml"), "x")
			resolver := sops.Resolver{Dir: dir, Program: self, Env: append(os.Environ(), tellAll+"="+status)}
			secretstest.CheckError(t, resolver, secrets.Ref{SOPS: &secrets.SOPSRef{File: "pw.yaml", Key: "pw"}}, want)
		})
	}
}

// tellAll is a variable that makes this test binary a program that prints the
// secret and ends with the status that the variable holds.
const tellAll = "FAIRLEAD_TEST_TELL_ALL"

func TestMain(m *testing.M) {
	if status, err := strconv.Atoi(os.Getenv(tellAll)); err == nil {
		fmt.Println(secretstest.Canary)
		fmt.Fprintln(os.Stderr, secretstest.Canary)
		os.Exit(status)
	}
	os.Exit(m.Run())
}

// station is a user's machine with the real sops and an age key.
type station struct {
	program   string
	identity  string
	recipient string
}

func newStation(t *testing.T) station {
	t.Helper()
	key, err := filippo.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return station{program: secretstest.SOPS(t), identity: key.String(), recipient: key.Recipient().String()}
}

func (s station) resolver(dir string) sops.Resolver {
	return sops.Resolver{Dir: dir, Program: s.program, Env: append(os.Environ(), "SOPS_AGE_KEY="+s.identity)}
}

// seal writes content to path, encrypted.
func (s station) seal(t *testing.T, path, content string) {
	t.Helper()
	write(t, path, content)
	cmd := exec.CommandContext(t.Context(), s.program, "encrypt", "--age", s.recipient, "--in-place", path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func (s station) missing(_ *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
	return s.resolver(dir), secrets.Ref{SOPS: &secrets.SOPSRef{File: "none.yaml"}}
}

// document is a failure to find key in a YAML document.
func (s station) document(name, content, key string) secretstest.Failure {
	return secretstest.Failure{Name: name, Want: secrets.ErrInvalid, Make: func(t *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
		s.seal(t, filepath.Join(dir, "pw.yaml"), content)
		return s.resolver(dir), secrets.Ref{SOPS: &secrets.SOPSRef{File: "pw.yaml", Key: key}}
	}}
}

func (s station) failures(t *testing.T, key string) []secretstest.Failure {
	t.Helper()
	ref := secrets.Ref{SOPS: &secrets.SOPSRef{File: "pw.yaml", Key: key}}
	const content = "db:\n  password: " + secretstest.Canary + "\n"
	sealed := func(t *testing.T, dir string) string {
		path := filepath.Join(dir, "pw.yaml")
		s.seal(t, path, content)
		return path
	}
	with := func(age string) func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
		return func(t *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
			sealed(t, dir)
			resolver := s.resolver(dir)
			resolver.Env = append(os.Environ(), "SOPS_AGE_KEY="+age, "HOME="+dir, "XDG_CONFIG_HOME="+dir)
			return resolver, ref
		}
	}
	edited := func(edit func(string) string) func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
		return func(t *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
			path := sealed(t, dir)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, edit(string(text)))
			return s.resolver(dir), ref
		}
	}
	stranger, err := filippo.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return []secretstest.Failure{
		{Name: "wrong key", Want: secrets.ErrDenied, Make: with(stranger.String())},
		{Name: "no key", Want: secrets.ErrDenied, Make: with("")},
		{Name: "key that is none", Want: secrets.ErrDenied, Make: with(secretstest.Canary)},
		{Name: "not encrypted", Want: secrets.ErrInvalid, Make: edited(func(string) string { return content })},
		{Name: "no document", Want: secrets.ErrInvalid, Make: edited(func(string) string { return "\x00" + secretstest.Canary })},
		{Name: "cut short", Want: secrets.ErrInvalid, Make: edited(func(text string) string { return text[:len(text)/2] })},
		{Name: "changed", Want: secrets.ErrInvalid, Make: edited(func(text string) string { return "extra: " + secretstest.Canary + "\n" + text })},
		{Name: "damaged", Want: secrets.ErrInvalid, Make: edited(func(text string) string { return strings.Replace(text, "data:", "data:zz", 1) })},
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
