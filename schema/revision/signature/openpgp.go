package signature

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// byOpenPGP asks each block of keys, as go-git takes one at a time.
func (s *Signature) byOpenPGP(c *object.Commit, text string, blocks []string) {
	s.Kind, s.Fingerprint = "OpenPGP", issuer(text)
	s.notListed()
	for _, block := range blocks {
		entity, err := c.Verify(block)
		if entity == nil && errors.Is(err, pgperrors.ErrUnknownIssuer) {
			continue
		}
		if entity != nil {
			s.Fingerprint, s.By = fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint), userID(entity)
		}
		s.judge(err)
		if s.Holds() {
			return
		}
	}
}

// judge words the answer about a key that is listed.
func (s *Signature) judge(err error) {
	var wrong pgperrors.SignatureError
	switch {
	case err == nil:
		s.Fault = ""
	case errors.Is(err, pgperrors.ErrKeyExpired):
		s.Fault = "is signed with the " + s.name() + ", which has expired"
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		s.Fault = "is signed with the " + s.name() + ", which was revoked"
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		s.Fault = "has a signature with the " + s.name() + " that has expired"
	case errors.As(err, &wrong):
		s.doesNotFit()
	default:
		s.Fault = "has an OpenPGP signature that is refused: " + plain(err)
	}
}

// issuer is the fingerprint that a signature claims, or the shorter ID; "" for neither.
func issuer(text string) string {
	block, err := armor.Decode(strings.NewReader(text))
	if err != nil {
		return ""
	}
	p, err := packet.Read(block.Body)
	sig, ok := p.(*packet.Signature)
	switch {
	case err != nil || !ok:
		return ""
	case len(sig.IssuerFingerprint) > 0:
		return fmt.Sprintf("%X", sig.IssuerFingerprint)
	case sig.IssuerKeyId != nil:
		return fmt.Sprintf("%016X", *sig.IssuerKeyId)
	}
	return ""
}

// userID is the name that a key goes by; "" for a key without one.
func userID(e *openpgp.Entity) string {
	if id := e.PrimaryIdentity(); id != nil {
		return id.Name
	}
	return ""
}
