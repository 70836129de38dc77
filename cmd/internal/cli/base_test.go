package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
)

// without is a description without its shop and link.
func without(description string) string {
	out := strings.Replace(description, "\tshop: {cluster: \"a\", namespace: \"shop\"}\n", "", 1)
	return strings.Replace(out, "links: l: {from: \"shop\", to: \"hub\"}\n", "", 1)
}

// A description that moved is compared with the same network where it was: what the move
// leaves out is deleted.
func TestDiffOfMoved(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("net/net.cue", small, "other/other.cue", strings.ReplaceAll(small, `"net"`, `"other"`))
	h.git("branch", "before")
	h.git("mv", "net", "network")
	h.commit("network/net.cue", without(small))
	out, _ := h.diff(exitOK, "network", "--base", "before")
	for _, want := range []string{
		"delete site shop", "delete link l", "2 to delete",
		"--base before: there is no description at network; compared with the same network at net",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "to create") {
		t.Errorf("nothing is new:\n%s", out)
	}
	text, _ := h.diff(exitOK, "network", "--base", "before", "--format", "json")
	var p plan.Plan
	if err := json.Unmarshal([]byte(text), &p); err != nil || p.Base.Source.Path != "net" || p.Base.Source.Commit == "" {
		t.Errorf("%v, %+v", err, p.Base)
	}
	if out, _ = h.diff(exitOK, "network", "--base", "before", "--rev", "main"); !strings.Contains(out, "2 to delete") {
		t.Errorf("a revision:\n%s", out)
	}
	h.commit("network/net.cue", small)
	if out, _ = h.diff(exitOK, "network", "--base", "before", "--detailed-exitcode"); !strings.Contains(out, "at net") {
		t.Errorf("a move alone changes nothing, and is told:\n%s", out)
	}
}

// Where another network has taken the place, the one that was there is looked for too.
func TestDiffOfSwapped(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	other := strings.ReplaceAll(small, `"net"`, `"other"`)
	h.commit("a/net.cue", small, "b/net.cue", other)
	h.git("branch", "before")
	h.commit("a/net.cue", other, "b/net.cue", without(small))
	if out, _ := h.diff(exitOK, "b", "--base", "before"); !strings.Contains(out, "2 to delete") ||
		!strings.Contains(out, `the network at b is "other"; compared with the same network at a`) {
		t.Errorf("%s", out)
	}
}

// Two descriptions of one network are two candidates: which one is meant has to be said.
func TestDiffOfMovedIsAmbiguous(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("one/net.cue", small, "two/net.cue", without(small))
	h.git("branch", "before")
	h.git("rm", "-q", "-r", "one", "two")
	h.commit("network/net.cue", without(small))
	_, errOut := h.diff(exitInvalid, "network", "--base", "before")
	if !strings.Contains(errOut, `--base before: there is no description at network, and "net" is described at one and two there; name the one to compare with: --base-path`) {
		t.Error(errOut)
	}
	if out, _ := h.diff(exitOK, "network", "--base", "before", "--base-path", "one"); !strings.Contains(out, "2 to delete") || strings.Contains(out, "warning") {
		t.Errorf("%s", out)
	}
	if out, _ := h.diff(exitOK, "network", "--base", "before", "--base-path", "two", "--detailed-exitcode"); strings.Contains(out, "to delete") {
		t.Errorf("%s", out)
	}
	if out, _ := h.diff(exitOK, "network", "--base", "before", "--base-path", "network"); !strings.Contains(out, "1 to create") {
		t.Errorf("its own path takes all of it as new:\n%s", out)
	}
	for args, want := range map[string]string{
		"--base before --base-path nowhere": "--base-path nowhere: there is no description at revision before",
		"--base-path one":                   "--base is missing",
	} {
		if _, errOut := h.diff(exitInvalid, append([]string{"network"}, strings.Fields(args)...)...); !strings.Contains(errOut, want) {
			t.Errorf("%s: %s", args, errOut)
		}
	}
}

// A copy is of the same network where it shares a place with it, and otherwise a new one
// that only has its name.
func TestDiffOfCopied(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("net/net.cue", small)
	h.git("branch", "before")
	elsewhere := strings.Replace(small, `context: "a"`, `context: "b"`, 1)
	h.commit("copy/net.cue", without(small), "eu/net.cue", elsewhere)
	if out, _ := h.diff(exitOK, "copy", "--base", "before"); !strings.Contains(out, "2 to delete") {
		t.Errorf("the copy is of the same sites:\n%s", out)
	}
	out, _ := h.diff(exitOK, "eu", "--base", "before")
	if !strings.Contains(out, "3 to create") || !strings.Contains(out, "there is no description at eu, so all of it is new") {
		t.Errorf("it is of another cluster:\n%s", out)
	}
}

// What is invalid where the network was cannot be compared with, and is not taken for new.
func TestDiffOfMovedAndBroken(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("net/net.cue", strings.Replace(small, `to: "hub"`, `to: "hud"`, 1), "lib/x.cue", "package x\n\n#A: network: string\n")
	h.git("branch", "before")
	h.git("mv", "net", "network")
	h.commit("network/net.cue", small)
	_, errOut := h.diff(exitInvalid, "network", "--base", "before")
	if !strings.Contains(errOut, "net/net.cue") || !strings.Contains(errOut, `"hud"`) || !strings.Contains(errOut, "the description of that revision is invalid") {
		t.Error(errOut)
	}
}

// A plan looks for its base as diff does.
func TestPlanOfMoved(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.commit("net/net.cue", small)
	h.git("branch", "before")
	h.git("mv", "net", "network")
	h.commit("network/net.cue", without(small))
	h.forbidden()
	_, out, errOut := runIn(h.dir, nil, "plan", "network", "--base", "before", "--kubeconfig", "kubeconfig")
	if !strings.Contains(out, "compared with the same network at net") {
		t.Errorf("%s%s", out, errOut)
	}
}

// forbidden writes a kubeconfig for a cluster that refuses everything.
func (h history) forbidden() {
	h.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	h.t.Cleanup(server.Close)
	writeAt(h.t, filepath.Join(h.dir, "kubeconfig"), `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "`+server.URL+`"}}]
contexts: [{name: a, context: {cluster: c, user: u}}]
users: [{name: u, user: {}}]
`)
}

// partial is a history with an overlay, of which a clone has no more than its work tree.
func partial(t *testing.T) history {
	t.Helper()
	h := newHistory(t)
	listener := "apiVersion: skupper.io/v2alpha1\nkind: Listener\nmetadata: {name: web}\nspec: {host: web, port: 8080, routingKey: web}\n"
	h.commit("net/net.cue", small+"overlay: \"overlay\"\n", "net/overlay/kustomization.yaml", "resources: [l.yaml]\n", "net/overlay/l.yaml", listener)
	h.commit("net/net.cue", strings.Replace(small, `to: "hub"`, `to: "hub", cost: 5`, 1)+"overlay: \"overlay\"\n")
	h.commit("net/overlay/l.yaml", strings.Replace(listener, "8080", "8081", 1))
	h.git("config", "uploadpack.allowFilter", "true")
	clone := history{t, filepath.Join(t.TempDir(), "clone")}
	h.git("clone", "-q", "--filter=blob:none", "file://"+h.dir, clone.dir)
	return clone
}

// What a partial clone lacks is one error, whatever file it is: which revision and how to
// get it, and doing so helps.
func TestPartialClone(t *testing.T) {
	t.Parallel()
	h := partial(t)
	for base, file := range map[string]string{"HEAD~1": "net/overlay/l.yaml", "HEAD~2": "net/net.cue"} {
		out, errOut := h.diff(exitInvalid, "net", "--base", base)
		for _, want := range []string{`revision "` + base + `": ` + file + ": ", "partial clone", "git fetch --refetch --no-filter"} {
			if !strings.Contains(errOut, want) {
				t.Errorf("%s: no %q in %s", base, want, errOut)
			}
		}
		if out != "" || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%s: not one error:\n%s%s", base, out, errOut)
		}
	}
	if code, _, errOut := runIn(h.dir, nil, "vet", "net", "--rev", "HEAD~2"); code != exitInvalid || !strings.Contains(errOut, `revision "HEAD~2": net/net.cue: `) {
		t.Errorf("exit %d\n%s", code, errOut)
	}
	h.git("fetch", "-q", "--refetch", "--no-filter", "--no-auto-gc")
	if out, _ := h.diff(exitOK, "net", "--base", "HEAD~2"); !strings.Contains(out, "cost: 1 → 5") {
		t.Errorf("%s", out)
	}
}
