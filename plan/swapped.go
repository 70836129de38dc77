package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// swapped guesses that the ways to clusters were exchanged: each of them has just the sites,
// in just the namespaces, that are described in another one of them.
func (m checks) swapped() {
	has, told := m.mistaken(), map[network.ClusterName]bool{}
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
		m.findings = append(m.findings, diag.Finding{
			Severity: diag.Warning, Code: "clusters-swapped", Subject: fmt.Sprintf("cluster %q", ring[0]),
			Message: fmt.Sprintf("the sites of %s are each found in another one of them, in the same namespaces: their contexts or kubeconfigs may be swapped",
				strings.Join(ring, ", ")),
			Fix: "exchange how they are reached; if the sites are meant to move, this may be passed over",
		})
	}
}

// mistaken are the clusters that have none of the sites which are described there, and those
// of one other cluster alone, with that one.
func (m checks) mistaken() map[network.ClusterName]network.ClusterName {
	found := map[network.ClusterName]map[network.ClusterName]bool{}
	for at, s := range m.index.now().sites {
		if s.fixed {
			continue
		}
		d, described := m.index.desired[s.name]
		home := at.cluster
		if described && d.Namespace == at.namespace {
			home = d.Cluster
		}
		if found[at.cluster] == nil {
			found[at.cluster] = map[network.ClusterName]bool{}
		}
		found[at.cluster][home] = true
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
