package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// prune plans the removal of what the network owns and the description no longer
// has. Clusters that were not read in full are left alone.
func (m *maker) prune() {
	doomed := m.doomedLinks()
	places := map[network.LinkName]int{}
	for _, d := range doomed {
		places[d.name]++
	}
	for _, d := range doomed {
		m.add(m.deleteLink(d, places[d.name] > 1))
	}
	for _, at := range m.ownedPlaces() {
		m.deleteSite(at)
	}
}

// doomedLink is a link to delete at one connecting site.
type doomedLink struct {
	name     network.LinkName
	at       place
	site     network.SiteName
	recorded InventoryLink
	// own are its Links, objects all that it left.
	own     []LinkView
	objects []ObjectRef
}

// doomedLinks finds links of the inventories, and labelled objects without one,
// that the description does not have at that place.
func (m *maker) doomedLinks() []doomedLink {
	found := map[place]map[network.LinkName]doomedLink{}
	for _, at := range sortedPlaces(m.index.inventories) {
		inv := m.index.inventories[at].Content
		for name, l := range inv.Links {
			d := doomedLink{name: name, at: at, site: inv.Site, recorded: l}
			if (l.State != LinkRetired || len(m.ownLinks(d)) > 0) && m.doomed(at, name) {
				putDoomed(found, d)
			}
		}
	}
	m.addLabelled(found)
	var out []doomedLink
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

func putDoomed(found map[place]map[network.LinkName]doomedLink, d doomedLink) {
	if found[d.at] == nil {
		found[d.at] = map[network.LinkName]doomedLink{}
	}
	if _, ok := found[d.at][d.name]; !ok {
		found[d.at][d.name] = d
	}
}

// doomed reports whether a link at a place is not wanted there, and may be judged.
func (m *maker) doomed(at place, name network.LinkName) bool {
	if !m.index.readable(at.cluster) || m.waiting.removal[at] || m.index.inventories[at].Broken != "" {
		return false
	}
	l, ok := m.index.links[name]
	if !ok {
		return true
	}
	if m.unseen(l) { // what takes its place cannot be made yet
		return false
	}
	from := m.index.desired[l.From]
	return place{from.Cluster, from.Namespace} != at || m.index.inventories[at].Content.Site != "" &&
		m.index.inventories[at].Content.Site != l.From
}

func (m *maker) addLabelled(found map[place]map[network.LinkName]doomedLink) {
	for _, at := range sortedPlaces(m.index.liveLinks) {
		for _, v := range m.index.liveLinks[at] {
			name := network.LinkName(v.Labels[LabelLink])
			if v.Owned(m.network()) && name != "" && m.doomed(at, name) {
				putDoomed(found, doomedLink{name: name, at: at, site: m.index.inventories[at].Content.Site})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.index.leftovers)) {
		for _, r := range m.index.leftovers[name] {
			at := place{r.Cluster, r.Namespace}
			_, wanted := m.index.links[name]
			unused := r.Kind != ObjectSecret || !m.used(at, r.Name)
			listening := r.Kind == ObjectGrant || r.Kind == ObjectCertificate
			if listening && !wanted && !anywhere(found, name) || !listening && unused && m.doomed(at, name) {
				putDoomed(found, doomedLink{name: name, at: at, site: m.index.inventories[at].Content.Site})
			}
		}
	}
}

func anywhere(found map[place]map[network.LinkName]doomedLink, name network.LinkName) bool {
	for _, links := range found {
		if _, ok := links[name]; ok {
			return true
		}
	}
	return false
}

// asCase is the doomed link as one that is examined.
func (d doomedLink) asCase() linkCase {
	return linkCase{
		DesiredLink: DesiredLink{Name: d.name}, at: d.at, recorded: d.recorded, own: d.own,
		known: d.recorded.State != "" && d.recorded.State != LinkRetired,
	}
}

// ownLinks are the Links of a doomed link at its place.
func (m *maker) ownLinks(d doomedLink) (out []LinkView) {
	for _, v := range m.index.liveLinks[d.at] {
		if m.isOwn(d.asCase(), v) {
			out = append(out, v)
		}
	}
	return out
}

// linkObjects lists everything that a link left at its place: Links, their
// Secrets, tokens, and grants on the listening side.
func (m *maker) linkObjects(d doomedLink) []ObjectRef {
	c := d.asCase()
	out := m.removal(c, c.own)
	_, moved := m.index.links[d.name]
	elsewhere := func(r ObjectRef) bool { // what the link has where it is now, and what it listens by there
		listening := r.Kind == ObjectGrant || r.Kind == ObjectCertificate
		return moved && (listening || (place{r.Cluster, r.Namespace}) != d.at)
	}
	return append(out, m.leftovers(c, elsewhere)...)
}

// deleteLink plans a link's removal; several tells that the same name goes at more
// than one place.
func (m *maker) deleteLink(d doomedLink, several bool) Action {
	a := Action{
		ID: "link/" + string(d.name), Kind: KindLink, Verb: VerbDelete, Cause: CausePending,
		Cluster: d.at.cluster, Namespace: d.at.namespace, Name: string(d.name),
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
	l, moved := m.index.links[d.name]
	if moved || several {
		a.ID += d.at.suffix()
	}
	if moved {
		a.Why = fmt.Sprintf("its connecting site is now %s", l.From)
		from := m.index.desired[l.From]
		if (place{from.Cluster, from.Namespace}) != d.at && m.has("link/"+string(d.name)) {
			m.soft = append(m.soft, order{a.ID, "link/" + string(d.name)})
		}
	}
	return a
}

// ownedPlaces lists where the network has a Site or an inventory.
func (m *maker) ownedPlaces() []place {
	owned := map[place]bool{}
	for at := range m.index.inventories {
		owned[at] = true
	}
	for at, sites := range m.index.sites {
		for _, s := range sites {
			if s.Owned(m.network()) {
				owned[at] = true
			}
		}
	}
	return slices.DeleteFunc(sortedPlaces(owned), func(at place) bool { return !m.index.readable(at.cluster) })
}

// deleteSite plans the removal of the site at a place that the description no
// longer has there, and lets a new site of the same namespace wait for it.
func (m *maker) deleteSite(at place) {
	wanted, ok := m.index.desiredAt[at]
	inv := m.index.inventories[at]
	name, uid := m.staleSite(at, wanted)
	if name == "" || inv.Broken != "" && ok {
		return
	}
	if inv.Broken != "" {
		m.refuseBroken(DesiredSite{Name: name, Cluster: at.cluster, Namespace: at.namespace}, inv)
		return
	}
	if inv.Content.Protect && inv.Content.Site == name || m.protected(at, uid) {
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

// protected reports whether the Site with the UID notes that it is protected.
func (m *maker) protected(at place, uid string) bool {
	return slices.ContainsFunc(m.index.sites[at], func(s SiteView) bool { return uid != "" && s.UID == uid && s.Protected })
}

// cleared reports whether the plan deletes a Site of ours at a place, and its
// inventory with it, before it makes the wanted one there.
func (m *maker) cleared(at place) bool {
	wanted, ok := m.index.desiredAt[at]
	return ok && slices.ContainsFunc(m.index.sites[at], func(s SiteView) bool {
		return s.Owned(m.network()) && s.Name != wanted.Object
	})
}

// staleSite gives the network's own site at a place that is not the wanted one;
// an empty name when there is none.
func (m *maker) staleSite(at place, wanted DesiredSite) (name network.SiteName, uid string) {
	kept := false
	for _, s := range m.index.sites[at] {
		switch {
		case !s.Owned(m.network()):
		case wanted.Name == "" || s.Name != wanted.Object:
			return m.siteOf(at, s), s.UID
		default:
			kept = true // also when the description has another key for it now
		}
	}
	if inv, ok := m.index.inventories[at]; ok && !kept && inv.Content.Site != wanted.Name && inv.Content.Site != "" {
		return inv.Content.Site, ""
	}
	if _, ok := m.index.inventories[at]; ok && wanted.Name == "" {
		return network.SiteName(at.namespace), ""
	}
	return "", ""
}

// siteOf is the site that a Site of ours is of: its label says so.
func (m *maker) siteOf(at place, v SiteView) network.SiteName {
	if inv := m.index.inventories[at].Content; inv.Object == v.Name {
		return inv.Site
	}
	if label := v.Labels[LabelSite]; label != "" {
		return network.SiteName(label)
	}
	return network.SiteName(v.Name)
}

func (m *maker) deleteID(at place, name network.SiteName) string {
	id := "site/" + string(name)
	_, still := m.index.desired[name]
	if still || m.has(id) { // it moves, or a move was never finished
		id += at.suffix()
	}
	return id
}

// linksOf lists the planned actions that take links away from a site, by either
// end: those that delete a link, and those that move one to another site.
func (m *maker) linksOf(at place, name network.SiteName) (gone, moving []string) {
	for _, a := range m.actions {
		if a.Kind != KindLink {
			continue
		}
		inbound := a.Link.To.Site == name && a.Link.To.Cluster == at.cluster
		switch {
		case a.Verb == VerbDelete && (inbound || place{a.Cluster, a.Namespace} == at):
			gone = append(gone, a.ID)
		case a.Verb != VerbDelete && !inbound && m.recordedTo(a) == name:
			moving = append(moving, a.ID)
		}
	}
	return gone, moving
}

// recordedTo is the listening site that an action's link had when last applied.
func (m *maker) recordedTo(a Action) network.SiteName {
	l, _ := m.index.recorded(place{a.Cluster, a.Namespace}, network.LinkName(a.Name))
	return l.To
}

// addSoft adds each wished order that closes no circle.
func (m *maker) addSoft() {
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

func (m *maker) whyDelete(at place, name network.SiteName, first []string) string {
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
func (m *maker) takenAlong(at place, uid string) (names []string) {
	for _, v := range m.index.liveLinks[at] {
		if !v.Owned(m.network()) && v.OwnerUID != "" && v.OwnerUID == uid {
			names = append(names, v.Name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// ownedFields are the live values of what was applied to the Site of the UID; nil when
// there is no such Site.
func (m *maker) ownedFields(at place, uid string) map[string]any {
	for _, s := range m.index.sites[at] {
		if uid != "" && s.UID == uid {
			return observedFields(nil, m.index.inventories[at].Content.Fields, s.Fields)
		}
	}
	return nil
}

// unmanaged lists Sites and Links in the network's namespaces that it does not own.
func (m *maker) unmanaged() []ObjectRef {
	var out []ObjectRef
	adopted := map[string]bool{}
	for _, a := range m.actions {
		if a.Verb != VerbAdopt {
			continue
		}
		if a.Site != nil {
			adopted[a.Site.UID] = true
		}
		if a.Link != nil {
			for _, l := range a.Link.Live {
				adopted[l.UID] = true
			}
		}
	}
	places := map[place]bool{}
	for _, at := range m.ownedPlaces() {
		places[at] = true
	}
	for at := range m.index.desiredAt {
		places[at] = true
	}
	for _, at := range sortedPlaces(places) {
		for _, s := range m.index.sites[at] {
			if !s.Owned(m.network()) && !adopted[s.UID] {
				out = append(out, ref(at.cluster, ObjectSite, s.Meta))
			}
		}
		for _, l := range m.index.liveLinks[at] {
			_, own := m.linkOf(at, l) // also the product of our own token, not labelled yet
			if !own && !l.Owned(m.network()) && !adopted[l.UID] {
				out = append(out, ref(at.cluster, ObjectLink, l.Meta))
			}
		}
	}
	return sortRefs(out)
}
