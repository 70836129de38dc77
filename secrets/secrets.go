// Package secrets holds values that must never be seen: grant codes, tokens,
// passwords. A Value prints as *** wherever it ends up; only Reveal gives it out.
package secrets

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Mask is what a Value prints as.
const Mask = "***"

// Value is an opaque secret. Its zero value is empty. It may be copied; it cannot
// be read back from JSON.
type Value struct{ hidden *string }

// New wraps a secret.
func New(secret string) Value { return Value{hidden: &secret} }

// Reveal gives the secret itself. Callers hand it to the API that needs it and to
// nothing else.
func (v Value) Reveal() string {
	if v.hidden == nil {
		return ""
	}
	return *v.hidden
}

// IsZero reports whether there is no secret, or an empty one.
func (v Value) IsZero() bool { return v.Reveal() == "" }

// String gives the mask.
func (v Value) String() string { return Mask }

// GoString gives the mask, for %#v.
func (v Value) GoString() string { return Mask }

// Format gives the mask for every verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Mask)) }

// MarshalJSON gives the mask.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(Mask) }

// MarshalText gives the mask.
func (v Value) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// LogValue gives the mask.
func (v Value) LogValue() slog.Value { return slog.StringValue(Mask) }
