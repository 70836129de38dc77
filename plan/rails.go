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
// that it really has.
type rails struct {
	world   *index
	was     present
	actions []Action
	// limits are those that hold, declared those of the description.
	limits, declared network.DeleteLimits
	refusals         []Refusal
}

// tooMuch gives the refusals of a plan's actions; without limits there are none. Each can be
// lifted, see Lift.
func tooMuch(w *index, actions []Action, limits *network.DeleteLimits) []Refusal {
	if limits == nil || len(actions) == 0 {
		return nil
	}
	r := &rails{world: w, was: w.now(), actions: actions, declared: *limits, limits: strictest(w.observed, *limits)}
	sites, links := r.goingSites(), r.goingLinks()
	r.limit(deletes{kind: KindSite, least: 1, most: r.limits.Sites, going: sites, all: r.countSites()})
	r.limit(deletes{kind: KindLink, least: 2, most: r.limits.Links, going: links, all: r.countLinks()})
	r.limit(deletes{kind: KindObject, least: 2, most: r.limits.Objects, going: r.goingObjects(), all: r.countObjects()})
	r.emptied(sites)
	r.partition()
	return r.refusals
}

func (r *rails) refuse(what Refusal) { r.refusals = append(r.refusals, what) }

// strictest gives of each limit the lower one of what is declared and what was last applied:
// a change cannot raise the limit of its own deletions.
func strictest(o Observation, limits network.DeleteLimits) network.DeleteLimits {
	for _, view := range o.Clusters {
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
	going       going
	all         map[network.ClusterName]int
}

// goingSites are the sites that the plan deletes where they are, also those that it
// makes anew elsewhere.
func (r *rails) goingSites() going {
	out := going{}
	for _, a := range r.actions {
		_, there := r.was.sites[a.place()]
		if a.Kind == KindSite && a.Verb == VerbDelete && there {
			out[a.Cluster] = append(out[a.Cluster], a.Name)
		}
	}
	return out
}

func (r *rails) countSites() map[network.ClusterName]int {
	out := map[network.ClusterName]int{}
	for at, s := range r.was.sites {
		if !s.fixed {
			out[at.cluster]++
		}
	}
	return out
}

// goingLinks are the links that the plan deletes at their connecting sites; one of
// which only an old Link goes is not among them.
func (r *rails) goingLinks() going {
	out, there, planned := going{}, r.world.linksNow(), changesOf(r.actions)
	for _, a := range r.actions {
		key := linkAt{name: network.LinkName(a.Name), at: a.place()}
		stays := func(o Action) bool { return o.Verb != VerbDelete }
		if a.Kind == KindLink && a.Verb == VerbDelete && there[key] && !slices.ContainsFunc(planned.links[key], stays) {
			out[a.Cluster] = append(out[a.Cluster], a.Name)
		}
	}
	return out
}

func (r *rails) countLinks() map[network.ClusterName]int {
	out := map[network.ClusterName]int{}
	for l := range r.world.linksNow() {
		out[l.at.cluster]++
	}
	return out
}

// goingObjects are the objects of overlays that the plan deletes at sites that stay where
// they are; what goes with a site is counted as the site. One that kustomize only gave
// another suffix, as it does when the content of a generated ConfigMap changes, stays.
func (r *rails) goingObjects() going {
	out, kept := going{}, map[string]bool{}
	where := func(a Action) string { return string(a.Cluster) + "/" + a.Namespace }
	key := func(a Action) string {
		return where(a) + " " + ObjectKey(a.Object.APIVersion, a.Object.Kind, unsuffixed(a.Name))
	}
	for _, a := range r.actions {
		switch {
		case a.Kind == KindSite && a.Verb == VerbDelete:
			kept[where(a)] = true
		case a.Kind == KindObject && a.Verb == VerbCreate && unsuffixed(a.Name) != a.Name:
			kept[key(a)] = true
		}
	}
	for _, a := range r.actions {
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
func (r *rails) countObjects() map[network.ClusterName]int {
	there := map[place]map[string]bool{}
	for at, inv := range r.world.inventories {
		for key := range inv.Content.Objects {
			put(there, at, key, true)
		}
	}
	for _, a := range r.actions {
		if a.Kind == KindObject && a.Object.UID != "" {
			put(there, a.place(), a.Key(), true)
		}
	}
	out := map[network.ClusterName]int{}
	for at, keys := range there {
		if r.world.readable(at.cluster) {
			out[at.cluster] += len(keys)
		}
	}
	return out
}

// limit refuses too many deletes, of the whole network and of each cluster that is not
// all of it.
func (r *rails) limit(d deletes) {
	total := 0
	for _, n := range d.all {
		total += n
	}
	code := "deletes." + string(d.kind) + "s"
	r.limitScope(d, code, fmt.Sprintf("network %q", r.world.network), d.going.names(), total)
	for _, c := range slices.Sorted(maps.Keys(d.going)) {
		if d.all[c] < total {
			r.limitScope(d, code+"."+string(c), fmt.Sprintf("cluster %q", c), d.going[c], d.all[c])
		}
	}
}

func (r *rails) limitScope(d deletes, code, subject string, names []string, total int) {
	share := max(total*r.limits.Percent/100, d.least)
	allowed := min(d.most, share)
	if len(names) <= allowed {
		return
	}
	limit := fmt.Sprintf("%d may go", allowed)
	if share < d.most {
		limit += fmt.Sprintf(", which is %d %% of them but at least %d", r.limits.Percent, d.least)
	}
	if r.limits != r.declared {
		limit += " (a limit that policy.deletes raises holds once it is applied)"
	}
	r.refuse(Refusal{
		Code: code, Subject: subject, Number: len(names),
		Message: fmt.Sprintf("%d of %s would be deleted, and %s: %s", len(names), count(total, string(d.kind)), limit, someNames(names)),
	})
}

// emptied refuses to delete the last site on a cluster that has some.
func (r *rails) emptied(sites going) {
	left := map[network.ClusterName]int{}
	for at := range r.was.then(r.actions) {
		left[at.cluster]++
	}
	for _, c := range slices.Sorted(maps.Keys(sites)) {
		live := func(a Action) bool {
			return a.Kind == KindSite && a.Verb == VerbDelete && a.Cluster == c && a.Site.UID != ""
		}
		if left[c] == 0 && slices.ContainsFunc(r.actions, live) {
			r.refuse(Refusal{
				Code: "cluster-emptied." + string(c), Subject: fmt.Sprintf("cluster %q", c), Number: len(sites[c]),
				Message: fmt.Sprintf("would have no site of network %s any more: %s", r.world.network, someNames(sites[c])),
			})
		}
	}
}

// Partition is the code of the refusal to take away the last path between two sites.
const Partition = "partition"

// partition refuses to take away the last path between two sites that stay.
func (r *rails) partition() {
	before, after := r.was.graphs(r.actions)
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
	r.refuse(Refusal{
		Code: Partition, Subject: fmt.Sprintf("network %q", r.world.network), Number: pairs,
		Message: fmt.Sprintf("%s would be cut off: %s", count(pairs, "pair")+" of sites", strings.Join(lost, "; ")),
	})
}
