package htmltest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/formats"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/safety"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// reportOf is the report of a plan that leads from one network to another.
func reportOf(before, after network.Network) report.Report {
	p := plan.Plan{
		Format: plan.Format, ID: "sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9", Network: after.Name,
		Source:   plan.Source{Commit: "4f1c2a9b8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a", Ref: "main", Path: "."},
		Clusters: clustersOf(before, after), Actions: actionsOf(before, after),
	}
	for _, e := range topology.Compare(before, after) {
		p.Topology.Effects = append(p.Topology.Effects, plan.Effect{Severity: string(e.Severity), Code: e.Code, Message: e.Message, Sites: e.Sites, Links: e.Links})
	}
	for _, a := range p.Actions {
		switch a.Verb {
		case plan.VerbCreate:
			p.Summary.Create++
		case plan.VerbUpdate:
			p.Summary.Update++
		case plan.VerbDelete:
			p.Summary.Delete++
		}
	}
	if pairs := topology.Lost(before, after); pairs > 0 {
		p.Refusals = append(p.Refusals, plan.Refusal{
			Code: safety.Partition, Subject: fmt.Sprintf("network %q", after.Name), Number: pairs,
			Message:  fmt.Sprintf("%d pairs of sites would be cut off", pairs),
			Override: fmt.Sprintf("--allow partition:%d@0a1b2c3d4e5f", pairs),
		})
	}
	return report.Report{Plan: &p, Before: &before, After: &after}
}

func clustersOf(networks ...network.Network) (out []plan.Cluster) {
	seen := map[network.ClusterName]bool{}
	for _, n := range networks {
		for _, s := range n.Sites {
			if !seen[s.Cluster] {
				seen[s.Cluster] = true
				out = append(out, plan.Cluster{Name: s.Cluster, State: plan.StateOK, Skupper: "2.2.1"})
			}
		}
	}
	return out
}

// actionsOf are the actions between two networks, in no order that apply would keep to.
func actionsOf(before, after network.Network) (out []plan.Action) {
	at := map[network.SiteName]network.Site{}
	for _, s := range slices.Concat(before.Sites, after.Sites) {
		at[s.Name] = s
	}
	had, has := sitesOf(before), sitesOf(after)
	for _, s := range before.Sites {
		if !has[s.Name] {
			out = append(out, siteAction(plan.VerbDelete, s, "no longer in the description"))
		}
	}
	for _, s := range after.Sites {
		if !had[s.Name] {
			out = append(out, siteAction(plan.VerbCreate, s, "declared and not on the cluster"))
		}
	}
	old := linksOf(before)
	for _, l := range after.Links {
		was, known := old[l.Name]
		switch {
		case !known:
			a := linkAction(plan.VerbCreate, l, at, "declared and not on the cluster")
			a.Steps = []plan.Step{plan.StepRecord, plan.StepGrant, plan.StepRedeem, plan.StepTakeOver, plan.StepOperational, plan.StepClean, plan.StepConfirm}
			a.Fields = []plan.Field{{Path: "cost", To: l.Cost, Cause: plan.CausePending}}
			out = append(out, a)
		case was.Cost != l.Cost:
			a := linkAction(plan.VerbUpdate, l, at, "cost changes")
			a.Fields = []plan.Field{{Path: "cost", From: was.Cost, To: l.Cost, Cause: plan.CausePending}}
			a.Disruption = plan.DisruptionReconnect
			a.Steps = []plan.Step{plan.StepTakeOver, plan.StepOperational, plan.StepConfirm}
			out = append(out, a)
		}
		delete(old, l.Name)
	}
	for _, l := range before.Links {
		if _, gone := old[l.Name]; gone {
			a := linkAction(plan.VerbDelete, l, at, "no longer in the description")
			a.Link.Remove = []plan.ObjectRef{{Cluster: a.Cluster, Kind: plan.ObjectLink, Namespace: a.Namespace, Name: string(l.Name)}}
			out = append(out, a)
		}
	}
	return out
}

func sitesOf(n network.Network) map[network.SiteName]bool {
	out := map[network.SiteName]bool{}
	for _, s := range n.Sites {
		out[s.Name] = true
	}
	return out
}

func linksOf(n network.Network) map[network.LinkName]network.Link {
	out := map[network.LinkName]network.Link{}
	for _, l := range n.Links {
		out[l.Name] = l
	}
	return out
}

func siteAction(verb plan.Verb, s network.Site, why string) plan.Action {
	a := plan.Action{
		ID: "site/" + string(s.Name), Kind: plan.KindSite, Verb: verb, Cause: plan.CausePending, Cluster: s.Cluster, Namespace: s.Namespace,
		Name: string(s.Name), DeclaredAt: s.DeclaredAt, Disruption: plan.DisruptionNone, Why: why, Site: &plan.SiteWork{},
	}
	if verb == plan.VerbDelete {
		a.DeclaredAt = diag.Position{}
	}
	return a
}

func linkAction(verb plan.Verb, l network.Link, at map[network.SiteName]network.Site, why string) plan.Action {
	from, to := at[l.From], at[l.To]
	a := plan.Action{
		ID: "link/" + string(l.Name), Kind: plan.KindLink, Verb: verb, Cause: plan.CausePending, Cluster: from.Cluster, Namespace: from.Namespace,
		Name: string(l.Name), DeclaredAt: l.DeclaredAt, Disruption: plan.DisruptionNone, Why: why,
		Link: &plan.LinkWork{From: plan.End{Site: from.Name}, To: plan.End{Site: to.Name}, Cost: l.Cost, Via: l.Via},
	}
	if verb == plan.VerbDelete {
		a.DeclaredAt = diag.Position{}
	}
	return a
}

// page renders a report.
func page(t testing.TB, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := formats.Render(&b, "html", r, report.Style{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
