package apply

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
		AnnotationNamespaces: joinNamespaces(h.Namespaces), AnnotationClusters: joinClusters(l.clusters),
	}
	if l.opts.Deletes != nil {
		out[AnnotationDeletes] = noteLimits(*l.opts.Deletes)
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
	out := map[string]string{AnnotationClusters: joinClusters(l.renewals(clusters))}
	if others {
		out[AnnotationNamespaces] = joinNamespaces(namespaces)
	}
	if others && limits != nil {
		out[AnnotationDeletes] = noteLimits(*limits)
	}
	return out
}
