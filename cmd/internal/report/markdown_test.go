package report_test

import (
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/report"
)

func markdownOf(t testing.TB, r report.Report) string {
	t.Helper()
	return string(rendered(t, "markdown", r))
}

func TestMarkdownGolden(t *testing.T) {
	t.Parallel()
	for name, r := range cases {
		golden(t, "markdown", name+".md", rendered(t, "markdown", r()))
	}
}

// The text about a part of a network is not taken for that about the whole.
func TestMarkdownOfPart(t *testing.T) {
	t.Parallel()
	for narrowed, want := range map[bool]string{false: "drift", true: "drift-part"} {
		r := drifted()
		r.Drift.Narrowed = narrowed
		if text := markdownOf(t, r); !strings.HasPrefix(text, report.Marker(want, r.Drift.Network)+"\n") {
			t.Errorf("narrowed %v: %.80s", narrowed, text)
		}
	}
}
