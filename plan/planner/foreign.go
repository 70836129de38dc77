package planner

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// foreignLinkOf adopts the Link or pair of Links that has the link's name, or refuses.
func (m linkPlanner) foreignLinkOf(c linkCase, foreign []world.LinkView) {
	c.own, c.current = foreign, foreign
	first := world.Ref(c.At.Cluster, plan.ObjectLink, foreign[0].Meta)
	switch {
	case !m.mayAdopt(metas(foreign)...) || foreign[0].Labels[plan.LabelManagedBy] == plan.ManagedBy:
		m.refuseLink(c, foreign[0])
	case c.elsewhere():
		m.refuse(plan.Refusal{
			Code: "foreign-link", Subject: fmt.Sprintf("link %q", c.Name),
			Message:  fmt.Sprintf("%s does not lead to site %q and cannot be adopted as this link", first, c.To),
			Override: "give the link another name",
		})
	case c.otherProxy() != "":
		m.refuse(plan.Refusal{
			Code: "foreign-link", Subject: fmt.Sprintf("link %q", c.Name),
			Message:  fmt.Sprintf("%s does not go through the proxy that is described and cannot be adopted as it is", first),
			Override: "describe the proxy with the settings that its Secret has",
		})
	default:
		if a := m.adopt(c, foreign); m.editable(c, a.Fields) {
			m.add(a)
		}
	}
}

// foreignLinks are the Link that could be adopted as the link, or the pair that an
// HA site gives: they bear its object name and are not ours.
func (m linkPlanner) foreignLinks(c linkCase) []world.LinkView {
	named := map[string]world.LinkView{}
	for _, v := range m.world.LiveLinks[c.At] {
		if !v.Deleting && !m.world.IsOwn(c.RecordedLink, v) {
			named[v.Name] = v
		}
	}
	names := network.LinkObjectNames(c.Object)
	if v, ok := named[names[0]]; ok {
		return []world.LinkView{v}
	}
	first, one := named[names[1]]
	second, two := named[names[2]]
	if one && two && first.TLSCredentials == second.TLSCredentials {
		return []world.LinkView{first, second}
	}
	return nil
}

func (m linkPlanner) refuseLink(c linkCase, v world.LinkView) {
	r := plan.Refusal{
		Code: "foreign-link", Subject: fmt.Sprintf("link %q", c.Name),
		Message:  fmt.Sprintf("%s is there and Fairlead did not make it", world.Ref(c.At.Cluster, plan.ObjectLink, v.Meta)),
		Override: "take it over with: fairlead apply --adopt",
	}
	if v.Labels[plan.LabelManagedBy] != plan.ManagedBy {
		r = m.foreign(r, v.Meta)
	} else {
		r.Message = fmt.Sprintf("%s belongs to link %q of network %q",
			world.Ref(c.At.Cluster, plan.ObjectLink, v.Meta), v.Labels[plan.LabelLink], v.Labels[plan.LabelNetwork])
		r.Override = "give the link another name"
	}
	m.refuse(r)
}

// adopt takes Links over as they are: labels, and the cost where it differs.
func (m linkPlanner) adopt(c linkCase, links []world.LinkView) plan.Action {
	a := c.action
	a.Verb, a.Why = plan.VerbAdopt, "taken over as it is, without being re-created"
	a.Link.Attempt, a.Link.Adopted = max(c.Recorded.Attempt, 1), true
	for _, v := range links {
		live := liveLink(v)
		live.SecretUID = m.world.Secrets[c.At][v.TLSCredentials].UID
		a.Link.Live = append(a.Link.Live, live)
		if len(a.Fields) == 0 {
			a.Fields = costField(c.DesiredLink, nil, v)
		}
	}
	if len(a.Fields) > 0 {
		a.Disruption = plan.DisruptionReconnect
	}
	a.Steps = []plan.Step{plan.StepRecord, plan.StepTakeOver, plan.StepConfigured, plan.StepClean, plan.StepConfirm}
	a.Link.Remove = m.remains.leftovers(c, nil)
	return a
}

func metas(links []world.LinkView) (out []world.Meta) {
	for _, v := range links {
		out = append(out, v.Meta)
	}
	return out
}

func liveLinks(views []world.LinkView) (out []plan.LiveLink) {
	for _, v := range views {
		out = append(out, liveLink(v))
	}
	return out
}

func liveLink(v world.LinkView) plan.LiveLink {
	return plan.LiveLink{Name: v.Name, UID: v.UID, Cost: v.Cost, Secret: v.TLSCredentials}
}

// mayAdopt reports whether objects that others made may be taken over: all of them where
// that was asked for, and of a saved plan only those that it adopts, by their UIDs.
func (m *maker) mayAdopt(objects ...world.Meta) bool {
	if m.in.Approved == nil {
		return m.in.Adopt
	}
	return !slices.ContainsFunc(objects, func(o world.Meta) bool { return o.UID == "" || !m.named[o.UID] })
}

// mayTakeOver is mayAdopt of one object.
func (m *maker) mayTakeOver(o world.Meta) bool { return m.mayAdopt(o) }

// adopting reports whether anything may be taken over at all.
func (m *maker) adopting() bool {
	if m.in.Approved == nil {
		return m.in.Adopt
	}
	return len(m.named) > 0
}

// strangers are Links that the record of a link names and that are not its own: they have
// lost all marks of ours, or others were made in their place. They may be taken over.
func (m linkPlanner) strangers(c linkCase) (out []world.LinkView) {
	for _, v := range m.world.LiveLinks[c.At] {
		if c.Known && c.Names(v) && !v.Deleting && !m.world.IsOwn(c.RecordedLink, v) {
			out = append(out, v)
		}
	}
	return out
}

// foreign completes the refusal of an object that others made: how it may be taken over.
func (m *maker) foreign(r plan.Refusal, o world.Meta) plan.Refusal {
	if m.in.Approved != nil {
		r.Message += ", and the saved plan does not take over this one (UID " + o.UID + ")"
		r.Override = "plan again with --adopt, and review what that takes over"
	}
	return r
}
