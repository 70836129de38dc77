package plan

import (
	"fmt"
	"strings"
)

// tellGoing says of actions that remove something which is being deleted already what holds
// it: they wait for that.
func (m checks) tellGoing() {
	for i := range m.actions {
		a := &m.actions[i]
		for _, r := range a.removes() {
			if held := m.index.going[r.UID]; held != "" && !strings.Contains(a.Why, held) {
				a.Why += fmt.Sprintf("; %s %s %s", r.Kind, r.Name, held)
			}
		}
	}
}
