package signature

import (
	"bytes"

	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// bySSH follows git: a signature in the namespace "git" by a key that a line of the
// list permits at the time of the commit.
func (s *Signature) bySSH(c *object.Commit, text string, list []allowedSigner) {
	s.Kind = "SSH"
	sig, err := sshsig.Unarmor([]byte(text))
	if err != nil {
		s.Fault = "has an SSH signature that cannot be read: " + plain(err)
		return
	}
	s.Fingerprint = ssh.FingerprintSHA256(sig.PublicKey)
	why := s.findSigner(c, sig, list)
	if s.By == "" {
		s.notListed()
		return
	}
	payload, err := signed(c)
	switch {
	case err != nil:
		s.Fault = "cannot be read: " + plain(err)
	case sig.Namespace != sshNamespace:
		s.Fault = "has an SSH signature that was made for something else than git"
	case sshsig.Verify(bytes.NewReader(payload), sig, sig.PublicKey, sig.HashAlgorithm, sshNamespace) != nil:
		s.doesNotFit()
	case why != "":
		s.Fault = "is signed with the " + s.name() + ", which " + why
	}
}

// findSigner sets By to the line that has the key, one that permits the signature
// rather than another, and tells why none does.
func (s *Signature) findSigner(c *object.Commit, sig *sshsig.Signature, list []allowedSigner) (why string) {
	for _, signer := range list {
		if !bytes.Equal(signer.key.Marshal(), sig.PublicKey.Marshal()) {
			continue
		}
		reason, ok := signer.permits(sshNamespace, c.Committer.When)
		s.By = signer.principals
		if ok {
			return ""
		}
		why = reason
	}
	return why
}
