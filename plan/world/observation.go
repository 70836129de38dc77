package world

import (
	"slices"
	"strconv"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
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
	return ClusterView{Name: name, State: plan.StateUnreachable, Reason: "not observed"}
}

// ClusterView is one cluster's objects that matter to the network. When State is
// not ok the lists may be incomplete and nothing may be concluded from absence.
type ClusterView struct {
	Name network.ClusterName
	// UID tells clusters apart: kube-system's, or "namespace/NAME:" and that of another
	// namespace where kube-system's may not be known; empty when neither may.
	UID string
	// LockUID is "namespace/NAME:" and the UID of the namespace of the network's Lease, also
	// where UID is kube-system's; empty when it is not known.
	LockUID string
	State   plan.State
	// Reason says why State is not ok.
	Reason string
	// Namespaces are the names of all namespaces, or of those of the network's sites
	// that exist where more may not be known; nil when not even that may, which is
	// allowed: then every namespace is taken to exist.
	Namespaces []string
	// Going are those that are being deleted. They are not among Namespaces, and what is in
	// them goes along.
	Going []string
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
	// Noted are the clusters on which the network has sites, as its Lease here notes them:
	// of applies before, and of this one where it holds the lock.
	Noted []NotedCluster
	// Deletes are the limits that were last applied, as that Lease notes them; nil where
	// it does not.
	Deletes *network.DeleteLimits
	// Unnoted is true where that Lease may not be read.
	Unnoted bool
	// Reports are what the routers of sites say of their links, where that was asked for:
	// of the network's own Sites with a Link whose status leaves a doubt.
	Reports []SiteReport
}

// Unrecorded lists the network's own Sites of which there is no inventory, on clusters
// that were read.
func Unrecorded(o Observation, net string) []plan.ObjectRef {
	out := []plan.ObjectRef{}
	for _, c := range o.Clusters {
		for _, s := range c.Sites {
			recorded := func(i InventoryView) bool { return i.Namespace == s.Namespace }
			if c.State == plan.StateOK && s.Owned(net) && !s.Deleting && !slices.ContainsFunc(c.Inventories, recorded) {
				out = append(out, Ref(c.Name, plan.ObjectSite, s.Meta))
			}
		}
	}
	return plan.SortRefs(out)
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
	// Deleting is true when a deletion timestamp is set: the object goes, and is there as
	// long as Finalizers hold it.
	Deleting   bool
	Finalizers []string
	// Emptied tells that its namespace is being deleted, and it goes along.
	Emptied bool
	// Marked tells that an apply wrote it: it has an annotation of Fairlead's. Others copy
	// labels, and whoever forges a record cannot annotate what is not theirs.
	Marked bool
	// Created is when the object was made, by its cluster's clock: seconds of Unix time, 0
	// when that is not known.
	Created int64
}

// Going says that an object is being deleted, and what holds it.
func (m Meta) Going() string {
	switch held := HeldBy(m.Finalizers); {
	case m.Emptied && len(m.Finalizers) == 0:
		return "is being deleted with its namespace and still there"
	case m.Emptied:
		return "is being deleted with its namespace and still there, " + held
	default:
		return "is being deleted and still there, " + held
	}
}

// HeldBy says what keeps an object that is being deleted, by its finalizers.
func HeldBy(finalizers []string) string {
	if len(finalizers) == 0 {
		return "though no finalizer holds it"
	}
	return "held by finalizer " + strings.Join(finalizers, ", ")
}

// Owned reports whether the object carries the network's labels.
func (m Meta) Owned(network string) bool {
	return plan.Owned(m.Labels, network)
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
	// Unanswered are the names of tokens as the Site notes them, see AnnotationUnanswered.
	Unanswered []string
	// SitesInNetwork is the status field of that name.
	SitesInNetwork int
	// Seen are the sites of the network as this one's status has them, itself too, where
	// that was asked for.
	Seen []SeenSite
}

// SeenSite is a site of the network as another site sees it (Skupper: Site.status.network).
type SeenSite struct {
	// ID is its Site's UID.
	ID, Name, Namespace, Platform string
	Links                         []SeenLink
}

// SeenLink is a link that a seen site connects.
type SeenLink struct {
	Name string
	// To is the ID of the site that it leads to, empty while it is not up.
	To string
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
	// Configured is that condition for the current generation.
	Configured bool
	// Operational is that condition as last reported, for whatever generation of the Link;
	// Current tells that it was the present one. Health says what they mean.
	Operational, Current bool
	// Unreported tells that there is no condition Operational.
	Unreported bool
	// Message is the reason when not ready.
	Message        string
	RemoteSiteID   string
	RemoteSiteName string
}

// GrantView is an AccessGrant without its code.
type GrantView struct {
	Meta
	// Expires is until when it may be redeemed, RFC 3339, UTC: as its controller says, or
	// else as was noted when it was made, by the clock of who made it; empty when that is
	// not known.
	Expires string
	// Spent is true when all redemptions that it allows were counted. Left is how many are
	// not; 0 also where that is not known.
	Spent bool
	Left  int
	// By is the field manager that made it, such as "kubectl-create", and Made when that
	// was, RFC 3339, UTC; empty when that is not known.
	By, Made string
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
	Kind       plan.ObjectKind
	// Content is the whole object as read.
	Content map[string]any
}

// KindView says what the cluster knows of a kind.
type KindView struct {
	APIVersion string
	Kind       plan.ObjectKind
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
	// ScopeUnread is that of a kind that only records name and that may not be listed.
	ScopeUnread Scope = "unread"
)

// OverlayObject is the value of LabelObject.
const OverlayObject = "overlay"

// InventoryView is an inventory ConfigMap with its decoded content.
type InventoryView struct {
	Meta
	Content record.Inventory
	// Renamed is the key that its site had when it was written, where the plan found
	// that the description has another one for the same Site; empty otherwise.
	Renamed network.SiteName
	// Broken says why the content could not be read; empty otherwise.
	Broken string
}

// Written reports whether an apply of ours wrote the object: others copy labels, as
// Endpoints have those of their Service, but not our annotation.
func (v ObjectView) Written() bool {
	if v.Marked {
		return true
	}
	metadata, _ := v.Content["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	return annotations[plan.AnnotationDigest] != nil
}

// RotationNumber is the noted one as a number.
func (n Note) RotationNumber() int32 {
	r, err := strconv.ParseInt(n.Rotation, 10, 32)
	if err != nil {
		return 0
	}
	return int32(r)
}

// Is compares a cluster with a UID, see network.SameCluster.
func (c ClusterView) Is(uid string) (same, known bool) {
	for _, own := range []string{c.UID, c.LockUID} {
		if same, known = network.SameCluster(own, uid); known {
			return same, true
		}
	}
	return false, false
}

// Another reports whether a cluster is another one than that of a UID for sure.
func (c ClusterView) Another(uid string) bool {
	same, known := c.Is(uid)
	return known && !same
}

// has reports whether a Site of the UID is there: it is in one cluster alone.
func (c ClusterView) has(site string) bool {
	return site != "" && slices.ContainsFunc(c.Sites, func(s SiteView) bool { return s.UID == site })
}

// Closed reports whether nobody can redeem a grant any more.
func (g GrantView) Closed(now string) bool { return g.Spent || g.Expires != "" && g.Expires < now }

// WrittenAs reports whether an apply of ours wrote this very object, of a recorded UID: a
// record alone proves nothing, as whoever may write ConfigMaps can forge one.
func (v ObjectView) WrittenAs(uid string) bool { return uid == v.UID && v.Written() }

// NotedCluster is a cluster on which a network has sites, as another one of its clusters
// knows it.
type NotedCluster struct {
	Name network.ClusterName `json:"name"`
	// UID is as in ClusterView; empty when it was not known.
	UID string `json:"uid,omitempty"`
	// Sites is how many sites it has, 1 or more.
	Sites int `json:"sites"`
}

// UnknownAt counts the described sites, links and objects that nothing is known of
// while the cluster cannot be read.
func UnknownAt(d plan.Desired, cluster network.ClusterName) int {
	n, there := 0, map[network.SiteName]bool{}
	for _, s := range d.Sites {
		if s.Cluster == cluster {
			n++
			there[s.Name] = true
		}
	}
	for _, l := range d.Links {
		if there[l.From] || there[l.To] {
			n++
		}
	}
	for _, o := range d.Objects {
		if o.Cluster == cluster {
			n++
		}
	}
	return n
}

// Addresses shows endpoints in one line, in an order of their own.
func Addresses(list []Endpoint) string {
	var out []string
	for _, e := range list {
		out = append(out, e.String())
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
