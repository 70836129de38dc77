// Package signature holds the signature of a commit against files of keys: OpenPGP keys, and
// allowed signers of SSH.
package signature

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Signature is what a commit's signature says, held against a list of keys.
type Signature struct {
	// Commit is the full hash, "" when there is no commit.
	Commit string
	// Kind is "OpenPGP", "SSH" or "X.509", "" for none or an unknown one.
	Kind string
	// By is who signed, in the words of the list: the user ID of an OpenPGP key, or the
	// principals of an SSH key. It is "" when the key is not listed.
	By string
	// Fingerprint is that of the key that signed, as gpg or ssh-keygen writes it; "" when
	// the signature does not tell.
	Fingerprint string
	// Fault says why the signature does not hold, as what follows "the commit": "is not
	// signed". It is "" for a signature that a listed key made over this commit.
	Fault string
}

// Holds reports whether a listed key signed the commit.
func (s Signature) Holds() bool { return s.Fault == "" }

const (
	signatureBegin = "-----BEGIN "
	sshBegin       = "-----BEGIN SSH SIGNATURE-----"
	sshNamespace   = "git"
)

// Verify holds the signature of a commit against the keys.
func Verify(c *object.Commit, keys Keys) (s Signature) {
	defer func() {
		if recover() != nil {
			s = Signature{Commit: s.Commit, Fault: "has a signature that cannot be read"}
		}
	}()
	s = Signature{Commit: c.Hash.String()}
	text := strings.TrimLeft(c.PGPSignature, " \t\r\n")
	switch {
	case text == "":
		s.Fault = "is not signed"
	case strings.Count(text, signatureBegin) > 1:
		s.Fault = "has more than one signature"
	case strings.HasPrefix(text, sshBegin):
		s.bySSH(c, text, keys.ssh)
	case strings.HasPrefix(text, "-----BEGIN PGP "):
		s.byOpenPGP(c, text, keys.openPGP)
	case strings.HasPrefix(text, "-----BEGIN SIGNED MESSAGE-----"):
		s.Kind, s.Fault = "X.509", "is signed with X.509, which no list of keys can hold; sign with OpenPGP or SSH"
	default:
		s.Fault = "has a signature of an unknown kind"
	}
	return s
}

// name calls the key that signed by what is known of it.
func (s Signature) name() string {
	name := s.Kind + " key"
	if s.Fingerprint != "" {
		name += " " + s.Fingerprint
	}
	if s.By != "" {
		name += fmt.Sprintf(" of %q", s.By)
	}
	return name
}

func (s *Signature) notListed() {
	s.Fault = "is signed with the " + s.name() + ", which is not listed"
}

func (s *Signature) doesNotFit() {
	s.Fault = "does not fit its signature with the " + s.name() + ": one of the two was altered"
}

// signed gives what a commit's signature covers: the object without the signature.
func signed(c *object.Commit) ([]byte, error) {
	var o plumbing.MemoryObject
	if err := c.EncodeWithoutSignature(&o); err != nil {
		return nil, err
	}
	r, err := o.Reader()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
