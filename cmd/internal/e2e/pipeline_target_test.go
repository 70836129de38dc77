package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// A merge request is planned as what merging it gives: what the target branch gained
// meanwhile is neither taken away nor shown as a change, in pipelines of either kind, and
// that plan is the one that is applied. A conflict ends without a plan.
func TestPipelineTargetMovedOn(t *testing.T) {
	t.Parallel()
	for name, tests := range map[string]struct {
		kind     string
		checkout func(*runner)
	}{
		"detached":      {"detached", func(r *runner) { r.git("checkout", "-q", "change") }},
		"merged result": {"merged_result", func(r *runner) { r.tried() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t, "gitlab")
			sites, links := hubAndSpoke()
			r.begin(sites, links)
			links[0].cost = 7
			r.commit(sites, links)

			// Meanwhile main gains a file of the description, which is applied.
			r.git("checkout", "-q", "main")
			writeFile(t, filepath.Join(r.dir, "more.cue"), fmt.Sprintf("package test\n\nsites: more: {cluster: %q, namespace: %q}\n", clusterNames[0], r.ns("more")))
			r.git("add", "-A")
			r.git("commit", "-qm", "a site more")
			r.must(0, "apply", "--yes")

			tests.checkout(r)
			got := r.gitlab("fairlead:plan", map[string]string{"CI_MERGE_REQUEST_EVENT_TYPE": tests.kind}, r.rev("main"))
			r.has("plan", got, 0, "Merging changes the network", "spoke-hub")
			outputs := r.newest()["fairlead-reports/outputs.txt"]
			for _, want := range []string{"\ndelete=0\n", "\nupdate=1\n", "\nchanged=1\n", "\ncreate=0\n"} {
				if !strings.Contains(outputs, want) {
					t.Errorf("no %q in:\n%s", want, outputs)
				}
			}
			r.git("checkout", "-q", "-f", "change")
			r.merged()
			r.has("apply", r.gitlab("fairlead:apply", nil, ""), 0, "Applied.")
			if got := costOf(r.get(1, r.ns("spoke"), "links", "spoke-hub")); got != 7 {
				t.Errorf("the cost is %v, want 7", got)
			}
		})
	}
	t.Run("conflict", func(t *testing.T) {
		t.Parallel()
		r := newRunner(t, "gitlab")
		sites, links := hubAndSpoke()
		r.git("init", "-q", "-b", "main")
		r.commit(sites, links)
		r.git("checkout", "-q", "-b", "change")
		links[0].cost = 7
		r.commit(sites, links)
		r.git("checkout", "-q", "main")
		links[0].cost = 8
		r.commit(sites, links)
		r.git("checkout", "-q", "change")
		got := r.gitlab("fairlead:plan", nil, r.rev("main"))
		r.has("plan", got, 3, "cannot be merged into main as it is now")
		if len(r.stand.Notes(r.number)) != 0 || r.newest()["fairlead-reports/plan.json"] != "" {
			t.Errorf("a plan was made all the same: %v", r.stand.Notes(r.number))
		}
		got = r.gitlab("fairlead:plan", map[string]string{"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "gone"}, r.rev("main"))
		r.has("plan into a branch that is gone", got, 3, "could not be fetched")
	})
}

// A job that is run again after the branch moved on applies nothing, reviewed or not.
func TestPipelineOldCommit(t *testing.T) {
	t.Parallel()
	pipelines(t, func(p *steps) {
		sites, links := hubAndSpoke()
		p.begin(sites, links)
		links[0].cost = 7
		p.commit(sites, links)
		p.has("plan", p.plan(), 0)
		p.git("checkout", "-q", "-f", "change")
		p.merged()
		links[0].cost = 8
		p.commit(sites, links)
		p.must(0, "apply", "--yes")
		p.git("checkout", "-q", "--detach", "main~1")
		for _, unreviewed := range []bool{false, true} {
			p.has("apply of an old commit", p.apply(unreviewed), 5, "is for commit "+p.rev("main~1"), "the branch has moved on")
		}
		if got := costOf(p.get(1, p.ns("spoke"), "links", "spoke-hub")); got != 8 {
			p.t.Errorf("the cost is %v, want 8", got)
		}
	})
}
