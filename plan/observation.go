package plan

import (
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// Labels and annotations on every object that Fairlead writes or takes over.
const (
	LabelManagedBy   = "app.kubernetes.io/managed-by"
	LabelNetwork     = "fairlead.dev/network"
	LabelLink        = "fairlead.dev/link"
	LabelSite        = "fairlead.dev/site"
	LabelProxy       = "fairlead.dev/proxy"
	LabelObject      = "fairlead.dev/object"
	AnnotationCommit = "fairlead.dev/commit"
	AnnotationDigest = "fairlead.dev/last-applied"
	// AnnotationProtect, "true" on a Site, keeps it from being deleted also when its
	// inventory is lost.
	AnnotationProtect = "fairlead.dev/protect"
	// What a Link notes of itself, see Note.
	AnnotationVia      = "fairlead.dev/via"
	AnnotationRotation = "fairlead.dev/rotation"
	AnnotationAdopted  = "fairlead.dev/adopted"
	// AnnotationCost and AnnotationEndpoints, on a Link, are what the description asked
	// for when it was written last, whatever was left as it was.
	AnnotationCost      = "fairlead.dev/cost"
	AnnotationEndpoints = "fairlead.dev/endpoints"
	// AnnotationExpires, on a link's Secret, is when its certificate ends, on a grant until
	// when it may be redeemed: RFC 3339, UTC.
	AnnotationExpires = "fairlead.dev/expires"
	// AnnotationRequest tells which creation made an object: a random text, by which a
	// creation whose answer was lost knows its own. It is never compared otherwise.
	AnnotationRequest = "fairlead.dev/request"
	// AnnotationRun is the run that wrote the object last. Nothing compares it.
	AnnotationRun = "fairlead.dev/run"
	// ManagedBy is the value of LabelManagedBy, and the field manager's name.
	ManagedBy = "fairlead"
)

// Observation is what was read from the clusters, as data. It holds no secret:
// grant and token codes and the content of Secrets are never part of it.
type Observation struct {
	// Clusters are sorted by name, one for each that was asked for.
	Clusters []ClusterView
}

// Cluster returns the view of the named cluster, or a view in state unreachable
// when it was not asked for.
func (o Observation) Cluster(name network.ClusterName) ClusterView {
	for _, c := range o.Clusters {
		if c.Name == name {
			return c
		}
	}
	return ClusterView{Name: name, State: StateUnreachable, Reason: "not observed"}
}

// ClusterView is one cluster's objects that matter to the network. When State is
// not ok the lists may be incomplete and nothing may be concluded from absence.
type ClusterView struct {
	Name network.ClusterName
	// UID tells clusters apart: kube-system's, or "namespace/NAME:" and that of another
	// namespace where kube-system's may not be known; empty when neither may.
	UID   string
	State State
	// Reason says why State is not ok.
	Reason string
	// Namespaces are the names of all namespaces, or of those of the network's sites
	// that exist where more may not be known; nil when not even that may, which is
	// allowed: then every namespace is taken to exist.
	Namespaces []string
	// Read are the namespaces that were read where not all of them may be; nil means
	// all. Nothing may be concluded about any other.
	Read []string
	// Denied are namespaces in which the network may have something, that no site is
	// described in and that may not be read.
	Denied      []string
	Sites       []SiteView
	Links       []LinkView
	Grants      []GrantView
	Tokens      []TokenView
	Secrets     []SecretView
	Inventories []InventoryView
	// Accesses are RouterAccesses.
	Accesses []AccessView
	// Certificates are all of the cluster.
	Certificates []CertificateView
	Proxies      []ProxyView
	// Objects are of the kinds that overlays use: the network's own, those recorded,
	// and others of a wanted identity.
	Objects []ObjectView
	// Kinds are the kinds that were looked for on behalf of overlays.
	Kinds []KindView
	// Reports are what routers say of the links of sites, also of other clusters, where
	// that was asked for.
	Reports []SiteReport
}

// SiteReport is what the routers of one site say of its links.
type SiteReport struct {
	// Site is the Site's UID.
	Site  string
	Links []LinkReport
}

// LinkReport is one link as the router at its connecting end has it.
type LinkReport struct {
	// Name is that of the Link.
	Name string
	Up   bool
	// Cost is the cost in force; 0 when it is not reported.
	Cost int32
}

// Unrecorded lists the network's own Sites of which there is no inventory, on clusters
// that were read.
func Unrecorded(o Observation, net string) []ObjectRef {
	out := []ObjectRef{}
	for _, c := range o.Clusters {
		for _, s := range c.Sites {
			recorded := func(i InventoryView) bool { return i.Namespace == s.Namespace }
			if c.State == StateOK && s.Owned(net) && !s.Deleting && !slices.ContainsFunc(c.Inventories, recorded) {
				out = append(out, ref(c.Name, ObjectSite, s.Meta))
			}
		}
	}
	return sortRefs(out)
}

// HasNamespace reports whether the namespace exists or may exist.
func (c ClusterView) HasNamespace(name string) bool {
	return c.Namespaces == nil || slices.Contains(c.Namespaces, name)
}

// HasRead reports whether what is in the namespace is known; in a cluster that was
// not read in full nothing is.
func (c ClusterView) HasRead(namespace string) bool {
	return c.Read == nil || slices.Contains(c.Read, namespace)
}

// Meta is what all observed objects have.
type Meta struct {
	Namespace, Name, UID, ResourceVersion string
	Generation                            int64
	Labels                                map[string]string
	// OwnerUID is the UID of the first owner reference, empty without one.
	OwnerUID string
	// Deleting is true when a deletion timestamp is set.
	Deleting bool
	// Created is when the object was made, by its cluster's clock: seconds of Unix time, 0
	// when that is not known.
	Created int64
}

// Owned reports whether the object carries the network's labels.
func (m Meta) Owned(network string) bool {
	return m.Labels[LabelManagedBy] == ManagedBy && m.Labels[LabelNetwork] == network
}

// SiteView is a Site.
type SiteView struct {
	Meta
	// Fields are the spec by path: linkAccess, ha, edge, defaultIssuer,
	// serviceAccount and settings.KEY; absent ones are not in the map.
	Fields map[string]any
	// Version is the controller's, from status.controller.version.
	Version string
	Ready   bool
	// WasReady is Ready as last reported, maybe for an earlier generation of the Site.
	WasReady bool
	// Message is the reason when not ready.
	Message string
	// Endpoints are status.endpoints.
	Endpoints []Endpoint
	// Protected tells that the Site itself notes that it must not be deleted.
	Protected bool
	// SitesInNetwork is the status field of that name.
	SitesInNetwork int
}

// LinkView is a Link.
type LinkView struct {
	Meta
	Cost           int32
	TLSCredentials string
	// Endpoints are spec.endpoints.
	Endpoints []Endpoint
	// Noted is what was noted on the Link when it was taken over.
	Noted Note
	// Proxy is the setting proxy-configuration: the name of a Secret, or empty.
	Proxy string
	// Configured, Operational and Ready are conditions that are true for the
	// current generation.
	Configured, Operational, Ready bool
	// WasUp is Operational as last reported, maybe for an earlier generation of the Link.
	WasUp bool
	// Message is the reason when not ready.
	Message        string
	RemoteSiteID   string
	RemoteSiteName string
}

// GrantView is an AccessGrant without its code.
type GrantView struct {
	Meta
	// Expires is until when it may be redeemed, as was noted when it was made, by the
	// clock of who made it: RFC 3339, UTC; empty when that is not known.
	Expires string
}

// TokenView is an AccessToken without its code.
type TokenView struct{ Meta }

// AccessView is a RouterAccess; that of a Site's link access is named RouterAccess.
type AccessView struct{ Meta }

// RouterAccess is the name of the RouterAccess that a listening Site makes. It
// stays behind, and links go on working, when link access is switched off.
const RouterAccess = "skupper-router"

// Note is what a Link says of itself: what of its record was really written, and enough
// for when its inventory is lost. All of it is empty where nothing was noted.
type Note struct {
	Via      network.Via
	Rotation string
	// Cost is the declared one when the Link was written last.
	Cost int32
	// Endpoints are those of the listening Site that were written last, for a link by
	// certificate, as Addresses gives them.
	Endpoints string
	// Adopted is true for a Link that was made by hand.
	Adopted bool
}

// Endpoint is one address of a Site or Link. All of one group lead to one router.
type Endpoint struct {
	// Name is "inter-router" or "edge".
	Name  string `json:"name"`
	Host  string `json:"host"`
	Port  string `json:"port"`
	Group string `json:"group"`
}

// String gives "name host:port".
func (e Endpoint) String() string { return e.Name + " " + e.Host + ":" + e.Port }

// SecretView is a Secret's metadata; its data is not read.
type SecretView struct {
	Meta
	// Expires is when its certificate ends, in RFC 3339 and UTC, as it was noted when
	// the Secret was taken over; empty when that is not known.
	Expires string
}

// ProxyView is a Secret with the settings of an HTTP CONNECT proxy: one that
// carries the network's labels, or that one of its Links names.
type ProxyView struct {
	Meta
	Host, Port string
	// HasUsername and HasPassword tell whether those are not empty.
	HasUsername, HasPassword bool
	// Digest is a keyed digest of username and password. Its key dies with the run:
	// it can be compared with digests of the same run and must not be kept.
	Digest string
}

// CertificateView is a Certificate.
type CertificateView struct{ Meta }

// ObjectView is an object of a kind that an overlay uses. It is never a Secret, an
// AccessGrant or an AccessToken.
type ObjectView struct {
	Meta
	APIVersion string
	Kind       ObjectKind
	// Content is the whole object as read.
	Content map[string]any
}

// KindView says what the cluster knows of a kind.
type KindView struct {
	APIVersion string
	Kind       ObjectKind
	Scope      Scope
}

// Scope is where objects of a kind live.
type Scope string

// The scopes of a kind.
const (
	ScopeNamespace Scope = "namespace"
	ScopeCluster   Scope = "cluster"
	// ScopeNone is that of a kind that the cluster does not have.
	ScopeNone Scope = "none"
)

// OverlayObject is the value of LabelObject.
const OverlayObject = "overlay"

// InventoryView is an inventory ConfigMap with its decoded content.
type InventoryView struct {
	Meta
	Content Inventory
	// Renamed is the key that its site had when it was written, where the plan found
	// that the description has another one for the same Site; empty otherwise.
	Renamed network.SiteName
	// Broken says why the content could not be read; empty otherwise.
	Broken string
}
