package topology_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/network"
)

// table has the cost of the cheapest path for each two sites that have one.
type table map[[2]network.SiteName]int64

// floydWarshall goes through all sites that do transit, in turn.
func floydWarshall(n network.Network) table {
	edge := map[network.SiteName]bool{}
	out := table{}
	for _, s := range n.Sites {
		edge[s.Name] = s.Edge
		out[[2]network.SiteName{s.Name, s.Name}] = 0
	}
	lower := func(a, b network.SiteName, cost int64) {
		if old, ok := out[[2]network.SiteName{a, b}]; !ok || cost < old {
			out[[2]network.SiteName{a, b}] = cost
		}
	}
	for _, l := range n.Links {
		_, from := edge[l.From]
		_, to := edge[l.To]
		if from && to && !(edge[l.From] && edge[l.To]) {
			lower(l.From, l.To, max(1, int64(l.Cost)))
			lower(l.To, l.From, max(1, int64(l.Cost)))
		}
	}
	for _, via := range n.Sites {
		for _, a := range n.Sites {
			for _, b := range n.Sites {
				first, ok := out[[2]network.SiteName{a.Name, via.Name}]
				second, ok2 := out[[2]network.SiteName{via.Name, b.Name}]
				if ok && ok2 && !via.Edge {
					lower(a.Name, b.Name, first+second)
				}
			}
		}
	}
	return out
}

// simplePaths gives all paths between two sites that meet no site twice, with their costs.
// Links between the same two sites are one way, at the lowest cost.
func simplePaths(n network.Network, from, to network.SiteName) map[string]int64 {
	edge := map[network.SiteName]bool{}
	for _, s := range n.Sites {
		edge[s.Name] = s.Edge
	}
	step := table{}
	for _, l := range n.Links {
		if l.From == l.To || edge[l.From] && edge[l.To] {
			continue
		}
		for _, k := range [][2]network.SiteName{{l.From, l.To}, {l.To, l.From}} {
			if old, ok := step[k]; !ok || int64(l.Cost) < old {
				step[k] = max(1, int64(l.Cost))
			}
		}
	}
	out := map[string]int64{}
	var walk func(path []network.SiteName, cost int64)
	walk = func(path []network.SiteName, cost int64) {
		at := path[len(path)-1]
		if at == to {
			out[fmt.Sprint(path)] = cost
			return
		}
		if edge[at] && len(path) > 1 {
			return
		}
		for _, s := range n.Sites {
			if c, ok := step[[2]network.SiteName{at, s.Name}]; ok && !slices.Contains(path, s.Name) {
				walk(append(slices.Clone(path), s.Name), cost+c)
			}
		}
	}
	walk([]network.SiteName{from}, 0)
	return out
}

// randomNet makes networks with edge sites, parallel links, ties, links that join
// nothing, costs of 0 and the highest costs.
func randomNet(r *rand.Rand, sites, links int) network.Network {
	n := network.Network{}
	for i := range sites {
		s := network.Site{Name: network.SiteName(fmt.Sprintf("s%02d", i)), Edge: r.IntN(4) == 0}
		if !s.Edge && r.IntN(2) == 0 {
			s.LinkAccess = "default"
		}
		n.Sites = append(n.Sites, s)
	}
	costs := []int32{1, 1, 2, 3, 5, 0, math.MaxInt32}
	for i := range links {
		n.Links = append(n.Links, network.Link{
			Name: network.LinkName(fmt.Sprintf("l%02d", i)), Cost: costs[r.IntN(len(costs))],
			From: network.SiteName(fmt.Sprintf("s%02d", r.IntN(sites))), To: network.SiteName(fmt.Sprintf("s%02d", r.IntN(sites+1))),
		})
	}
	return n
}

func shuffled(r *rand.Rand, n network.Network) network.Network {
	n.Sites, n.Links = slices.Clone(n.Sites), slices.Clone(n.Links)
	r.Shuffle(len(n.Sites), func(i, j int) { n.Sites[i], n.Sites[j] = n.Sites[j], n.Sites[i] })
	r.Shuffle(len(n.Links), func(i, j int) { n.Links[i], n.Links[j] = n.Links[j], n.Links[i] })
	return n
}

// turned swaps the ends of some links, which is all the same to traffic.
func turned(r *rand.Rand, n network.Network) network.Network {
	n.Links = slices.Clone(n.Links)
	for i, l := range n.Links {
		if r.IntN(2) == 0 {
			n.Links[i].From, n.Links[i].To = l.To, l.From
		}
	}
	return n
}

func withoutSite(n network.Network, name network.SiteName) network.Network {
	n.Sites = slices.DeleteFunc(slices.Clone(n.Sites), func(s network.Site) bool { return s.Name == name })
	return n
}

func withoutLink(n network.Network, name network.LinkName) network.Network {
	n.Links = slices.DeleteFunc(slices.Clone(n.Links), func(l network.Link) bool { return l.Name == name })
	return n
}

func TestCostsAgainstBruteForce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		n := randomNet(r, 1+r.IntN(7), r.IntN(12))
		costs, a := floydWarshall(n), topology.Analyze(turned(r, shuffled(r, n)))
		for _, x := range n.Sites {
			for _, y := range n.Sites {
				checkPair(t, n, a, costs, x.Name, y.Name)
			}
		}
		checkUnused(t, n, a, costs)
		if t.Failed() {
			t.Fatalf("%v\n%v", n.Sites, n.Links)
		}
	}
}

func checkPair(t *testing.T, n network.Network, a *topology.Analysis, costs table, x, y network.SiteName) {
	t.Helper()
	want, connected := costs[[2]network.SiteName{x, y}]
	got, ok := a.Cost(x, y)
	if ok != connected || got != want {
		t.Errorf("%s to %s costs %d (%v), want %d (%v)", x, y, got, ok, want, connected)
	}
	var cheapest []string
	for path, cost := range simplePaths(n, x, y) {
		if cost == want {
			cheapest = append(cheapest, path)
		}
	}
	if tied := len(cheapest) > 1; a.Tied(x, y) != tied {
		t.Errorf("%s to %s: tied is not %v: %v", x, y, tied, cheapest)
	}
	path := a.Path(x, y)
	if connected && fmt.Sprint(path) != slices.Min(cheapest) || !connected && path != nil {
		t.Errorf("%s to %s goes %v, want the first of %v", x, y, path, cheapest)
	}
}

// checkUnused: a link is used when it is on a cheapest path of some pair, and the one
// that stands for all between its sites.
func checkUnused(t *testing.T, n network.Network, a *topology.Analysis, costs table) {
	t.Helper()
	unused := map[network.LinkName]topology.UnusedLink{}
	for _, u := range a.Unused() {
		unused[u.Link] = u
	}
	edge := map[network.SiteName]bool{}
	for _, s := range n.Sites {
		edge[s.Name] = s.Edge
	}
	for _, l := range n.Links {
		if _, got := unused[l.Name]; got == used(n, costs, edge, l) {
			t.Errorf("link %s: unused is %v", l.Name, got)
		}
		if u := unused[l.Name]; u.StandbyOf != "" && used(n, costs, edge, l) {
			t.Errorf("link %s is no standby of %s", l.Name, u.StandbyOf)
		}
	}
}

func used(n network.Network, costs table, edge map[network.SiteName]bool, l network.Link) bool {
	for _, o := range n.Links { // of several between the same two sites only the first
		same := o.From == l.From && o.To == l.To || o.From == l.To && o.To == l.From
		cost, other := max(1, l.Cost), max(1, o.Cost)
		if same && (other < cost || other == cost && o.Name < l.Name) {
			return false
		}
	}
	for _, x := range n.Sites {
		for _, y := range n.Sites {
			whole, ok := costs[[2]network.SiteName{x.Name, y.Name}]
			first, ok1 := costs[[2]network.SiteName{x.Name, l.From}]
			second, ok2 := costs[[2]network.SiteName{l.To, y.Name}]
			through := (!edge[l.From] || l.From == x.Name) && (!edge[l.To] || l.To == y.Name)
			if ok && ok1 && ok2 && through && !(edge[l.From] && edge[l.To]) && l.From != l.To && first+max(1, int64(l.Cost))+second == whole {
				return true
			}
		}
	}
	return edge[l.From] && !edge[l.To] && used(n, costs, edge, network.Link{Name: l.Name, From: l.To, To: l.From, Cost: l.Cost})
}

func TestFailuresAgainstBruteForce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 3000 {
		n := randomNet(r, 1+r.IntN(8+round%9), r.IntN(12+round%13))
		a := topology.Analyze(turned(r, shuffled(r, n)))
		costs := floydWarshall(n)
		var failures []topology.Failure
		var cuts []topology.Cut
		for _, s := range n.Sites {
			f, c := bruteFailure(n, costs, floydWarshall(withoutSite(n, s.Name)), s.Name)
			f.Site, c.Site = s.Name, s.Name
			failures, cuts = append(failures, f), append(cuts, c)
		}
		for _, l := range n.Links {
			f, c := bruteFailure(n, costs, floydWarshall(withoutLink(n, l.Name)), "")
			f.Link, c.Link = l.Name, l.Name
			failures, cuts = append(failures, f), append(cuts, c)
		}
		cuts = slices.DeleteFunc(cuts, func(c topology.Cut) bool { return c.Pairs == 0 })
		byName := cmpopts.SortSlices(func(x, y topology.Cut) bool { return string(x.Site)+string(x.Link) < string(y.Site)+string(y.Link) })
		diff := cmp.Diff(failures, a.Failures()) + cmp.Diff(cuts, a.Cuts(), byName)
		if diff != "" {
			t.Fatalf("%v\n%v\n(-want +got)\n%s", n.Sites, n.Links, diff)
		}
	}
}

// bruteFailure counts anew what is lost between all sites but the failing one.
func bruteFailure(n network.Network, was, is table, failing network.SiteName) (topology.Failure, topology.Cut) {
	f, c := topology.Failure{}, topology.Cut{Sites: []network.SiteName{}}
	for _, x := range n.Sites {
		others, lost := 0, 0
		for _, y := range n.Sites {
			key := [2]network.SiteName{x.Name, y.Name}
			before, connected := was[key]
			after, still := is[key]
			if x.Name == y.Name || x.Name == failing || y.Name == failing || !connected {
				continue
			}
			others++
			switch {
			case !still:
				lost++
			case after > before && x.Name < y.Name:
				f.Rerouted++
				if f.Worst == nil || after-before > f.Worst.After-f.Worst.Before {
					f.Worst = &topology.Detour{From: x.Name, To: y.Name, Before: before, After: after}
				}
			}
		}
		c.Pairs += lost
		if 2*lost > others {
			c.Sites = append(c.Sites, x.Name)
		}
	}
	c.Pairs /= 2
	f.CutOff = c.Pairs
	return f, c
}

func TestWithoutAgainstBruteForce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		n := randomNet(r, 2+r.IntN(8), r.IntN(14))
		var sites []network.SiteName
		var links []network.LinkName
		left := n
		for _, s := range n.Sites {
			if r.IntN(5) == 0 {
				sites, left = append(sites, s.Name), withoutSite(left, s.Name)
			}
		}
		for _, l := range n.Links {
			if r.IntN(5) == 0 {
				links, left = append(links, l.Name), withoutLink(left, l.Name)
			}
		}
		checkOutcome(t, topology.Without(turned(r, shuffled(r, n)), sites, links), left, floydWarshall(n), floydWarshall(left))
		if t.Failed() {
			t.Fatalf("%v\n%v\nwithout %v %v", n.Sites, n.Links, sites, links)
		}
	}
}

func checkOutcome(t *testing.T, o topology.Outcome, left network.Network, was, is table) {
	t.Helper()
	pairs, cutOff := 0, 0
	costs := map[[2]network.SiteName][2]int64{}
	for _, x := range left.Sites {
		for _, y := range left.Sites {
			key := [2]network.SiteName{x.Name, y.Name}
			before, connected := was[key]
			after, still := is[key]
			if x.Name == y.Name || !connected {
				continue
			}
			if pairs++; !still {
				cutOff++
				if separated(o, x.Name, y.Name) == separated(o, y.Name, x.Name) && !separated(o, x.Name, y.Name) {
					t.Errorf("%v are cut off and not told", key)
				}
			} else if separated(o, x.Name, y.Name) {
				t.Errorf("%v are not cut off", key)
			}
			if still && after > before {
				costs[key] = [2]int64{before, after}
			}
		}
	}
	if o.Pairs != pairs/2 || o.CutOff != cutOff/2 || o.Rerouted != len(costs)/2 || len(o.Reroutes) != o.Rerouted {
		t.Errorf("%d pairs, %d cut off, %d rerouted; want %d, %d, %d", o.Pairs, o.CutOff, o.Rerouted, pairs/2, cutOff/2, len(costs)/2)
	}
	a := topology.Analyze(left)
	for _, v := range o.Reroutes {
		if costs[[2]network.SiteName{v.From, v.To}] != [2]int64{v.Before, v.After} {
			t.Errorf("%+v", v)
		}
		if path := a.Path(v.From, v.To); !slices.Equal(path[1:len(path)-1], v.Via) {
			t.Errorf("%+v goes %v", v, path)
		}
	}
}

func separated(o topology.Outcome, a, b network.SiteName) bool {
	return slices.ContainsFunc(o.Separations, func(s topology.Separation) bool {
		return slices.Contains(s.Sites, a) && slices.Contains(s.From, b)
	})
}
