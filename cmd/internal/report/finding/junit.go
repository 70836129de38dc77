package finding

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/network"
)

// The parts of a JUnit file; there is no standard, and these are what readers share.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []*junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Cases []*junitCase `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Failure *junitFailure `xml:"failure,omitempty"`
		Skipped *junitSkipped `xml:"skipped,omitempty"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
)

// JUnit writes findings, a plan or drift for readers of test results: a suite for the
// network and one for each cluster, in it a case for the cluster, each declared site and
// link and whatever else there is something to tell about. A case fails for a refusal, an
// unread cluster, drift, an error, or a fact that is one; what cannot be compared is
// skipped; what else there is to tell, a change that waits to be applied too, is its output.
func JUnit(w io.Writer, r report.Report) error {
	t := tests{report: r, index: indexOf(r), suites: map[string]*junitSuite{}, cases: map[string]*junitCase{}}
	t.declared()
	for _, n := range noticesAt(r, t.index) {
		t.tell(n)
	}
	data, err := xml.MarshalIndent(t.all(), "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.Write(slices.Concat([]byte(xml.Header), data, []byte{'\n'}))
	return err
}

// caseTitle is the name of the network, or its directory where the name is not known.
func caseTitle(r report.Report) string { return cmp.Or(networkOf(r), r.Stand.Package) }

// tests gathers cases. The suite of the network has the key "".
type tests struct {
	report report.Report
	index  index
	suites map[string]*junitSuite
	cases  map[string]*junitCase
}

// declared makes a case for the network, each cluster that was asked, and each declared
// site and link. Those that could not be compared are skipped.
func (t *tests) declared() {
	t.caseOf("network/" + caseTitle(t.report))
	unread := map[network.ClusterName]bool{}
	if p := t.report.Planned(); p != nil {
		for _, c := range p.Clusters {
			t.caseOf("cluster/" + string(c.Name))
			unread[c.Name] = c.State != plan.StateOK
		}
	}
	n := t.report.Described
	if n == nil {
		return
	}
	for _, s := range n.Sites {
		t.skip("site/"+string(s.Name), unread, s.Cluster)
	}
	for _, l := range n.Links {
		t.skip("link/"+string(l.Name), unread, t.index.things["site/"+string(l.From)].cluster,
			t.index.things["site/"+string(l.To)].cluster)
	}
}

func (t *tests) skip(id string, unread map[network.ClusterName]bool, needs ...network.ClusterName) {
	c := t.caseOf(id)
	for _, name := range needs {
		if unread[name] {
			c.Skipped = &junitSkipped{Message: fmt.Sprintf("not compared: cluster %s could not be read", name)}
			return
		}
	}
}

// caseOf gives the case of a thing, which it makes when there is none.
func (t *tests) caseOf(id string) *junitCase {
	if c := t.cases[id]; c != nil {
		return c
	}
	cluster := string(t.index.things[id].cluster)
	suite := t.suites[cluster]
	if suite == nil {
		suite = &junitSuite{Name: "cluster " + cluster}
		if cluster == "" {
			suite.Name = "network " + caseTitle(t.report)
		}
		t.suites[cluster] = suite
	}
	c := &junitCase{Class: suite.Name, Name: words.Printable(id)}
	if at := t.index.things[id].at; !at.IsZero() {
		c.File = t.index.find(at).File
	}
	suite.Cases = append(suite.Cases, c)
	t.cases[id] = c
	return c
}

// tell puts a notice to the case of its subject.
func (t *tests) tell(n notice) {
	id := cmp.Or(n.whole, n.subject)
	if strings.HasPrefix(n.rule, "effect/") || id == "work tree" {
		id = "network/" + caseTitle(t.report)
	}
	c := t.caseOf(id)
	c.File = cmp.Or(c.File, n.at.File)
	text := fmt.Sprintf("%s: %s", n.at, words.Printable(n.text()))
	if !fails(n) {
		c.Out += text + "\n"
		return
	}
	c.Skipped = nil
	if c.Failure == nil {
		c.Failure = &junitFailure{Message: words.OneLine(n.text()), Type: n.rule}
	}
	c.Failure.Text += text + "\n"
}

// fails says which notices are failures. A consequence is none, and a deletion neither:
// both may be what is wanted. Where they are not allowed there is a refusal.
func fails(n notice) bool {
	family, _, found := strings.Cut(n.rule, "/")
	switch {
	case n.ignored != "" || n.level == levelNote:
		return false
	case found && family == "plan":
		return n.drifted
	case found && family == "effect":
		return false
	case found && family == "drift":
		return true
	}
	return n.level == levelError
}

// all gives the suites with their counts: the network's first, then clusters by name.
func (t *tests) all() junitSuites {
	out := junitSuites{Name: fmt.Sprintf("fairlead %s %s", reportKind(t.report), caseTitle(t.report))}
	names := make([]string, 0, len(t.suites))
	for name := range t.suites {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s := t.suites[name]
		for _, c := range s.Cases {
			s.count(c)
		}
		out.Tests, out.Failures, out.Skipped = out.Tests+s.Tests, out.Failures+s.Failures, out.Skipped+s.Skipped
		out.Suites = append(out.Suites, s)
	}
	return out
}

func (c *junitCounts) count(v *junitCase) {
	c.Tests++
	if v.Failure != nil {
		c.Failures++
	}
	if v.Skipped != nil {
		c.Skipped++
	}
}
