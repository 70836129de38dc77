package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"

	"fairlead.dev/fairlead/schema/network"
)

// writtenPackage is the package of a description that Fairlead writes.
const writtenPackage = "network"

// longLine is about how many characters an entry may have on one line.
const longLine = 100

// Write gives a description of the network as formatted CUE: one package of one
// file, of which Load makes the same network, places apart. Fields with their
// default are left out. Each line of comment becomes a comment line at the top. A
// network that Load would refuse is written all the same, so that Load can say what
// is wrong with it.
func Write(n network.Network, comment []string) ([]byte, error) {
	var b strings.Builder
	writeComment(&b, comment)
	fmt.Fprintf(&b, "package %s\n\nnetwork: %s\n", writtenPackage, quote(n.Name))
	if n.Overlay != "" {
		fmt.Fprintf(&b, "overlay: %s\n", quote(n.Overlay))
	}
	root := description()
	writeSection(&b, root, "clusters", n.Clusters, clusterName, func(network.Cluster) (none network.Cluster) { return none })
	writeSection(&b, root, "sites", n.Sites, siteName, func(s network.Site) network.Site {
		return network.Site{Object: string(s.Name)}
	})
	writeSection(&b, root, "proxies", n.Proxies, proxyName, func(network.Proxy) (none network.Proxy) { return none })
	writeSection(&b, root, "links", n.Links, linkName, func(l network.Link) network.Link {
		return network.Link{Object: string(l.Name), Cost: 1, Via: defaultVia(l.Proxy)}
	})
	policy, _ := root.field("policy")
	defaults := &policyDecl{Policy: network.DefaultPolicy()}
	if fields := policy.inner.write(&policyDecl{Policy: n.Policy}, defaults); len(fields) > 0 {
		fmt.Fprintf(&b, "\npolicy: %s\n", fields.broken())
	}
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		return nil, fmt.Errorf("description not written: %w", err)
	}
	return text, nil
}

// writeComment writes each line of the texts as a comment of its own: nothing in a
// text may end the comment.
func writeComment(b *strings.Builder, comment []string) {
	for _, text := range comment {
		for line := range strings.SplitSeq(text, "\n") {
			b.WriteString(strings.TrimRight("// "+strings.Map(printable, line), " ") + "\n")
		}
	}
	if len(comment) > 0 {
		b.WriteString("\n")
	}
}

// printable replaces characters that no CUE file may hold.
func printable(r rune) rune {
	if unicode.IsControl(r) || r == '\uFEFF' {
		return ' '
	}
	return r
}

// writeSection writes a top-level field with an entry for each element.
func writeSection[V any](
	b *strings.Builder, root *shape, name string, list []V, key func(V) string, defaults func(V) V,
) {
	if len(list) == 0 {
		return
	}
	section, _ := root.field(name)
	fmt.Fprintf(b, "\n%s: {\n", name)
	for _, v := range list {
		otherwise := defaults(v)
		fmt.Fprintf(b, "%s: %s\n", label(key(v)), section.inner.write(&v, &otherwise).broken())
	}
	b.WriteString("}\n")
}

// written are the fields of a struct as "name: value", in order.
type written []string

// add adds a field whose value is CUE already.
func (w *written) add(name, value string) { *w = append(*w, label(name)+": "+value) }

// String gives the struct as the value of a field, on one line.
func (w written) String() string {
	if len(w) == 1 {
		return w[0]
	}
	return "{" + strings.Join(w, ", ") + "}"
}

// broken is String with a line for each field where one line would be too long.
func (w written) broken() string {
	line := w.String()
	if len(w) < 2 || len(line) <= longLine {
		return line
	}
	return "{\n" + strings.Join(w, "\n") + "\n}"
}

// writtenList is a list of which each item is given as CUE; empty for no items.
func writtenList[V any](list []V, item func(V) string) string {
	if len(list) == 0 {
		return ""
	}
	items := make([]string, len(list))
	for i, v := range list {
		items[i] = item(v)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// writtenTexts are texts by name; empty for none.
func writtenTexts(texts map[string]string) string {
	if len(texts) == 0 {
		return ""
	}
	var w written
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		w.add(key, quote(texts[key]))
	}
	return w.String()
}

func quote(s string) string { return literal.String.Quote(s) }

// label writes the name of a field. Nothing that is written refers to a field, so a
// name without quotes cannot catch a reference.
func label(name string) string {
	if ast.StringLabelNeedsQuoting(name) {
		return quote(name)
	}
	return name
}
