package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// plan plans the removal of what the network owns and the description no longer
// has. Clusters that were not read in full are left alone.
func (m removalPlanner) plan() {
	unwanted := m.unwantedLinks()
	places := map[network.LinkName]int{}
	for _, d := range unwanted {
		places[d.link]++
	}
	for _, d := range unwanted {
		m.add(m.deleteLink(d, places[d.link] > 1))
	}
	for _, at := range m.index.ownedPlaces() {
		m.deleteSite(at)
	}
}

// unwantedLink is a link to delete at one connecting site.
type unwantedLink struct {
	recordedLink
	site network.SiteName
	// own are its Links, objects all that it left.
	own     []LinkView
	objects []ObjectRef
}

// unwantedLinks finds links of the inventories, and labelled objects without one,
// that the description does not have at that place.
func (m removalPlanner) unwantedLinks() []unwantedLink {
	found := map[place]map[network.LinkName]unwantedLink{}
	for _, at := range sortedPlaces(m.index.inventories) {
		inv := m.index.inventories[at].Content
		for name, l := range inv.Links {
			d := unwantedLink{recordedLink: m.index.recordOf(at, name), site: inv.Site}
			if (l.State != LinkRetired || len(m.ownLinks(d)) > 0) && m.unwanted(at, name) {
				putUnwanted(found, d)
			}
		}
	}
	m.addLabelled(found)
	var out []unwantedLink
	for _, at := range sortedPlaces(found) {
		for _, name := range slices.Sorted(maps.Keys(found[at])) {
			d := found[at][name]
			d.own = m.ownLinks(d)
			d.objects = m.linkObjects(d)
			out = append(out, d)
		}
	}
	return out
}

func putUnwanted(found map[place]map[network.LinkName]unwantedLink, d unwantedLink) {
	if found[d.at] == nil {
		found[d.at] = map[network.LinkName]unwantedLink{}
	}
	if _, ok := found[d.at][d.link]; !ok {
		found[d.at][d.link] = d
	}
}

// unwanted reports whether a link at a place is to go, and may be judged: what takes its
// place can be made.
func (m removalPlanner) unwanted(at place, name network.LinkName) bool {
	l, described := m.index.links[name]
	return !m.waiting.removal[at] && !(described && m.unseen(l)) && m.index.unwanted(at, name)
}

func (m removalPlanner) addLabelled(found map[place]map[network.LinkName]unwantedLink) {
	for _, at := range sortedPlaces(m.index.liveLinks) {
		for _, v := range m.index.liveLinks[at] {
			name := network.LinkName(v.Labels[LabelLink])
			if v.Owned(m.network()) && name != "" && m.unwanted(at, name) {
				putUnwanted(found, unwantedLink{recordedLink: recordedLink{link: name, at: at}, site: m.index.inventories[at].Content.Site})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.index.leftovers)) {
		for _, r := range m.index.leftovers[name] {
			at := r.place()
			_, wanted := m.index.links[name]
			unused := r.Kind != ObjectSecret || !m.index.used(at, r.Name)
			listening := r.Kind == ObjectGrant || r.Kind == ObjectCertificate
			if listening && !wanted && !anywhere(found, name) || !listening && unused && m.unwanted(at, name) {
				putUnwanted(found, unwantedLink{recordedLink: recordedLink{link: name, at: at}, site: m.index.inventories[at].Content.Site})
			}
		}
	}
}

func anywhere(found map[place]map[network.LinkName]unwantedLink, name network.LinkName) bool {
	for _, links := range found {
		if _, ok := links[name]; ok {
			return true
		}
	}
	return false
}

// asCase is the link as one that is examined.
func (d unwantedLink) asCase(m *maker) linkCase {
	return linkCase{m: m, DesiredLink: DesiredLink{Name: d.link}, recordedLink: d.recordedLink, own: d.own}
}

// ownLinks are the Links of a unwanted link at its place.
func (m removalPlanner) ownLinks(d unwantedLink) (out []LinkView) {
	for _, v := range m.index.liveLinks[d.at] {
		if m.index.isOwn(d.recordedLink, v) {
			out = append(out, v)
		}
	}
	return out
}

// linkObjects lists everything that a link left at its place: Links, their
// Secrets, tokens, and grants on the listening side.
func (m removalPlanner) linkObjects(d unwantedLink) []ObjectRef {
	c := d.asCase(m.maker)
	out := m.remains.removal(c, c.own)
	_, moved := m.index.links[d.link]
	elsewhere := func(r ObjectRef) bool { // what the link has where it is now, and what it listens by there
		listening := r.Kind == ObjectGrant || r.Kind == ObjectCertificate
		return moved && (listening || r.place() != d.at)
	}
	return append(out, m.remains.leftovers(c, elsewhere)...)
}

// deleteLink plans a link's removal; several tells that the same name goes at more
// than one place.
func (m removalPlanner) deleteLink(d unwantedLink, several bool) Action {
	a := Action{
		ID: "link/" + string(d.link), Kind: KindLink, Verb: VerbDelete, Cause: CausePending,
		Cluster: d.at.cluster, Namespace: d.at.namespace, Name: string(d.link),
		Disruption: DisruptionReconnect, Steps: []Step{StepDelete},
		Why: "no longer in the description",
		Link: &LinkWork{
			From: End{Site: d.site, Object: m.index.siteObject(d.at, d.site), Cluster: d.at.cluster, Namespace: d.at.namespace, UID: m.index.siteUID(d.at, d.site)},
			To:   End{Site: d.recorded.To, Cluster: d.recorded.ToCluster, Namespace: d.recorded.ToNamespace},
			// The attempt tells apply which names an unfinished redemption may still take.
			Attempt: d.recorded.Attempt, Seen: liveLinks(d.own), Remove: d.objects,
		},
	}
	switch d.recorded.State {
	case "":
	case LinkRetired:
		a.Cause, a.Why = CauseDrift, "an earlier apply left something behind"
	default:
		a.Steps = append(a.Steps, StepConfirm)
	}
	l, moved := m.index.links[d.link]
	if moved || several {
		a.ID += d.at.suffix()
	}
	if moved {
		a.Why = fmt.Sprintf("its connecting site is now %s", l.From)
		from := m.index.desired[l.From]
		if from.place() != d.at && m.has("link/"+string(d.link)) {
			m.soft = append(m.soft, order{a.ID, "link/" + string(d.link)})
		}
	}
	return a
}

// deleteSite plans the removal of the site at a place that the description no
// longer has there, and lets a new site of the same namespace wait for it.
func (m removalPlanner) deleteSite(at place) {
	wanted, ok := m.index.desiredAt[at]
	inv := m.index.inventories[at]
	name, uid := m.index.staleSite(at, wanted)
	if name == "" || inv.Broken != "" && ok {
		return
	}
	if inv.Broken != "" {
		m.sites.refuseBroken(DesiredSite{Name: name, Cluster: at.cluster, Namespace: at.namespace}, inv)
		return
	}
	if inv.Content.Protect && inv.Content.Site == name || m.index.protected(at, uid) {
		m.refuse(Refusal{
			Code: "protected", Subject: fmt.Sprintf("site %q", name),
			Message:  "is protected and the description no longer has it",
			Override: "put it back with protect: false, apply, and then remove it",
		})
		return
	}
	if m.waiting.removal[at] {
		return
	}
	a := Action{
		ID: m.deleteID(at, name), Kind: KindSite, Verb: VerbDelete, Cause: CausePending,
		Cluster: at.cluster, Namespace: at.namespace, Name: string(name),
		Disruption: DisruptionReconnect, Steps: []Step{StepDelete},
		Site: &SiteWork{
			Object: m.index.objectOf(at, uid, name), UID: uid, Observed: m.ownedFields(at, uid), Takes: m.takenAlong(at, uid),
		},
	}
	gone, moving := m.linksOf(at, name)
	a.DependsOn = gone
	for _, id := range moving {
		m.soft = append(m.soft, order{a.ID, id})
	}
	a.Why = m.whyDelete(at, name, append(gone, moving...))
	if inv.Deleting {
		a.Why += "; its record " + inv.going()
	}
	if made := "site/" + string(name); m.has(made) && made != a.ID { // it moves
		m.soft = append(m.soft, order{a.ID, made})
	}
	m.add(a)
	if ok {
		m.dependOn(siteID(wanted), a.ID)
	}
}

func (m removalPlanner) deleteID(at place, name network.SiteName) string {
	id := "site/" + string(name)
	_, still := m.index.desired[name]
	if still || m.has(id) { // it moves, or a move was never finished
		id += at.suffix()
	}
	return id
}

// linksOf lists the planned actions that take links away from a site, by either
// end: those that delete a link, and those that move one to another site.
func (m removalPlanner) linksOf(at place, name network.SiteName) (gone, moving []string) {
	for _, a := range m.actions {
		if a.Kind != KindLink {
			continue
		}
		inbound := a.Link.To.Site == name && a.Link.To.Cluster == at.cluster
		switch {
		case a.Verb == VerbDelete && (inbound || a.place() == at):
			gone = append(gone, a.ID)
		case a.Verb != VerbDelete && !inbound && m.recordedTo(a) == name:
			moving = append(moving, a.ID)
		}
	}
	return gone, moving
}

// recordedTo is the listening site that an action's link had when last applied.
func (m *maker) recordedTo(a Action) network.SiteName {
	l, _ := m.index.recorded(a.place(), network.LinkName(a.Name))
	return l.To
}

// addSoft adds each wished order that closes no circle.
func (m removalPlanner) addSoft() {
	x := newOrders(m.actions)
	for _, o := range m.soft {
		if !x.waitingFor(o.id)[o.after] {
			x.put(o.id, o.after)
		}
	}
	x.write(m.actions)
}

func (m *maker) dependOn(id, on string) {
	for i := range m.actions {
		if m.actions[i].ID == id {
			m.actions[i].DependsOn = append(m.actions[i].DependsOn, on)
		}
	}
}

func (m removalPlanner) whyDelete(at place, name network.SiteName, first []string) string {
	why := "no longer in the description"
	if d, still := m.index.desired[name]; still {
		why = fmt.Sprintf("now in namespace %s of cluster %s", d.Namespace, d.Cluster)
	}
	var links []string
	for _, id := range first {
		links = append(links, strings.TrimPrefix(id, "link/"))
	}
	if len(links) > 0 {
		why += "; its links go first: " + someNames(links)
	}
	if foreign := m.takenAlong(at, m.index.siteUID(at, name)); len(foreign) > 0 {
		why += "; Links made by hand go with it: " + strings.Join(foreign, ", ")
	}
	return why
}

// takenAlong names the Links made by hand that go with the Site of the UID, sorted.
func (m removalPlanner) takenAlong(at place, uid string) (names []string) {
	for _, v := range m.index.liveLinks[at] {
		if !v.Owned(m.network()) && v.OwnerUID != "" && v.OwnerUID == uid {
			names = append(names, v.Name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// ownedFields are the live values of what was applied to the Site of the UID; nil when
// there is no such Site.
func (m removalPlanner) ownedFields(at place, uid string) map[string]any {
	for _, s := range m.index.sites[at] {
		if uid != "" && s.UID == uid {
			return observedFields(nil, m.index.inventories[at].Content.Fields, s.Fields)
		}
	}
	return nil
}
