package planner

import (
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/ignore"
	"fairlead.dev/fairlead/plan/world"
)

// plan plans what the description's sites need.
func (m sitePlanner) plan() {
	for _, s := range m.in.Desired.Sites {
		if !m.world.Readable(s.Cluster) || m.waiting.removal[s.Place()] {
			m.unknown++
			continue
		}
		if inv := m.world.Inventories[s.Place()]; inv.Broken != "" {
			m.refuseBroken(s, inv)
			continue
		}
		m.site(s)
	}
}

func (m sitePlanner) site(s plan.DesiredSite) {
	at := s.Place()
	live, foreign := m.findSite(s)
	if live == nil && foreign != nil {
		m.foreignSite(s, *foreign)
		return
	}
	recorded := m.recordedSite(s)
	a := plan.Action{
		ID: siteID(s), Kind: plan.KindSite, Cluster: s.Cluster, Namespace: s.Namespace, Name: string(s.Name),
		DeclaredAt: s.DeclaredAt, Disruption: plan.DisruptionNone,
		Site: &plan.SiteWork{Object: s.Object, Fields: s.Fields, Protect: s.Protect, Listens: s.Listens},
	}
	if live == nil {
		m.add(m.createSite(a, at, recorded))
		return
	}
	a.Site.Keep = m.Kept(a, s.Fields, recorded, live.Fields, m.world.Inventories[at].Content.Intent)
	a.Site.Observed, a.Site.UID = ignore.Without(observedFields(s.Fields, recorded, live.Fields), a.Site.Keep), live.UID
	if a, needed := m.updateSite(a, s, recorded, *live); needed && !m.holdListening(a, *live) {
		m.add(a)
	}
}

// findSite returns the network's own Site for s, or a foreign Site in its place.
func (m sitePlanner) findSite(s plan.DesiredSite) (own, foreign *world.SiteView) {
	for _, v := range m.world.Sites[s.Place()] {
		switch {
		case v.Deleting:
		case v.Name == s.Object && (v.Owned(m.network()) || m.mayTake(s, v)):
			own = &v
		case v.Owned(m.network()): // under another name: prune deletes it
		default:
			foreign = &v
		}
	}
	return own, foreign
}

// mayTake reports whether an unlabelled Site of the wanted name counts as ours: its
// inventory says so, or we were asked to adopt. A saved plan does not take the word of an
// inventory that knows no UID: whoever made the Site meanwhile is not known.
func (m sitePlanner) mayTake(s plan.DesiredSite, v world.SiteView) bool {
	inv := m.world.Inventories[s.Place()].Content
	begun := inv.Site == s.Name && inv.Intent.Open()
	begun = begun && (inv.UID != "" || m.in.Approved == nil)
	ours := (m.recordedSite(s) != nil || begun) && (inv.UID == "" || inv.UID == v.UID)
	return v.Labels[plan.LabelManagedBy] != plan.ManagedBy && (m.mayAdopt(v.Meta) || ours)
}

func (m sitePlanner) foreignSite(s plan.DesiredSite, v world.SiteView) {
	r := plan.Refusal{Code: "foreign-site", Subject: fmt.Sprintf("site %q", s.Name)}
	where := fmt.Sprintf("namespace %s of cluster %s", s.Namespace, s.Cluster)
	switch owner := v.Labels[plan.LabelNetwork]; {
	case v.Labels[plan.LabelManagedBy] == plan.ManagedBy:
		r.Message = fmt.Sprintf("%s holds Site %q of network %q", where, v.Name, owner)
		r.Override = "use another namespace, or remove the site from that network first"
	case v.Name == s.Object:
		r.Message = fmt.Sprintf("%s holds a Site of that name that Fairlead did not make", where)
		r.Override = "take it over with: fairlead apply --adopt"
		r = m.foreign(r, v.Meta)
	default:
		r.Message = fmt.Sprintf("%s holds Site %q that Fairlead did not make, and a namespace has one active Site", where, v.Name)
		r.Override = fmt.Sprintf("name the site %q in the description and run: fairlead apply --adopt", v.Name)
	}
	m.refuse(r)
}

func (m sitePlanner) refuseBroken(s plan.DesiredSite, inv world.InventoryView) {
	m.refuse(plan.Refusal{
		Code: "broken-inventory", Subject: fmt.Sprintf("site %q", s.Name),
		Message:  fmt.Sprintf("%s cannot be read: %s", world.Ref(s.Cluster, plan.ObjectConfigMap, inv.Meta), inv.Broken),
		Override: "restore the ConfigMap, or delete it: what is live is then taken as it is",
	})
}

// recordedSite gives the fields last applied, nil when nothing is recorded.
func (m sitePlanner) recordedSite(s plan.DesiredSite) map[string]any {
	inv, ok := m.world.Inventories[s.Place()]
	if !ok || inv.Content.Site != s.Name {
		return nil
	}
	return inv.Content.Fields
}

func (m sitePlanner) createSite(a plan.Action, at plan.Place, recorded map[string]any) plan.Action {
	a.Verb, a.Cause, a.Why = plan.VerbCreate, plan.CausePending, plan.WhyNew
	if recorded != nil && !m.world.Cleared(at) {
		a.Cause, a.Why = plan.CauseDrift, "was applied before and is gone from the cluster"
	}
	if slices.Contains(m.world.Clusters[at.Cluster].Going, at.Namespace) {
		a.Why = "its namespace is being deleted with all that is in it" + whenGone
	}
	for _, v := range m.world.Sites[at] {
		if v.Name == a.Site.Object && v.Deleting {
			a.Why = v.Going() + whenGone
		}
	}
	a.Why += m.world.Inventories[at].Content.Intent.WhyNot(field.Equality, a.Site.Fields)
	a.Fields = field.DiffFields(a.Site.Fields, nil, nil)
	for i := range a.Fields {
		a.Fields[i].Cause = a.Cause
	}
	if !m.world.Clusters[at.Cluster].HasNamespace(at.Namespace) {
		a.Steps = append(a.Steps, plan.StepNamespace)
	}
	a.Steps = append(a.Steps, plan.StepRecord, plan.StepSite, plan.StepReady)
	return a
}

// updateSite compares a living Site; needed is false when nothing is to be done.
func (m sitePlanner) updateSite(a plan.Action, s plan.DesiredSite, recorded map[string]any, live world.SiteView) (_ plan.Action, needed bool) {
	a.Verb = plan.VerbUpdate
	view := m.world.Inventories[s.Place()]
	inv := view.Content
	want, applied := inv.AsStored(s.Fields, recorded), inv.AsStored(recorded, recorded)
	a.Fields = m.Leave(a, field.DiffFields(want, applied, live.Fields), a.Site.Keep)
	m.altered(fmt.Sprintf("site %q", s.Name), s.DeclaredAt, s.Cluster, inv.Answer.Of(recorded, s.Fields), s.Fields, live.Fields)
	edits := len(a.Fields) > 0
	a.Cause = field.MergeCauses(a.Fields, plan.CausePending)
	a.Disruption = siteDisruption(a.Fields)
	record := recorded == nil || view.Renamed != "" || !field.SameFields(s.Fields, recorded) || inv.Intent.Open() || view.Deleting ||
		m.world.Clusters[s.Cluster].Another(inv.ClusterUID)
	if view.Renamed != "" {
		a.Fields = append(a.Fields, plan.Field{Path: "name", From: string(view.Renamed), To: string(s.Name), Cause: plan.CausePending})
	}
	if recorded != nil && inv.Protect != s.Protect {
		record = true
		a.Fields = append(a.Fields, plan.Field{Path: "protect", From: inv.Protect, To: s.Protect, Cause: plan.CausePending})
	}
	if record {
		a.Steps = append(a.Steps, plan.StepRecord)
	}
	relabel := !live.Owned(m.network())
	adopted := relabel && recorded == nil
	if relabel || live.Protected != s.Protect || edits || live.Labels[plan.LabelSite] != string(s.Name) {
		a.Steps = append(a.Steps, plan.StepSite, plan.StepReady)
	}
	if access, ok := m.world.Accesses[s.Place()]; ok && !s.Listens {
		a.Site.Close = world.Ref(s.Cluster, plan.ObjectAccess, access.Meta)
		a.Steps = append(a.Steps, plan.StepClose) // once the controller has seen the Site: before, it makes it again
		a.Disruption = plan.Worse(a.Disruption, plan.DisruptionReconnect)
	}
	if a.Has(plan.StepSite) && (becomesEdge(s.Fields, live.Fields) || s.Fields["edge"] == true && a.Has(plan.StepClose)) {
		a.Steps = edgeSteps(a.Steps)
	}
	a.Why = m.whySite(adopted, a.Has(plan.StepClose), recorded, a.Fields)
	switch {
	case adopted:
		a.Verb = plan.VerbAdopt
	case relabel && len(a.Fields) == 0:
		a.Cause, a.Why = plan.CauseDrift, "its labels were taken off"
	case recorded == nil, a.Has(plan.StepClose) && len(a.Fields) == 0, view.Deleting && len(a.Fields) == 0:
		a.Cause = plan.CauseDrift
	}
	if view.Deleting {
		a.Why += "; its record " + view.Going() + whenGone
	}
	a.Why += inv.Intent.WhyNot(field.Equality, s.Fields)
	return a, len(a.Steps) > 0
}

// becomesEdge reports whether a Site that accepts links, or has two routers, is to
// be an edge site, which can do neither.
func becomesEdge(desired, live map[string]any) bool {
	return desired["edge"] == true && live["edge"] != true && (!plan.IsZero(live["linkAccess"]) || live["ha"] == true)
}

// edgeSteps take away first what an edge site cannot have.
func edgeSteps(steps []plan.Step) []plan.Step {
	out := []plan.Step{}
	for _, s := range steps {
		switch s {
		case plan.StepSite:
			out = append(out, plan.StepQuiet)
			if slices.Contains(steps, plan.StepClose) {
				out = append(out, plan.StepClose)
			}
			out = append(out, plan.StepSite)
		case plan.StepClose:
		default:
			out = append(out, s)
		}
	}
	return out
}

func (m sitePlanner) whySite(adopted, closing bool, recorded map[string]any, fields []plan.Field) string {
	switch {
	case adopted:
		return "taken over as it is, without being re-created"
	case recorded == nil:
		return "its inventory is missing and is written again"
	case len(fields) == 0 && closing:
		return "does not listen, but its RouterAccess is still there and links go on working"
	case len(fields) == 0:
		return "already as declared; the inventory catches up"
	}
	return changed(fields)
}

// changed says in words who moved.
func changed(fields []plan.Field) string {
	switch field.MergeCauses(fields, plan.CausePending) {
	case plan.CauseDrift:
		return "changed on the cluster since it was last applied"
	case plan.CauseBoth:
		return "changed in the description and on the cluster"
	}
	return "changed in the description"
}

// observedFields are the live values of every owned path.
func observedFields(desired, recorded, live map[string]any) map[string]any {
	out := map[string]any{}
	for _, f := range []map[string]any{desired, recorded} {
		for p := range f {
			if v, ok := live[p]; ok {
				out[p] = v
			}
		}
	}
	return out
}

func siteID(s plan.DesiredSite) string { return "site/" + string(s.Name) }

// siteDisruption gives the worst class among changed fields of a living Site.
// Link access that was on moves or closes endpoints; edge, issuer, account and settings
// restart the router.
func siteDisruption(fields []plan.Field) plan.Disruption {
	worst := plan.DisruptionNone
	for _, f := range fields {
		switch {
		case f.Path == "linkAccess" && !plan.IsZero(f.From):
			worst = plan.DisruptionReconnect
		case f.Path == "edge", f.Path == "serviceAccount", f.Path == "defaultIssuer",
			strings.HasPrefix(f.Path, "settings."):
			return plan.DisruptionRestart
		}
	}
	return worst
}
