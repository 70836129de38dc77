package plan

import "slices"

// updateLink compares cost, labels and leftovers.
func (m linkPlanner) updateLink(c linkCase) (_ Action, needed bool) {
	a := c.action
	a.Verb = VerbUpdate
	relabel := false
	a.Fields, a.Link.KeepCost = m.costFields(c, a)
	keepEndpoints := m.leaveEndpoints(c, a)
	for _, v := range c.current {
		a.Link.Live = append(a.Link.Live, liveLink(v))
		if f, moved := c.addressField(v); moved && !a.Link.Reconnect && !keepEndpoints {
			a.Fields, a.Link.Reconnect = append(a.Fields, f), true
		}
		s, there := m.index.secrets[c.at][v.TLSCredentials]
		relabel = relabel || !v.Owned(m.network()) || v.Labels[LabelLink] == "" || there && !s.Owned(m.network()) && m.remains.ownSecret(c, v, s)
	}
	a.Link.Attempt, a.Link.Adopted = c.recorded.Attempt, c.recorded.Adopted
	edits := len(a.Fields) > 0
	a.Link.Remove = m.remains.stale(c)
	m.eachRouter(c, &a)
	a.Steps = c.updateSteps(a, edits || relabel || m.unnotedCost(c, a))
	a.Cause, a.Why = c.whyUpdate(a, relabel)
	if edits {
		a.Disruption = DisruptionReconnect
	}
	return a, len(a.Steps) > 0
}

// costFields compares the costs of a link's Links, of which the first that is not as
// described tells. It is left alone where a rule covers it and git did not move since all
// of them were written.
func (m linkPlanner) costFields(c linkCase, a Action) (fields []Field, keep bool) {
	unwritten := func(v LinkView) bool { return v.Noted.Cost != c.Cost }
	keep = c.recorded.Cost == c.Cost && m.rule(a, "cost") != nil && !slices.ContainsFunc(c.current, unwritten)
	for _, v := range c.current {
		if fields = nil; !m.alteredCost(c, v) {
			fields = costField(c.DesiredLink, &c.recorded, v)
		}
		if len(fields) > 0 && keep {
			m.ignore(a, fields[0])
			return nil, true
		}
		if len(fields) > 0 {
			return fields, false
		}
	}
	return nil, keep
}

// unnotedCost reports whether Links that have the cost which git moved to still have to
// note it, for the rule that covers it: else it could not leave alone what they get later.
func (m linkPlanner) unnotedCost(c linkCase, a Action) bool {
	return c.recorded.Cost != c.Cost && m.rule(a, "cost") != nil &&
		slices.ContainsFunc(c.current, func(v LinkView) bool { return v.Noted.Cost != c.Cost })
}

// leaveEndpoints reports whether a link's Links stay where they lead to, and notes that:
// a rule covers it, and their site still listens where it did when they were written, so
// that it was a Link that somebody changed. Where the site went elsewhere they follow it.
func (m linkPlanner) leaveEndpoints(c linkCase, a Action) bool {
	var left []Field
	for _, v := range c.current {
		f, moved := c.addressField(v)
		if moved && (m.rule(a, f.Path) == nil || v.Noted.Endpoints != f.To) {
			return false
		}
		if moved {
			left = append(left, f)
		}
	}
	if len(left) > 0 {
		m.ignore(a, left[0])
	}
	return true
}

// updateSteps are the steps of an update: adding Links for routers comes first,
// removing last. takeOver asks for a write of the Links that stay.
func (c linkCase) updateSteps(a Action, takeOver bool) (steps []Step) {
	routers := a.Link.Routers > 0
	if routers || c.unrecorded(a.Link.To) {
		steps = append(steps, StepRecord)
	}
	if takeOver {
		steps = append(steps, StepTakeOver, StepConfigured)
	}
	if a.Link.Routers > len(a.Link.Live) {
		steps = append(steps, StepAdd)
	}
	if removesLinks(a) {
		steps = append(steps, StepOperational)
	}
	if len(a.Link.Remove) > 0 {
		steps = append(steps, StepClean)
	}
	if routers || c.back || !sameNames(c.recorded.Objects, c.current) {
		steps = append(steps, StepConfirm)
	}
	return steps
}

// unrecorded reports whether the inventory has not what is wanted of the link.
func (c linkCase) unrecorded(to End) bool {
	r := c.recorded
	begun := r.Intent != nil && r.Intent.State == LinkApplied && r.Intent.Refused == ""
	return begun || r.Cost != c.Cost || r.To != c.To || r.Rotation != c.Rotation ||
		r.ToUID != to.UID || r.ToCluster != to.Cluster || r.ToNamespace != to.Namespace
}

func removesLinks(a Action) bool {
	return slices.ContainsFunc(a.Link.Remove, func(r ObjectRef) bool { return r.Kind == ObjectLink })
}

func sameNames(recorded []string, links []LinkView) bool {
	var names []string
	for _, v := range links {
		names = append(names, v.Name)
	}
	slices.Sort(names)
	return slices.Equal(names, recorded)
}

func (c linkCase) whyUpdate(a Action, relabel bool) (Cause, string) {
	switch in := c.recorded.Intent; {
	case a.Link.Routers > 0 && len(a.Fields) == 1:
		return a.Fields[0].Cause, whyRouters(a)
	case len(a.Fields) > 0 && in != nil && in.Refused != "" && in.Cost == c.Cost:
		return mergeCauses(a.Fields, CausePending), changed(a.Fields) + refusedBefore(in.Refused)
	case len(a.Fields) > 0:
		return mergeCauses(a.Fields, CausePending), changed(a.Fields)
	case relabel:
		return CauseDrift, "its labels were taken off"
	case c.back:
		return CausePending, "what an earlier apply began is taken back"
	case len(a.Link.Remove) > 0:
		return CauseDrift, "an earlier apply left something behind"
	}
	return CausePending, "already as declared; the inventory catches up"
}

func costField(l DesiredLink, recorded *InventoryLink, v LinkView) []Field {
	live := max(v.Cost, 1) // Skupper counts a cost below 1 as 1
	if live == l.Cost {
		return nil
	}
	cause := CausePending
	if recorded != nil {
		cause = causeOf(l.Cost, recorded.Cost, live, true)
	}
	return []Field{{Path: "cost", From: live, To: l.Cost, Cause: cause}}
}
