package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/cmd/internal/report"
)

var update = flag.Bool("update", false, "rewrite golden files")

func markdownOf(t testing.TB, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Render(&b, "markdown", r, report.Style{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMarkdownGolden(t *testing.T) {
	t.Parallel()
	for name, r := range cases {
		file := filepath.Join("testdata", "markdown", name+".md")
		got := markdownOf(t, r())
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs, run with -update after a look:\n%s", file, diff)
		}
	}
}

// The text about a part of a network is not taken for that about the whole.
func TestMarkdownOfPart(t *testing.T) {
	t.Parallel()
	for narrowed, want := range map[bool]string{false: "drift", true: "drift-part"} {
		r := drifted()
		r.Drift.Narrowed = narrowed
		if text := string(rendered(t, "markdown", r)); !strings.HasPrefix(text, report.Marker(want, r.Drift.Network)+"\n") {
			t.Errorf("narrowed %v: %.80s", narrowed, text)
		}
	}
}
