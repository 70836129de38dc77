package e2e

import (
	"regexp"
	"strings"
	"testing"
)

var allowFlag = regexp.MustCompile(`--allow [^\s"]+`)

// allowances are the flags that a shown plan asks for.
func allowances(o outcome) []string {
	var out []string
	for _, flag := range allowFlag.FindAllString(o.out, -1) {
		out = append(out, strings.Fields(flag)...)
	}
	return out
}

// Each rule of the plan stops an apply, shows the flag that lifts it, and is lifted by
// that flag alone.
func TestRails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.railed = true
	const open = `linkAccess: "default"`
	sites := []site{{"hub", 0, open}, {"near", 0, ""}, {"east", 1, ""}, {"west", 1, ""}}
	links := []link{{"near-hub", "near", "hub", 1}, {"east-hub", "east", "hub", 1}, {"west-hub", "west", "hub", 1}}
	w.describe(sites, links)
	w.must(0, "apply", "--yes")

	t.Log("a partition")
	w.describe(sites, links[:2])
	o := w.must(6, "plan", "--detailed-exitcode")
	w.shows(o, "partition", "3 pairs of sites would be cut off: west loses its last path to east, hub and near")
	flags := allowances(o)
	if len(flags) != 2 {
		t.Fatalf("flags %q, want one", flags)
	}
	w.refusedAsIs(flags[1])
	w.shows(w.must(2, append([]string{"plan", "--detailed-exitcode"}, flags...)...), "overridden")
	w.shows(w.must(0, append([]string{"apply", "--yes"}, flags...)...), "overridden")
	w.settled(sites, links[:2])

	t.Log("the sites of a cluster, and too many")
	w.describe(sites[:2], links[:1])
	o = w.must(6, "apply", "--yes")
	w.shows(o, "2 of 4 sites would be deleted", "cluster-emptied.two:2@", "deletes.sites:2@", "deletes.sites.two:2@")
	flags = allowances(o)
	w.must(6, append([]string{"apply", "--yes"}, flags[:len(flags)-2]...)...)
	if len(w.list(1, w.ns("east"), "sites", w.owned())) != 1 {
		t.Fatal("a refused apply deleted a site")
	}
	w.must(0, append([]string{"apply", "--yes"}, flags...)...)
	w.settled(sites[:2], links[:1])
	if o := w.must(3, append([]string{"apply", "--yes"}, flags...)...); !strings.Contains(o.errOut, "does not fit") {
		t.Errorf("a flag of a plan that is done is taken: %s", o.errOut)
	}
}

// refusedAsIs checks that a flag fits one plan, one number and one rule.
func (w *world) refusedAsIs(allow string) {
	w.t.Helper()
	code, rest, _ := strings.Cut(allow, ":")
	number, id, _ := strings.Cut(rest, "@")
	for _, other := range []string{
		code + ":" + number + "1@" + id, "deletes.links:" + number + "@" + id, code + ":" + number + "@" + strings.Repeat("0", len(id)),
	} {
		o := w.must(3, "apply", "--yes", "--allow", other)
		if !strings.Contains(o.errOut, allow) {
			w.t.Errorf("--allow %s: the error does not name %s: %s", other, allow, o.errOut)
		}
	}
	w.must(3, "plan", "--allow", code)
}
