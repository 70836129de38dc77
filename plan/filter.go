package plan

import (
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

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

// Apply keeps the actions that match, and what those need.
func (f Filter) Apply(actions []Action) []Action {
	if f.IsZero() {
		return actions
	}
	return WithNeeds(actions, f.Matches)
}

// WithNeeds keeps the actions that match, those that they depend on, and the links of
// sites that come to be reached otherwise.
func WithNeeds(actions []Action, matches func(Action) bool) []Action {
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

// Matches reports whether an action is of the part that is asked for.
func (f Filter) Matches(a Action) bool {
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
