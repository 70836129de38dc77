package plan

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/network"
)

// rails refuses what a plan should not do without being told to, judged by the actions
// that it really has. Each refusal can be lifted, see Lift.
func (m *maker) rails() {
	if m.in.Limits == nil || len(m.actions) == 0 {
		return
	}
	was, limits := m.index.now(), m.strictest()
	sites, links := m.goingSites(was), m.goingLinks()
	m.limit(deletes{kind: KindSite, least: 1, most: limits.Sites, going: sites, all: m.countSites(was), percent: limits.Percent})
	m.limit(deletes{kind: KindLink, least: 2, most: limits.Links, going: links, all: m.countLinks(), percent: limits.Percent})
	m.limit(deletes{kind: KindObject, least: 2, most: limits.Objects, going: m.goingObjects(), all: m.countObjects(), percent: limits.Percent})
	m.emptied(was, sites)
	m.partition(was)
}

// strictest gives of each limit the lower one of what is declared and what was last applied:
// a change cannot raise the limit of its own deletions.
func (m *maker) strictest() network.DeleteLimits {
	limits := *m.in.Limits
	for _, view := range m.in.Observation.Clusters {
		if view.Deletes != nil {
			limits = limits.Stricter(*view.Deletes)
		}
	}
	return limits
}

// going are the names of what goes, by cluster.
type going map[network.ClusterName][]string

func (g going) names() []string {
	var out []string
	for _, c := range slices.Sorted(maps.Keys(g)) {
		out = append(out, g[c]...)
	}
	return out
}

// deletes are those of one kind: what goes, and how many there are, on each cluster.
// The share lets at least so many go.
type deletes struct {
	kind        Kind
	least, most int
	percent     int
	going       going
	all         map[network.ClusterName]int
}

// goingSites are the sites that the plan deletes where they are, also those that it
// makes anew elsewhere.
func (m *maker) goingSites(was present) going {
	out := going{}
	for _, a := range m.actions {
		_, there := was.sites[a.place()]
		if a.Kind == KindSite && a.Verb == VerbDelete && there {
			out[a.Cluster] = append(out[a.Cluster], a.Name)
		}
	}
	return out
}

func (m *maker) countSites(was present) map[network.ClusterName]int {
	out := map[network.ClusterName]int{}
	for at, s := range was.sites {
		if !s.fixed {
			out[at.cluster]++
		}
	}
	return out
}

// goingLinks are the links that the plan deletes at their connecting sites; one of
// which only an old Link goes is not among them.
func (m *maker) goingLinks() going {
	out, there, planned := going{}, m.index.linksNow(), changesOf(m.actions)
	for _, a := range m.actions {
		key := linkAt{network.LinkName(a.Name), a.place()}
		stays := func(o Action) bool { return o.Verb != VerbDelete }
		if a.Kind == KindLink && a.Verb == VerbDelete && there[key] && !slices.ContainsFunc(planned.links[key], stays) {
			out[a.Cluster] = append(out[a.Cluster], a.Name)
		}
	}
	return out
}

func (m *maker) countLinks() map[network.ClusterName]int {
	out := map[network.ClusterName]int{}
	for l := range m.index.linksNow() {
		out[l.at.cluster]++
	}
	return out
}

// linksNow are the links that are recorded and not retired, or labelled and live.
func (ix *index) linksNow() map[linkAt]bool {
	out := map[linkAt]bool{}
	for at, inv := range ix.inventories {
		for name, l := range inv.Content.Links {
			if l.State != LinkRetired && ix.readable(at.cluster) {
				out[linkAt{name, at}] = true
			}
		}
	}
	for at, links := range ix.liveLinks {
		for _, v := range links {
			if name := v.Labels[LabelLink]; name != "" && v.Owned(ix.network) && ix.readable(at.cluster) {
				out[linkAt{network.LinkName(name), at}] = true
			}
		}
	}
	return out
}

// goingObjects are the objects of overlays that the plan deletes at sites that stay where
// they are; what goes with a site is counted as the site. One that kustomize only gave
// another suffix, as it does when the content of a generated ConfigMap changes, stays.
func (m *maker) goingObjects() going {
	out, kept := going{}, map[string]bool{}
	where := func(a Action) string { return string(a.Cluster) + "/" + a.Namespace }
	key := func(a Action) string {
		return where(a) + " " + ObjectKey(a.Object.APIVersion, a.Object.Kind, unsuffixed(a.Name))
	}
	for _, a := range m.actions {
		switch {
		case a.Kind == KindSite && a.Verb == VerbDelete:
			kept[where(a)] = true
		case a.Kind == KindObject && a.Verb == VerbCreate && unsuffixed(a.Name) != a.Name:
			kept[key(a)] = true
		}
	}
	for _, a := range m.actions {
		if a.Kind == KindObject && a.Verb == VerbDelete && a.Object.UID != "" && !kept[where(a)] && !kept[key(a)] {
			out[a.Cluster] = append(out[a.Cluster], strings.TrimPrefix(a.ID, "object/"))
		}
	}
	return out
}

// contentSuffix is the hash of its content that kustomize puts behind the name of an object
// that it generates (kustomize: api/hasher).
var contentSuffix = regexp.MustCompile(`-[24-9bcdfghkmt]{10}$`)

func unsuffixed(name string) string { return contentSuffix.ReplaceAllString(name, "") }

// countObjects counts the objects that are recorded or live.
func (m *maker) countObjects() map[network.ClusterName]int {
	there := map[place]map[string]bool{}
	for at, inv := range m.index.inventories {
		for key := range inv.Content.Objects {
			put(there, at, key, true)
		}
	}
	for _, a := range m.actions {
		if a.Kind == KindObject && a.Object.UID != "" {
			put(there, a.place(), a.Key(), true)
		}
	}
	out := map[network.ClusterName]int{}
	for at, keys := range there {
		if m.index.readable(at.cluster) {
			out[at.cluster] += len(keys)
		}
	}
	return out
}

// limit refuses too many deletes, of the whole network and of each cluster that is not
// all of it.
func (m *maker) limit(d deletes) {
	total := 0
	for _, n := range d.all {
		total += n
	}
	code := "deletes." + string(d.kind) + "s"
	m.limitScope(d, code, fmt.Sprintf("network %q", m.network()), d.going.names(), total)
	for _, c := range slices.Sorted(maps.Keys(d.going)) {
		if d.all[c] < total {
			m.limitScope(d, code+"."+string(c), fmt.Sprintf("cluster %q", c), d.going[c], d.all[c])
		}
	}
}

func (m *maker) limitScope(d deletes, code, subject string, names []string, total int) {
	share := max(total*d.percent/100, d.least)
	allowed := min(d.most, share)
	if len(names) <= allowed {
		return
	}
	limit := fmt.Sprintf("%d may go", allowed)
	if share < d.most {
		limit += fmt.Sprintf(", which is %d %% of them but at least %d", d.percent, d.least)
	}
	if m.strictest() != *m.in.Limits {
		limit += " (a limit that policy.deletes raises holds once it is applied)"
	}
	m.refuse(Refusal{
		Code: code, Subject: subject, Number: len(names),
		Message: fmt.Sprintf("%d of %s would be deleted, and %s: %s", len(names), count(total, string(d.kind)), limit, someNames(names)),
	})
}

// mostNames is how many names one sentence spells out.
const mostNames = 10

func someNames(names []string) string {
	return spelled(slices.Sorted(slices.Values(names)), mostNames)
}

// spelled joins the first names of a list, and counts the rest.
func spelled[N ~string](list []N, most int) string {
	var names []string
	for _, n := range list[:min(most, len(list))] {
		names = append(names, string(n))
	}
	text := strings.Join(names, ", ")
	if rest := len(list) - len(names); rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}

// emptied refuses to delete the last site on a cluster that has some.
func (m *maker) emptied(was present, sites going) {
	left := map[network.ClusterName]int{}
	for at := range was.then(m.actions) {
		left[at.cluster]++
	}
	for _, c := range slices.Sorted(maps.Keys(sites)) {
		live := func(a Action) bool {
			return a.Kind == KindSite && a.Verb == VerbDelete && a.Cluster == c && a.Site.UID != ""
		}
		if left[c] == 0 && slices.ContainsFunc(m.actions, live) {
			m.refuse(Refusal{
				Code: "cluster-emptied." + string(c), Subject: fmt.Sprintf("cluster %q", c), Number: len(sites[c]),
				Message: fmt.Sprintf("would have no site of network %s any more: %s", m.network(), someNames(sites[c])),
			})
		}
	}
}

// Partition is the code of the refusal to take away the last path between two sites.
const Partition = "partition"

// partition refuses to take away the last path between two sites that stay.
func (m *maker) partition(was present) {
	before, after := was.graphs(m.actions)
	pairs := topology.Lost(before, after)
	if pairs == 0 {
		return
	}
	var lost []string
	for _, e := range topology.Effects(before, after) {
		if e.Code == topology.ConnectionLost {
			lost = append(lost, e.Message)
		}
	}
	if rest := len(lost) - mostNames; rest > 0 {
		lost = append(lost[:mostNames], fmt.Sprintf("and %d more", rest))
	}
	m.refuse(Refusal{
		Code: Partition, Subject: fmt.Sprintf("network %q", m.network()), Number: pairs,
		Message: fmt.Sprintf("%s would be cut off: %s", count(pairs, "pair")+" of sites", strings.Join(lost, "; ")),
	})
}

// graphs are the network as it is and as the actions leave it.
func (p present) graphs(actions []Action) (before, after network.Network) {
	left, c := []way{}, changesOf(actions)
	for _, w := range p.ways {
		if len(c.breakers(w)) == 0 {
			left = append(left, w)
		}
	}
	for _, a := range actions {
		if w, ok := madeBy(a); ok {
			left = append(left, w)
		}
	}
	return graph(p.sites, p.ways), graph(p.then(actions), left)
}
