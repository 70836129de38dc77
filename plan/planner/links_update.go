package planner

import (
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
)

// updateLink compares cost, labels and leftovers.
func (m linkPlanner) updateLink(c linkCase) (_ plan.Action, needed bool) {
	a := c.action
	a.Verb = plan.VerbUpdate
	relabel := false
	a.Fields, a.Link.KeepCost = m.costFields(c, a)
	keepEndpoints := m.leaveEndpoints(c, a)
	for _, v := range c.current {
		a.Link.Live = append(a.Link.Live, liveLink(v))
		if f, moved := c.addressField(v); moved && !a.Link.Reconnect && !keepEndpoints {
			a.Fields, a.Link.Reconnect = append(a.Fields, f), true
		}
		s, there := m.world.Secrets[c.At][v.TLSCredentials]
		relabel = relabel || !v.Owned(m.network()) || v.Labels[plan.LabelLink] == "" || there && !s.Owned(m.network()) && m.remains.ownSecret(c, v, s)
	}
	a.Link.Attempt, a.Link.Adopted = c.Recorded.Attempt, c.Recorded.Adopted
	edits := len(a.Fields) > 0
	a.Link.Remove = m.remains.stale(c)
	m.eachRouter(c, &a)
	a.Steps = c.updateSteps(a, edits || relabel || m.unnotedCost(c, a))
	a.Cause, a.Why = c.whyUpdate(a, relabel)
	if edits {
		a.Disruption = plan.DisruptionReconnect
	}
	return a, len(a.Steps) > 0
}

// costFields compares the costs of a link's Links, of which the first that is not as
// described tells. It is left alone where a rule covers it and git did not move since all
// of them were written.
func (m linkPlanner) costFields(c linkCase, a plan.Action) (fields []plan.Field, keep bool) {
	unwritten := func(v world.LinkView) bool { return v.Noted.Cost != c.Cost }
	keep = c.Recorded.Cost == c.Cost && m.Rule(a, "cost") != nil && !slices.ContainsFunc(c.current, unwritten)
	for _, v := range c.current {
		if fields = nil; !m.alteredCost(c, v) {
			fields = costField(c.DesiredLink, &c.Recorded, v)
		}
		if len(fields) > 0 && keep {
			m.Ignore(a, fields[0])
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
func (m linkPlanner) unnotedCost(c linkCase, a plan.Action) bool {
	return c.Recorded.Cost != c.Cost && m.Rule(a, "cost") != nil &&
		slices.ContainsFunc(c.current, func(v world.LinkView) bool { return v.Noted.Cost != c.Cost })
}

// leaveEndpoints reports whether a link's Links stay where they lead to, and notes that:
// a rule covers it, and their site still listens where it did when they were written, so
// that it was a Link that somebody changed. Where the site went elsewhere they follow it.
func (m linkPlanner) leaveEndpoints(c linkCase, a plan.Action) bool {
	var left []plan.Field
	for _, v := range c.current {
		f, moved := c.addressField(v)
		if moved && (m.Rule(a, f.Path) == nil || v.Noted.Endpoints != f.To) {
			return false
		}
		if moved {
			left = append(left, f)
		}
	}
	if len(left) > 0 {
		m.Ignore(a, left[0])
	}
	return true
}

// updateSteps are the steps of an update: adding Links for routers comes first,
// removing last. takeOver asks for a write of the Links that stay.
func (c linkCase) updateSteps(a plan.Action, takeOver bool) (steps []plan.Step) {
	routers := a.Link.Routers > 0
	if routers || c.unrecorded(a.Link.To) {
		steps = append(steps, plan.StepRecord)
	}
	if takeOver {
		steps = append(steps, plan.StepTakeOver, plan.StepConfigured)
	}
	if a.Link.Routers > len(a.Link.Live) {
		steps = append(steps, plan.StepAdd)
	}
	if removesLinks(a) {
		steps = append(steps, plan.StepOperational)
	}
	if len(a.Link.Remove) > 0 {
		steps = append(steps, plan.StepClean)
	}
	if routers || c.back || !sameNames(c.Recorded.Objects, c.current) {
		steps = append(steps, plan.StepConfirm)
	}
	return steps
}

// unrecorded reports whether the inventory has not what is wanted of the link.
func (c linkCase) unrecorded(to plan.End) bool {
	r := c.Recorded
	begun := r.Intent != nil && r.Intent.State == record.LinkApplied && r.Intent.Refused == ""
	return begun || r.Cost != c.Cost || r.To != c.To || r.Rotation != c.Rotation ||
		r.ToUID != to.UID || r.ToCluster != to.Cluster || r.ToNamespace != to.Namespace
}

func removesLinks(a plan.Action) bool {
	return slices.ContainsFunc(a.Link.Remove, func(r plan.ObjectRef) bool { return r.Kind == plan.ObjectLink })
}

func sameNames(recorded []string, links []world.LinkView) bool {
	var names []string
	for _, v := range links {
		names = append(names, v.Name)
	}
	slices.Sort(names)
	return slices.Equal(names, recorded)
}

func (c linkCase) whyUpdate(a plan.Action, relabel bool) (plan.Cause, string) {
	switch in := c.Recorded.Intent; {
	case a.Link.Routers > 0 && len(a.Fields) == 1:
		return a.Fields[0].Cause, whyRouters(a)
	case len(a.Fields) > 0 && in != nil && in.Refused != "" && in.Cost == c.Cost:
		return field.MergeCauses(a.Fields, plan.CausePending), changed(a.Fields) + record.RefusedBefore(in.Refused)
	case len(a.Fields) > 0:
		return field.MergeCauses(a.Fields, plan.CausePending), changed(a.Fields)
	case relabel:
		return plan.CauseDrift, "its labels were taken off"
	case c.back:
		return plan.CausePending, "what an earlier apply began is taken back"
	case len(a.Link.Remove) > 0:
		return plan.CauseDrift, "an earlier apply left something behind"
	}
	return plan.CausePending, "already as declared; the inventory catches up"
}

func costField(l plan.DesiredLink, recorded *record.Link, v world.LinkView) []plan.Field {
	live := max(v.Cost, 1) // Skupper counts a cost below 1 as 1
	if live == l.Cost {
		return nil
	}
	cause := plan.CausePending
	if recorded != nil {
		cause = field.CauseOf(l.Cost, recorded.Cost, live, true)
	}
	return []plan.Field{{Path: "cost", From: live, To: l.Cost, Cause: cause}}
}
