// Package rights works out which rights of Kubernetes' RBAC a description takes: what
// each command reads and writes, where, and why. It is pure.
package rights

import (
	"cmp"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// Command is a command that reaches clusters.
type Command string

// The commands that take rights.
const (
	Plan   Command = "plan"
	Drift  Command = "drift"
	Status Command = "status"
	Apply  Command = "apply"
	Unlock Command = "unlock"
	Import Command = "import"
)

// Commands are all of them, in the order in which they are shown.
var Commands = []Command{Plan, Drift, Status, Import, Apply, Unlock}

// Scope says how widely rights are given.
type Scope string

// The scopes. Across the cluster, reading takes one LIST for each kind, and missing
// namespaces can be made; in namespaces, rights end at those of the sites and of the
// lock, which have to be there.
const (
	ScopeCluster   Scope = "cluster"
	ScopeNamespace Scope = "namespace"
)

// Wanted says for whom rights are worked out.
type Wanted struct {
	Commands []Command
	Scope    Scope
}

// Description is what is worked on. Rights are to bring it up from nothing, to keep and
// change it, and to remove all of it that is not protected; going from one description
// to another takes the rights of both.
type Description struct {
	Desired  plan.Desired
	Clusters []network.Cluster
	// Proxies are the description's, with the references of their credentials.
	Proxies []network.Proxy
	// Resources are the resources of the kinds of overlays' objects, by plan.GroupKind:
	// "deployments" for "Deployment.apps".
	Resources map[string]string
}

// Cluster is what one cluster has to allow. Its roles are sorted by namespace, that
// for the whole cluster first.
type Cluster struct {
	Name  network.ClusterName
	Roles []Role
}

// Role is what one ClusterRole (with an empty Namespace), or one Role, has to allow.
type Role struct {
	Namespace string
	Rules     []Rule
}

// Rule is one rule of RBAC. Lists are sorted; no Names means all names.
type Rule struct {
	Group     string
	Resources []string
	Verbs     []string
	Names     []string
	// Why says what it is for, in a line.
	Why string
}

// Of gives the rights that the descriptions take together: one entry for each cluster
// that any of them names, sorted. No part of it could be left out.
func Of(w Wanted, all ...Description) []Cluster {
	g := gatherer{Wanted: w, found: map[right]string{}}
	for _, d := range all {
		g.add(d)
	}
	var names []network.ClusterName
	for _, d := range all {
		for _, c := range d.Clusters {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	var out []Cluster
	for _, name := range slices.Compact(names) {
		out = append(out, Cluster{Name: name, Roles: g.roles(name)})
	}
	return out
}

// right is one verb on one resource; an empty name stands for all.
type right struct {
	cluster                                network.ClusterName
	namespace, group, resource, verb, name string
}

// gatherer gathers rights, each with the first reason for it.
type gatherer struct {
	Wanted
	found map[right]string
	// order lists the reasons as they came up.
	order []string
}

// place is where rights are gathered.
type place struct {
	cluster network.ClusterName
	// namespace is empty for the whole cluster.
	namespace string
}

// at is where rights in a namespace are given.
func (g *gatherer) at(cluster network.ClusterName, namespace string) place {
	if g.Scope == ScopeCluster {
		return place{cluster, ""}
	}
	return place{cluster, namespace}
}

// grant notes that verbs on a resource are needed, on objects of the names alone where
// there are any.
func (g *gatherer) grant(at place, why, group, resource string, verbs []string, names ...string) {
	if !slices.Contains(g.order, why) {
		g.order = append(g.order, why)
	}
	if len(names) == 0 {
		names = []string{""}
	}
	for _, verb := range verbs {
		for _, name := range names {
			r := right{at.cluster, at.namespace, group, resource, verb, name}
			if _, known := g.found[r]; !known {
				g.found[r] = why
			}
		}
	}
}

// covered reports whether a wider right includes this one.
func (g *gatherer) covered(r right) bool {
	for _, wide := range []right{
		{r.cluster, "", r.group, r.resource, r.verb, ""},
		{r.cluster, "", r.group, r.resource, r.verb, r.name},
		{r.cluster, r.namespace, r.group, r.resource, r.verb, ""},
	} {
		if _, ok := g.found[wide]; ok && wide != r {
			return true
		}
	}
	return false
}

// roles folds the rights on a cluster into roles.
func (g *gatherer) roles(cluster network.ClusterName) []Role {
	byNamespace := map[string][]right{}
	for r := range g.found {
		if r.cluster == cluster && !g.covered(r) {
			byNamespace[r.namespace] = append(byNamespace[r.namespace], r)
		}
	}
	var out []Role
	for namespace, list := range byNamespace {
		out = append(out, Role{Namespace: namespace, Rules: g.rules(list)})
	}
	slices.SortFunc(out, func(a, b Role) int { return cmp.Compare(a.Namespace, b.Namespace) })
	return out
}

// rules folds the rights of one role: verbs on the same names of a resource, and then
// resources with the same verbs, for the same reason.
func (g *gatherer) rules(list []right) []Rule {
	type verbOf struct{ why, group, resource, verb string }
	names := map[verbOf][]string{}
	for _, r := range list {
		k := verbOf{g.found[r], r.group, r.resource, r.verb}
		if r.name != "" || names[k] == nil {
			names[k] = append(names[k], r.name)
		}
	}
	var rules []Rule
	for k, n := range names {
		rules = append(rules, Rule{Group: k.group, Resources: []string{k.resource}, Verbs: []string{k.verb}, Names: sortedSet(n), Why: k.why})
	}
	same := func(a, b Rule) bool { return a.Why == b.Why && a.Group == b.Group && slices.Equal(a.Names, b.Names) }
	rules = fold(g.sorted(rules), func(a, b Rule) bool { return same(a, b) && slices.Equal(a.Resources, b.Resources) })
	return g.sorted(fold(rules, func(a, b Rule) bool { return same(a, b) && slices.Equal(a.Verbs, b.Verbs) }))
}

// fold merges each rule into the first before it that is like it.
func fold(rules []Rule, like func(a, b Rule) bool) []Rule {
	var out []Rule
	for _, r := range rules {
		i := slices.IndexFunc(out, func(o Rule) bool { return like(o, r) })
		if i < 0 {
			out = append(out, r)
			continue
		}
		out[i].Resources = sortedSet(append(out[i].Resources, r.Resources...))
		out[i].Verbs = sortedSet(append(out[i].Verbs, r.Verbs...))
	}
	return out
}

func (g *gatherer) sorted(rules []Rule) []Rule {
	slices.SortFunc(rules, func(a, b Rule) int {
		return cmp.Or(
			cmp.Compare(slices.Index(g.order, a.Why), slices.Index(g.order, b.Why)),
			cmp.Compare(a.Group, b.Group), slices.Compare(a.Resources, b.Resources),
			slices.Compare(a.Names, b.Names), slices.Compare(a.Verbs, b.Verbs))
	})
	return rules
}

// sortedSet sorts, and drops doubles and empty texts.
func sortedSet(list []string) []string {
	out := slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
	slices.Sort(out)
	return slices.Compact(out)
}
