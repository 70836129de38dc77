package plan

import (
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// BringsUp reports whether a link's action ends with a Link that is up, whatever there was
// before: another cost alone does not.
func (a Action) BringsUp() bool {
	switch a.Verb {
	case VerbCreate, VerbReplace:
		return true
	case VerbUpdate:
		return a.Link.Reconnect || a.Has(StepAdd) || a.Has(StepOperational)
	}
	return false
}

// CarriesTraffic reports whether an action is on one of Skupper's listeners or connectors,
// through which applications reach each other.
func (a Action) CarriesTraffic() bool {
	return a.Object != nil && Carries(a.Object.APIVersion, a.Object.Kind)
}

// Closes reports whether a site's action cuts the links to it: it stops listening, or
// listens in another place or with another CA.
func (a Action) Closes() bool {
	if a.Verb == VerbCreate || a.Verb == VerbDelete {
		return false
	}
	return a.Has(StepClose) || slices.ContainsFunc(a.Fields, func(f Field) bool {
		return f.Path == "linkAccess" && !IsZero(f.From) || f.Path == "defaultIssuer" || f.Path == "edge" && f.To == true
	})
}

// Action is one change to one site, link, proxy or object of an overlay.
type Action struct {
	// ID is the kind, a slash and the name: "link/shop1-hub"; an object's has its
	// site and kind in it: "object/shop1/Listener/backend".
	ID    string `json:"id"`
	Kind  Kind   `json:"kind"`
	Verb  Verb   `json:"verb"`
	Cause Cause  `json:"cause"`
	// Cluster and Namespace are where the site is, or the link's connecting site.
	Cluster    network.ClusterName `json:"cluster"`
	Namespace  string              `json:"namespace"`
	Name       string              `json:"name"`
	DeclaredAt diag.Position       `json:"declaredAt"`
	Fields     []Field             `json:"fields"`
	Disruption Disruption          `json:"disruption"`
	Steps      []Step              `json:"steps"`
	// DependsOn are IDs of actions of the same plan that come first.
	DependsOn []string `json:"dependsOn"`
	Why       string   `json:"why"`
	// Site is set for a site's action, Link for a link's, Proxy for a proxy's, Object
	// for an object's.
	Site   *SiteWork   `json:"site,omitempty"`
	Link   *LinkWork   `json:"link,omitempty"`
	Proxy  *ProxyWork  `json:"proxy,omitempty"`
	Object *ObjectWork `json:"object,omitempty"`
}

// Has reports whether the action takes the step.
func (a Action) Has(s Step) bool {
	for _, have := range a.Steps {
		if have == s {
			return true
		}
	}
	return false
}

// Place is one namespace of one cluster; one place holds at most one site.
type Place struct {
	Cluster   network.ClusterName
	Namespace string
}

// PlaceOf is a namespace of a cluster.
func PlaceOf(cluster network.ClusterName, namespace string) Place { return Place{cluster, namespace} }

// Suffix tells apart the IDs of two actions on things of one name.
func (at Place) Suffix() string { return "@" + string(at.Cluster) + "/" + at.Namespace }

// Place is where the action's site is, or its link's connecting site.
func (a Action) Place() Place { return PlaceOf(a.Cluster, a.Namespace) }

// Place is where the object is.
func (r ObjectRef) Place() Place { return PlaceOf(r.Cluster, r.Namespace) }

// Place is where the end's site is.
func (e End) Place() Place { return PlaceOf(e.Cluster, e.Namespace) }

// Field is one owned field that changes. From and To are strings, booleans or
// numbers; nil means absent.
type Field struct {
	Path  string `json:"path"`
	From  any    `json:"from"`
	To    any    `json:"to"`
	Cause Cause  `json:"cause"`
}

// SiteWork is what apply needs to carry out a site's action.
type SiteWork struct {
	// Fields are the owned fields as desired, by path; nil for a delete.
	Fields map[string]any `json:"fields"`
	// Observed are the same fields as the plan saw them, nil when there was no Site.
	Observed map[string]any `json:"observed"`
	// Object is the name of the Site on the cluster.
	Object string `json:"object"`
	// UID is the Site's as observed, empty when there was none.
	UID string `json:"uid"`
	// ClusterUID is that of the Site's cluster, as ClusterView.UID; empty for a delete.
	ClusterUID string `json:"clusterUID,omitempty"`
	Protect    bool   `json:"protect"`
	Listens    bool   `json:"listens"`
	// Close is the RouterAccess to delete, empty when there is none.
	Close ObjectRef `json:"close,omitzero"`
	// Keep are paths at which the Site is left as it is, whatever it is, sorted.
	Keep []string `json:"keep,omitempty"`
	// Takes are the Links made by hand that a deleted Site takes along, sorted.
	Takes []string `json:"takes,omitempty"`
}

// LinkWork is what apply needs to carry out a link's action.
type LinkWork struct {
	From End `json:"from"`
	To   End `json:"to"`
	// Cost is the desired cost; 0 for a delete.
	Cost int32 `json:"cost"`
	// Via is how the link gets its credentials.
	Via network.Via `json:"via"`
	// Proxy is the proxy, ProxySecret the name of its Secret beside the Links; empty
	// for a direct link.
	Proxy       network.ProxyName `json:"proxy"`
	ProxySecret string            `json:"proxySecret"`
	Rotation    int32             `json:"rotation"`
	// Groups is how many endpoint groups the listening site should have: one for each
	// router.
	Groups int `json:"groups"`
	// Adopted says that Links which were made by hand stay.
	Adopted bool `json:"adopted"`
	// Routers is how many Links the link has at the end, where that changes; else 0.
	Routers int `json:"routers"`
	// Reconnect asks for the endpoints of the listening Site in the Links that stay.
	Reconnect bool `json:"reconnect"`
	// Attempt numbers the credentials to use; see network.ObjectName.
	Attempt int `json:"attempt"`
	// Resume is true when an earlier apply used Attempt and was interrupted, so that
	// its grant, token, Secret or Links may be there.
	Resume bool `json:"resume"`
	// UnderWay is true when an earlier apply began to make the link and did not end.
	UnderWay bool `json:"underWay,omitempty"`
	// Seen are the link's own Links as the plan saw them, whether they stay or go.
	Seen []LiveLink `json:"seen,omitempty"`
	// KeepCost leaves the cost of the Links that stay as it is.
	KeepCost bool `json:"keepCost,omitempty"`
	// Live are the Links that stay, with the costs that the plan saw.
	Live []LiveLink `json:"live"`
	// Remove are objects to delete: all of a deleted link, what a replaced one
	// leaves, or leftovers.
	Remove []ObjectRef `json:"remove"`
}

// ObjectWork is what apply needs to carry out the action of an overlay's object.
type ObjectWork struct {
	Site       network.SiteName `json:"site"`
	APIVersion string           `json:"apiVersion"`
	Kind       ObjectKind       `json:"kind"`
	// Source is the file of the tree that it comes from, empty when that is not known.
	Source string `json:"source,omitempty"`
	// Fields are the owned fields as desired, by path (see Flatten); nil for a delete.
	Fields map[string]any `json:"fields"`
	// Observed are the owned fields as the plan saw them, nil when there was no object.
	Observed map[string]any `json:"observed"`
	// Manifest is the object to send, without Fairlead's labels; nil for a delete.
	Manifest map[string]any `json:"manifest"`
	// Keep are paths at which the object is left as it is, whatever it is, sorted.
	Keep []string `json:"keep,omitempty"`
	// UID is the object's as observed; empty when there was none, and then a delete
	// only clears its record.
	UID string `json:"uid"`
}

// Key identifies the object in its namespace, see ObjectKey.
func (a Action) Key() string { return ObjectKey(a.Object.APIVersion, a.Object.Kind, a.Name) }

// End is one end of a link.
type End struct {
	Site network.SiteName `json:"site"`
	// Object is the name of the Site on the cluster.
	Object    string              `json:"object"`
	Cluster   network.ClusterName `json:"cluster"`
	Namespace string              `json:"namespace"`
	// UID is the Site's as observed; empty when the plan creates it.
	UID string `json:"uid"`
	// ClusterUID is that of the cluster, as ClusterView.UID; empty for a delete.
	ClusterUID string `json:"clusterUID,omitempty"`
}

// ProxyWork is what apply needs to carry out a proxy's action: the Secret to write,
// to label or to delete.
type ProxyWork struct {
	Secret ObjectRef `json:"secret"`
	// Revision is the number in the Secret's name; 0 for one that was adopted.
	Revision   int    `json:"revision"`
	Host       string `json:"host"`
	Port       string `json:"port"`
	References string `json:"references"`
}

// LiveLink is a Link object as the plan saw it.
type LiveLink struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
	Cost int32  `json:"cost"`
	// Secret holds its credentials. SecretUID is set where that is taken over with the
	// Link, and was there.
	Secret    string `json:"secret"`
	SecretUID string `json:"secretUid,omitempty"`
}

// OldSuffix ends the ID of an action that removes the Link which another action of the
// plan replaces.
const OldSuffix = "@old"

// RemovesOld reports whether an action is such a removal.
func (a Action) RemovesOld() bool { return strings.HasSuffix(a.ID, OldSuffix) }

// movesListening reports whether a site's action changes how links reach it.
func (a Action) movesListening() bool {
	return a.Kind == KindSite && a.Verb == VerbUpdate && slices.ContainsFunc(a.Fields, func(f Field) bool {
		return f.Path == "linkAccess" || f.Path == "ha" || f.Path == "defaultIssuer"
	})
}

// Touches reports whether an action reads or writes something on a cluster.
func (a Action) Touches(name network.ClusterName) bool {
	return a.Cluster == name || a.Link != nil && a.Link.To.Cluster == name
}

// Removes are the objects that an action takes away beside a Site or an object of an overlay.
func (a Action) Removes() (out []ObjectRef) {
	if a.Link != nil {
		out = append(out, a.Link.Remove...)
	}
	if a.Proxy != nil && a.Verb == VerbDelete {
		out = append(out, a.Proxy.Secret)
	}
	if a.Site != nil {
		out = append(out, a.Site.Close)
	}
	return out
}

// AllSeen are the link's own Links, those to be adopted included.
func (w LinkWork) AllSeen() []LiveLink { return append(slices.Clone(w.Seen), w.Live...) }

// adopts are the UIDs of the objects that an adoption takes over.
func (a Action) adopts() (uids []string) {
	switch {
	case a.Site != nil:
		return []string{a.Site.UID}
	case a.Object != nil:
		return []string{a.Object.UID}
	case a.Proxy != nil:
		return []string{a.Proxy.Secret.UID}
	case a.Link != nil:
		for _, l := range a.Link.Live {
			uids = append(uids, l.UID)
		}
	}
	return uids
}

// Worse is the class that disturbs more.
func Worse(a, b Disruption) Disruption {
	order := []Disruption{DisruptionNone, DisruptionReconnect, DisruptionRestart, DisruptionReplace}
	if slices.Index(order, a) > slices.Index(order, b) {
		return a
	}
	return b
}

// Carries reports whether objects of a kind carry the traffic of a service (Skupper:
// listeners and connectors).
func Carries(apiVersion string, kind ObjectKind) bool {
	group, _, _ := strings.Cut(apiVersion, "/")
	return group == "skupper.io" && slices.Contains([]ObjectKind{
		ObjectListener, ObjectMultiKeyListener, ObjectConnector, ObjectAttachedConnector, ObjectConnectorBinding,
	}, kind)
}

// Identity is the same for the action on the same thing in two plans. An ID may
// differ: it says where a thing is only while there are two of its name.
func Identity(a Action) string {
	parts := []string{string(a.Kind), string(a.Cluster), a.Namespace, a.Name}
	if a.Verb == VerbDelete {
		parts = append(parts, "delete")
	}
	switch {
	case a.Object != nil:
		parts = append(parts, a.Key())
	case a.Proxy != nil && (a.Verb == VerbDelete || a.Verb == VerbAdopt):
		parts = append(parts, a.Proxy.Secret.Name)
	case a.RemovesOld():
		parts = append(parts, OldSuffix)
	}
	return strings.Join(parts, " ")
}

// IsZero reports whether a value of a field means the same to Skupper as its absence.
func IsZero(v any) bool {
	return v == nil || v == "" || v == false || v == "none"
}
