package planner

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// ends says how the recorded listening end differs from the wanted one; empty
// when it does not.
func (c linkCase) ends() string {
	to := c.action.Link.To
	switch {
	case c.Recorded.ToUID != "" && c.Recorded.ToUID == to.UID:
		return "" // the same Site, even when it or its cluster got another name
	case c.Recorded.To != c.To:
		return fmt.Sprintf("its listening site changed from %s to %s", c.Recorded.To, c.To)
	case c.Recorded.ToCluster != to.Cluster || c.Recorded.ToNamespace != to.Namespace:
		return fmt.Sprintf("site %s moved", c.To)
	}
	return ""
}

// reason says why a link is made anew, and who moved; nothing where it does not hold.
type reason func(linkCase) (why string, cause plan.Cause)

// drifted is a reason for which the cluster moved.
func drifted(why func(linkCase) string) reason {
	return func(c linkCase) (string, plan.Cause) { return why(c), plan.CauseDrift }
}

// The reasons for which a link needs new credentials and a new Link. The first that holds
// is told.
var (
	// appliedReasons are those of a link that was applied.
	appliedReasons = []reason{
		func(c linkCase) (string, plan.Cause) { return c.ends(), plan.CausePending },
		func(c linkCase) (string, plan.Cause) { return c.rekeyed(), c.rekeyCause() },
		linkCase.newSite,
		drifted(linkCase.gone),
		linkCase.readdressed,
		drifted(linkCase.incomplete),
	}
	// unrecordedReasons are those of Links that no inventory knows.
	unrecordedReasons = []reason{
		drifted(func(c linkCase) string {
			if c.elsewhere() {
				return "its inventory is missing and it leads to another site"
			}
			return ""
		}),
		drifted(func(c linkCase) string { return c.m.world.SecretGone(c.At, c.own) }),
		drifted(linkCase.otherProxy),
		drifted(linkCase.otherwise),
		drifted(linkCase.relistens),
		drifted(linkCase.strayed),
	}
)

// anew gives the first of the reasons that holds; empty when none does.
func (c linkCase) anew(reasons []reason) (why string, cause plan.Cause) {
	for _, holds := range reasons {
		if why, cause = holds(c); why != "" {
			return why, cause
		}
	}
	return "", ""
}

// newSite says which end of the link is another Site than it was.
func (c linkCase) newSite() (string, plan.Cause) {
	switch to := c.action.Link.To; {
	case c.action.Link.From.UID == "":
		return fmt.Sprintf("site %s is made anew, and its Links went with the old one", c.From), c.m.anewCause(c.At)
	case to.UID == "" || c.Recorded.ToUID != "" && c.Recorded.ToUID != to.UID:
		return fmt.Sprintf("site %s was made anew, so its CA no longer knows the link's certificate", c.To), c.m.anewCause(to.Place())
	}
	return "", ""
}

// gone says that no Link is left.
func (c linkCase) gone() string {
	if len(c.current) == 0 {
		return "was applied before and is gone from the cluster"
	}
	return ""
}

// anewCause says who lets a site be made anew at a place: git, where the Site that is
// there has another name and goes first.
func (m *maker) anewCause(at plan.Place) plan.Cause {
	if m.world.Cleared(at) {
		return plan.CausePending
	}
	return plan.CauseDrift
}

// readdressed says why a link's address is not, or will not be, its site's: the
// plan changes how the site listens, or the site has moved. A Link that was made
// by hand keeps the address that it was given.
func (c linkCase) readdressed() (string, plan.Cause) {
	if c.Recorded.Adopted {
		return "", ""
	}
	if f, ok := c.m.links.listening(c.To); ok {
		return fmt.Sprintf("site %s changes how it listens (%s)", c.To, f.Path), f.Cause
	}
	if _, surplus := c.m.links.routers(c); len(surplus) == len(c.current) && !c.unaddressed() {
		return fmt.Sprintf("its Links lead to no router that site %s has", c.To), plan.CauseDrift
	}
	at := c.m.world.Endpoints(c.action.Link.To)
	for _, v := range c.current {
		known := func(e world.Endpoint) bool {
			return slices.ContainsFunc(at, func(o world.Endpoint) bool { return o.String() == e.String() })
		}
		inPlace := c.Via == network.ViaCertificate && len(addressesOf(at, v, len(c.current))) > 0
		if len(at) > 0 && len(v.Endpoints) > 0 && !inPlace && !slices.ContainsFunc(v.Endpoints, known) {
			return fmt.Sprintf("Link %q leads to an address that site %s no longer has", v.Name, c.To), plan.CauseDrift
		}
	}
	return "", ""
}

// listening gives the field by which the plan changes a living site's endpoints or
// the CA that its links are signed by.
func (m linkPlanner) listening(site network.SiteName) (plan.Field, bool) {
	if f, ok := m.changes(site, "defaultIssuer"); ok {
		return f, true
	}
	f, ok := m.changes(site, "linkAccess")
	return f, ok && !plan.IsZero(f.From) && !plan.IsZero(f.To)
}

// unaddressed reports whether no Link says where it leads to.
func (c linkCase) unaddressed() bool {
	return !slices.ContainsFunc(c.current, func(v world.LinkView) bool { return len(v.Endpoints) > 0 })
}

// incomplete says what an applied link lacks. A Link that is gone beside another is
// made again with the same credentials, unless they were made by hand.
func (c linkCase) incomplete() string {
	for _, name := range c.Recorded.Objects {
		if c.Recorded.Adopted && !slices.ContainsFunc(c.current, func(v world.LinkView) bool { return v.Name == name }) {
			return fmt.Sprintf("Link %q is gone from the cluster", name)
		}
	}
	return c.m.world.SecretGone(c.At, c.current)
}

// replace plans new credentials and a new Link under a new name. The old Link
// goes only when the new one is operational.
func (m linkPlanner) replace(c linkCase, why string, cause plan.Cause) plan.Action {
	a := c.action
	a.Verb, a.Cause, a.Why = plan.VerbReplace, cause, why
	a.Disruption, a.Steps = plan.DisruptionReplace, replacement(c.Via)
	if len(c.own) == 0 {
		a.Verb, a.Disruption, a.Steps = plan.VerbCreate, plan.DisruptionNone, creation(c.Via)
	}
	a.Link.Attempt = m.freeAttempt(c)
	a.Fields = append(a.Fields, c.keyFields()...)
	a.Link.Remove = append(m.remains.removal(c, c.own), m.remains.leftovers(c, nil)...)
	return a
}
