package markdown_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	dom "golang.org/x/net/html"
)

// domOf is markdown as a forge would show it: raw HTML is let through.
func domOf(t testing.TB, text string) *dom.Node {
	t.Helper()
	var b bytes.Buffer
	engine := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList), goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := engine.Convert([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	root, err := dom.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// elements are the names of all elements and where each ends, in their order.
func elements(root *dom.Node) (out []string) {
	for n := range root.ChildNodes() {
		switch n.Type {
		case dom.ElementNode:
			out = append(append(append(out, n.Data), elements(n)...), "/"+n.Data)
		case dom.CommentNode:
			out = append(out, "comment")
		default:
		}
	}
	return out
}

// texts are the texts of all elements of a name; of any, without those in code, if it is
// empty.
func texts(root *dom.Node, name string) (out []string) {
	for n := range root.Descendants() {
		switch {
		case n.Type == dom.ElementNode && n.Data == name:
			out = append(out, textOf(n))
		case n.Type == dom.TextNode && name == "" && !within(n, "code"):
			out = append(out, n.Data)
		}
	}
	return out
}

func textOf(root *dom.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == dom.TextNode {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}

func within(n *dom.Node, name string) bool {
	for p := range n.Ancestors() {
		if p.Type == dom.ElementNode && p.Data == name {
			return true
		}
	}
	return false
}

// harmless are the elements that a comment consists of.
var harmless = []string{
	"html", "head", "body", "h2", "h3", "p", "ul", "li", "strong", "em", "code", "pre", "blockquote", "hr",
	"table", "thead", "tbody", "tr", "th", "td", "details", "summary",
}

// calls are what a forge looks for in the text of a finished page, code apart.
var calls = map[string]*regexp.Regexp{
	"mention":   regexp.MustCompile(`@[\pL\pN_]`),
	"reference": regexp.MustCompile(`[#!~%&^][\pL\pN_"]`),
	"issue":     regexp.MustCompile(`(?i:\bgh-\d)|\b[A-Z][A-Z0-9_]*-\d`),
	"commit":    regexp.MustCompile(`[0-9a-fA-F]{7,}`),
	"address":   regexp.MustCompile(`(?i)://|www\.|mailto:[\pL\pN]|xmpp:[\pL\pN]`),
	"emoji":     regexp.MustCompile(`:[\pL\pN_+-]+:`),
	"formula":   regexp.MustCompile(`\$`),
	"wiki":      regexp.MustCompile(`\[\[|\[[\pL_^]|\{[+-]`),
}

// alerts are how boxes begin.
var alerts = map[string]bool{"[!CAUTION]": true, "[!WARNING]": true}

// checkQuiet wants a page without anything that a forge acts on.
func checkQuiet(t testing.TB, root *dom.Node) {
	t.Helper()
	for _, e := range elements(root) {
		if name := strings.TrimPrefix(e, "/"); name != "comment" && !slices.Contains(harmless, name) {
			t.Errorf("an element %s", name)
		}
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key != "class" || a.Val != "language-mermaid" {
				t.Errorf("element %s has %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
	for _, text := range texts(root, "") {
		if alerts[strings.TrimSpace(text)] {
			continue
		}
		for what, call := range calls {
			if found := call.FindString(text); found != "" {
				t.Errorf("%s %q in %q", what, found, text)
			}
		}
	}
}

// checkTables wants each row to have as many cells as its table's head.
func checkTables(t testing.TB, root *dom.Node) {
	t.Helper()
	for n := range root.Descendants() {
		if n.Type != dom.ElementNode || n.Data != "tr" {
			continue
		}
		cells := 0
		for c := range n.ChildNodes() {
			if c.Type == dom.ElementNode {
				cells++
			}
		}
		if cells != 5 {
			t.Errorf("a row of %d cells: %s", cells, textOf(n))
		}
	}
}
