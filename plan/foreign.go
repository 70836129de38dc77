package plan

import "fmt"

// foreignLinkOf adopts a Link that has the link's name, or refuses.
func (m *maker) foreignLinkOf(c linkCase, v LinkView) {
	c.own = []LinkView{v}
	switch {
	case !m.in.Adopt || v.Labels[LabelManagedBy] == ManagedBy:
		m.refuseLink(c, v)
	case m.elsewhere(c):
		m.refuse(Refusal{
			Code: "foreign-link", Subject: fmt.Sprintf("link %q", c.Name),
			Message:  fmt.Sprintf("%s does not lead to site %q and cannot be adopted as this link", ref(c.at.cluster, ObjectLink, v.Meta), c.To),
			Override: "give the link another name",
		})
	default:
		m.add(m.adopt(c, v))
	}
}

func (m *maker) foreignLink(c linkCase) (LinkView, bool) {
	for _, v := range m.index.liveLinks[c.at] {
		own := v.Owned(m.network()) && v.Labels[LabelLink] == string(c.Name)
		if v.Name == string(c.Name) && !v.Deleting && !own {
			return v, true
		}
	}
	return LinkView{}, false
}

func (m *maker) refuseLink(c linkCase, v LinkView) {
	r := Refusal{
		Code: "foreign-link", Subject: fmt.Sprintf("link %q", c.Name),
		Message:  fmt.Sprintf("%s is there and Fairlead did not make it", ref(c.at.cluster, ObjectLink, v.Meta)),
		Override: "take it over with: fairlead apply --adopt",
	}
	if v.Labels[LabelManagedBy] == ManagedBy {
		r.Message = fmt.Sprintf("%s belongs to link %q of network %q",
			ref(c.at.cluster, ObjectLink, v.Meta), v.Labels[LabelLink], v.Labels[LabelNetwork])
		r.Override = "give the link another name"
	}
	m.refuse(r)
}

func (m *maker) adopt(c linkCase, v LinkView) Action {
	a := c.action
	a.Verb, a.Why = VerbAdopt, "taken over as it is, without being re-created"
	a.Link.Attempt = 1
	a.Link.Live = []LiveLink{{Name: v.Name, UID: v.UID, Cost: v.Cost}}
	a.Fields = costField(c.DesiredLink, nil, v)
	if len(a.Fields) > 0 {
		a.Disruption = DisruptionReconnect
	}
	a.Steps = []Step{StepRecord, StepTakeOver, StepConfigured, StepClean, StepConfirm}
	a.Link.Remove = m.leftovers(c, nil)
	return a
}
