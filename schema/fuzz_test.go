package schema_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"

	"fairlead.dev/fairlead/schema"
)

// FuzzLoad checks that no text makes Load panic or hang, that every finding has a
// place, and that only descriptions without errors give a network.
func FuzzLoad(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text string) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		files := fstest.MapFS{"fuzz.cue": {Data: []byte(text)}}
		res, err := schema.Load(ctx, schema.Source{FS: files, Dir: "."})
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("no end in sight: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, finding := range res.Findings {
			if finding.At.IsZero() && finding.Code != "internal" {
				t.Errorf("finding without a place: %v", finding)
			}
			if finding.Code == "internal" {
				t.Errorf("panic: %v", finding)
			}
		}
		if res.Findings.HasErrors() == (res.Digest != "") {
			t.Errorf("digest %q with findings %v", res.Digest, res.Findings)
		}
		if !res.Findings.HasErrors() && !strings.Contains(text, "import") {
			agreesWithCUE(t, text)
		}
	})
}

// agreesWithCUE checks that CUE and schema.cue find nothing wrong either.
func agreesWithCUE(t *testing.T, text string) {
	t.Helper()
	definitions, err := fs.ReadFile(schema.Module(), "schema.cue")
	if err != nil {
		t.Fatal(err)
	}
	ctx := cuecontext.New()
	v := ctx.CompileBytes(definitions).LookupPath(cue.ParsePath("#Network")).Unify(ctx.CompileString(text))
	if _, err := v.MarshalJSON(); err != nil {
		t.Errorf("accepted, but CUE says: %v", err)
	}
}

func seed(f *testing.F) {
	f.Helper()
	err := fs.WalkDir(os.DirFS(fixtures), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".cue" {
			return err
		}
		text, err := fs.ReadFile(os.DirFS(fixtures), name)
		f.Add(string(text))
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(everything)
}
