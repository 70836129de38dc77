package existing

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// recallClusters gives clusters the names under which the network was applied: each
// inventory says of its links where they lead.
func (m *importer) recallClusters() {
	recorded := m.recordedClusters()
	m.Clusters, m.Observation.Clusters = slices.Clone(m.Clusters), slices.Clone(m.Observation.Clusters)
	for i, c := range m.Clusters {
		name, known := recorded[c.Name]
		taken := slices.ContainsFunc(m.Clusters, func(o network.Cluster) bool { return o.Name == name })
		if !known || taken || slices.Contains(m.Given, c.Name) {
			continue
		}
		for j, v := range m.Observation.Clusters {
			if v.Name == c.Name {
				m.Observation.Clusters[j].Name = name
			}
		}
		m.Clusters[i].Name = name
	}
}

// recordedClusters are the recorded names of clusters by those that they have here.
func (m *importer) recordedClusters() map[network.ClusterName]network.ClusterName {
	type end struct {
		site      network.SiteName
		namespace string
	}
	names := map[end]network.ClusterName{}
	m.eachInventory(func(_ network.ClusterName, _ string, inv record.Inventory) {
		for _, l := range inv.Links {
			e := end{l.To, l.ToNamespace}
			if l.ToCluster != "" && (names[e] == "" || l.ToCluster < names[e]) {
				names[e] = l.ToCluster
			}
		}
	})
	out := map[network.ClusterName]network.ClusterName{}
	m.eachInventory(func(cluster network.ClusterName, namespace string, inv record.Inventory) {
		if name, ok := names[end{inv.Site, namespace}]; ok && (out[cluster] == "" || name < out[cluster]) {
			out[cluster] = name
		}
	})
	return out
}

// eachInventory calls f with each inventory of the network that can be read.
func (m *importer) eachInventory(f func(cluster network.ClusterName, namespace string, inv record.Inventory)) {
	for _, v := range m.Observation.Clusters {
		for _, inv := range v.Inventories {
			if inv.Broken == "" && inv.Content.Network == m.Network {
				f(v.Name, inv.Namespace, inv.Content)
			}
		}
	}
}

// recallProxy is a proxy as an inventory has it, with the references that were
// declared; ok is false when it does not have all of it.
func recallProxy(name network.ProxyName, p record.ProxySettings) (_ network.Proxy, ok bool) {
	out := network.Proxy{Name: name, Host: p.Host}
	port, err := strconv.Atoi(p.Port)
	if err != nil || port < 1 || port > 65535 || !network.ValidProxyHost(p.Host) || !network.ValidProxyName(string(name)) {
		return out, false
	}
	out.Port = port
	rest := p.References
	out.Username, rest, ok = reference(rest, "username ")
	if !ok {
		return out, false
	}
	out.Password, rest, ok = reference(rest, " password ")
	return out, ok && rest == ""
}

// reference reads one reference of an inventory's text: a word before it, then its
// JSON. It is nil when the word is not there.
func reference(text, word string) (ref *network.SecretRef, rest string, ok bool) {
	rest, found := strings.CutPrefix(text, word)
	if !found {
		return nil, text, true
	}
	dec := json.NewDecoder(strings.NewReader(rest))
	ref = &network.SecretRef{}
	if err := dec.Decode(ref); err != nil {
		return nil, text, false
	}
	return ref, rest[dec.InputOffset():], true
}
