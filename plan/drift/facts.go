package drift

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/ignore"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// facts gathers how the network runs. What a drift's action says already is not said
// again: the action tells what is to be done about it.
type facts struct {
	in    planner.Input
	world *world.World
	rules []ignore.Rule
	// drift are the actions of the drift, by ID.
	drift map[string]plan.Action
	// going are the UIDs of what those actions remove.
	going map[string]bool
	// sites are the network's, by place, also where no record tells of them.
	sites map[plan.Place]world.Site
	found []plan.Live
	left  []plan.Ignored
}

// factsOf gives the facts that no rule covers, and those that one does, both sorted. The
// input's description is what was last applied, and drift the plan made of it.
func factsOf(in planner.Input, drift plan.Plan) ([]plan.Live, []plan.Ignored) {
	w := world.Of(in.Desired, in.Observation, world.TakesNothing)
	in.Observation = w.Observed
	f := &facts{in: in, world: w, rules: ignore.Parse(in.Ignore), drift: map[string]plan.Action{}, going: map[string]bool{}, sites: w.SitesNow()}
	for _, a := range drift.Actions {
		f.drift[a.ID] = a
		if a.Link != nil {
			for _, r := range a.Link.Remove {
				f.going[r.UID] = true
			}
		}
	}
	f.siteFacts()
	f.linkFacts()
	f.halted()
	others{f}.unmanagedLinks(drift.Unmanaged)
	f.leftoverFacts()
	f.clustersLeft()
	f.clustersChanged()
	others{f}.grantsOfOthers()
	others{f}.sitesOfOthers()
	slices.SortStableFunc(f.found, compareLive)
	return slices.Compact(f.found), f.left
}

// compareLive puts errors first.
func compareLive(a, b plan.Live) int {
	rank := map[diag.Severity]int{diag.Error: 0, diag.Warning: 1}
	return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Message, b.Message))
}

// note adds a fact about what an action would be about, unless it is not of the part
// that was asked for, or a rule covers it.
func (f *facts) note(about plan.Action, l plan.Live) {
	l.Subject = string(about.Kind) + "/" + about.Name
	l.Cluster, l.Namespace, l.At = about.Cluster, about.Namespace, about.DeclaredAt
	if !f.in.Filter.Matches(about) {
		return
	}
	if r := ignore.For(f.rules, about, l.Code); r != nil {
		f.left = append(f.left, plan.Ignored{Action: l.Subject, Field: l.Code, Rule: r.Path, Reason: r.Reason})
		return
	}
	f.found = append(f.found, l)
}

func (f *facts) siteFacts() {
	for _, at := range world.SortedPlaces(f.world.Sites) {
		for _, v := range f.world.Sites[at] {
			if !v.Owned(f.world.Network) || v.Deleting {
				continue
			}
			name := f.world.SiteOf(at, v)
			about := f.siteAbout(name, at)
			if !v.Ready && !v.WasReady { // else it was changed, and the controller has yet to see that
				f.note(about, plan.Live{
					Severity: diag.Error, Code: plan.LiveSiteNotReady, Message: "is not ready: " + v.Message,
					Fix: fmt.Sprintf("kubectl describe sites.skupper.io %s -n %s", v.Name, at.Namespace),
				})
			}
			if _, recorded := f.world.Inventories[at]; !recorded {
				f.note(about, plan.Live{
					Severity: diag.Error, Code: plan.LiveInventoryLost,
					Message: "its inventory is gone, so what was last applied there is not known",
					Fix:     "look at the plan and apply: that writes it again",
				})
			}
		}
	}
}

// leftoverFacts tells of grants that are open, and of objects of links that no record has
// and no action removes.
func (f *facts) leftoverFacts() {
	grants := map[string]world.GrantView{}
	for _, c := range f.in.Observation.Clusters {
		for _, g := range c.Grants {
			grants[g.UID] = g
		}
	}
	known, all := f.knownLinks(), f.allKnown()
	for _, name := range slices.Sorted(maps.Keys(f.world.Leftovers)) {
		for _, r := range f.world.Leftovers[name] {
			g, grant := grants[r.UID]
			switch {
			case grant && f.open(name, g):
				f.note(f.strayAction(name, r), openGrant(r, g))
			case !known[name] && !f.going[r.UID] && all:
				f.note(f.strayAction(name, r), leftover(r))
			}
		}
	}
	f.leftoverLinks()
}

func openGrant(r plan.ObjectRef, g world.GrantView) plan.Live {
	until := "for as long as it was granted"
	if g.Expires != "" {
		until = "until " + g.Expires
	}
	return plan.Live{
		Severity: diag.Warning, Code: plan.LiveGrantLeftOpen,
		Message: fmt.Sprintf("%s is there: whoever has its code can link to the network %s", r, until),
		Fix:     "unless an apply is running now, apply: that removes it",
	}
}

func leftover(r plan.ObjectRef) plan.Live {
	return plan.Live{
		Severity: diag.Warning, Code: plan.LiveLeftover,
		Message: fmt.Sprintf("%s was left by an earlier apply, and no site's record knows the link", r),
		Fix:     "unless an apply is running now, apply: that removes it",
	}
}

// strayAction is what a fact about an object of a link that is not there is about. One
// that no record has is of the site where the object is.
func (f *facts) strayAction(name network.LinkName, r plan.ObjectRef) plan.Action {
	l := f.world.Links[name]
	from := cmp.Or(l.From, f.sites[r.Place()].Name)
	return plan.Action{
		Kind: plan.KindLink, Name: string(name), Cluster: r.Cluster, Namespace: r.Namespace, DeclaredAt: l.DeclaredAt,
		Link: &plan.LinkWork{From: plan.End{Site: from}, To: plan.End{Site: l.To}},
	}
}

// open reports whether a grant of a link may be redeemed: it is neither spent nor expired,
// and there is no Secret that its redemption made.
func (f *facts) open(name network.LinkName, g world.GrantView) bool {
	if g.Closed(f.in.Now) {
		return false
	}
	for at, inv := range f.world.Inventories {
		l, recorded := inv.Content.Links[name]
		for attempt := 1; recorded && attempt <= l.Attempt; attempt++ {
			_, redeemed := f.world.Secrets[at][network.ObjectName(name, attempt)]
			if redeemed && g.Name == plan.GrantName(f.world.Network, name, attempt) {
				return false
			}
		}
	}
	return true
}

// knownLinks are those that a record has, or that have a Link of ours.
func (f *facts) knownLinks() map[network.LinkName]bool {
	out := map[network.LinkName]bool{}
	for _, inv := range f.world.Inventories {
		for name, l := range inv.Content.Links {
			out[name] = out[name] || l.State != record.LinkRetired
		}
	}
	for at, links := range f.world.LiveLinks {
		for _, v := range links {
			if name, own := f.world.LinkOf(at, v); own {
				out[name] = true
			}
		}
	}
	return out
}

// allKnown reports whether every cluster was read and every record can be: only then is
// a link that no record has one that is gone.
func (f *facts) allKnown() bool {
	for _, c := range f.in.Observation.Clusters {
		if c.State != plan.StateOK || len(c.Denied) > 0 {
			return false
		}
	}
	for _, inv := range f.world.Inventories {
		if inv.Broken != "" {
			return false
		}
	}
	return len(world.Unrecorded(f.in.Observation, f.world.Network)) == 0
}

// leftoverLinks tells of Links of ours that the record of their site does not have.
func (f *facts) leftoverLinks() {
	for _, at := range world.SortedPlaces(f.world.LiveLinks) {
		inv, recorded := f.world.Inventories[at]
		if !recorded || inv.Broken != "" {
			continue
		}
		for _, v := range f.world.LiveLinks[at] {
			name, own := f.world.LinkOf(at, v)
			l := inv.Content.Links[name]
			if own && !v.Deleting && (l.State == "" || l.State == record.LinkRetired) && !f.going[v.UID] {
				r := world.Ref(at.Cluster, plan.ObjectLink, v.Meta)
				f.note(f.strayAction(name, r), leftover(r))
			}
		}
	}
}

// clustersLeft tells of clusters that are described no more and have sites.
func (f *facts) clustersLeft() {
	if !f.in.Filter.IsZero() {
		return
	}
	for _, c := range world.NotesOf(f.world).Undescribed() {
		f.found = append(f.found, plan.Live{
			Severity: diag.Error, Code: plan.LiveClusterLeft, Subject: "cluster/" + string(c.Name), Cluster: c.Name,
			Message: world.StillRuns(c, f.world.Network), Fix: words.DescribeAgain + "; or forget it: plan shows the flag",
		})
	}
}

// clustersChanged tells of names that lead to other clusters than they did.
func (f *facts) clustersChanged() {
	for _, i := range world.NotesOf(f.world).Changed() {
		if len(f.in.Filter.Clusters) > 0 && !slices.Contains(f.in.Filter.Clusters, i.Name) {
			continue
		}
		f.found = append(f.found, plan.Live{
			Severity: diag.Error, Code: plan.LiveClusterChanged, Subject: "cluster/" + string(i.Name), Cluster: i.Name,
			Message: i.Says(f.world.Clusters[i.Name]), Fix: i.Fix(),
		})
	}
}
