package safety

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// rails refuses what a plan should not do without being told to, judged by the actions
// that it really has.
type rails struct {
	world   *world.World
	was     world.Present
	actions []plan.Action
	// limits are those that hold, declared those of the description.
	limits, declared network.DeleteLimits
	refusals         []plan.Refusal
}

// Refusals gives the refusals of a plan's actions; without limits there are none. Each can be
// lifted, see Lift.
func Refusals(w *world.World, actions []plan.Action, limits *network.DeleteLimits) []plan.Refusal {
	if limits == nil || len(actions) == 0 {
		return nil
	}
	r := &rails{world: w, was: w.Now(), actions: actions, declared: *limits, limits: strictest(w.Observed, *limits)}
	sites, links := r.goingSites(), w.LinksNow()
	r.limit(deletes{kind: plan.KindSite, least: 1, most: r.limits.Sites, going: sites, all: r.countSites()})
	r.limit(deletes{kind: plan.KindLink, least: 2, most: r.limits.Links, going: r.goingLinks(links), all: r.countLinks(links)})
	r.limit(deletes{kind: plan.KindObject, least: 2, most: r.limits.Objects, going: r.goingObjects(), all: r.countObjects()})
	r.emptied(sites)
	r.partition()
	return r.refusals
}

func (r *rails) refuse(what plan.Refusal) { r.refusals = append(r.refusals, what) }

// strictest gives of each limit the lower one of what is declared and what was last applied:
// a change cannot raise the limit of its own deletions.
func strictest(o world.Observation, limits network.DeleteLimits) network.DeleteLimits {
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
	kind        plan.Kind
	least, most int
	going       going
	all         map[network.ClusterName]int
}

// goingSites are the sites that the plan deletes where they are, also those that it
// makes anew elsewhere.
func (r *rails) goingSites() going {
	out := going{}
	for _, a := range r.actions {
		_, there := r.was.Sites[a.Place()]
		if a.Kind == plan.KindSite && a.Verb == plan.VerbDelete && there {
			out[a.Cluster] = append(out[a.Cluster], a.Name)
		}
	}
	return out
}

func (r *rails) countSites() map[network.ClusterName]int {
	out := map[network.ClusterName]int{}
	for at, s := range r.was.Sites {
		if !s.Fixed {
			out[at.Cluster]++
		}
	}
	return out
}

// goingLinks are the links that the plan deletes at their connecting sites; one of
// which only an old Link goes is not among them.
func (r *rails) goingLinks(there map[world.LinkAt]bool) going {
	out, planned := going{}, world.ChangesOf(r.actions)
	for _, a := range r.actions {
		key := world.LinkAt{Name: network.LinkName(a.Name), At: a.Place()}
		stays := func(o plan.Action) bool { return o.Verb != plan.VerbDelete }
		if a.Kind == plan.KindLink && a.Verb == plan.VerbDelete && there[key] && !slices.ContainsFunc(planned.Links[key], stays) {
			out[a.Cluster] = append(out[a.Cluster], a.Name)
		}
	}
	return out
}

func (r *rails) countLinks(there map[world.LinkAt]bool) map[network.ClusterName]int {
	out := map[network.ClusterName]int{}
	for l := range there {
		out[l.At.Cluster]++
	}
	return out
}

// goingObjects are the objects of overlays that the plan deletes at sites that stay where
// they are; what goes with a site is counted as the site. One that kustomize only gave
// another suffix, as it does when the content of a generated ConfigMap changes, stays.
func (r *rails) goingObjects() going {
	out, kept := going{}, map[string]bool{}
	where := func(a plan.Action) string { return string(a.Cluster) + "/" + a.Namespace }
	key := func(a plan.Action) string {
		return where(a) + " " + plan.ObjectKey(a.Object.APIVersion, a.Object.Kind, unsuffixed(a.Name))
	}
	for _, a := range r.actions {
		switch {
		case a.Kind == plan.KindSite && a.Verb == plan.VerbDelete:
			kept[where(a)] = true
		case a.Kind == plan.KindObject && a.Verb == plan.VerbCreate && unsuffixed(a.Name) != a.Name:
			kept[key(a)] = true
		}
	}
	for _, a := range r.actions {
		if a.Kind == plan.KindObject && a.Verb == plan.VerbDelete && a.Object.UID != "" && !kept[where(a)] && !kept[key(a)] {
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
	there := map[plan.Place]map[string]bool{}
	for at, inv := range r.world.Inventories {
		for key := range inv.Content.Objects {
			world.Put(there, at, key, true)
		}
	}
	for _, a := range r.actions {
		if a.Kind == plan.KindObject && a.Object.UID != "" {
			world.Put(there, a.Place(), a.Key(), true)
		}
	}
	out := map[network.ClusterName]int{}
	for at, keys := range there {
		if r.world.Readable(at.Cluster) {
			out[at.Cluster] += len(keys)
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
	r.limitScope(d, code, fmt.Sprintf("network %q", r.world.Network), d.going.names(), total)
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
	r.refuse(plan.Refusal{
		Code: code, Subject: subject, Number: len(names),
		Message: fmt.Sprintf("%d of %s would be deleted, and %s: %s", len(names), words.Count(total, string(d.kind)), limit, words.SomeNames(names)),
	})
}

// emptied refuses to delete the last site on a cluster that has some.
func (r *rails) emptied(sites going) {
	left := map[network.ClusterName]int{}
	for at := range r.was.Then(r.actions) {
		left[at.Cluster]++
	}
	for _, c := range slices.Sorted(maps.Keys(sites)) {
		live := func(a plan.Action) bool {
			return a.Kind == plan.KindSite && a.Verb == plan.VerbDelete && a.Cluster == c && a.Site.UID != ""
		}
		if left[c] == 0 && slices.ContainsFunc(r.actions, live) {
			r.refuse(plan.Refusal{
				Code: "cluster-emptied." + string(c), Subject: fmt.Sprintf("cluster %q", c), Number: len(sites[c]),
				Message: fmt.Sprintf("would have no site of network %s any more: %s", r.world.Network, words.SomeNames(sites[c])),
			})
		}
	}
}

// Partition is the code of the refusal to take away the last path between two sites.
const Partition = "partition"

// partition refuses to take away the last path between two sites that stay.
func (r *rails) partition() {
	before, after := r.was.Graphs(r.actions)
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
	if rest := len(lost) - words.MostNames; rest > 0 {
		lost = append(lost[:words.MostNames], fmt.Sprintf("and %d more", rest))
	}
	r.refuse(plan.Refusal{
		Code: Partition, Subject: fmt.Sprintf("network %q", r.world.Network), Number: pairs,
		Message: fmt.Sprintf("%s would be cut off: %s", words.Count(pairs, "pair")+" of sites", strings.Join(lost, "; ")),
	})
}
