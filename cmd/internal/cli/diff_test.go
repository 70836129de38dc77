package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/report/formats"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
)

// history is a repository of descriptions; its commits have the same hashes each time.
type history struct {
	t   *testing.T
	dir string
}

func newHistory(t *testing.T) history {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	h := history{t, t.TempDir()}
	h.git("init", "-q", "-b", "main", ".")
	return h
}

func (h history) git(args ...string) {
	h.t.Helper()
	gitIn(h.t, h.dir, args...)
}

// commit writes files, given as name and content, and commits them.
func (h history) commit(files ...string) {
	h.t.Helper()
	for i := 0; i < len(files); i += 2 {
		writeAt(h.t, filepath.Join(h.dir, filepath.FromSlash(files[i])), files[i+1])
	}
	h.git("add", "-A")
	h.git("commit", "-q", "--allow-empty", "-m", "x")
}

// diff runs diff, which has to end with a code, and gives what it prints.
func (h history) diff(code int, args ...string) (out, errOut string) {
	h.t.Helper()
	got, out, errOut := runIn(h.dir, nil, append([]string{"diff"}, args...)...)
	if got != code {
		h.t.Fatalf("diff %v: exit %d, want %d\n%s%s", args, got, code, out, errOut)
	}
	return out, errOut
}

func fixture(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixtures(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The hub of the retail network goes, one path gets another cost, and a link is added:
// what each format says of it is kept.
func TestGoldenDiff(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	// Its protection was lifted by an earlier change.
	h.commit("retail.cue", strings.Replace(fixture(t, "retail/retail.cue"), ", protect: true", "", 1))
	h.git("branch", "base")
	h.commit("retail.cue", fixture(t, "retail-change/retail.cue"))
	endings := map[string]string{"text": "txt", "markdown": "md", "github": "github.txt", "gitlab": "gitlab.json", "junit": "xml", "outputs": "env"}
	for _, format := range formats.OfPlans() {
		ending := endings[format]
		if ending == "" {
			ending = format
		}
		out, _ := h.diff(exitOK, "--base", "base", "--format", format)
		sameAsGolden(t, "retail-change", "diff."+ending, out)
	}
}

const small = `package net

network: "net"
clusters: a: context: "a"
sites: {
	hub: {cluster: "a", namespace: "hub", linkAccess: "default"}
	shop: {cluster: "a", namespace: "shop"}
}
links: l: {from: "shop", to: "hub"}
`

func TestDiff(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("README", "nothing here yet")
	h.git("branch", "empty")
	h.commit("net/README", "nothing here either")
	h.git("branch", "bare")
	h.commit("net/net.cue", small)
	h.git("branch", "first")
	h.commit("net/net.cue", strings.Replace(small, `to: "hub"`, `to: "hub", cost: 5`, 1))

	out, _ := h.diff(exitChanges, "net", "--base", "first", "--detailed-exitcode")
	for _, want := range []string{"compared with first at ", "no cluster was read", "update link l", "cost: 1 → 5", "net/net.cue:9:8", "1 to update"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if out, _ = h.diff(exitOK, "net", "--base", "empty"); !strings.Contains(out, "3 to create") {
		t.Errorf("a new description is all new:\n%s", out)
	}
	if out, _ = h.diff(exitOK, "net", "--base", "bare"); !strings.Contains(out, "3 to create") {
		t.Errorf("a directory without a description is an empty one:\n%s", out)
	}
	if out, _ = h.diff(exitOK, "net", "--base", "main", "--detailed-exitcode"); strings.Contains(out, "update") {
		t.Errorf("the same is compared:\n%s", out)
	}
	if out, _ = h.diff(exitOK, "net", "--base", "main", "--rev", "first"); !strings.Contains(out, "cost: 5 → 1") {
		t.Errorf("the other way:\n%s", out)
	}
	if _, errOut := h.diff(exitInvalid, "net"); !strings.Contains(errOut, "--base is missing") {
		t.Error(errOut)
	}
	if _, errOut := h.diff(exitInvalid, "net", "--base", "nowhere"); !strings.Contains(errOut, `revision "nowhere"`) {
		t.Error(errOut)
	}
	if _, errOut := h.diff(exitInvalid, "net", "--base", "first", "--site", "nosuch"); !strings.Contains(errOut, "no such site") {
		t.Error(errOut)
	}
}

func TestDiffOfBrokenAndRenamed(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("net/net.cue", strings.Replace(small, `to: "hub"`, `to: "hud"`, 1))
	h.git("branch", "broken")
	h.commit("net/net.cue", strings.Replace(small, `network: "net"`, `network: "other"`, 1))
	h.git("branch", "other")
	h.commit("net/net.cue", small)
	if _, errOut := h.diff(exitInvalid, "net", "--base", "broken"); !strings.Contains(errOut, "--base broken: the description of that revision is invalid") || !strings.Contains(errOut, `"hud"`) {
		t.Error(errOut)
	}
	if _, errOut := h.diff(exitInvalid, "net", "--base", "other"); !strings.Contains(errOut, `was called "other" there`) {
		t.Error(errOut)
	}
}

// What guards later changes, and where clusters are, is part of a review.
func TestDiffOfSettings(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("net/net.cue", small)
	h.git("branch", "first")
	h.commit("net/net.cue", strings.Replace(small, `context: "a"`, `context: "b"`, 1)+`policy: {clean: true, deletes: sites: 99, ignore: [{path: "link/*/cost", reason: "tuned"}]}
`)
	out, _ := h.diff(exitChanges, "net", "--base", "first", "--detailed-exitcode", "--report", "markdown=diff.md")
	for _, want := range []string{
		`cluster "a": is reached in another way: context: was "a", is "b"`, "deletes.sites: was 10, is 99", "clean: was false, is true",
		`ignore adds "link/*/cost"`, "Nothing changes for sites, links and objects",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(h.dir, "diff.md"))
	if err != nil || !strings.Contains(string(text), "policy or clusters' settings change") {
		t.Errorf("%v\n%s", err, text)
	}
}

const twoClusters = `package net

network: "net"
clusters: {main: context: "one", shops: context: "two"}
sites: {
	hub: {cluster: "main", namespace: "hub", linkAccess: "default"}
	shop: {cluster: "shops", namespace: "shop"}
}
proxies: p: {host: "h", port: 1, username: kubernetes: {cluster: "shops", namespace: "x", name: "s", key: "u"}, password: kubernetes: {cluster: "shops", namespace: "x", name: "s", key: "p"}}
links: l: {from: "shop", to: "hub", via: "certificate", proxy: "p"}
`

// A cluster with another key is the same one as long as it is reached as before.
func TestDiffOfRenamedCluster(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("net/net.cue", twoClusters)
	h.git("branch", "before")
	h.commit("net/net.cue", strings.ReplaceAll(strings.ReplaceAll(twoClusters, "shops:", "stores:"), `"shops"`, `"stores"`))
	if out, _ := h.diff(exitOK, "net", "--base", "before", "--detailed-exitcode"); strings.Contains(out, "delete") || strings.Contains(out, "create") {
		t.Errorf("the connecting site's:\n%s", out)
	}
	h.commit("net/net.cue", strings.ReplaceAll(strings.ReplaceAll(twoClusters, "main:", "center:"), `"main"`, `"center"`))
	out, _ := h.diff(exitOK, "net", "--base", "before")
	if strings.Contains(out, "delete") || strings.Contains(out, "create") || strings.Contains(out, "What it does") || !strings.Contains(out, "update link l") {
		t.Errorf("the listening site's, which links note:\n%s", out)
	}
	swapped := strings.NewReplacer(`main: context: "one"`, `main: context: "two"`, `shops: context: "two"`, `shops: context: "one"`)
	h.commit("net/net.cue", swapped.Replace(twoClusters))
	out, _ = h.diff(exitOK, "net", "--base", "before")
	if !strings.Contains(out, "4 to create, 4 to delete") || !strings.Contains(out, `cluster "main": is reached in another way`) {
		t.Errorf("swapped contexts are as a plan sees them:\n%s", out)
	}
}

// A plan with a base finds what the base wants in clusters that have other keys.
func TestPlanOfRenamedCluster(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("net/net.cue", twoClusters)
	h.git("branch", "before")
	h.commit("net/net.cue", strings.ReplaceAll(strings.ReplaceAll(twoClusters, "shops:", "stores:"), `"shops"`, `"stores"`))
	o := newPackageCommand(&System{Dir: h.dir, Getenv: func(string) string { return "" }, Err: &bytes.Buffer{}})
	o.path, o.showsFindings = "net", true
	head, err := o.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	base, err := readBase(t.Context(), &o, baseFlags{base: "before"}, head)
	if err != nil {
		t.Fatal(err)
	}
	s := session{description: head, base: base}
	nothing := desired.AsApplied(plan.Desired{Network: "net"}, head.desired.Clusters...)
	p := against(o.make(s, s.input(nothing, plan.Filter{})), s, nothing, plan.Filter{})
	for _, a := range p.Actions {
		if p.OriginOf(a.ID) != plan.OriginAnyway {
			t.Errorf("%s is %s", a.ID, p.OriginOf(a.ID))
		}
	}
	if len(p.Actions) != 4 || len(p.Base.Spared) > 0 {
		t.Errorf("%d actions, spared %+v", len(p.Actions), p.Base.Spared)
	}
}

// A comparison is a plan that nobody can apply.
func TestDiffIsNotApplied(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("net/net.cue", small)
	h.git("branch", "first")
	h.commit("net/net.cue", strings.Replace(small, `to: "hub"`, `to: "hub", cost: 5`, 1))
	out, _ := h.diff(exitOK, "net", "--base", "first", "--format", "json", "--report", "text=diff.txt")
	var p plan.Plan
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatal(err)
	}
	if p.Base == nil || !p.Base.Alone || p.OriginOf("link/l") != plan.OriginChange || len(p.Clusters) != 0 || p.Actions[0].Cause != plan.CausePending {
		t.Errorf("%+v", p)
	}
	text, err := os.ReadFile(filepath.Join(h.dir, "diff.txt"))
	if err != nil || !strings.Contains(string(text), "update link l") {
		t.Errorf("%v\n%s", err, text)
	}
	writeAt(t, filepath.Join(h.dir, "plan.json"), out)
	if code, _, errOut := runIn(h.dir, nil, "apply", "net", "--plan", "plan.json"); code != exitInvalid || !strings.Contains(errOut, "made without the clusters") {
		t.Errorf("exit %d\n%s", code, errOut)
	}
	if code, _, errOut := runIn(h.dir, nil, "diff", "net", "--base", "first", "--report", "pdf=x"); code != exitInvalid || !strings.Contains(errOut, `format "pdf" is not known`) {
		t.Errorf("exit %d\n%s", code, errOut)
	}
}
