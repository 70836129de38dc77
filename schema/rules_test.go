package schema

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

func place(line int) diag.Position { return diag.Position{File: "x.cue", Line: line, Column: 1} }

// with is the origin of a thing of which some fields were read.
func with(s *shape, names ...string) origin {
	o := origin{field: &field{at: place(1)}, shape: s, places: newPlaces(nil)}
	for _, name := range names {
		_, i := s.field(name)
		o.given.add(i)
	}
	return o
}

// random makes a network of a few sites, some edge, and a few links.
func random(r *rand.Rand) declared {
	d := declared{unreadable: map[string]bool{}}
	n, link := 1+r.IntN(7), linkShape()
	for i := range n {
		d.sites = append(d.sites, siteDecl{Site: network.Site{
			Name: network.SiteName(fmt.Sprintf("s%d", i)), Edge: r.IntN(3) == 0, DeclaredAt: place(i + 1),
		}})
	}
	for i := range r.IntN(2 * n) {
		from, to := r.IntN(n), r.IntN(n)
		if from == to || d.sites[to].Edge {
			continue
		}
		d.links = append(d.links, linkDecl{origin: with(link, "from", "to"), Link: network.Link{
			Name: network.LinkName(fmt.Sprintf("l%d", i)), From: d.sites[from].Name, To: d.sites[to].Name, DeclaredAt: place(100 + i),
		}})
	}
	return d
}

// reachable follows links from one site; edge sites end a path.
func reachable(d declared, from network.SiteName) map[network.SiteName]bool {
	edge := map[network.SiteName]bool{}
	for _, s := range d.sites {
		edge[s.Name] = s.Edge
	}
	seen := map[network.SiteName]bool{from: true}
	for queue := []network.SiteName{from}; len(queue) > 0; queue = queue[1:] {
		here := queue[0]
		if edge[here] && here != from {
			continue
		}
		for _, l := range d.links {
			for _, hop := range [][2]network.SiteName{{l.From, l.To}, {l.To, l.From}} {
				if hop[0] == here && !seen[hop[1]] {
					seen[hop[1]] = true
					queue = append(queue, hop[1])
				}
			}
		}
	}
	return seen
}

// bruteForce finds the largest group around a site that passes traffic on, or
// around a lone edge site, and gives the sites outside it.
func bruteForce(d declared) []string {
	var best []network.SiteName
	for _, s := range d.sites {
		group := reachable(d, s.Name)
		if s.Edge && len(group) > 1 {
			continue
		}
		var members []network.SiteName
		for name := range group {
			members = append(members, name)
		}
		slices.Sort(members)
		if len(members) > len(best) || len(members) == len(best) && slices.Compare(members, best) < 0 {
			best = members
		}
	}
	outside := []string{}
	for _, s := range d.sites {
		if !slices.Contains(best, s.Name) {
			outside = append(outside, subject("site", string(s.Name)))
		}
	}
	return outside
}

func TestReachAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		d := random(r)
		got := []string{}
		for _, f := range check(d) {
			if f.Code == "unreachable-site" {
				got = append(got, f.Subject)
			}
		}
		if diff := cmp.Diff(bruteForce(d), got); diff != "" {
			t.Fatalf("sites %+v\nlinks %+v\nunreachable (-want +got):\n%s", d.sites, d.links, diff)
		}
	}
}

func TestClosest(t *testing.T) {
	t.Parallel()
	candidates := []string{"cost", "from", "to", "via", "proxy", "linkAccess"}
	for word, want := range map[string]string{
		"cots": "cost", "form": "from", "too": "to", "FROM": "from", "linkacess": "linkAccess", "prxoy": "proxy",
		"x": "", "owner": "", "": "", "costly-thing": "",
	} {
		if got := network.Closest(word, candidates); got != want {
			t.Errorf("%q is closest to %q, want %q", word, got, want)
		}
	}
}

// TestNoCascades checks that one mistake gives one finding.
func TestNoCascades(t *testing.T) {
	t.Parallel()
	site := func(name string) siteDecl {
		return siteDecl{Site: network.Site{Name: network.SiteName(name), Cluster: "c", Namespace: name, DeclaredAt: place(1)},
			origin: with(siteShape(), "cluster", "namespace")}
	}
	hub := site("hub")
	hub.LinkAccess, hub.origin = "default", with(siteShape(), "cluster", "namespace", "linkAccess")
	brokenHub := site("hub")
	brokenHub.broken = true
	link := linkDecl{Link: network.Link{Name: "l", From: "a", To: "hub", Via: network.ViaToken, DeclaredAt: place(9)}, origin: with(linkShape(), "from", "to")}
	halfLink := link
	halfLink.To, halfLink.origin = "", with(linkShape(), "from")
	halfLink.broken = true
	clusters := []clusterDecl{{Cluster: network.Cluster{Name: "c", DeclaredAt: place(2)}}}
	for name, d := range map[string]declared{
		"broken listener":    {clusters: clusters, sites: []siteDecl{brokenHub, site("a")}, links: []linkDecl{link}},
		"broken link":        {clusters: clusters, sites: []siteDecl{hub, site("a")}, links: []linkDecl{halfLink}},
		"unreadable sites":   {clusters: clusters, sites: []siteDecl{site("a")}, links: []linkDecl{link}, unreadable: map[string]bool{"sites": true}},
		"unreadable cluster": {sites: []siteDecl{hub, site("a")}, links: []linkDecl{link}, unreadable: map[string]bool{"clusters": true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := check(d); len(got) > 0 {
				t.Errorf("findings %v, want none", got)
			}
		})
	}
}
