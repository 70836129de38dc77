package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// An emptied kustomization deletes no more than the limits, and the change that empties it
// cannot raise them: a raised limit holds once it is applied.
func TestChangeDoesNotRaiseItsLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.railed = true
	w.describe([]site{{"spoke", 1, `overlay: "shop"`}}, nil)
	var maps strings.Builder
	const count = 6
	for i := range count {
		fmt.Fprintf(&maps, "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: m%d}}\n", i)
	}
	const limits = "package test\npolicy: deletes: {sites: 10, links: 10, objects: %d, percent: %d}\n"
	full, empty := "resources: [maps.yaml]\n", "resources: []\nnamePrefix: \"\"\n"
	w.file("shop/maps.yaml", maps.String())
	w.file("shop/kustomization.yaml", full)
	w.file("policy.cue", fmt.Sprintf(limits, 3, 50))
	w.must(0, "apply", "--yes")

	t.Log("raised together with the deletion")
	w.file("policy.cue", fmt.Sprintf(limits, count, 100))
	w.file("shop/kustomization.yaml", empty)
	for _, command := range []string{"plan", "apply"} {
		w.shows(w.must(6, command), "6 of 6 objects would be deleted, and 3 may go", "holds once it is applied", "deletes.objects:6@")
	}

	t.Log("raised before")
	w.file("shop/kustomization.yaml", full)
	w.must(0, "apply", "--yes")
	w.file("shop/kustomization.yaml", empty)
	w.must(0, "apply", "--yes")
	if left := w.list(1, w.ns("spoke"), "configmaps", w.owned()); len(left) > 1 { // the inventory stays
		t.Errorf("%d ConfigMaps are left", len(left))
	}

	t.Log("lowered by the change")
	w.file("shop/kustomization.yaml", full)
	w.must(0, "apply", "--yes")
	w.file("policy.cue", fmt.Sprintf(limits, 3, 50))
	w.file("shop/kustomization.yaml", empty)
	w.shows(w.must(6, "plan"), "6 of 6 objects would be deleted, and 3 may go")
}
