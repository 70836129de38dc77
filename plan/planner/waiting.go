package planner

import (
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// waiting is what a plan leaves as it is on readable clusters, because of others that
// could not be read: links from there may need it, or what takes its place is there.
type waiting struct {
	// unread are the clusters that could not be read, sorted.
	unread []network.ClusterName
	// removal marks places whose site is not removed yet, with all that is there.
	removal map[plan.Place]bool
	// listening marks places whose site goes on listening as it does.
	listening map[plan.Place]bool
}

func newWaiting(o world.Observation) waiting {
	w := waiting{removal: map[plan.Place]bool{}, listening: map[plan.Place]bool{}}
	for _, c := range o.Clusters {
		if c.State != plan.StateOK {
			w.unread = append(w.unread, c.Name)
		}
	}
	slices.Sort(w.unread)
	return w
}

// holdRemovals finds the sites whose removal has to wait. It comes before anything is
// planned, as what would take their place waits too.
func (m sitePlanner) holdRemovals() {
	if len(m.waiting.unread) == 0 {
		return
	}
	for _, at := range m.world.OwnedPlaces() {
		name, uid := m.world.StaleSite(at, m.world.DesiredAt[at])
		protected := m.world.Inventories[at].Content.Protect || m.world.Protected(at, uid)
		if name == "" || m.world.Inventories[at].Broken != "" || protected {
			continue
		}
		d, still := m.world.Desired[name]
		switch {
		case still && !m.world.Readable(d.Cluster):
			m.hold(m.waiting.removal, at, name, fmt.Sprintf("it moves to cluster %s, which could not be read: its removal here waits", d.Cluster))
		case m.world.ListensAt(at, uid):
			m.hold(m.waiting.removal, at, name, fmt.Sprintf("links may lead to it from %s: its removal waits", m.waiting.where()))
		}
	}
}

// holdListening reports whether a change of a living site has to wait, as links from
// clusters that could not be read would lose it and could not be made anew.
func (m sitePlanner) holdListening(a plan.Action, live world.SiteView) bool {
	at := a.Place()
	if len(m.waiting.unread) == 0 || !a.Closes() || !m.world.ListensAt(at, live.UID) {
		return false
	}
	m.hold(m.waiting.listening, at, network.SiteName(a.Name),
		fmt.Sprintf("links may lead to it from %s: its change waits", m.waiting.where()))
	return true
}

// hold marks a place and says why.
func (m *maker) hold(set map[plan.Place]bool, at plan.Place, name network.SiteName, why string) {
	set[at] = true
	m.unknown++
	m.findings = append(m.findings, diag.Finding{
		Severity: diag.Warning, Code: plan.CodeWaits, Subject: fmt.Sprintf("site %q", name), At: m.world.Desired[name].DeclaredAt,
		Message: why, Fix: "apply again when every cluster answers",
	})
}

// where names the clusters that could not be read.
func (w waiting) where() string {
	names := make([]string, 0, len(w.unread))
	for _, c := range w.unread {
		names = append(names, string(c))
	}
	if len(names) == 1 {
		return "cluster " + names[0] + ", which could not be read"
	}
	return "clusters " + strings.Join(names, ", ") + ", which could not be read"
}

// unseen reports whether a link cannot be judged: an end could not be read, or waits
// for a cluster that could not.
func (m *maker) unseen(l plan.DesiredLink) bool {
	from, to := m.world.Desired[l.From], m.world.Desired[l.To]
	fromAt, toAt := from.Place(), to.Place()
	return !m.world.Readable(from.Cluster) || !m.world.Readable(to.Cluster) ||
		m.waiting.removal[fromAt] || m.waiting.removal[toAt] || m.waiting.listening[toAt]
}
