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
}

// DesiredSite is one Site object.
type DesiredSite struct {
	Name      network.SiteName
	Cluster   network.ClusterName
	Namespace string
	// Fields are the owned fields by path, see SiteView.Fields.
	Fields     map[string]any
	Protect    bool
	Listens    bool
	DeclaredAt diag.Position
}

// DesiredLink is one link between two desired sites.
type DesiredLink struct {
	Name       network.LinkName
	From, To   network.SiteName
	Cost       int32
	Via        network.Via
	Proxy      network.ProxyName
	DeclaredAt diag.Position
	CostAt     diag.Position
}
