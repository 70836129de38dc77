package planner_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// narrow is what of an observation the right to read some namespaces alone shows.
func narrow(o world.Observation, read map[network.ClusterName][]string) world.Observation {
	out := world.Observation{Clusters: slices.Clone(o.Clusters)}
	for i := range out.Clusters {
		v := &out.Clusters[i]
		v.Read = append([]string{}, read[v.Name]...)
		v.Sites = kept(*v, v.Sites, func(o world.SiteView) world.Meta { return o.Meta })
		v.Links = kept(*v, v.Links, func(o world.LinkView) world.Meta { return o.Meta })
		v.Grants = kept(*v, v.Grants, func(o world.GrantView) world.Meta { return o.Meta })
		v.Tokens = kept(*v, v.Tokens, func(o world.TokenView) world.Meta { return o.Meta })
		v.Secrets = kept(*v, v.Secrets, func(o world.SecretView) world.Meta { return o.Meta })
		v.Inventories = kept(*v, v.Inventories, func(o world.InventoryView) world.Meta { return o.Meta })
		v.Accesses = kept(*v, v.Accesses, func(o world.AccessView) world.Meta { return o.Meta })
		v.Certificates = kept(*v, v.Certificates, func(o world.CertificateView) world.Meta { return o.Meta })
		v.Proxies = kept(*v, v.Proxies, func(o world.ProxyView) world.Meta { return o.Meta })
		v.Objects = kept(*v, v.Objects, func(o world.ObjectView) world.Meta { return o.Meta })
	}
	return out
}

func kept[T any](v world.ClusterView, list []T, meta func(T) world.Meta) []T {
	return slices.DeleteFunc(slices.Clone(list), func(o T) bool { return !v.HasRead(meta(o).Namespace) })
}

// places are the namespaces in which the network has, had or wants a site.
func (m *model) places(n network.Network) map[network.ClusterName][]string {
	out := map[network.ClusterName][]string{}
	for _, s := range n.Sites {
		out[s.Cluster] = append(out[s.Cluster], s.Namespace)
	}
	for i := range 7 { // those of random networks
		for _, c := range m.obs.Clusters {
			out[c.Name] = append(out[c.Name], fmt.Sprintf("ns%d", i))
		}
	}
	return out
}

// Who may read the network's namespaces alone plans as who may read everything; who
// may read fewer plans nothing about the others, and nothing that is not planned
// with all rights.
func TestNarrowPlans(t *testing.T) {
	t.Parallel()
	told := 0
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 7))
		m := newModel(t, "net", "a", "b")
		m.digest = "d1"
		for range 3 {
			n := randomNetwork(r)
			for range r.IntN(3) {
				m.meddle(r)
			}
			make := func(o world.Observation) plan.Plan {
				return planner.Make(planner.Input{Desired: m.wanted(n), Observation: o, Adopt: true})
			}
			wide := make(m.obs)
			if all := make(narrow(m.obs, m.places(n))); all.ID != wide.ID {
				t.Fatalf("seed %d: with the right to read all of the network's namespaces\n%s\nwith all rights\n%s", seed, dump(all), dump(wide))
			}
			told += m.checkNarrow(t, seed, n, make, wide)
			if len(wide.Refusals) > 0 {
				break
			}
			m.run(wide)
		}
	}
	if told == 0 {
		t.Error("no plan told of a namespace that was not read")
	}
}

// checkNarrow plans with the described namespaces alone.
func (m *model) checkNarrow(t *testing.T, seed uint64, n network.Network, make func(world.Observation) plan.Plan, wide plan.Plan) (told int) {
	t.Helper()
	declared := map[network.ClusterName][]string{}
	for _, s := range n.Sites {
		declared[s.Cluster] = append(declared[s.Cluster], s.Namespace)
	}
	planned := map[string]bool{}
	for _, a := range wide.Actions {
		planned[fmt.Sprint(a.Kind, a.Cluster, a.Namespace, a.Name)] = true
		planned[fmt.Sprint(a.Kind, a.Verb, a.Name)] = true
	}
	p := make(narrow(m.obs, declared))
	for _, a := range p.Actions {
		if !slices.Contains(declared[a.Cluster], a.Namespace) {
			t.Fatalf("seed %d: %s is planned in a namespace that was not read:\n%s", seed, a.ID, dump(p))
		}
		// What a link left at its listening end goes by itself where nobody sees the other.
		sameLink := a.Kind == plan.KindLink && a.Verb == plan.VerbDelete && planned[fmt.Sprint(a.Kind, a.Verb, a.Name)]
		if !sameLink && !planned[fmt.Sprint(a.Kind, a.Cluster, a.Namespace, a.Name)] {
			t.Fatalf("seed %d: %s is not planned with all rights:\n%s\n%s", seed, a.ID, dump(p), dump(wide))
		}
		if a.Link == nil {
			continue
		}
		for _, o := range a.Link.Remove {
			if !slices.Contains(declared[o.Cluster], o.Namespace) {
				t.Fatalf("seed %d: %s removes %s, which was not read", seed, a.ID, o)
			}
		}
	}
	for _, f := range p.Diagnostics {
		if f.Code == "namespace-unread" {
			told++
		}
	}
	return told
}

// A namespace that the Lease names and nobody may read is told of.
func TestDeniedNamespace(t *testing.T) {
	t.Parallel()
	m := newModel(t, "net", "a")
	m.cluster("a").Read, m.cluster("a").Denied = []string{"ns0"}, []string{"old"}
	p := planner.Make(planner.Input{Desired: m.wanted(network.Network{Name: "net", Clusters: []network.Cluster{{Name: "a"}}}), Observation: m.obs})
	if p.Summary.Unknown != 1 || len(p.Diagnostics) != 1 || !strings.Contains(p.Diagnostics[0].Subject, "namespace old of cluster a") {
		t.Errorf("unknown %d, %v", p.Summary.Unknown, p.Diagnostics)
	}
}
