package existing_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/existing"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/network"
)

var names = []string{"a", "a-1", "a-2", "a-r2", "x.y", "skupper-router", "my-site", "hub", "hub-1", strings.Repeat("n", 63), strings.Repeat("z", 253)}

// random makes clusters that were linked by hand in every way, sensible or not.
func random(r *rand.Rand) existing.Input {
	b := newBench()
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	var uids []string
	for _, cluster := range []string{"one", "two"} {
		for ns := range 1 + r.IntN(4) {
			fields := map[string]any{"linkAccess": pick([]string{"", "none", "default", "default", "route", "odd"}), "ha": r.IntN(2) == 0, "edge": r.IntN(5) == 0}
			s := b.site(fmt.Sprintf("%s/ns%d/%s", cluster, ns, pick(names)), fields, fmt.Sprintf("inter-router 10.0.0.%d:1", r.IntN(6)))
			s.Deleting, s.Ready = r.IntN(12) == 0, r.IntN(4) > 0
			if r.IntN(6) == 0 {
				s.Labels = labelled(plan.LabelSite, pick([]string{"hub", "a", "mine"}), pick([]string{"net", "other"}))
			}
			uids = append(uids, s.UID)
		}
	}
	for _, cluster := range []string{"one", "two"} {
		for ns := range 4 {
			used := map[string]bool{}
			for range r.IntN(6) {
				name := pick(names)
				if used[name] {
					continue
				}
				used[name] = true
				b.link(fmt.Sprintf("%s/ns%d/%s", cluster, ns, name), pick(append([]string{"", "gone"}, uids...)), int32(r.IntN(4)-1), func(l *world.LinkView) {
					l.TLSCredentials = pick([]string{"a", "hub", name})
					l.Endpoints = endpointsOf([]string{fmt.Sprintf("inter-router 10.0.0.%d:1", r.IntN(6))})
					if r.IntN(3) == 0 {
						l.OwnerUID = ""
					}
					if r.IntN(8) == 0 {
						l.Labels = labelled(plan.LabelLink, pick([]string{"a", "own"}), pick([]string{"net", "other"}))
					}
					if r.IntN(6) == 0 {
						l.Proxy = "corp"
					}
				})
			}
			if r.IntN(3) == 0 {
				b.view(cluster).Inventories = append(b.view(cluster).Inventories, world.InventoryView{
					Meta: world.Meta{Namespace: fmt.Sprintf("ns%d", ns)}, Content: recorded(pick)})
			}
			if r.IntN(2) == 0 {
				b.view(cluster).Proxies = append(b.view(cluster).Proxies, world.ProxyView{Meta: world.Meta{Namespace: fmt.Sprintf("ns%d", ns), Name: "corp"},
					Host: "proxy", Port: pick([]string{"80", "x"}), HasUsername: r.IntN(2) == 0})
			}
		}
	}
	return b.in
}

// recorded is an inventory that fits what is live, or not.
func recorded(pick func([]string) string) record.Inventory {
	link := func() record.Link {
		return record.Link{
			State: record.LinkApplied, To: network.SiteName(pick([]string{"hub", "a", "gone"})), ToCluster: network.ClusterName(pick([]string{"one", "two", "east"})),
			ToNamespace: pick([]string{"ns0", "ns1"}), Objects: []string{pick(names)}, Via: network.Via(pick([]string{"", "certificate"})),
			Proxy: network.ProxyName(pick([]string{"", "p", "corp"})), ProxySecret: "corp",
		}
	}
	proxy := func() record.Proxy {
		return record.Proxy{Secrets: map[string]record.ProxySettings{"corp": {Host: pick([]string{"h", "a/b"}), Port: pick([]string{"1", ""}), References: pick([]string{
			"", `username {"Env":"U"}`, `username {"Env":"U"} password {"File":"f"}`, "username {", `username {"Kubernetes":{"Cluster":"one","Namespace":"n","Name":"s","Key":"k"}}`,
		})}}}
	}
	return record.Inventory{
		Network: pick([]string{"net", "net", "other"}), Site: network.SiteName(pick([]string{"hub", "a", "mine"})),
		Links:   map[network.LinkName]record.Link{"a": link(), "own": link()},
		Proxies: map[network.ProxyName]record.Proxy{"p": proxy(), "corp": proxy()},
	}
}

// load writes a network as CUE and reads it back.
func load(t *testing.T, n network.Network) schema.Result {
	t.Helper()
	text, err := schema.Write(n, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := schema.Load(context.Background(), schema.Source{FS: fstest.MapFS{"network.cue": {Data: text}}, Dir: "."})
	if err != nil {
		t.Fatal(err)
	}
	if res.Findings.HasErrors() {
		t.Fatalf("what was found does not vet: %v\n%s", res.Findings, text)
	}
	return res
}

// Whatever lives on the clusters: the network vets, nothing is lost without a note,
// and the order in which things were listed does not matter.
func TestImportOfAnything(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		in := random(r)
		load(t, existing.Import(in).Network)
		in.Given = []network.ClusterName{"one", "two"} // names that notes keep
		got := existing.Import(in)
		load(t, got.Network)
		accounted(t, in, got)
		for i := range in.Observation.Clusters {
			c := &in.Observation.Clusters[i]
			r.Shuffle(len(c.Sites), func(i, j int) { c.Sites[i], c.Sites[j] = c.Sites[j], c.Sites[i] })
			r.Shuffle(len(c.Links), func(i, j int) { c.Links[i], c.Links[j] = c.Links[j], c.Links[i] })
		}
		if diff := cmp.Diff(got, existing.Import(in)); diff != "" {
			t.Fatalf("another order gives another result:\n%s", diff)
		}
	}
}

// accounted checks that each Site and Link is in the network or in a note.
func accounted(t *testing.T, in existing.Input, r existing.Result) {
	t.Helper()
	known := map[string]bool{}
	at := map[network.SiteName]network.Site{}
	for _, n := range r.LeftOut {
		known[n.Subject] = true
	}
	for _, s := range r.Network.Sites {
		at[s.Name] = s
		known[fmt.Sprintf("Site %s/%s on cluster %s", s.Namespace, s.Object, s.Cluster)] = true
	}
	owned := map[string]bool{}
	for _, l := range r.Network.Links {
		for _, object := range network.LinkObjectNames(l.Object) {
			known[fmt.Sprintf("Link %s/%s on cluster %s", at[l.From].Namespace, object, at[l.From].Cluster)] = true
		}
		owned[string(l.Name)] = true
	}
	for _, c := range in.Observation.Clusters {
		for _, s := range c.Sites {
			if name := fmt.Sprintf("Site %s/%s on cluster %s", s.Namespace, s.Name, c.Name); !known[name] {
				t.Errorf("%s is lost", name)
			}
		}
		for _, l := range c.Links {
			name := fmt.Sprintf("Link %s/%s on cluster %s", l.Namespace, l.Name, c.Name)
			foreign := l.Labels[plan.LabelNetwork] == "other"
			if !known[name] && !foreign && !owned[l.Labels[plan.LabelLink]] {
				t.Errorf("%s is lost", name)
			}
		}
	}
}

// A network of Sites and Links that were made in the usual way is taken over as it
// is: the plan of what was found has adoptions and nothing else.
func TestPlanOfAnImportOnlyAdopts(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.site("one/hub/hub", map[string]any{"linkAccess": "default", "settings.router-data-connection-count": "4"})
	b.site("two/shop/shop", map[string]any{"linkAccess": "", "ha": false})
	b.site("two/kiosk/kiosk", map[string]any{"edge": true})
	b.link("two/shop/shop-hub", "one/hub/hub", 7)
	b.link("two/kiosk/token-2", "one/hub/hub", 0)
	for i := range b.in.Observation.Clusters {
		c := &b.in.Observation.Clusters[i]
		for _, l := range c.Links {
			c.Secrets = append(c.Secrets, world.SecretView{Meta: world.Meta{Namespace: l.Namespace, Name: l.TLSCredentials, OwnerUID: l.OwnerUID}})
		}
	}
	got := existing.Import(b.in)
	p := planner.Make(planner.Input{Desired: desired.Build(load(t, got.Network).Network), Observation: b.in.Observation, Adopt: true})
	if len(p.Refusals) > 0 || len(p.Actions) != 5 {
		t.Errorf("refusals %v, %d actions", p.Refusals, len(p.Actions))
	}
	for _, a := range p.Actions {
		if a.Verb != plan.VerbAdopt || len(a.Fields) > 0 {
			t.Errorf("%s: %s %v", a.ID, a.Verb, a.Fields)
		}
	}
}
