package markdown_test

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/reporttest"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/safety"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// lineAt is a line of the description of the network below.
func lineAt(line int) diag.Position { return reporttest.At("retail.cue", line, 2) }

// chain is a small network: a hub, a backup, shops linked to both, and a depot behind the
// first shop.
func chain(shops int) network.Network {
	n := network.Network{Name: "retail", Sites: []network.Site{
		{Name: "hub", Cluster: "hubs", Namespace: "retail-hub", LinkAccess: "default", DeclaredAt: lineAt(4)},
		{Name: "backup", Cluster: "hubs", Namespace: "retail-backup", LinkAccess: "default", DeclaredAt: lineAt(5)},
		{Name: "depot", Cluster: "shops", Namespace: "depot", DeclaredAt: lineAt(6)},
	}}
	for i := range shops {
		s := network.SiteName(fmt.Sprintf("shop%d", i+1))
		n.Sites = append(n.Sites, network.Site{Name: s, Cluster: "shops", Namespace: string(s), LinkAccess: "local", DeclaredAt: lineAt(10 + i)})
		n.Links = append(n.Links,
			network.Link{Name: network.LinkName(s + "-hub"), From: s, To: "hub", Cost: 1, DeclaredAt: lineAt(100 + i)},
			network.Link{Name: network.LinkName(s + "-backup"), From: s, To: "backup", Cost: 99999, DeclaredAt: lineAt(200 + i)})
	}
	n.Links = append(n.Links, network.Link{Name: "depot-shop1", From: "depot", To: "shop1", Cost: 1, DeclaredAt: lineAt(7)})
	return n
}

// between makes the plan that leads from one network to another, as the planner words it.
func between(before, after network.Network) plan.Plan {
	p := actionsBetween(before, after)
	p.Topology = plan.Topology{Before: shapeOf(before), After: shapeOf(after)}
	for _, e := range topology.Compare(before, after) {
		p.Topology.Effects = append(p.Topology.Effects, plan.Effect{Severity: string(e.Severity), Code: e.Code, Message: e.Message, Sites: e.Sites, Links: e.Links})
	}
	return counted(p)
}

// actionsBetween is such a plan without what it does to traffic.
func actionsBetween(before, after network.Network) plan.Plan {
	p := plan.Plan{
		Format: plan.Format, Network: after.Name, Source: plan.Source{Commit: "0123456789abcdef0123456789abcdef01234567", Ref: "close-hub", Digest: "sha256:1"},
		Clusters: []plan.Cluster{{Name: "hubs", State: plan.StateOK, Skupper: "2.2.0"}, {Name: "shops", State: plan.StateOK, Skupper: "2.2.0"}},
	}
	p.Actions = slices.Concat(siteActions(before, after), linkActions(before, after))
	return counted(p)
}

func shapeOf(n network.Network) plan.Shape {
	f := topology.Of(n)
	return plan.Shape{Sites: f.Sites, Links: f.Links, Components: f.Components}
}

func siteActions(before, after network.Network) (out []plan.Action) {
	is := func(s network.Site) func(network.Site) bool {
		return func(o network.Site) bool { return o.Name == s.Name }
	}
	act := func(s network.Site, verb plan.Verb, why string, steps ...plan.Step) {
		out = append(out, plan.Action{
			ID: "site/" + string(s.Name), Kind: plan.KindSite, Verb: verb, Cause: plan.CausePending, Cluster: s.Cluster, Namespace: s.Namespace,
			Name: string(s.Name), DeclaredAt: s.DeclaredAt, Disruption: plan.DisruptionNone, Why: why, Steps: steps, Site: &plan.SiteWork{},
		})
	}
	for _, s := range after.Sites {
		if !slices.ContainsFunc(before.Sites, is(s)) {
			act(s, plan.VerbCreate, "declared and not on the cluster", plan.StepRecord, plan.StepSite, plan.StepReady)
		}
	}
	for _, s := range before.Sites {
		if !slices.ContainsFunc(after.Sites, is(s)) {
			s.DeclaredAt = diag.Position{}
			act(s, plan.VerbDelete, "no longer in the description", plan.StepDelete)
		}
	}
	return out
}

func linkActions(before, after network.Network) (out []plan.Action) {
	at := func(n network.Network, name network.LinkName) int {
		return slices.IndexFunc(n.Links, func(l network.Link) bool { return l.Name == name })
	}
	act := func(l network.Link, verb plan.Verb, d plan.Disruption, why string, fields []plan.Field, steps ...plan.Step) {
		out = append(out, plan.Action{
			ID: "link/" + string(l.Name), Kind: plan.KindLink, Verb: verb, Cause: plan.CausePending, Cluster: "shops", Namespace: string(l.From),
			Name: string(l.Name), DeclaredAt: l.DeclaredAt, Disruption: d, Why: why, Fields: fields, Steps: steps,
			Link: &plan.LinkWork{From: plan.End{Site: l.From}, To: plan.End{Site: l.To}, Cost: l.Cost},
		})
	}
	for _, l := range after.Links {
		i := at(before, l.Name)
		switch {
		case i < 0:
			act(l, plan.VerbCreate, plan.DisruptionNone, "declared and not on the cluster", []plan.Field{{Path: "cost", To: l.Cost}}, plan.StepGrant, plan.StepRedeem, plan.StepOperational)
		case before.Links[i].Cost != l.Cost:
			act(l, plan.VerbUpdate, plan.DisruptionReconnect, "cost changes", []plan.Field{{Path: "cost", From: before.Links[i].Cost, To: l.Cost}}, plan.StepLink)
		}
	}
	for _, l := range before.Links {
		if at(after, l.Name) < 0 {
			l.DeclaredAt = diag.Position{}
			act(l, plan.VerbDelete, plan.DisruptionReconnect, "no longer in the description", nil, plan.StepDelete)
		}
	}
	return out
}

// counted gives a plan its summary and ID.
func counted(p plan.Plan) plan.Plan {
	return plan.Keep(p, func(plan.Action) bool { return true })
}

// closing takes the hub and what is linked to it away, makes a path dearer and adds a link.
func closing() (before, after network.Network) {
	before, after = chain(3), chain(3)
	after.Sites = after.Sites[1:]
	after.Links = slices.DeleteFunc(after.Links, func(l network.Link) bool { return l.To == "hub" || l.Name == "depot-shop1" })
	after.Links[0].Cost = 7
	after.Links = append(after.Links, network.Link{Name: "shop3-shop2", From: "shop3", To: "shop2", Cost: 2, DeclaredAt: lineAt(300)})
	return before, after
}

// planned is a plan with all that one can have: a base, refusals, drift, warnings.
func planned() report.Report {
	before, after := closing()
	p := between(before, after)
	p.Actions = append(p.Actions, driftAction())
	p.Refusals = []plan.Refusal{
		{Code: safety.Partition, Subject: `network "retail"`, Message: "4 pairs of sites would be cut off: depot loses its last path to backup, shop1, shop2 and 1 more", Number: 4},
		{Code: "protected", Subject: `site "hub"`, Message: "is protected", Override: "put it back with protect: false, apply, and then remove it"},
	}
	p.Diagnostics = diag.List{{Severity: diag.Warning, Code: "certificate-expiry", Subject: `link "shop1-backup"`, Message: "its certificate ends at 2027-01-02T00:00:00Z", Fix: "raise its rotation to re-key it", At: lineAt(200)}}
	p.Unmanaged = []plan.ObjectRef{{Cluster: "shops", Kind: plan.ObjectLink, Namespace: "shop1", Name: "by-hand"}}
	p.Actions[len(p.Actions)-1].DependsOn = []string{"link/shop3-shop2"}
	p = counted(p)
	p.Base = &plan.Base{Source: plan.Source{Commit: "fedcba9876543210fedcba9876543210fedcba98", Ref: "main"}, Origins: map[string]plan.Origin{}, Spared: []plan.Spared{
		{ID: "link/shop9-hub", Verb: plan.VerbCreate, Why: "declared and not on the cluster"}}}
	for _, a := range p.Actions {
		p.Base.Origins[a.ID] = plan.OriginChange
	}
	p.Base.Origins["link/shop2-backup"] = plan.OriginAnyway
	return report.Report{Plan: &p, Before: &before, After: &after, Run: "https://forge.example/retail/runs/7"}
}

// driftAction is a link whose cost somebody changed.
func driftAction() plan.Action {
	return plan.Action{
		ID: "link/shop2-backup", Kind: plan.KindLink, Verb: plan.VerbUpdate, Cause: plan.CauseDrift, Cluster: "shops", Namespace: "shop2", Name: "shop2-backup",
		DeclaredAt: lineAt(201), Disruption: plan.DisruptionReconnect, Why: "cost was changed on the cluster", Steps: []plan.Step{plan.StepLink},
		Fields: []plan.Field{{Path: "cost", From: int32(5), To: int32(99999), Cause: plan.CauseDrift}},
		Link:   &plan.LinkWork{From: plan.End{Site: "shop2"}, To: plan.End{Site: "backup"}, Cost: 99999},
	}
}

// hubless takes the hub of fifty shops away, makes the way of one to the backup cheap and
// gives another a second link.
func hubless() report.Report {
	before := chain(50)
	before.Sites = slices.DeleteFunc(before.Sites, func(s network.Site) bool { return s.Name == "depot" })
	before.Links = slices.DeleteFunc(before.Links, func(l network.Link) bool { return l.From == "depot" })
	after := network.Network{Name: before.Name, Sites: slices.Clone(before.Sites)[1:]}
	after.Links = slices.DeleteFunc(slices.Clone(before.Links), func(l network.Link) bool { return l.To == "hub" })
	after.Links[4].Cost = 7
	after.Links = append(after.Links, network.Link{Name: "shop9-shop5", From: "shop9", To: "shop5", Cost: 3, DeclaredAt: lineAt(300)})
	p := between(before, after)
	return report.Report{Plan: &p, Before: &before, After: &after}
}

// alone compares two revisions.
func alone() report.Report {
	before, after := closing()
	p := between(before, after)
	p.Clusters = nil
	p.Base = &plan.Base{Source: plan.Source{Commit: "fedcba9876543210fedcba9876543210fedcba98", Ref: "main"}, Alone: true, Origins: map[string]plan.Origin{}}
	for _, a := range p.Actions {
		p.Base.Origins[a.ID] = plan.OriginChange
	}
	return report.Report{Plan: &p, Before: &before, After: &after}
}

// unread is a plan for which one cluster did not answer.
func unread() report.Report {
	n := chain(2)
	dearer := chain(2)
	dearer.Links[0].Cost = 3
	p := between(n, dearer)
	p.Topology = plan.Topology{After: shapeOf(dearer)}
	p.Clusters[0] = plan.Cluster{Name: "hubs", State: plan.StateUnreachable, Reason: "dial tcp 10.0.0.1:6443: connect: connection refused"}
	p.Summary.Unknown = 2
	p = counted(p)
	return report.Report{Plan: &p, After: &dearer}
}

// drifted is drift with every kind of fact.
func drifted() report.Report {
	n := chain(2)
	p := between(n, n)
	gone := siteActions(network.Network{}, network.Network{Sites: n.Sites[2:3]})[0]
	gone.Cause, gone.Why = plan.CauseDrift, "was applied before and is gone from the cluster"
	p.Actions = []plan.Action{gone, driftAction()}
	p.Actions[1].Link.Remove = []plan.ObjectRef{{Cluster: "hubs", Kind: plan.ObjectGrant, Namespace: "retail-backup", Name: "shop2-backup-1"}}
	p.Topology = plan.Topology{Basis: plan.BasisApplied, Effects: []plan.Effect{
		{Severity: "high", Code: topology.ConnectionLost, Message: "shop2 loses its last path to hub and shop1", Sites: []network.SiteName{"shop2"}},
		{Severity: "medium", Code: topology.LinksRemoved, Message: "1 link is down or gone: shop2-hub", Links: []network.LinkName{"shop2-hub"}},
	}}
	p.Live = []plan.Live{
		{Severity: diag.Warning, Code: "cost-differs", Subject: "link/shop1-hub", Cluster: "shops", Namespace: "shop1", Message: "the routers use cost 4", Fix: "touch the Link", At: lineAt(100)},
		{Severity: diag.Error, Code: "link-down", Subject: "link/shop2-hub", Cluster: "shops", Namespace: "shop2", Message: "the routers report it down", Fix: "look at the listening site", At: lineAt(101)},
	}
	p.Ignored = []plan.Ignored{{Action: "site/hub", Field: "settings.router-data-connection-count", Rule: "sites.hub.settings.*", Reason: "debugging, until the end of the month"}}
	p.Behind = linkActions(network.Network{}, network.Network{Links: n.Links[:1]})
	p.Unmanaged = []plan.ObjectRef{{Cluster: "shops", Kind: plan.ObjectLink, Namespace: "shop1", Name: "by-hand"}}
	p = counted(p)
	return report.Report{Drift: &p, Before: &n, After: &n}
}

// made is what the planner says of a network that nobody applied yet.
func made() report.Report {
	n := chain(2)
	empty := network.Network{Name: n.Name}
	view := func(name network.ClusterName) world.ClusterView {
		return world.ClusterView{Name: name, UID: "uid-" + string(name), State: plan.StateOK, Namespaces: []string{"kube-system"}}
	}
	p := planner.Make(planner.Input{
		Desired: desired.Build(n), Observation: world.Observation{Clusters: []world.ClusterView{view("hubs"), view("shops")}},
		Source: plan.Source{Commit: "0123456789abcdef0123456789abcdef01234567", Dirty: true}, Shape: true,
	})
	return report.Report{Plan: &p, Before: &empty, After: &n}
}

// settled is a plan with nothing to do.
func settled() report.Report {
	n := chain(2)
	p := between(n, n)
	return report.Report{Plan: &p, Before: &n, After: &n}
}

// cases are the reports that are kept as golden files.
var cases = map[string]func() report.Report{
	"plan": planned, "hubless": hubless, "diff": alone, "unread": unread, "drift": drifted, "create": made, "nothing": settled,
	"no-drift": func() report.Report { r := settled(); return report.Report{Drift: r.Plan} },
}
