package starter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// The workflows that init writes are those of .github.
func TestTemplatesAreTheExamples(t *testing.T) {
	t.Parallel()
	for name, original := range map[string]string{
		"fairlead-plan.yml": "examples/plan-on-pull-request.yml", "fairlead-plan-jobs.yml": "workflows/fairlead-plan.yml",
		"fairlead-apply.yml": "examples/apply-on-merge.yml", "fairlead-apply-jobs.yml": "workflows/fairlead-apply.yml",
		"fairlead-drift.yml": "examples/drift-on-schedule.yml", "fairlead-drift-jobs.yml": "workflows/fairlead-drift.yml",
	} {
		want, err := os.ReadFile(filepath.Join("..", "..", "..", ".github", filepath.FromSlash(original)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := template(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("templates/%s is not .github/%s; copy the one you mean over the other:\n%s", name, original, diff)
		}
	}
}

const commit = "0123456789abcdef0123456789abcdef01234567"

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
			files := made(t, Options{Network: "retail", Dir: c.dir, Action: Action{"acme/fairlead", commit}})
			for _, name := range []string{c.description, c.module, c.schema, ".github/workflows/fairlead-drift.yml"} {
				if files[name] == "" {
					t.Errorf("%s is missing or empty", name)
				}
			}
			if len(files) != 10 {
				t.Errorf("%d files, want 10", len(files))
			}
			plan := files[".github/workflows/fairlead-plan.yml"]
			for _, line := range append(c.lines, "uses: ./.github/workflows/fairlead-plan-jobs.yml\n", "    # Add the folders of overlays and of their bases that lie elsewhere") {
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
		"fairlead-plan.yml":       {copyHint, directory, watched, ours + "workflows/"},
		"fairlead-apply.yml":      {copyHint, directory, watched, ours + "workflows/"},
		"fairlead-drift.yml":      {copyHint, directory, ours + "workflows/"},
		"fairlead-plan-jobs.yml":  {example},
		"fairlead-apply-jobs.yml": {example},
		"fairlead-drift-jobs.yml": {example},
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

// Without an action there are no workflows; with one they use it at its commit, and nothing
// else of another repository but GitHub's own actions.
func TestActionIsPinned(t *testing.T) {
	t.Parallel()
	for name := range made(t, Options{Network: "retail", Dir: "."}) {
		if strings.HasPrefix(name, ".github/") {
			t.Errorf("%s is written, and nobody named an action", name)
		}
	}
	used := 0
	for name, text := range made(t, Options{Network: "retail", Dir: ".", Action: Action{"acme/fairlead", commit}}) {
		if strings.Contains(text, "fairlead-dev/") || strings.Contains(text, "../examples") {
			t.Errorf("%s names what is not there:\n%s", name, text)
		}
		for line := range strings.Lines(text) {
			_, uses, ok := strings.Cut(strings.TrimSpace(line), "uses: ")
			if !ok || strings.HasPrefix(uses, "actions/") || strings.HasPrefix(uses, "./.github/workflows/fairlead-") {
				continue
			}
			used++
			if uses != "acme/fairlead/.github/actions/fairlead@"+commit {
				t.Errorf("%s uses %s", name, uses)
			}
		}
	}
	if used != 7 {
		t.Errorf("the action is used %d times, want 7", used)
	}
}

func TestParseAction(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"acme/fairlead@" + commit: true, "a/b.c_d@" + commit: true, "acme/fairlead@" + commit[:12]: false, "acme/fairlead@v1.2.3": false,
		"acme/fairlead": false, "fairlead@" + commit: false, "acme/..@" + commit: false, "acme/a/b@" + commit: false,
		"acme/fairlead@" + strings.ToUpper(commit): false, "acme/f x@" + commit: false, "acme/f@" + commit + "\n": false,
	} {
		if got, ok := ParseAction(text); ok != want || ok && got.Repository+"@"+got.Commit != text {
			t.Errorf("%q: %+v, %v", text, got, ok)
		}
	}
}
