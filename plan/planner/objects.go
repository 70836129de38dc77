package planner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/ignore"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// plan plans what overlays add to sites, and the removal of what they no longer
// add. It comes after sites and their removal are planned.
func (m objectPlanner) plan() {
	x := m.newObjectIndex()
	m.mixedVersions()
	for _, o := range m.in.Desired.Objects {
		switch at := o.Place(); {
		case !m.world.Readable(o.Cluster), m.waiting.removal[at]:
			m.unknown++
		case m.world.Inventories[at].Broken != "": // refused with its site
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
		kind := plan.GroupKind(o.APIVersion, o.Kind)
		if seen[o.Cluster] == nil {
			seen[o.Cluster] = map[string]string{}
		}
		other, known := seen[o.Cluster][kind]
		if known && other != o.APIVersion {
			m.refuse(plan.Refusal{
				Code: "mixed-versions", Subject: plan.ObjectSubject(o),
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
		isSite := a.Kind == plan.KindSite && a.Name == string(site)
		isObject := a.Kind == plan.KindObject && a.Object.Site == site
		isLink := a.Kind == plan.KindLink && (a.Link.From.Site == site || a.Link.To.Site == site)
		if a.Verb != plan.VerbDelete && (isSite || isObject || isLink) {
			m.soft = append(m.soft, order{id, a.ID})
		}
	}
}

// objectIndex finds objects by place and key.
type objectIndex struct {
	wanted map[plan.Place]map[string]plan.DesiredObject
	live   map[plan.Place]map[string]*world.ObjectView
	scopes map[network.ClusterName]map[string]world.Scope
}

func (m objectPlanner) newObjectIndex() objectIndex {
	x := objectIndex{
		wanted: map[plan.Place]map[string]plan.DesiredObject{},
		live:   map[plan.Place]map[string]*world.ObjectView{},
		scopes: map[network.ClusterName]map[string]world.Scope{},
	}
	for _, o := range m.in.Desired.Objects {
		world.Put(x.wanted, o.Place(), o.Key(), o)
	}
	for _, c := range m.in.Observation.Clusters {
		for _, v := range c.Objects {
			world.Put(x.live, plan.PlaceOf(c.Name, v.Namespace), plan.ObjectKey(v.APIVersion, v.Kind, v.Name), &v)
		}
		x.scopes[c.Name] = map[string]world.Scope{}
		for _, k := range c.Kinds {
			x.scopes[c.Name][k.APIVersion+" "+string(k.Kind)] = k.Scope
		}
	}
	return x
}

// impossible refuses an object that its cluster cannot hold in a namespace.
func (m objectPlanner) impossible(x objectIndex, o plan.DesiredObject) bool {
	r := plan.Refusal{Subject: plan.ObjectSubject(o)}
	switch x.scopes[o.Cluster][o.APIVersion+" "+string(o.Kind)] {
	case world.ScopeNone:
		r.Code = "unknown-kind"
		r.Message = fmt.Sprintf("cluster %s has no kind %s in %s", o.Cluster, o.Kind, o.APIVersion)
		r.Override = "install its definition there, or take it out of the overlay"
	case world.ScopeCluster:
		r.Code = "cluster-scoped"
		r.Message = fmt.Sprintf("%s belongs to no namespace on cluster %s", plan.GroupKind(o.APIVersion, o.Kind), o.Cluster)
		r.Override = "take it out of the overlay and make it with another tool"
	default:
		return false
	}
	m.refuse(r)
	return true
}

// object compares one wanted object with the live one, which may be nil.
func (m objectPlanner) object(o plan.DesiredObject, live *world.ObjectView) {
	var going *world.ObjectView
	if live != nil && live.Deleting {
		going, live = live, nil
	}
	recorded, known := m.recordedObject(o)
	a := m.objectAction(o)
	if live != nil && m.foreignObject(*live, live.WrittenAs(recorded.UID)) {
		if live.Labels[plan.LabelManagedBy] == plan.ManagedBy || !m.LeaveGone(a, o, recorded) {
			m.refuseObject(o, *live)
		}
		return
	}
	if live == nil {
		if !m.LeaveGone(a, o, recorded) {
			m.add(createObject(a, recorded, going))
		}
		return
	}
	a.Object.UID = live.UID
	a.Object.Observed = field.Pick(live.Content, o.Fields, recorded.Fields)
	a.Object.Keep = m.Kept(a, o.Fields, recorded.Fields, a.Object.Observed, recorded.Intent)
	m.altered(plan.ObjectSubject(o), o.DeclaredAt, o.Cluster, recorded.Answer.Of(recorded.Fields, o.Fields), o.Fields, a.Object.Observed)
	a, needed := m.updateObject(a, o, recorded, known, *live)
	a.Object.Observed = ignore.Without(a.Object.Observed, a.Object.Keep)
	if needed {
		m.add(a)
	}
}

// foreignObject reports whether a live object is not the site's to write: nobody's
// that we know of (written tells that we wrote this very one before), another
// network's, or what a link is made of.
func (m objectPlanner) foreignObject(v world.ObjectView, written bool) bool {
	if v.Labels[plan.LabelManagedBy] == plan.ManagedBy {
		return !v.Owned(m.network()) || v.Labels[plan.LabelLink] != ""
	}
	return !written && !m.mayAdopt(v.Meta)
}

// recordedObject gives what the inventory knows of an object of the same site, and whether
// it was applied.
func (m objectPlanner) recordedObject(o plan.DesiredObject) (record.Object, bool) {
	inv := m.world.Inventories[o.Place()].Content
	if inv.Site != o.Site || m.world.Cleared(o.Place()) {
		return record.Object{}, false
	}
	recorded := inv.Objects[o.Key()]
	return recorded, recorded.Fields != nil
}

func (m objectPlanner) refuseObject(o plan.DesiredObject, v world.ObjectView) {
	r := plan.Refusal{
		Code: "foreign-object", Subject: plan.ObjectSubject(o),
		Message:  fmt.Sprintf("%s is there and Fairlead did not make it", objectRef(o.Cluster, v)),
		Override: "take it over with: fairlead apply --adopt",
	}
	switch owner, link := v.Labels[plan.LabelNetwork], v.Labels[plan.LabelLink]; {
	case v.Labels[plan.LabelManagedBy] != plan.ManagedBy:
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

func objectRef(cluster network.ClusterName, v world.ObjectView) plan.ObjectRef {
	r := world.Ref(cluster, v.Kind, v.Meta)
	r.APIVersion = v.APIVersion
	return r
}

func (m objectPlanner) objectAction(o plan.DesiredObject) plan.Action {
	a := plan.Action{
		ID: m.objectID(o.Place(), o.Site, o.APIVersion, o.Kind, o.Name), Kind: plan.KindObject, Verb: plan.VerbUpdate, Cause: plan.CausePending,
		Cluster: o.Cluster, Namespace: o.Namespace, Name: o.Name,
		DeclaredAt: o.DeclaredAt, Disruption: plan.DisruptionNone,
		Object: &plan.ObjectWork{
			Site: o.Site, APIVersion: o.APIVersion, Kind: o.Kind, Source: o.Source, Fields: o.Fields, Manifest: o.Manifest,
		},
	}
	if site := "site/" + string(o.Site); m.has(site) {
		a.DependsOn = append(a.DependsOn, site)
	}
	return a
}

// objectID names an object's action. Two kinds of one name are told apart by group.
func (m objectPlanner) objectID(at plan.Place, site network.SiteName, apiVersion string, kind plan.ObjectKind, name string) string {
	id := fmt.Sprintf("object/%s/%s/%s", site, kind, name)
	if m.has(id) {
		id = fmt.Sprintf("object/%s/%s/%s", site, plan.GroupKind(apiVersion, kind), name)
	}
	if m.has(id) { // a site whose move was never finished
		id += at.Suffix()
	}
	return id
}

// whenGone ends the reason to make something of which another is being deleted.
const whenGone = "; it is made when that is gone"

// undisturbed ends the reason of every action on an object.
const undisturbed = "; links are not disturbed"

// createObject plans an object that is not there; going is one that is being deleted.
func createObject(a plan.Action, recorded record.Object, going *world.ObjectView) plan.Action {
	a.Verb, a.Why = plan.VerbCreate, "in the overlay and not on the cluster"+undisturbed
	if recorded.Fields != nil {
		a.Cause, a.Why = plan.CauseDrift, "was applied before and is gone from the cluster"+undisturbed
	}
	if going != nil {
		a.Why = going.Going() + whenGone + undisturbed
	}
	a.Why += recorded.Intent.WhyNot(field.Exactly, a.Object.Fields)
	for _, path := range slices.Sorted(maps.Keys(a.Object.Fields)) {
		a.Fields = append(a.Fields, plan.Field{Path: path, To: a.Object.Fields[path], Cause: a.Cause})
	}
	a.Steps = []plan.Step{plan.StepRecord, plan.StepObject}
	return a
}

// updateObject compares a living object; needed is false when nothing is to be done.
func (m objectPlanner) updateObject(a plan.Action, o plan.DesiredObject, recorded record.Object, known bool, live world.ObjectView) (_ plan.Action, needed bool) {
	applied := recorded.Fields
	want := recorded.AsStored(o.Fields, applied)
	a.Fields = m.Leave(a, field.DiffBy(field.Exactly, want, recorded.AsStored(applied, applied), a.Object.Observed), a.Object.Keep)
	a.Cause = field.MergeCauses(a.Fields, plan.CausePending)
	if !known || recorded.APIVersion != o.APIVersion || recorded.Intent.Open() || len(field.DiffBy(field.Exactly, o.Fields, applied, applied)) > 0 {
		a.Steps = append(a.Steps, plan.StepRecord)
	}
	owned := live.Owned(m.network())
	labelled := owned && live.Labels[plan.LabelSite] == string(o.Site) && live.Labels[plan.LabelObject] == world.OverlayObject
	if !labelled || len(a.Fields) > 0 {
		a.Steps = append(a.Steps, plan.StepObject)
	}
	switch {
	case !owned && !known:
		a.Verb, a.Why = plan.VerbAdopt, "taken over as it is, without being re-created"
	case !known && m.world.Cleared(o.Place()):
		a.Why = "its site is made anew, and its record is written again"
	case !known:
		a.Cause, a.Why = plan.CauseDrift, "its record is missing and is written again"
	case !labelled && len(a.Fields) == 0 && owned && m.labelledAsWas(o, live):
		a.Why = "its site has another name now"
	case !labelled && len(a.Fields) == 0:
		a.Cause, a.Why = plan.CauseDrift, "its labels were taken off"
	case len(a.Fields) == 0:
		a.Why = "already as declared; the inventory catches up"
	default:
		a.Why = changed(a.Fields)
	}
	a.Why += undisturbed + recorded.Intent.WhyNot(field.Exactly, o.Fields)
	return a, len(a.Steps) > 0
}

// labelledAsWas reports whether an object's labels are those of the name that its site had
// when it was last applied.
func (m objectPlanner) labelledAsWas(o plan.DesiredObject, live world.ObjectView) bool {
	was := m.world.Inventories[o.Place()].Renamed
	return was != "" && live.Labels[plan.LabelSite] == string(was) && live.Labels[plan.LabelObject] == world.OverlayObject
}

// unwantedObjects plans the removal of objects that were recorded, or that carry our
// labels, and are not wanted where they are.
func (m objectPlanner) unwantedObjects(x objectIndex) {
	places := map[plan.Place]bool{}
	for at := range m.world.Inventories {
		places[at] = true
	}
	for at := range x.live {
		places[at] = true
	}
	for _, at := range world.SortedPlaces(places) {
		if !m.world.Readable(at.Cluster) || m.waiting.removal[at] || m.world.Inventories[at].Broken != "" {
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
	record.Object
	site network.SiteName
	live *world.ObjectView
	// recorded is true when an inventory has it.
	recorded bool
}

func (m objectPlanner) unwantedAt(x objectIndex, at plan.Place) map[string]unwantedObject {
	out := map[string]unwantedObject{}
	inv := m.world.Inventories[at].Content
	for key, recorded := range inv.Objects {
		if _, wanted := x.wanted[at][key]; wanted {
			continue
		}
		d := unwantedObject{Object: recorded, site: inv.Site, live: x.live[at][key], recorded: true}
		if d.live != nil && !m.removable(recorded, *d.live) {
			d.live = nil
		}
		out[key] = d
	}
	for key, v := range x.live[at] {
		_, wanted := x.wanted[at][key]
		_, recorded := inv.Objects[key]
		_, inventory := m.world.Inventories[at]
		_, described := m.world.DesiredAt[at]
		site := inventory || described || m.world.HasOwnSite(at)
		ours := site && v.Written() && v.Owned(m.network()) && v.Labels[plan.LabelObject] == world.OverlayObject && v.OwnerUID == ""
		if !wanted && !recorded && ours && !v.Deleting {
			out[key] = unwantedObject{
				Object: record.Object{APIVersion: v.APIVersion, Kind: v.Kind, Name: v.Name},
				site:   network.SiteName(v.Labels[plan.LabelSite]), live: v,
			}
		}
	}
	return out
}

// removable reports whether a recorded object is an overlay's of ours, also where somebody
// took its labels off.
func (m objectPlanner) removable(recorded record.Object, v world.ObjectView) bool {
	switch {
	case skuppersOwn[plan.GroupKind(v.APIVersion, v.Kind)]:
		return false
	case v.Labels[plan.LabelManagedBy] == "":
		return v.WrittenAs(recorded.UID)
	}
	return v.Owned(m.network()) && v.Labels[plan.LabelLink] == "" && v.Written()
}

// skuppersOwn are kinds that no overlay can add, whatever a record says.
var skuppersOwn = map[string]bool{
	"Site.skupper.io": true, "Link.skupper.io": true, "AccessGrant.skupper.io": true, "AccessToken.skupper.io": true,
	"Certificate.skupper.io": true, "Secret": true,
}

// untold warns of a recorded object of which nobody can tell whether it is there: its record
// stays.
func (m objectPlanner) untold(at plan.Place, d unwantedObject, scope world.Scope) {
	f := diag.Finding{
		Severity: diag.Warning, Code: plan.CodeUnknownKind, Subject: fmt.Sprintf("object %s/%s of site %q", d.Kind, d.Name, d.site),
		Message: fmt.Sprintf("cluster %s no longer serves %s, so whether it is still there cannot be told", at.Cluster, d.APIVersion),
		Fix:     "delete it by hand; its record stays until then",
	}
	if scope == world.ScopeUnread {
		m.unknown++
		f.Code = plan.CodeUnreadKind
		f.Message = fmt.Sprintf("is recorded in namespace %s of cluster %s, and %s may not be read there: whether it is there cannot be told",
			at.Namespace, at.Cluster, plan.GroupKind(d.APIVersion, d.Kind))
		f.Fix = "plan once with the right to list it; if no apply made it, look who wrote the ConfigMap of the record"
	}
	m.findings = append(m.findings, f)
}

// deleteObject plans one removal; the removal of its site waits for it.
func (m objectPlanner) deleteObject(x objectIndex, at plan.Place, d unwantedObject) {
	a := plan.Action{
		ID: m.objectID(at, d.site, d.APIVersion, d.Kind, d.Name), Kind: plan.KindObject, Verb: plan.VerbDelete, Cause: plan.CausePending,
		Cluster: at.Cluster, Namespace: at.Namespace, Name: d.Name, Disruption: plan.DisruptionNone,
		Steps: []plan.Step{plan.StepDelete}, Why: "no longer in an overlay" + undisturbed,
		Object: &plan.ObjectWork{Site: d.site, APIVersion: d.APIVersion, Kind: d.Kind},
	}
	if d.recorded {
		a.Steps = append(a.Steps, plan.StepConfirm)
	}
	if s, still := m.world.Desired[d.site]; still && s.Place() != at {
		if !strings.HasSuffix(a.ID, at.Suffix()) {
			a.ID += at.Suffix()
		}
		a.Why = fmt.Sprintf("its site is now in namespace %s of cluster %s", s.Namespace, s.Cluster) + undisturbed
		m.afterMove(a.ID, d.site)
	}
	if scope := x.scopes[at.Cluster][d.APIVersion+" "+string(d.Kind)]; d.live == nil && (scope == world.ScopeNone || scope == world.ScopeUnread) {
		m.untold(at, d, scope)
		return
	}
	if d.live != nil && d.live.Deleting {
		a.Why = "no longer in an overlay, " + d.live.Going() + "; its record stays until then" + undisturbed
	}
	if d.live == nil && d.recorded && d.Object.Fields == nil {
		a.Why = "no longer in an overlay, and was never applied; its record is cleared"
	} else if d.live == nil {
		a.Why = "no longer in an overlay, and gone from the cluster; its record is cleared"
	} else {
		a.Object.UID = d.live.UID
		a.Object.Observed = field.Pick(d.live.Content, d.Fields)
	}
	m.add(a)
	for _, site := range m.actions {
		if site.Kind == plan.KindSite && site.Verb == plan.VerbDelete && site.Place() == at {
			m.dependOn(site.ID, a.ID)
		}
	}
}
