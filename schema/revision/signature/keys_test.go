package signature_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"golang.org/x/crypto/ssh"

	"fairlead.dev/fairlead/schema/revision/signature"
)

// badKey is a private key, which has no place in a list and in no error.
func badKey(t *testing.T) string {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func TestKeyMistakes(t *testing.T) {
	t.Parallel()
	alice := person(t, "Alice", signedAt, 0)
	public := publicKey(t, alice)
	private := armored(t, openpgp.PrivateKeyType, func(w io.Writer) error { return alice.SerializePrivate(w, nil) })
	_, line := ed25519Person(t)
	authority, _ := ed25519Person(t)
	cert := &ssh.Certificate{Key: authority.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"alice"}}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "k: holds no key; write PRINCIPAL"},
		{"comments", "# nobody\n\n", "k: holds no key"},
		{"binary", "\x99\x00\x01", "k: is no text; give armoured keys"},
		{"private OpenPGP", private + public, "k:1: begins something that is no public key; export the public key"},
		{"cut off", "\n\n" + public[:len(public)/2], "k:3: this key has no end"},
		{"damaged", "\n" + strings.Replace(public, "\n\n", "\n\n!!!!", 1), "k:2: this key cannot be read"},
		{"no block", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n-----END PGP PUBLIC KEY BLOCK-----\n", "k:1: this key cannot be read"},
		{"private SSH", badKey(t), "k:1: begins something that is no list of public keys"},
		{"no principal", "# x\n" + line, "k:2: names nobody before the key; write PRINCIPAL"},
		{"no key", "alice " + line + "\nbob\n", "k:2: has no key; write PRINCIPAL"},
		{"damaged SSH", "alice ssh-ed25519 AAAA", "k:1: has no SSH public key that can be read"},
		{"quote", `"alice ` + line, "k:1: has a quote that does not end"},
		{"authority", "alice cert-authority " + line, "k:1: lists an authority of certificates"},
		{"certificate", "alice " + string(ssh.MarshalAuthorizedKey(cert)), "k:1: names a certificate; list the plain key"},
		{"option", `alice no-touch-required ` + line, "k:1: has an option that is not known"},
		{"twice", `alice namespaces="git",namespaces="file" ` + line, "k:1: has the option namespaces twice"},
		{"time", `alice valid-after="yesterday" ` + line, "k:1: has a value of valid-after that cannot be read; write it in quotes"},
		{"day", `alice valid-before="20261301" ` + line, "k:1: has a value of valid-before that cannot be read"},
		{"no namespaces", `alice namespaces="" ` + line, "k:1: has a value of namespaces that cannot be read"},
		{"window", `alice valid-after="20260102",valid-before="20260102" ` + line, "k:1: has a valid-before that is not after"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := signature.ParseKeys(signature.KeyFile{Name: "k", Content: []byte(c.text)})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			for _, text := range strings.Fields(c.text) {
				if err != nil && len(text) > 30 && strings.Contains(err.Error(), text) {
					t.Errorf("it shows what the file holds: %v", err)
				}
			}
		})
	}
}

// FuzzParseKeys checks that no file makes it panic, and that a mistake is a KeyError.
func FuzzParseKeys(f *testing.F) {
	const line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
	f.Add("alice " + line)
	f.Add(`"a b" namespaces="git",valid-after="20260102Z" ` + line + " comment\n# x\n")
	f.Add("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxxxx\n-----END PGP PUBLIC KEY BLOCK-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := signature.ParseKeys(signature.KeyFile{Name: "k", Content: []byte(text)}); err != nil {
			if !strings.HasPrefix(err.Error(), "k:") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q", err)
			}
		}
	})
}
