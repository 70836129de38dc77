package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/schematest"
)

// fits checks JSON that a command printed against its published schema.
func fits(t *testing.T, name, text string) {
	t.Helper()
	_, schema, _ := runIn(".", nil, "schema", name)
	compiled, err := schematest.Compile(name+".json", []byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	if err := schematest.Validate(t, compiled, []byte(text)); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// What commands say of every fixture fits the published schemas.
func TestFixturesFitSchemas(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join(fixtures(t), "*"))
	if err != nil {
		t.Fatal(err)
	}
	invalid, err := filepath.Glob(filepath.Join(fixtures(t), "invalid", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range append(dirs, invalid...) {
		if files, _ := filepath.Glob(filepath.Join(dir, "*.cue")); len(files) == 0 {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			args := tags(t, dir)
			code, out, _ := runIn(dir, nil, append([]string{"vet", "--format", "json"}, args...)...)
			fits(t, "findings", out)
			if code != exitOK {
				return
			}
			_, out, _ = runIn(dir, nil, append([]string{"simulate", "--format", "json"}, args...)...)
			fits(t, "failures", out)
			var first struct{ Failures []struct{ Site string } }
			if err := json.Unmarshal([]byte(out), &first); err != nil || len(first.Failures) == 0 {
				t.Fatalf("%v %s", err, out)
			}
			_, out, _ = runIn(dir, nil, append([]string{"simulate", "--format", "json", "--without", "site/" + first.Failures[0].Site}, args...)...)
			fits(t, "simulation", out)
		})
	}
}

// So do the goldens of a change.
func TestGoldensFitSchemas(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(fixtures(t), "retail-change", "golden", "diff.json"))
	if err != nil {
		t.Fatal(err)
	}
	fits(t, "plan", string(data))
}

// A plan and a status of clusters that cannot be reached fit theirs.
func TestUnreachableFitsSchemas(t *testing.T) {
	t.Parallel()
	dir := unreachable(t, "")
	for command, name := range map[string]string{"plan": "plan", "drift": "plan", "status": "status"} {
		code, out, errOut := runIn(dir, nil, command, "--timeout", "5s", "--format", "json")
		if code != exitUnreachable {
			t.Errorf("%s: exit %d\n%s", command, code, errOut)
		}
		fits(t, name, out)
	}
}

func TestSchemaCommand(t *testing.T) {
	t.Parallel()
	code, out, _ := runIn(".", nil, "schema")
	if code != exitOK || !slices.Equal(strings.Fields(out), report.SchemaNames()) {
		t.Errorf("exit %d: %s", code, out)
	}
	for _, name := range strings.Fields(out) {
		code, text, _ := runIn(".", nil, "schema", name)
		if code != exitOK || !json.Valid([]byte(text)) {
			t.Errorf("%s: exit %d\n%s", name, code, text)
		}
	}
	if code, _, errOut := runIn(".", nil, "schema", "nothing"); code != exitInvalid || !strings.Contains(errOut, "simulation") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if code, _, _ := runIn(".", nil, "schema", "plan", "events"); code != exitInvalid {
		t.Errorf("exit %d", code)
	}
}

// severalFiles makes a repository with a description of two files and an import, below
// its root, and gives the root.
func severalFiles(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"cue.mod/module.cue": "module: \"example.com/net\"\nlanguage: version: \"v0.9.0\"\n",
		"shared/shops.cue":   "package shared\n\nShops: {\n\tshop: {cluster: \"hub\", namespace: \"shop\"}\n\tother: {cluster: \"none\", namespace: \"other\"}\n}\n",
		"env/prod/a.cue":     "package prod\n\nimport \"example.com/net/shared\"\n\nnetwork: \"retail\"\nclusters: {\n\thub: context: \"hub\"\n}\nsites: hub: {cluster: \"hub\", namespace: \"hub\", linkAccess: \"default\"}\nsites: shared.Shops\n",
		"env/prod/b.cue":     "package prod\n\nlinks: {\n\t\"shop-hub\": {from: \"shop\", to: \"hbu\"}\n\t\"other-hub\": {from: \"other\", to: \"hub\", cost: 0}\n}\n",
	} {
		writeAt(t, filepath.Join(root, filepath.FromSlash(name)), text)
	}
	gitIn(t, root, "init", "-q", "-b", "main", ".")
	gitIn(t, root, "add", "-A")
	gitIn(t, root, "commit", "-qm", "first")
	return root
}

// Annotations are at the right line of the right file, named from the root of the
// repository, wherever the command runs and whatever it reads.
func TestAnnotationsOfSeveralFiles(t *testing.T) {
	t.Parallel()
	root := severalFiles(t)
	want := []string{
		`::error file=env/prod/b.cue,line=4,col=33,title=Fairlead%3A link "shop-hub"::to is "hbu", but there is no such site%0Adid you mean "hub"?`,
		`::error file=env/prod/b.cue,line=5,col=48,title=Fairlead%3A link "other-hub"::cost is 0, want 1 to 2147483647%0Agive a whole number in that range; 99999 means "backup only"`,
		`::error file=shared/shops.cue,line=5,col=19,title=Fairlead%3A site "other"::cluster is "none", but there is no such cluster%0Acorrect the name, or declare cluster "none"`,
	}
	elsewhere := t.TempDir()
	for _, from := range []struct {
		dir  string
		args []string
	}{
		{root, []string{"env/prod"}}, {filepath.Join(root, "env", "prod"), nil}, {filepath.Join(root, "shared"), []string{"../env/prod"}},
		{filepath.Dir(root), []string{filepath.Base(root) + "/env/prod"}}, {elsewhere, []string{filepath.Join(root, "env", "prod")}},
		{filepath.Join(root, "shared"), []string{"--rev", "main", "../env/prod"}},
	} {
		code, out, errOut := runIn(from.dir, nil, append([]string{"vet", "--format", "github"}, from.args...)...)
		if code != exitInvalid {
			t.Fatalf("exit %d\n%s%s", code, out, errOut)
		}
		got := strings.Split(strings.TrimSpace(out), "\n")
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in %s, %v:\n%s", from.dir, from.args, diff)
		}
	}
}

// The same holds for a plan: what is said of a cluster is where the cluster is declared.
func TestAnnotationsOfPlan(t *testing.T) {
	t.Parallel()
	dir := unreachable(t, "")
	for _, name := range []string{"sarif", "junit", "gitlab", "github", "outputs"} {
		code, out, errOut := runIn(filepath.Dir(dir), nil, "plan", "--timeout", "5s",
			"--format", name, "--report", "json="+filepath.Join(dir, "report.json"), filepath.Base(dir))
		if code != exitUnreachable || out == "" {
			t.Errorf("%s: exit %d\n%s%s", name, code, out, errOut)
		}
		if name == "github" && !strings.HasPrefix(out, "::error file=x.cue,line=") {
			t.Error(out)
		}
		data, err := os.ReadFile(filepath.Join(dir, "report.json"))
		if err != nil {
			t.Fatal(err)
		}
		fits(t, "plan", string(bytes.TrimSpace(data)))
	}
}
