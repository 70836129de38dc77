package topology_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/network"
)

// net makes a network of sites and links in short: "a b* hub!" are a site, an edge
// site and a listening site; "a-hub" is a link.
func net(sites, links string) network.Network {
	var n network.Network
	for s := range strings.FieldsSeq(sites) {
		site := network.Site{Name: network.SiteName(strings.Trim(s, "*!")), Edge: strings.HasSuffix(s, "*")}
		if strings.HasSuffix(s, "!") {
			site.LinkAccess = "default"
		}
		n.Sites = append(n.Sites, site)
	}
	for l := range strings.FieldsSeq(links) {
		from, to, _ := strings.Cut(l, "-")
		n.Links = append(n.Links, network.Link{Name: network.LinkName(l), From: network.SiteName(from), To: network.SiteName(to)})
	}
	return n
}

func TestOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		net  network.Network
		want [][]network.SiteName
	}{
		"empty":                     {net("", ""), [][]network.SiteName{}},
		"no links":                  {net("b a", ""), [][]network.SiteName{{"a"}, {"b"}}},
		"chain":                     {net("c b a", "a-b b-c"), [][]network.SiteName{{"a", "b", "c"}}},
		"largest first":             {net("a b c", "c-b"), [][]network.SiteName{{"b", "c"}, {"a"}}},
		"edge is a leaf":            {net("a e*", "e-a"), [][]network.SiteName{{"a", "e"}}},
		"edge joins nothing":        {net("a b e*", "e-a e-b"), [][]network.SiteName{{"a", "e"}, {"b", "e"}}},
		"edge twice in one":         {net("a b e*", "e-a e-b a-b"), [][]network.SiteName{{"a", "b", "e"}}},
		"edge alone":                {net("a e*", ""), [][]network.SiteName{{"a"}, {"e"}}},
		"edge to edge":              {net("d* e*", "d-e"), [][]network.SiteName{{"d"}, {"e"}}},
		"link to an unknown":        {net("a", "a-x x-a"), [][]network.SiteName{{"a"}}},
		"edge with unknown and own": {net("e*", "e-x e-e"), [][]network.SiteName{{"e"}}},
	} {
		want := topology.Facts{Components: test.want, Sites: len(test.net.Sites), Links: len(test.net.Links)}
		if diff := cmp.Diff(want, topology.Of(test.net)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEffects(t *testing.T) {
	t.Parallel()
	hub := net("hub! north south east* new", "north-hub south-hub east-hub")
	for name, test := range map[string]struct {
		before, after network.Network
		want          []string
	}{
		"nothing": {hub, hub, nil},
		"two sites": {net("hub! north", "north-hub"), net("hub! north", ""), []string{
			"high connection-lost north loses its last path to hub [north]",
			"medium links-removed 1 link is removed: north-hub [hub north]",
		}},
		"one of many": {hub, net("hub! north south east* new", "south-hub east-hub"), []string{
			"high connection-lost north loses its last path to east, hub and south [north]",
			"medium links-removed 1 link is removed: north-hub [hub north]",
		}},
		"half of many": {net("a b c d e", "a-b b-c c-d d-e"), net("a b c d e", "a-b c-d d-e"), []string{
			"high connection-lost a and b lose their last path to c, d and e [a b]",
			"medium links-removed 1 link is removed: b-c [b c]",
		}},
		"redundant link": {net("a b c", "a-b b-c c-a"), net("a b c", "a-b b-c"), []string{
			"medium links-removed 1 link is removed: c-a [a c]",
		}},
		"removed site": {hub, net("hub! north south new", "north-hub south-hub"), []string{
			"medium sites-removed 1 site is removed: east [east]",
			"medium links-removed 1 link is removed: east-hub [east hub]",
		}},
		"site that others passed": {net("a m b", "a-m m-b"), net("a b", ""), []string{
			"high connection-lost a loses its last path to b [a]",
			"medium sites-removed 1 site is removed: m [m]",
			"medium links-removed 2 links are removed: a-m and m-b [a b m]",
		}},
		"site becomes edge": {net("a m b", "a-m m-b"), net("a m* b", "a-m m-b"), []string{
			"high connection-lost a loses its last path to b [a]",
		}},
		"gained": {hub, net("hub! north south east* new", "north-hub south-hub east-hub new-hub"), []string{
			"low connection-gained new gains a path to east, hub, north and 1 more [new]",
			"low links-added 1 link is added: new-hub [hub new]",
		}},
		"moved link": {net("a b c", "a-b"), func() network.Network {
			n := net("a b c", "a-b")
			n.Links[0].To = "c"
			return n
		}(), []string{
			"high connection-lost a loses its last path to b [a]",
			"medium links-removed 1 link is removed: a-b [a b]",
			"low connection-gained a gains a path to c [a]",
			"low links-added 1 link is added: a-b [a c]",
		}},
		"first description": {net("", ""), net("a b c d", "a-b"), []string{
			"low sites-added 4 sites are added: a, b, c and 1 more [a b c d]",
			"low links-added 1 link is added: a-b [a b]",
		}},
	} {
		var got []string
		for _, e := range topology.Effects(test.before, test.after) {
			got = append(got, fmt.Sprint(e.Severity, " ", e.Code, " ", e.Message, " ", e.Sites))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestJSONListsAreNeverNull(t *testing.T) {
	t.Parallel()
	for _, v := range []any{topology.Of(network.Network{}), topology.Effects(network.Network{}, network.Network{})} {
		out, err := json.Marshal(v)
		if err != nil || strings.Contains(string(out), "null") {
			t.Errorf("got %s, %v", out, err)
		}
	}
}

// reach walks from a site through sites that do transit.
func reach(n network.Network, from network.SiteName) map[network.SiteName]bool {
	edge := map[network.SiteName]bool{}
	for _, s := range n.Sites {
		edge[s.Name] = s.Edge
	}
	seen := map[network.SiteName]bool{from: true}
	for queue := []network.SiteName{from}; len(queue) > 0; queue = queue[1:] {
		if edge[queue[0]] && queue[0] != from {
			continue
		}
		for _, l := range n.Links {
			for _, ends := range [][2]network.SiteName{{l.From, l.To}, {l.To, l.From}} {
				if ends[0] == queue[0] && !seen[ends[1]] && !(edge[l.From] && edge[l.To]) {
					seen[ends[1]] = true
					queue = append(queue, ends[1])
				}
			}
		}
	}
	return seen
}

func random(r *rand.Rand) network.Network {
	var sites, links []string
	count := 1 + r.IntN(9)
	for i := range count {
		mark := ""
		if r.IntN(4) == 0 {
			mark = "*"
		}
		if r.IntN(8) > 0 {
			sites = append(sites, fmt.Sprintf("s%d%s", i, mark))
		}
	}
	for range r.IntN(count + 2) {
		a, b := r.IntN(count), r.IntN(count)
		if present(sites, a) && present(sites, b) {
			links = append(links, fmt.Sprintf("s%d-s%d", a, b))
		}
	}
	r.Shuffle(len(sites), func(i, j int) { sites[i], sites[j] = sites[j], sites[i] })
	return net(strings.Join(sites, " "), strings.Join(links, " "))
}

func present(sites []string, i int) bool {
	name := fmt.Sprintf("s%d", i)
	return slices.Contains(sites, name) || slices.Contains(sites, name+"*")
}

func TestAgainstBruteForce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		before, after := random(r), random(r)
		checkComponents(t, before)
		checkPairs(t, before, after)
		checkLost(t, before, after)
		if t.Failed() {
			t.Fatalf("before %v %v\nafter %v %v", before.Sites, before.Links, after.Sites, after.Links)
		}
	}
}

func checkComponents(t *testing.T, n network.Network) {
	t.Helper()
	together := map[[2]network.SiteName]bool{}
	for _, c := range topology.Of(n).Components {
		for _, a := range c {
			for _, b := range c {
				together[[2]network.SiteName{a, b}] = true
			}
		}
	}
	for _, a := range n.Sites {
		reached := reach(n, a.Name)
		for _, b := range n.Sites {
			if reached[b.Name] != together[[2]network.SiteName{a.Name, b.Name}] {
				t.Errorf("%s and %s: reached %v", a.Name, b.Name, reached[b.Name])
			}
		}
	}
}

// checkPairs: whoever speaks has a changed pair, and every changed pair has an end
// that speaks.
func checkPairs(t *testing.T, before, after network.Network) {
	t.Helper()
	speaks := map[string]map[network.SiteName]bool{topology.ConnectionLost: {}, topology.ConnectionGained: {}}
	for _, e := range topology.Effects(before, after) {
		for _, s := range e.Sites {
			if speaks[e.Code] != nil {
				speaks[e.Code][s] = true
			}
		}
	}
	entitled := map[string]map[network.SiteName]bool{topology.ConnectionLost: {}, topology.ConnectionGained: {}}
	for _, a := range both(before, after) {
		was, is := reach(before, a), reach(after, a)
		for _, b := range both(before, after) {
			code := topology.ConnectionLost
			if is[b] {
				code = topology.ConnectionGained
			}
			if was[b] == is[b] {
				continue
			}
			entitled[code][a], entitled[code][b] = true, true
			if !speaks[code][a] && !speaks[code][b] {
				t.Errorf("%s of %s and %s is not told", code, a, b)
			}
		}
	}
	for code, sites := range speaks {
		for s := range sites {
			if !entitled[code][s] {
				t.Errorf("%s of %s is told, but is not so", code, s)
			}
		}
	}
}

// checkLost: the pairs that are counted are those that a search finds.
func checkLost(t *testing.T, before, after network.Network) {
	t.Helper()
	want := 0
	sites := both(before, after)
	for i, a := range sites {
		was, is := reach(before, a), reach(after, a)
		for _, b := range sites[i+1:] {
			if was[b] && !is[b] {
				want++
			}
		}
	}
	if got := topology.Lost(before, after); got != want {
		t.Errorf("%d pairs are lost, want %d", got, want)
	}
}

func both(before, after network.Network) []network.SiteName {
	var out []network.SiteName
	for _, s := range before.Sites {
		if slices.ContainsFunc(after.Sites, func(o network.Site) bool { return o.Name == s.Name }) {
			out = append(out, s.Name)
		}
	}
	return out
}

func BenchmarkEffects(b *testing.B) {
	var sites, links []string
	for i := range 1000 {
		sites = append(sites, fmt.Sprintf("s%04d", i))
		links = append(links, fmt.Sprintf("s%04d-s%04d", i, i/2))
	}
	before, after := net(strings.Join(sites, " "), strings.Join(links, " ")), net(strings.Join(sites, " "), "")
	for b.Loop() {
		topology.Effects(before, after)
	}
}
