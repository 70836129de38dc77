package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// plan plans what overlays add to sites, and the removal of what they no longer
// add. It comes after sites and their removal are planned.
func (m objectPlanner) plan() {
	x := m.newObjectIndex()
	m.mixedVersions()
	for _, o := range m.in.Desired.Objects {
		switch at := o.place(); {
		case !m.index.readable(o.Cluster), m.waiting.removal[at]:
			m.unknown++
		case m.index.inventories[at].Broken != "": // refused with its site
		case m.impossible(x, o):
		default:
			m.object(o, x.live[at][o.Key()])
		}
	}
	m.unwantedObjects(x)
}

// mixedVersions refuses two API versions of one kind on a cluster: its objects are
// read, and so compared, in one.
func (m objectPlanner) mixedVersions() {
	seen := map[network.ClusterName]map[string]string{}
	for _, o := range m.in.Desired.Objects {
		kind := GroupKind(o.APIVersion, o.Kind)
		if seen[o.Cluster] == nil {
			seen[o.Cluster] = map[string]string{}
		}
		other, known := seen[o.Cluster][kind]
		if known && other != o.APIVersion {
			m.refuse(Refusal{
				Code: "mixed-versions", Subject: objectSubject(o),
				Message:  fmt.Sprintf("is of %s, while cluster %s has others of this kind as %s", o.APIVersion, o.Cluster, other),
				Override: "use one apiVersion for all of them",
			})
			continue
		}
		seen[o.Cluster][kind] = o.APIVersion
	}
}

// afterMove lets an object at a site's old place go when the site is up at the new one.
func (m objectPlanner) afterMove(id string, site network.SiteName) {
	for _, a := range m.actions {
		isSite := a.Kind == KindSite && a.Name == string(site)
		isObject := a.Kind == KindObject && a.Object.Site == site
		isLink := a.Kind == KindLink && (a.Link.From.Site == site || a.Link.To.Site == site)
		if a.Verb != VerbDelete && (isSite || isObject || isLink) {
			m.soft = append(m.soft, order{id, a.ID})
		}
	}
}

// objectIndex finds objects by place and key.
type objectIndex struct {
	wanted map[place]map[string]DesiredObject
	live   map[place]map[string]*ObjectView
	scopes map[network.ClusterName]map[string]Scope
}

func (m objectPlanner) newObjectIndex() objectIndex {
	x := objectIndex{
		wanted: map[place]map[string]DesiredObject{},
		live:   map[place]map[string]*ObjectView{},
		scopes: map[network.ClusterName]map[string]Scope{},
	}
	for _, o := range m.in.Desired.Objects {
		put(x.wanted, o.place(), o.Key(), o)
	}
	for _, c := range m.in.Observation.Clusters {
		for _, v := range c.Objects {
			put(x.live, placeOf(c.Name, v.Namespace), ObjectKey(v.APIVersion, v.Kind, v.Name), &v)
		}
		x.scopes[c.Name] = map[string]Scope{}
		for _, k := range c.Kinds {
			x.scopes[c.Name][k.APIVersion+" "+string(k.Kind)] = k.Scope
		}
	}
	return x
}

// impossible refuses an object that its cluster cannot hold in a namespace.
func (m objectPlanner) impossible(x objectIndex, o DesiredObject) bool {
	r := Refusal{Subject: objectSubject(o)}
	switch x.scopes[o.Cluster][o.APIVersion+" "+string(o.Kind)] {
	case ScopeNone:
		r.Code = "unknown-kind"
		r.Message = fmt.Sprintf("cluster %s has no kind %s in %s", o.Cluster, o.Kind, o.APIVersion)
		r.Override = "install its definition there, or take it out of the overlay"
	case ScopeCluster:
		r.Code = "cluster-scoped"
		r.Message = fmt.Sprintf("%s belongs to no namespace on cluster %s", GroupKind(o.APIVersion, o.Kind), o.Cluster)
		r.Override = "take it out of the overlay and make it with another tool"
	default:
		return false
	}
	m.refuse(r)
	return true
}

// object compares one wanted object with the live one, which may be nil.
func (m objectPlanner) object(o DesiredObject, live *ObjectView) {
	var going *ObjectView
	if live != nil && live.Deleting {
		going, live = live, nil
	}
	recorded, known := m.recordedObject(o)
	a := m.objectAction(o)
	if live != nil && m.foreignObject(*live, live.writtenAs(recorded.UID)) {
		if live.Labels[LabelManagedBy] == ManagedBy || !m.leaveGone(a, o, recorded) {
			m.refuseObject(o, *live)
		}
		return
	}
	if live == nil {
		if !m.leaveGone(a, o, recorded) {
			m.add(createObject(a, recorded, going))
		}
		return
	}
	a.Object.UID = live.UID
	a.Object.Observed = Pick(live.Content, o.Fields, recorded.Fields)
	a.Object.Keep = m.kept(a, o.Fields, recorded.Fields, a.Object.Observed, recorded.Intent)
	m.altered(objectSubject(o), o.DeclaredAt, o.Cluster, recorded.Answer.of(recorded.Fields, o.Fields), o.Fields, a.Object.Observed)
	a, needed := m.updateObject(a, o, recorded, known, *live)
	a.Object.Observed = without(a.Object.Observed, a.Object.Keep)
	if needed {
		m.add(a)
	}
}

// foreignObject reports whether a live object is not the site's to write: nobody's
// that we know of (written tells that we wrote this very one before), another
// network's, or what a link is made of.
func (m objectPlanner) foreignObject(v ObjectView, written bool) bool {
	if v.Labels[LabelManagedBy] == ManagedBy {
		return !v.Owned(m.network()) || v.Labels[LabelLink] != ""
	}
	return !written && !m.mayAdopt(v.Meta)
}

// recordedObject gives what the inventory knows of an object of the same site, and whether
// it was applied.
func (m objectPlanner) recordedObject(o DesiredObject) (InventoryObject, bool) {
	inv := m.index.inventories[o.place()].Content
	if inv.Site != o.Site || m.index.cleared(o.place()) {
		return InventoryObject{}, false
	}
	recorded := inv.Objects[o.Key()]
	return recorded, recorded.Fields != nil
}

func (m objectPlanner) refuseObject(o DesiredObject, v ObjectView) {
	r := Refusal{
		Code: "foreign-object", Subject: objectSubject(o),
		Message:  fmt.Sprintf("%s is there and Fairlead did not make it", objectRef(o.Cluster, v)),
		Override: "take it over with: fairlead apply --adopt",
	}
	switch owner, link := v.Labels[LabelNetwork], v.Labels[LabelLink]; {
	case v.Labels[LabelManagedBy] != ManagedBy:
		r = m.foreign(r, v.Meta)
	case link != "":
		r.Message = fmt.Sprintf("%s belongs to link %q of network %q", objectRef(o.Cluster, v), link, owner)
		r.Override = "give the object another name"
	default:
		r.Message = fmt.Sprintf("%s belongs to network %q", objectRef(o.Cluster, v), owner)
		r.Override = "give the object another name"
	}
	m.refuse(r)
}

func objectRef(cluster network.ClusterName, v ObjectView) ObjectRef {
	r := ref(cluster, v.Kind, v.Meta)
	r.APIVersion = v.APIVersion
	return r
}

func (m objectPlanner) objectAction(o DesiredObject) Action {
	a := Action{
		ID: m.objectID(o.place(), o.Site, o.APIVersion, o.Kind, o.Name), Kind: KindObject, Verb: VerbUpdate, Cause: CausePending,
		Cluster: o.Cluster, Namespace: o.Namespace, Name: o.Name,
		DeclaredAt: o.DeclaredAt, Disruption: DisruptionNone,
		Object: &ObjectWork{
			Site: o.Site, APIVersion: o.APIVersion, Kind: o.Kind, Source: o.Source, Fields: o.Fields, Manifest: o.Manifest,
		},
	}
	if site := "site/" + string(o.Site); m.has(site) {
		a.DependsOn = append(a.DependsOn, site)
	}
	return a
}

// objectID names an object's action. Two kinds of one name are told apart by group.
func (m objectPlanner) objectID(at place, site network.SiteName, apiVersion string, kind ObjectKind, name string) string {
	id := fmt.Sprintf("object/%s/%s/%s", site, kind, name)
	if m.has(id) {
		id = fmt.Sprintf("object/%s/%s/%s", site, GroupKind(apiVersion, kind), name)
	}
	if m.has(id) { // a site whose move was never finished
		id += at.suffix()
	}
	return id
}

// whenGone ends the reason to make something of which another is being deleted.
const whenGone = "; it is made when that is gone"

// undisturbed ends the reason of every action on an object.
const undisturbed = "; links are not disturbed"

// createObject plans an object that is not there; going is one that is being deleted.
func createObject(a Action, recorded InventoryObject, going *ObjectView) Action {
	a.Verb, a.Why = VerbCreate, "in the overlay and not on the cluster"+undisturbed
	if recorded.Fields != nil {
		a.Cause, a.Why = CauseDrift, "was applied before and is gone from the cluster"+undisturbed
	}
	if going != nil {
		a.Why = going.going() + whenGone + undisturbed
	}
	a.Why += recorded.Intent.whyNot(exactly, a.Object.Fields)
	for _, path := range slices.Sorted(maps.Keys(a.Object.Fields)) {
		a.Fields = append(a.Fields, Field{Path: path, To: a.Object.Fields[path], Cause: a.Cause})
	}
	a.Steps = []Step{StepRecord, StepObject}
	return a
}

// updateObject compares a living object; needed is false when nothing is to be done.
func (m objectPlanner) updateObject(a Action, o DesiredObject, recorded InventoryObject, known bool, live ObjectView) (_ Action, needed bool) {
	applied := recorded.Fields
	want := recorded.asStored(o.Fields, applied)
	a.Fields = m.leave(a, diffBy(exactly, want, recorded.asStored(applied, applied), a.Object.Observed), a.Object.Keep)
	a.Cause = mergeCauses(a.Fields, CausePending)
	if !known || recorded.APIVersion != o.APIVersion || recorded.Intent.Open() || len(diffBy(exactly, o.Fields, applied, applied)) > 0 {
		a.Steps = append(a.Steps, StepRecord)
	}
	owned := live.Owned(m.network())
	labelled := owned && live.Labels[LabelSite] == string(o.Site) && live.Labels[LabelObject] == OverlayObject
	if !labelled || len(a.Fields) > 0 {
		a.Steps = append(a.Steps, StepObject)
	}
	switch {
	case !owned && !known:
		a.Verb, a.Why = VerbAdopt, "taken over as it is, without being re-created"
	case !known && m.index.cleared(o.place()):
		a.Why = "its site is made anew, and its record is written again"
	case !known:
		a.Cause, a.Why = CauseDrift, "its record is missing and is written again"
	case !labelled && len(a.Fields) == 0 && owned && m.labelledAsWas(o, live):
		a.Why = "its site has another name now"
	case !labelled && len(a.Fields) == 0:
		a.Cause, a.Why = CauseDrift, "its labels were taken off"
	case len(a.Fields) == 0:
		a.Why = "already as declared; the inventory catches up"
	default:
		a.Why = changed(a.Fields)
	}
	a.Why += undisturbed + recorded.Intent.whyNot(exactly, o.Fields)
	return a, len(a.Steps) > 0
}

// labelledAsWas reports whether an object's labels are those of the name that its site had
// when it was last applied.
func (m objectPlanner) labelledAsWas(o DesiredObject, live ObjectView) bool {
	was := m.index.inventories[o.place()].Renamed
	return was != "" && live.Labels[LabelSite] == string(was) && live.Labels[LabelObject] == OverlayObject
}

// unwantedObjects plans the removal of objects that were recorded, or that carry our
// labels, and are not wanted where they are.
func (m objectPlanner) unwantedObjects(x objectIndex) {
	places := map[place]bool{}
	for at := range m.index.inventories {
		places[at] = true
	}
	for at := range x.live {
		places[at] = true
	}
	for _, at := range sortedPlaces(places) {
		if !m.index.readable(at.cluster) || m.waiting.removal[at] || m.index.inventories[at].Broken != "" {
			continue
		}
		unwanted := m.unwantedAt(x, at)
		for _, key := range slices.Sorted(maps.Keys(unwanted)) {
			m.deleteObject(x, at, unwanted[key])
		}
	}
}

// unwantedObject is an object to delete, or only its record when there is no live one.
type unwantedObject struct {
	InventoryObject
	site network.SiteName
	live *ObjectView
	// recorded is true when an inventory has it.
	recorded bool
}

func (m objectPlanner) unwantedAt(x objectIndex, at place) map[string]unwantedObject {
	out := map[string]unwantedObject{}
	inv := m.index.inventories[at].Content
	for key, recorded := range inv.Objects {
		if _, wanted := x.wanted[at][key]; wanted {
			continue
		}
		d := unwantedObject{InventoryObject: recorded, site: inv.Site, live: x.live[at][key], recorded: true}
		if d.live != nil && !m.removable(recorded, *d.live) {
			d.live = nil
		}
		out[key] = d
	}
	for key, v := range x.live[at] {
		_, wanted := x.wanted[at][key]
		_, recorded := inv.Objects[key]
		_, inventory := m.index.inventories[at]
		_, described := m.index.desiredAt[at]
		site := inventory || described || m.index.hasOwnSite(at, m.network())
		ours := site && v.written() && v.Owned(m.network()) && v.Labels[LabelObject] == OverlayObject && v.OwnerUID == ""
		if !wanted && !recorded && ours && !v.Deleting {
			out[key] = unwantedObject{
				InventoryObject: InventoryObject{APIVersion: v.APIVersion, Kind: v.Kind, Name: v.Name},
				site:            network.SiteName(v.Labels[LabelSite]), live: v,
			}
		}
	}
	return out
}

// removable reports whether a recorded object is an overlay's of ours, also where somebody
// took its labels off.
func (m objectPlanner) removable(recorded InventoryObject, v ObjectView) bool {
	switch {
	case skuppersOwn[GroupKind(v.APIVersion, v.Kind)]:
		return false
	case v.Labels[LabelManagedBy] == "":
		return v.writtenAs(recorded.UID)
	}
	return v.Owned(m.network()) && v.Labels[LabelLink] == "" && v.written()
}

// skuppersOwn are kinds that no overlay can add, whatever a record says.
var skuppersOwn = map[string]bool{
	"Site.skupper.io": true, "Link.skupper.io": true, "AccessGrant.skupper.io": true, "AccessToken.skupper.io": true,
	"Certificate.skupper.io": true, "Secret": true,
}

// untold warns of a recorded object of which nobody can tell whether it is there: its record
// stays.
func (m objectPlanner) untold(at place, d unwantedObject, scope Scope) {
	f := diag.Finding{
		Severity: diag.Warning, Code: codeUnknownKind, Subject: fmt.Sprintf("object %s/%s of site %q", d.Kind, d.Name, d.site),
		Message: fmt.Sprintf("cluster %s no longer serves %s, so whether it is still there cannot be told", at.cluster, d.APIVersion),
		Fix:     "delete it by hand; its record stays until then",
	}
	if scope == ScopeUnread {
		m.unknown++
		f.Code = codeUnreadKind
		f.Message = fmt.Sprintf("is recorded in namespace %s of cluster %s, and %s may not be read there: whether it is there cannot be told",
			at.namespace, at.cluster, GroupKind(d.APIVersion, d.Kind))
		f.Fix = "plan once with the right to list it; if no apply made it, look who wrote the ConfigMap of the record"
	}
	m.findings = append(m.findings, f)
}

// deleteObject plans one removal; the removal of its site waits for it.
func (m objectPlanner) deleteObject(x objectIndex, at place, d unwantedObject) {
	a := Action{
		ID: m.objectID(at, d.site, d.APIVersion, d.Kind, d.Name), Kind: KindObject, Verb: VerbDelete, Cause: CausePending,
		Cluster: at.cluster, Namespace: at.namespace, Name: d.Name, Disruption: DisruptionNone,
		Steps: []Step{StepDelete}, Why: "no longer in an overlay" + undisturbed,
		Object: &ObjectWork{Site: d.site, APIVersion: d.APIVersion, Kind: d.Kind},
	}
	if d.recorded {
		a.Steps = append(a.Steps, StepConfirm)
	}
	if s, still := m.index.desired[d.site]; still && s.place() != at {
		if !strings.HasSuffix(a.ID, at.suffix()) {
			a.ID += at.suffix()
		}
		a.Why = fmt.Sprintf("its site is now in namespace %s of cluster %s", s.Namespace, s.Cluster) + undisturbed
		m.afterMove(a.ID, d.site)
	}
	if scope := x.scopes[at.cluster][d.APIVersion+" "+string(d.Kind)]; d.live == nil && (scope == ScopeNone || scope == ScopeUnread) {
		m.untold(at, d, scope)
		return
	}
	if d.live != nil && d.live.Deleting {
		a.Why = "no longer in an overlay, " + d.live.going() + "; its record stays until then" + undisturbed
	}
	if d.live == nil && d.recorded && d.InventoryObject.Fields == nil {
		a.Why = "no longer in an overlay, and was never applied; its record is cleared"
	} else if d.live == nil {
		a.Why = "no longer in an overlay, and gone from the cluster; its record is cleared"
	} else {
		a.Object.UID = d.live.UID
		a.Object.Observed = Pick(d.live.Content, d.Fields)
	}
	m.add(a)
	for _, site := range m.actions {
		if site.Kind == KindSite && site.Verb == VerbDelete && site.place() == at {
			m.dependOn(site.ID, a.ID)
		}
	}
}
