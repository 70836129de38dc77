package plan

import (
	"fmt"
	"strings"
)

// noteGoing notes an object that is being deleted.
func (ix index) noteGoing(m Meta) {
	if m.Deleting {
		ix.going[m.UID] = m.going()
	}
}

// tellGoing says of actions that remove something which is being deleted already what holds
// it: they wait for that.
func (m *maker) tellGoing() {
	for i := range m.actions {
		a := &m.actions[i]
		for _, r := range a.removes() {
			if held := m.index.going[r.UID]; held != "" && !strings.Contains(a.Why, held) {
				a.Why += fmt.Sprintf("; %s %s %s", r.Kind, r.Name, held)
			}
		}
	}
}

// removes are the objects that an action takes away beside a Site or an object of an overlay.
func (a Action) removes() (out []ObjectRef) {
	if a.Link != nil {
		out = append(out, a.Link.Remove...)
	}
	if a.Proxy != nil && a.Verb == VerbDelete {
		out = append(out, a.Proxy.Secret)
	}
	if a.Site != nil {
		out = append(out, a.Site.Close)
	}
	return out
}
