package plan

import "slices"

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
