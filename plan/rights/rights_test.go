package rights_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/rights"
	"fairlead.dev/fairlead/schema/network"
)

// random makes up a description over two clusters, some of whose namespaces are also
// those of locks and of Secrets that it refers to.
func random(r *rand.Rand) rights.Description {
	n := network.Network{Name: "net", Clusters: []network.Cluster{{Name: "a"}, {Name: "b", LockNamespace: "ns1"}}}
	for i := range 1 + r.IntN(5) {
		n.Sites = append(n.Sites, network.Site{
			Name: network.SiteName(fmt.Sprintf("s%d", i)), Cluster: []network.ClusterName{"a", "b"}[r.IntN(2)], Namespace: fmt.Sprintf("ns%d", i),
			LinkAccess: []string{"default", "none"}[r.IntN(2)], HA: r.IntN(2) == 0, Protect: r.IntN(2) == 0,
		})
	}
	ref := &network.SecretRef{Kubernetes: &network.SecretKey{Cluster: "a", Namespace: "ns1", Name: "secret", Key: "k"}}
	n.Proxies = []network.Proxy{{Name: "p", Host: "h", Port: 1, Username: ref}}
	for i := range r.IntN(6) {
		from, to := n.Sites[r.IntN(len(n.Sites))], n.Sites[r.IntN(len(n.Sites))]
		l := network.Link{Name: network.LinkName(fmt.Sprintf("l%d", i)), From: from.Name, To: to.Name, Via: network.ViaToken}
		if r.IntN(2) == 0 {
			l.Via, l.Proxy = network.ViaCertificate, []network.ProxyName{"", "p"}[r.IntN(2)]
		}
		n.Links = append(n.Links, l)
	}
	d := desired.Build(n)
	for _, s := range n.Sites {
		if r.IntN(2) == 0 {
			d.Objects = append(d.Objects, plan.DesiredObject{Site: s.Name, Cluster: s.Cluster, Namespace: s.Namespace, APIVersion: "v1", Kind: "ConfigMap", Name: "conf"})
		}
	}
	return rights.Description{Desired: d, Clusters: n.Clusters, Proxies: n.Proxies, Resources: map[string]string{"ConfigMap": "configmaps"}}
}

// one is a single right of what was given: a verb on a name of a resource.
type one struct{ namespace, group, resource, verb, name string }

func ones(c rights.Cluster) (out []one) {
	for _, role := range c.Roles {
		for _, rule := range role.Rules {
			names := rule.Names
			if len(names) == 0 {
				names = []string{""}
			}
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					for _, name := range names {
						out = append(out, one{role.Namespace, rule.Group, resource, verb, name})
					}
				}
			}
		}
	}
	return out
}

// has reports whether rights, some of which may be wider, include one.
func has(list []one, o one) bool {
	return slices.ContainsFunc(list, func(w one) bool {
		return w.group == o.group && w.resource == o.resource && w.verb == o.verb &&
			(w.namespace == "" || w.namespace == o.namespace) && (w.name == "" || w.name == o.name)
	})
}

// No right includes another, the same input gives the same rights, the rights of
// several commands and descriptions are those of each, and each rule says why.
func TestRights(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		first, second := random(r), random(r)
		for _, scope := range []rights.Scope{rights.ScopeCluster, rights.ScopeNamespace} {
			all := rights.Of(rights.Wanted{Commands: rights.Commands, Scope: scope}, first, second)
			if diff := cmp.Diff(all, rights.Of(rights.Wanted{Commands: rights.Commands, Scope: scope}, first, second)); diff != "" {
				t.Fatalf("seed %d: another time it is another\n%s", seed, diff)
			}
			for _, c := range all {
				list := ones(c)
				for i, o := range list {
					if has(slices.Delete(slices.Clone(list), i, i+1), o) {
						t.Fatalf("seed %d: %+v is given twice in\n%+v", seed, o, c)
					}
				}
				checkRules(t, c, scope)
			}
			for _, command := range rights.Commands {
				for _, d := range []rights.Description{first, second} {
					for i, c := range rights.Of(rights.Wanted{Commands: []rights.Command{command}, Scope: scope}, d) {
						for _, o := range ones(c) {
							if !has(ones(all[i]), o) {
								t.Fatalf("seed %d: %s needs %+v, which is missing in\n%+v", seed, command, o, all[i])
							}
						}
					}
				}
			}
		}
	}
}

// checkRules checks what every role has to be like.
func checkRules(t *testing.T, c rights.Cluster, scope rights.Scope) {
	t.Helper()
	for _, role := range c.Roles {
		if role.Namespace == "" && scope == rights.ScopeNamespace {
			t.Fatalf("a right across the cluster: %+v", role)
		}
		for _, rule := range role.Rules {
			made := slices.Contains(rule.Verbs, "create") || slices.Contains(rule.Verbs, "deletecollection")
			if rule.Why == "" || len(rule.Verbs) == 0 || len(rule.Resources) == 0 || made && len(rule.Names) > 0 {
				t.Fatalf("rule %+v", rule)
			}
			if slices.Contains(rule.Verbs, "*") || slices.Contains(rule.Resources, "*") {
				t.Fatalf("rule %+v", rule)
			}
		}
	}
}
