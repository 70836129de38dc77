// Package diag holds what a user gets told about a description: findings, each
// with a place in a file, the value that is wrong and what to do about it.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a finding stops the work.
type Severity string

const (
	// Error stops every command that needs the description.
	Error Severity = "error"
	// Warning is shown and does not stop anything.
	Warning Severity = "warning"
)

// Position is a place in a file of the description. File is a slash-separated
// path relative to where the user stands (or to the root of the repository when
// a revision was read); Line and Column count from 1, and 0 means unknown.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// IsZero reports whether nothing is known about the place.
func (p Position) IsZero() bool { return p == Position{} }

// String gives file:line:column, without the parts that are not known.
func (p Position) String() string {
	switch {
	case p.IsZero():
		return ""
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// MarshalText writes the position as String does, which is how a plan holds it.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote. Text that has no line or column
// becomes a position with only a file; it never fails.
func (p *Position) UnmarshalText(text []byte) error {
	*p = parsePosition(string(text))
	return nil
}

func parsePosition(s string) Position {
	file, column, ok := cutNumber(s)
	if !ok {
		return Position{File: s}
	}
	if rest, line, ok := cutNumber(file); ok {
		return Position{File: rest, Line: line, Column: column}
	}
	return Position{File: file, Line: column}
}

func cutNumber(s string) (before string, n int, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || i == len(s)-1 {
		return s, 0, false
	}
	for _, c := range s[i+1:] {
		if c < '0' || c > '9' || n > 1<<30 {
			return s, 0, false
		}
		n = n*10 + int(c-'0')
	}
	return s[:i], n, true
}

// Finding is one thing that is wrong, or odd, in a description.
type Finding struct {
	Severity Severity `json:"severity"`
	// Code names the rule in kebab-case, for example "unknown-site". It is stable:
	// scripts and ignore lists may rely on it.
	Code string `json:"code"`
	// Subject is the thing in the user's words, for example `link "shop1-hub"`.
	// It may be empty, when the finding is about a file.
	Subject string `json:"subject"`
	// Message says what is wrong and holds the offending value. It starts in
	// lower case and does not repeat the subject.
	Message string `json:"message"`
	// Fix says what to do next; it may be empty only when Message leaves no doubt.
	Fix string `json:"fix"`
	// At is where it is wrong.
	At Position `json:"at"`
	// Related are other places that matter, for example the first of two
	// definitions. Never nil in JSON produced by this package's Sorted.
	Related []Position `json:"related"`
}

// String gives one line: position, severity, subject, message, fix.
func (f Finding) String() string {
	var b strings.Builder
	if at := f.At.String(); at != "" {
		b.WriteString(at + ": ")
	}
	b.WriteString(string(f.Severity) + ": ")
	if f.Subject != "" {
		b.WriteString(f.Subject + ": ")
	}
	b.WriteString(f.Message)
	if f.Fix != "" {
		b.WriteString("; " + f.Fix)
	}
	return b.String()
}

// List is a set of findings.
type List []Finding

// HasErrors reports whether any finding is an Error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(f Finding) bool { return f.Severity == Error })
}

// Count returns how many findings have the severity.
func (l List) Count(s Severity) int {
	n := 0
	for _, f := range l {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Sorted returns a copy ordered by position, severity, code, message and subject, without
// exact repetitions, without nil Related lists and without the credentials of URLs.
func (l List) Sorted() List {
	out := slices.Clone(l)
	for i := range out {
		if out[i].Related == nil {
			out[i].Related = []Position{}
		}
		for _, text := range []*string{&out[i].Subject, &out[i].Message, &out[i].Fix} {
			*text = WithoutCredentials(*text)
		}
	}
	slices.SortStableFunc(out, compare)
	return slices.CompactFunc(out, func(a, b Finding) bool {
		return compare(a, b) == 0
	})
}

func compare(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.At.File, b.At.File),
		cmp.Compare(a.At.Line, b.At.Line),
		cmp.Compare(a.At.Column, b.At.Column),
		cmp.Compare(a.Severity, b.Severity),
		cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Message, b.Message),
		cmp.Compare(a.Subject, b.Subject),
		cmp.Compare(a.Fix, b.Fix),
	)
}
