package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/cmd/internal/report"
)

// checkGolden compares an output with a file of a fixture's golden folder, and gives it.
func checkGolden(t *testing.T, fixture, file string, args ...string) (out string) {
	t.Helper()
	dir := filepath.Join(fixtures(t), fixture)
	code, out, errOut := runIn(dir, nil, args...)
	if code != exitOK {
		t.Fatalf("%v: exit %d: %s", args, code, errOut)
	}
	sameAsGolden(t, fixture, file, out)
	return out
}

// sameAsGolden compares a text with a file of a fixture's golden folder.
func sameAsGolden(t *testing.T, fixture, file, out string) {
	t.Helper()
	golden := filepath.Join(fixtures(t), fixture, "golden", file)
	if *update {
		if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out); diff != "" {
		t.Errorf("%s differs, run with -update after a look:\n%s", golden, diff)
	}
}

func TestGraphGolden(t *testing.T) {
	t.Parallel()
	checkGolden(t, "retail", "graph.mmd", "graph")
	checkGolden(t, "retail", "graph.dot", "graph", "--format", "dot")
	checkGolden(t, "retail", "graph.svg", "graph", "--format", "svg")
}

func TestGraphFlags(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(fixtures(t), "retail")
	if code, out, _ := runIn(dir, nil, "graph", "--all"); code != exitOK || !strings.Contains(out, `"shop50"`) {
		t.Errorf("--all: exit %d\n%s", code, out)
	}
	if code, _, errOut := runIn(dir, nil, "graph", "--format", "text"); code != exitInvalid || !strings.Contains(errOut, "mermaid, dot or svg") {
		t.Errorf("--format text: exit %d, %s", code, errOut)
	}
	file := filepath.Join(t.TempDir(), "network.svg")
	code, out, errOut := runIn(dir, nil, "graph", "--format", "svg", "-o", file)
	if text, err := os.ReadFile(file); code != exitOK || out != "" || err != nil || !strings.HasPrefix(string(text), "<svg") {
		t.Errorf("-o: exit %d, %v: %s%s", code, err, out, errOut)
	}
	if code, _, _ := runIn(filepath.Join(fixtures(t), "invalid", "self-link"), nil, "graph"); code != exitInvalid {
		t.Errorf("an invalid description: exit %d", code)
	}
}

func TestSimulateGolden(t *testing.T) {
	t.Parallel()
	checkGolden(t, "retail", "simulate-hub.txt", "simulate", "--without", "site/hub")
	checkGolden(t, "retail", "simulate-shop.txt", "simulate", "--without", "link/shop1-hub", "--without", "link/shop1-backup")
	checkGolden(t, "retail", "simulate.txt", "simulate")
	checkGolden(t, "edge", "simulate.json", "simulate", "--format", "json")
	checkGolden(t, "edge", "simulate-link.json", "simulate", "--format", "json", "--without", "link/shop-hub")
}

func TestSimulateJSON(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(fixtures(t), "retail")
	_, out, _ := runIn(dir, nil, "simulate", "--format", "json", "--without", "site/hub")
	var got report.Simulation
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	first := got.Reroutes[0]
	if got.Format != report.SimulationFormat || got.CutOff != 0 || got.Rerouted != 1225 || len(got.Reroutes) != 1225 ||
		first.From != "shop1" || first.After != 199998 || len(first.Via) != 1 || first.Via[0] != "backup" {
		t.Errorf("%+v", got)
	}
	if strings.Contains(out, "null") {
		t.Error("a list is null")
	}
}

func TestSimulateRefuses(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(fixtures(t), "hello")
	for _, tt := range []struct {
		without []string
		says    string
	}{
		{[]string{"hub"}, "say site/NAME or link/NAME"},
		{[]string{"site/hub"}, "no such site; it has hello-east, hello-hub, hello-west"},
		{[]string{"site/hello-hub", "link/x"}, "no such link; it has hello-east-hub, hello-west-hub"},
	} {
		args := []string{"simulate"}
		for _, w := range tt.without {
			args = append(args, "--without", w)
		}
		if code, out, errOut := runIn(dir, nil, args...); code != exitInvalid || !strings.Contains(errOut, tt.says) || out != "" {
			t.Errorf("%v: exit %d, want %q in %s", tt.without, code, tt.says, errOut)
		}
	}
}
