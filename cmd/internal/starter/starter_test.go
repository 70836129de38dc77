package starter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// The workflows that init writes are those that .github/examples shows.
func TestTemplatesAreTheExamples(t *testing.T) {
	t.Parallel()
	for name, example := range map[string]string{
		"fairlead-plan.yml": "plan-on-pull-request.yml", "fairlead-apply.yml": "apply-on-merge.yml", "fairlead-drift.yml": "drift-on-schedule.yml",
	} {
		want, err := os.ReadFile(filepath.Join("..", "..", "..", ".github", "examples", example))
		if err != nil {
			t.Fatal(err)
		}
		got, err := template(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("templates/%s is not .github/examples/%s; copy the one you mean over the other:\n%s", name, example, diff)
		}
	}
}

func made(t *testing.T, o Options) map[string]string {
	t.Helper()
	o.Schema, o.SchemaPath = fstest.MapFS{"schema.cue": {Data: []byte("package schema\n")}}, "fairlead.dev/schema"
	files, err := Files(o)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range files {
		out[f.Path] = string(f.Content)
	}
	return out
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dir, description, module, schema string
		lines                            []string
	}{
		{".", "network.cue", "cue.mod/module.cue", "cue.mod/pkg/fairlead.dev/schema/schema.cue",
			[]string{"      description: .\n", `paths: ["**"]`}},
		{"teams/a b", "teams/a b/network.cue", "teams/a b/cue.mod/module.cue", "teams/a b/cue.mod/pkg/fairlead.dev/schema/schema.cue",
			[]string{`      description: "./teams/a b"` + "\n", `paths: ["teams/a b/**"]`}},
		{"net", "net/network.cue", "net/cue.mod/module.cue", "net/cue.mod/pkg/fairlead.dev/schema/schema.cue",
			[]string{"      description: ./net\n", `paths: ["net/**"]`}},
	} {
		t.Run(c.dir, func(t *testing.T) {
			t.Parallel()
			files := made(t, Options{Network: "retail", Dir: c.dir, Release: "v9.8.7"})
			for _, name := range []string{c.description, c.module, c.schema, ".github/workflows/fairlead-drift.yml"} {
				if files[name] == "" {
					t.Errorf("%s is missing or empty", name)
				}
			}
			if len(files) != 7 {
				t.Errorf("%d files, want 7", len(files))
			}
			plan := files[".github/workflows/fairlead-plan.yml"]
			for _, line := range append(c.lines, "/.github/workflows/fairlead-plan.yml@v9.8.7\n", "    # Add the folders of overlays and of their bases that lie elsewhere") {
				if !strings.Contains(plan, line) {
					t.Errorf("fairlead-plan.yml has no %q:\n%s", line, plan)
				}
			}
			if !strings.HasPrefix(plan, "# Shows, on each pull request") {
				t.Errorf("fairlead-plan.yml begins:\n%.200s", plan)
			}
			if strings.Contains(files[c.description], "NETWORK") || !strings.Contains(files[c.description], `network: "retail"`) {
				t.Errorf("the description does not name the network:\n%s", files[c.description])
			}
		})
	}
}

// Each text that is replaced is in the templates where it is meant to be.
func TestTemplatesHaveTheirPlaces(t *testing.T) {
	t.Parallel()
	for name, parts := range map[string][]string{
		"fairlead-plan.yml":  {copyHint, directory, watched, releaseMark},
		"fairlead-apply.yml": {copyHint, directory, watched, releaseMark},
		"fairlead-drift.yml": {copyHint, directory, releaseMark},
	} {
		text, err := template(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			if strings.Count(text, part) != 1 {
				t.Errorf("templates/%s has %q %d times, want once", name, part, strings.Count(text, part))
			}
		}
	}
}
