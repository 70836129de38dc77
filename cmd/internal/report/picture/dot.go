package picture

import (
	"fmt"
	"io"
	"strings"

	"fairlead.dev/fairlead/plan/words"
)

var dotColors = map[Change]string{Same: "#57606a", Added: "#1a7f37", Removed: "#cf222e", Changed: "#9a6700"}

// DOT writes a picture for Graphviz: listening sites with a double border, edge sites
// dashed, clusters around them, costs on the links.
func DOT(w io.Writer, p Picture) error {
	var b strings.Builder
	fmt.Fprintf(&b, "graph %s {\n", dotText(p.Name))
	b.WriteString("  graph [rankdir=LR, ranksep=1.5, nodesep=0.1, fontname=\"Helvetica\", label=\"double border: accepts links; dashed: edge site\"]\n")
	b.WriteString("  node [shape=box, style=rounded, fontname=\"Helvetica\", height=0.3, margin=\"0.12,0.04\"]\n")
	b.WriteString("  edge [fontname=\"Helvetica\", fontsize=10]\n")
	ids := nodeIDs(p)
	for i, g := range p.Groups {
		fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s\n    color=%q\n", i, dotText(g.Name),
			dotColors[g.Change])
		for _, n := range p.Nodes {
			if n.Group == g.Name {
				fmt.Fprintf(&b, "    %s [%s]\n", ids[n.Name], dotNode(n))
			}
		}
		b.WriteString("  }\n")
	}
	for _, e := range p.Edges {
		fmt.Fprintf(&b, "  %s -- %s [label=%s, tooltip=%s%s]\n", ids[e.From], ids[e.To], dotText(e.Label()),
			dotText(e.Name), dotLine(e.Change))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func dotNode(n Node) string {
	text := "label=" + dotText(n.Label())
	if n.Listens {
		text += ", peripheries=2"
	}
	if n.Edge {
		text += `, style="rounded,dashed"`
	}
	if n.Change != Same {
		text += fmt.Sprintf(", color=%q, fontcolor=%q, penwidth=2", dotColors[n.Change], dotColors[n.Change])
	}
	return text
}

func dotLine(c Change) string {
	text := fmt.Sprintf(", color=%q", dotColors[c])
	if c != Same {
		text += fmt.Sprintf(", fontcolor=%q, penwidth=2", dotColors[c])
	}
	if c == Removed {
		text += ", style=dashed"
	}
	return text
}

// dotText quotes a text: a backslash would start one of Graphviz's escapes.
func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;").Replace(words.Visible(s)) + `"`
}
