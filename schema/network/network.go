// Package network is the typed model of a described Skupper network: clusters,
// sites, links, proxies and policy, as the user declared them. It holds values
// only; it knows nothing of CUE or Kubernetes, and of secrets it holds references.
package network

import "fairlead.dev/fairlead/schema/diag"

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
	DeclaredAt diag.Position
}

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
	// Settings are the Site's advanced settings; never nil.
	Settings   map[string]string
	DeclaredAt diag.Position
}

// Listens reports whether the site accepts links.
func (s Site) Listens() bool { return s.LinkAccess != "" && s.LinkAccess != "none" }

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
	Proxy      ProxyName
	DeclaredAt diag.Position
	// CostAt is where the cost stands, DeclaredAt when it is the default.
	CostAt diag.Position
}

// Proxy is an HTTP CONNECT proxy. Username and Password are nil for an anonymous one.
type Proxy struct {
	Name       ProxyName
	Host       string
	Port       int
	Username   *SecretRef
	Password   *SecretRef
	DeclaredAt diag.Position
}

// SecretRef says where a secret is, never what it is. Exactly one field is set.
type SecretRef struct {
	// Env is the name of an environment variable.
	Env string
	// File is a path, relative to the description's directory unless absolute.
	File string
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
}
