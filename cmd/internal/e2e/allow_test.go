package e2e

import (
	"regexp"
	"strings"
	"testing"
)

var (
	allowFlag = regexp.MustCompile(`--allow [^\s"@]+:[^\s"]+`)
	allowAll  = regexp.MustCompile(`--allow all@[0-9a-f]+`)
)

// allowances are the flags that a shown plan asks for, one for each rule.
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
	w.applied(sites, links)

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

// A network goes with one flag, once a description without sites was told for what it is.
func TestTearDownWithOneFlag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.railed = true
	sites := []site{{"hub", 0, `linkAccess: "default"`}, {"near", 0, ""}, {"far", 1, ""}}
	links := []link{{"near-hub", "near", "hub", 1}, {"far-hub", "far", "hub", 1}}
	w.applied(sites, links)

	w.describe(nil, nil)
	w.shows(w.must(0, "vet"), "has no site: an apply removes everything that it has on its clusters")
	o := w.must(6, "plan")
	w.shows(o, "has no site, and this removes everything: 3 sites, 2 links", "all of these at once: --allow all@")
	if n := len(allowances(o)) / 2; n < 3 {
		t.Errorf("%d rules refuse it:\n%s", n, o.out)
	}
	all := strings.Fields(allowAll.FindString(o.out))
	if o := w.must(3, "apply", "--yes", "--allow", "all@000000000000"); !strings.Contains(o.errOut, "does not fit") || !strings.Contains(o.errOut, all[1]) {
		t.Errorf("the flag of another plan: %s", o.errOut)
	}
	w.must(0, append([]string{"apply", "--yes"}, all...)...)
	w.nothingLeft()
}
