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

// adopting reports whether anything may be taken over at all.
func (m *maker) adopting() bool {
	if m.in.Approved == nil {
		return m.in.Adopt
	}
	return len(m.named) > 0
}

// strangers are Links that the record of a link names and that are not its own: they have
// lost all marks of ours, or others were made in their place. They may be taken over.
func (m *maker) strangers(c linkCase) (out []LinkView) {
	for _, v := range m.index.liveLinks[c.at] {
		if c.known && c.names(v) && !v.Deleting && !m.isOwn(c, v) {
			out = append(out, v)
		}
	}
	return out
}

// adopted are the UIDs of what a plan takes over.
func (p *Plan) adopted() map[string]bool {
	out := map[string]bool{}
	if p == nil {
		return out
	}
	for _, a := range p.Actions {
		if a.Verb == VerbAdopt {
			for _, uid := range a.adopts() {
				out[uid] = true
			}
		}
	}
	return out
}

// adopts are the UIDs of the objects that an adoption takes over.
func (a Action) adopts() (uids []string) {
	switch {
	case a.Site != nil:
		return []string{a.Site.UID}
	case a.Object != nil:
		return []string{a.Object.UID}
	case a.Proxy != nil:
		return []string{a.Proxy.Secret.UID}
	case a.Link != nil:
		for _, l := range a.Link.Live {
			uids = append(uids, l.UID)
		}
	}
	return uids
}

// foreign completes the refusal of an object that others made: how it may be taken over.
func (m *maker) foreign(r Refusal, o Meta) Refusal {
	if m.in.Approved != nil {
		r.Message += ", and the saved plan does not take over this one (UID " + o.UID + ")"
		r.Override = "plan again with --adopt, and review what that takes over"
	}
	return r
}
