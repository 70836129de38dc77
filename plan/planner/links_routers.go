package planner

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// endpointGroups tells to which routers of a listening site Links lead.
type endpointGroups struct{ *world.World }

// routers compares a link's Links with the routers of its listening site, one for
// each endpoint group: an HA site has two. It gives how many Links are missing and
// which lead to a router that is not there, or not after this plan. Of two Links to
// one router the one that works stays. A router that an HA site does not show just
// now is not taken for gone.
func (m linkPlanner) routers(c linkCase) (missing int, surplus []world.LinkView) {
	want, groups := m.endpoints.groups(c.To), m.endpoints.liveGroups(c.action.Link.To)
	if len(groups) == 0 {
		return max(want-len(c.current), 0), nil
	}
	f, changes := m.changes(c.To, "ha")
	if changes && plan.IsZero(f.To) {
		groups = groups[:1] // the first router stays
	}
	covered := map[string]bool{}
	for _, v := range m.endpoints.byGroup(c) {
		group := m.endpoints.groupOf(c, v)
		switch {
		case covered[group]:
			surplus = append(surplus, v)
		case !slices.Contains(groups, group) && len(groups) >= want:
			surplus = append(surplus, v)
		default:
			covered[group] = true
		}
	}
	if changes && !plan.IsZero(f.To) || len(groups) >= want {
		missing = want - len(covered)
	}
	return max(missing, 0), surplus
}

// byGroup are the current Links by group, those that work first.
func (m endpointGroups) byGroup(c linkCase) []world.LinkView {
	works := map[bool]int{true: 0, false: 1}
	return slices.SortedStableFunc(slices.Values(c.current), func(a, b world.LinkView) int {
		return cmp.Or(cmp.Compare(m.groupOf(c, a), m.groupOf(c, b)), cmp.Compare(works[a.Works()], works[b.Works()]))
	})
}

// liveGroups are the endpoint groups that a link's listening Site has now, sorted.
func (m endpointGroups) liveGroups(to plan.End) []string {
	var out []string
	for _, e := range m.Endpoints(to) {
		if !slices.Contains(out, e.Group) {
			out = append(out, e.Group)
		}
	}
	slices.Sort(out)
	return out
}

// groupOf is the group that a Link leads to: its endpoints say so, or, where they
// name none, the Site's of the same address.
func (m endpointGroups) groupOf(c linkCase, v world.LinkView) string {
	for _, have := range v.Endpoints {
		if have.Group != "" {
			return have.Group
		}
		for _, e := range m.Endpoints(c.action.Link.To) {
			if e.String() == have.String() {
				return e.Group
			}
		}
	}
	if groups := m.liveGroups(c.action.Link.To); len(groups) == 1 && len(c.current) == 1 {
		return groups[0]
	}
	return ""
}

// changes gives the field by which the plan changes a living site.
func (m linkPlanner) changes(site network.SiteName, path string) (plan.Field, bool) {
	for _, f := range m.siteFields["site/"+string(site)] {
		if f.Path == path {
			return f, true
		}
	}
	return plan.Field{}, false
}

// eachRouter plans the Links that routers of the listening site lack, with the
// credentials that the link has, and the removal of those of routers that are gone.
// What stays is not touched.
func (m linkPlanner) eachRouter(c linkCase, a *plan.Action) {
	missing, surplus := m.routers(c)
	if c.Recorded.Adopted || missing == 0 && len(surplus) == 0 {
		return
	}
	cause := plan.CauseDrift
	if f, ok := m.changes(c.To, "ha"); ok {
		cause = f.Cause
	} else if m.endpoints.leftBehind(c, surplus) {
		cause = plan.CausePending
	}
	from, to := len(c.current), len(c.current)+missing-len(surplus)
	a.Fields = append(a.Fields, plan.Field{Path: "routers", From: from, To: to, Cause: cause})
	a.Link.Routers = to
	if missing > 0 {
		a.Link.Attempt = m.freeAttempt(c)
	}
	for _, v := range surplus {
		a.Link.Live = slices.DeleteFunc(a.Link.Live, func(l plan.LiveLink) bool { return l.UID == v.UID })
		a.Link.Remove = append(a.Link.Remove, world.Ref(c.At.Cluster, plan.ObjectLink, v.Meta))
	}
}

// leftBehind reports whether a link's Links are as they were applied, and only the routers
// of its site are others: an apply changed these and did not come to the link.
func (m endpointGroups) leftBehind(c linkCase, surplus []world.LinkView) bool {
	groups := m.liveGroups(c.action.Link.To)
	return sameNames(c.Recorded.Objects, c.current) && !slices.ContainsFunc(surplus, func(v world.LinkView) bool {
		return slices.Contains(groups, m.groupOf(c, v))
	})
}

// whyRouters words a change of the number of routers.
func whyRouters(a plan.Action) string {
	return fmt.Sprintf("site %s has %s now, and each gets a Link", a.Link.To.Site, words.Count(a.Link.Routers, "router"))
}
