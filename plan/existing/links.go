package existing

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// link is one link of the network: one Link, or the pair that leads to an HA site.
type link struct {
	from, to *site
	views    []world.LinkView
	// own is true when this network has it already.
	own bool
	// object is the name that its Links have in common, wish the key it would have.
	object, wish string
	// recorded is what the inventory says of an own link.
	recorded record.Link
	// proxy is the Secret's name, empty for a direct link.
	proxy     string
	described network.Link
}

// findLinks finds the links of the chosen namespaces and takes those that can be
// taken.
func (m *importer) findLinks() {
	for _, v := range m.views {
		here := map[place][]world.LinkView{}
		for _, l := range v.Links {
			at := place{v.Name, l.Namespace}
			if m.mayTake(at, l) {
				here[at] = append(here[at], l)
			}
		}
		for at, list := range here {
			slices.SortFunc(list, func(a, b world.LinkView) int { return cmp.Compare(a.Name, b.Name) })
			m.linksAt(m.taken[at], list)
		}
	}
	slices.SortFunc(m.links, func(a, b *link) int {
		return cmp.Or(cmp.Compare(a.from.at.cluster, b.from.at.cluster), cmp.Compare(a.from.at.namespace, b.from.at.namespace), cmp.Compare(a.object, b.object))
	})
}

// mayTake reports whether a Link is a taken site's and nobody else's.
func (m *importer) mayTake(at place, l world.LinkView) bool {
	name := subject(at.cluster, plan.ObjectLink, l.Meta)
	from := m.taken[at]
	owner, others := m.others(l.Meta)
	switch {
	case !m.chosen(l.Namespace):
		return false
	case l.Deleting:
		m.leaveOut(name, "it is being deleted")
	case others && from != nil:
		m.leaveOut(name, fmt.Sprintf("it belongs to network %q", owner))
	case others: // said of its Site
	case from == nil:
		m.leaveOut(name, "its namespace has no Site that is taken over")
	default:
		return true
	}
	return false
}

// linksAt takes the Links of one site.
func (m *importer) linksAt(from *site, list []world.LinkView) {
	own := map[string][]world.LinkView{}
	foreign := map[string]world.LinkView{}
	for _, v := range list {
		if key := v.Labels[plan.LabelLink]; v.Owned(m.Network) && key != "" {
			own[key] = append(own[key], v)
		} else {
			foreign[v.Name] = v
		}
	}
	for key, views := range own {
		m.takeOwn(from, key, views)
	}
	second := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(foreign)) { // NAME-1 comes before NAME-2
		v := foreign[name]
		l := &link{from: from, views: []world.LinkView{v}, object: name, wish: name, proxy: v.Proxy}
		if other, base, ok := m.other(from, v, foreign); ok {
			second[other.Name] = true
			l.views, l.object, l.wish = append(l.views, other), base, base
		}
		if !second[name] {
			m.take(l)
		}
	}
}

// takeOwn takes a link that this network has already. Of its Links those count that
// the inventory names; others are about to go.
func (m *importer) takeOwn(from *site, key string, views []world.LinkView) {
	recorded := m.index.inventories[from.at].Links[network.LinkName(key)]
	current := slices.DeleteFunc(slices.Clone(views), func(v world.LinkView) bool { return !slices.Contains(recorded.Objects, v.Name) })
	if len(current) == 0 {
		current = views
	}
	l := &link{from: from, views: current, own: true, object: current[0].Name, wish: key, recorded: recorded, proxy: current[0].Proxy}
	for _, s := range m.taken {
		if s.described.Name == recorded.To {
			l.to = s
		}
	}
	m.take(l)
}

// other finds the second Link of a pair. Redeeming a token of an HA site makes two,
// NAME-1 and NAME-2, with one Secret; a third of the bare name would hide them.
func (m *importer) other(from *site, v world.LinkView, foreign map[string]world.LinkView) (second world.LinkView, base string, ok bool) {
	base, ok = strings.CutSuffix(v.Name, "-1")
	if !ok || base == "" {
		return second, "", false
	}
	second, ok = foreign[base+"-2"]
	if !ok || m.index.links[named{from.at, base}] || second.TLSCredentials != v.TLSCredentials || v.Proxy != second.Proxy {
		return second, "", false
	}
	a, _ := m.target(v)
	b, _ := m.target(second)
	return second, base, a == b || a == nil || b == nil
}

// take adds a link when it is known to lead to a site that the network has.
func (m *importer) take(l *link) {
	var problem string
	for _, v := range l.views {
		if l.to == nil {
			l.to, problem = m.target(v)
		}
	}
	if l.to != nil {
		problem = problemOf(l.from, l.to)
	}
	if problem == "" && l.proxy != "" {
		problem = m.proxyProblem(l)
	}
	if problem != "" {
		for _, v := range l.views {
			m.leaveOut(subject(l.from.at.cluster, plan.ObjectLink, v.Meta), problem)
		}
		return
	}
	l.described = network.Link{
		From: l.from.described.Name, To: l.to.described.Name, Cost: max(l.views[0].Cost, 1), Via: m.via(l), Object: l.object,
		Rotation: l.recorded.Rotation,
	}
	m.compareCosts(l)
	m.links = append(m.links, l)
}

// compareCosts notes a pair whose costs differ: a link has one.
func (m *importer) compareCosts(l *link) {
	for _, v := range l.views[1:] {
		if cost := max(v.Cost, 1); cost != l.described.Cost {
			m.alter(subject(l.from.at.cluster, plan.ObjectLink, v.Meta),
				fmt.Sprintf("its cost %d becomes %d, that of %s: the two are one link", cost, l.described.Cost, l.views[0].Name))
		}
	}
}

// target finds the Site that a Link leads to: the one that its router says, or the
// only one that listens where the Link connects. Without one it says why.
func (m *importer) target(v world.LinkView) (to *site, problem string) {
	if s, ok := m.index.byUID[v.RemoteSiteID]; ok {
		return s, ""
	}
	var found []*site
	for _, e := range v.Endpoints {
		for _, s := range m.index.byAddress[address(e)] {
			if !slices.Contains(found, s) {
				found = append(found, s)
			}
		}
	}
	switch {
	case len(found) == 1:
		return found[0], ""
	case len(found) > 1:
		return nil, fmt.Sprintf("it is not connected, and its endpoints are those of more than one Site: %s and %s", found[0].subject(), found[1].subject())
	case v.RemoteSiteID != "":
		return nil, fmt.Sprintf("it leads to Site %q, which is on none of the clusters that were read", v.RemoteSiteName)
	}
	return nil, fmt.Sprintf("it is not connected, and no Site of the clusters that were read listens at its endpoints (%s)", endpoints(v))
}

// endpoints shows a Link's endpoints on one line.
func endpoints(v world.LinkView) string {
	out := make([]string, len(v.Endpoints))
	for i, e := range v.Endpoints {
		out[i] = e.String()
	}
	return strings.Join(out, ", ")
}

// address is the "host:port" of an endpoint, "" when it has no host.
func address(e world.Endpoint) string {
	if e.Host == "" {
		return ""
	}
	return e.Host + ":" + e.Port
}

// problemOf says why no description can have a link between two sites.
func problemOf(from, to *site) string {
	switch {
	case from == to:
		return "it leads to its own Site"
	case !to.taken:
		return fmt.Sprintf("it leads to %s, which is not taken over", to.subject())
	case to.described.Edge:
		return fmt.Sprintf("it leads to %s, which is an edge site and cannot listen", to.subject())
	case !to.described.Listens():
		return fmt.Sprintf("it leads to %s, whose linkAccess is off", to.subject())
	}
	return ""
}

// via is what the inventory says. Without it, redeeming a token tells: it makes the
// connecting Site the owner of Link and Secret.
func (m *importer) via(l *link) network.Via {
	switch {
	case l.proxy != "":
		return network.ViaCertificate
	case l.recorded.State != "":
		return cmp.Or(l.recorded.Via, network.ViaToken)
	}
	for _, v := range l.views {
		if v.OwnerUID == l.from.UID || m.index.owners[named{l.from.at, v.TLSCredentials}] == l.from.UID {
			return network.ViaToken
		}
	}
	return network.ViaCertificate
}
