package plan

import (
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Desired is the network as it should be, in the shape that is compared. It is
// made by package plan/desired, from a description or from what was last applied.
type Desired struct {
	Network string
	// Clusters are all clusters that the description names, sorted.
	Clusters []network.ClusterName
	// Sites and Links are sorted by name.
	Sites []DesiredSite
	Links []DesiredLink
	// Proxies are those that links use, sorted by name.
	Proxies []DesiredProxy
}

// DesiredSite is one Site object.
type DesiredSite struct {
	Name      network.SiteName
	Cluster   network.ClusterName
	Namespace string
	// Fields are the owned fields by path, see SiteView.Fields.
	Fields  map[string]any
	Protect bool
	Listens bool
	// Object is the name of the Site on the cluster.
	Object     string
	DeclaredAt diag.Position
}

// DesiredLink is one link between two desired sites.
type DesiredLink struct {
	Name     network.LinkName
	From, To network.SiteName
	Cost     int32
	Via      network.Via
	Proxy    network.ProxyName
	// Rotation is raised to re-key the link.
	Rotation int32
	// Object names the Link that may be adopted as this link.
	Object     string
	DeclaredAt diag.Position
	CostAt     diag.Position
}

// DesiredProxy is an HTTP CONNECT proxy. What it says of secrets is only good for
// comparing within one run.
type DesiredProxy struct {
	Name network.ProxyName
	Host string
	// Port is a number from 1 to 65535, as text.
	Port string
	// References tell where the credentials come from, never what they are.
	References string
	// Digest is a keyed digest of the credentials, see ProxyView.Digest.
	Digest string
	// Unknown says why the credentials cannot be told here; empty when Digest is
	// good.
	Unknown    string
	DeclaredAt diag.Position
}
