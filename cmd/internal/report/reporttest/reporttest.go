// Package reporttest helps to test the formats of a report: it renders, and compares with golden
// files.
package reporttest

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/formats"
	"fairlead.dev/fairlead/schema/diag"
)

// Rendered is a report in the named format, without colors.
func Rendered(t testing.TB, format string, r report.Report) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := formats.Render(&out, format, r, report.Style{}); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return out.Bytes()
}

var update = flag.Bool("update", false, "rewrite golden files")

// Golden compares with a file of a folder of testdata.
func Golden(t *testing.T, folder, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", folder, name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs, run with -update after a look:\n%s", file, diff)
	}
}

// At is a place in a description.
func At(file string, line, column int) diag.Position {
	return diag.Position{File: file, Line: line, Column: column}
}
