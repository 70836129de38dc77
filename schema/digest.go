package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// digest is the identity of what a description says, wherever it says it.
func digest(n network.Network) string {
	// Every build gives a description without this limit the same digest.
	n.Policy.Deletes.Objects -= network.DefaultDeletes.Objects
	n.DeclaredAt, n.OverlayAt = diag.Position{}, diag.Position{}
	n.Policy.CleanAt, n.Policy.SignersAt = diag.Position{}, diag.Position{}
	n.Policy.Ignore = slices.Clone(n.Policy.Ignore)
	for i := range n.Policy.Ignore {
		n.Policy.Ignore[i].DeclaredAt = diag.Position{}
	}
	n.Clusters, n.Sites = slices.Clone(n.Clusters), slices.Clone(n.Sites)
	n.Links, n.Proxies = slices.Clone(n.Links), slices.Clone(n.Proxies)
	for i := range n.Clusters {
		n.Clusters[i].DeclaredAt = diag.Position{}
	}
	for i := range n.Sites {
		n.Sites[i].DeclaredAt, n.Sites[i].OverlayAt = diag.Position{}, diag.Position{}
	}
	for i := range n.Links {
		n.Links[i].DeclaredAt, n.Links[i].CostAt = diag.Position{}, diag.Position{}
	}
	for i := range n.Proxies {
		n.Proxies[i].DeclaredAt = diag.Position{}
	}
	text, err := json.Marshal(n)
	if err != nil { // strings, numbers and bools always marshal
		panic(fmt.Errorf("digest: %w", err))
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}
