package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/schema/network"
)

// InventoryFormat names the version of the inventory's JSON.
const InventoryFormat = "fairlead.inventory/v1"

// InventoryKey is the key of the ConfigMap's data that holds the JSON.
const InventoryKey = "inventory.json"

// Inventory is what Fairlead last applied to one site, kept in a ConfigMap of the
// site's namespace and written before the first write of an apply. It is how
// pending and drift are told apart, and how an interrupted apply is finished.
type Inventory struct {
	Format  string           `json:"format"`
	Network string           `json:"network"`
	Site    network.SiteName `json:"site"`
	// Object is the name of the Site on the cluster; empty when it is Site.
	Object  string `json:"object,omitempty"`
	Commit  string `json:"commit"`
	Protect bool   `json:"protect"`
	// UID is the Site's that was written; empty while none was.
	UID string `json:"uid,omitempty"`
	// Fields are the Site's owned fields as last applied.
	Fields map[string]any `json:"fields"`
	// Unwritten are the paths of Fields whose values were to be changed and are not known
	// to be written, sorted; EveryPath where nothing was recorded before.
	Unwritten []string `json:"unwritten,omitempty"`
	// Links are the links that this site connects, and retired ones.
	Links map[network.LinkName]InventoryLink `json:"links"`
	// Proxies are the proxies of this site's links; entries stay, for their numbers.
	Proxies map[network.ProxyName]InventoryProxy `json:"proxies,omitempty"`
	// Objects are those of the site's overlays, by key (see ObjectKey). They are
	// never Secrets.
	Objects map[string]InventoryObject `json:"objects,omitempty"`
}

// InventoryObject is one object of an overlay as last applied.
type InventoryObject struct {
	APIVersion string     `json:"apiVersion"`
	Kind       ObjectKind `json:"kind"`
	Name       string     `json:"name"`
	// UID is the object's that was written; empty while none was.
	UID string `json:"uid,omitempty"`
	// Fields are the owned fields by path, as sent. A null marks a field that was
	// owned and is dropped, until the object is written.
	Fields map[string]any `json:"fields"`
	// Stored are those of Fields that the API server keeps in another form, as it
	// keeps them: normalised quantities, or null for what it does not keep.
	Stored map[string]any `json:"stored,omitempty"`
	// Unwritten is as in Inventory.
	Unwritten []string `json:"unwritten,omitempty"`
}

// EveryPath stands for all paths of a thing.
const EveryPath = "*"

// Unwritten gives the paths that are not known to be written once the fields that were
// recorded become others, sorted: those that were not before, and those that change.
func Unwritten(before []string, recorded, next map[string]any) []string {
	if recorded == nil || slices.Contains(before, EveryPath) {
		return []string{EveryPath}
	}
	out := slices.Clone(before)
	for _, f := range diffBy(exactly, next, recorded, recorded) {
		out = append(out, f.Path)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// LinkState says how far a link of the inventory is.
type LinkState string

const (
	// LinkUnderWay marks a link whose Link is not known to be operational yet.
	LinkUnderWay LinkState = "under-way"
	// LinkApplied marks a link that was brought up as recorded.
	LinkApplied LinkState = "applied"
	// LinkRetired marks a deleted link. It is kept for its attempt number: a name
	// that was used once is never used again while the Site lives.
	LinkRetired LinkState = "retired"
)

// InventoryLink is one link as last applied, or as being applied.
type InventoryLink struct {
	State LinkState        `json:"state"`
	To    network.SiteName `json:"to"`
	// ToCluster and ToNamespace are where the grant was made.
	ToCluster   network.ClusterName `json:"toCluster"`
	ToNamespace string              `json:"toNamespace"`
	// ToUID is the listening Site's UID: a Site with another UID has another CA.
	ToUID string `json:"toUID"`
	Cost  int32  `json:"cost"`
	// Attempt is the highest that was used.
	Attempt int `json:"attempt"`
	// Objects are the names of the Links that were taken over.
	Objects []string `json:"objects"`
	// Adopted marks Links that were made by hand: their endpoints are their own.
	Adopted bool `json:"adopted,omitempty"`
	// Via is how it got its credentials; empty means by token.
	Via network.Via `json:"via,omitempty"`
	// Rotation is the one that was declared.
	Rotation int32 `json:"rotation,omitempty"`
	// Proxy and ProxySecret are the proxy and the Secret that its Links name.
	Proxy       network.ProxyName `json:"proxy,omitempty"`
	ProxySecret string            `json:"proxySecret,omitempty"`
}

// InventoryProxy is a proxy as its Secret was last written for one site.
type InventoryProxy struct {
	// Revision is the highest number that was used in a Secret's name.
	Revision int    `json:"revision"`
	Host     string `json:"host"`
	Port     string `json:"port"`
	// References tell where the credentials came from.
	References string `json:"references"`
}

// DecodeInventory reads an inventory's JSON. A newer or unknown format is an error.
func DecodeInventory(data string) (Inventory, error) {
	var inv Inventory
	if err := json.Unmarshal([]byte(data), &inv); err != nil {
		return Inventory{}, fmt.Errorf("inventory: %w", err)
	}
	if inv.Format != InventoryFormat {
		return Inventory{}, fmt.Errorf("inventory: format %q is not %q; a newer Fairlead may have written it", inv.Format, InventoryFormat)
	}
	if inv.Links == nil {
		inv.Links = map[network.LinkName]InventoryLink{}
	}
	return inv, nil
}

// Encode gives the inventory's JSON, the same bytes for the same content.
func (inv Inventory) Encode() (string, error) {
	inv.Format = InventoryFormat
	data, err := json.MarshalIndent(inv, "", " ")
	if err != nil {
		return "", fmt.Errorf("inventory: %w", err)
	}
	return string(data), nil
}
