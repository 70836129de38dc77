// Package network is the typed model of a described Skupper network: clusters,
// sites, links, proxies and policy, as the user declared them. It holds values
// only; it knows nothing of CUE or Kubernetes, and of secrets it holds references.
package network

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"

	"fairlead.dev/fairlead/schema/diag"
)

// SiteName, LinkName, ClusterName and ProxyName are keys of the description.
// They are distinct types so that one cannot be passed for another.
type (
	SiteName    string
	LinkName    string
	ClusterName string
	ProxyName   string
)

// Network is a whole description. Lists are sorted by name and never nil.
type Network struct {
	// Name is a DNS label; it becomes part of labels and of the inventory's name.
	Name     string
	Clusters []Cluster
	Sites    []Site
	Links    []Link
	Proxies  []Proxy
	Policy   Policy
	// Overlay is the directory of a kustomization for every site, relative to the
	// description; empty for none.
	Overlay   string
	OverlayAt diag.Position
	// DeclaredAt is where the name stands.
	DeclaredAt diag.Position
}

// Cluster says how to reach one Kubernetes cluster. At most one of Kubeconfig and
// InCluster is set; with neither, Context is looked up in the user's own
// kubeconfig (KUBECONFIG or the home directory). An empty Context means the
// kubeconfig's current context.
type Cluster struct {
	Name       ClusterName
	Context    string
	Kubeconfig *SecretRef
	InCluster  bool
	// LockNamespace is where the network's lock on this cluster is kept; empty means
	// DefaultLockNamespace.
	LockNamespace string
	// UID is who the cluster has to be, see SameCluster; empty for whichever it is.
	UID        string `json:",omitempty"`
	DeclaredAt diag.Position
}

// LocksIn is the namespace of the network's lock on the cluster.
func (c Cluster) LocksIn() string { return cmp.Or(c.LockNamespace, DefaultLockNamespace) }

// SameAs reports whether two clusters of descriptions are one, as far as descriptions
// tell: their UIDs, or else how they are reached. What they are called does not matter.
func (c Cluster) SameAs(other Cluster) bool {
	if same, known := SameCluster(c.UID, other.UID); known {
		return same
	}
	return c.Context == other.Context && c.InCluster == other.InCluster && reflect.DeepEqual(c.Kubeconfig, other.Kubeconfig)
}

// DefaultLockNamespace is a namespace that every Kubernetes cluster has: two revisions
// of a description, whatever sites they name, meet at the same lock.
const DefaultLockNamespace = "default"

// CodeNoSites is the code of the finding that a network has no site.
const CodeNoSites = "no-sites"

// Site is one Skupper site: one namespace of one cluster.
type Site struct {
	Name      SiteName
	Cluster   ClusterName
	Namespace string
	// LinkAccess is "" or "none" for a site that does not listen, otherwise
	// "default" or an access type of the controller.
	LinkAccess string
	HA         bool
	Edge       bool
	// Protect refuses the deletion of the site, even when its lines are removed.
	Protect        bool
	DefaultIssuer  string
	ServiceAccount string
	// Object is the name of the Site on the cluster: Name unless declared.
	Object string
	// Overlay is the directory of a kustomization, relative to the description;
	// empty for none.
	Overlay   string
	OverlayAt diag.Position
	// Settings are the Site's advanced settings; never nil.
	Settings   map[string]string
	DeclaredAt diag.Position
}

// Listens reports whether the site accepts links.
func (s Site) Listens() bool { return s.LinkAccess != "" && s.LinkAccess != "none" }

// LinkAccesses are the values of a Site's linkAccess that a description may have:
// "none", "default", and the access types that Skupper's controller knows.
var LinkAccesses = []string{
	"none", "default", "local", "loadbalancer", "route", "nodeport",
	"ingress", "ingress-nginx", "contour-http-proxy", "gateway",
}

// Via is how a link gets its credentials.
type Via string

const (
	// ViaToken redeems an AccessToken made from an AccessGrant.
	ViaToken Via = "token"
	// ViaCertificate carries a Certificate's Secret over; no grant server is needed.
	ViaCertificate Via = "certificate"
)

// Link joins two sites: From connects, To listens.
type Link struct {
	Name LinkName
	From SiteName
	To   SiteName
	// Cost is 1 to 2147483647; path cost is the sum over the path.
	Cost int32
	Via  Via
	// Proxy is empty for a direct link.
	Proxy ProxyName
	// Rotation counts re-keyings; 0 when it is not declared.
	Rotation int32
	// Object is the name of a Link to adopt as this link: Name unless declared.
	Object     string
	DeclaredAt diag.Position
	// CostAt is where the cost stands, DeclaredAt when it is the default.
	CostAt diag.Position
}

// Proxy is an HTTP CONNECT proxy. Username and Password are nil for an anonymous one, and
// neither otherwise: with a username alone the router waits for a password file that nobody
// writes, and the Link never becomes operational (seen on Skupper 2.2).
type Proxy struct {
	Name       ProxyName
	Host       string
	Port       int
	Username   *SecretRef
	Password   *SecretRef
	DeclaredAt diag.Position
}

// SecretRef says where a secret is, never what it is. Exactly one field is set.
// Paths are relative to the description's directory unless absolute.
type SecretRef struct {
	// Env is the name of an environment variable.
	Env string `json:",omitempty"`
	// File is a file that holds the secret in the clear.
	File string `json:",omitempty"`
	// Age is a file encrypted with age.
	Age *EncryptedFile `json:",omitempty"`
	// SOPS is a file encrypted with SOPS.
	SOPS *EncryptedFile `json:",omitempty"`
	// Kubernetes is a key of a Secret in one of the network's clusters.
	Kubernetes *SecretKey `json:",omitempty"`
	// Command is a program and its arguments, run without a shell.
	Command []string `json:",omitempty"`
}

// String gives the same text for the same reference, to compare and to show.
func (r SecretRef) String() string {
	text, err := json.Marshal(r)
	if err != nil { // strings always marshal
		panic(fmt.Errorf("secret reference: %w", err))
	}
	return string(text)
}

// EncryptedFile is an encrypted file and, where Key is set, one text inside it.
type EncryptedFile struct{ File, Key string }

// SecretKey is one key of the Secret Name.
type SecretKey struct {
	Cluster   ClusterName
	Namespace string
	Name      string
	Key       string
}

// Level is how a policy rule is enforced.
type Level string

const (
	// LevelWarn reports and goes on.
	LevelWarn Level = "warn"
	// LevelError refuses the description.
	LevelError Level = "error"
)

// Policy is what the description demands of itself.
type Policy struct {
	// UnreachableSites says what a site is that no path reaches: LevelWarn
	// (default) or LevelError.
	UnreachableSites Level
	// Deletes bounds what one plan may delete without being told to.
	Deletes DeleteLimits
	// Clean refuses a work tree with uncommitted changes.
	Clean   bool
	CleanAt diag.Position
	// Signers are files, relative to the description, with the keys of those who may
	// sign its commits: armoured OpenPGP keys, or an allowed signers file of SSH keys.
	// Without any, commits need no signature.
	Signers   []string
	SignersAt diag.Position
	// PlanExpiry is how long a saved plan may be applied, as a Go duration; empty
	// means DefaultPlanExpiry.
	PlanExpiry string
	// Ignore are rules for what may differ on the clusters, in their order.
	Ignore []Ignore `json:",omitempty"`
}

// DefaultPolicy is the policy of a description that declares none.
func DefaultPolicy() Policy { return Policy{UnreachableSites: LevelWarn, Deletes: DefaultDeletes} }

// DefaultPlanExpiry is how long a saved plan may be applied when nothing is declared.
const DefaultPlanExpiry = "72h"

// DeleteLimits are how many sites, links and objects of overlays one plan may delete,
// and what share of them in percent: of the whole network, and of one cluster's. The
// share lets at least one site, two links and two objects go, so that small networks
// can be changed.
type DeleteLimits struct {
	Sites   int
	Links   int
	Objects int `json:",omitempty"`
	Percent int
}

// Stricter gives of each limit the lower one.
func (d DeleteLimits) Stricter(other DeleteLimits) DeleteLimits {
	return DeleteLimits{
		Sites: min(d.Sites, other.Sites), Links: min(d.Links, other.Links),
		Objects: min(d.Objects, other.Objects), Percent: min(d.Percent, other.Percent),
	}
}

// DefaultDeletes are the limits when nothing is declared.
var DefaultDeletes = DeleteLimits{Sites: 10, Links: 50, Objects: 50, Percent: 30}
