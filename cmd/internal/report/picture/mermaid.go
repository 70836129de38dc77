package picture

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"fairlead.dev/fairlead/plan/words"
)

// MermaidEdges is how many links viewers accept in a Mermaid picture: GitHub's refuse more.
const MermaidEdges = 500

var mermaidColors = map[Change]string{
	Added:   "fill:#dafbe1,stroke:#1a7f37,color:#0a3d18",
	Removed: "fill:#ffebe9,stroke:#cf222e,color:#82071e,stroke-dasharray:5 3",
	Changed: "fill:#fff8c5,stroke:#9a6700,color:#4d2d00",
}

var mermaidLines = map[Change]string{
	Added:   "stroke:#1a7f37,stroke-width:3px",
	Removed: "stroke:#cf222e,stroke-width:3px,stroke-dasharray:5 3",
	Changed: "stroke:#9a6700,stroke-width:3px",
}

// Mermaid writes a picture as a Mermaid flowchart: listening sites with a double side,
// edge sites rounded, clusters around them, costs on the links.
func Mermaid(w io.Writer, p Picture) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	ids := nodeIDs(p)
	for i, g := range p.Groups {
		fmt.Fprintf(&b, "  subgraph c%d[\"%s\"]\n", i, mermaidText(g.Name))
		for _, n := range p.Nodes {
			if n.Group == g.Name {
				fmt.Fprintf(&b, "    %s%s\n", ids[n.Name], mermaidShape(n))
			}
		}
		b.WriteString("  end\n")
	}
	styled := map[Change][]string{}
	for i, e := range p.Edges {
		fmt.Fprintf(&b, "  %s ---|\"%s\"| %s\n", ids[e.From], mermaidText(e.Label()), ids[e.To])
		styled[e.Change] = append(styled[e.Change], fmt.Sprint(i))
	}
	for _, c := range []Change{Added, Changed, Removed} {
		if list := styled[c]; len(list) > 0 {
			fmt.Fprintf(&b, "  linkStyle %s %s\n", strings.Join(list, ","), mermaidLines[c])
		}
	}
	mermaidClasses(&b, p, ids)
	_, err := io.WriteString(w, b.String())
	return err
}

func mermaidClasses(b *strings.Builder, p Picture, ids map[string]string) {
	for _, c := range []Change{Added, Changed, Removed} {
		var list []string
		for _, n := range p.Nodes {
			if n.Change == c {
				list = append(list, ids[n.Name])
			}
		}
		if len(list) > 0 {
			fmt.Fprintf(b, "  classDef %s %s\n  class %s %s\n", c, mermaidColors[c], strings.Join(list, ","), c)
		}
	}
}

// nodeIDs are short names that are safe in every format.
func nodeIDs(p Picture) map[string]string {
	ids := map[string]string{}
	for i, n := range p.Nodes {
		ids[n.Name] = fmt.Sprintf("n%d", i)
	}
	return ids
}

func mermaidShape(n Node) string {
	text := mermaidText(n.Label())
	switch {
	case n.Listens:
		return `[["` + text + `"]]`
	case n.Edge:
		return `(["` + text + `"])`
	}
	return `["` + text + `"]`
}

// mermaidText escapes all but letters, digits and some harmless signs as numbered
// entities, which neither Mermaid nor the page around it reads as anything else.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range words.Visible(s) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune(" -_.,:/→", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
