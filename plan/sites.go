package plan

import (
	"fmt"
	"slices"
	"strings"
)

// plan plans what the description's sites need.
func (m sitePlanner) plan() {
	for _, s := range m.in.Desired.Sites {
		if !m.index.readable(s.Cluster) || m.waiting.removal[s.place()] {
			m.unknown++
			continue
		}
		if inv := m.index.inventories[s.place()]; inv.Broken != "" {
			m.refuseBroken(s, inv)
			continue
		}
		m.site(s)
	}
}

func (m sitePlanner) site(s DesiredSite) {
	at := s.place()
	live, foreign := m.findSite(s)
	if live == nil && foreign != nil {
		m.foreignSite(s, *foreign)
		return
	}
	recorded := m.recordedSite(s)
	a := Action{
		ID: siteID(s), Kind: KindSite, Cluster: s.Cluster, Namespace: s.Namespace, Name: string(s.Name),
		DeclaredAt: s.DeclaredAt, Disruption: DisruptionNone,
		Site: &SiteWork{Object: s.Object, Fields: s.Fields, Protect: s.Protect, Listens: s.Listens},
	}
	if live == nil {
		m.add(m.createSite(a, at, recorded))
		return
	}
	a.Site.Keep = m.kept(a, s.Fields, recorded, live.Fields, m.index.inventories[at].Content.Intent)
	a.Site.Observed, a.Site.UID = without(observedFields(s.Fields, recorded, live.Fields), a.Site.Keep), live.UID
	if a, needed := m.updateSite(a, s, recorded, *live); needed && !m.holdListening(a, *live) {
		m.add(a)
	}
}

// findSite returns the network's own Site for s, or a foreign Site in its place.
func (m sitePlanner) findSite(s DesiredSite) (own, foreign *SiteView) {
	for _, v := range m.index.sites[s.place()] {
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
func (m sitePlanner) mayTake(s DesiredSite, v SiteView) bool {
	inv := m.index.inventories[s.place()].Content
	begun := inv.Site == s.Name && inv.Intent.Open()
	begun = begun && (inv.UID != "" || m.in.Approved == nil)
	ours := (m.recordedSite(s) != nil || begun) && (inv.UID == "" || inv.UID == v.UID)
	return v.Labels[LabelManagedBy] != ManagedBy && (m.mayAdopt(v.Meta) || ours)
}

func (m sitePlanner) foreignSite(s DesiredSite, v SiteView) {
	r := Refusal{Code: "foreign-site", Subject: fmt.Sprintf("site %q", s.Name)}
	where := fmt.Sprintf("namespace %s of cluster %s", s.Namespace, s.Cluster)
	switch owner := v.Labels[LabelNetwork]; {
	case v.Labels[LabelManagedBy] == ManagedBy:
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

func (m sitePlanner) refuseBroken(s DesiredSite, inv InventoryView) {
	m.refuse(Refusal{
		Code: "broken-inventory", Subject: fmt.Sprintf("site %q", s.Name),
		Message:  fmt.Sprintf("%s cannot be read: %s", ref(s.Cluster, ObjectConfigMap, inv.Meta), inv.Broken),
		Override: "restore the ConfigMap, or delete it: what is live is then taken as it is",
	})
}

// recordedSite gives the fields last applied, nil when nothing is recorded.
func (m sitePlanner) recordedSite(s DesiredSite) map[string]any {
	inv, ok := m.index.inventories[s.place()]
	if !ok || inv.Content.Site != s.Name {
		return nil
	}
	return inv.Content.Fields
}

func (m sitePlanner) createSite(a Action, at place, recorded map[string]any) Action {
	a.Verb, a.Cause, a.Why = VerbCreate, CausePending, whyNew
	if recorded != nil && !m.index.cleared(at) {
		a.Cause, a.Why = CauseDrift, "was applied before and is gone from the cluster"
	}
	if slices.Contains(m.index.clusters[at.cluster].Going, at.namespace) {
		a.Why = "its namespace is being deleted with all that is in it" + whenGone
	}
	for _, v := range m.index.sites[at] {
		if v.Name == a.Site.Object && v.Deleting {
			a.Why = v.going() + whenGone
		}
	}
	a.Why += m.index.inventories[at].Content.Intent.whyNot(equality, a.Site.Fields)
	a.Fields = diffFields(a.Site.Fields, nil, nil)
	for i := range a.Fields {
		a.Fields[i].Cause = a.Cause
	}
	if !m.index.clusters[at.cluster].HasNamespace(at.namespace) {
		a.Steps = append(a.Steps, StepNamespace)
	}
	a.Steps = append(a.Steps, StepRecord, StepSite, StepReady)
	return a
}

// updateSite compares a living Site; needed is false when nothing is to be done.
func (m sitePlanner) updateSite(a Action, s DesiredSite, recorded map[string]any, live SiteView) (_ Action, needed bool) {
	a.Verb = VerbUpdate
	view := m.index.inventories[s.place()]
	inv := view.Content
	want, applied := inv.asStored(s.Fields, recorded), inv.asStored(recorded, recorded)
	a.Fields = m.leave(a, diffFields(want, applied, live.Fields), a.Site.Keep)
	m.altered(fmt.Sprintf("site %q", s.Name), s.DeclaredAt, s.Cluster, inv.Answer.of(recorded, s.Fields), s.Fields, live.Fields)
	edits := len(a.Fields) > 0
	a.Cause = mergeCauses(a.Fields, CausePending)
	a.Disruption = siteDisruption(a.Fields)
	record := recorded == nil || view.Renamed != "" || !sameFields(s.Fields, recorded) || inv.Intent.Open() || view.Deleting ||
		m.index.clusters[s.Cluster].another(inv.ClusterUID)
	if view.Renamed != "" {
		a.Fields = append(a.Fields, Field{Path: "name", From: string(view.Renamed), To: string(s.Name), Cause: CausePending})
	}
	if recorded != nil && inv.Protect != s.Protect {
		record = true
		a.Fields = append(a.Fields, Field{Path: "protect", From: inv.Protect, To: s.Protect, Cause: CausePending})
	}
	if record {
		a.Steps = append(a.Steps, StepRecord)
	}
	relabel := !live.Owned(m.network())
	adopted := relabel && recorded == nil
	if relabel || live.Protected != s.Protect || edits || live.Labels[LabelSite] != string(s.Name) {
		a.Steps = append(a.Steps, StepSite, StepReady)
	}
	if access, ok := m.index.accesses[s.place()]; ok && !s.Listens {
		a.Site.Close = ref(s.Cluster, ObjectAccess, access.Meta)
		a.Steps = append(a.Steps, StepClose) // once the controller has seen the Site: before, it makes it again
		a.Disruption = worse(a.Disruption, DisruptionReconnect)
	}
	if a.Has(StepSite) && (becomesEdge(s.Fields, live.Fields) || s.Fields["edge"] == true && a.Has(StepClose)) {
		a.Steps = edgeSteps(a.Steps)
	}
	a.Why = m.whySite(adopted, a.Has(StepClose), recorded, a.Fields)
	switch {
	case adopted:
		a.Verb = VerbAdopt
	case relabel && len(a.Fields) == 0:
		a.Cause, a.Why = CauseDrift, "its labels were taken off"
	case recorded == nil, a.Has(StepClose) && len(a.Fields) == 0, view.Deleting && len(a.Fields) == 0:
		a.Cause = CauseDrift
	}
	if view.Deleting {
		a.Why += "; its record " + view.going() + whenGone
	}
	a.Why += inv.Intent.whyNot(equality, s.Fields)
	return a, len(a.Steps) > 0
}

// becomesEdge reports whether a Site that accepts links, or has two routers, is to
// be an edge site, which can do neither.
func becomesEdge(desired, live map[string]any) bool {
	return desired["edge"] == true && live["edge"] != true && (!isZero(live["linkAccess"]) || live["ha"] == true)
}

// edgeSteps take away first what an edge site cannot have.
func edgeSteps(steps []Step) []Step {
	out := []Step{}
	for _, s := range steps {
		switch s {
		case StepSite:
			out = append(out, StepQuiet)
			if slices.Contains(steps, StepClose) {
				out = append(out, StepClose)
			}
			out = append(out, StepSite)
		case StepClose:
		default:
			out = append(out, s)
		}
	}
	return out
}

func (m sitePlanner) whySite(adopted, closing bool, recorded map[string]any, fields []Field) string {
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
func changed(fields []Field) string {
	switch mergeCauses(fields, CausePending) {
	case CauseDrift:
		return "changed on the cluster since it was last applied"
	case CauseBoth:
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

func siteID(s DesiredSite) string { return "site/" + string(s.Name) }

// siteDisruption gives the worst class among changed fields of a living Site.
// Link access that was on moves or closes endpoints; edge, issuer, account and settings
// restart the router.
func siteDisruption(fields []Field) Disruption {
	worst := DisruptionNone
	for _, f := range fields {
		switch {
		case f.Path == "linkAccess" && !isZero(f.From):
			worst = DisruptionReconnect
		case f.Path == "edge", f.Path == "serviceAccount", f.Path == "defaultIssuer",
			strings.HasPrefix(f.Path, "settings."):
			return DisruptionRestart
		}
	}
	return worst
}
