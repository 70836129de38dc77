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

// strandsOf reads "a-b" for a link that stays, "-a-b" for one that goes and "+a-b" for
// one that comes.
func strandsOf(text string) (out []topology.Strand) {
	for _, s := range strings.Fields(text) {
		from, to, _ := strings.Cut(strings.TrimLeft(s, "+-"), "-")
		out = append(out, topology.Strand{
			From: network.SiteName(from), To: network.SiteName(to), Before: s[0] != '+', After: s[0] != '-',
		})
	}
	return out
}

// nodesOf reads "a" for a site that does transit, "a*" for an edge site, "a>*" and
// "a*>" for one that becomes one or ceases to be one, and "a!" for one that moves.
func nodesOf(text string) (out []topology.Node) {
	for _, s := range strings.Fields(text) {
		name, mark := s, ""
		if i := strings.IndexAny(s, "*>!"); i >= 0 {
			name, mark = s[:i], s[i:]
		}
		out = append(out, topology.Node{
			Name: network.SiteName(name), EdgeBefore: strings.HasPrefix(mark, "*"),
			EdgeAfter: mark == "*" || mark == ">*", Moves: mark == "!",
		})
	}
	return out
}

func TestExchanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, nodes, strands, want string }{
		{"nothing changes", "a b", "a-b", ""},
		{"a link goes", "a b", "-a-b", ""},
		{"a link comes", "a b", "+a-b", ""},
		{"a link goes beside one that stays", "a b", "a-b -a-b", ""},
		{"a link replaces another", "a b", "-a-b +a-b", "0,1"},
		{"a link moves between hubs that are linked", "h1 h2 a", "h1-h2 -a-h1 +a-h2", "1,2"},
		{"two links move between hubs that are linked", "h1 h2 a b", "h1-h2 -a-h1 +a-h2 -b-h1 +b-h2", "1,2 3,4"},
		{"two links move between hubs that are not", "h1 h2 a b", "-a-h1 +a-h2 -b-h1 +b-h2", "0,1,2,3"},
		{"a way round goes when there is another", "a b c", "a-b b-c -a-c +a-c", ""},
		{"an edge site is no way round", "a b* c", "a-b b-c -a-c +a-c", "2,3"},
		{"edge sites that see each other over one hub, then over another", "a* b* g1 g2 g3 g4", "a-g1 a-g2 b-g3 b-g4 -g1-g3 +g2-g4", "4,5"},
		{"a site that becomes an edge", "a b>* c", "a-b b-c +a-c", "2 b"},
		{"a site that ceases to be one", "a b*> c", "a-b b-c -a-c", "2 b"},
		{"two sites whose hub moves", "h! a b", "-a-h +a-h -b-h +b-h", "0,1,2,3"},
		{"a link to nowhere", "a", "a-x -a-y", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, e := range topology.Exchanges(nodesOf(tt.nodes), strandsOf(tt.strands)) {
				text := strings.Trim(strings.ReplaceAll(fmt.Sprint(e.Strands), " ", ","), "[]")
				for _, s := range e.Sites {
					text += " " + string(s)
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// progress is how far a change is: which strands are there and which sites do transit.
type progress struct {
	nodes   []topology.Node
	strands []topology.Strand
	there   []bool
	edge    []bool
}

func (p progress) network() network.Network {
	n := network.Network{}
	for i, v := range p.nodes {
		n.Sites = append(n.Sites, network.Site{Name: v.Name, Edge: p.edge[i]})
	}
	for i, s := range p.strands {
		if p.there[i] {
			n.Links = append(n.Links, network.Link{From: s.From, To: s.To})
		}
	}
	return n
}

// at is the change before anything or after everything.
func (p progress) at(after bool) progress {
	p.there, p.edge = nil, nil
	for _, s := range p.strands {
		p.there = append(p.there, s.Before && !after || s.After && after)
	}
	for _, n := range p.nodes {
		p.edge = append(p.edge, n.EdgeBefore && !after || n.EdgeAfter && after)
	}
	return p
}

// Whatever the order is in which links come and go, as long as it keeps to the
// exchanges, sites that are connected before and after are so all the way.
func TestExchangesAgainstBruteForce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := randomChange(r)
		exchanges := topology.Exchanges(p.nodes, p.strands)
		before, after := p.at(false).network(), p.at(true).network()
		now := p.at(false)
		for range 3 * (len(p.strands) + len(p.nodes)) {
			now.step(r, exchanges)
			for _, x := range before.Sites {
				was, is, between := reach(before, x.Name), reach(after, x.Name), reach(now.network(), x.Name)
				for y := range was {
					if is[y] && !between[y] {
						t.Fatalf("seed %d: %s and %s lose each other\n%+v\n%+v\nexchanges %v\nnow %v %v", seed, x.Name, y, p.nodes, p.strands, exchanges, now.there, now.edge)
					}
				}
			}
		}
	}
}

// step brings or takes one strand, or turns one site, if that is its turn.
func (p *progress) step(r *rand.Rand, exchanges []topology.Exchange) {
	i := r.IntN(len(p.strands) + len(p.nodes))
	if i < len(p.strands) {
		s := p.strands[i]
		in := func(e topology.Exchange) bool { return slices.Contains(e.Strands, i) }
		switch {
		case s.After && !s.Before:
			p.there[i] = true
		case s.Before && !s.After && p.come(exchanges, in):
			p.there[i] = false
		}
		return
	}
	i -= len(p.strands)
	n := p.nodes[i]
	in := func(e topology.Exchange) bool { return slices.Contains(e.Sites, n.Name) }
	switch {
	case n.EdgeBefore && !n.EdgeAfter:
		p.edge[i] = false
	case n.EdgeAfter && !n.EdgeBefore && p.come(exchanges, in):
		p.edge[i] = true
	}
}

// come reports whether all that comes in the selected exchanges is there.
func (p *progress) come(exchanges []topology.Exchange, in func(topology.Exchange) bool) bool {
	for _, e := range exchanges {
		if !in(e) {
			continue
		}
		for _, i := range e.Strands {
			if p.strands[i].After && !p.there[i] {
				return false
			}
		}
		for i, n := range p.nodes {
			if slices.Contains(e.Sites, n.Name) && n.EdgeBefore && p.edge[i] {
				return false
			}
		}
	}
	return true
}

func randomChange(r *rand.Rand) progress {
	var p progress
	for i := range 2 + r.IntN(7) {
		n := topology.Node{Name: network.SiteName(fmt.Sprintf("s%d", i))}
		n.EdgeBefore = r.IntN(5) == 0
		n.EdgeAfter = n.EdgeBefore
		if r.IntN(6) == 0 {
			n.EdgeAfter = !n.EdgeAfter
		}
		p.nodes = append(p.nodes, n)
	}
	for range 1 + r.IntN(12) {
		s := topology.Strand{From: p.nodes[r.IntN(len(p.nodes))].Name, To: p.nodes[r.IntN(len(p.nodes))].Name}
		s.Before, s.After = r.IntN(3) > 0, r.IntN(3) > 0
		if s.From != s.To {
			p.strands = append(p.strands, s)
		}
	}
	return p
}
