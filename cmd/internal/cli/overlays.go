package cli

import (
	"io/fs"

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
