// Package plan is what a plan is: its types, their JSON and ID, the flags that lift its
// refusals, and the names by which Fairlead marks what it writes. Package planner makes plans.
package plan

import (
	"fmt"
	"slices"
	"strings"

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
	StepTakeOver    Step = "take-over"   // write a Link that is there: labels, cost; label its Secret
	StepConfigured  Step = "configured"  // wait until the router has the Link
	StepOperational Step = "operational" // wait until the routers report the Link up
	StepRetire      Step = "retire"      // delete what the new Link replaces
	StepClean       Step = "clean"       // delete token and grant, and what else the plan names
	StepDelete      Step = "delete"      // delete the objects of the site, link, proxy or overlay
	StepConfirm     Step = "confirm"     // record the outcome in the inventory
)

// At are the plan's actions at a place, in its order.
func (p Plan) At(cluster network.ClusterName, namespace string) []Action {
	return slices.DeleteFunc(slices.Clone(p.Actions), func(a Action) bool { return a.Cluster != cluster || a.Namespace != namespace })
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

// TakenFor are the clusters that a plan takes for those which their names led to before,
// because it was told to, sorted.
func (p Plan) TakenFor() (out []network.ClusterName) {
	for _, r := range p.Refusals {
		if name, is := strings.CutPrefix(r.Code, ClusterChanged+"."); is && r.Overridden {
			out = append(out, network.ClusterName(name))
		}
	}
	slices.Sort(out)
	return out
}

// Ill reports whether drift found what somebody should look at: differences that no rule
// covers, objects that are in the way, or facts that are errors.
func (p Plan) Ill() bool {
	return len(p.Actions) > 0 || len(p.Refusals) > 0 ||
		slices.ContainsFunc(p.Live, func(l Live) bool { return l.Severity == diag.Error })
}

// Base is the revision that a plan is compared with, beside the clusters or in their
// stead.
type Base struct {
	// Source is the description at the base revision.
	Source Source `json:"source"`
	// Alone is true where no cluster was read: the plan then leads from the network as
	// the base describes it, taken as applied, to the one of the head. It cannot be
	// applied.
	Alone bool `json:"alone"`
	// Origins tell, by action ID, where an action comes from. Alone they are all
	// OriginChange.
	Origins map[string]Origin `json:"origins"`
	// Spared are actions that are pending for the base and needless with the change,
	// sorted by ID; never nil.
	Spared []Spared `json:"spared"`
}

// Origin tells whether an action of a plan with a base is due to the change from base
// to head.
type Origin string

// Spared is an action that the base would take and the head does not.
type Spared struct {
	ID   string `json:"id"`
	Verb Verb   `json:"verb"`
	Why  string `json:"why"`
}

// OriginOf tells where an action comes from; empty in a plan without a base.
func (p Plan) OriginOf(id string) Origin {
	if p.Base == nil {
		return ""
	}
	return p.Base.Origins[id]
}

// ByOrigin gives the actions that a change asks for, those that it alters included, and
// those that are pending or drift without it. Without a base all are the change's.
func (p Plan) ByOrigin() (change, anyway []Action) {
	for _, a := range p.Actions {
		if p.OriginOf(a.ID) == OriginAnyway {
			anyway = append(anyway, a)
		} else {
			change = append(change, a)
		}
	}
	return change, anyway
}

// Adopted are the UIDs of what a plan takes over.
func (p *Plan) Adopted() map[string]bool {
	out := map[string]bool{}
	if p == nil {
		return out
	}
	for _, a := range p.Actions {
		if a.Verb == VerbAdopt {
			for _, uid := range a.adopts() {
				out[uid] = true
			}
		}
	}
	return out
}

// CodeWaits is the code of warnings about what waits for a cluster to be read.
const CodeWaits = "waits"

// CodeUnread is the code of warnings about namespaces that were not read.
const CodeUnread = "namespace-unread"

// WhyNew is why something is made of which nothing is known.
const WhyNew = "declared and not on the cluster"

// The kinds of Skupper's objects that carry the traffic of one service. Overlays add them.
const (
	ObjectListener          ObjectKind = "Listener"
	ObjectMultiKeyListener  ObjectKind = "MultiKeyListener"
	ObjectConnector         ObjectKind = "Connector"
	ObjectAttachedConnector ObjectKind = "AttachedConnector"
	ObjectConnectorBinding  ObjectKind = "AttachedConnectorBinding"
)

// The codes of effects on services, beside those of plan/topology.
const (
	// ServiceLost is a host and port that nothing listens on any more, or a routing key
	// that no site offers any more.
	ServiceLost = "service-lost"
	// ServiceMoved is a host and port that leads to another routing key, or a routing key
	// that fewer sites offer.
	ServiceMoved = "service-moved"
)

// CodeUnknownProxy is the code of warnings of credentials that cannot be read here.
const CodeUnknownProxy = "proxy-unknown"

// ProxySubject names a proxy in findings.
func ProxySubject(name network.ProxyName) string { return fmt.Sprintf("proxy %q", name) }

// ObjectSubject names an object of an overlay in findings.
func ObjectSubject(o DesiredObject) string {
	return fmt.Sprintf("object %s/%s of site %q", o.Kind, o.Name, o.Site)
}

// The codes of warnings about recorded objects of which nothing can be told: of kinds that
// are not served, and that may not be read.
const (
	CodeUnknownKind = "unknown-kind"
	CodeUnreadKind  = "kind-unread"
)

// ClusterLeft is the code of the refusal to leave a cluster out of the description while
// sites of the network run there, with the cluster's name behind a point.
const ClusterLeft = "cluster-left"

// ClusterChanged is the code of the refusal to take one cluster for another: its name leads
// to another one than the description pins, or than Leases and records note. The cluster's
// name follows behind a point.
const ClusterChanged = "cluster-changed"

// The origins of an action.
const (
	// OriginChange is that of an action which only the change asks for.
	OriginChange Origin = "change"
	// OriginAnyway is that of an action which is pending, or drift, without the change.
	OriginAnyway Origin = "anyway"
	// OriginBoth is that of an action which is pending without the change, and another one
	// with it.
	OriginBoth Origin = "both"
)
