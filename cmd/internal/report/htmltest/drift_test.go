package htmltest

import (
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// driftReport has one of everything that drift shows.
func driftReport(n network.Network) report.Report {
	at := map[network.SiteName]network.Site{}
	for _, s := range n.Sites {
		at[s.Name] = s
	}
	links := linksOf(n)
	cost := linkAction(plan.VerbUpdate, links["shop1-backup"], at, "cost changed on the cluster")
	cost.Cause, cost.Disruption = plan.CauseDrift, plan.DisruptionReconnect
	cost.Fields = []plan.Field{{Path: "cost", From: 7, To: 99999, Cause: plan.CauseDrift}}
	gone := siteAction(plan.VerbCreate, at["shop2"], "was applied before and is gone from the cluster")
	gone.Cause = plan.CauseDrift
	behind := linkAction(plan.VerbDelete, links["backup-hub"], at, "no longer in the description")
	return report.Report{Before: &n, After: &n, Run: "https://ci.example.com/runs/7", Drift: &plan.Plan{
		Format: plan.Format, ID: "sha256:11", Network: n.Name, Source: plan.Source{Commit: "4f1c2a9b8d7e6f5a", Ref: "main"},
		Clusters: append(clustersOf(n), plan.Cluster{Name: "far", State: plan.StateUnreachable, Reason: "no answer"}),
		Actions:  []plan.Action{cost, gone}, Summary: plan.Summary{Create: 1, Update: 1, Drift: 2}, Behind: []plan.Action{behind},
		Live: []plan.Live{
			{Severity: diag.Error, Code: "link-down", Subject: "link/shop3-hub", Cluster: "shops", Namespace: "retail-shop3", Message: "the routers report it down", Fix: "look at the Link's status", At: links["shop3-hub"].DeclaredAt},
			{Severity: diag.Warning, Code: "certificate-ends", Subject: "site/hub", Cluster: "hubs", Namespace: "retail-hub", Message: "its certificate ends within 30 days", Fix: "raise the rotation of its links"},
		},
		Ignored:     []plan.Ignored{{Action: "site/hub", Field: "settings.router-data-connection-count", Rule: "ignore.0", Reason: "an operator sets it while looking for trouble"}},
		Unmanaged:   []plan.ObjectRef{{Cluster: "hubs", Kind: plan.ObjectLink, Namespace: "other", Name: "by-hand"}},
		Diagnostics: diag.List{{Severity: diag.Warning, Code: "unused-proxy", Subject: `proxy "corp"`, Message: "no link uses it", Fix: "remove it", At: diag.Position{File: "proxies.cue", Line: 3, Column: 1}}},
	}}
}

// baseReport tells what a change does from what is pending or drift anyway.
func baseReport(before, after network.Network) report.Report {
	r := reportOf(before, after)
	p := *r.Plan
	p.Base = &plan.Base{
		Source: plan.Source{Commit: "aaaaaaaaaaaaaaaa", Ref: "main"}, Origins: map[string]plan.Origin{},
		Spared: []plan.Spared{{ID: "link/spare", Verb: plan.VerbCreate, Why: "declared and not on the cluster"}},
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		p.Base.Origins[a.ID] = plan.OriginChange
		switch a.Name {
		case "shop1-backup":
			a.Cause, p.Base.Origins[a.ID] = plan.CauseDrift, plan.OriginAnyway
		case "shop2-hub":
			p.Base.Origins[a.ID] = plan.OriginAnyway
		case "shop3-hub":
			p.Base.Origins[a.ID] = plan.OriginBoth
		}
	}
	r.Plan = &p
	return r
}
