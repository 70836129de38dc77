package topology_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/network"
)

// costly makes a network in which "a-b=3" is a link at a cost, and "x:a-b" one with a
// name of its own.
func costly(sites, links string) network.Network {
	n := net(sites, "")
	for text := range strings.FieldsSeq(links) {
		l := network.Link{Cost: 1}
		text, cost, _ := strings.Cut(text, "=")
		if cost != "" {
			fmt.Sscan(cost, &l.Cost)
		}
		l.Name = network.LinkName(text)
		if name, ends, named := strings.Cut(text, ":"); named {
			l.Name, text = network.LinkName(name), ends
		}
		from, to, _ := strings.Cut(text, "-")
		l.From, l.To = network.SiteName(from), network.SiteName(to)
		n.Links = append(n.Links, l)
	}
	return n
}

func numbered(prefix string, count int) []string {
	var out []string
	for i := range count {
		out = append(out, fmt.Sprintf("%s%d", prefix, i+1))
	}
	return out
}

// retail is a hub and a dear backup for some shops.
func retail(shops int, hub bool) network.Network {
	sites, links := "backup! hub!", "backup-hub=99999"
	if !hub {
		sites, links = "backup!", ""
	}
	for _, s := range numbered("shop", shops) {
		sites += " " + s
		links += fmt.Sprintf(" %s-backup=99999", s)
		if hub {
			links += fmt.Sprintf(" %s-hub", s)
		}
	}
	return costly(sites, links)
}

func TestCompare(t *testing.T) {
	t.Parallel()
	star := numbered("n", 12)
	spokes := func(to string) string { return strings.Join(star, "-"+to+" ") + "-" + to }
	twoHubs := costly("hub! two! "+strings.Join(star, " "), spokes("hub")+" "+strings.ReplaceAll(spokes("two"), "-two", "-two=1")+" hub-two")
	oneHub := costly("hub! two! "+strings.Join(star, " "), spokes("hub")+" hub-two")
	ring := func(n int, closed bool) network.Network {
		names := numbered("r", n)
		var links []string
		for i := range n - 1 {
			links = append(links, names[i]+"-"+names[i+1])
		}
		if closed {
			links = append(links, names[n-1]+"-"+names[0])
		}
		return costly(strings.Join(names, " "), strings.Join(links, " "))
	}
	for name, test := range map[string]struct {
		before, after network.Network
		want          []string
	}{
		"nothing": {twoHubs, twoHubs, nil},
		"first description": {network.Network{}, costly("hub! a b", "a-hub b-hub"), []string{
			"low sites-added 3 sites are added: a, b and hub [a b hub] []",
			"low links-added 2 links are added: a-hub and b-hub [a b hub] [a-hub b-hub]",
		}},
		"last path": {costly("hub! north", "north-hub"), costly("hub! north", ""), []string{
			"high connection-lost north loses its last path to hub [north] []",
			"medium links-removed 1 link is removed: north-hub [hub north] [north-hub]",
		}},
		"cost": {costly("hub! backup! shop7", "shop7-backup shop7-hub hub-backup"), costly("hub! backup! shop7", "shop7-backup=3 shop7-hub=2 hub-backup"), []string{
			"medium cost-raised path cost of shop7 to backup now 3, was 1 [backup shop7] []",
			"medium cost-raised path cost of shop7 to hub now 2, was 1 [hub shop7] []",
			"low ties-gained shop7 to backup now has several cheapest paths [backup shop7] []",
		}},
		"cheaper": {costly("a! b", "b-a=7"), costly("a! b", "b-a=3"), []string{
			"low cost-lowered path cost of b to a now 3, was 7 [a b] []",
		}},
		"second hub goes": {twoHubs, oneHub, []string{
			"medium single-point-gained hub becomes a single point of failure for 13 sites: n1, n10, n11 and 10 more [hub n1 n10 n11 n12 n2 n3 n4 n5 n6 n7 n8 n9 two] []",
			"medium only-path-gained 13 sites now hang on one link each: n1, n10, n11 and 10 more [n1 n10 n11 n12 n2 n3 n4 n5 n6 n7 n8 n9 two] [hub-two n1-hub n10-hub n11-hub n12-hub n2-hub n3-hub n4-hub n5-hub n6-hub n7-hub n8-hub n9-hub]",
			"medium cost-raised path cost of n1, n10, n11 and 9 more to two now 2 over hub, was 1 directly [n1 n10 n11 n12 n2 n3 n4 n5 n6 n7 n8 n9 two] []",
			"medium links-removed 12 links are removed: n1-two, n10-two, n11-two and 9 more [n1 n10 n11 n12 n2 n3 n4 n5 n6 n7 n8 n9 two] [n1-two n10-two n11-two n12-two n2-two n3-two n4-two n5-two n6-two n7-two n8-two n9-two]",
		}},
		"second hub comes": {costly("hub! a b", "a-hub b-hub"), costly("hub! two! a b", "a-hub b-hub a-two b-two"), []string{
			"low single-point-lost hub is no longer a single point of failure for 2 sites: a and b [a b hub] []",
			"low only-path-lost link a-hub is no longer the only path of a [a] [a-hub]",
			"low only-path-lost link b-hub is no longer the only path of b [b] [b-hub]",
			"low ties-gained a to b now has several cheapest paths [a b] []",
			"low sites-added 1 site is added: two [two] []",
			"low links-added 2 links are added: a-two and b-two [a b two] [a-two b-two]",
		}},
		"hub under another name": {costly("hub! a b", "a-hub b-hub"), costly("two! a b", "a-two b-two"), []string{
			"medium sites-removed 1 site is removed: hub [hub] []",
			"medium links-removed 2 links are removed: a-hub and b-hub [a b hub] [a-hub b-hub]",
			"low sites-added 1 site is added: two [two] []",
			"low links-added 2 links are added: a-two and b-two [a b two] [a-two b-two]",
		}},
		"another shop": {costly("hub! a b", "a-hub b-hub"), costly("hub! a b c", "a-hub b-hub c-hub"), []string{
			"low sites-added 1 site is added: c [c] []",
			"low links-added 1 link is added: c-hub [c hub] [c-hub]",
		}},
		"a branch loses its second way": {
			costly("m1! m2! m3! m4! m5! gate! x y", "m1-m2 m2-m3 m3-m4 m4-m5 m5-m1 m1-m3 gate-m1 gate-m4 x-gate y-gate"),
			costly("m1! m2! m3! m4! m5! gate! x y", "m1-m2 m2-m3 m3-m4 m4-m5 m5-m1 m1-m3 gate-m1 x-gate y-gate"), []string{
				"medium single-point-gained m1 becomes a single point of failure for 3 sites: gate, x and y [gate m1 x y] []",
				"medium only-path-gained link gate-m1 becomes the only path of gate, x and y [gate x y] [gate-m1]",
				"medium cost-raised path cost of x and y to m4 now 4, was 2 [m4 x y] []",
				"medium cost-raised path cost of gate to m4 now 3, was 1 [gate m4] []",
				"medium links-removed 1 link is removed: gate-m4 [gate m4] [gate-m4]",
				"low ties-gained gate, x and y to m4 now have several cheapest paths [gate m4 x y] []",
			}},
		"standby": {costly("a! b", "x:a-b y:a-b=2"), costly("a! b", "x:a-b"), []string{
			"medium only-path-gained link x becomes the only path of a and b [a b] [x]",
			"medium links-removed 1 link is removed: y [a b] [y]",
		}},
		"standby is added": {costly("a! b", "x:a-b"), costly("a! b", "x:a-b y:a-b=2"), []string{
			"low only-path-lost link x is no longer the only path of a and b [a b] [x]",
			"low links-unused 1 link is on no cheapest path now, and used only when others fail: y [] [y]",
			"low links-added 1 link is added: y [a b] [y]",
		}},
		"a link comes into use": {costly("a! b! c!", "a-b=9 b-c a-c"), costly("a! b! c!", "a-b=2 b-c a-c"), []string{
			"low ties-gained a to b now has several cheapest paths [a b] []",
			"low links-used 1 link comes into use: a-b [] [a-b]",
		}},
		"hub of a retailer": {retail(50, true), retail(50, false), []string{
			"medium single-point-gained backup becomes a single point of failure for 50 sites: shop1, shop10, shop11 and 47 more",
			"medium only-path-gained 50 sites now hang on one link each: shop1, shop10, shop11 and 47 more",
			"medium cost-raised path cost of 1225 pairs of sites now 199998 over backup, was 2 over hub: shop1 to shop10, shop1 to shop11, shop1 to shop12 and 1222 more",
			"medium sites-removed 1 site is removed: hub",
			"medium links-removed 51 links are removed: backup-hub, shop1-hub, shop10-hub and 48 more",
		}},
		"ring is opened": {ring(16, true), ring(16, false), []string{
			"medium single-point-gained r8 becomes a single point of failure for 7 sites: r1, r2, r3 and 4 more",
			"medium single-point-gained r9 becomes a single point of failure for 7 sites: r10, r11, r12 and 4 more",
			"medium single-point-gained r10 becomes a single point of failure for 6 sites: r11, r12, r13 and 3 more",
			"medium single-point-gained r7 becomes a single point of failure for 6 sites: r1, r2, r3 and 3 more",
			"medium single-point-gained r11 becomes a single point of failure for 5 sites: r12, r13, r14 and 2 more",
			"medium single-point-gained 9 more sites become single points of failure: r12, r13, r14 and 6 more",
			"medium only-path-gained link r8-r9 becomes the only path of r1, r10, r11 and 13 more",
			"medium only-path-gained link r7-r8 becomes the only path of r1, r2, r3 and 4 more",
			"medium only-path-gained link r9-r10 becomes the only path of r10, r11, r12 and 4 more",
			"medium only-path-gained link r10-r11 becomes the only path of r11, r12, r13 and 3 more",
			"medium only-path-gained link r6-r7 becomes the only path of r1, r2, r3 and 3 more",
			"medium only-path-gained 10 more links become only paths: r1-r2, r11-r12, r12-r13 and 7 more",
			"medium cost-raised path cost of 7 pairs of sites now 9, was 7: r1 to r10, r11 to r2, r12 to r3 and 4 more",
			"medium cost-raised path cost of 6 pairs of sites now 10, was 6: r1 to r11, r12 to r2, r13 to r3 and 3 more",
			"medium cost-raised path cost of 5 pairs of sites now 11, was 5: r1 to r12, r13 to r2, r14 to r3 and 2 more",
			"medium cost-raised path cost of 4 pairs of sites now 12, was 4: r1 to r13, r14 to r2, r15 to r3 and 1 more",
			"medium cost-raised path cost of 3 pairs of sites now 13, was 3: r1 to r14, r15 to r2, r16 to r3",
			"medium cost-raised path cost of 3 more pairs of sites is dearer by 12 to 14",
			"medium links-removed 1 link is removed: r16-r1",
		}},
	} {
		var got []string
		for _, e := range topology.Compare(test.before, test.after) {
			line := fmt.Sprint(e.Severity, " ", e.Code, " ", e.Message, " ", e.Sites, " ", e.Links)
			if len(test.want) > len(got) && !strings.HasSuffix(test.want[len(got)], "]") {
				line = fmt.Sprint(e.Severity, " ", e.Code, " ", e.Message)
			}
			got = append(got, line)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCompareOfTooManySites(t *testing.T) {
	t.Parallel()
	before, after := retail(topology.MostCompared, true), retail(topology.MostCompared, false)
	got := topology.Compare(before, after)
	if last := got[len(got)-1]; last.Code != topology.PathsNotCompared || len(got) != len(topology.Effects(before, after))+1 {
		t.Errorf("%+v", last)
	}
}

// checkRedundancy: a part that both networks have is told of exactly when some site
// comes to hang on it, or does so no longer, judged by the pairs that stay connected.
func checkRedundancy(t *testing.T, before, after network.Network) {
	t.Helper()
	told := map[string]map[string]bool{topology.SinglePointGained: {}, topology.OnlyPathGained: {}, topology.SinglePointLost: {}, topology.OnlyPathLost: {}}
	for _, e := range topology.Compare(before, after) {
		if told[e.Code] == nil {
			continue
		}
		for _, s := range e.Sites {
			told[e.Code][string(s)] = true
		}
		for _, l := range e.Links {
			told[e.Code][string(l)] = true
		}
	}
	was, is := floydWarshall(before), floydWarshall(after)
	for _, s := range both(before, after) {
		old := hangers(was, is, floydWarshall(withoutSite(before, s)), s)
		now := hangers(was, is, floydWarshall(withoutSite(after, s)), s)
		checkHangers(t, string(s), old, now, told[topology.SinglePointGained], told[topology.SinglePointLost])
	}
	for _, l := range after.Links {
		stays := slices.ContainsFunc(before.Links, func(o network.Link) bool { return o.Name == l.Name && o.From == l.From && o.To == l.To })
		if !stays || !joins(before, l) || !joins(after, l) {
			continue
		}
		old := hangers(was, is, floydWarshall(withoutLink(before, l.Name)), "")
		now := hangers(was, is, floydWarshall(withoutLink(after, l.Name)), "")
		checkHangers(t, string(l.Name), old, now, told[topology.OnlyPathGained], told[topology.OnlyPathLost])
	}
}

// joins reports whether one end of a link does transit.
func joins(n network.Network, l network.Link) bool {
	return slices.ContainsFunc(n.Sites, func(s network.Site) bool { return !s.Edge && (s.Name == l.From || s.Name == l.To) })
}

func checkHangers(t *testing.T, what string, old, now []string, gained, lost map[string]bool) {
	t.Helper()
	for _, h := range now {
		if !slices.Contains(old, h) && (!gained[h] || !gained[what]) {
			t.Errorf("%s comes to hang on %s, which is not told", h, what)
		}
	}
	for _, h := range old {
		if !slices.Contains(now, h) && (!lost[h] || !lost[what]) {
			t.Errorf("%s hangs on %s no longer, which is not told", h, what)
		}
	}
}

// hangers are the sites that lose more than half of those that they reach in both
// networks.
func hangers(was, is, left table, failing network.SiteName) []string {
	others, lost := map[network.SiteName]int{}, map[network.SiteName]int{}
	for key := range was {
		if _, stays := is[key]; !stays || key[0] == key[1] || key[0] == failing || key[1] == failing {
			continue
		}
		others[key[0]]++
		if _, still := left[key]; !still {
			lost[key[0]]++
		}
	}
	var out []string
	for s, n := range lost {
		if 2*n > others[s] {
			out = append(out, string(s))
		}
	}
	return out
}

// checkCosts: the pairs that become dearer or cheaper are counted, and only they.
func checkCosts(t *testing.T, before, after network.Network) {
	t.Helper()
	told := map[string]map[network.SiteName]bool{topology.CostRaised: {}, topology.CostLowered: {}}
	for _, e := range topology.Compare(before, after) {
		for _, s := range e.Sites {
			if told[e.Code] != nil {
				told[e.Code][s] = true
			}
		}
	}
	want := map[string]map[network.SiteName]bool{topology.CostRaised: {}, topology.CostLowered: {}}
	was, is := floydWarshall(before), floydWarshall(after)
	for key, cost := range was {
		now, stays := is[key]
		switch {
		case stays && now > cost:
			want[topology.CostRaised][key[0]] = true
		case stays && now < cost:
			want[topology.CostLowered][key[0]] = true
		}
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("dearer and cheaper (-want +got):\n%s", diff)
	}
}

func TestCompareAgainstBruteForce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 10))
	for range 2000 {
		before := randomNet(r, 2+r.IntN(8), r.IntN(14))
		after := changed(r, before)
		checkRedundancy(t, before, after)
		checkCosts(t, before, after)
		got := topology.Compare(before, after)
		if diff := cmp.Diff(got, topology.Compare(shuffled(r, before), shuffled(r, after))); diff != "" {
			t.Errorf("another order of sites and links:\n%s", diff)
		}
		if !slices.IsSortedFunc(got, func(x, y topology.Effect) int { return severity(x) - severity(y) }) {
			t.Errorf("not the most serious first: %v", got)
		}
		if t.Failed() {
			t.Fatalf("before %v %v\nafter %v %v", before.Sites, before.Links, after.Sites, after.Links)
		}
	}
}

// changed takes away and adds some of everything.
func changed(r *rand.Rand, n network.Network) network.Network {
	n = shuffled(r, n)
	n.Sites = slices.DeleteFunc(n.Sites, func(network.Site) bool { return r.IntN(12) == 0 })
	gone := func(name network.SiteName) bool {
		return !slices.ContainsFunc(n.Sites, func(s network.Site) bool { return s.Name == name })
	}
	n.Links = slices.DeleteFunc(n.Links, func(l network.Link) bool { return r.IntN(6) == 0 || gone(l.From) || gone(l.To) })
	for i := range n.Sites {
		n.Sites[i].Edge = n.Sites[i].Edge != (r.IntN(12) == 0)
	}
	for i := range n.Links {
		if r.IntN(6) == 0 {
			n.Links[i].Cost = int32(1 + r.IntN(4))
		}
	}
	more := randomNet(r, 2+r.IntN(9), r.IntN(3))
	for _, l := range more.Links {
		l.Name = "new-" + l.Name
		n.Links = append(n.Links, l)
	}
	if r.IntN(3) == 0 {
		n.Sites = append(n.Sites, network.Site{Name: "t99"})
		n.Links = append(n.Links, network.Link{Name: "new-t99", From: "t99", To: "s00"})
	}
	return n
}

func severity(e topology.Effect) int {
	return slices.Index([]topology.Severity{topology.High, topology.Medium, topology.Low}, e.Severity)
}

// mesh is a network of sites with links to random others, a fifth of them edge sites.
func mesh(sites, links int) network.Network {
	r := rand.New(rand.NewPCG(11, 12))
	n := network.Network{}
	for i := range sites {
		n.Sites = append(n.Sites, network.Site{Name: network.SiteName(fmt.Sprintf("s%04d", i)), Edge: i > 0 && i%5 == 0})
	}
	for i := range links {
		from := i % sites
		to := r.IntN(max(1, from))
		if to%5 == 0 {
			to = 0
		}
		n.Links = append(n.Links, network.Link{Name: network.LinkName(fmt.Sprintf("l%04d", i)),
			From: n.Sites[from].Name, To: n.Sites[to].Name, Cost: int32(1 + r.IntN(10))})
	}
	return n
}

// grid is a network of long paths: a torus, 25 sites wide.
func grid(sites, links int) network.Network {
	n := network.Network{}
	for i := range sites {
		n.Sites = append(n.Sites, network.Site{Name: network.SiteName(fmt.Sprintf("s%04d", i))})
	}
	for i := range links {
		from := i % sites
		to := (from + []int{1, 25, 26, 24, 50}[i/sites%5]) % sites
		n.Links = append(n.Links, network.Link{Name: network.LinkName(fmt.Sprintf("l%04d", i)),
			From: n.Sites[from].Name, To: n.Sites[to].Name, Cost: int32(1 + i*7%10)})
	}
	return n
}

// BenchmarkAllFacts: costs, ties and unused links of all pairs, all cuts, and all single
// failures, exactly, of 1,000 sites and 5,000 links.
func BenchmarkAllFacts(b *testing.B) {
	for name, n := range map[string]network.Network{"mesh": mesh(1000, 5000), "grid": grid(1000, 5000)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				a := topology.Analyze(n)
				a.Unused()
				a.Cuts()
				a.Failures()
			}
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	for name, n := range map[string]network.Network{"mesh": mesh(1000, 5000), "grid": grid(1000, 5000), "retail": retail(1000, true)} {
		after := n
		after.Links = slices.Delete(slices.Clone(n.Links), 0, 100)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				topology.Compare(n, after)
			}
		})
	}
}

func BenchmarkWithout(b *testing.B) {
	n := mesh(1000, 5000)
	for b.Loop() {
		topology.Without(n, []network.SiteName{"s0000"}, nil)
	}
}
