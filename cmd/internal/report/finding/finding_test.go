package finding_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/joshdk/go-junit"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/reporttest"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Each format of each kind of report is as it was looked at.
func TestMachineFormatsGolden(t *testing.T) {
	t.Parallel()
	for kind, r := range calm.reports() {
		for format, suffix := range map[string]string{
			"sarif": "sarif.json", "junit": "junit.xml", "gitlab": "gitlab.json", "github": "github.txt", "outputs": "outputs.env",
		} {
			reporttest.Golden(t, "formats", kind+"."+suffix, reporttest.Rendered(t, format, r))
		}
	}
}

// A report of nothing is a valid file in each format.
func TestMachineFormatsOfNothing(t *testing.T) {
	t.Parallel()
	for kind, r := range map[string]report.Report{
		"vet": {Findings: &report.Findings{}}, "plan": {Plan: &plan.Plan{}}, "drift": {Drift: &plan.Plan{}},
	} {
		checkSARIF(t, reporttest.Rendered(t, "sarif", r))
		checkJUnit(t, reporttest.Rendered(t, "junit", r))
		if got := reporttest.Rendered(t, "gitlab", r); string(got) != "[]\n" {
			t.Errorf("%s: %s", kind, got)
		}
		if got := reporttest.Rendered(t, "github", r); len(got) > 0 {
			t.Errorf("%s: %s", kind, got)
		}
		checkOutputs(t, reporttest.Rendered(t, "outputs", r))
	}
}

// Whatever stands in names, texts and files, each format has the structure that it has
// with ordinary ones.
func TestMachineFormatsAreSafe(t *testing.T) {
	t.Parallel()
	for _, m := range hostileModels {
		for kind, r := range m.reports() {
			plain := calm.reports()[kind]
			if got, want := checkSARIF(t, reporttest.Rendered(t, "sarif", r)), checkSARIF(t, reporttest.Rendered(t, "sarif", plain)); got != want {
				t.Errorf("%q: %s: sarif has %d results, want %d", m.word, kind, got, want)
			}
			if got, want := checkJUnit(t, reporttest.Rendered(t, "junit", r)), checkJUnit(t, reporttest.Rendered(t, "junit", plain)); got != want {
				t.Errorf("%q: %s: junit has %+v, want %+v", m.word, kind, got, want)
			}
			if got, want := checkGitLab(t, reporttest.Rendered(t, "gitlab", r)), checkGitLab(t, reporttest.Rendered(t, "gitlab", plain)); got != want {
				t.Errorf("%q: %s: gitlab has %d issues, want %d", m.word, kind, got, want)
			}
			if got, want := len(readCommands(t, reporttest.Rendered(t, "github", r))), len(readCommands(t, reporttest.Rendered(t, "github", plain))); got != want {
				t.Errorf("%q: %s: github has %d commands, want %d", m.word, kind, got, want)
			}
			if got, want := checkOutputs(t, reporttest.Rendered(t, "outputs", r)), checkOutputs(t, reporttest.Rendered(t, "outputs", plain)); !slices.Equal(got, want) {
				t.Errorf("%q: %s: outputs has keys %q, want %q", m.word, kind, got, want)
			}
		}
	}
}

// Every deletion and every refusal is in each format, however many there are.
func TestNothingSeriousIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 9, 10, 11, 12, 400} {
		p := plan.Plan{Network: "retail", Clusters: []plan.Cluster{}}
		var want []string
		for i := range n {
			gone, kept, refused := fmt.Sprintf("gone-%d-x", i), fmt.Sprintf("kept-%d-x", i), fmt.Sprintf("refused-%d-x", i)
			p.Actions = append(p.Actions, calm.action(plan.VerbUpdate, plan.KindSite, kept, func(*plan.Action) {}),
				calm.action(plan.VerbDelete, []plan.Kind{plan.KindSite, plan.KindLink, plan.KindProxy}[i%3], gone, func(*plan.Action) {}))
			p.Refusals = append(p.Refusals, plan.Refusal{Code: "foreign-site", Subject: fmt.Sprintf("site %q", refused)})
			want = append(want, gone, refused)
		}
		for kind, r := range map[string]report.Report{"plan": {Plan: &p}, "drift": {Drift: &p}} {
			for _, format := range machineFormats {
				text := string(reporttest.Rendered(t, format, r))
				if format == "github" && n > 100 { // what GitHub would cut is counted
					if longest := slices.MaxFunc(strings.Split(text, "\n"), func(a, b string) int { return len(a) - len(b) }); len(longest) > 4096+400 || !strings.Contains(text, "more, which the summary has") {
						t.Errorf("%s: a line of %d bytes", kind, len(longest))
					}
					continue
				}
				for _, name := range want {
					if !strings.Contains(text, name) {
						t.Fatalf("%d %s %s: %s is not told", n, kind, format, name)
					}
				}
			}
		}
	}
}

// Fingerprints are unique, and stay when all lines move.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	prints := func(r report.Report) (out []string) {
		var list []struct{ Fingerprint string }
		if err := json.Unmarshal(reporttest.Rendered(t, "gitlab", r), &list); err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			out = append(out, i.Fingerprint)
		}
		return out
	}
	for kind, r := range calm.reports() {
		before := prints(r)
		if unique := slices.Compact(slices.Sorted(slices.Values(before))); len(unique) != len(before) {
			t.Errorf("%s: %d of %d are unique", kind, len(unique), len(before))
		}
		moved := calm.reports()[kind]
		moved.Described.DeclaredAt.Line += 7
		for i := range moved.Described.Sites {
			moved.Described.Sites[i].DeclaredAt.Line += 7
		}
		if moved.Findings != nil {
			for i := range moved.Findings.List {
				moved.Findings.List[i].At.Line += 7
			}
		}
		if after := prints(moved); !slices.Equal(before, after) {
			t.Errorf("%s: fingerprints changed with lines", kind)
		}
	}
}

// Places are named from the root of the repository, wherever somebody stands; what has
// none is at the network's name.
func TestPlaces(t *testing.T) {
	t.Parallel()
	zone := diag.Finding{Severity: diag.Error, Code: "syntax", Message: "m", At: reporttest.At("", 1, 1)}
	for name, tt := range map[string]struct {
		stand report.Stand
		file  string
		want  string
	}{
		"below":       {calm.stand(), "../more.cue", "net/more.cue"},
		"at the root": {report.Stand{Root: "/src/repo", Here: "/src/repo"}, "net/more.cue", "net/more.cue"},
		"above":       {report.Stand{Root: "/src/repo", Here: "/src"}, "repo/net/more.cue", "net/more.cue"},
		"elsewhere":   {report.Stand{Root: "/src/repo", Here: "/home/me"}, "../../src/repo/net/more.cue", "net/more.cue"},
		"revision":    {report.Stand{}, "net/more.cue", "net/more.cue"},
		"root of all": {report.Stand{Root: "/", Here: "/home"}, "../net/more.cue", "net/more.cue"},
		"outside":     {report.Stand{Root: "/src/repo", Here: "/src/repo", Package: "net"}, "../other/more.cue", "net"},
		"unknown":     {report.Stand{Root: "/src/repo", Here: "/src/repo", Package: "net"}, "", "net"},
	} {
		f := zone
		f.At.File = tt.file
		r := report.Report{Findings: &report.Findings{List: diag.List{f}}, Stand: tt.stand}
		if got := readCommands(t, reporttest.Rendered(t, "github", r))[0].properties["file"]; got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// Actions, refusals and effects point at the line that declares what they are about.
func TestPlacesOfPlan(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"refused: link \"out\"":          "net/a.cue:9",
		"refused: cluster \"hub\"":       "net/a.cue:4",
		"cluster far is unreachable":     "net/a.cue:5",
		"delete site old":                "net/a.cue:3",    // declared nowhere: the network's name
		"delete object ConfigMap/config": "net/more.cue:2", // its site
		"update site hub":                "net/more.cue:1",
		"create link up":                 "net/a.cue:8",
	}
	for _, c := range readCommands(t, reporttest.Rendered(t, "github", calm.planReport())) {
		title := strings.TrimPrefix(c.properties["title"], "Fairlead: ")
		if place, ok := want[title]; ok {
			delete(want, title)
			if got := c.properties["file"] + ":" + c.properties["line"]; got != place {
				t.Errorf("%s: at %s, want %s", title, got, place)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not told: %v", want)
	}
}

// GitHub shows ten annotations of each level: there are never more.
func TestAnnotationsAreFolded(t *testing.T) {
	t.Parallel()
	var p plan.Plan
	for i := range 35 {
		p.Actions = append(p.Actions, calm.action(plan.VerbDelete, plan.KindSite, fmt.Sprintf("s%d", i), func(*plan.Action) {}))
	}
	commands := readCommands(t, reporttest.Rendered(t, "github", report.Report{Plan: &p}))
	if len(commands) != 10 {
		t.Fatalf("%d annotations", len(commands))
	}
	last := commands[9]
	if last.properties["title"] != "Fairlead: and 26 more" || strings.Count(last.message, "\n") != 25 || !strings.Contains(last.message, "delete site s34") {
		t.Errorf("%+v", last)
	}
}

type command struct {
	name       string
	properties map[string]string
	message    string
}

var commandLine = regexp.MustCompile(`^::(error|warning|notice) ([^:]*)::(.*)$`)

// readCommands reads workflow commands as GitHub's runner does: line by line, each with
// one name, properties with commas between them, and a message, all escaped.
func readCommands(t *testing.T, data []byte) (out []command) {
	t.Helper()
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" && len(data) == 0 {
			continue
		}
		found := commandLine.FindStringSubmatch(line)
		if found == nil {
			t.Fatalf("not an annotation: %q", line)
		}
		c := command{found[1], map[string]string{}, unescape(found[3])}
		for _, p := range strings.Split(found[2], ",") {
			key, value, _ := strings.Cut(p, "=")
			if !slices.Contains([]string{"file", "line", "col", "title"}, key) || c.properties[key] != "" {
				t.Fatalf("property %q in %q", key, line)
			}
			c.properties[key] = unescape(value)
		}
		out = append(out, c)
	}
	return out
}

func unescape(s string) string {
	return strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%").Replace(s)
}

// checkJUnit reads the file as XML without leniency, and as readers of test results do.
func checkJUnit(t *testing.T, data []byte) junit.Totals {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
	}
	suites, err := junit.Ingest(data)
	if err != nil {
		t.Fatal(err)
	}
	var all junit.Totals
	var counted struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	if err := xml.Unmarshal(data, &counted); err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		s.Aggregate()
		all.Tests, all.Passed, all.Failed, all.Skipped = all.Tests+s.Totals.Tests, all.Passed+s.Totals.Passed, all.Failed+s.Totals.Failed, all.Skipped+s.Totals.Skipped
	}
	if counted.Tests != all.Tests || counted.Failures != all.Failed || counted.Skipped != all.Skipped {
		t.Errorf("says %+v and has %+v", counted, all)
	}
	return all
}

// checkGitLab reads a code quality report, and gives how many issues it has.
func checkGitLab(t *testing.T, data []byte) int {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var list []struct {
		Description string `json:"description"`
		Check       string `json:"check_name"`
		Fingerprint string `json:"fingerprint"`
		Severity    string `json:"severity"`
		Location    struct {
			Path  string `json:"path"`
			Lines struct {
				Begin int `json:"begin"`
			} `json:"lines"`
		} `json:"location"`
	}
	if err := d.Decode(&list); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, i := range list {
		if i.Description == "" || i.Check == "" || seen[i.Fingerprint] || i.Location.Path == "" || i.Location.Lines.Begin < 1 ||
			!slices.Contains([]string{"info", "minor", "major", "critical", "blocker"}, i.Severity) {
			t.Errorf("%+v", i)
		}
		seen[i.Fingerprint] = true
	}
	return len(list)
}

var outputLine = regexp.MustCompile(`^([a-z_]+)=[^\p{Cc}\x{2028}\x{2029}]*$`)

// checkOutputs gives the keys, each of which stands once, in a file that GitLab takes.
func checkOutputs(t *testing.T, data []byte) (keys []string) {
	t.Helper()
	if len(data) > 5<<10 {
		t.Errorf("%d bytes are too many", len(data))
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		found := outputLine.FindStringSubmatch(line)
		if found == nil || slices.Contains(keys, found[1]) {
			t.Fatalf("line %q", line)
		}
		keys = append(keys, found[1])
	}
	return keys
}

// What apart from its rules is unknown about a plan is not told as a number that it has.
func TestOutputsOfPlan(t *testing.T) {
	t.Parallel()
	p := calm.plan()
	p.Base = &plan.Base{Origins: map[string]plan.Origin{}}
	for i, a := range p.Actions {
		p.Base.Origins[a.ID] = []plan.Origin{plan.OriginChange, plan.OriginAnyway, plan.OriginBoth}[i%3]
	}
	p.Clusters = append(p.Clusters, plan.Cluster{Name: network.ClusterName("third"), State: plan.StateForbidden})
	text := string(reporttest.Rendered(t, "outputs", report.Report{Plan: &p}))
	for _, line := range []string{
		"plan_id=sha256:abc", "pending=true", "refused=true", "refusals=2", "overridden=1", "changed=4", "delete=4",
		"unread=2", "unread_clusters=far,third", "effects_high=1", "effect=old loses its last path",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}
