package drift

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// others tells of what others made beside what is ours.
type others struct{ *facts }

// grantsOfOthers tells of open grants at our sites that Fairlead did not make for the network.
func (f others) grantsOfOthers() {
	for _, c := range f.in.Observation.Clusters {
		if c.State != plan.StateOK {
			continue
		}
		for _, g := range c.Grants {
			site, ours := f.sites[plan.PlaceOf(c.Name, g.Namespace)]
			if !ours || g.Owned(f.world.Network) || g.Closed(f.in.Now) {
				continue
			}
			f.note(f.siteAbout(site.Name, plan.PlaceOf(c.Name, g.Namespace)), plan.Live{
				Severity: diag.Warning, Code: plan.LiveUnmanagedGrant,
				Message: fmt.Sprintf("%s is open: %s; %s", world.Ref(c.Name, plan.ObjectGrant, g.Meta), termsOfGrant(g), originOfGrant(g)),
				Fix: fmt.Sprintf("find out who has its code; or end it: kubectl delete accessgrants.skupper.io %s -n %s; or ignore it by a rule of policy",
					g.Name, g.Namespace),
			})
		}
	}
}

// termsOfGrant says what a grant still allows.
func termsOfGrant(g world.GrantView) string {
	until := ""
	if g.Expires != "" {
		until = " until " + g.Expires
	}
	if g.Left == 0 {
		return "how often it may be redeemed is not known, whoever has its code may try" + until
	}
	return fmt.Sprintf("whoever has its code can link to the network%s, %s", until, times(g.Left))
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// originOfGrant says who made a grant, as far as its metadata tells.
func originOfGrant(g world.GrantView) string {
	who := "who made it is not known"
	switch net := g.Labels[plan.LabelNetwork]; {
	case g.Labels[plan.LabelManagedBy] == plan.ManagedBy && net != "":
		who = fmt.Sprintf("Fairlead made it for network %q", net)
	case g.By != "":
		who = "made with " + g.By
	}
	if g.Made != "" {
		who += " at " + g.Made
	}
	return who
}

// unmanagedLinks tells where Links lead that somebody made beside ours.
func (f others) unmanagedLinks(list []plan.ObjectRef) {
	for _, r := range list {
		if r.Kind != plan.ObjectLink {
			continue
		}
		at := r.Place()
		i := slices.IndexFunc(f.world.LiveLinks[at], func(v world.LinkView) bool { return v.UID == r.UID })
		if i < 0 {
			continue
		}
		v := f.world.LiveLinks[at][i]
		site := f.sites[at].Name
		to, message := v.RemoteSiteName, "is not Fairlead's"
		switch {
		case v.Works():
			message += fmt.Sprintf(": it leads from site %s to site %s at cost %d, and carries traffic that no description shows",
				cmp.Or(string(site), at.Namespace), cmp.Or(to, "of an unknown name"), max(v.Cost, 1))
		default:
			message += ", and is not operational"
		}
		f.note(plan.Action{
			Kind: plan.KindLink, Name: v.Name, Cluster: at.Cluster, Namespace: at.Namespace,
			Link: &plan.LinkWork{From: plan.End{Site: site}, To: plan.End{Site: network.SiteName(to)}},
		}, plan.Live{
			Severity: diag.Warning, Code: plan.LiveUnmanagedLink, Message: message,
			Fix: f.adviceOn(at, v) + "; or delete it; or ignore it by a rule of policy",
		})
	}
}

// adviceOn says what can be done about a Link that somebody made beside ours. Only one that
// leads to a site of ours can be described.
func (f others) adviceOn(at plan.Place, v world.LinkView) string {
	to, ours := f.ownIDs()[v.RemoteSiteID]
	switch {
	case v.RemoteSiteID == "":
		return fmt.Sprintf("where it leads to is not known, and until then it cannot be described: kubectl describe links.skupper.io %s -n %s",
			v.Name, at.Namespace)
	case !ours:
		return "it leads to a site that is not described, so describe that first"
	}
	advice := "describe it and run: fairlead apply --adopt"
	if names := f.accessesOfOthers(to); len(names) > 0 {
		advice += fmt.Sprintf(" (RouterAccess %s, by which it may come in, is no part of a site or link: an overlay of site %s can hold it)",
			words.SomeNames(names), f.sites[to].Name)
	}
	return advice
}

// accessesOfOthers names the RouterAccesses at a site that neither Skupper made for it nor
// an overlay has.
func (f others) accessesOfOthers(at plan.Place) (names []string) {
	for _, a := range f.in.Observation.Cluster(at.Cluster).Accesses {
		if a.Namespace == at.Namespace && a.Name != world.RouterAccess && !a.Deleting && !a.Owned(f.world.Network) {
			names = append(names, a.Name)
		}
	}
	return names
}

// siteAbout is what a fact about a site is about.
func (f *facts) siteAbout(name network.SiteName, at plan.Place) plan.Action {
	return plan.Action{
		Kind: plan.KindSite, Name: string(name), Cluster: at.Cluster, Namespace: at.Namespace, DeclaredAt: f.world.Desired[name].DeclaredAt,
	}
}

// otherSite is a site of the network that is not ours, with where it meets us.
type otherSite struct {
	world.SeenSite
	// at is the place of our site that it is linked with, or else of one that sees it.
	at plan.Place
	// link names the link between both, empty where there is none.
	link string
}

// sitesOfOthers tells of sites in the network that no description shows, one fact for each
// of our sites that some are linked with.
func (f others) sitesOfOthers() {
	by := map[plan.Place][]otherSite{}
	for _, o := range f.otherSites() {
		by[o.at] = append(by[o.at], o)
	}
	for _, at := range world.SortedPlaces(by) {
		var names []string
		for _, o := range by[at] {
			names = append(names, f.describeOther(o))
		}
		is, it, whose := "is a site", "it", "it is"
		if len(names) > 1 {
			is, it, whose = "are sites", "them", "they are"
		}
		f.note(f.siteAbout(f.sites[at].Name, at), plan.Live{
			Severity: diag.Warning, Code: plan.LiveUnmanagedSite,
			Message: fmt.Sprintf("%s %s of the network that no description shows", words.Some(slices.Sorted(slices.Values(names)), words.MostNames), is),
			Fix: fmt.Sprintf("describe %s; or find out whose %s, as a token or an open grant let %s in; or ignore %s by a rule of policy",
				it, whose, it, it),
		})
	}
}

// otherSites are the sites that ours see and that are not ours, sorted by ID. Of one that
// several see the first says more that is linked with it.
func (f others) otherSites() []otherSite {
	ours := f.ownIDs()
	found := map[string]otherSite{}
	for _, at := range world.SortedPlaces(f.world.Sites) {
		for _, v := range f.world.Sites[at] {
			if _, own := ours[v.UID]; !own {
				continue
			}
			for _, o := range v.Seen {
				if _, own := ours[o.ID]; own || o.ID == "" || f.mayBeOurs(v, o) || !f.judged(o) {
					continue
				}
				other := meeting(o, v, at, ours)
				if was, known := found[o.ID]; !known || was.link == "" && other.link != "" {
					found[o.ID] = other
				}
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b otherSite) int { return cmp.Compare(a.ID, b.ID) })
}

// judged reports whether it is known that a site that is seen is none of ours: every
// cluster was read, or it is on one that was.
func (f others) judged(o world.SeenSite) bool {
	all := !slices.ContainsFunc(f.in.Observation.Clusters, func(c world.ClusterView) bool { return c.State != plan.StateOK })
	_, _, there := f.findID(o.ID)
	return all || there
}

// findID finds the Site of a UID on the clusters that were read.
func (f others) findID(uid string) (plan.Place, world.SiteView, bool) {
	for at, sites := range f.world.Sites {
		if i := slices.IndexFunc(sites, func(v world.SiteView) bool { return v.UID == uid }); i >= 0 {
			return at, sites[i], true
		}
	}
	return plan.Place{}, world.SiteView{}, false
}

// ownIDs are the UIDs of Sites that are ours or stand where one of ours is described, with
// their places.
func (f others) ownIDs() map[string]plan.Place {
	out := map[string]plan.Place{}
	for at, sites := range f.world.Sites {
		for _, v := range sites {
			_, described := f.world.DesiredAt[at]
			if v.Owned(f.world.Network) || described {
				out[v.UID] = at
			}
		}
	}
	return out
}

// mayBeOurs reports whether a site that is seen may be one of ours as it was: what sees it
// has yet to see that ours was made anew.
func (f others) mayBeOurs(viewer world.SiteView, o world.SeenSite) bool {
	for _, d := range f.in.Desired.Sites {
		if d.Namespace != o.Namespace || d.Object != o.Name {
			continue
		}
		uid := f.world.SiteUID(d.Place(), d.Name)
		if uid == "" || !slices.ContainsFunc(viewer.Seen, func(s world.SeenSite) bool { return s.ID == uid }) {
			return true
		}
	}
	return false
}

// meeting finds where another site meets ours, as one of ours sees it.
func meeting(o world.SeenSite, viewer world.SiteView, at plan.Place, ours map[string]plan.Place) otherSite {
	out := otherSite{SeenSite: o, at: at}
	for _, l := range o.Links {
		if to, own := ours[l.To]; own {
			out.at, out.link = to, l.Name
			return out
		}
	}
	for _, s := range viewer.Seen {
		from, own := ours[s.ID]
		for _, l := range s.Links {
			if own && l.To == o.ID {
				out.at, out.link = from, l.Name
				return out
			}
		}
	}
	return out
}

// describeOther names another site, where it is and how it is linked, as far as that is known.
func (f others) describeOther(o otherSite) string {
	where := []string{}
	if o.Namespace != "" {
		where = append(where, "namespace "+o.Namespace)
	}
	if o.Platform != "" {
		where = append(where, "platform "+o.Platform)
	}
	if at, v, there := f.findID(o.ID); there {
		where = []string{"namespace " + at.Namespace + " of cluster " + string(at.Cluster)}
		if net := v.Labels[plan.LabelNetwork]; net != "" {
			where = append(where, fmt.Sprintf("of network %q", net))
		}
	}
	if o.link != "" {
		where = append(where, "linked by "+o.link)
	}
	return fmt.Sprintf("%q (%s)", o.Name, strings.Join(where, ", "))
}
