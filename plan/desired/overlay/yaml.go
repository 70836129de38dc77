package overlay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a part of a YAML text with its place.
type node = yaml.Node

// syntax reads the documents of a YAML text with their places. A text that is no YAML gives
// those before the mistake, which kustomize tells, and is not whole.
func syntax(text []byte) (documents []*node, whole bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var n node
		if err := decoder.Decode(&n); err != nil {
			return documents, errors.Is(err, io.EOF)
		}
		documents = append(documents, n.Content...)
	}
}

// hasContent reports whether any document has something in it.
func hasContent(documents []*node) bool {
	for _, n := range documents {
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!null" {
			return true
		}
	}
	return false
}

// entry is the value of a key of a mapping; nil where there is none. As kustomize reads its
// own fields, letters may be of either case.
func entry(n *node, key string) *node {
	_, value := pair(n, key)
	return value
}

// pair gives the key, as it is written, and its value.
func pair(n *node, key string) (name, value *node) {
	n = target(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if strings.EqualFold(n.Content[i].Value, key) {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// item is an item of a list; nil where there is none.
func item(n *node, i int) *node {
	n = target(n)
	if n == nil || n.Kind != yaml.SequenceNode || i >= len(n.Content) {
		return nil
	}
	return n.Content[i]
}

// target is what an alias stands for.
func target(n *node) *node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// mostAliased is how many values all aliases of a document may stand for. kustomize puts
// what they stand for in their places, also where that comes to more than any memory holds.
const mostAliased = 100_000

// multiplying finds the first alias with which the values that aliases of a document stand
// for become too many, or that stands for itself; nil where there is none.
func multiplying(document *node) (first *node) {
	sizes := map[*node]int{}
	var sizeOf func(*node) int
	total := 0
	sizeOf = func(n *node) int {
		if n.Kind == yaml.AliasNode {
			size, known := sizes[n.Alias]
			if !known {
				size = mostAliased + 1 // it is within what it stands for
			}
			if total += size; total > mostAliased && first == nil {
				first = n
			}
			return min(size, mostAliased+1)
		}
		size := 1
		for _, child := range n.Content {
			size = min(size+sizeOf(child), mostAliased+1)
		}
		sizes[n] = size
		return size
	}
	sizeOf(document)
	return first
}

// repeat is a key that a mapping has twice.
type repeat struct {
	*node
	first int
}

func (r repeat) message() string {
	return fmt.Sprintf("the key %q is here twice, first in line %d", r.Value, r.first)
}

// repeated finds the keys that a mapping has twice, in all of a document. With fold letters
// of the outermost keys may be of either case.
func repeated(n *node, fold bool) (out []repeat) {
	seen := map[string]int{}
	for i, child := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			out = append(out, repeated(child, false)...)
			continue
		}
		key := child.Value
		if fold {
			key = strings.ToLower(key)
		}
		if first, again := seen[key]; again && child.Kind == yaml.ScalarNode {
			out = append(out, repeat{child, first})
			continue
		}
		seen[key] = child.Line
	}
	return out
}
