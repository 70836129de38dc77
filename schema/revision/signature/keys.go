package signature

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// KeyFile is a file with keys of those who may sign commits: armoured public keys of
// OpenPGP, any number of blocks, or an allowed signers file of SSH keys.
type KeyFile struct {
	// Name is how errors call the file.
	Name    string
	Content []byte
}

// Keys are the public keys of those who may sign commits. The zero value lists nobody.
type Keys struct {
	// openPGP are armoured blocks, each with one key or more.
	openPGP []string
	ssh     []allowedSigner
}

// And gives the keys of both.
func (k Keys) And(more Keys) Keys {
	return Keys{openPGP: slices.Concat(k.openPGP, more.openPGP), ssh: slices.Concat(k.ssh, more.ssh)}
}

// KeyError is a mistake in a file of keys. It never quotes what the file holds.
type KeyError struct {
	File string
	// Line counts from 1; 0 means the file as a whole.
	Line int
	// Reason says what is wrong, Fix what to do.
	Reason, Fix string
}

func (e KeyError) Error() string {
	at := e.File
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Fix == "" {
		return at + ": " + e.Reason
	}
	return at + ": " + e.Reason + "; " + e.Fix
}

const (
	exportPublic = "export the public key with gpg --armor --export"
	writeSigner  = `write PRINCIPAL KEY-TYPE KEY, such as: alice@example.com ssh-ed25519 AAAA…`

	pgpBegin     = "-----BEGIN PGP "
	pgpPublic    = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
	pgpPublicEnd = "-----END PGP PUBLIC KEY BLOCK-----"
)

// ParseKeys reads a file of keys. A mistake is a KeyError: a line that cannot be read
// is never left out silently, as whoever stands there believes to be listed.
func ParseKeys(f KeyFile) (Keys, error) {
	switch {
	case isBinary(f.Content):
		return Keys{}, KeyError{f.Name, 0, "is no text", "give armoured keys: " + exportPublic}
	case bytes.Contains(f.Content, []byte(pgpBegin)):
		return f.openPGPKeys()
	}
	return f.allowedSigners()
}

// isBinary tells what gpg --export writes without --armor, and anything like it.
func isBinary(content []byte) bool {
	return len(content) > 0 && (content[0]&0x80 != 0 && !bytes.HasPrefix(content, []byte("\xEF\xBB\xBF")) || bytes.IndexByte(content, 0) >= 0)
}

// openPGPKeys takes the file apart into its blocks; what stands around them is for
// people.
func (f KeyFile) openPGPKeys() (Keys, error) {
	var keys Keys
	var block strings.Builder
	begun := 0
	for i, line := range strings.Split(string(f.Content), "\n") {
		line = strings.TrimRight(line, " \t\r")
		switch {
		case begun == 0 && line == pgpPublic:
			begun = i + 1
		case strings.HasPrefix(line, pgpBegin):
			return Keys{}, KeyError{f.Name, i + 1, "begins something that is no public key", exportPublic}
		}
		if begun == 0 {
			continue
		}
		block.WriteString(line + "\n")
		if line != pgpPublicEnd {
			continue
		}
		if _, err := openpgp.ReadArmoredKeyRing(strings.NewReader(block.String())); err != nil {
			return Keys{}, KeyError{f.Name, begun, "this key cannot be read: " + plain(err), exportPublic + " again"}
		}
		keys.openPGP = append(keys.openPGP, block.String())
		block.Reset()
		begun = 0
	}
	if begun > 0 {
		return Keys{}, KeyError{f.Name, begun, "this key has no end", exportPublic + " again"}
	}
	return keys, nil
}

// plain is the text of a library's error on one line, without the library's name.
func plain(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	for _, prefix := range []string{"openpgp: ", "ssh: ", "sshsig: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}
