package e2e

import (
	"os"
	"path/filepath"
	"strconv"
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

// A program that a description names runs on no pull or merge request, and where it runs
// neither its own environment nor that of the shells above it has a token of the forge.
func TestPipelineProgramsSeeNoToken(t *testing.T) {
	t.Parallel()
	pipelines(t, func(p *steps) {
		sites, links := hubAndSpoke()
		p.begin(sites, links)
		seen := filepath.Join(p.t.TempDir(), "seen-"+p.stand.Kind)
		// Each process above, up to the shell of the step, and its environment.
		script := `pid=$$; for i in 1 2 3; do tr "\\0" "\\n" < /proc/$pid/environ >> ` + seen +
			`; pid=$(cut -d" " -f4 /proc/$pid/stat); done; echo x`
		writeFile(t, filepath.Join(p.dir, "proxy.cue"), "package test\n\nproxies: p: {host: \"p\", port: 1, username: command: [\"bash\", \"-c\", "+
			strconv.Quote(script)+"], password: env: \"NOT_SET\"}\nlinks: \"spoke-hub\": proxy: \"p\"\n")
		p.git("add", "-A")
		p.git("commit", "-qm", "a program")
		p.has("plan", p.plan(), 0)
		if _, err := os.Stat(seen); err == nil {
			p.t.Error("the program ran on a request")
		}
		p.git("checkout", "-q", "-f", "change")
		p.merged()
		p.drift()
		data, err := os.ReadFile(seen)
		if err != nil || !strings.Contains(string(data), "FAIRLEAD_PROGRAMS=allow") {
			p.t.Errorf("the program did not run where it may, or not below the job's shell: %v", err)
		}
		if strings.Contains(string(data), forgetest.Token) {
			p.t.Error("the program saw the token")
		}
	})
}
