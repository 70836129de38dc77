package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/forge/forgetest"
)

// rev is the SHA of a revision.
func (r *runner) rev(name string) string { return r.git("rev-parse", "--verify", name) }

// commit commits the description on a branch that is checked out.
func (r *runner) commit(sites []site, links []link) string {
	r.t.Helper()
	r.describe(sites, links)
	r.git("add", "net.cue")
	r.git("commit", "-qm", "change")
	return r.rev("HEAD")
}

// begin makes a repository with a description that is applied, and a branch for a change.
func (r *runner) begin(sites []site, links []link) {
	r.t.Helper()
	r.git("init", "-q", "-b", "main")
	r.commit(sites, links)
	r.must(0, "apply", "--yes")
	r.git("checkout", "-q", "-b", "change")
}

// tried checks out what merging the branch gives, as GitHub does for a pull request.
func (r *runner) tried() (base, head string) {
	r.t.Helper()
	base, head = r.rev("main"), r.rev("change")
	r.git("checkout", "-q", "--detach", "main")
	r.git("merge", "-q", "--no-ff", "-m", "merge", "change")
	return base, head
}

// merged merges the branch as a request of the forge, and checks main out.
func (r *runner) merged() {
	r.t.Helper()
	r.git("checkout", "-q", "main")
	r.git("merge", "-q", "--no-ff", "-m", "merge", "change")
	r.stand.AddMerge(forgetest.Merge{Request: r.number, Head: r.rev("change"), Commit: r.rev("main"), Branch: "main"})
}

// has checks that a job ended with the code and said each of the words.
func (r *runner) has(what string, got ran, code int, words ...string) {
	r.t.Helper()
	if got.code != code {
		r.t.Fatalf("%s: code %d, want %d\n%s", what, got.code, code, got.log)
	}
	for _, word := range words {
		if !strings.Contains(got.log+got.summary, word) {
			r.t.Errorf("%s does not say %q:\n%s\n%s", what, word, got.log, got.summary)
		}
	}
}

// note gives the one comment that there is, which has to say each of the words.
func (r *runner) note(words ...string) forgetest.Note {
	r.t.Helper()
	notes := r.stand.Notes(r.number)
	if len(notes) != 1 {
		r.t.Fatalf("%d comments, want one: %+v", len(notes), notes)
	}
	for _, word := range words {
		if !strings.Contains(notes[0].Body, word) {
			r.t.Errorf("the comment does not say %q:\n%s", word, notes[0].Body)
		}
	}
	return notes[0]
}

// newest gives the files that the last job kept.
func (r *runner) newest() map[string]string {
	r.t.Helper()
	kept := r.stand.Kept()
	if len(kept) == 0 {
		r.t.Fatal("nothing was kept")
	}
	return kept[len(kept)-1].Files
}

// allReports checks that the last job kept every report.
func (r *runner) allReports() {
	r.t.Helper()
	names, prefix := []string{"plan.json", "report.txt", "report.json", "report.md", "report.html", "outputs.txt"}, ""
	if r.stand.Kind == "gitlab" {
		names, prefix = append(names, "codequality.json", "junit.xml", "job.txt"), "fairlead-reports/"
	} else {
		names = append(names, "report.sarif", "annotations.txt")
	}
	files := r.newest()
	for _, name := range names {
		if files[prefix+name] == "" {
			r.t.Errorf("%s was not kept, or is empty", name)
		}
	}
	if len(files) != len(names) {
		r.t.Errorf("%d files were kept, want %d", len(files), len(names))
	}
}

// quiet checks that no job said or kept the token or a private key.
func (r *runner) quiet() {
	r.t.Helper()
	for _, secret := range []string{forgetest.Token, "client-key-data", "PRIVATE KEY"} {
		if strings.Contains(r.said.String(), secret) {
			r.t.Errorf("a job showed or kept %q", secret)
		}
	}
}

// steps are a pipeline's jobs on one forge.
type steps struct {
	*runner
	plan  func() ran
	apply func(unreviewed bool) ran
	drift func() ran
	// narrow is a further argument of drift.
	narrow string
}

// pipelines runs a test with the jobs of each forge.
func pipelines(t *testing.T, test func(*steps)) {
	t.Run("github", func(t *testing.T) {
		t.Parallel()
		r := newRunner(t, "github")
		s := &steps{
			runner: r,
			plan:   func() ran { base, head := r.tried(); return r.workflow("fairlead-plan.yml", nil, base, head) },
			apply: func(unreviewed bool) ran {
				return r.workflow("fairlead-apply.yml", map[string]string{"unreviewed": boolean(unreviewed)}, "", "")
			},
		}
		s.drift = func() ran {
			return r.workflow("fairlead-drift.yml", map[string]string{"arguments": s.narrow}, "", "")
		}
		test(s)
		r.quiet()
	})
	t.Run("gitlab", func(t *testing.T) {
		t.Parallel()
		r := newRunner(t, "gitlab")
		s := &steps{
			runner: r,
			plan: func() ran {
				r.git("checkout", "-q", "change")
				return r.gitlab("fairlead:plan", nil, r.rev("main"))
			},
			apply: func(unreviewed bool) ran {
				return r.gitlab("fairlead:apply", map[string]string{"FAIRLEAD_UNREVIEWED": fmt.Sprint(unreviewed)}, "")
			},
		}
		s.drift = func() ran {
			return r.gitlab("fairlead:drift", map[string]string{"FAIRLEAD_ARGUMENTS": s.narrow}, "")
		}
		test(s)
		r.quiet()
	})
}

// A change is planned, changed, planned again, merged and applied, and nothing else is.
func TestPipelineReviewed(t *testing.T) {
	t.Parallel()
	pipelines(t, func(p *steps) {
		sites, links := hubAndSpoke()
		p.begin(sites, links)
		p.stand.AddNote(p.number+1, forgetest.Person, "another request")

		links[0].cost = 7
		p.commit(sites, links)
		got := p.plan()
		p.has("first plan", got, 0, "Merging changes the network", "The comment was created")
		if saved := p.newest()["plan.json"]; p.stand.Kind == "github" && (got.outputs["pending"] != "true" || !strings.Contains(saved, `"`+got.outputs["plan-id"]+`"`)) {
			p.t.Errorf("outputs: %v", got.outputs)
		}
		p.allReports()
		first := p.note("<!-- fairlead:plan:"+p.name+" -->", "spoke-hub", "7")

		p.git("checkout", "-q", "change")
		links[0].cost = 9
		p.commit(sites, links)
		p.has("second plan", p.plan(), 0, "The comment was edited")
		if second := p.note("spoke-hub", "9"); second.ID != first.ID || second.Body == first.Body {
			p.t.Errorf("the comment was not edited in place: %+v", second)
		}

		p.git("checkout", "-q", "change")
		p.describe(sites, []link{{"spoke-hub", "spoke", "nowhere", 1}})
		p.git("commit", "-qam", "broken")
		p.stand.AddNote(p.number, forgetest.Ours, "<!-- fairlead:plan:another -->\nwhich holds")
		p.has("broken plan", p.plan(), 3, "nowhere", "1 comment marked as outdated")
		p.stand.RemoveNote(p.number, "<!-- fairlead:plan:another -->\nwhich holds")
		p.note("<!-- fairlead:plan:" + p.name + " -->\n**There is no plan for the latest commit**")

		p.git("checkout", "-q", "change")
		p.commit(sites, links)
		p.has("third plan", p.plan(), 0, "The comment was edited")
		p.merged()
		p.rewire()
		p.has("apply", p.apply(false), 0, "Applied.", "link spoke-hub: done in")
		if got := costOf(p.get(1, p.ns("spoke"), "links", "spoke-hub")); got != 9 {
			p.t.Errorf("the cost is %v, want 9", got)
		}
		p.settled(sites, links)
		p.has("apply again", p.apply(false), 0, "done already")
	})
}

// What was not reviewed as it is now is not applied: another description, a cluster that
// was changed meanwhile, a commit without a request. Each says how to go on.
func TestPipelineStale(t *testing.T) {
	t.Parallel()
	pipelines(t, func(p *steps) {
		sites, links := hubAndSpoke()
		p.begin(sites, links)
		before := links[0].cost
		links[0].cost = 7
		p.commit(sites, links)
		p.has("plan", p.plan(), 0)

		p.merged()
		p.describe(sites, []link{{"spoke-hub", "spoke", "hub", 8}})
		p.git("commit", "-qam", "another one came first", "--amend")
		p.stand.AddMerge(forgetest.Merge{Request: p.number, Head: p.rev("change"), Commit: p.rev("main"), Branch: "main"})
		p.has("apply of another description", p.apply(false), 5, "made of another description", "The reviewed plan is stale", "by hand with")

		p.describe(sites, links)
		p.git("commit", "-qam", "as planned", "--amend")
		p.has("apply without a request", p.apply(false), 5, "there is no reviewed plan", "Nothing was applied", "by hand with")
		p.stand.AddMerge(forgetest.Merge{Request: p.number, Head: p.rev("change"), Commit: p.rev("main"), Branch: "main"})
		p.patch(1, p.ns("spoke"), "links", "spoke-hub", map[string]any{"spec": map[string]any{"cost": 5}})
		p.has("apply after a change by hand", p.apply(false), 5, "spoke-hub is stale", "The reviewed plan is stale")
		if got := costOf(p.get(1, p.ns("spoke"), "links", "spoke-hub")); got != 5 || before == 5 {
			p.t.Errorf("the cost is %v, want 5 as it was set by hand", got)
		}
		p.has("apply unreviewed", p.apply(true), 0, "Applied.")
		p.settled(sites, links)
	})
}

// Drift opens one issue, which follows it and is closed when it is gone.
func TestPipelineDrift(t *testing.T) {
	t.Parallel()
	pipelines(t, func(p *steps) {
		sites, links := hubAndSpoke()
		sites = append(sites, site{"lone", 0, ""})
		p.begin(sites, links)
		p.git("checkout", "-q", "main")
		// GitLab shows a job that ends with 2 as a warning.
		drifts := map[string]int{"github": 0, "gitlab": 2}[p.stand.Kind]
		set := func(cost int) {
			p.patch(1, p.ns("spoke"), "links", "spoke-hub", map[string]any{"spec": map[string]any{"cost": cost}})
		}
		p.has("no drift", p.drift(), 0, "no open issue")
		set(4)
		p.has("drift", p.drift(), drifts, "was created", "needs a look")
		p.has("the same drift", p.drift(), drifts, "is as it should be")
		set(5)
		p.has("more drift", p.drift(), drifts, "was edited")
		if issues := p.stand.Issues(); len(issues) != 1 || !issues[0].Open || !strings.Contains(issues[0].Body, "spoke-hub") || !strings.HasPrefix(issues[0].Title, "Network "+p.name+" differs from what was last applied") {
			p.t.Errorf("issues: %+v", issues)
		}
		p.narrow = "--site=lone"
		p.has("a part without drift", p.drift(), 0)
		p.narrow = "--link=spoke-hub"
		p.has("a part with drift", p.drift(), 2, "needs a look")
		p.narrow = ""
		if issues := p.stand.Issues(); len(issues) != 1 || !issues[0].Open || len(issues[0].Notes) != 0 {
			p.t.Errorf("a part changed the issue: %+v", issues)
		}
		p.has("no telling", p.blind(p.drift), 7, "issue stays as it is")
		set(1)
		p.world.drift(0)
		p.has("healed", p.drift(), 0, "was closed")
		if issues := p.stand.Issues(); len(issues) != 1 || issues[0].Open || len(issues[0].Notes) != 1 {
			p.t.Errorf("issues: %+v", issues)
		}
		set(6)
		p.has("drift again", p.drift(), drifts, "The issue #2 was created")
		if issues := p.stand.Issues(); len(issues) != 2 {
			p.t.Errorf("issues: %+v", issues)
		}
	})
}

// blind runs a job while no cluster answers.
func (r *runner) blind(job func() ran) ran {
	r.t.Helper()
	r.cut()
	defer r.rewire()
	return job()
}

// A pull request of a fork is compared without a secret, and nothing is told to the
// forge; a job without the right to comment says which it lacks.
func TestPipelineWithoutRights(t *testing.T) {
	t.Parallel()
	sites, links := hubAndSpoke()
	change := func(r *runner) {
		r.git("init", "-q", "-b", "main")
		r.commit(sites, links)
		r.git("checkout", "-q", "-b", "change")
		links := []link{{"spoke-hub", "spoke", "hub", 7}}
		r.commit(sites, links)
	}
	t.Run("github", func(t *testing.T) {
		t.Parallel()
		r := newRunner(t, "github")
		change(r)
		base, head := r.tried()
		got := r.job(map[string]string{"command": "diff"}, base, head)
		r.has("diff", got, 0, "Merging changes the network", "spoke-hub")
		if got.outputs["code"] != "2" || len(r.stand.Calls()) != 0 {
			t.Errorf("outputs %v, calls %v", got.outputs, r.stand.Calls())
		}
		r.stand.Fail(forgetest.Fault{Method: "POST", Path: "comments", Status: 403, Body: `{"message": "Resource not accessible by integration"}`})
		reports := t.TempDir()
		writeFile(t, filepath.Join(reports, "report.md"), r.newest()["report.md"])
		comment := map[string]string{"command": "comment", "reports": reports, "token": forgetest.Token}
		r.has("comment", r.job(comment, base, head), 1, "permissions: pull-requests: write")
		r.quiet()
	})
	t.Run("gitlab", func(t *testing.T) {
		t.Parallel()
		r := newRunner(t, "gitlab")
		change(r)
		got := r.gitlab("fairlead:plan", map[string]string{"FAIRLEAD_KUBECONFIG_READ": "", "FAIRLEAD_GITLAB_TOKEN": ""}, r.rev("main"))
		r.has("diff", got, 0, "compared in git alone", "there is no note", "spoke-hub")
		if len(r.stand.Calls()) != 0 {
			t.Errorf("calls %v", r.stand.Calls())
		}
		r.has("apply", r.gitlab("fairlead:apply", map[string]string{"FAIRLEAD_KUBECONFIG": "", "FAIRLEAD_UNREVIEWED": "true"}, ""), 3, "protected variable of type File")
	})
}

// What a description says cannot give the runner of GitHub commands, and no input is
// taken for shell.
func TestPipelineHostile(t *testing.T) {
	t.Parallel()
	r := newRunner(t, "github")
	r.git("init", "-q", "-b", "main")
	sites, links := hubAndSpoke()
	first := r.commit(sites, links)
	writeFile(t, r.dir+"/net.cue", "package test\n\nnetwork: \"x\\n::error::injected\\n::add-mask::injected\"\n")
	r.git("commit", "-qam", "hostile")
	got := r.job(map[string]string{
		"command": "diff", "base": first, "tags": "a=$(touch pwned)\n  \n; touch pwned", "arguments": "`touch pwned`", "name": "$(touch pwned)",
		"kubeconfig": "$(touch pwned)",
	}, first, r.rev("HEAD"))
	r.has("diff", got, 3)
	if r.commandsIn(got.log, "injected") {
		t.Errorf("a command came through:\n%s", got.log)
	}
	if out, err := exec.Command("find", r.dir, "-name", "pwned").Output(); err != nil || len(out) > 0 {
		t.Errorf("an input was run as shell: %s, %v", out, err)
	}
}

// commandsIn tells whether a log gives the runner a command with the word, as the runner
// reads it: not between stop-commands and its end.
func (r *runner) commandsIn(log, word string) bool {
	stopped := ""
	for _, line := range strings.Split(log, "\n") {
		line = strings.TrimSpace(line)
		token, stops := strings.CutPrefix(line, "::stop-commands::")
		switch {
		case stopped != "":
			if line == "::"+stopped+"::" {
				stopped = ""
			}
		case stops:
			stopped = token
		case strings.HasPrefix(line, "::") && strings.Contains(line, word):
			return true
		}
	}
	return false
}

// The program is built from the action's own source where no other is asked for.
func TestPipelineInstall(t *testing.T) {
	t.Parallel()
	r := newRunner(t, "github")
	r.git("init", "-q", "-b", "main")
	r.commit(hubAndSpoke())
	got := r.job(map[string]string{"command": "destroy", "path": ""}, "", "")
	r.has("install", got, 3, "command is destroy, and should be plan, diff, apply or drift, or reviewed, comment or issue")
}
