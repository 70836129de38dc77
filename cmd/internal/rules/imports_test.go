package rules

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// everything may be imported; the command line ties the parts together.
const everything = "*"

// mayImport is the table of the design: a package of ours, and which others of
// ours it may import, test code apart. A name that ends in /... covers all
// packages below it too; an exact name goes before it.
var mayImport = map[string][]string{
	"cmd/fairlead":     {"cmd/internal/cli"},
	"cmd/internal/cli": {everything},
	// The document of a plan is made once; the formats import it, and neither each other nor the
	// plan that it is made of. What has one form only, such as a status, is read as it is.
	"cmd/internal/report":          {"plan/words", "plan", "plan/origin", "plan/status", "plan/topology", "schema/network", "schema/diag"},
	"cmd/internal/report/picture":  {"plan/words", "schema/network"},
	"cmd/internal/report/markdown": {"cmd/internal/report", "plan/words", "cmd/internal/report/picture", "schema/diag"},
	"cmd/internal/report/page":     {"cmd/internal/report", "cmd/internal/report/picture", "plan/topology"},
	"cmd/internal/report/text":     {"plan/status", "cmd/internal/report", "plan/words", "plan", "plan/topology", "schema/network", "schema/diag"},
	"cmd/internal/report/finding":  {"cmd/internal/report", "plan/words", "plan", "plan/topology", "schema/network", "schema/diag"},
	"cmd/internal/report/formats": {"cmd/internal/report", "cmd/internal/report/text", "cmd/internal/report/markdown",
		"cmd/internal/report/page", "cmd/internal/report/finding"},
	"cmd/internal/report/reporttest": {"cmd/internal/report", "cmd/internal/report/formats", "schema/diag"},
	// It decides whether a description may be acted on.
	"cmd/internal/judge": {"plan", "schema/network", "schema/revision/signature"},
	// It writes what a command found and did as a file.
	"cmd/internal/metrics": {"cmd/internal/report", "plan", "plan/status", "schema/network"},
	// It speaks to GitHub and GitLab, and knows nothing of plans.
	"cmd/internal/forge": {},
	// Packages of tests and measurements, which drive the program from outside.
	"cmd/internal/...": {},

	"schema":                    {"schema/network", "schema/diag"},
	"schema/network":            {"schema/diag"},
	"schema/diag":               {},
	"schema/revision":           {"schema/revision/signature"},
	"schema/revision/signature": {},
	"schema/revision/signature/signaturetest": {"schema/revision/signature"},

	"plan":          {"schema/network", "schema/diag"},
	"plan/desired":  {"schema/network", "schema/diag", "plan", "plan/field", "plan/record", "plan/world"},
	"plan/existing": {"plan", "plan/record", "plan/world", "schema/network"},
	"plan/rights":   {"plan", "plan/world", "schema/network"},
	"plan/topology": {"plan/words", "schema/network"},
	// What plans are made of, from the ground up.
	"plan/words":   {},
	"plan/field":   {"plan", "schema/network"},
	"plan/record":  {"plan", "plan/field", "schema/network"},
	"plan/world":   {"plan", "plan/field", "plan/record", "plan/words", "schema/network", "schema/diag"},
	"plan/ignore":  {"plan", "plan/field", "plan/record", "schema/network"},
	"plan/safety":  {"plan", "plan/record", "plan/words", "plan/world", "plan/topology", "schema/network"},
	"plan/effects": {"plan", "plan/words", "plan/world", "plan/topology", "schema/network"},
	"plan/planner": {
		"plan", "plan/effects", "plan/field", "plan/ignore", "plan/record", "plan/safety", "plan/words", "plan/world",
		"schema/network", "schema/diag",
	},
	// What is made of plans, or of the world without one.
	"plan/approve": {"plan", "plan/field", "schema/network", "schema/diag"},
	"plan/origin":  {"plan", "plan/field", "schema/network", "schema/diag"},
	"plan/status":  {"plan", "plan/world", "schema/network"},
	"plan/drift": {
		"plan", "plan/effects", "plan/ignore", "plan/planner", "plan/record", "plan/words", "plan/world", "plan/topology",
		"schema/network", "schema/diag",
	},
	// It reads a tree that it is given; what it gives is data for plan.
	"plan/desired/overlay": {"schema/network", "schema/diag", "plan", "plan/desired", "plan/field", "plan/world"},

	"apply": {"plan", "plan/field", "plan/record", "plan/world", "schema/network", "schema/diag", "secrets"},
	// It guards apply's clusters; apply itself knows of no lock.
	"apply/lock": {"apply", "plan", "plan/world", "schema/network"},
	// It reads and writes apply's objects, answers with apply's errors, and
	// unwraps values at the last moment, on their way into a request.
	"apply/kube": {
		"apply", "apply/kube/client", "apply/kube/request", "apply/lock", "plan", "plan/field", "plan/record", "plan/world",
		"schema/network", "schema/diag", "secrets",
	},
	// The client runs credential plugins. What is sent, and how often, asks the lock.
	"apply/kube/client":  {"apply/kube/request", "secrets/program"},
	"apply/kube/request": {"apply", "apply/lock"},

	"secrets":     {},
	"secrets/...": {"secrets", "secrets/program", "secrets/internal/..."},
}

// TestImports keeps the table: each package imports only what its line allows.
func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range mustList(t, packages) {
		if !p.ours() {
			continue
		}
		allowed, known := lineOf(p.short())
		if !known {
			t.Errorf("%s: has no line in the table of imports", p.short())
		}
		for _, i := range p.Imports {
			name, ours := strings.CutPrefix(i, module+"/")
			if ours && !slices.ContainsFunc(allowed, covers(name)) {
				t.Errorf("%s: may not import %s", p.short(), name)
			}
		}
	}
}

// lineOf finds a package's line: its own, or that of the nearest folder above.
func lineOf(name string) (allowed []string, known bool) {
	if allowed, known = mayImport[name]; known {
		return allowed, true
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if allowed, known = mayImport[dir+"/..."]; known {
			return allowed, true
		}
	}
	return nil, false
}

// covers says whether an entry of the table allows the package.
func covers(name string) func(entry string) bool {
	return func(entry string) bool {
		below, wide := strings.CutSuffix(entry, "...")
		return entry == everything || entry == name || wide && strings.HasPrefix(name, below)
	}
}

// TestOthersLibraries keeps each heavy library behind one package, or those that share its job.
func TestOthersLibraries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		library string
		homes   []string
	}{
		{"k8s.io/client-go", []string{"apply/kube", "apply/kube/client"}},
		{"k8s.io/apimachinery", []string{"apply/kube", "apply/kube/client", "apply/kube/request"}},
		{"k8s.io/api", []string{"apply/kube"}},
		{"cuelang.org/go", []string{"schema"}},
		{"github.com/go-git/go-git", []string{"schema/revision", "schema/revision/signature"}},
		{"github.com/go-git/go-billy", []string{"schema/revision"}},
		{"github.com/ProtonMail/go-crypto", []string{"schema/revision/signature"}},
		{"github.com/hiddeco/sshsig", []string{"schema/revision/signature"}},
		{"golang.org/x/crypto", []string{"schema/revision/signature"}},
		{"github.com/spf13/cobra", []string{"cmd/internal/cli"}},
		{"github.com/prometheus", []string{"cmd/internal/metrics"}},
		{"github.com/hashicorp/go-retryablehttp", []string{"cmd/internal/forge"}},
		{"sigs.k8s.io/kustomize", []string{"plan/desired/overlay"}},
	} {
		for _, p := range mustList(t, packages) {
			if p.ours() && !slices.Contains(c.homes, p.short()) && slices.ContainsFunc(p.Imports, within(c.library)) {
				t.Errorf("%s: imports %s, which only %s may", p.short(), c.library, strings.Join(c.homes, ", "))
			}
		}
	}
}

// within says whether an import is the library or a package of it.
func within(library string) func(string) bool {
	return func(i string) bool { return i == library || strings.HasPrefix(i, library+"/") }
}

// pure are the packages that decide, but for plan/desired, which may use others' code.
var pure = []string{
	"plan", "plan/approve", "plan/drift", "plan/effects", "plan/existing", "plan/field", "plan/ignore", "plan/origin", "plan/planner", "plan/record",
	"plan/rights", "plan/safety", "plan/status", "plan/topology", "plan/words", "plan/world", "schema/network", "schema/diag",
}

// TestStandardLibraryOnly keeps what everything rests on free of others' code.
func TestStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	all := mustList(t, packages)
	for _, name := range append(slices.Clone(pure), "secrets") {
		for _, i := range all[module+"/"+name].Imports {
			if p := all[i]; !p.Standard && !p.ours() {
				t.Errorf("%s: imports %s, which is not of the standard library", name, i)
			}
		}
	}
}

// TestPureCode keeps the outer world out of what decides: no package that could
// wait, read a file or ask the clock, neither directly nor through ours.
func TestPureCode(t *testing.T) {
	t.Parallel()
	outer := []string{"context", "os", "os/exec", "net", "net/http", "time", "math/rand", "math/rand/v2"}
	all := mustList(t, packages)
	for _, name := range append(slices.Clone(pure), "plan/desired") {
		for _, reached := range ourDeps(all, module+"/"+name) {
			for _, i := range reached.Imports {
				if slices.Contains(outer, i) {
					t.Errorf("%s: must stay pure, yet %s imports %s", name, reached.short(), i)
				}
			}
		}
	}
}

// ourDeps are the package and those of its dependencies that are ours.
func ourDeps(all map[string]listed, importPath string) []listed {
	out := []listed{all[importPath]}
	for _, d := range all[importPath].Deps {
		if p := all[d]; p.ours() {
			out = append(out, p)
		}
	}
	return out
}

// TestTableIsCurrent finds lines for packages that are gone.
func TestTableIsCurrent(t *testing.T) {
	t.Parallel()
	all := mustList(t, packages)
	for name := range mayImport {
		if _, found := all[module+"/"+name]; !found && !strings.HasSuffix(name, "/...") {
			t.Errorf("the table of imports has a line for %s, which does not exist", name)
		}
	}
}
