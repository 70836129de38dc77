package age_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	filippo "filippo.io/age"
	"filippo.io/age/armor"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/age"
	"fairlead.dev/fairlead/secrets/secretstest"
)

func TestConformance(t *testing.T) {
	for name, armored := range map[string]bool{"binary": false, "armored": true} {
		t.Run(name, func(t *testing.T) {
			key := newKey(t)
			secretstest.Run(t, secretstest.Harness{
				TrimsLine: true,
				Store: func(t *testing.T, dir, content string) (secrets.Resolver, secrets.Ref) {
					write(t, filepath.Join(dir, "pw.age"), seal(t, content, armored, key.Recipient()))
					return inline(dir, key.String()), secrets.Ref{Age: &secrets.AgeRef{File: "pw.age"}}
				},
				Missing:  missing(key),
				Failures: failures(t, key, armored),
			})
		})
	}
}

func TestConformanceKey(t *testing.T) {
	key := newKey(t)
	secretstest.Run(t, secretstest.Harness{
		TextOnly: true,
		Store: func(t *testing.T, dir, content string) (secrets.Resolver, secrets.Ref) {
			document, err := json.Marshal(map[string]any{"db": map[string]any{"password": content}})
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "pw.age"), seal(t, string(document), true, key.Recipient()))
			return inline(dir, key.String()), secrets.Ref{Age: &secrets.AgeRef{File: "pw.age", Key: "db.password"}}
		},
		Missing: missing(key),
		Failures: []secretstest.Failure{
			{Name: "no document", Want: secrets.ErrInvalid, Make: keyed(key, secretstest.Canary)},
			{Name: "two documents", Want: secrets.ErrInvalid, Make: keyed(key, `{"pw":"`+secretstest.Canary+`"}{}`)},
			{Name: "no such key", Want: secrets.ErrInvalid, Make: keyed(key, `{"p":"`+secretstest.Canary+`"}`)},
			{Name: "a list", Want: secrets.ErrInvalid, Make: keyed(key, `{"pw":["`+secretstest.Canary+`"]}`)},
			{Name: "bytes", Want: secrets.ErrInvalid, Make: keyed(key, "{\"pw\":\"\xff"+secretstest.Canary+"\"}")},
		},
	})
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	first, second := newKey(t), newKey(t)
	hybrid, err := filippo.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "first"), "# created: today\r\n# public key: x\r\n"+first.String()+"\r\n")
	write(t, filepath.Join(dir, "both"), first.String()+"\n\n"+second.String()+"\n")
	write(t, filepath.Join(dir, "to-second.age"), seal(t, secretstest.Canary, true, second.Recipient()))
	write(t, filepath.Join(dir, "to-both.age"), seal(t, secretstest.Canary, false, first.Recipient(), second.Recipient()))
	write(t, filepath.Join(dir, "to-hybrid.age"), seal(t, secretstest.Canary, false, hybrid.Recipient()))
	write(t, filepath.Join(dir, "edited.age"), "\r\n"+strings.ReplaceAll(seal(t, secretstest.Canary, true, second.Recipient()), "\n", "\r\n"))
	for _, c := range []struct {
		name, file, inline, variable string
		files                        []string
		want                         error
	}{
		{name: "inline", file: "to-second.age", inline: second.String()},
		{name: "inline, several", file: "to-second.age", inline: " " + first.String() + " \n# other\n" + second.String()},
		{name: "variable", file: "to-both.age", variable: "first"},
		{name: "variable, several", file: "to-second.age", variable: "both"},
		{name: "files", file: "to-second.age", files: []string{"first", "both"}},
		{name: "inline and file", file: "to-second.age", inline: second.String(), variable: "first"},
		{name: "post-quantum", file: "to-hybrid.age", inline: hybrid.String()},
		{name: "windows line breaks", file: "edited.age", inline: second.String()},
		{name: "wrong one", file: "to-second.age", variable: "first", want: secrets.ErrDenied},
		{name: "none", file: "to-second.age", inline: " \n", want: secrets.ErrUnavailable},
		{name: "absent file", file: "to-second.age", variable: "none", inline: second.String(), want: secrets.ErrUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			vars := map[string]string{age.IdentityVariable: c.inline, age.IdentityFileVariable: below(dir, c.variable)}
			resolver := age.Resolver{Dir: dir, Lookup: lookup(vars)}
			for _, f := range c.files {
				resolver.Files = append(resolver.Files, below(dir, f))
			}
			ref := secrets.Ref{Age: &secrets.AgeRef{File: c.file}}
			if c.want != nil {
				secretstest.CheckError(t, resolver, ref, c.want)
				return
			}
			value, err := resolver.Resolve(t.Context(), ref)
			if err != nil || value.Reveal() != secretstest.Canary {
				t.Errorf("got %q, %v", value.Reveal(), err)
			}
		})
	}
}

func failures(t *testing.T, key *filippo.X25519Identity, armored bool) []secretstest.Failure {
	t.Helper()
	stranger := newKey(t)
	passphrase, err := filippo.NewScryptRecipient(secretstest.Canary)
	if err != nil {
		t.Fatal(err)
	}
	passphrase.SetWorkFactor(10)
	type change = func(sealed string) string
	file := func(identity string, edit change, to ...filippo.Recipient) func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
		return func(t *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
			write(t, filepath.Join(dir, "pw.age"), edit(seal(t, secretstest.Canary, armored, to...)))
			return inline(dir, identity), secrets.Ref{Age: &secrets.AgeRef{File: "pw.age"}}
		}
	}
	same := func(s string) string { return s }
	damaged := func(s string) string { return s[:len(s)*3/4] + "*" + s[len(s)*3/4+1:] }
	plain := func(string) string { return secretstest.Canary + "\n" }
	return []secretstest.Failure{
		{Name: "wrong identity", Want: secrets.ErrDenied, Make: file(stranger.String(), same, key.Recipient())},
		{Name: "passphrase", Want: secrets.ErrDenied, Make: file(key.String(), same, passphrase)},
		{Name: "no identity", Want: secrets.ErrUnavailable, Make: file("", same, key.Recipient())},
		{Name: "identity that is none", Want: secrets.ErrInvalid, Make: file(secretstest.Canary, same, key.Recipient())},
		{Name: "identity mistyped", Want: secrets.ErrInvalid, Make: file("AGE-SECRET-KEY-1"+secretstest.Canary, same, key.Recipient())},
		{Name: "not encrypted", Want: secrets.ErrInvalid, Make: file(key.String(), plain, key.Recipient())},
		{Name: "not encrypted, in armor", Want: secrets.ErrInvalid, Make: file(key.String(), func(string) string { return armor.Header + "\n" + secretstest.Canary }, key.Recipient())},
		{Name: "not encrypted, with a header", Want: secrets.ErrInvalid, Make: file(key.String(), func(string) string {
			return "age-encryption.org/v1\n-> " + secretstest.Canary + "\n" + secretstest.Canary
		}, key.Recipient())},
		{Name: "damaged", Want: secrets.ErrInvalid, Make: file(key.String(), damaged, key.Recipient())},
		{Name: "cut short", Want: secrets.ErrInvalid, Make: file(key.String(), func(s string) string { return s[:len(s)-20] }, key.Recipient())},
		{Name: "empty file", Want: secrets.ErrInvalid, Make: file(key.String(), func(string) string { return "" }, key.Recipient())},
	}
}

func missing(key *filippo.X25519Identity) func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
	return func(_ *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
		return inline(dir, key.String()), secrets.Ref{Age: &secrets.AgeRef{File: "none.age"}}
	}
}

// keyed makes a reference to the key pw of a document.
func keyed(key *filippo.X25519Identity, document string) func(*testing.T, string) (secrets.Resolver, secrets.Ref) {
	return func(t *testing.T, dir string) (secrets.Resolver, secrets.Ref) {
		write(t, filepath.Join(dir, "pw.age"), seal(t, document, false, key.Recipient()))
		return inline(dir, key.String()), secrets.Ref{Age: &secrets.AgeRef{File: "pw.age", Key: "pw"}}
	}
}

func inline(dir, identity string) age.Resolver {
	return age.Resolver{Dir: dir, Lookup: lookup(map[string]string{age.IdentityVariable: identity})}
}

func lookup(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func newKey(t *testing.T) *filippo.X25519Identity {
	t.Helper()
	key, err := filippo.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// seal encrypts content.
func seal(t *testing.T, content string, armored bool, to ...filippo.Recipient) string {
	t.Helper()
	var out bytes.Buffer
	var target io.Writer = &out
	closeArmor := func() error { return nil }
	if armored {
		w := armor.NewWriter(&out)
		target, closeArmor = w, w.Close
	}
	w, err := filippo.Encrypt(target, to...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := closeArmor(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func below(dir, name string) string {
	if name == "" {
		return ""
	}
	return filepath.Join(dir, name)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
