package words

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CountOrNone words a number of things: "1 link", "2 links", "no links".
func CountOrNone(n int, one string) string {
	if n == 0 {
		return "no " + one + "s"
	}
	return Plural(n, one, one+"s")
}

// Plural puts a number before one of two words.
func Plural(n int, one, many string) string { return fmt.Sprintf("%d %s", n, Either(n, one, many)) }

// Either gives the form of a word that goes with a number.
func Either[T ~string](n int, one, many T) T {
	if n == 1 {
		return one
	}
	return many
}

// And lists words as people do: "a, b and c".
func And(list []string) string {
	last := len(list) - 1
	if last < 1 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:last], ", ") + " and " + list[last]
}

// Listed lists all names as people do, or joins the first and counts the rest.
func Listed[T ~string](list []T, most int) string {
	if len(list) > most {
		return Some(Strings(list), most)
	}
	return And(Strings(list))
}

// Clip shortens a text to so many characters, the last one a mark that some are missing.
func Clip(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// Printable replaces what text of one or more lines cannot show: control characters but
// newline and tab, marks that change the direction of writing, and bytes that are no UTF-8.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', turns(r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// turns reports whether a character changes the direction of what follows it.
func turns(r rune) bool {
	return r == '\u200e' || r == '\u200f' || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

// OneLine makes text printable, in one line without tabs.
func OneLine(s string) string {
	return strings.Join(strings.FieldsFunc(Printable(s), func(r rune) bool { return r == '\n' || r == '\t' }), " ")
}

// Visible puts a space for what cannot be seen, or turns the text around it.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
}
