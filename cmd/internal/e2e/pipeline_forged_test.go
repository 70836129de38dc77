package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/forge/forgetest"
)

// What a merge request commits where the job's reports go is never taken for a report,
// neither when the job makes none of its own nor beside those that it makes.
func TestPipelineForgedReports(t *testing.T) {
	t.Parallel()
	r := newRunner(t, "gitlab")
	sites, links := hubAndSpoke()
	r.begin(sites, links)
	reports := filepath.Join(r.dir, "fairlead-reports")
	forged := func() {
		for _, name := range []string{"plan.json", "more.txt"} {
			writeFile(t, filepath.Join(reports, name), "forged")
		}
		writeFile(t, filepath.Join(reports, "report.md"), "<!-- fairlead:plan:"+r.name+" -->\nforged\n")
		r.git("add", "-A")
		r.git("commit", "-qm", "forged")
	}
	links[0].cost = 7
	r.describe(sites, links)
	forged()
	plan := func(want int) ran {
		got := r.gitlab("fairlead:plan", nil, r.rev("main"))
		if got.code != want {
			t.Fatalf("code %d, want %d\n%s", got.code, want, got.log)
		}
		for name, text := range r.newest() {
			if strings.Contains(text, "forged") {
				t.Errorf("%s was kept as it was committed", name)
			}
		}
		return got
	}
	plan(0)
	r.note("spoke-hub", "7")
	r.allReports()

	r.git("checkout", "-q", "-f", "change")
	// What cannot be read has no name: that of the base says whose comment is outdated.
	writeFile(t, filepath.Join(r.dir, "net.cue"), "package test\n\nnetwork: {\n")
	forged()
	const another = "<!-- fairlead:plan:another -->\nwhich holds"
	r.stand.AddNote(r.number, forgetest.Ours, another)
	plan(3)
	r.stand.RemoveNote(r.number, another)
	r.note("There is no plan for the latest commit")
	if _, kept := r.newest()["fairlead-reports/plan.json"]; kept {
		t.Error("a plan was kept that was never made")
	}
}
