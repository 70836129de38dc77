package plan

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// foreignLinkOf adopts the Link or pair of Links that has the link's name, or refuses.
func (m linkPlanner) foreignLinkOf(c linkCase, foreign []LinkView) {
	c.own, c.current = foreign, foreign
	first := ref(c.at.cluster, ObjectLink, foreign[0].Meta)
	switch {
	case !m.mayAdopt(metas(foreign)...) || foreign[0].Labels[LabelManagedBy] == ManagedBy:
		m.refuseLink(c, foreign[0])
	case c.elsewhere():
		m.refuse(Refusal{
			Code: "foreign-link", Subject: fmt.Sprintf("link %q", c.Name),
			Message:  fmt.Sprintf("%s does not lead to site %q and cannot be adopted as this link", first, c.To),
			Override: "give the link another name",
		})
	case c.otherProxy() != "":
		m.refuse(Refusal{
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
func (m linkPlanner) foreignLinks(c linkCase) []LinkView {
	named := map[string]LinkView{}
	for _, v := range m.index.liveLinks[c.at] {
		if !v.Deleting && !m.index.isOwn(c.recordedLink, v) {
			named[v.Name] = v
		}
	}
	names := network.LinkObjectNames(c.Object)
	if v, ok := named[names[0]]; ok {
		return []LinkView{v}
	}
	first, one := named[names[1]]
	second, two := named[names[2]]
	if one && two && first.TLSCredentials == second.TLSCredentials {
		return []LinkView{first, second}
	}
	return nil
}

func (m linkPlanner) refuseLink(c linkCase, v LinkView) {
	r := Refusal{
		Code: "foreign-link", Subject: fmt.Sprintf("link %q", c.Name),
		Message:  fmt.Sprintf("%s is there and Fairlead did not make it", ref(c.at.cluster, ObjectLink, v.Meta)),
		Override: "take it over with: fairlead apply --adopt",
	}
	if v.Labels[LabelManagedBy] != ManagedBy {
		r = m.foreign(r, v.Meta)
	} else {
		r.Message = fmt.Sprintf("%s belongs to link %q of network %q",
			ref(c.at.cluster, ObjectLink, v.Meta), v.Labels[LabelLink], v.Labels[LabelNetwork])
		r.Override = "give the link another name"
	}
	m.refuse(r)
}

// adopt takes Links over as they are: labels, and the cost where it differs.
func (m linkPlanner) adopt(c linkCase, links []LinkView) Action {
	a := c.action
	a.Verb, a.Why = VerbAdopt, "taken over as it is, without being re-created"
	a.Link.Attempt, a.Link.Adopted = max(c.recorded.Attempt, 1), true
	for _, v := range links {
		live := liveLink(v)
		live.SecretUID = m.index.secrets[c.at][v.TLSCredentials].UID
		a.Link.Live = append(a.Link.Live, live)
		if len(a.Fields) == 0 {
			a.Fields = costField(c.DesiredLink, nil, v)
		}
	}
	if len(a.Fields) > 0 {
		a.Disruption = DisruptionReconnect
	}
	a.Steps = []Step{StepRecord, StepTakeOver, StepConfigured, StepClean, StepConfirm}
	a.Link.Remove = m.remains.leftovers(c, nil)
	return a
}

func metas(links []LinkView) (out []Meta) {
	for _, v := range links {
		out = append(out, v.Meta)
	}
	return out
}

func liveLinks(views []LinkView) (out []LiveLink) {
	for _, v := range views {
		out = append(out, liveLink(v))
	}
	return out
}

func liveLink(v LinkView) LiveLink {
	return LiveLink{Name: v.Name, UID: v.UID, Cost: v.Cost, Secret: v.TLSCredentials}
}

// mayAdopt reports whether objects that others made may be taken over: all of them where
// that was asked for, and of a saved plan only those that it adopts, by their UIDs.
func (m *maker) mayAdopt(objects ...Meta) bool {
	if m.in.Approved == nil {
		return m.in.Adopt
	}
	return !slices.ContainsFunc(objects, func(o Meta) bool { return o.UID == "" || !m.named[o.UID] })
}

// mayTakeOver is mayAdopt of one object.
func (m *maker) mayTakeOver(o Meta) bool { return m.mayAdopt(o) }

// adopting reports whether anything may be taken over at all.
func (m *maker) adopting() bool {
	if m.in.Approved == nil {
		return m.in.Adopt
	}
	return len(m.named) > 0
}

// strangers are Links that the record of a link names and that are not its own: they have
// lost all marks of ours, or others were made in their place. They may be taken over.
func (m linkPlanner) strangers(c linkCase) (out []LinkView) {
	for _, v := range m.index.liveLinks[c.at] {
		if c.known && c.names(v) && !v.Deleting && !m.index.isOwn(c.recordedLink, v) {
			out = append(out, v)
		}
	}
	return out
}

// foreign completes the refusal of an object that others made: how it may be taken over.
func (m *maker) foreign(r Refusal, o Meta) Refusal {
	if m.in.Approved != nil {
		r.Message += ", and the saved plan does not take over this one (UID " + o.UID + ")"
		r.Override = "plan again with --adopt, and review what that takes over"
	}
	return r
}
