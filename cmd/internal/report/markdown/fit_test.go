package markdown_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/markdown"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// large is a plan of so many actions, of which some delete links and every tenth of those
// a site.
func large(actions, deletions int) report.Report {
	before, after := stores(actions, deletions)
	p := between(before, after)
	for i := range 8 {
		p.Refusals = append(p.Refusals, plan.Refusal{Code: fmt.Sprint("deletes.links.c", i), Subject: fmt.Sprintf("cluster %q", fmt.Sprint("c", i)), Message: "too many would be deleted", Number: 60})
	}
	p = counted(p)
	return report.Report{Plan: &p, Before: &before, After: &after, Run: "https://forge.example/runs/1"}
}

func stores(actions, deletions int) (before, after network.Network) {
	before, after = network.Network{Name: "retail"}, network.Network{Name: "retail"}
	hub := network.Site{Name: "hub", Cluster: "hubs", Namespace: "retail-hub", LinkAccess: "default", DeclaredAt: lineAt(1)}
	before.Sites, after.Sites = append(before.Sites, hub), append(after.Sites, hub)
	for i := range actions {
		s := network.Site{Name: network.SiteName(fmt.Sprintf("store-%04d", i)), Cluster: "shops", Namespace: fmt.Sprintf("retail-store-%04d", i), DeclaredAt: lineAt(i)}
		l := network.Link{Name: network.LinkName(s.Name + "-to-hub"), From: s.Name, To: "hub", Cost: int32(1 + i%7), DeclaredAt: lineAt(i)}
		before.Sites = append(before.Sites, s)
		before.Links = append(before.Links, l)
		if i >= deletions {
			l.Cost += 10
			after.Links = append(after.Links, l)
		}
		if i >= deletions || i%10 > 0 {
			after.Sites = append(after.Sites, s)
		}
	}
	return before, after
}

// checkFits wants a page that a forge takes, and gives what it shows.
func checkFits(t *testing.T, r report.Report) (text string, root *html.Node) {
	t.Helper()
	text = markdownOf(t, r)
	if len(text) > markdown.Most || !utf8.ValidString(text) {
		t.Errorf("%d bytes, valid %v", len(text), utf8.ValidString(text))
	}
	root = domOf(t, text)
	checkQuiet(t, unlinked(root))
	checkTables(t, root)
	return text, root
}

// unlinked takes links out, which only our own runs are.
func unlinked(root *html.Node) *html.Node {
	var links []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" {
			links = append(links, n)
		}
	}
	for _, n := range links {
		n.Parent.RemoveChild(n)
	}
	return root
}

// cautions are the texts of the box that tells what is taken away.
func cautions(root *html.Node) string { return strings.Join(texts(root, "blockquote"), "\n") }

// A large plan fits and keeps each deletion, in the box at its top.
func TestMarkdownOfLargePlan(t *testing.T) {
	t.Parallel()
	for _, deletions := range []int{60, 200, 400} {
		r := large(400, deletions)
		text, root := checkFits(t, r)
		found := cautions(root)
		for _, a := range r.Plan.Actions {
			if a.Verb == plan.VerbDelete && !strings.Contains(found, a.Name) {
				t.Errorf("%d: the deletion of %s is missing", deletions, a.Name)
			}
		}
		for _, e := range r.Plan.Topology.Effects {
			if e.Code == topology.ConnectionLost && !strings.Contains(found, string(e.Sites[0])) {
				t.Errorf("%d: missing: %s", deletions, e.Message)
			}
		}
		for _, e := range r.Plan.Refusals {
			if !strings.Contains(found, e.Override) || !strings.HasPrefix(e.Override, "--allow ") {
				t.Errorf("%d: the flag is missing: %s", deletions, e.Override)
			}
		}
		t.Logf("%d actions, %d deletions: %d bytes, %d characters", len(r.Plan.Actions), deletions, len(text), utf8.RuneCountInString(text))
	}
}

// What gives way is said in a line each: how many rows, and where they are.
func TestMarkdownSaysWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	text, root := checkFits(t, large(600, 60))
	for _, want := range []string{"Left out here", "more to update", "All of it is in the plan that this run has made."} {
		if !strings.Contains(textOf(domOf(t, text)), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if found := cautions(root); strings.Count(found, "-to-hub") != 60 {
		t.Errorf("%d deletions of links are there", strings.Count(found, "-to-hub"))
	}
}

// What even as bare names does not fit is there as far as it fits, sites first, and the
// rest is counted.
func TestMarkdownOfTooManyDeletions(t *testing.T) {
	t.Parallel()
	p := actionsBetween(stores(2500, 2500))
	for i := range 1000 {
		site := network.SiteName(fmt.Sprintf("depot-%04d", i))
		p.Topology.Effects = append(p.Topology.Effects, plan.Effect{Severity: "high", Code: topology.ConnectionLost, Message: string(site) + " loses its last path to hub", Sites: []network.SiteName{site}})
	}
	r := report.Report{Plan: &p, Run: "https://forge.example/runs/1"}
	text, root := checkFits(t, r)
	found := cautions(root)
	links := strings.Count(found, "-to-hub")
	var more int
	if i := strings.Index(found, " more deletions"); i > 0 {
		fmt.Sscan(found[strings.LastIndexByte(found[:i], '\n')+1:i], &more)
	}
	sites := 0
	for _, a := range r.Plan.Actions {
		if a.Kind == plan.KindSite && strings.Contains(found, a.Name) {
			sites++
		}
	}
	if strings.Count(found, "depot-") != 1000 || sites != 250 || links < 500 || links+sites+more != len(r.Plan.Actions) {
		t.Errorf("%d sites and %d links are named, %d more counted, of %d", sites, links, more, len(r.Plan.Actions))
	}
	t.Logf("%d bytes, %d names, %d counted", len(text), sites+links, more)
}

// Whatever there is too much of, the page fits.
func TestMarkdownFits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é<&`|", 60)
	for name, change := range map[string]func(p *plan.Plan, i int){
		"refusals": func(p *plan.Plan, i int) {
			p.Refusals = append(p.Refusals, plan.Refusal{Code: "foreign-site", Subject: fmt.Sprintf("site %q", fmt.Sprint("s", i)), Message: "is not ours", Override: "take it over with: fairlead apply --adopt"})
		},
		"refusals with flags": func(p *plan.Plan, i int) {
			p.Refusals = append(p.Refusals, plan.Refusal{Code: fmt.Sprint("deletes.sites.", i), Subject: long, Message: long, Number: i + 1})
		},
		"overridden": func(p *plan.Plan, i int) {
			p.Refusals = append(p.Refusals, plan.Refusal{Code: fmt.Sprint(i), Subject: long, Message: long, Number: i + 1, Overridden: true})
		},
		"lost paths": func(p *plan.Plan, i int) {
			p.Topology.Effects = append(p.Topology.Effects, plan.Effect{Severity: "high", Code: topology.ConnectionLost, Message: fmt.Sprintf("s%d loses its last path to %s", i, long), Sites: []network.SiteName{network.SiteName(fmt.Sprint("s", i))}})
		},
		"clusters": func(p *plan.Plan, i int) {
			p.Clusters = append(p.Clusters, plan.Cluster{Name: network.ClusterName(fmt.Sprint(long, i)), State: plan.StateForbidden, Reason: long})
		},
		"warnings": func(p *plan.Plan, _ int) {
			p.Diagnostics = append(p.Diagnostics, diag.Finding{Severity: diag.Warning, Subject: long, Message: long, Fix: long, At: diag.Position{File: long, Line: 1}})
		},
		"unmanaged": func(p *plan.Plan, i int) {
			p.Unmanaged = append(p.Unmanaged, plan.ObjectRef{Cluster: "c", Kind: plan.ObjectLink, Namespace: long, Name: fmt.Sprint(i)})
		},
		"live": func(p *plan.Plan, i int) {
			p.Live = append(p.Live, plan.Live{Severity: []diag.Severity{diag.Error, diag.Warning}[i%2], Subject: fmt.Sprint("link/", i), Message: long, Fix: long, At: diag.Position{File: long, Line: i}})
		},
		"ignored": func(p *plan.Plan, _ int) {
			p.Ignored = append(p.Ignored, plan.Ignored{Action: long, Field: long, Rule: long, Reason: long})
		},
		"behind": func(p *plan.Plan, _ int) { p.Behind = append(p.Behind, driftAction()) },
		"spared": func(p *plan.Plan, i int) {
			if p.Base == nil {
				p.Base = &plan.Base{}
			}
			p.Base.Spared = append(p.Base.Spared, plan.Spared{ID: fmt.Sprint(i), Verb: plan.VerbCreate, Why: long})
		},
		"actions": func(p *plan.Plan, i int) {
			a := driftAction()
			a.Verb, a.Name, a.Why, a.Namespace = []plan.Verb{plan.VerbCreate, plan.VerbDelete, plan.VerbReplace}[i%3], fmt.Sprint(i, long), long, long
			a.DeclaredAt.File, a.Fields[0].To, a.DependsOn = long, long, []string{long}
			p.Actions = append(p.Actions, a)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int{1, 30, 700} {
				r := settled()
				for i := range n {
					change(r.Plan, i)
				}
				checkFits(t, r)
				checkFits(t, report.Report{Drift: r.Plan})
			}
		})
	}
}
