// Package existing turns what runs on clusters into a description of it: the Sites
// and Links that were made by hand, or by an earlier Fairlead, as a network that
// `apply --adopt` takes over without changing anything. It is pure, and what it
// cannot take over it says.
package existing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// Input is what a network is made of.
type Input struct {
	// Network is the name that the network is to have.
	Network string
	// Clusters are those that were observed, each with a name of its own. Of two
	// that turn out to be the same, the first is taken.
	Clusters []network.Cluster
	// Given are the names of clusters that were asked for; others give way to those
	// under which the network was applied before.
	Given []network.ClusterName
	// Namespaces are those whose Sites are taken; all when it is empty.
	Namespaces []string
	// Observation has every one of Clusters, read in full, with the proxies of all
	// Links: in a cluster that was not read, nothing is found.
	Observation world.Observation
}

// Result is a network as it was found.
type Result struct {
	// Network vets without errors. Its lists are sorted and not nil; its places
	// are zero.
	Network network.Network
	// Managed is true when some of it is Fairlead's already, under this name.
	Managed bool
	// LeftOut are things of the chosen namespaces that are not in Network, and
	// Altered those that are in it not quite as they are live. Both are sorted.
	LeftOut, Altered []Note
}

// Note says why something is left out or altered.
type Note struct {
	// Subject is the object as its users name it.
	Subject string
	Message string
}

// String gives the note as one line.
func (n Note) String() string { return n.Subject + ": " + n.Message }

// place is one namespace of one cluster.
type place struct {
	cluster   network.ClusterName
	namespace string
}

// importer gathers a result.
type importer struct {
	Input
	out   Result
	index index
	// sites are all living Sites, also of namespaces that were not chosen; taken
	// are those that the network gets.
	sites []*site
	taken map[place]*site
	links []*link
	// views are the clusters that are looked at.
	views []world.ClusterView
}

// Import makes the network. Everything that lives in the chosen namespaces is either
// in it or in a note.
func Import(in Input) Result {
	m := &importer{Input: in, taken: map[place]*site{}}
	m.out.Network = network.Network{
		Name: in.Network, Clusters: []network.Cluster{}, Sites: []network.Site{}, Links: []network.Link{}, Proxies: []network.Proxy{},
		Policy: network.DefaultPolicy(),
	}
	m.recallClusters()
	m.distinctClusters()
	m.index = newIndex(in, m.views)
	m.findSites()
	m.emptyNamespaces()
	m.unreadNamespaces()
	m.findLinks()
	m.nameLinks()
	proxyImporter{m}.proxies()
	m.describe()
	return m.out
}

// distinctClusters drops clusters that are others under another name. A cluster
// without the right to list namespaces has no UID; then its Sites tell.
func (m *importer) distinctClusters() {
	known := map[string]network.ClusterName{}
	for _, c := range m.Clusters {
		view := m.Observation.Cluster(c.Name)
		uids := []string{view.UID}
		for _, s := range view.Sites {
			uids = append(uids, s.UID)
		}
		if other, same := firstKnown(known, uids); same {
			m.leaveOut(fmt.Sprintf("cluster %s", c.Name), fmt.Sprintf("it is cluster %s under another name", other))
			continue
		}
		for _, uid := range uids {
			known[uid] = c.Name
		}
		m.views = append(m.views, view)
	}
}

func firstKnown(known map[string]network.ClusterName, uids []string) (network.ClusterName, bool) {
	for _, uid := range uids {
		if name, ok := known[uid]; ok && uid != "" {
			return name, true
		}
	}
	return "", false
}

// chosen reports whether a namespace's Site is to be taken.
func (m *importer) chosen(namespace string) bool {
	return len(m.Namespaces) == 0 || slices.Contains(m.Namespaces, namespace)
}

// emptyNamespaces notes what was asked for and is nowhere.
func (m *importer) emptyNamespaces() {
	for _, n := range m.Namespaces {
		if !slices.ContainsFunc(m.sites, func(s *site) bool { return s.at.namespace == n }) {
			m.leaveOut("namespace "+n, "no cluster that was read has a Site there")
		}
	}
}

// unreadNamespaces notes that there may be more than could be read.
func (m *importer) unreadNamespaces() {
	for _, v := range m.views {
		if v.Read != nil {
			m.leaveOut(fmt.Sprintf("cluster %s", v.Name), fmt.Sprintf("what is in other namespaces than %s is not known, as they may not be read", strings.Join(v.Read, ", ")))
		}
	}
}

func (m *importer) leaveOut(subject, message string) {
	m.out.LeftOut = append(m.out.LeftOut, Note{subject, message})
}

func (m *importer) alter(subject, message string) {
	m.out.Altered = append(m.out.Altered, Note{subject, message})
}

// subject names an object as notes do.
func subject(cluster network.ClusterName, kind plan.ObjectKind, o world.Meta) string {
	return plan.ObjectRef{Cluster: cluster, Kind: kind, Namespace: o.Namespace, Name: o.Name}.String()
}

// others reports whether another Fairlead network owns the object, and which.
func (m *importer) others(o world.Meta) (owner string, yes bool) {
	owner = o.Labels[plan.LabelNetwork]
	return owner, o.Labels[plan.LabelManagedBy] == plan.ManagedBy && owner != m.Network
}

// describe writes what was found into the network.
func (m *importer) describe() {
	used := map[network.ClusterName]bool{}
	for _, s := range m.sites {
		if s.taken {
			m.out.Network.Sites = append(m.out.Network.Sites, s.described)
			used[s.at.cluster] = true
		}
	}
	for _, l := range m.links {
		m.out.Network.Links = append(m.out.Network.Links, l.described)
	}
	for _, v := range m.views {
		i := slices.IndexFunc(m.Clusters, func(c network.Cluster) bool { return c.Name == v.Name })
		if used[v.Name] {
			c := m.Clusters[i]
			c.UID = v.UID
			m.out.Network.Clusters = append(m.out.Network.Clusters, c)
		} else {
			m.leaveOut(fmt.Sprintf("cluster %s", v.Name), "it has no Site to take over")
		}
	}
	m.sort()
}

func (m *importer) sort() {
	n := &m.out.Network
	slices.SortFunc(n.Clusters, func(a, b network.Cluster) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(n.Sites, func(a, b network.Site) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(n.Links, func(a, b network.Link) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(n.Proxies, func(a, b network.Proxy) int { return cmp.Compare(a.Name, b.Name) })
	for _, list := range [][]Note{m.out.LeftOut, m.out.Altered} {
		slices.SortFunc(list, func(a, b Note) int {
			return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Message, b.Message))
		})
	}
}
