package source_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"fairlead.dev/fairlead/secrets"
	"fairlead.dev/fairlead/secrets/internal/source"
)

func TestPick(t *testing.T) {
	t.Parallel()
	const document = `{"a":{"b":["x",{"c":"deep"}],"":"blank"},"a.b":"dotted","a/b":"slashed","m~n":"tilde","~1":"escaped",
		"n":0,"t":true,"z":null,"e":"","u":"\ufffd","":"top"}`
	for key, want := range map[string]string{
		"a.b.0": "x", "a.b.1.c": "deep", "/a/b/1/c": "deep", "a.": "blank", "/a/": "blank",
		"/a.b": "dotted", "/a~1b": "slashed", "/m~0n": "tilde", "/~01": "escaped", "/": "top",
		"n": "", "t": "", "z": "", "e": "", "u": "", "a": "", "a.b": "", "a.b.2": "", "a.b.-1": "", "a.b.x": "",
		"q": "", "n.x": "", "a.b.0.x": "", "//": "",
	} {
		value, err := source.Pick(secrets.Ref{}, []byte(document), key)
		if value.Reveal() != want || (want == "") != errors.Is(err, secrets.ErrInvalid) {
			t.Errorf("%q: got %q, %v, want %q", key, value.Reveal(), err, want)
		}
	}
}

// FuzzPick looks for panics and for errors that quote the document.
func FuzzPick(f *testing.F) {
	f.Add(`{"a":["x"]}`, "a.0")
	f.Add(`{"a":1}`, "/a~1")
	f.Add(`"x"`, "")
	f.Fuzz(func(t *testing.T, secret, key string) {
		const canary = "canary-3141"
		text, err := json.Marshal(canary + secret)
		if err != nil {
			t.Skip()
		}
		for _, document := range []string{secret, `{"k":` + string(text) + `}`, canary + secret, `{"` + canary + `":` + secret + `}`} {
			_, err := source.Pick(secrets.Ref{Age: &secrets.AgeRef{File: "f", Key: "k"}}, []byte(document), key)
			if err != nil && strings.Contains(err.Error(), canary) {
				t.Errorf("the secret shows: %v", err)
			}
		}
	})
}
