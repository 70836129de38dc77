// Package plan compares a described network with what was observed on its
// clusters and says, as data, what has to be done. It is pure: it reads no
// cluster, no clock and no environment, and the same input gives the same bytes.
//
// The invariant that everything here serves: carrying out Make's actions on the
// observed state gives the desired state, and planning again gives no action.
package plan

import (
	"slices"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Format names the version of the plan's JSON. A reader refuses a format that it
// does not know.
const Format = "fairlead.plan/v1"

// Plan is everything that one apply would do, and why. All lists are sorted and
// never nil. It holds no secret and no time.
type Plan struct {
	Format string `json:"format"`
	// ID is "sha256:" and the digest of the plan's JSON with an empty ID.
	ID          string      `json:"id"`
	Network     string      `json:"network"`
	Source      Source      `json:"source"`
	Clusters    []Cluster   `json:"clusters"`
	Actions     []Action    `json:"actions"`
	Summary     Summary     `json:"summary"`
	Topology    Topology    `json:"topology"`
	Refusals    []Refusal   `json:"refusals"`
	Unmanaged   []ObjectRef `json:"unmanaged"`
	Diagnostics diag.List   `json:"diagnostics"`
	// Narrowed is true when only a part of the network was asked for.
	Narrowed bool `json:"narrowed"`
	// Made is when the plan was made, in RFC 3339 and UTC; empty where that does not
	// matter. It is no part of the ID.
	Made string `json:"made,omitempty"`
	// Base is set when the plan was compared with another revision too. It is no part of
	// the ID.
	Base *Base `json:"base,omitempty"`
	// Ignored is what differs on the clusters and is left so by the description's rules;
	// it is sorted, and no part of the ID.
	Ignored []Ignored `json:"ignored,omitempty"`
	// Of drift, sorted, empty in other plans, and no part of the ID: Live are facts about
	// how the network runs, Behind the actions that git asks for and nobody applied yet,
	// Applied the commits of which the sites are.
	Live    []Live    `json:"live,omitempty"`
	Behind  []Action  `json:"behind,omitempty"`
	Applied []Applied `json:"applied,omitempty"`
}

// Source says which description was planned.
type Source struct {
	Commit string `json:"commit"`
	Ref    string `json:"ref"`
	Dirty  bool   `json:"dirty"`
	// Unread is set where the repository could not be read, so that no commit is known.
	Unread bool   `json:"unread,omitempty"`
	Path   string `json:"path"`
	// Digest covers the evaluated description, not its formatting.
	Digest string `json:"digest"`
	// LeftOut are the CUE files beside those of the description that are no part of it.
	LeftOut []LeftOut `json:"leftOut,omitempty"`
}

// LeftOut is a file that no evaluation reads.
type LeftOut struct {
	// File is a slash path from the root of the repository.
	File string `json:"file"`
	Why  string `json:"why"`
}

// State says how well a cluster could be read.
type State string

const (
	// StateOK means that every kind was read in full.
	StateOK State = "ok"
	// StateUnreachable means that the API server did not answer.
	StateUnreachable State = "unreachable"
	// StateForbidden means that the API server refused something needed.
	StateForbidden State = "forbidden"
)

// Cluster is a cluster as it was found.
type Cluster struct {
	Name  network.ClusterName `json:"name"`
	UID   string              `json:"uid"`
	State State               `json:"state"`
	// Reason says why State is not ok; it is empty otherwise.
	Reason  string `json:"reason,omitempty"`
	Skupper string `json:"skupper"`
}

// Kind is what an action is about.
type Kind string

// The kinds of action.
const (
	KindSite Kind = "site"
	KindLink Kind = "link"
	// KindProxy is the Secret of a proxy at one connecting site.
	KindProxy  Kind = "proxy"
	KindObject Kind = "object" // of an overlay
)

// Verb is what an action does.
type Verb string

// The verbs, in the order in which people care for them.
const (
	VerbCreate  Verb = "create"
	VerbUpdate  Verb = "update"
	VerbReplace Verb = "replace"
	VerbDelete  Verb = "delete"
	VerbAdopt   Verb = "adopt"
)

// Cause says what moved: git (pending), the cluster (drift), or both.
type Cause string

// The causes of an action, judged against what was last applied.
const (
	CausePending Cause = "pending"
	CauseDrift   Cause = "drift"
	CauseBoth    Cause = "both"
)

// Disruption is the worst that traffic meets while the action runs.
type Disruption string

// The classes of disruption.
const (
	DisruptionNone      Disruption = "none"
	DisruptionReconnect Disruption = "reconnect"
	DisruptionRestart   Disruption = "restart"
	DisruptionReplace   Disruption = "replace"
)

// Step is one part of an action, in the order in which apply takes them.
type Step string

// The steps. Those of a link by token are grant to confirm; one by certificate
// takes certificate, carry and link instead of grant and redeem.
const (
	StepNamespace   Step = "namespace"   // create the namespace
	StepRecord      Step = "record"      // write the intent into the inventory
	StepSite        Step = "site"        // write the Site
	StepQuiet       Step = "quiet"       // write the Site without edge, wait: one that listens or has two routers is no edge
	StepClose       Step = "close"       // delete the RouterAccess that Skupper leaves when link access goes
	StepReady       Step = "ready"       // wait until the Site is ready
	StepObject      Step = "object"      // write the object of an overlay
	StepGrant       Step = "grant"       // create the grant and wait for its code
	StepRedeem      Step = "redeem"      // carry the token over and wait until it is redeemed
	StepSecret      Step = "secret"      // write a proxy's Secret
	StepCertificate Step = "certificate" // create the Certificate and wait for its Secret
	StepCarry       Step = "carry"       // copy that Secret to the connecting site
	StepLink        Step = "link"        // create one Link for each endpoint group
	StepAdd         Step = "add"         // create the Links of further routers, wait until they are operational
	StepTakeOver    Step = "take-over"   // label the Link and its Secret, set the cost, touch
	StepConfigured  Step = "configured"  // wait until the router has the Link
	StepOperational Step = "operational" // wait until the routers report the Link up
	StepRetire      Step = "retire"      // delete what the new Link replaces
	StepClean       Step = "clean"       // delete token and grant
	StepDelete      Step = "delete"      // delete the objects of the site or link
	StepConfirm     Step = "confirm"     // record the outcome in the inventory
)

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

// At are the plan's actions at a place, in its order.
func (p Plan) At(cluster network.ClusterName, namespace string) []Action {
	return slices.DeleteFunc(slices.Clone(p.Actions), func(a Action) bool { return a.Cluster != cluster || a.Namespace != namespace })
}

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

// ObjectKind names a Kubernetes kind that Fairlead touches.
type ObjectKind string

// The kinds of object that Fairlead itself makes or reads; overlays add others.
const (
	ObjectSite        ObjectKind = "Site"
	ObjectLink        ObjectKind = "Link"
	ObjectGrant       ObjectKind = "AccessGrant"
	ObjectToken       ObjectKind = "AccessToken"
	ObjectSecret      ObjectKind = "Secret"
	ObjectConfigMap   ObjectKind = "ConfigMap"
	ObjectNamespace   ObjectKind = "Namespace"
	ObjectAccess      ObjectKind = "RouterAccess"
	ObjectCertificate ObjectKind = "Certificate"
)

// ObjectRef points at one object on one cluster.
type ObjectRef struct {
	Cluster network.ClusterName `json:"cluster"`
	// APIVersion is set for objects of overlays, whose kinds may be any.
	APIVersion string     `json:"apiVersion,omitempty"`
	Kind       ObjectKind `json:"kind"`
	Namespace  string     `json:"namespace"`
	Name       string     `json:"name"`
	UID        string     `json:"uid"`
}

// String names the object as kubectl users do: kind namespace/name on cluster.
func (r ObjectRef) String() string {
	if r.Namespace == "" {
		return string(r.Kind) + " " + r.Name + " on cluster " + string(r.Cluster)
	}
	return string(r.Kind) + " " + r.Namespace + "/" + r.Name + " on cluster " + string(r.Cluster)
}

// Summary counts actions by verb; Drift counts those whose cause is drift or
// both, and Unknown the declared or owned things that could not be compared.
type Summary struct {
	Create  int `json:"create"`
	Update  int `json:"update"`
	Replace int `json:"replace"`
	Delete  int `json:"delete"`
	Adopt   int `json:"adopt"`
	Drift   int `json:"drift"`
	Unknown int `json:"unknown"`
}

// Refusal is a rule that keeps the plan from being applied.
type Refusal struct {
	Code    string `json:"code"`
	Subject string `json:"subject"`
	Message string `json:"message"`
	// Override is what to do to go ahead; with a Number it is the exact flag.
	Override string `json:"override"`
	// Number is how many sites, links, objects or pairs a rule with a limit counted; 0 for the
	// rules that no flag lifts.
	Number int `json:"number,omitempty"`
	// Overridden is true when the flag was given; see Lift.
	Overridden bool `json:"overridden,omitempty"`
}

// Basis says what the effects of a plan start from.
type Basis string

const (
	// BasisRunning is what runs: the Sites that are there, and the Links that are up, each
	// at its own cost.
	BasisRunning Basis = "running"
	// BasisDescribed is the same, but that what could not be read counts as described.
	BasisDescribed Basis = "described"
	// BasisBase is the description at another revision, taken as applied.
	BasisBase Basis = "base"
	// BasisApplied is what was last applied: of drift, whose effects end with what runs.
	BasisApplied Basis = "applied"
)

// Topology says what the plan does to the network's shape. With a Basis it is no part of
// the plan's ID, as it depends on which links are up.
type Topology struct {
	// Basis is empty in older plans, and where the shape was not asked for.
	Basis   Basis    `json:"basis,omitempty"`
	Before  Shape    `json:"before"`
	After   Shape    `json:"after"`
	Effects []Effect `json:"effects"`
}

// Shape is a network's size and its parts.
type Shape struct {
	Sites      int                  `json:"sites"`
	Links      int                  `json:"links"`
	Components [][]network.SiteName `json:"components"`
}

// Effect is one consequence for traffic, in a sentence.
type Effect struct {
	Severity string `json:"severity"`
	// Code is stable; plan/topology has them, and ServiceLost and ServiceMoved are the others.
	Code    string `json:"code"`
	Message string `json:"message"`
	// Sites and Links are those that the sentence is about, sorted and never nil.
	Sites []network.SiteName `json:"sites"`
	Links []network.LinkName `json:"links"`
}

// Pending reports whether the plan has anything to do.
func (p Plan) Pending() bool { return len(p.Actions) > 0 }
