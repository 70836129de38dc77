package plan

import (
	"slices"
)

// changedClusters refuses names that lead to other clusters than they did: what is written
// there may be another network's, and what is missing there may be elsewhere. A part of the
// network is refused for the clusters that it touches.
func (m checks) changedClusters() {
	if m.in.Limits == nil {
		return
	}
	for _, i := range notesOf(m.index).impostors() {
		if !m.in.part() || slices.ContainsFunc(m.actions, func(a Action) bool { return a.touches(i.name) }) {
			m.refuse(i.refusal(m.index.clusters[i.name], notesOf(m.index).describedOn(i.name)))
		}
	}
}

// part reports whether only a part of the network was asked for.
func (in Input) part() bool {
	return !in.Filter.IsZero() || in.Approved != nil && in.Approved.Narrowed
}

// identify notes in each action which clusters its ends are.
func (m checks) identify() {
	for i := range m.actions {
		a := &m.actions[i]
		switch {
		case a.Verb == VerbDelete:
		case a.Site != nil:
			a.Site.ClusterUID = m.index.clusters[a.Cluster].UID
		case a.Link != nil:
			a.Link.From.ClusterUID = m.index.clusters[a.Link.From.Cluster].UID
			a.Link.To.ClusterUID = m.index.clusters[a.Link.To.Cluster].UID
		}
	}
}
