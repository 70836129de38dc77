// Package planner compares a described network with what was observed on its
// clusters and gives the plan: what has to be done, and why. It is pure: it reads no
// cluster, no clock and no environment, and the same input gives the same bytes.
//
// The invariant that everything here serves: carrying out Make's actions on the
// observed state gives the desired state, and planning again gives no action.
package planner

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/effects"
	"fairlead.dev/fairlead/plan/ignore"
	"fairlead.dev/fairlead/plan/safety"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Input is all that a plan is made of.
type Input struct {
	Desired     plan.Desired
	Observation world.Observation
	Source      plan.Source
	Diagnostics diag.List
	// Shape asks what the plan does to the network's shape. That takes a search from each
	// site, before and after.
	Shape bool
	// Ignore are the description's rules for what may differ on the clusters.
	Ignore []network.Ignore
	// Adopt takes foreign objects of a wanted name over instead of refusing them. With an
	// Approved plan it counts for nothing: only what that plan adopts may be.
	Adopt bool
	// ExpiringBefore, in RFC 3339 and UTC, makes certificates that end before it a
	// warning; empty means none.
	ExpiringBefore string
	// Filter narrows the plan; the zero value keeps everything.
	Filter plan.Filter
	// Approved is a saved plan that this one is compared with, see Approve. One that was
	// narrowed narrows this one to the same actions, and what those need by now.
	Approved *plan.Plan
	// Now, in RFC 3339 and UTC, becomes the plan's Made.
	Now string
	// Limits bound what the plan may take away without being told to: deletes,
	// connections, the last site of a cluster. nil means that nothing is bounded, as
	// for drift, which is only looked at. All zero means that nothing may be deleted.
	Limits *network.DeleteLimits
}

// Make compares and gives the plan. It never fails: what stands in the way is in
// the plan's refusals, and what could not be compared is counted as unknown.
func Make(in Input) plan.Plan {
	m := newMaker(in)
	m.checks.sameClusters()
	m.checks.leftClusters()
	m.checks.unnoted()
	m.findings = append(m.findings, world.Swapped(m.world)...)
	m.sites.holdRemovals()
	m.sites.plan()
	m.links.plan()
	m.removals.plan()
	m.proxies.staleProxies()
	m.checks.noteReissued()
	m.checks.expiring()
	m.checks.unread()
	m.objects.plan()
	m.checks.tellGoing()
	m.removals.addSoft()
	unmanaged := world.Unmanaged(m.world, m.actions)
	m.actions = in.narrow(m.actions)
	m.checks.noSites()
	m.checks.changedClusters()
	m.checks.identify()
	m.actions = safety.InSequence(m.world, m.actions)
	m.refusals = append(m.refusals, safety.Refusals(m.world, m.actions, in.Limits)...)
	m.order()
	p := plan.Plan{
		Format: plan.Format, Network: in.Desired.Network, Source: in.Source, Made: in.Now,
		Clusters: world.ClusterStates(m.world), Actions: m.actions, Topology: plan.NoTopology(),
		Refusals: m.refusals, Unmanaged: unmanaged, Diagnostics: append(slices.Clone(m.in.Diagnostics), m.findings...).Sorted(),
	}
	if in.Shape {
		p.Topology = effects.Of(m.world, m.actions)
	}
	if p.Diagnostics == nil {
		p.Diagnostics = diag.List{}
	}
	p.Narrowed, p.Ignored = !in.Filter.IsZero(), m.Ignored(in.Filter)
	p.Summary = plan.Summarise(p.Actions, m.unknown)
	plan.Normalise(&p)
	return plan.Identified(p)
}

// maker gathers the parts of one plan.
type maker struct {
	sites    sitePlanner
	links    linkPlanner
	proxies  proxyPlanner
	objects  objectPlanner
	removals removalPlanner
	checks   checks
	// remains and endpoints answer for links.
	remains   remains
	endpoints endpointGroups

	in      Input
	world   *world.World
	actions []plan.Action
	ids     map[string]bool
	// reported are the proxies whose unknown credentials were told; findings join the
	// plan's diagnostics.
	reported map[string]bool
	findings diag.List
	// siteFields are the changes of living sites, by action; closing are the actions by
	// which a site stops listening and stays the same otherwise for links from it.
	siteFields map[string][]plan.Field
	closing    map[string]bool
	refusals   []plan.Refusal
	unknown    int
	// soft are orders that are wished for, make before break, and given up where
	// they would close a circle.
	soft    []order
	waiting waiting
	// newProxies are the Secrets that the plan makes, by action; keptProxies are those that
	// stay in use.
	newProxies  map[string]string
	keptProxies map[plan.Place][]string
	// named are the UIDs of what the approved plan adopts.
	named map[string]bool
	ignore.Rules
}

// Each planner plans one kind of thing, on what the maker gathers.
type (
	sitePlanner    struct{ *maker }
	linkPlanner    struct{ *maker }
	proxyPlanner   struct{ *maker }
	objectPlanner  struct{ *maker }
	removalPlanner struct{ *maker }
	// checks look at what is planned as a whole.
	checks struct{ *maker }
)

// order says that one action comes after another.
type order struct{ id, after string }

func newMaker(in Input) *maker {
	m := &maker{
		in:  in,
		ids: map[string]bool{}, siteFields: map[string][]plan.Field{}, closing: map[string]bool{}, reported: map[string]bool{},
		newProxies: map[string]string{}, keptProxies: map[plan.Place][]string{},
		waiting: newWaiting(in.Observation), Rules: ignore.Rules{List: ignore.Parse(in.Ignore)}, named: in.Approved.Adopted(),
	}
	m.world = world.Of(in.Desired, in.Observation, m.mayTakeOver)
	m.in.Observation = m.world.Observed
	m.sites, m.links, m.proxies = sitePlanner{m}, linkPlanner{m}, proxyPlanner{m}
	m.objects, m.removals, m.checks = objectPlanner{m}, removalPlanner{m}, checks{m}
	m.remains, m.endpoints = remains{m.world}, endpointGroups{m.world}
	return m
}

func (m *maker) add(a plan.Action) {
	m.actions = append(m.actions, a)
	m.ids[a.ID] = true
	if a.Kind == plan.KindSite && a.Verb != plan.VerbCreate {
		m.siteFields[a.ID] = a.Fields
		turns := func(f plan.Field) bool { return f.Path == "edge" || f.Path == "name" }
		m.closing[a.ID] = a.Verb == plan.VerbUpdate && a.Closes() && !slices.ContainsFunc(a.Fields, turns)
	}
}

func (m *maker) refuse(r plan.Refusal) { m.refusals = append(m.refusals, r) }
func (m *maker) network() string       { return m.in.Desired.Network }
func (m *maker) has(id string) bool    { return m.ids[id] }

// SameCluster is the code of the refusal of two names for one cluster.
const SameCluster = "same-cluster"

// sameClusters refuses two names for one cluster: each object would be seen twice,
// once as declared and once as somebody's to delete.
func (m checks) sameClusters() {
	names := map[string]network.ClusterName{}
	for _, c := range m.in.Observation.Clusters {
		for _, uid := range identities(c) {
			if other, ok := names[uid]; ok && other != c.Name {
				m.refuse(plan.Refusal{
					Code: SameCluster, Subject: fmt.Sprintf("cluster %q", c.Name),
					Message:  fmt.Sprintf("is the same cluster as %q", other),
					Override: "describe it once, and let all its sites name that one",
				})
				break
			}
			names[uid] = c.Name
		}
	}
}

// identities are UIDs that no two clusters share: those of namespaces where they could
// be read, and those of Sites and inventories.
func identities(c world.ClusterView) []string {
	var out []string
	for _, uid := range []string{c.UID, c.LockUID} {
		if uid != "" {
			out = append(out, uid)
		}
	}
	for _, s := range c.Sites {
		out = append(out, s.UID)
	}
	for _, i := range c.Inventories {
		out = append(out, i.UID)
	}
	return out
}

// order sorts actions the way people read them: sites, their objects, links, then
// deletes with links before objects before sites; by name within.
func (m *maker) order() {
	rank := func(a plan.Action) int {
		switch {
		case a.Verb != plan.VerbDelete && a.Kind == plan.KindSite:
			return 0
		case a.Verb != plan.VerbDelete && (a.Kind == plan.KindProxy || a.Kind == plan.KindObject):
			return 1
		case a.Verb != plan.VerbDelete:
			return 2
		case a.Kind == plan.KindLink:
			return 3
		case a.Kind == plan.KindProxy, a.Kind == plan.KindObject:
			return 4
		}
		return 5
	}
	slices.SortStableFunc(m.actions, func(a, b plan.Action) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ID, b.ID))
	})
	slices.SortStableFunc(m.refusals, func(a, b plan.Refusal) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Subject, b.Subject))
	})
}

// narrow keeps what the filter does, and of that what a narrowed plan was approved to do.
func (in Input) narrow(actions []plan.Action) []plan.Action {
	actions = in.Filter.Apply(actions)
	if in.Approved == nil || !in.Approved.Narrowed {
		return actions
	}
	approved := map[string]bool{}
	for _, a := range in.Approved.Actions {
		approved[plan.Identity(a)] = true
	}
	return plan.WithNeeds(actions, func(a plan.Action) bool { return approved[plan.Identity(a)] })
}

// AsFound gives the network as it is on the clusters, with the Links that are down and
// with what a plan made of the same input takes over.
func AsFound(in Input, p plan.Plan) network.Network {
	return effects.AsFound(newMaker(in).world, p.Actions)
}
