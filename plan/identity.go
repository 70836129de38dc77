package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// ClusterChanged is the code of the refusal to take one cluster for another: its name leads
// to another one than the description pins, or than Leases and records note. The cluster's
// name follows behind a point.
const ClusterChanged = "cluster-changed"

// impostor is a name of a cluster that leads to another one.
type impostor struct {
	name network.ClusterName
	// pinned is the UID of the description, where that is what it is not, or not known to be.
	pinned string
	// was are the UIDs that are noted, by says who notes them; both are sorted.
	was, by []string
}

// impostors are the names of clusters that lead to others than they did, sorted. Nothing is
// known of clusters that were not read.
func (ix *index) impostors() []impostor {
	var out []impostor
	for _, view := range ix.observed.Clusters {
		if view.State != StateOK {
			continue
		}
		i := impostor{name: view.Name}
		if pin := ix.wanted.UIDs[view.Name]; pin != "" {
			if same, _ := view.Is(pin); !same {
				i.pinned = pin
			}
		}
		i.was, i.by = ix.notedOf(view)
		if i.pinned != "" || len(i.by) > 0 {
			out = append(out, i)
		}
	}
	return out
}

// notedOf says which other cluster a name led to, and who notes it: Leases, and records of
// which nothing shows that they are of this cluster all the same.
func (ix *index) notedOf(view ClusterView) (was, by []string) {
	note := func(uid, who string) {
		if view.another(uid) {
			was, by = append(was, uid), append(by, who)
		}
	}
	for _, other := range ix.observed.Clusters {
		for _, c := range other.Noted {
			if c.Name == view.Name {
				note(c.UID, fmt.Sprintf("the Lease of cluster %s", other.Name))
			}
		}
	}
	for _, at := range sortedPlaces(ix.inventories) {
		inv := ix.inventories[at].Content
		if at.cluster == view.Name && !view.has(inv.UID) {
			note(inv.ClusterUID, fmt.Sprintf("the record of site %s", inv.Site))
		}
		for _, name := range slices.Sorted(maps.Keys(inv.Links)) {
			l := inv.Links[name]
			if l.State != LinkRetired && l.ToCluster == view.Name && !view.has(l.ToUID) {
				note(l.ToClusterUID, fmt.Sprintf("the record of link %s", name))
			}
		}
	}
	slices.Sort(was)
	slices.Sort(by)
	return slices.Compact(was), slices.Compact(by)
}

// changedClusters refuses names that lead to other clusters than they did: what is written
// there may be another network's, and what is missing there may be elsewhere. A part of the
// network is refused for the clusters that it touches.
func (m *maker) changedClusters() {
	if m.in.Limits == nil {
		return
	}
	for _, i := range m.index.impostors() {
		if !m.in.part() || slices.ContainsFunc(m.actions, func(a Action) bool { return a.touches(i.name) }) {
			m.refuse(i.refusal(m.index.clusters[i.name], m.index.describedOn(i.name)))
		}
	}
}

// part reports whether only a part of the network was asked for.
func (in Input) part() bool {
	return !in.Filter.IsZero() || in.Approved != nil && in.Approved.Narrowed
}

// describedOn counts the sites that the description has on a cluster; at least 1, as a number
// that a flag names.
func (ix *index) describedOn(name network.ClusterName) int {
	n := 0
	for _, s := range ix.wanted.Sites {
		if s.Cluster == name {
			n++
		}
	}
	return max(n, 1)
}

func (i impostor) refusal(view ClusterView, sites int) Refusal {
	r := Refusal{Code: ClusterChanged + "." + string(i.name), Subject: fmt.Sprintf("cluster %q", i.name), Message: i.says(view)}
	if i.pinned != "" {
		r.Override = i.fix()
		return r
	}
	r.Number = sites
	r.Message += "; " + i.fix() + ". If the cluster was made anew, the flag takes this one in its place"
	return r
}

// says is what is wrong with the name.
func (i impostor) says(view ClusterView) string {
	switch _, known := view.Is(i.pinned); {
	case i.pinned == "":
		return fmt.Sprintf("is another cluster than it was: its UID is %s, and %s for %s",
			view.UID, spelled(i.by, mostNames)+takes(len(i.by)), strings.Join(i.was, ", "))
	case known:
		return fmt.Sprintf("is another cluster than the description pins: its UID is %s, not %s", view.UID, i.pinned)
	}
	return fmt.Sprintf("is pinned to the UID %s, and whether it is that cluster may not be read", i.pinned)
}

// takes is the verb of those who note a cluster.
func takes(n int) string {
	if n == 1 {
		return " takes it"
	}
	return " take it"
}

// fix says what to do.
func (i impostor) fix() string {
	if i.pinned != "" {
		return "correct how it is reached, or its uid; fairlead rbac prints the rights that it takes to read it"
	}
	return "correct how it is reached: its context, its kubeconfig, the tags"
}

// clustersChanged tells of names that lead to other clusters than they did.
func (f *facts) clustersChanged() {
	for _, i := range f.index.impostors() {
		if len(f.in.Filter.Clusters) > 0 && !slices.Contains(f.in.Filter.Clusters, i.name) {
			continue
		}
		f.found = append(f.found, Live{
			Severity: diag.Error, Code: LiveClusterChanged, Subject: "cluster/" + string(i.name), Cluster: i.name,
			Message: i.says(f.index.clusters[i.name]), Fix: i.fix(),
		})
	}
}

// identify notes in each action which clusters its ends are.
func (m *maker) identify() {
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
