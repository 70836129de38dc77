package plan

import (
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Desired is the network as it should be, in the shape that is compared. It is
// made by package plan/desired, from a description or from what was last applied.
type Desired struct {
	Network string
	// Clusters are all clusters that the description names, sorted.
	Clusters []network.ClusterName
	// UIDs are those of the clusters that the description pins.
	UIDs map[network.ClusterName]string
	// Sites and Links are sorted by name.
	Sites []DesiredSite
	Links []DesiredLink
	// Proxies are those that links use, sorted by name.
	Proxies []DesiredProxy
	// Objects are what overlays add, sorted by site and key.
	Objects []DesiredObject
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
	// ProxySecret is the Secret that the link was last applied with; empty in what a
	// description asks for.
	ProxySecret string
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
	// Site and Secret say for whose links, and in which Secret, these settings were last
	// applied; both are empty for those of a description.
	Site   network.SiteName
	Secret string
	Host   string
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

// DesiredObject is one object that a site's overlay adds, in the site's namespace.
type DesiredObject struct {
	Site      network.SiteName
	Cluster   network.ClusterName
	Namespace string
	// APIVersion is group and version as in a manifest: "v1", "apps/v1".
	APIVersion string
	Kind       ObjectKind
	Name       string
	// Fields are the owned fields by path, see Flatten.
	Fields map[string]any
	// Manifest is the object as sent, without Fairlead's own labels; nil when only
	// Fields are known, as of what was last applied.
	Manifest map[string]any
	// DeclaredAt is where the overlay is named in the description.
	DeclaredAt diag.Position
	// Source is the file of the tree that the object comes from, as the user would
	// write its path; empty when kustomize does not tell.
	Source string
}

// Key identifies the object in its namespace, whatever the version of its API:
// "Deployment.apps/web", "ConfigMap/web".
func (o DesiredObject) Key() string { return ObjectKey(o.APIVersion, o.Kind, o.Name) }

// ObjectKey identifies an object in its namespace by group, kind and name.
func ObjectKey(apiVersion string, kind ObjectKind, name string) string {
	return GroupKind(apiVersion, kind) + "/" + name
}

// GroupKind names a kind as kubectl does: "Deployment.apps", "ConfigMap".
func GroupKind(apiVersion string, kind ObjectKind) string {
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		return string(kind)
	}
	return string(kind) + "." + group
}

// Place is where the site is to be.
func (s DesiredSite) Place() Place { return PlaceOf(s.Cluster, s.Namespace) }

// Place is where the object is to be.
func (o DesiredObject) Place() Place { return PlaceOf(o.Cluster, o.Namespace) }
