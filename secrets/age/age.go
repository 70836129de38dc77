// Package age resolves secrets from files encrypted with age, armored or binary.
package age

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	filippo "filippo.io/age"
	"filippo.io/age/armor"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/internal/source"
)

// maxFile bounds an encrypted file, in bytes: a secret of the largest size in
// armor, with many recipients.
const maxFile = 2 * secrets.MaxSize

// Resolver decrypts files with the identities found through Lookup and Files.
// They are read anew each time, so a resolver holds no key.
type Resolver struct {
	// Dir is where relative paths of references start: the description's directory;
	// "" is the current one.
	Dir string
	// Files are identity files, in the format of age-keygen.
	Files []string
	// Lookup gives environment variables: IdentityVariable and
	// IdentityFileVariable. It is os.LookupEnv when nil.
	Lookup func(name string) (value string, set bool)
}

// Resolve implements secrets.Resolver. With a key the secret is the text at that
// key of the decrypted JSON document; without one it is the whole content, minus
// one trailing line break.
func (r Resolver) Resolve(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if err := source.Check(ctx, ref, secrets.SourceAge); err != nil {
		return secrets.Value{}, err
	}
	sealed, err := source.ReadFile(ref, source.Path(r.Dir, ref.Age.File), maxFile)
	if err != nil {
		return secrets.Value{}, err
	}
	identities, err := r.identities(ref)
	if err != nil {
		return secrets.Value{}, err
	}
	content, err := decrypt(ref, sealed, identities)
	if err != nil {
		return secrets.Value{}, err
	}
	if ref.Age.Key == "" {
		return source.Line(ref, string(content))
	}
	return source.Pick(ref, content, ref.Age.Key)
}

// decrypt opens sealed. The texts of age's own errors are not used: they quote
// what they could not read, which is the secret itself when somebody forgot to
// encrypt the file.
func decrypt(ref secrets.Ref, sealed []byte, identities []filippo.Identity) ([]byte, error) {
	opened, err := filippo.Decrypt(unarmored(sealed), identities...)
	var mismatch *filippo.NoIdentityMatchError
	if errors.As(err, &mismatch) {
		return nil, notForUs(ref, mismatch.StanzaTypes)
	}
	if err != nil {
		return nil, secrets.Invalid(ref, "is not an age file, or is damaged", "encrypt it with age")
	}
	content, err := io.ReadAll(io.LimitReader(opened, secrets.MaxSize+int64(len("\r\n"))+1))
	if err != nil {
		return nil, secrets.Invalid(ref, "is damaged or cut short", "restore it, or encrypt it again")
	}
	return content, nil
}

func notForUs(ref secrets.Ref, recipients []string) error {
	if slices.Contains(recipients, "scrypt") {
		return secrets.Denied(ref, "is encrypted with a passphrase", "encrypt it to a recipient (age -r) instead")
	}
	return secrets.Denied(ref, "is not encrypted to any identity at hand", "check "+IdentityFileVariable+", or encrypt it to this recipient as well")
}

func unarmored(sealed []byte) io.Reader {
	if bytes.HasPrefix(bytes.TrimLeft(sealed, " \t\r\n"), []byte(armor.Header)) {
		return armor.NewReader(bytes.NewReader(sealed))
	}
	return bytes.NewReader(sealed)
}
