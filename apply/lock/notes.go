package lock

import (
	"encoding/json"
	"slices"

	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// AnnotationClusters, on a network's Lease, lists as JSON the clusters on which the network
// has sites: those that are declared, and those of runs before that did not end with
// everything as declared. It is how a cluster that is described no more is missed.
const AnnotationClusters = "fairlead.dev/clusters"

// ClustersOf lists the clusters that a Lease notes; none where it says nothing that can be
// read.
func ClustersOf(l Lease) []world.NotedCluster {
	var list []world.NotedCluster
	if json.Unmarshal([]byte(l.Annotations[AnnotationClusters]), &list) != nil {
		return nil
	}
	return slices.DeleteFunc(list, func(c world.NotedCluster) bool { return !network.IsLabel(string(c.Name)) || c.Sites < 1 })
}

// note words clusters or limits, for ClustersOf and LimitsOf.
func note(v any) string {
	data, err := json.Marshal(v)
	if err != nil { // names, UIDs and numbers can always be marshalled
		panic("lock: " + err.Error())
	}
	return string(data)
}

// bothClusters are the clusters that were noted and those that are declared: of one that is
// both the greater number of sites, and the UID that is known.
func bothClusters(was, declared []world.NotedCluster) []world.NotedCluster {
	out := slices.Clone(declared)
	for _, c := range was {
		i := slices.IndexFunc(out, func(o world.NotedCluster) bool { return o.Name == c.Name })
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i].Sites = max(out[i].Sites, c.Sites)
		if out[i].UID == "" {
			out[i].UID = c.UID
		}
	}
	return out
}

// Renew says that clusters are taken for those which their names led to before: any Release
// notes their UIDs, as Note gave them.
func (l *Locks) Renew(names []network.ClusterName) {
	if l != nil {
		l.renewed = names
	}
}

// renewals are the clusters that a Lease notes, with the UIDs that are renewed.
func (l *Locks) renewals(was []world.NotedCluster) []world.NotedCluster {
	out := slices.Clone(was)
	for i, c := range out {
		for _, now := range l.clusters {
			if now.Name == c.Name && now.UID != "" && slices.Contains(l.renewed, c.Name) {
				out[i].UID = now.UID
			}
		}
	}
	return out
}

// Note says on which clusters the network has sites once all is as declared, with their
// UIDs: what Release notes then.
func (l *Locks) Note(clusters []world.NotedCluster) {
	if l != nil {
		l.clusters = clusters
	}
}

// AnnotationDeletes, on a network's Lease, holds as JSON the limits of what one plan may
// delete, as they were described when all was last as declared. A change that raises them
// is judged by these.
const AnnotationDeletes = "fairlead.dev/deletes"

// notedLimits are network.DeleteLimits as a Lease has them.
type notedLimits struct {
	Sites   int `json:"sites"`
	Links   int `json:"links"`
	Objects int `json:"objects"`
	Percent int `json:"percent"`
}

// LimitsOf gives the limits that a Lease notes; nil where it says nothing that can be read.
func LimitsOf(l Lease) *network.DeleteLimits {
	var noted notedLimits
	text, known := l.Annotations[AnnotationDeletes]
	if !known || json.Unmarshal([]byte(text), &noted) != nil || min(noted.Sites, noted.Links, noted.Objects, noted.Percent) < 0 {
		return nil
	}
	out := network.DeleteLimits(noted)
	return &out
}

// StricterLimits are the stricter of two limits, either of which may be nil.
func StricterLimits(a, b *network.DeleteLimits) *network.DeleteLimits {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	both := a.Stricter(*b)
	return &both
}

// notes are what Release leaves on each Lease that is held: settled, what is declared;
// otherwise what was noted, at a place that is new for the lock as well. A former place that
// no record notes any more has nothing to tell. Nil leaves the notes alone.
func (l *Locks) notes(settled bool) []map[string]string {
	out := make([]map[string]string, len(l.held))
	for i, h := range l.held {
		switch {
		case settled && h.Former && l.moved:
			out[i] = map[string]string{AnnotationNamespaces: "", AnnotationClusters: "[]", AnnotationDeletes: ""}
		case settled:
			out[i] = l.declared(h)
		case h.lease.Version == "": // lost: what it notes is not known
		default:
			out[i] = l.inherited(h)
		}
	}
	return out
}

func (l *Locks) declared(h *hold) map[string]string {
	out := map[string]string{
		AnnotationNamespaces: joinNamespaces(h.Namespaces), AnnotationClusters: note(l.clusters),
	}
	if l.opts.Deletes != nil {
		out[AnnotationDeletes] = note(notedLimits(*l.opts.Deletes))
	}
	return out
}

// inherited is what a Lease notes together with those of the same cluster at former places;
// nil where nothing changes.
func (l *Locks) inherited(h *hold) map[string]string {
	namespaces, clusters, limits := NamespacesOf(h.lease), ClustersOf(h.lease), LimitsOf(h.lease)
	others := false
	for _, o := range l.of(h.Cluster) {
		if o == h || !o.Former || o.lease.Version == "" {
			continue
		}
		others = true
		namespaces = append(namespaces, NamespacesOf(o.lease)...)
		clusters = bothClusters(ClustersOf(o.lease), clusters)
		limits = StricterLimits(limits, LimitsOf(o.lease))
	}
	if !others && len(l.renewed) == 0 {
		return nil
	}
	out := map[string]string{AnnotationClusters: note(l.renewals(clusters))}
	if others {
		out[AnnotationNamespaces] = joinNamespaces(namespaces)
	}
	if others && limits != nil {
		out[AnnotationDeletes] = note(notedLimits(*limits))
	}
	return out
}
