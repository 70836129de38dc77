package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/forge"
	"fairlead.dev/fairlead/cmd/internal/forge/forgetest"
	"fairlead.dev/fairlead/cmd/internal/report/markdown"
	"fairlead.dev/fairlead/plan"
)

const (
	mergedCommit = "0123456789abcdef0123456789abcdef01234567"
	mergedHead   = "89abcdef0123456789abcdef0123456789abcdef"
)

// ciBed is a directory and a forge, for the commands of pipelines.
type ciBed struct {
	*testing.T
	*forgetest.Forge
	dir string
	// all is everything that commands said.
	all strings.Builder
}

func onBoth(t *testing.T, test func(*ciBed)) {
	t.Helper()
	for _, kind := range []string{"github", "gitlab"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := &ciBed{T: t, Forge: forgetest.New(t, kind), dir: t.TempDir()}
			test(b)
			if strings.Contains(b.all.String(), forgetest.Token) {
				t.Errorf("the token was said:\n%s", b.all.String())
			}
		})
	}
}

func (b *ciBed) file(name, content string) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o600); err != nil {
		b.Fatal(err)
	}
}

// says runs a command of ci that has to end with the code and say each of want.
func (b *ciBed) says(code, request int, args []string, want ...string) string {
	b.Helper()
	got, out, errOut := runIn(b.dir, b.Env(request, mergedCommit), append([]string{"ci"}, args...)...)
	b.all.WriteString(out + errOut)
	if got != code {
		b.Errorf("ci %q: exit %d, want %d\n%s%s", args, got, code, out, errOut)
	}
	for _, text := range want {
		if !strings.Contains(out+errOut, text) {
			b.Errorf("ci %q does not say %q:\n%s%s", args, text, out, errOut)
		}
	}
	return out
}

func TestCIComment(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *ciBed) {
		b.file("plan.md", "<!-- fairlead:plan:retail -->\n# One\n")
		b.says(0, 3, []string{"comment", "plan.md"}, "The comment was created")
		b.says(0, 3, []string{"comment", "plan.md"}, "The comment is as it should be")
		b.file("plan.md", "<!-- fairlead:plan:retail -->\n# Two\n")
		b.says(0, 0, []string{"comment", "plan.md", "--request", "3"}, "The comment was edited")
		b.says(0, 3, []string{"comment", "--outdated", "plan"}, "1 comment marked as outdated")
		notes := b.Notes(3)
		if len(notes) != 1 || !strings.HasPrefix(notes[0].Body, "<!-- fairlead:plan:retail -->\n**There is no plan for the latest commit**") || !strings.Contains(notes[0].Body, "](https://") {
			b.Errorf("notes: %+v", notes)
		}
		b.AddNote(3, forgetest.Ours, "<!-- fairlead:plan:other -->\nanother network's plan")
		b.says(0, 3, []string{"comment", "--outdated", "plan"}, "There are 2 comments of kind plan", "--network")
		b.says(0, 3, []string{"comment", "--outdated", "plan", "--network", "retail"}, "1 comment marked as outdated")
		if notes := b.Notes(3); notes[1].Body != "<!-- fairlead:plan:other -->\nanother network's plan" {
			b.Errorf("notes: %+v", notes)
		}
		b.says(3, 3, []string{"comment", "plan.md", "--network", "retail"}, "--network goes with --outdated")
		b.says(3, 0, []string{"comment", "plan.md"}, "not for a pull request")
		b.says(3, 3, []string{"comment", "missing.md"}, "missing.md")
		b.says(3, 3, []string{"comment"}, "give one file")
		b.says(3, 3, []string{"comment", "--outdated", "../x"}, "no kind of comment")
		b.says(3, 3, []string{"comment", "--forge", "gitea", "plan.md"}, "use github or gitlab")
		b.file("plan.md", "# no marker")
		b.says(3, 3, []string{"comment", "plan.md"}, "does not begin with")
		b.file("plan.md", "<!-- fairlead:plan:retail -->\n"+strings.Repeat("é", mostRunes))
		b.says(3, 3, []string{"comment", "plan.md"}, "a forge takes 65536")
	})
}

// What a report marks a text with is known again, for every name that a network may have:
// here all of up to six characters out of three.
func TestMarkersOfReports(t *testing.T) {
	t.Parallel()
	names, longer := []string{"a", "1"}, []string{"a", "1"}
	for range 5 {
		var next []string
		for _, name := range longer {
			next = append(next, name+"a", name+"1", name+"-")
		}
		longer = next
		names = append(names, next...)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "-") {
			continue
		}
		line := markdown.Marker("drift", name)
		if m, ok := forge.MarkerOf(line + "\ntext"); !ok || m.Network != name || m.Kind != "drift" || m.String() != line {
			t.Errorf("%s: %s is read as %+v, %v", name, line, m, ok)
		}
	}
}

func TestCIIssue(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *ciBed) {
		b.file("drift.md", "<!-- fairlead:drift:retail -->\n# Drift\n")
		b.says(0, 0, []string{"issue", "--healed", "drift.md"}, "no open issue")
		b.says(0, 0, []string{"issue", "--drift", "drift.md"}, "The issue #1 was created: https://")
		b.says(0, 0, []string{"issue", "--drift", "drift.md"}, "as it should be")
		b.says(0, 0, []string{"issue", "--healed", "drift.md"}, "The issue #1 was closed")
		b.says(3, 0, []string{"issue"}, "either --drift")
		b.says(3, 0, []string{"issue", "--drift", "a", "--healed", "b"}, "either --drift")
		issues := b.Issues()
		if len(issues) != 1 || issues[0].Open || issues[0].Title != "Network retail needs a look" || !strings.Contains(issues[0].Notes[0].Body, "needs no look any more: it is as last applied, and drift finds no errors. Seen by https://") {
			b.Errorf("issues: %+v", issues)
		}
	})
}

// The title says what was found, and a part of a network neither opens an issue nor closes
// that of the whole.
func TestCIIssueOfWhat(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *ciBed) {
		b.file("drift.md", "<!-- fairlead:drift:retail -->\n# Drift\n")
		for _, c := range []struct{ found, title string }{
			{"pending=true live_errors=0 behind=3 refused=false", "differs from what was last applied"},
			{"pending=true live_errors=1", "differs from what was last applied, and does not run as it should"},
			{"pending=false live_errors=2 behind=1", "does not run as it should"},
			{"pending=false live_errors=0 refused=true", "has something in the way of an apply"},
			{"pending=false live_errors=0 refused=false behind=1", "is behind git"},
			{"pending=false live_errors=0 refused=false behind=0", "needs a look"},
		} {
			b.file("outputs.txt", "network=retail\n"+strings.ReplaceAll(c.found, " ", "\n")+"\n")
			b.says(0, 0, []string{"issue", "--drift", "drift.md", "--outputs", "outputs.txt"}, "The issue #1 was")
			if issues := b.Issues(); len(issues) != 1 || issues[0].Title != "Network retail "+c.title {
				b.Errorf("%s: %+v", c.found, issues)
			}
		}
		b.file("outputs.txt", "network=other\n")
		b.says(3, 0, []string{"issue", "--drift", "drift.md", "--outputs", "outputs.txt"}, "is of network other")
		b.says(3, 0, []string{"issue", "--drift", "drift.md", "--outputs", "missing.txt"}, "missing.txt")
		b.file("part.md", "<!-- fairlead:drift-part:retail -->\n# No drift\n")
		b.file("plan.md", "<!-- fairlead:plan:retail -->\n# Plan\n")
		for _, flag := range []string{"--drift", "--healed"} {
			b.says(3, 0, []string{"issue", flag, "part.md"}, "is of a part of network retail")
			b.says(3, 0, []string{"issue", flag, "plan.md"}, "is a report of kind plan")
		}
		if issues := b.Issues(); len(issues) != 1 || !issues[0].Open {
			b.Errorf("issues: %+v", issues)
		}
	})
}

func TestCIReviewed(t *testing.T) {
	t.Parallel()
	p := plan.Plan{Format: plan.Format, Network: "retail"}
	p.ID = plan.Identify(p)
	content := `{"format": "` + p.Format + `", "network": "retail", "id": "` + p.ID + `"}`
	onBoth(t, func(b *ciBed) {
		b.says(5, 0, []string{"reviewed", "-o", "plan.json"}, "there is no reviewed plan to apply: no ")
		b.AddMerge(forgetest.Merge{Request: 3, Head: mergedHead, Commit: mergedCommit, Branch: "main"})
		name := map[string]string{"github": "fairlead-plan-3-" + mergedHead, "gitlab": "fairlead-plan"}[b.Kind]
		keep := func(content string) {
			b.Keep(forgetest.Artifact{Name: name, Request: 3, Head: mergedHead, Files: map[string]string{"plan.json": content}})
		}
		keep(strings.Replace(content, "retail", "other", 1))
		b.says(3, 0, []string{"reviewed", "-o", "plan.json"}, "the file was altered")
		if _, err := os.Stat(filepath.Join(b.dir, "plan.json")); err == nil {
			b.Error("a plan that cannot be used was saved")
		}
		keep(content)
		b.says(5, 0, []string{"reviewed", "-o", "plan.json"}, "request 3 has no comment that shows a plan of network retail")
		shows := func(author int, network, id string) string {
			note := "<!-- fairlead:plan:" + network + " -->\n<!-- fairlead:id:" + id + " -->\n# Plan\n"
			b.AddNote(3, author, note)
			return note
		}
		shows(forgetest.Person, "retail", p.ID)
		shows(forgetest.Ours, "another", p.ID)
		b.says(5, 0, []string{"reviewed", "-o", "plan.json"}, "has no comment that shows")
		other := "sha256:" + strings.Repeat("0", 64)
		note := shows(forgetest.Ours, "retail", other)
		b.says(5, 0, []string{"reviewed", "-o", "plan.json"}, "the comment of request 3 shows plan "+other+", and plan "+p.ID+" was kept")
		if _, err := os.Stat(filepath.Join(b.dir, "plan.json")); err == nil {
			b.Error("a plan was saved that no comment shows")
		}
		b.RemoveNote(3, note)
		shows(forgetest.Ours, "retail", p.ID)
		if out := b.says(0, 0, []string{"reviewed", "-o", "plan.json"}, "request 3 showed for commit "+mergedHead); out != p.ID+"\n" {
			b.Errorf("standard output is %q", out)
		}
		if got, err := os.ReadFile(filepath.Join(b.dir, "plan.json")); string(got) != content || err != nil {
			b.Errorf("saved: %s, %v", got, err)
		}
		b.says(3, 0, []string{"reviewed"}, "say where")
		b.says(3, 0, []string{"reviewed", "-o", "p", "--commit", "main"}, "no whole SHA")
		b.says(5, 0, []string{"reviewed", "-o", "p", "--commit", mergedHead[:39] + "0"}, "was merged as commit")
	})
}

func TestCILatest(t *testing.T) {
	t.Parallel()
	onBoth(t, func(b *ciBed) {
		b.says(1, 0, []string{"latest"}, "404")
		b.SetTip("main", mergedHead)
		b.SetTip("release/1.0", mergedCommit)
		b.says(5, 0, []string{"latest"}, "is for commit "+mergedCommit+", and branch main is at "+mergedHead+" by now")
		b.says(0, 0, []string{"latest", "--commit", mergedHead}, "is the last one of branch main")
		b.says(0, 0, []string{"latest", "--branch", "release/1.0"}, "is the last one of branch release/1.0")
		stale := []string{"latest", "--description", "./network"}
		b.says(5, 0, stale, "is for commit "+mergedCommit) // the branch was rewritten
		for _, c := range []struct {
			code  int
			files []string
		}{
			{0, []string{"README.md", "app/main.go", "networks/x.txt"}}, {5, []string{"README.md", "network/keys/alice.asc"}},
			{5, []string{"base/map.YAML"}}, {5, []string{"other/net.cue"}}, {5, []string{"network"}},
		} {
			b.SetSince(mergedCommit, c.files)
			word := "nothing to do with ./network"
			if c.code == 5 {
				word = "is for commit " + mergedCommit
			}
			b.says(c.code, 0, stale, word)
			b.says(5, 0, []string{"latest"}, "is for commit "+mergedCommit)
			b.says(5, 0, []string{"latest", "--description", "."}, "is for commit "+mergedCommit)
		}
		b.says(3, 3, []string{"latest"}, "not for a branch")
		b.says(3, 0, []string{"latest", "--commit", "main"}, "no whole SHA")
		b.Fail(forgetest.Fault{Method: "GET", Path: "main", Status: 200, Body: "{}"})
		b.says(1, 0, []string{"latest"}, "names no commit")
	})
}
