package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Input is all that a plan is made of.
type Input struct {
	Desired     Desired
	Observation Observation
	Source      Source
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
	Filter Filter
	// Approved is a saved plan that this one is compared with, see Approve. One that was
	// narrowed narrows this one to the same actions, and what those need by now.
	Approved *Plan
	// Now, in RFC 3339 and UTC, becomes the plan's Made.
	Now string
	// Limits bound what the plan may take away without being told to: deletes,
	// connections, the last site of a cluster. nil means that nothing is bounded, as
	// for drift, which is only looked at. All zero means that nothing may be deleted.
	Limits *network.DeleteLimits
}

// Make compares and gives the plan. It never fails: what stands in the way is in
// the plan's refusals, and what could not be compared is counted as unknown.
func Make(in Input) Plan {
	m := newMaker(in)
	m.sameClusters()
	m.leftClusters()
	m.unnoted()
	m.swapped()
	m.holdRemovals()
	m.sites()
	m.links()
	m.prune()
	m.staleProxies()
	m.blast()
	m.expiring()
	m.unread()
	m.objects()
	m.tellGoing()
	m.addSoft()
	unmanaged := m.unmanaged()
	m.actions = in.narrow(m.actions)
	m.noSites()
	m.changedClusters()
	m.identify()
	m.makeBeforeBreak()
	m.rails()
	m.order()
	p := Plan{
		Format: Format, Network: in.Desired.Network, Source: in.Source, Made: in.Now,
		Clusters: clusterStates(m.in), Actions: m.actions, Topology: m.topology(),
		Refusals: m.refusals, Unmanaged: unmanaged, Diagnostics: append(slices.Clone(m.in.Diagnostics), m.findings...).Sorted(),
	}
	if p.Diagnostics == nil {
		p.Diagnostics = diag.List{}
	}
	p.Narrowed, p.Ignored = !in.Filter.IsZero(), m.ignored()
	p.Summary = summarise(p.Actions, m.unknown)
	normalise(&p)
	return identified(p)
}

// identified gives the plan its ID, and its refusals the flags that name it.
func identified(p Plan) Plan {
	p.ID = Identify(p)
	p.Refusals = flagged(p)
	return p
}

// Identify gives the digest of what a plan would do. Its ID is left out, and what
// depends on the day, on who plans and on where git stands: when it was made, the base,
// warnings, how much could not be compared, what is ignored, how the network runs and what
// follows from that for its shape, and the commit. What the description says
// is in its own digest. The flags that lift refusals name the ID, and are left out with
// it, and so is the reason why a cluster could not be read, which is worded otherwise
// each time.
func Identify(p Plan) string {
	p.ID, p.Made, p.Diagnostics, p.Summary.Unknown, p.Refusals, p.Base = "", "", nil, 0, unflagged(p.Refusals), nil
	p.Ignored, p.Live, p.Behind, p.Applied = nil, nil, nil, nil
	if p.Topology.Basis != "" { // older plans have none, and the shape in their ID
		p.Topology = noTopology()
	}
	p.Source = Source{Digest: p.Source.Digest}
	p.Clusters = slices.Clone(p.Clusters)
	for i := range p.Clusters {
		p.Clusters[i].Reason = ""
	}
	data, err := json.Marshal(p)
	if err != nil { // every type in a plan can be marshalled; a new one that cannot is a bug
		panic(fmt.Sprintf("plan: %v", err))
	}
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// maker gathers the parts of one plan.
type maker struct {
	in      Input
	index   index
	actions []Action
	ids     map[string]bool
	// told are proxies whose unknown credentials were reported; findings join the
	// plan's diagnostics.
	told     map[string]bool
	findings diag.List
	// siteFields are the changes of living sites, by action; closing are the actions by
	// which a site stops listening and stays the same otherwise for links from it.
	siteFields map[string][]Field
	closing    map[string]bool
	// was is kept by present.
	was      present
	refusals []Refusal
	unknown  int
	// soft are orders that are wished for, make before break, and given up where
	// they would close a circle.
	soft    []order
	waiting waiting
	// named are the UIDs of what the approved plan adopts.
	named map[string]bool
	// rules are the description's, left is what they leave out.
	rules []ruled
	left  []leftOut
}

// order says that one action comes after another.
type order struct{ id, after string }

func newMaker(in Input) *maker {
	in.Observation.Clusters = slices.SortedStableFunc(slices.Values(in.Observation.Clusters), func(a, b ClusterView) int {
		return cmp.Compare(a.Name, b.Name)
	})
	in.Observation = Settled(in.Observation, in.Desired.Network)
	return &maker{
		in: in, index: newIndex(in),
		ids: map[string]bool{}, siteFields: map[string][]Field{}, closing: map[string]bool{}, told: map[string]bool{},
		waiting: newWaiting(in.Observation), rules: rulesOf(in.Ignore), named: in.Approved.adopted(),
	}
}

func (m *maker) add(a Action) {
	m.actions = append(m.actions, a)
	m.ids[a.ID] = true
	if a.Kind == KindSite && a.Verb != VerbCreate {
		m.siteFields[a.ID] = a.Fields
		turns := func(f Field) bool { return f.Path == "edge" || f.Path == "name" }
		m.closing[a.ID] = a.Verb == VerbUpdate && a.closes() && !slices.ContainsFunc(a.Fields, turns)
	}
}

func (m *maker) refuse(r Refusal)   { m.refusals = append(m.refusals, r) }
func (m *maker) network() string    { return m.in.Desired.Network }
func (m *maker) has(id string) bool { return m.ids[id] }

// SameCluster is the code of the refusal of two names for one cluster.
const SameCluster = "same-cluster"

// sameClusters refuses two names for one cluster: each object would be seen twice,
// once as declared and once as somebody's to delete.
func (m *maker) sameClusters() {
	names := map[string]network.ClusterName{}
	for _, c := range m.in.Observation.Clusters {
		for _, uid := range identities(c) {
			if other, ok := names[uid]; ok && other != c.Name {
				m.refuse(Refusal{
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
func identities(c ClusterView) []string {
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

func clusterStates(in Input) []Cluster {
	out := []Cluster{}
	for _, c := range in.Observation.Clusters {
		out = append(out, Cluster{Name: c.Name, UID: c.UID, State: c.State, Reason: c.Reason, Skupper: skupperVersion(c, in.Desired)})
	}
	return out
}

// AllRead reports whether every cluster could be read in full.
func AllRead(clusters []Cluster) bool {
	return !slices.ContainsFunc(clusters, func(c Cluster) bool { return c.State != StateOK })
}

// skupperVersion is the controller's version as the network's Sites, and others in the
// namespaces that it wants, show it: the same whether or not more could be read.
func skupperVersion(c ClusterView, d Desired) string {
	wanted := map[string]bool{}
	for _, s := range d.Sites {
		if s.Cluster == c.Name {
			wanted[s.Namespace] = true
		}
	}
	v := ""
	for _, s := range c.Sites {
		if wanted[s.Namespace] || s.Owned(d.Network) {
			v = newer(v, s.Version)
		}
	}
	return v
}

func summarise(actions []Action, unknown int) Summary {
	s := Summary{Unknown: unknown}
	for _, a := range actions {
		switch a.Verb {
		case VerbCreate:
			s.Create++
		case VerbUpdate:
			s.Update++
		case VerbReplace:
			s.Replace++
		case VerbDelete:
			s.Delete++
		case VerbAdopt:
			s.Adopt++
		}
		if a.Cause != CausePending {
			s.Drift++
		}
	}
	return s
}

// order sorts actions the way people read them: sites, their objects, links, then
// deletes with links before objects before sites; by name within.
func (m *maker) order() {
	rank := func(a Action) int {
		switch {
		case a.Verb != VerbDelete && a.Kind == KindSite:
			return 0
		case a.Verb != VerbDelete && (a.Kind == KindProxy || a.Kind == KindObject):
			return 1
		case a.Verb != VerbDelete:
			return 2
		case a.Kind == KindLink:
			return 3
		case a.Kind == KindProxy, a.Kind == KindObject:
			return 4
		}
		return 5
	}
	slices.SortStableFunc(m.actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ID, b.ID))
	})
	slices.SortStableFunc(m.refusals, func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Subject, b.Subject))
	})
}

// normalise sorts what is a set and replaces nil lists.
func normalise(p *Plan) {
	for i := range p.Actions {
		a := &p.Actions[i]
		slices.Sort(a.DependsOn)
		a.DependsOn = slices.Compact(a.DependsOn)
		a.DependsOn, a.Fields, a.Steps = notNil(a.DependsOn), notNil(a.Fields), notNil(a.Steps)
		if a.Link != nil {
			a.Link.Live, a.Link.Remove = notNil(a.Link.Live), notNil(sortRefs(a.Link.Remove))
		}
	}
	p.Actions, p.Refusals, p.Unmanaged = notNil(p.Actions), notNil(p.Refusals), notNil(p.Unmanaged)
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Filter narrows a plan to some clusters, sites or links. Empty lists match
// everything; an action is kept when it matches every list that applies to it,
// together with the actions that it depends on.
type Filter struct {
	Clusters []network.ClusterName
	Sites    []network.SiteName
	Links    []network.LinkName
}

// IsZero reports whether the filter keeps everything.
func (f Filter) IsZero() bool {
	return len(f.Clusters)+len(f.Sites)+len(f.Links) == 0
}

func (f Filter) apply(actions []Action) []Action {
	if f.IsZero() {
		return actions
	}
	return withNeeds(actions, f.matches)
}

// narrow keeps what the filter does, and of that what a narrowed plan was approved to do.
func (in Input) narrow(actions []Action) []Action {
	actions = in.Filter.apply(actions)
	if in.Approved == nil || !in.Approved.Narrowed {
		return actions
	}
	approved := map[string]bool{}
	for _, a := range in.Approved.Actions {
		approved[identity(a)] = true
	}
	return withNeeds(actions, func(a Action) bool { return approved[identity(a)] })
}

// withNeeds keeps the actions that match, those that they depend on, and the links of
// sites that come to be reached otherwise.
func withNeeds(actions []Action, matches func(Action) bool) []Action {
	byID := map[string]Action{}
	for _, a := range actions {
		byID[a.ID] = a
	}
	keep := map[string]bool{}
	var mark func(id string)
	mark = func(id string) {
		if a, ok := byID[id]; ok && !keep[id] {
			keep[id] = true
			for _, d := range a.DependsOn {
				mark(d)
			}
		}
	}
	for _, a := range actions {
		if matches(a) {
			mark(a.ID)
		}
	}
	along := func(a Action) bool { // a site that is reached otherwise takes its links along
		return a.Kind == KindLink && !keep[a.ID] && slices.ContainsFunc(a.DependsOn, func(id string) bool {
			site := byID[id]
			return keep[id] && site.movesListening() && site.Name == string(a.Link.To.Site)
		})
	}
	for more := true; more; { // links bring sites along that may be reached otherwise, too
		more = false
		for _, a := range actions {
			if along(a) {
				mark(a.ID)
				more = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(actions), func(a Action) bool { return !keep[a.ID] })
}

// movesListening reports whether a site's action changes how links reach it.
func (a Action) movesListening() bool {
	return a.Kind == KindSite && a.Verb == VerbUpdate && slices.ContainsFunc(a.Fields, func(f Field) bool {
		return f.Path == "linkAccess" || f.Path == "ha" || f.Path == "defaultIssuer"
	})
}

func (f Filter) matches(a Action) bool {
	if len(f.Clusters) > 0 && !slices.Contains(f.Clusters, a.Cluster) {
		return false
	}
	switch a.Kind {
	case KindProxy:
		return len(f.Links)+len(f.Sites) == 0 // otherwise with the links that need it
	case KindObject:
		return len(f.Sites) == 0 && len(f.Links) == 0 || slices.Contains(f.Sites, a.Object.Site)
	case KindLink:
		if len(f.Links) > 0 {
			return slices.Contains(f.Links, network.LinkName(a.Name))
		}
		return len(f.Sites) == 0 ||
			slices.Contains(f.Sites, a.Link.From.Site) || slices.Contains(f.Sites, a.Link.To.Site)
	default:
		if len(f.Sites) > 0 {
			return slices.Contains(f.Sites, network.SiteName(a.Name))
		}
		return len(f.Links) == 0
	}
}

// Keep narrows a plan to the actions that a rule keeps, with its counts and ID
// made anew.
func Keep(p Plan, keep func(Action) bool) Plan {
	p.Actions = notNil(slices.DeleteFunc(slices.Clone(p.Actions), func(a Action) bool { return !keep(a) }))
	p.Summary = summarise(p.Actions, p.Summary.Unknown)
	return identified(p)
}

// Decode reads a plan's JSON. A format that is not Format, or an ID that does not
// fit the content, is an error. What was overridden when it was written is not so now:
// that is for whoever applies it to say again.
func Decode(data []byte) (Plan, error) {
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	if p.Format != Format {
		return Plan{}, fmt.Errorf("plan: format %q is not %q; a newer Fairlead may have written it", p.Format, Format)
	}
	if id := Identify(p); id != p.ID {
		return Plan{}, fmt.Errorf("plan: the file was altered: its id is %s, its content's %s", p.ID, id)
	}
	p.Refusals = flagged(p)
	return p, nil
}
