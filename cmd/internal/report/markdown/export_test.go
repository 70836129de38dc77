package markdown

import "fairlead.dev/fairlead/plan/words"

// EscapeText and EscapeCode are the two ways of others' text into markdown, Row a table's line.
func EscapeText(s string) string           { return string(escapeText(s)) }
func EscapeCode(s string, most int) string { return string(escapeCode(s, most)) }

// Row makes a table's line of cells.
func Row(cells ...string) string {
	var list []md
	for _, c := range cells {
		list = append(list, md(c))
	}
	return string(row(list...))
}

// Visible, MostOfText and Clip are what the escapes do to a text besides.
var (
	Visible = words.Visible
	Clip    = words.Clip
)

const MostOfText = mostOfText
