package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"fairlead.dev/fairlead/secrets"
)

// Pick gives the text at key of a JSON document. key is a dotted path or, with a
// leading slash, a JSON pointer (RFC 6901); list items count from 0. Only texts
// are secrets: a bare number may have lost leading zeros or digits on its way, and
// then would be a wrong password instead of an error. For the same reason a text is
// refused that holds U+FFFD, which stands for bytes that JSON could not carry.
func Pick(ref secrets.Ref, document []byte, key string) (secrets.Value, error) {
	root, err := parse(document)
	if err != nil {
		return secrets.Value{}, secrets.Invalid(ref, "is not a JSON document once decrypted", "leave the key out to use the whole content")
	}
	node := root
	for _, name := range names(key) {
		var found bool
		if node, found = child(node, name); !found {
			return secrets.Value{}, secrets.Invalid(ref, "has no such key", "check the key; when a name holds a dot, write a JSON pointer such as /files/tls.key")
		}
	}
	text, ok := node.(string)
	if !ok {
		return secrets.Value{}, secrets.Invalid(ref, fmt.Sprintf("is %s, not a text", kind(node)), advice(node))
	}
	if strings.ContainsRune(text, utf8.RuneError) {
		return secrets.Value{}, secrets.Invalid(ref, "holds bytes that are not text", "keep it in a file of its own and leave the key out")
	}
	return Value(ref, text)
}

// parse reads exactly one JSON value.
func parse(document []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one value")
	}
	return root, nil
}

func names(key string) []string {
	pointer, isPointer := strings.CutPrefix(key, "/")
	if !isPointer {
		return strings.Split(key, ".")
	}
	parts := strings.Split(pointer, "/")
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for i, p := range parts {
		parts[i] = unescape.Replace(p)
	}
	return parts
}

func child(node any, name string) (any, bool) {
	switch n := node.(type) {
	case map[string]any:
		v, ok := n[name]
		return v, ok
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(n) {
			return nil, false
		}
		return n[i], true
	}
	return nil, false
}

func kind(node any) string {
	switch node.(type) {
	case map[string]any:
		return "a map"
	case []any:
		return "a list"
	case nil:
		return "null"
	case bool:
		return "true or false"
	}
	return "a number"
}

func advice(node any) string {
	switch node.(type) {
	case map[string]any, []any:
		return "name a key below it"
	}
	return "put it in quotes in the document"
}
