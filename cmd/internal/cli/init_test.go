package cli

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// filesUnder lists the files of a directory, by slash path.
func filesUnder(t *testing.T, dir string) []string {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			found[filepath.ToSlash(rel)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(found))
}

func TestInit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const action = "acme/fairlead@" + mergedCommit
	code, out, errOut := runIn(dir, nil, "init", "retail", "--action", action)
	if code != exitOK || errOut != "" {
		t.Fatalf("exit %d\n%s%s", code, out, errOut)
	}
	want := []string{
		".github/workflows/fairlead-apply-jobs.yml", ".github/workflows/fairlead-apply.yml", ".github/workflows/fairlead-drift-jobs.yml",
		".github/workflows/fairlead-drift.yml", ".github/workflows/fairlead-plan-jobs.yml", ".github/workflows/fairlead-plan.yml",
		"cue.mod/module.cue", "cue.mod/pkg/fairlead.dev/schema/schema.cue", "network.cue", "schema.cue",
	}
	if diff := cmp.Diff(want, filesUnder(t, filepath.Join(dir, "retail"))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for _, line := range append(want, "action of "+action, "is pinned", "git init retail\n", "fairlead vet retail\n", "fairlead plan retail\n", "fairlead apply retail\n", `"edit"`) {
		if !strings.Contains(out, line) {
			t.Errorf("it does not say %q:\n%s", line, out)
		}
	}
	if code, out, errOut := runIn(dir, nil, "vet", "retail"); code != exitOK || out+errOut != "Valid: 2 sites and 1 link in network retail, no warnings.\n" {
		t.Errorf("vet exits with %d:\n%s%s", code, out, errOut)
	}
	before := filesUnder(t, dir)
	code, _, errOut = runIn(dir, nil, "init", "retail")
	if code != exitInvalid || !strings.Contains(errOut, "  retail/network.cue\n") || !strings.Contains(errOut, "nothing was written") {
		t.Errorf("again: exit %d\n%s", code, errOut)
	}
	if diff := cmp.Diff(before, filesUnder(t, dir)); diff != "" {
		t.Errorf("it wrote something (-before +after):\n%s", diff)
	}
}

// What is there already is listed, all of it and nothing else, and nothing is written.
func TestInitNeverOverwrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "cue.mod"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"network.cue", filepath.Join("cue.mod", "module.cue")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("// mine\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errOut := runIn(dir, nil, "init", "--network", "n")
	if code != exitInvalid || out != "" || !strings.Contains(errOut, ":\n  cue.mod/module.cue\n  network.cue\nremove") {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	if got := filesUnder(t, dir); len(got) != 2 {
		t.Errorf("it wrote something: %v", got)
	}
}

// Without an action no workflow is written, which is said.
func TestInitWithoutAnAction(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, out, errOut := runIn(dir, nil, "init", "--network", "retail")
	if code != exitOK || !strings.Contains(out, "No workflows were written: name the action that they use with --action OWNER/REPO@COMMIT.") {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	for _, file := range filesUnder(t, dir) {
		if strings.HasPrefix(file, ".github/") {
			t.Errorf("%s was written", file)
		}
	}
}

// In a repository the workflows go to its root and watch the description's folder.
func TestInitInsideARepository(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(dir, "teams")
	if err := os.Mkdir(here, 0o755); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := runIn(here, nil, "init", "shop", "--network", "retail", "--action", "acme/fairlead@"+mergedCommit)
	if code != exitOK || strings.Contains(out, "git init") || !strings.Contains(out, "  ../.github/workflows/fairlead-plan.yml\n") {
		t.Fatalf("exit %d\n%s%s", code, out, errOut)
	}
	workflow, err := os.ReadFile(filepath.Join(dir, ".github", "workflows", "fairlead-plan.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`paths: ["teams/shop/**"]`, "description: ./teams/shop\n"} {
		if !strings.Contains(string(workflow), want) {
			t.Errorf("the workflow does not say %q:\n%s", want, workflow)
		}
	}
}

func TestInitArguments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"init", "My_Net"}, `"My_Net" is no name for a network`},
		{[]string{"init", "--network", strings.Repeat("n", 55)}, "at most 54"},
		{[]string{"init", "a", "b"}, `"b" is one too many`},
		{[]string{"init", "a", "--action", "acme/fairlead@v0.1.0"}, "write OWNER/REPO@COMMIT with the whole SHA"},
	} {
		if code, _, errOut := runIn(dir, nil, tt.args...); code != exitInvalid || !strings.Contains(errOut, tt.says) {
			t.Errorf("%v: exit %d\n%s", tt.args, code, errOut)
		}
	}
	if got := filesUnder(t, dir); len(got) != 0 {
		t.Errorf("it wrote something: %v", got)
	}
}

// The real cue accepts what init writes, and refuses what the schema does. The
// program is the one that `make bin/cue` builds, or that of the PATH.
func TestInitWithCue(t *testing.T) {
	t.Parallel()
	cue := realCue(t)
	dir := t.TempDir()
	if code, out, errOut := runIn(dir, nil, "init", "--network", "retail"); code != exitOK {
		t.Fatalf("exit %d\n%s%s", code, out, errOut)
	}
	run := func(args ...string) (string, error) {
		cmd := exec.Command(cue, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CUE_CACHE_DIR="+t.TempDir())
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("vet", "-c", "."); err != nil {
		t.Errorf("cue vet: %v\n%s", err, out)
	}
	if out, err := run("fmt", "--check", "network.cue", "schema.cue", "cue.mod/module.cue"); err != nil {
		t.Errorf("cue fmt: %v\n%s", err, out)
	}
	file := filepath.Join(dir, "network.cue")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for right, wrong := range map[string]string{
		"cost: 1": "cots: 1", "linkAccess:": "linkAcces:", `to: "hub"`: "to: 1", "hub: context:": "hub: kontext:", `"retail"`: `"Retail"`,
		"\nsites:": "\npolicy: cleen: true\nsites:",
	} {
		mistaken := strings.Replace(string(text), right, wrong, 1)
		if mistaken == string(text) {
			t.Errorf("network.cue has no %s", right)
		}
		if err := os.WriteFile(file, []byte(mistaken), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := run("vet", "-c", "."); err == nil {
			t.Errorf("cue vet accepts %s\n%s", wrong, out)
		}
	}
}

func realCue(t *testing.T) string {
	t.Helper()
	built, err := filepath.Abs(filepath.Join("..", "..", "..", "bin", "cue"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(built); err == nil {
		return built
	}
	found, err := exec.LookPath("cue")
	if err != nil {
		t.Skip("there is no cue to ask; build it with: make bin/cue")
	}
	return found
}

// A schema of another version is told of by vet, and renewed alone.
func TestUpdateSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(code int, says string, args ...string) string {
		t.Helper()
		got, out, errOut := runIn(dir, nil, args...)
		if got != code || !strings.Contains(out+errOut, says) {
			t.Fatalf("%v: exit %d, want %d, and %q in:\n%s%s", args, got, code, says, out, errOut)
		}
		return out
	}
	run(exitOK, "", "init", "retail")
	copied := filepath.Join(dir, "retail", "cue.mod", "pkg", "fairlead.dev", "schema", "schema.cue")
	current := readAt(t, copied)
	run(exitOK, "retail/cue.mod/pkg/fairlead.dev/schema/schema.cue is the schema of this program already", "init", "--update-schema", "retail")
	writeAt(t, copied, strings.Replace(current, "\tedge?: bool\n", "", 1))
	files := filesUnder(t, dir)
	run(exitOK, "fairlead init --update-schema retail", "vet", "retail")
	writeAt(t, filepath.Join(dir, "retail", "edge.cue"), "package network\nsites: spoke: edge: true\n")
	run(exitInvalid, "fairlead init --update-schema retail", "vet", "retail")
	run(exitOK, "retail/cue.mod/pkg/fairlead.dev/schema/schema.cue was renewed", "init", "--update-schema", "retail")
	if got := readAt(t, copied); got != current {
		t.Errorf("the schema is not the program's:\n%s", got)
	}
	run(exitOK, "no warnings", "vet", "retail")
	if err := os.Remove(filepath.Join(dir, "retail", "edge.cue")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(files, filesUnder(t, dir)); diff != "" {
		t.Errorf("files (-before +after):\n%s", diff)
	}
	if err := os.Remove(copied); err != nil {
		t.Fatal(err)
	}
	run(exitInvalid, "no copy of the schema", "init", "--update-schema", "retail")
	run(exitInvalid, "no copy of the schema", "init", "--update-schema", "elsewhere")
	run(exitInvalid, "--network", "init", "--update-schema", "--network", "n", "retail")
}
