package schema_test

import (
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema"
)

var update = flag.Bool("update", false, "rewrite want.txt of every case in fixtures/invalid")

const fixtures = "../fixtures"

func loadDir(t *testing.T, tree fs.FS, dir string, tags ...string) schema.Result {
	t.Helper()
	res, err := schema.Load(context.Background(), schema.Source{FS: tree, Dir: dir, Tags: tags})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestInvalidFixtures(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join(fixtures, "invalid", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			checkCase(t, dir)
		})
	}
}

func checkCase(t *testing.T, dir string) {
	tags, err := os.ReadFile(filepath.Join(dir, "tags.txt"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	res := loadDir(t, os.DirFS(dir), ".", strings.Fields(string(tags))...)
	var got strings.Builder
	for _, f := range res.Findings {
		got.WriteString(f.String() + "\n")
		if f.Code == "" || f.At.IsZero() || f.Message == "" {
			t.Errorf("finding without code, place or message: %+v", f)
		}
	}
	if len(res.Findings) == 0 {
		t.Error("no finding")
	}
	file := filepath.Join(dir, "want.txt")
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
