package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
)

// Without its package clause a file is an error, and never what empties a network.
func TestFileWithoutClause(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) { writeAt(t, filepath.Join(dir, name), text) }
	write("network.cue", "package x\nnetwork: \"n\"\nclusters: c: {}\nsites: {a: {cluster: \"c\", namespace: \"a\", linkAccess: \"default\"}, b: {cluster: \"c\", namespace: \"b\"}}\n")
	write("links.cue", "package x\nlinks: l: {from: \"b\", to: \"a\"}\n")
	if code, out, errOut := runIn(dir, nil, "vet"); code != exitOK {
		t.Fatalf("vet of the whole: exit %d\n%s%s", code, out, errOut)
	}
	write("links.cue", "links: l: {from: \"b\", to: \"a\"}\n")
	for _, args := range [][]string{{"vet"}, {"plan"}, {"apply", "--yes"}, {"drift"}, {"render"}} {
		code, out, errOut := runIn(dir, nil, args...)
		if code != exitInvalid || !strings.Contains(out+errOut, "links.cue") || !strings.Contains(out+errOut, "package x") {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, errOut)
		}
	}
}

// What a description leaves out is told by vet and in every form of a plan.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("hello.cue", fixture(t, "hello/hello.cue"), "_draft.cue", "package hello\n", "prod.cue", "@if(prod)\n\npackage hello\n")
	code, out, _ := runIn(h.dir, nil, "vet")
	if code != exitOK || !strings.Contains(out, "_draft.cue") || !strings.Contains(out, "prod.cue:1:1") {
		t.Errorf("vet: exit %d\n%s", code, out)
	}
	out, _ = h.diff(exitOK, "--base", "HEAD", "--format", "json")
	fits(t, "plan", out)
	var p plan.Plan
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatal(err)
	}
	want := []plan.LeftOut{{File: "_draft.cue", Why: `its name begins with "_"`}, {File: "prod.cue", Why: "@if(prod) did not match"}}
	if diff := cmp.Diff(want, p.Source.LeftOut); diff != "" || len(p.Diagnostics) != 2 {
		t.Errorf("source (-want +got):\n%s\n%v", diff, p.Diagnostics)
	}
	for _, format := range []string{"text", "markdown", "html"} {
		out, _ := h.diff(exitOK, "--base", "HEAD", "--format", format)
		if !strings.Contains(out, "2 files left out") {
			t.Errorf("%s does not tell what is left out:\n%s", format, out)
		}
	}
}
