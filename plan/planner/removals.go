package planner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/safety"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// plan plans the removal of what the network owns and the description no longer
// has. Clusters that were not read in full are left alone.
func (m removalPlanner) plan() {
	unwanted := m.unwantedLinks()
	places := map[network.LinkName]int{}
	for _, d := range unwanted {
		places[d.Link]++
	}
	for _, d := range unwanted {
		m.add(m.deleteLink(d, places[d.Link] > 1))
	}
	for _, at := range m.world.OwnedPlaces() {
		m.deleteSite(at)
	}
}

// unwantedLink is a link to delete at one connecting site.
type unwantedLink struct {
	world.RecordedLink
	site network.SiteName
	// own are its Links, objects all that it left.
	own     []world.LinkView
	objects []plan.ObjectRef
}

// unwantedLinks finds links of the inventories, and labelled objects without one,
// that the description does not have at that place.
func (m removalPlanner) unwantedLinks() []unwantedLink {
	found := map[plan.Place]map[network.LinkName]unwantedLink{}
	for _, at := range world.SortedPlaces(m.world.Inventories) {
		inv := m.world.Inventories[at].Content
		for name, l := range inv.Links {
			d := unwantedLink{RecordedLink: m.world.RecordOf(at, name), site: inv.Site}
			if (l.State != record.LinkRetired || len(m.ownLinks(d)) > 0) && m.unwanted(at, name) {
				putUnwanted(found, d)
			}
		}
	}
	m.addLabelled(found)
	var out []unwantedLink
	for _, at := range world.SortedPlaces(found) {
		for _, name := range slices.Sorted(maps.Keys(found[at])) {
			d := found[at][name]
			d.own = m.ownLinks(d)
			d.objects = m.linkObjects(d)
			out = append(out, d)
		}
	}
	return out
}

func putUnwanted(found map[plan.Place]map[network.LinkName]unwantedLink, d unwantedLink) {
	if found[d.At] == nil {
		found[d.At] = map[network.LinkName]unwantedLink{}
	}
	if _, ok := found[d.At][d.Link]; !ok {
		found[d.At][d.Link] = d
	}
}

// unwanted reports whether a link at a place is to go, and may be judged: what takes its
// place can be made.
func (m removalPlanner) unwanted(at plan.Place, name network.LinkName) bool {
	l, described := m.world.Links[name]
	return !m.waiting.removal[at] && !(described && m.unseen(l)) && m.world.Unwanted(at, name)
}

func (m removalPlanner) addLabelled(found map[plan.Place]map[network.LinkName]unwantedLink) {
	for _, at := range world.SortedPlaces(m.world.LiveLinks) {
		for _, v := range m.world.LiveLinks[at] {
			name := network.LinkName(v.Labels[plan.LabelLink])
			if v.Owned(m.network()) && name != "" && m.unwanted(at, name) {
				putUnwanted(found, unwantedLink{RecordedLink: world.RecordedLink{Link: name, At: at}, site: m.world.Inventories[at].Content.Site})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.world.Leftovers)) {
		for _, r := range m.world.Leftovers[name] {
			at := r.Place()
			_, wanted := m.world.Links[name]
			unused := r.Kind != plan.ObjectSecret || !m.world.Used(at, r.Name)
			listening := r.Kind == plan.ObjectGrant || r.Kind == plan.ObjectCertificate
			if listening && !wanted && !anywhere(found, name) || !listening && unused && m.unwanted(at, name) {
				putUnwanted(found, unwantedLink{RecordedLink: world.RecordedLink{Link: name, At: at}, site: m.world.Inventories[at].Content.Site})
			}
		}
	}
}

func anywhere(found map[plan.Place]map[network.LinkName]unwantedLink, name network.LinkName) bool {
	for _, links := range found {
		if _, ok := links[name]; ok {
			return true
		}
	}
	return false
}

// asCase is the link as one that is examined.
func (d unwantedLink) asCase(m *maker) linkCase {
	return linkCase{m: m, DesiredLink: plan.DesiredLink{Name: d.Link}, RecordedLink: d.RecordedLink, own: d.own}
}

// ownLinks are the Links of a unwanted link at its place.
func (m removalPlanner) ownLinks(d unwantedLink) (out []world.LinkView) {
	for _, v := range m.world.LiveLinks[d.At] {
		if m.world.IsOwn(d.RecordedLink, v) {
			out = append(out, v)
		}
	}
	return out
}

// linkObjects lists everything that a link left at its place: Links, their
// Secrets, tokens, and grants on the listening side.
func (m removalPlanner) linkObjects(d unwantedLink) []plan.ObjectRef {
	c := d.asCase(m.maker)
	out := m.remains.removal(c, c.own)
	_, moved := m.world.Links[d.Link]
	elsewhere := func(r plan.ObjectRef) bool { // what the link has where it is now, and what it listens by there
		listening := r.Kind == plan.ObjectGrant || r.Kind == plan.ObjectCertificate
		return moved && (listening || r.Place() != d.At)
	}
	return append(out, m.remains.leftovers(c, elsewhere)...)
}

// deleteLink plans a link's removal; several tells that the same name goes at more
// than one place.
func (m removalPlanner) deleteLink(d unwantedLink, several bool) plan.Action {
	a := plan.Action{
		ID: "link/" + string(d.Link), Kind: plan.KindLink, Verb: plan.VerbDelete, Cause: plan.CausePending,
		Cluster: d.At.Cluster, Namespace: d.At.Namespace, Name: string(d.Link),
		Disruption: plan.DisruptionReconnect, Steps: []plan.Step{plan.StepDelete},
		Why: "no longer in the description",
		Link: &plan.LinkWork{
			From: plan.End{Site: d.site, Object: m.world.SiteObject(d.At, d.site), Cluster: d.At.Cluster, Namespace: d.At.Namespace, UID: m.world.SiteUID(d.At, d.site)},
			To:   plan.End{Site: d.Recorded.To, Cluster: d.Recorded.ToCluster, Namespace: d.Recorded.ToNamespace},
			// The attempt tells apply which names an unfinished redemption may still take.
			Attempt: d.Recorded.Attempt, Seen: liveLinks(d.own), Remove: d.objects,
		},
	}
	switch d.Recorded.State {
	case "":
	case record.LinkRetired:
		a.Cause, a.Why = plan.CauseDrift, "an earlier apply left something behind"
	default:
		a.Steps = append(a.Steps, plan.StepConfirm)
	}
	l, moved := m.world.Links[d.Link]
	if moved || several {
		a.ID += d.At.Suffix()
	}
	if moved {
		a.Why = fmt.Sprintf("its connecting site is now %s", l.From)
		from := m.world.Desired[l.From]
		if from.Place() != d.At && m.has("link/"+string(d.Link)) {
			m.soft = append(m.soft, order{a.ID, "link/" + string(d.Link)})
		}
	}
	return a
}

// deleteSite plans the removal of the site at a place that the description no
// longer has there, and lets a new site of the same namespace wait for it.
func (m removalPlanner) deleteSite(at plan.Place) {
	wanted, ok := m.world.DesiredAt[at]
	inv := m.world.Inventories[at]
	name, uid := m.world.StaleSite(at, wanted)
	if name == "" || inv.Broken != "" && ok {
		return
	}
	if inv.Broken != "" {
		m.sites.refuseBroken(plan.DesiredSite{Name: name, Cluster: at.Cluster, Namespace: at.Namespace}, inv)
		return
	}
	if inv.Content.Protect && inv.Content.Site == name || m.world.Protected(at, uid) {
		m.refuse(plan.Refusal{
			Code: "protected", Subject: fmt.Sprintf("site %q", name),
			Message:  "is protected and the description no longer has it",
			Override: "put it back with protect: false, apply, and then remove it",
		})
		return
	}
	if m.waiting.removal[at] {
		return
	}
	a := plan.Action{
		ID: m.deleteID(at, name), Kind: plan.KindSite, Verb: plan.VerbDelete, Cause: plan.CausePending,
		Cluster: at.Cluster, Namespace: at.Namespace, Name: string(name),
		Disruption: plan.DisruptionReconnect, Steps: []plan.Step{plan.StepDelete},
		Site: &plan.SiteWork{
			Object: m.world.ObjectOf(at, uid, name), UID: uid, Observed: m.ownedFields(at, uid), Takes: m.takenAlong(at, uid),
		},
	}
	gone, moving := m.linksOf(at, name)
	a.DependsOn = gone
	for _, id := range moving {
		m.soft = append(m.soft, order{a.ID, id})
	}
	a.Why = m.whyDelete(at, name, append(gone, moving...))
	if inv.Deleting {
		a.Why += "; its record " + inv.Going()
	}
	if made := "site/" + string(name); m.has(made) && made != a.ID { // it moves
		m.soft = append(m.soft, order{a.ID, made})
	}
	m.add(a)
	if ok {
		m.dependOn(siteID(wanted), a.ID)
	}
}

func (m removalPlanner) deleteID(at plan.Place, name network.SiteName) string {
	id := "site/" + string(name)
	_, still := m.world.Desired[name]
	if still || m.has(id) { // it moves, or a move was never finished
		id += at.Suffix()
	}
	return id
}

// linksOf lists the planned actions that take links away from a site, by either
// end: those that delete a link, and those that move one to another site.
func (m removalPlanner) linksOf(at plan.Place, name network.SiteName) (gone, moving []string) {
	for _, a := range m.actions {
		if a.Kind != plan.KindLink {
			continue
		}
		inbound := a.Link.To.Site == name && a.Link.To.Cluster == at.Cluster
		switch {
		case a.Verb == plan.VerbDelete && (inbound || a.Place() == at):
			gone = append(gone, a.ID)
		case a.Verb != plan.VerbDelete && !inbound && m.recordedTo(a) == name:
			moving = append(moving, a.ID)
		}
	}
	return gone, moving
}

// recordedTo is the listening site that an action's link had when last applied.
func (m *maker) recordedTo(a plan.Action) network.SiteName {
	l, _ := m.world.Recorded(a.Place(), network.LinkName(a.Name))
	return l.To
}

// addSoft adds each wished order that closes no circle.
func (m removalPlanner) addSoft() {
	x := safety.NewOrders(m.actions)
	for _, o := range m.soft {
		if !x.WaitingFor(o.id)[o.after] {
			x.Put(o.id, o.after)
		}
	}
	x.Write(m.actions)
}

func (m *maker) dependOn(id, on string) {
	for i := range m.actions {
		if m.actions[i].ID == id {
			m.actions[i].DependsOn = append(m.actions[i].DependsOn, on)
		}
	}
}

func (m removalPlanner) whyDelete(at plan.Place, name network.SiteName, first []string) string {
	why := "no longer in the description"
	if d, still := m.world.Desired[name]; still {
		why = fmt.Sprintf("now in namespace %s of cluster %s", d.Namespace, d.Cluster)
	}
	var links []string
	for _, id := range first {
		links = append(links, strings.TrimPrefix(id, "link/"))
	}
	if len(links) > 0 {
		why += "; its links go first: " + words.SomeNames(links)
	}
	if foreign := m.takenAlong(at, m.world.SiteUID(at, name)); len(foreign) > 0 {
		why += "; Links made by hand go with it: " + strings.Join(foreign, ", ")
	}
	return why
}

// takenAlong names the Links made by hand that go with the Site of the UID, sorted.
func (m removalPlanner) takenAlong(at plan.Place, uid string) (names []string) {
	for _, v := range m.world.LiveLinks[at] {
		if !v.Owned(m.network()) && v.OwnerUID != "" && v.OwnerUID == uid {
			names = append(names, v.Name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// ownedFields are the live values of what was applied to the Site of the UID; nil when
// there is no such Site.
func (m removalPlanner) ownedFields(at plan.Place, uid string) map[string]any {
	for _, s := range m.world.Sites[at] {
		if uid != "" && s.UID == uid {
			return observedFields(nil, m.world.Inventories[at].Content.Fields, s.Fields)
		}
	}
	return nil
}
