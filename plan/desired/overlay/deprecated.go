package overlay

//lint:file-ignore SA1019 kustomizations with deprecated fields are read too

import (
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
)

// allPatches are a kustomization's patches under today's and yesterday's name.
func allPatches(k types.Kustomization) []types.Patch {
	return slices.Concat(k.Patches, k.PatchesJson6902)
}

// modern writes deprecated fields as those that took their place, where that means
// the same: kustomize complains about them on the process's standard error, once for
// every site. Patches of RFC 6902 under their old name run later than others, and vars
// have no equal; both stay.
func modern(k types.Kustomization) types.Kustomization {
	if len(k.CommonLabels) > 0 {
		k.Labels = append(slices.Clone(k.Labels), types.Label{Pairs: k.CommonLabels, IncludeSelectors: true})
		k.CommonLabels = nil
	}
	var patches []types.Patch
	for _, p := range k.PatchesStrategicMerge {
		if inlinePatch(string(p)) {
			patches = append(patches, types.Patch{Patch: string(p)})
		} else {
			patches = append(patches, types.Patch{Path: string(p)})
		}
	}
	k.Patches, k.PatchesStrategicMerge = append(patches, k.Patches...), nil
	return k
}

// mergesOf counts the patches that modern puts before all others.
func mergesOf(k types.Kustomization) int { return len(k.PatchesStrategicMerge) }

// inlinePatch tells a patch from the path of a file that has one.
func inlinePatch(text string) bool { return strings.ContainsAny(text, "\n{") }
