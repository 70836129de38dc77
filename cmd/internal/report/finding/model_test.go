package finding_test

import (
	"fmt"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/reporttest"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// machineFormats are those that tell of each thing by itself.
var machineFormats = []string{"sarif", "junit", "gitlab", "github"}

// model makes reports of one shape around names and texts that a test chooses. Positions
// are as seen from a directory below the root of the repository.
type model struct {
	// word is in every name and text.
	word string
	// file is where sites are declared; the network and its links are in net/a.cue.
	file string
}

func (m model) name(kind string) string { return kind + m.word }

func (m model) stand() report.Stand {
	return report.Stand{Root: "/src/repo", Here: "/src/repo/net/sub", Package: "net"}
}

func (m model) described() *network.Network {
	return &network.Network{
		Name: m.name("retail"), DeclaredAt: reporttest.At("../a.cue", 3, 1),
		Clusters: []network.Cluster{
			{Name: network.ClusterName(m.name("hub")), DeclaredAt: reporttest.At("../a.cue", 4, 2)},
			{Name: network.ClusterName(m.name("far")), DeclaredAt: reporttest.At("../a.cue", 5, 2)},
		},
		Sites: []network.Site{
			{Name: network.SiteName(m.name("hub")), Cluster: network.ClusterName(m.name("hub")), DeclaredAt: reporttest.At("../"+m.file, 1, 2)},
			{Name: network.SiteName(m.name("shop")), Cluster: network.ClusterName(m.name("hub")), DeclaredAt: reporttest.At("../"+m.file, 2, 2)},
			{Name: network.SiteName(m.name("far")), Cluster: network.ClusterName(m.name("far")), DeclaredAt: reporttest.At("../"+m.file, 3, 2)},
		},
		Links: []network.Link{
			{Name: network.LinkName(m.name("up")), From: network.SiteName(m.name("shop")), To: network.SiteName(m.name("hub")), DeclaredAt: reporttest.At("../a.cue", 8, 2)},
			{Name: network.LinkName(m.name("out")), From: network.SiteName(m.name("hub")), To: network.SiteName(m.name("far")), DeclaredAt: reporttest.At("../a.cue", 9, 2)},
		},
	}
}

func (m model) action(verb plan.Verb, kind plan.Kind, name string, change func(*plan.Action)) plan.Action {
	a := plan.Action{
		ID: string(kind) + "/" + m.name(name), Kind: kind, Verb: verb, Cause: plan.CausePending, Name: m.name(name),
		Cluster: network.ClusterName(m.name("hub")), Namespace: m.name("ns"), Why: "because" + m.word,
		Disruption: plan.DisruptionNone, Fields: []plan.Field{}, Steps: []plan.Step{}, DependsOn: []string{},
	}
	change(&a)
	return a
}

func (m model) linkTo(from, to string) func(*plan.Action) {
	return func(a *plan.Action) {
		a.Link = &plan.LinkWork{From: plan.End{Site: network.SiteName(m.name(from))}, To: plan.End{Site: network.SiteName(m.name(to))}}
	}
}

func (m model) actions() []plan.Action {
	return []plan.Action{
		m.action(plan.VerbUpdate, plan.KindSite, "hub", func(a *plan.Action) {
			a.DeclaredAt, a.Cause, a.Disruption = reporttest.At("../"+m.file, 1, 2), plan.CauseDrift, plan.DisruptionRestart
			a.Fields = []plan.Field{{Path: "ha" + m.word, From: false, To: "x" + m.word, Cause: plan.CauseDrift}}
		}),
		m.action(plan.VerbDelete, plan.KindSite, "old", func(*plan.Action) {}),
		m.action(plan.VerbCreate, plan.KindLink, "up", func(a *plan.Action) {
			m.linkTo("shop", "hub")(a)
			a.DeclaredAt = reporttest.At("../a.cue", 8, 2)
		}),
		m.action(plan.VerbDelete, plan.KindLink, "gone", m.linkTo("old", "hub")),
		m.action(plan.VerbDelete, plan.KindProxy, "corp", func(*plan.Action) {}),
		m.action(plan.VerbDelete, plan.KindObject, "config", func(a *plan.Action) {
			a.ID = "object/" + m.name("shop") + "/ConfigMap/" + a.Name
			a.Object = &plan.ObjectWork{Site: network.SiteName(m.name("shop")), Kind: plan.ObjectConfigMap}
		}),
	}
}

func (m model) plan() plan.Plan {
	return plan.Plan{
		Format: plan.Format, ID: "sha256:abc", Network: m.name("retail"),
		Source: plan.Source{Commit: "0123456789abcdef", Ref: "main", Path: "net"},
		Clusters: []plan.Cluster{
			{Name: network.ClusterName(m.name("far")), State: plan.StateUnreachable, Reason: "no answer" + m.word},
			{Name: network.ClusterName(m.name("hub")), State: plan.StateOK},
		},
		Actions: m.actions(), Summary: plan.Summary{Create: 1, Update: 1, Delete: 4, Drift: 1, Unknown: 2},
		Topology: plan.Topology{Effects: []plan.Effect{
			{Severity: "high", Code: "connection-lost", Message: "old" + m.word + " loses its last path", Sites: []network.SiteName{network.SiteName(m.name("old"))}, Links: []network.LinkName{}},
			{Severity: "medium", Code: "cost-raised", Message: "shop" + m.word + " to hub is dearer", Sites: []network.SiteName{}, Links: []network.LinkName{network.LinkName(m.name("up"))}},
			{Severity: "low", Code: "links-added", Message: "1 link added" + m.word, Sites: []network.SiteName{}, Links: []network.LinkName{}},
		}},
		Refusals: []plan.Refusal{
			{Code: "foreign-link", Subject: fmt.Sprintf("link %q", m.name("out")), Message: "is not ours" + m.word, Override: "adopt it" + m.word},
			{Code: "deletes.sites." + m.name("hub"), Subject: fmt.Sprintf("cluster %q", m.name("hub")), Message: "1 of 2" + m.word, Number: 1, Override: "--allow deletes.sites:1@abc"},
			{Code: "partition", Subject: fmt.Sprintf("network %q", m.name("retail")), Message: "1 pair" + m.word, Number: 1, Override: "--allow partition:1@abc", Overridden: true},
		},
		Unmanaged:   []plan.ObjectRef{{Cluster: "hub", Kind: plan.ObjectSite, Name: "hand-made"}},
		Diagnostics: m.findings(),
	}
}

func (m model) findings() diag.List {
	return diag.List{
		{Severity: diag.Error, Code: "unknown-site", Subject: fmt.Sprintf("link %q", m.name("up")), Message: "to is wrong" + m.word, Fix: "did you mean hub?" + m.word, At: reporttest.At("../a.cue", 8, 22), Related: []diag.Position{reporttest.At("../"+m.file, 2, 2)}},
		{Severity: diag.Warning, Code: "unused-cluster", Subject: fmt.Sprintf("cluster %q", m.name("far")), Message: "no site is in it", Fix: "remove it", At: reporttest.At("../a.cue", 5, 2), Related: []diag.Position{}},
		{Severity: diag.Error, Code: "syntax", Message: "expected a name" + m.word, At: reporttest.At("../"+m.file, 4, 1), Related: []diag.Position{}},
	}
}

func (m model) planReport() report.Report {
	p := m.plan()
	return report.Report{Plan: &p, Described: m.described(), Stand: m.stand()}
}

func (m model) findingsReport() report.Report {
	return report.Report{
		Findings:  &report.Findings{Format: report.FindingsFormat, Network: m.name("retail"), Sites: 3, Links: 2, List: m.findings()},
		Described: m.described(), Stand: m.stand(),
	}
}

func (m model) driftReport() report.Report {
	p := m.plan()
	p.Topology.Basis, p.Refusals = plan.BasisApplied, p.Refusals[:1]
	p.Live = []plan.Live{
		{Severity: diag.Error, Code: "link-down", Subject: "link/" + m.name("up"), Cluster: network.ClusterName(m.name("hub")), Message: "is down" + m.word, Fix: "look", At: reporttest.At("../a.cue", 8, 2)},
		{Severity: diag.Warning, Code: "leftover", Subject: "link/" + m.name("gone"), Cluster: network.ClusterName(m.name("hub")), Message: "left" + m.word},
	}
	p.Ignored = []plan.Ignored{{Action: "site/" + m.name("shop"), Field: "ha", Rule: "site/*/ha", Reason: "tried by hand" + m.word}}
	p.Behind = []plan.Action{m.action(plan.VerbDelete, plan.KindSite, "later", func(*plan.Action) {})}
	return report.Report{Drift: &p, Described: m.described(), Stand: m.stand()}
}

func (m model) reports() map[string]report.Report {
	return map[string]report.Report{"vet": m.findingsReport(), "plan": m.planReport(), "drift": m.driftReport()}
}

// calm is a model with ordinary names.
var calm = model{word: "", file: "more.cue"}

// hostileModels are words and file names that try to be something else in some format.
var hostileModels = []model{
	{word: "\n::error::x\r::set-output name=a::b", file: "a::b,line=9.cue"},
	{word: "%0A::add-mask::x ##[error]y", file: "50% off.cue"},
	{word: "]]></failure><!--&amp;\x00\x1b[31m\x07\ufffe", file: "a b#c?d.cue"},
	{word: "\u202eevil\u2028next\u0085line\x7f", file: "ü[x].cue"},
	{word: "[x](https://example.com) {0} `a` \"q\" 'q'", file: "c:d.cue"},
	{word: "\nnetwork=other\nEOF<<EOF\xff", file: "-rf.cue"},
}
