package world

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Noted are the clusters on which a description has sites, by name; uids are those of the
// clusters, as far as they are known.
func Noted(d plan.Desired, uids map[network.ClusterName]string) []NotedCluster {
	sites := map[network.ClusterName]int{}
	for _, s := range d.Sites {
		sites[s.Cluster]++
	}
	out := []NotedCluster{}
	for _, name := range slices.Sorted(maps.Keys(sites)) {
		out = append(out, NotedCluster{Name: name, UID: uids[name], Sites: sites[name]})
	}
	return out
}

// Undescribed are the clusters that no description names any more, while the Leases or records
// of others have sites of the network there, by name.
func (n ClusterNotes) Undescribed() []NotedCluster {
	found := map[network.ClusterName]NotedCluster{}
	note := func(c NotedCluster) {
		if n.described(c) {
			return
		}
		c.Sites = max(c.Sites, found[c.Name].Sites)
		found[c.Name] = c
	}
	for _, view := range n.Observed.Clusters {
		for _, c := range view.Noted {
			note(c)
		}
	}
	for _, c := range n.recordedElsewhere() {
		note(c)
	}
	out := make([]NotedCluster, 0, len(found))
	for _, c := range found {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b NotedCluster) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// described reports whether a noted cluster is one of the description, by its name or, with
// another name, by its UID. One that could not be read and that nobody noted may be it.
func (n ClusterNotes) described(noted NotedCluster) bool {
	return slices.ContainsFunc(n.Wanted.Clusters, func(name network.ClusterName) bool {
		view := n.Observed.Cluster(name)
		return name == noted.Name || view.UID != "" && view.UID == noted.UID || view.State != plan.StateOK && !n.noted(name)
	})
}

func (n ClusterNotes) noted(name network.ClusterName) bool {
	return slices.ContainsFunc(n.Observed.Clusters, func(view ClusterView) bool {
		return slices.ContainsFunc(view.Noted, func(c NotedCluster) bool { return c.Name == name })
	})
}

// recordedElsewhere are the clusters to which links lead by their records, to Sites that
// were not found.
func (n ClusterNotes) recordedElsewhere() []NotedCluster {
	found := map[string]bool{}
	for _, list := range n.Sites {
		for _, s := range list {
			found[s.UID] = true
		}
	}
	sites := map[network.ClusterName]map[string]bool{}
	for _, inv := range n.Inventories {
		for _, l := range inv.Content.Links {
			if l.State == record.LinkRetired || l.ToUID == "" || found[l.ToUID] {
				continue
			}
			if sites[l.ToCluster] == nil {
				sites[l.ToCluster] = map[string]bool{}
			}
			sites[l.ToCluster][l.ToNamespace] = true
		}
	}
	var out []NotedCluster
	for name, list := range sites {
		out = append(out, NotedCluster{Name: name, Sites: len(list)})
	}
	return out
}

// StillRuns words that a cluster is described no more and has sites.
func StillRuns(c NotedCluster, net string) string {
	return fmt.Sprintf("still runs %s of network %s, as its other clusters know, and is described no more", words.Count(c.Sites, "site"), net)
}

// ClusterNotes are what Leases and records note of the network's clusters.
type ClusterNotes struct{ *World }

// NotesOf gives what Leases and records note of the clusters.
func NotesOf(ix *World) ClusterNotes { return ClusterNotes{ix} }

// ChangedCluster is a name of a cluster that leads to another one.
type ChangedCluster struct {
	Name network.ClusterName
	// pinned is the UID of the description, where that is what it is not, or not known to be.
	pinned string
	// was are the UIDs that are noted, by says who notes them; both are sorted.
	was, by []string
}

// Changed are the names of clusters that lead to others than they did, sorted. Nothing is
// known of clusters that were not read.
func (n ClusterNotes) Changed() []ChangedCluster {
	var out []ChangedCluster
	for _, view := range n.Observed.Clusters {
		if view.State != plan.StateOK {
			continue
		}
		i := ChangedCluster{Name: view.Name}
		if pin := n.Wanted.UIDs[view.Name]; pin != "" {
			if same, _ := view.Is(pin); !same {
				i.pinned = pin
			}
		}
		i.was, i.by = n.notedOf(view)
		if i.pinned != "" || len(i.by) > 0 {
			out = append(out, i)
		}
	}
	return out
}

// notedOf says which other cluster a name led to, and who notes it: Leases, and records of
// which nothing shows that they are of this cluster all the same.
func (n ClusterNotes) notedOf(view ClusterView) (was, by []string) {
	note := func(uid, who string) {
		if view.Another(uid) {
			was, by = append(was, uid), append(by, who)
		}
	}
	for _, other := range n.Observed.Clusters {
		for _, c := range other.Noted {
			if c.Name == view.Name {
				note(c.UID, fmt.Sprintf("the Lease of cluster %s", other.Name))
			}
		}
	}
	for _, at := range SortedPlaces(n.Inventories) {
		inv := n.Inventories[at].Content
		if at.Cluster == view.Name && !view.has(inv.UID) {
			note(inv.ClusterUID, fmt.Sprintf("the record of site %s", inv.Site))
		}
		for _, name := range slices.Sorted(maps.Keys(inv.Links)) {
			l := inv.Links[name]
			if l.State != record.LinkRetired && l.ToCluster == view.Name && !view.has(l.ToUID) {
				note(l.ToClusterUID, fmt.Sprintf("the record of link %s", name))
			}
		}
	}
	slices.Sort(was)
	slices.Sort(by)
	return slices.Compact(was), slices.Compact(by)
}

// DescribedOn counts the sites that the description has on a cluster; at least 1, as a number
// that a flag names.
func (n ClusterNotes) DescribedOn(name network.ClusterName) int {
	sites := 0
	for _, s := range n.Wanted.Sites {
		if s.Cluster == name {
			sites++
		}
	}
	return max(sites, 1)
}

// Says is what is wrong with the name.
func (i ChangedCluster) Says(view ClusterView) string {
	switch _, known := view.Is(i.pinned); {
	case i.pinned == "":
		return fmt.Sprintf("is another cluster than it was: its UID is %s, and %s for %s",
			view.UID, words.Some(i.by, words.MostNames)+takes(len(i.by)), strings.Join(i.was, ", "))
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

// Fix says what to do.
func (i ChangedCluster) Fix() string {
	if i.pinned != "" {
		return "correct how it is reached, or its uid; fairlead rbac prints the rights that it takes to read it"
	}
	return "correct how it is reached: its context, its kubeconfig, the tags"
}

// ClusterStates are the clusters as they were found.
func ClusterStates(w *World) []plan.Cluster {
	out := []plan.Cluster{}
	for _, c := range w.Observed.Clusters {
		out = append(out, plan.Cluster{Name: c.Name, UID: c.UID, State: c.State, Reason: c.Reason, Skupper: skupperVersion(c, w.Wanted)})
	}
	return out
}

// skupperVersion is the controller's version as the network's Sites, and others in the
// namespaces that it wants, show it: the same whether or not more could be read.
func skupperVersion(c ClusterView, d plan.Desired) string {
	wanted := map[string]bool{}
	for _, s := range d.Sites {
		if s.Cluster == c.Name {
			wanted[s.Namespace] = true
		}
	}
	v := ""
	for _, s := range c.Sites {
		if wanted[s.Namespace] || s.Owned(d.Network) {
			v = newer(v, s.Version)
		}
	}
	return v
}

// Refusal is that of a plan for the cluster, of which so many sites are described.
func (i ChangedCluster) Refusal(view ClusterView, sites int) plan.Refusal {
	r := plan.Refusal{Code: plan.ClusterChanged + "." + string(i.Name), Subject: fmt.Sprintf("cluster %q", i.Name), Message: i.Says(view)}
	if i.pinned != "" {
		r.Override = i.Fix()
		return r
	}
	r.Number = sites
	r.Message += "; " + i.Fix() + ". If the cluster was made anew, the flag takes this one in its place"
	return r
}

// Swapped guesses that the ways to clusters were exchanged: each of them has just the sites,
// in just the namespaces, that are described in another one of them.
func Swapped(w *World) (findings diag.List) {
	has, told := mistaken(w), map[network.ClusterName]bool{}
	for _, first := range slices.Sorted(maps.Keys(has)) {
		ring := []string{string(first)}
		for next := has[first]; next != first && next != "" && len(ring) <= len(has); next = has[next] {
			ring = append(ring, string(next))
		}
		if closed := has[network.ClusterName(ring[len(ring)-1])] == first; !closed || told[first] {
			continue
		}
		for _, name := range ring {
			told[network.ClusterName(name)] = true
		}
		slices.Sort(ring)
		findings = append(findings, diag.Finding{
			Severity: diag.Warning, Code: "clusters-swapped", Subject: fmt.Sprintf("cluster %q", ring[0]),
			Message: fmt.Sprintf("the sites of %s are each found in another one of them, in the same namespaces: their contexts or kubeconfigs may be swapped",
				strings.Join(ring, ", ")),
			Fix: "exchange how they are reached; if the sites are meant to move, this may be passed over",
		})
	}
	return findings
}

// mistaken are the clusters that have none of the sites which are described there, and those
// of one other cluster alone, with that one.
func mistaken(w *World) map[network.ClusterName]network.ClusterName {
	found := map[network.ClusterName]map[network.ClusterName]bool{}
	for at, s := range w.Now().Sites {
		if s.Fixed {
			continue
		}
		d, described := w.Desired[s.Name]
		home := at.Cluster
		if described && d.Namespace == at.Namespace {
			home = d.Cluster
		}
		if found[at.Cluster] == nil {
			found[at.Cluster] = map[network.ClusterName]bool{}
		}
		found[at.Cluster][home] = true
	}
	out := map[network.ClusterName]network.ClusterName{}
	for name, homes := range found {
		for home := range homes {
			if len(homes) == 1 && home != name {
				out[name] = home
			}
		}
	}
	return out
}
