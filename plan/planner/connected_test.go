package planner_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// spot is a namespace of a cluster, where a site is.
type spot struct {
	cluster   network.ClusterName
	namespace string
}

// span is one Link between two spots.
type span struct {
	link     string
	from, to spot
}

// post is a site at its spot.
type post struct {
	name, object string
	edge         bool
}

// shape is what the routers of a model know: sites, and Links that can carry traffic.
type shape struct {
	posts map[spot]post
	spans map[span]bool
}

// shape looks at the model's clusters as traffic does, not as the planner does: a Link
// carries traffic while the Site that its credentials are of is there, lets links in,
// and has the address that the Link leads to.
func (m *model) shape() shape {
	s := shape{posts: map[spot]post{}, spans: map[span]bool{}}
	uids := map[string]world.SiteView{}
	at := map[string]spot{}
	open := map[spot]bool{}
	for _, c := range m.obs.Clusters {
		for _, v := range c.Sites {
			where := spot{c.Name, v.Namespace}
			s.posts[where] = post{v.Labels[plan.LabelSite], v.Name, v.Fields["edge"] == true}
			uids[v.UID], at[v.UID] = v, where
		}
		for _, v := range c.Accesses {
			open[spot{c.Name, v.Namespace}] = true
		}
	}
	for _, c := range m.obs.Clusters {
		for _, v := range c.Links {
			from, to := spot{c.Name, v.Namespace}, at[v.RemoteSiteID]
			target, there := uids[v.RemoteSiteID]
			addressed := len(target.Endpoints) == 0 || slices.ContainsFunc(v.Endpoints, func(e world.Endpoint) bool { return slices.Contains(target.Endpoints, e) })
			if _, has := s.posts[from]; has && there && open[to] && addressed && !s.posts[to].edge {
				s.spans[span{v.Labels[plan.LabelLink], from, to}] = true
			}
		}
	}
	return s
}

// pairs are the sites, by name, that have a path. A site in two places has the paths of
// either.
func (s shape) pairs(nameOf func(spot, post) string) map[[2]string]bool {
	next := map[spot][]spot{}
	for e := range s.spans {
		next[e.from], next[e.to] = append(next[e.from], e.to), append(next[e.to], e.from)
	}
	out := map[[2]string]bool{}
	for start, p := range s.posts {
		seen := map[spot]bool{start: true}
		for queue := []spot{start}; len(queue) > 0; queue = queue[1:] {
			out[[2]string{nameOf(start, p), nameOf(queue[0], s.posts[queue[0]])}] = true
			if s.posts[queue[0]].edge && queue[0] != start {
				continue
			}
			for _, o := range next[queue[0]] {
				_, there := s.posts[o]
				if there && !seen[o] && !(s.posts[queue[0]].edge && s.posts[o].edge) {
					seen[o] = true
					queue = append(queue, o)
				}
			}
		}
	}
	return out
}

// clone gives a model of its own with the same clusters.
func (m *model) clone() *model {
	c := &model{t: m.t, net: m.net, uids: m.uids, digest: m.digest}
	for _, v := range m.obs.Clusters {
		v.Namespaces, v.Sites, v.Links = slices.Clone(v.Namespaces), slices.Clone(v.Sites), slices.Clone(v.Links)
		v.Secrets, v.Certificates, v.Accesses = slices.Clone(v.Secrets), slices.Clone(v.Certificates), slices.Clone(v.Accesses)
		v.Grants, v.Tokens, v.Proxies = slices.Clone(v.Grants), slices.Clone(v.Tokens), slices.Clone(v.Proxies)
		v.Inventories = slices.Clone(v.Inventories)
		for i := range v.Inventories {
			v.Inventories[i].Content.Links = maps.Clone(v.Inventories[i].Content.Links)
		}
		c.obs.Clusters = append(c.obs.Clusters, v)
	}
	return c
}

// passage carries out one plan on one model in one order, and checks on the way that no
// pair is lost that is there before and when all is done.
type passage struct {
	*model
	p      plan.Plan
	wanted map[[2]string]bool
	nameOf func(spot, post) string
	// ghosts are Links that were cut because there was no other order, voids sites that
	// made room or changed; they count until the actions that they list are done.
	ghosts map[span][]string
	voids  map[spot]void
	done   map[string]bool
	log    []string
}

// void is a site as it was before an action that had no other order.
type void struct {
	post
	makes []string
}

// pass carries out the actions in a random order that their dependencies allow, of
// which some fail and block what depends on them. It gives the first pair that is lost.
func (g *passage) pass(r *rand.Rand, failing float64) (lost string) {
	ended := map[string]bool{}
	g.done = map[string]bool{}
	known := map[string]bool{}
	for _, a := range g.p.Actions {
		known[a.ID] = true
	}
	for len(ended) < len(g.p.Actions) {
		var ready []plan.Action
		for _, a := range g.p.Actions {
			waits := func(id string) bool { return known[id] && !ended[id] }
			if !ended[a.ID] && !slices.ContainsFunc(a.DependsOn, waits) {
				ready = append(ready, a)
			}
		}
		if len(ready) == 0 {
			g.t.Fatal("the plan's dependencies form a circle")
		}
		a := ready[r.IntN(len(ready))]
		ended[a.ID] = true
		blocked := slices.ContainsFunc(a.DependsOn, func(id string) bool { return known[id] && !g.done[id] })
		if blocked || r.Float64() < failing {
			g.log = append(g.log, "not done "+a.ID)
			continue
		}
		g.carry(a)
		if lost := g.missing(); lost != "" {
			return lost + " after " + strings.Join(g.log, ", ")
		}
	}
	return ""
}

// carry carries out one action, and keeps as ghosts what it cuts without there being
// another order.
func (g *passage) carry(a plan.Action) {
	before := g.shape()
	g.carryOut(a)
	g.done[a.ID] = true
	g.log = append(g.log, a.ID)
	after := g.shape()
	over := func(makes []string) bool {
		return !slices.ContainsFunc(makes, func(id string) bool { return !g.done[id] })
	}
	maps.DeleteFunc(g.ghosts, func(_ span, makes []string) bool { return over(makes) })
	maps.DeleteFunc(g.voids, func(_ spot, v void) bool { return over(v.makes) })
	makes := g.exempt(a)
	if len(makes) == 0 {
		return
	}
	for e := range before.spans {
		if !after.spans[e] {
			g.ghosts[e] = makes
		}
	}
	if a.Kind == plan.KindSite && a.Verb != plan.VerbCreate {
		at := spot{a.Cluster, a.Namespace}
		g.voids[at] = void{before.posts[at], makes}
	}
}

// exempt gives what waits for a site's action that breaks: a site that takes the
// namespace, or links that can be made only then. What it cuts, and what is cut because
// a site that makes room goes after its links, is exempt until these are done.
func (g *passage) exempt(a plan.Action) (makes []string) {
	if a.Kind == plan.KindSite && a.Verb == plan.VerbCreate {
		return nil
	}
	for _, o := range g.waiting(a) {
		cleared := a.Kind == plan.KindLink && o.Kind == plan.KindSite && o.Verb == plan.VerbDelete
		switch {
		case cleared:
			makes = append(makes, g.exempt(o)...)
		case a.Kind == plan.KindSite && o.Verb != plan.VerbDelete:
			makes = append(makes, o.ID)
		}
	}
	return makes
}

// waiting are the actions that wait for one, directly or not.
func (g *passage) waiting(a plan.Action) (out []plan.Action) {
	found := map[string]bool{a.ID: true}
	for more := true; more; {
		more = false
		for _, o := range g.p.Actions {
			if !found[o.ID] && slices.ContainsFunc(o.DependsOn, func(id string) bool { return found[id] }) {
				found[o.ID], more = true, true
				out = append(out, o)
			}
		}
	}
	return out
}

// missing names a wanted pair that has no path now.
func (g *passage) missing() string {
	s := g.shape()
	same := func(at spot, v void) bool { return g.nameOf(at, s.posts[at]) == g.nameOf(at, v.post) }
	of := func(at spot) spot { // where a site is that made room, when another has its spot
		if v, ok := g.voids[at]; ok && s.posts[at].name != "" && !same(at, v) {
			at.namespace += " before"
		}
		return at
	}
	voids := map[spot]post{}
	for at, v := range g.voids {
		now := s.posts[of(at)]
		v.edge = v.edge && (now.name == "" || now.edge)
		voids[of(at)] = v.post
	}
	for e := range g.ghosts {
		s.spans[span{e.link, of(e.from), of(e.to)}] = true
	}
	maps.Copy(s.posts, voids)
	now := s.pairs(g.nameOf)
	for pair := range g.wanted {
		if !now[pair] {
			return fmt.Sprint(pair)
		}
	}
	return ""
}

// passages tells which pairs count: those of now that are there when all is done. A
// site whose key changes in place is one site.
func passages(m *model, p plan.Plan) func() *passage {
	end := m.clone()
	end.run(p)
	was, is := m.shape(), end.shape()
	nameOf := func(at spot, v post) string {
		if later, ok := is.posts[at]; ok && later.object == v.object {
			return later.name
		}
		return v.name
	}
	wanted, after := was.pairs(nameOf), is.pairs(nameOf)
	for pair := range wanted {
		if !after[pair] {
			delete(wanted, pair)
		}
	}
	return func() *passage {
		return &passage{model: m.clone(), p: p, wanted: wanted, nameOf: nameOf, ghosts: map[span][]string{}, voids: map[spot]void{}}
	}
}

// No state on the way has fewer connected pairs than both ends require, whatever the
// network was and becomes, in whatever order the actions are carried out and whichever
// of them fail. After a failure the next plan finishes, under the same rule.
func TestNoPairIsLostOnTheWay(t *testing.T) {
	t.Parallel()
	states, pairs := 0, 0
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 4))
		m := newModel(t, "net", "a", "b")
		n := randomMesh(r)
		m.run(m.plan(n))
		for round := range 3 {
			if round == 0 || r.IntN(3) > 0 {
				n = mutated(r, n)
			}
			p := m.plan(n)
			if round == 0 { // what a failed apply left behind is for a whole plan
				p = m.part(n, randomFilter(r, n))
			}
			begin := passages(m, p)
			var g *passage
			for _, failing := range []float64{0, 0, 0.2, 0.2} {
				g = begin()
				if lost := g.pass(r, failing); lost != "" {
					t.Fatalf("seed %d round %d: %s\n%s", seed, round, lost, dump(p))
				}
				states += len(p.Actions)
				pairs += len(g.wanted)
			}
			m = g.model // of which something failed
		}
		last := m.plan(n)
		m.run(last)
		if again := m.plan(n); again.Pending() {
			t.Fatalf("seed %d: still to do after\n%s\n%s", seed, dump(last), dump(again))
		}
	}
	t.Logf("%d states, %d pairs to keep", states, pairs)
}

// part plans a part of the network.
func (m *model) part(n network.Network, f plan.Filter) plan.Plan {
	return planner.Make(planner.Input{Desired: m.wanted(n), Observation: m.obs, Filter: f})
}

// randomFilter keeps everything most of the time.
func randomFilter(r *rand.Rand, n network.Network) (f plan.Filter) {
	switch r.IntN(8) {
	case 0:
		f.Sites = []network.SiteName{n.Sites[r.IntN(len(n.Sites))].Name}
	case 1:
		f.Clusters = []network.ClusterName{"a"}
	case 2:
		if len(n.Links) > 0 {
			f.Links = []network.LinkName{n.Links[r.IntN(len(n.Links))].Name}
		}
	}
	return f
}

// randomMesh is a valid network with more links than it needs, and edge sites.
func randomMesh(r *rand.Rand) network.Network {
	n := network.Network{Name: "net", Clusters: []network.Cluster{{Name: "a"}, {Name: "b"}}}
	for i := range 3 + r.IntN(5) {
		name := fmt.Sprintf("s%d", i)
		n.Sites = append(n.Sites, network.Site{
			Name: network.SiteName(name), Object: name, Namespace: name, Settings: map[string]string{},
			Cluster: []network.ClusterName{"a", "b"}[r.IntN(2)], LinkAccess: []string{"default", "default", "none"}[r.IntN(3)],
		})
		if s := &n.Sites[i]; s.LinkAccess == "none" {
			s.Edge = r.IntN(3) == 0
		}
	}
	for range len(n.Sites) + r.IntN(5) {
		connect(r, &n)
	}
	return valid(n)
}

func connect(r *rand.Rand, n *network.Network) {
	n.Links = append(n.Links, network.Link{
		Name: network.LinkName(fmt.Sprintf("l%d", r.IntN(100))), Cost: 1, Via: []network.Via{network.ViaToken, network.ViaCertificate}[r.IntN(2)],
		From: n.Sites[r.IntN(len(n.Sites))].Name, To: n.Sites[r.IntN(len(n.Sites))].Name,
	})
}

// mutated is a network after some changes as people make them.
func mutated(r *rand.Rand, n network.Network) network.Network {
	n.Sites, n.Links = slices.Clone(n.Sites), slices.Clone(n.Links)
	for range 1 + r.IntN(5) {
		mutate(r, &n)
	}
	return valid(n)
}

func mutate(r *rand.Rand, n *network.Network) {
	s := &n.Sites[r.IntN(len(n.Sites))]
	other := n.Sites[r.IntN(len(n.Sites))]
	kind := r.IntN(15)
	if len(n.Links) == 0 && kind < 8 {
		connect(r, n)
		return
	}
	var l *network.Link
	if len(n.Links) > 0 {
		l = &n.Links[r.IntN(len(n.Links))]
	}
	switch kind {
	case 0, 1:
		connect(r, n)
	case 2, 3:
		i := r.IntN(len(n.Links))
		n.Links = slices.Delete(n.Links, i, i+1)
	case 4:
		l.To = other.Name
	case 5:
		l.From = other.Name
	case 6:
		l.From, l.To = l.To, l.From
		n.Sites[slices.IndexFunc(n.Sites, func(o network.Site) bool { return o.Name == l.To })].LinkAccess = "default"
	case 7: // all links of one site go to another
		from := l.To
		for i := range n.Links {
			if n.Links[i].To == from {
				n.Links[i].To = other.Name
			}
		}
	case 8:
		s.LinkAccess = []string{"default", "none", "nodeport"}[r.IntN(3)]
	case 9:
		if s.Edge = !s.Edge; s.Edge {
			s.LinkAccess, s.HA = "none", false
		}
	case 10:
		s.HA = !s.HA && !s.Edge
	case 11:
		s.Namespace += "x"
		s.Cluster = other.Cluster
	case 12:
		s.Object += "x"
	case 13:
		rename(n, s, network.SiteName(string(s.Name)+"y"))
	case 14:
		if i := slices.IndexFunc(n.Sites, func(o network.Site) bool { return o.Name == other.Name }); r.IntN(2) == 0 {
			a := &n.Sites[i]
			s.Namespace, s.Cluster, a.Namespace, a.Cluster = a.Namespace, a.Cluster, s.Namespace, s.Cluster
		}
	}
}

func rename(n *network.Network, s *network.Site, name network.SiteName) {
	for i := range n.Links {
		l := &n.Links[i]
		if l.From == s.Name {
			l.From = name
		}
		if l.To == s.Name {
			l.To = name
		}
	}
	s.Name = name
}

// valid drops the links that a description could not have.
func valid(n network.Network) network.Network {
	sites := map[network.SiteName]network.Site{}
	for _, s := range n.Sites {
		sites[s.Name] = s
	}
	seen := map[network.LinkName]bool{}
	n.Links = slices.DeleteFunc(slices.Clone(n.Links), func(l network.Link) bool {
		to := sites[l.To]
		drop := seen[l.Name] || l.From == l.To || !to.Listens() || to.Edge
		seen[l.Name] = true
		return drop
	})
	return n
}
