package age

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	filippo "filippo.io/age"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/internal/source"
)

const (
	// IdentityVariable holds identities themselves, one a line, as a pipeline's
	// secret store gives them.
	IdentityVariable = "FAIRLEAD_AGE_IDENTITY"
	// IdentityFileVariable holds the path of an identity file, relative to the
	// current directory unless absolute.
	IdentityFileVariable = "FAIRLEAD_AGE_IDENTITY_FILE"
)

// maxIdentities bounds an identity file, in bytes.
const maxIdentities = 1 << 20

// identities gathers all that are at hand. An empty variable counts as unset.
func (r Resolver) identities(ref secrets.Ref) ([]filippo.Identity, error) {
	lookup := r.Lookup
	if lookup == nil {
		lookup = os.LookupEnv
	}
	inline, _ := lookup(IdentityVariable)
	named, _ := lookup(IdentityFileVariable)
	var all []filippo.Identity
	if strings.TrimSpace(inline) != "" {
		found, err := parse(ref, "the content of "+IdentityVariable, []byte(inline))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	for _, path := range r.files(named) {
		found, err := readIdentities(ref, path)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return nil, secrets.Unavailable(ref, "needs an age identity and none is at hand", "set "+IdentityFileVariable+" to an identity file, or "+IdentityVariable+" to its content")
	}
	return all, nil
}

func (r Resolver) files(named string) []string {
	if named == "" {
		return r.Files
	}
	return append([]string{named}, r.Files...)
}

func readIdentities(ref secrets.Ref, path string) ([]filippo.Identity, error) {
	content, err := source.ReadFile(secrets.Ref{File: path}, path, maxIdentities)
	var why *secrets.Error
	if errors.As(err, &why) {
		return nil, &secrets.Error{Ref: ref, Kind: why.Kind, Detail: fmt.Sprintf("identity file %q %s", path, why.Detail), Fix: "check " + IdentityFileVariable}
	}
	if err != nil {
		return nil, err
	}
	return parse(ref, fmt.Sprintf("identity file %q", path), content)
}

// parse reads identities, one a line. origin names where they come from. age's own
// error text is left out, as it may quote the key.
func parse(ref secrets.Ref, origin string, content []byte) ([]filippo.Identity, error) {
	lines := bytes.Split(content, []byte("\n"))
	for i, line := range lines {
		lines[i] = bytes.TrimSpace(line)
	}
	found, err := filippo.ParseIdentities(bytes.NewReader(bytes.Join(lines, []byte("\n"))))
	if err != nil {
		return nil, secrets.Invalid(ref, origin+" holds no usable age identity", "give lines that start with AGE-SECRET-KEY-; plugins, SSH keys and identity files with a passphrase are not supported")
	}
	return found, nil
}
