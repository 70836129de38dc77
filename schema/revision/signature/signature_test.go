package signature_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"fairlead.dev/fairlead/schema/revision"
	"fairlead.dev/fairlead/schema/revision/signature"
	"fairlead.dev/fairlead/schema/revision/signature/signaturetest"
)

func TestOpenPGP(t *testing.T) {
	t.Parallel()
	made := signedAt.AddDate(0, -1, 0)
	alice, bob := person(t, "Alice", made, 0), person(t, "Bob", made, 0)
	aliceKey, bobKey := publicKey(t, alice), publicKey(t, bob)
	g := newGoRepo(t)
	hash := g.commit(withOpenPGP(alice, signedAt))
	const alices = "Alice <alice@example.com>"
	fingerprint := fingerprintOf(alice)

	got := g.signature("HEAD", signaturetest.Keys(t, aliceKey))
	signaturetest.Wants(t, got, alices, fingerprint, "")
	if got.Commit != hash.String() || got.Kind != "OpenPGP" {
		t.Errorf("got %+v", got)
	}
	signaturetest.Wants(t, g.signature("HEAD", signaturetest.Keys(t, bobKey, aliceKey)), alices, fingerprint, "")
	signaturetest.Wants(t, g.signature("HEAD", signaturetest.Keys(t, "Bob:\n"+bobKey+"\nand Alice:\r\n"+strings.ReplaceAll(aliceKey, "\n", "\r\n"))), alices, fingerprint, "")
	signaturetest.Wants(t, g.signature("HEAD", signaturetest.Keys(t, bobKey)), "", fingerprint, "is signed with the OpenPGP key "+fingerprint+", which is not listed")
	signaturetest.Wants(t, g.signature("HEAD", signature.Keys{}), "", fingerprint, "not listed")

	altered := g.rewrite(hash, func(text string) string { return strings.Replace(text, "a commit", "another", 1) })
	signaturetest.Wants(t, g.signature(altered.String(), signaturetest.Keys(t, aliceKey, bobKey)), "", fingerprint, "does not fit its signature")
	twice := g.rewrite(hash, func(text string) string {
		header := text[strings.Index(text, "gpgsig "):strings.Index(text, "\n\n")]
		return strings.Replace(text, "\n\na commit", "\n"+header+"\n\na commit", 1)
	})
	signaturetest.Wants(t, g.signature(twice.String(), signaturetest.Keys(t, aliceKey)), "", "", "more than one signature")
	broken := g.rewrite(hash, func(text string) string {
		return strings.Replace(text, "\n \n ", "\n \n !!!!", 1)
	})
	if s := g.signature(broken.String(), signaturetest.Keys(t, aliceKey)); s.Holds() {
		t.Errorf("a broken signature holds: %+v", s)
	}
}

// The keys of OpenPGP have to be good today, by their own word.
func TestOpenPGPKeysThatEnded(t *testing.T) {
	t.Parallel()
	made := signedAt.AddDate(0, -1, 0)
	old, gone := person(t, "Old", made, 32*24*time.Hour), person(t, "Gone", made, 0)
	g := newGoRepo(t)
	g.commit(withOpenPGP(old, signedAt))
	signaturetest.Wants(t, g.signature("HEAD", signaturetest.Keys(t, publicKey(t, old))), "Old <old@example.com>", fingerprintOf(old), "has expired")
	g.commit(withOpenPGP(gone, signedAt))
	signaturetest.Wants(t, g.signature("HEAD", signaturetest.Keys(t, publicKey(t, gone))), "Gone <gone@example.com>", fingerprintOf(gone), "")
	if err := gone.RevokeKey(packet.KeyCompromised, "stolen", nil); err != nil {
		t.Fatal(err)
	}
	if s := g.signature("HEAD", signaturetest.Keys(t, publicKey(t, gone))); s.Holds() {
		t.Errorf("the signature of a revoked key holds: %+v", s)
	}
}

// sshPerson is an SSH key, and the line of its public half.
func sshPerson(t *testing.T, private crypto.Signer) (ssh.Signer, string) {
	t.Helper()
	signer, err := ssh.NewSignerFromSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

func ed25519Person(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return sshPerson(t, private)
}

func withSSH(signer ssh.Signer, namespace string) signWith {
	return func(message io.Reader) ([]byte, error) {
		sig, err := sshsig.Sign(message, signer, sshsig.HashSHA512, namespace)
		if err != nil {
			return nil, err
		}
		return sshsig.Armor(sig), nil
	}
}

func TestSSHKinds(t *testing.T) {
	t.Parallel()
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, private := range map[string]crypto.Signer{"rsa": long, "ecdsa": curve, "ed25519": edwards} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signer, line := sshPerson(t, private)
			g := newGoRepo(t)
			hash := g.commit(withSSH(signer, "git"))
			keys, fingerprint := signaturetest.Keys(t, "# who may\n\nalice@example.com "+line+" a comment\n"), ssh.FingerprintSHA256(signer.PublicKey())
			signaturetest.Wants(t, g.signature("HEAD", keys), "alice@example.com", fingerprint, "")
			altered := g.rewrite(hash, func(text string) string { return strings.Replace(text, "a commit", "another", 1) })
			signaturetest.Wants(t, g.signature(altered.String(), keys), "alice@example.com", fingerprint, "does not fit its signature")
			_, other := ed25519Person(t)
			signaturetest.Wants(t, g.signature("HEAD", signaturetest.Keys(t, "bob@example.com "+other)), "", fingerprint,
				"is signed with the SSH key "+fingerprint+", which is not listed")
		})
	}
}

// A line of an allowed signers file permits what its options say, at the time of the
// commit, which is 2024-01-02 01:04:05 in UTC.
func TestAllowedSigners(t *testing.T) {
	t.Parallel()
	signer, key := ed25519Person(t)
	_, other := ed25519Person(t)
	fingerprint := ssh.FingerprintSHA256(signer.PublicKey())
	g := newGoRepo(t)
	g.commit(withSSH(signer, "git"))
	for _, c := range []struct{ lines, by, fault string }{
		{`alice namespaces="git" KEY`, "alice", ""},
		{`alice NAMESPACES="file,git" KEY`, "alice", ""},
		{`alice namespaces="g?t" KEY`, "alice", ""},
		{`alice namespaces="*" KEY`, "alice", ""},
		{`alice namespaces="file" KEY`, "alice", `may not sign for "git"`},
		{`alice namespaces="gi" KEY`, "alice", `may not sign`},
		{`alice namespaces="*,!git" KEY`, "alice", `may not sign`},
		{`alice namespaces="[g]it" KEY`, "alice", `may not sign`},
		{`alice valid-after="20240102" KEY`, "alice", ""},
		{`alice valid-after="20240102010405Z" KEY`, "alice", ""},
		{`alice valid-after="20240102010406Z" KEY`, "alice", "is valid only from 2024-01-02T01:04:06Z"},
		{`alice valid-before="20240102010405Z" KEY`, "alice", ""},
		{`alice valid-before="20240102010404Z" KEY`, "alice", "was valid only until 2024-01-02T01:04:04Z"},
		{`alice valid-before="202401020104" KEY`, "alice", "was valid only until 2024-01-02T01:04:00Z"},
		{`alice valid-after="20231231",valid-before="20240201",namespaces="git" KEY`, "alice", ""},
		{`alice@example.com,*@example.org KEY`, "alice@example.com,*@example.org", ""},
		{`"Alice Smith" KEY`, "Alice Smith", ""},
		{"alice valid-before=\"20230101\" KEY\nbob OTHER\nalice2 valid-after=\"20230101\" KEY\n", "alice2", ""},
		{"alice KEY\nalice2 valid-before=\"20230101\" KEY\n", "alice", ""},
		{"\uFEFFalice\tKEY\r\n", "alice", ""},
		{"bob OTHER", "", "not listed"},
	} {
		lines := strings.NewReplacer("KEY", key, "OTHER", other).Replace(c.lines)
		t.Run(c.lines, func(t *testing.T) {
			t.Parallel()
			signaturetest.Wants(t, g.signature("HEAD", signaturetest.Keys(t, lines)), c.by, fingerprint, c.fault)
		})
	}
}

func TestOtherSignatures(t *testing.T) {
	t.Parallel()
	signer, key := ed25519Person(t)
	keys := signaturetest.Keys(t, "alice "+key)
	fingerprint := ssh.FingerprintSHA256(signer.PublicKey())
	g := newGoRepo(t)
	plain := g.commit(nil)
	signaturetest.Wants(t, g.signature("HEAD", keys), "", "", "is not signed")
	const block = "-----BEGIN SIGNED MESSAGE-----\nMII=\n-----END SIGNED MESSAGE-----\n"
	for text, fault := range map[string]string{
		block:         "X.509",
		"hello\n":     "unknown kind",
		block + block: "more than one signature",
		"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n": "SSH signature that cannot be read",
	} {
		g.commit(func(io.Reader) ([]byte, error) { return []byte(text), nil })
		signaturetest.Wants(t, g.signature("HEAD", keys), "", "", fault)
	}
	g.commit(withSSH(signer, "file"))
	signaturetest.Wants(t, g.signature("HEAD", keys), "alice", fingerprint, "for something else than git")
	// The signature of another commit.
	var stolen string
	hash := g.commit(withSSH(signer, "git"))
	g.rewrite(hash, func(text string) string {
		stolen = text[strings.Index(text, "gpgsig "):strings.Index(text, "\n\n")]
		return text + "."
	})
	moved := g.rewrite(plain, func(text string) string { return strings.Replace(text, "\n\n", "\n"+stolen+"\n\n", 1) })
	signaturetest.Wants(t, g.signature(moved.String(), keys), "alice", fingerprint, "does not fit its signature")
}

// What counts is the signature of the commit, whatever name it is read by; that of a
// tag is another thing.
func TestSignatureByName(t *testing.T) {
	t.Parallel()
	signer, line := ed25519Person(t)
	keys, fingerprint := signaturetest.Keys(t, "alice "+line), ssh.FingerprintSHA256(signer.PublicKey())
	g := newGoRepo(t)
	tag := func(name string, hash plumbing.Hash, signer signWith) {
		o := &object.Tag{Name: name, Tagger: who(), Message: "x\n", TargetType: plumbing.CommitObject, Target: hash}
		if signer != nil {
			text, err := signer(strings.NewReader("whatever"))
			g.must(err)
			o.PGPSignature = string(text)
		}
		g.must(g.store.SetReference(plumbing.NewHashReference(plumbing.NewTagReferenceName(name), g.object(o))))
	}
	tag("v1", g.commit(withSSH(signer, "git")), nil)
	tag("v2", g.commit(nil), withSSH(signer, "git"))
	g.commit(withSSH(signer, "git"))
	for _, rev := range []string{"HEAD", "v1", "refs/tags/v1", "v2~1", "HEAD~2"} {
		signaturetest.Wants(t, g.signature(rev, keys), "alice", fingerprint, "")
	}
	signaturetest.Wants(t, g.signature("v2", keys), "", "", "is not signed")
	tree, err := revision.WorkTree(t.Context(), g.dir)
	if err != nil {
		t.Fatal(err)
	}
	signaturetest.Wants(t, tree.Signature(keys), "alice", fingerprint, "")
	for _, dir := range []string{t.TempDir(), newGoRepo(t).dir} {
		tree, err := revision.WorkTree(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		signaturetest.Wants(t, tree.Signature(keys), "", "", "nothing is committed")
	}
}
