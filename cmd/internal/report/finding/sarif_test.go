package finding_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"fairlead.dev/fairlead/cmd/internal/report/reporttest"
	"fairlead.dev/fairlead/cmd/internal/report/schematest"
	"fairlead.dev/fairlead/plan"
)

// sarifSchema is OASIS' own schema of SARIF 2.1.0, which the library that reads SARIF
// carries as a constant.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	if err != nil {
		return nil, err
	}
	text := ""
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && len(l.Value) > len(text) {
			text = l.Value
		}
		return true
	})
	if text, err = strconv.Unquote(text); err != nil {
		return nil, err
	}
	return schematest.Compile("sarif.json", []byte(text))
})

// checkSARIF validates a log against the standard's schema, lets a reader of SARIF read
// it, and checks what code scanning needs beyond. It gives how many results there are.
func checkSARIF(t *testing.T, data []byte) int {
	t.Helper()
	s, err := sarifSchema()
	if err != nil {
		t.Fatal(err)
	}
	if err := schematest.Validate(t, s, data); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var log sarif.Report
	if err := d.Decode(&log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	prints := map[string]bool{}
	for _, r := range run.Results {
		rule := run.Tool.Driver.Rules[r.RuleIndex]
		if *rule.ID != *r.RuleID || *rule.ShortDescription.Text == "" || *rule.FullDescription.Text == "" || *rule.Help.Text == "" {
			t.Errorf("rule of %s: %+v", *r.RuleID, rule)
		}
		checkSARIFPlace(t, r)
		print := r.PartialFingerprints["primaryLocationLineHash"]
		if print == "" || prints[print] {
			t.Errorf("fingerprint %q of %s", print, *r.RuleID)
		}
		prints[print] = true
	}
	return len(run.Results)
}

func checkSARIFPlace(t *testing.T, r *sarif.Result) {
	t.Helper()
	if len(r.Locations) != 1 {
		t.Fatalf("%s has %d places", *r.RuleID, len(r.Locations))
	}
	place := r.Locations[0].PhysicalLocation
	uri := *place.ArtifactLocation.URI
	if uri == "" || strings.HasPrefix(uri, "/") || strings.HasPrefix(uri, "../") || strings.Contains(uri, " ") || *place.Region.StartLine < 1 {
		t.Errorf("%s is at %q, line %d", *r.RuleID, uri, *place.Region.StartLine)
	}
}

// Names of files are encoded.
func TestSARIFPlaces(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"a b#c?d.cue": "net/a%20b%23c%3Fd.cue", "50% off.cue": "net/50%25%20off.cue", "ü[x].cue": "net/%C3%BC%5Bx%5D.cue", "c:d.cue": "net/c:d.cue",
	} {
		if text := string(reporttest.Rendered(t, "sarif", model{file: file}.planReport())); !strings.Contains(text, `"uri": "`+want+`"`) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// Levels are those that a reviewer expects, and what a rule ignores is suppressed with
// its reason.
func TestSARIFLevels(t *testing.T) {
	t.Parallel()
	levels := map[string]string{}
	suppressed := ""
	for _, r := range []string{"plan", "drift"} {
		var log sarif.Report
		if err := json.Unmarshal(reporttest.Rendered(t, "sarif", calm.reports()[r]), &log); err != nil {
			t.Fatal(err)
		}
		for _, v := range log.Runs[0].Results {
			if len(v.Suppressions) > 0 {
				suppressed = *v.Suppressions[0].Justification
				continue
			}
			levels[r+" "+*v.RuleID] = v.Level
		}
	}
	for id, want := range map[string]string{
		"plan refused/foreign-link": "error", "plan refused/partition": "warning", "plan cluster/unreachable": "error",
		"plan effect/connection-lost": "error", "plan effect/cost-raised": "warning", "plan effect/links-added": "note",
		"plan plan/delete-site": "warning", "plan plan/delete-object": "warning", "plan plan/update-site": "warning", "plan plan/create-link": "note",
		"plan unused-cluster": "warning", "drift drift/site": "warning", "drift live/link-down": "error", "drift live/leftover": "warning",
		"drift plan/delete-site": "note",
	} {
		if levels[id] != want {
			t.Errorf("%s: %q, want %q", id, levels[id], want)
		}
	}
	if suppressed != "tried by hand" {
		t.Errorf("suppressed because of %q", suppressed)
	}
}

// What is committed as an example of a real change is a valid log, with all its places.
func TestSARIFOfFixture(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "fixtures", "retail-change", "golden", "diff.sarif"))
	if err != nil {
		t.Fatal(err)
	}
	if n := checkSARIF(t, data); n < 60 {
		t.Errorf("%d results", n)
	}
	if bytes.Contains(data, []byte(`"uri": "."`)) {
		t.Error("something has no place")
	}
}

// What is so without the change under review is a note, deletions too.
func TestSARIFOfOrigins(t *testing.T) {
	t.Parallel()
	r := calm.planReport()
	r.Plan.Base = &plan.Base{Origins: map[string]plan.Origin{"site/old": plan.OriginAnyway, "link/gone": plan.OriginBoth}}
	var log sarif.Report
	if err := json.Unmarshal(reporttest.Rendered(t, "sarif", r), &log); err != nil {
		t.Fatal(err)
	}
	levels := map[string]string{}
	for _, v := range log.Runs[0].Results {
		levels[*v.Locations[0].LogicalLocations[0].FullyQualifiedName] = v.Level
	}
	if levels["site/old"] != "note" || levels["link/gone"] != "warning" {
		t.Errorf("%v", levels)
	}
}
