package schema

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

func (r *rules) linkRules() {
	for i := range r.links {
		l := &r.links[i]
		name := subject("link", string(l.Name))
		resolve(r, "site", name, l.origin, "from", l.From, r.siteOf)
		to := resolve(r, "site", name, l.origin, "to", l.To, r.siteOf)
		switch {
		case l.has("from") && l.has("to") && l.From == l.To:
			r.fail("self-link", name, l.at("to"), fmt.Sprintf("from and to are both %q", l.To), "link two different sites", l.at("from"))
		case to != nil:
			r.listener(l, to)
		}
		if l.has("proxy") || l.broken {
			r.viaProxy(l)
		}
	}
	r.duplicates()
}

func (r *rules) listener(l *linkDecl, to *siteDecl) {
	name := subject("link", string(l.Name))
	switch {
	case to.Edge:
		r.fail("edge-listens", name, l.at("to"), fmt.Sprintf("to is %q, but an edge site cannot listen", l.To),
			"swap from and to, or link to another site", to.at("edge"))
	case !to.Listens() && !to.broken:
		r.fail("listener-without-access", name, l.at("to"), fmt.Sprintf("to is %q, but that site does not listen", l.To),
			fmt.Sprintf("add linkAccess: \"default\" to site %q", l.To), to.DeclaredAt)
	}
}

func (r *rules) viaProxy(l *linkDecl) {
	if !l.has("proxy") {
		r.unresolved = true
		return
	}
	name := subject("link", string(l.Name))
	resolve(r, "proxy", name, l.origin, "proxy", l.Proxy, r.proxyOf)
	if l.Via == network.ViaToken && l.has("via") {
		r.fail("proxy-needs-certificate", name, l.at("via"), fmt.Sprintf("via is %q, but a token cannot carry the settings of proxy %q", l.Via, l.Proxy),
			`remove via, or write via: "certificate"`, l.at("proxy"))
	}
}

// duplicates warns of a second link between two sites, in either direction: the
// routers use one and keep the other in reserve, whatever their costs.
func (r *rules) duplicates() {
	type ends struct{ a, b network.SiteName }
	first := map[ends]*linkDecl{}
	for i := range r.links {
		l := &r.links[i]
		if !l.has("from") || !l.has("to") || l.From == l.To {
			continue
		}
		key := ends{min(l.From, l.To), max(l.From, l.To)}
		other, taken := first[key]
		if !taken {
			first[key] = l
			continue
		}
		message := fmt.Sprintf("joins the same sites as link %q", other.Name)
		if other.From != l.From {
			message = fmt.Sprintf("joins the same sites as link %q, the other way round", other.Name)
		}
		r.warn("duplicate-ends", subject("link", string(l.Name)), l.at("to"), message+"; routers use only one of them at a time",
			"remove one, or keep it as a standby", other.at("to"))
	}
}

// islands groups sites that reach each other. Edge sites carry no transit: each
// belongs to every island that it has a link into, or is one of its own.
type islands struct {
	parent map[network.SiteName]network.SiteName
	// excused sites have a link that could not be read: nothing is known of them.
	excused map[network.SiteName]bool
	members map[network.SiteName][]network.SiteName
}

// reach reports sites that no path joins to the largest island, and nothing of
// islands that a link with an unreadable end may join.
func (r *rules) reach() {
	if r.unreadable["sites"] || r.unreadable["links"] {
		return
	}
	isles, ok := newIslands(r)
	if !ok || len(isles.members) < 2 {
		return
	}
	main := isles.largest()
	doubtful := isles.doubtful()
	if doubtful[isles.members[main][0]] {
		return
	}
	inside := map[network.SiteName]bool{}
	for _, s := range isles.members[main] {
		inside[s] = true
	}
	for _, s := range r.sites {
		if !inside[s.Name] && !doubtful[s.Name] {
			r.unreachable(s, transit(r, isles.members[main]))
		}
	}
}

// transit is the first site that passes traffic on, or else the first.
func transit(r *rules, sites []network.SiteName) network.SiteName {
	for _, s := range sites {
		if !r.siteOf[s].Edge {
			return s
		}
	}
	return sites[0]
}

func (r *rules) unreachable(s siteDecl, from network.SiteName) {
	severity := diag.Warning
	if r.policy.UnreachableSites == network.LevelError {
		severity = diag.Error
	}
	message := fmt.Sprintf("no path of links joins it to site %q", from)
	if slices.ContainsFunc(r.sites, func(s siteDecl) bool { return s.Edge }) {
		message += ", and edge sites pass nothing on"
	}
	r.report(severity, "unreachable-site", subject("site", string(s.Name)), s.DeclaredAt, message,
		"add a link between it and a site of the network")
}

// newIslands is not ok when a link can be read at neither end: it could join any two.
func newIslands(r *rules) (islands, bool) {
	out := islands{
		parent:  map[network.SiteName]network.SiteName{},
		excused: map[network.SiteName]bool{},
		members: map[network.SiteName][]network.SiteName{},
	}
	for _, s := range r.sites {
		out.parent[s.Name] = s.Name
		out.excused[s.Name] = s.broken
	}
	for _, l := range r.links {
		if !out.join(r, l) {
			return out, false
		}
	}
	out.gather(r)
	return out, true
}

func (i *islands) join(r *rules, l linkDecl) bool {
	from, to := r.siteOf[l.From], r.siteOf[l.To]
	switch {
	case from == nil && to == nil:
		return false
	case from == nil:
		i.excused[to.Name] = true
	case to == nil || from == to:
		i.excused[from.Name] = true
	case to.Edge: // refused elsewhere; nothing is concluded from it
		i.excused[from.Name], i.excused[to.Name] = true, true
	case !from.Edge:
		i.parent[i.find(from.Name)] = i.find(to.Name)
	}
	return true
}

func (i *islands) find(s network.SiteName) network.SiteName {
	for i.parent[s] != s {
		i.parent[s] = i.parent[i.parent[s]]
		s = i.parent[s]
	}
	return s
}

// gather lists the members of each island, sorted by name.
func (i *islands) gather(r *rules) {
	attached := map[network.SiteName]bool{}
	for _, l := range r.links {
		for _, pair := range [][2]network.SiteName{{l.From, l.To}, {l.To, l.From}} {
			edge, hub := r.siteOf[pair[0]], r.siteOf[pair[1]]
			if edge != nil && hub != nil && edge.Edge && !hub.Edge {
				root := i.find(hub.Name)
				i.members[root] = append(i.members[root], edge.Name)
				attached[edge.Name] = true
			}
		}
	}
	for _, s := range r.sites {
		if !attached[s.Name] {
			root := i.find(s.Name)
			i.members[root] = append(i.members[root], s.Name)
		}
	}
	for root, m := range i.members {
		slices.Sort(m)
		i.members[root] = slices.Compact(m)
	}
}

// largest is the root of the island with most members; of equals, the one that
// holds the first site by name.
func (i *islands) largest() network.SiteName {
	var best network.SiteName
	var most []network.SiteName
	for root, m := range i.members {
		if cmp.Or(cmp.Compare(len(most), len(m)), slices.Compare(m, most), cmp.Compare(root, best)) < 0 {
			best, most = root, m
		}
	}
	return best
}

// doubtful are the sites of islands that hold an excused one.
func (i *islands) doubtful() map[network.SiteName]bool {
	out := map[network.SiteName]bool{}
	for _, m := range i.members {
		if slices.ContainsFunc(m, func(s network.SiteName) bool { return i.excused[s] }) {
			for _, s := range m {
				out[s] = true
			}
		}
	}
	return out
}
