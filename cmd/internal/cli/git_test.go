package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/formats"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
)

// A configuration that git takes holds nothing up, whatever else is in it.
func TestGitConfigThatGitTakes(t *testing.T) {
	t.Parallel()
	for name, add := range map[string]string{
		"dotted section":   "[remote.origin]\n\turl = https://example.com/a.git\n",
		"key in the line":  "[core] autocrlf = input\n",
		"Latin-1":          "[user]\n\tname = J\xf6rg\n",
		"empty subsection": "[url \"\"]\n\tinsteadOf = foo\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHistory(t)
			h.commit("net/net.cue", small)
			h.configure(func(text string) string { return text + add })
			h.isRead()
		})
	}
	t.Run("byte-order mark", func(t *testing.T) {
		t.Parallel()
		h := newHistory(t)
		h.commit("net/net.cue", small)
		h.configure(func(text string) string { return "\uFEFF" + text })
		h.isRead()
	})
}

// configure changes the repository's configuration.
func (h history) configure(change func(string) string) {
	h.t.Helper()
	file := filepath.Join(h.dir, ".git", "config")
	text, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	writeAt(h.t, file, change(string(text)))
}

// isRead wants the work tree and a revision read, without a word about git.
func (h history) isRead() {
	h.t.Helper()
	h.git("status")
	if code, out, errOut := runIn(h.dir, nil, "vet", "net"); code != exitOK || strings.Contains(out+errOut, "git") {
		h.t.Errorf("vet: exit %d\n%s%s", code, out, errOut)
	}
	if out, _ := h.diff(exitOK, "net", "--base", "main"); !strings.Contains(out, "(main at ") {
		h.t.Errorf("the commit is not told:\n%s", out)
	}
}

// Where the repository cannot be read, a description in its work tree can: what git would
// tell of it is missing, and every command says so once.
func TestRepositoryThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ make, why string }{
		"sha256":   {"sha256", "objects are named by sha256"},
		"reftable": {"reftable", "references are stored as reftable"},
		"version":  {"version", "version 2"},
		"damaged":  {"damaged", "git fsck"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := unreadable(t, c.make, small)
			for _, args := range [][]string{{"vet", "net"}, {"render", "net"}, {"graph", "net"}, {"simulate", "net", "--without", "site/shop"}} {
				code, out, errOut := runIn(h.dir, nil, args...)
				if text := out + errOut; code != exitOK || strings.Count(text, "warning: git: ") != 1 || !strings.Contains(text, c.why) {
					t.Errorf("%v: exit %d\n%s", args, code, text)
				}
			}
			if code, out, _ := runIn(h.dir, nil, "render", "net"); code != exitOK || strings.Contains(out, "warning") {
				t.Errorf("render: exit %d\n%s", code, out)
			}
			for _, args := range [][]string{{"vet", "net", "--rev", "HEAD"}, {"diff", "net", "--base", "HEAD"}} {
				if code, _, errOut := runIn(h.dir, nil, args...); code != exitInvalid || !strings.Contains(errOut, c.why) || !strings.Contains(errOut, `revision "HEAD"`) {
					t.Errorf("%v: exit %d\n%s", args, code, errOut)
				}
			}
		})
	}
}

// A plan is made without git's facts, and says so.
func TestPlanOfRepositoryThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := unreadable(t, "sha256", small+"policy: signers: [\"keys\"]\n")
	writeAt(t, filepath.Join(h.dir, "net", "keys"), "a@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDUGFnSCajFFULEV3ZUPDCZqNqwjqdBFV3vvUjGP8Yon\n")
	o := newPackageCommand(&System{Dir: h.dir, Getenv: func(string) string { return "" }, Err: &bytes.Buffer{}})
	o.path, o.showsFindings = "net", true
	d, err := o.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, nothing := session{description: d}, world.Observation{}
	in := s.input(nothing, plan.Filter{})
	p := o.make(s, in)
	if _, err := judgement(d, judge.Terms{}); codeOfError(t.Context(), err) != exitRefused || !strings.Contains(err.Error(), "who signed its commit is not known") {
		t.Errorf("got %v", err)
	}
	if !p.Source.Unread || p.Source.Commit != "" || p.Source.Dirty {
		t.Errorf("got %+v", p.Source)
	}
	for _, format := range []string{"text", "markdown", "html", "github"} {
		var out strings.Builder
		if err := formats.Render(&out, format, o.planReport(d, in, p), report.Style{}); err != nil {
			t.Fatal(err)
		}
		if text := out.String(); !strings.Contains(text, "objects are named by sha256") || strings.Contains(text, "not in git") {
			t.Errorf("%s:\n%s", format, text)
		}
	}
}

// What asks for git's facts says why there are none, and is refused.
func TestPolicyOfRepositoryThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := unreadable(t, "sha256", small+"policy: clean: true\n")
	code, out, errOut := runIn(h.dir, nil, "vet", "net")
	want := "whether it is as committed is not known, as the repository cannot be read, and policy.clean asks for it"
	if code != exitOK || !strings.Contains(out+errOut, want) {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
}

// unreadable is a history in a repository that cannot be read.
func unreadable(t *testing.T, how, description string) history {
	t.Helper()
	h := newHistory(t)
	if how == "sha256" {
		h.git("init", "-q", "-b", "main", "--object-format=sha256", "other")
		h.dir = filepath.Join(h.dir, "other")
	}
	h.commit("net/net.cue", description)
	switch how {
	case "reftable":
		h.git("config", "core.repositoryformatversion", "1")
		h.git("config", "extensions.refStorage", "reftable")
	case "version":
		h.git("config", "core.repositoryformatversion", "2")
	case "damaged":
		if err := os.RemoveAll(filepath.Join(h.dir, ".git", "objects")); err != nil {
			t.Fatal(err)
		}
		writeAt(t, filepath.Join(h.dir, ".git", "objects", "none"), "")
	}
	return h
}
