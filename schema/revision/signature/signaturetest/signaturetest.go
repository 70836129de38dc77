// Package signaturetest helps to test signatures of commits.
package signaturetest

import (
	"strings"
	"testing"

	"fairlead.dev/fairlead/schema/revision/signature"
)

// Keys reads the keys of several files.
func Keys(t *testing.T, texts ...string) signature.Keys {
	t.Helper()
	var keys signature.Keys
	for _, text := range texts {
		more, err := signature.ParseKeys(signature.KeyFile{Name: "keys", Content: []byte(text)})
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		keys = keys.And(more)
	}
	return keys
}

// Wants checks a signature: who it is by, or why it does not hold.
func Wants(t *testing.T, s signature.Signature, by, fingerprint, fault string) {
	t.Helper()
	holds := fault == ""
	if s.Holds() != holds || s.By != by || s.Fingerprint != fingerprint || !strings.Contains(s.Fault, fault) {
		t.Errorf("got %+v, want one by %q with %s, fault %q", s, by, fingerprint, fault)
	}
}
