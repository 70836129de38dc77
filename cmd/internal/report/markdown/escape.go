package markdown

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"fairlead.dev/fairlead/plan/words"
)

// md is text that a renderer may see as it is: words of ours, and what escapeText
// and escapeCode made of anybody else's. Constants become it by themselves, strings do not.
type md string

// zeroWidth stands where two characters together would mean something to a forge. It is
// not seen, and no word goes across it.
const zeroWidth = "\u200b"

// How many characters of others' text are shown; what is cut off is marked with "…".
const (
	mostOfName  = 253 // as long as a name of Kubernetes can be
	mostOfValue = 120
	mostOfText  = 4000
)

// escapeText makes any text stand in markdown as the words that it is, on one line: in a
// paragraph, a list or a table's cell, at the start or amid others. It cannot make markup,
// HTML, links or images. Nor does it say anything to GitHub or GitLab: no mentions
// ("@team"), no references ("#1", "GH-1", "!1", commits), no addresses that are made into
// links, emoji or formulas. Characters that mean something become numbered entities; those
// that a forge looks for in the finished page get a zero width space behind them; a dollar
// sign becomes a wide one, for formulas are found whatever is between. Text that is too
// long is cut.
func escapeText(s string) md {
	words := []rune(words.Clip(strings.Join(strings.Fields(words.Visible(s)), " "), mostOfText))
	var b strings.Builder
	hex := 0
	for i, r := range words {
		if hex = hexRun(words, i, hex); hex > 0 && hex%6 == 1 && hex > 1 {
			b.WriteString(zeroWidth)
		}
		switch {
		case r == '$':
			b.WriteRune('＄')
			continue
		case i == 0 && numbersList(words):
			fmt.Fprintf(&b, "&#%d;", r)
		case plainRune(r), i > 0 && strings.ContainsRune(`-+=.,:;"'/?%^@()`, r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "&#%d;", r)
		}
		if i+1 < len(words) && breaks(words[:i+1], words[i+1]) {
			b.WriteString(zeroWidth)
		}
	}
	return md(b.String())
}

// plainRune reports whether a character means nothing anywhere in markdown.
func plainRune(r rune) bool {
	return r == ' ' || r > unicode.MaxASCII || unicode.IsLetter(r) || unicode.IsDigit(r)
}

func digit(r rune) bool { return r >= '0' && r <= '9' }

func allOf(words []rune, test func(rune) bool) bool {
	return !slices.ContainsFunc(words, func(r rune) bool { return !test(r) })
}

// numbersList reports whether a text would begin a numbered list, also with what may come
// behind it.
func numbersList(words []rune) bool {
	end := slices.IndexFunc(words, func(r rune) bool { return !digit(r) })
	return end < 0 || end > 0 && (words[end] == '.' || words[end] == ')')
}

// breaks reports whether a forge might read the end of a text together with what follows.
func breaks(words []rune, next rune) bool {
	last := words[len(words)-1]
	switch {
	case next == ' ':
		return false
	case strings.ContainsRune("@#!~%^&:[{", last):
		return true
	case next == '.':
		return endsWith(words, "www")
	case last == '-' && digit(next):
		return endsWith(words, "gh-") || tracked(words[:len(words)-1])
	}
	return false
}

// tracked reports whether a text ends as the keys of trackers begin: "ABC" of "ABC-1".
func tracked(words []rune) bool {
	for _, r := range slices.Backward(words) {
		if !digit(r) && r != '_' {
			return unicode.IsUpper(r)
		}
	}
	return false
}

func endsWith(words []rune, end string) bool {
	n := len(words) - len(end)
	return n >= 0 && strings.EqualFold(string(words[n:]), end)
}

// hexRun counts how far into a word of hexadecimal digits a character is, so that none of
// seven, the least that is read as a commit, is left whole.
func hexRun(words []rune, i, run int) int {
	if !strings.ContainsRune("0123456789abcdefABCDEF", words[i]) {
		return 0
	}
	return run + 1
}

// escapeCode makes any text a code span: no forge looks for anything in it. It may stand
// wherever escapeText's may, but in a table only through row. Text that is too long is cut
// to most characters.
func escapeCode(s string, most int) md {
	text := words.Clip(words.Visible(s), most)
	if strings.Trim(text, " ") == "" {
		text = " "
	} else if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") ||
		text[0] == ' ' && strings.HasSuffix(text, " ") {
		text = " " + text + " "
	}
	fence := strings.Repeat("`", longestRun(text, '`')+1)
	return md(fence + text + fence)
}

func longestRun(s string, of rune) (longest int) {
	run := 0
	for _, r := range s {
		if run++; r != of {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

// code is a code span of a name.
func code[T ~string](name T) md { return escapeCode(string(name), mostOfName) }

// row makes a table's line. Pipes in its cells do not end them; a backslash before one is
// kept from it, for tables read them before anything else.
func row(cells ...md) md {
	pipes := strings.NewReplacer(`\|`, `\`+zeroWidth+`\|`, `|`, `\|`)
	var b strings.Builder
	for _, c := range cells {
		b.WriteString("| " + pipes.Replace(string(c)) + " ")
	}
	return md(b.String() + "|\n")
}

// Marker is the line by which a comment or an issue is found again: an HTML comment, which
// nobody sees. Kind is "plan", "diff" (no cluster was read), "drift" or "drift-part" (it was
// narrowed). Whatever is in the network's name, the line is one comment, and two names
// never give the same.
func Marker(kind, network string) string {
	return "<!-- fairlead:" + marked(kind) + ":" + marked(network) + " -->"
}

// marked writes what could end a comment, or stand for something else, as percent and its
// bytes in hexadecimal.
func marked(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', digit(rune(c)), c == '.', c == '_', c == ':':
			b.WriteByte(c)
		case c == '-' && i > 0 && s[i-1] != '-' && i < len(s)-1:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}
