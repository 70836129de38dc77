package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/desired/overlay"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/schema/revision"
)

// overlaid gives the desired objects of a description with its overlays, which are read
// through files, and whose mistakes are added to its findings. Every command gets its
// objects here. With errors there are none, and the network is emptied as schema.Load
// does.
func (o *common) overlaid(tree revision.Tree, files fs.FS, res *schema.Result) plan.Desired {
	if res.Findings.HasErrors() {
		return plan.Desired{}
	}
	d, findings := overlay.Run(overlay.Source{FS: files, Dir: tree.Dir, Display: o.display(tree)},
		res.Network, desired.Build(res.Network))
	res.Findings = append(res.Findings, findings...).Sorted()
	if res.Findings.HasErrors() {
		res.Network, res.Digest = network.Network{}, ""
		return plan.Desired{}
	}
	return d
}

// digestWith is the digest of a description with what its overlays make of it: a plan
// that was saved before they changed is one of another description. Without overlays
// the description's own says it all.
func digestWith(digest string, n network.Network, d plan.Desired) string {
	overlaid := func(s network.Site) bool { return s.Overlay != "" }
	if n.Overlay == "" && !slices.ContainsFunc(n.Sites, overlaid) {
		return digest
	}
	type made struct {
		Sites   map[network.SiteName]map[string]any
		Objects map[string]map[string]any
	}
	all := made{map[network.SiteName]map[string]any{}, map[string]map[string]any{}}
	for _, s := range d.Sites {
		all.Sites[s.Name] = s.Fields
	}
	for _, o := range d.Objects {
		all.Objects[string(o.Site)+" "+o.Key()] = o.Manifest
	}
	data, err := json.Marshal(all)
	if err != nil { // manifests were read from YAML, and fields are strings, booleans and numbers
		panic(fmt.Sprintf("digest of overlays: %v", err))
	}
	sum := sha256.Sum256(append([]byte(digest), data...))
	return "sha256:" + hex.EncodeToString(sum[:])
}
