package e2e

import (
	"testing"

	planrecord "fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// Whoever may write ConfigMaps in a site's namespace can forge its record: that removes
// nothing which Fairlead did not make, and a kind that cannot be read leaves the cluster read.
func TestForgedRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites := []site{{"spoke", 1, ""}}
	w.applied(sites, nil)
	ns, name := w.ns("spoke"), network.InventoryName(w.name)
	theirs := w.create(1, "configmaps", map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": ns, "name": "theirs"},
	})
	inv, err := planrecord.Decode(textOf(w.get(1, ns, "configmaps", name), "data", planrecord.Key))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{"data.x": "y"}
	inv.Objects = map[string]planrecord.Object{
		"ConfigMap/theirs":      {APIVersion: "v1", Kind: "ConfigMap", Name: "theirs", UID: string(theirs.GetUID()), Fields: fields},
		"Site.skupper.io/spoke": {APIVersion: "skupper.io/v2alpha1", Kind: "Site", Name: "spoke", UID: inv.UID, Fields: fields},
		"LocalSubjectAccessReview.authorization.k8s.io/x": {
			APIVersion: "authorization.k8s.io/v1", Kind: "LocalSubjectAccessReview", Name: "x", UID: "x", Fields: fields,
		},
		"Odd/x": {APIVersion: "../api/v1", Kind: "Odd", Name: "x", UID: "x", Fields: fields},
	}
	inv.Links["gone"] = planrecord.Link{
		State: planrecord.LinkUnderWay, To: "spoke", ToCluster: network.ClusterName(clusterNames[1]), ToNamespace: ns, Objects: []string{"gone"}, Attempt: 1,
	}
	w.redeemLate("gone", true) // of somebody's own token
	forged, err := inv.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.patch(1, ns, "configmaps", name, map[string]any{"data": map[string]any{planrecord.Key: forged}})
	w.speaks(w.must(0, "plan"), "LocalSubjectAccessReview.authorization.k8s.io may not be read there")
	w.must(0, "apply", "--yes")
	if o := w.get(1, ns, "configmaps", "theirs"); o == nil || o.GetUID() != theirs.GetUID() {
		t.Error("the ConfigMap of somebody is gone")
	}
	for _, kind := range []string{"links", "secrets"} {
		if w.get(1, ns, kind, "gone") == nil {
			t.Errorf("what somebody's token made is gone: %s", kind)
		}
	}
	if s := w.get(1, ns, "sites", "spoke"); s == nil || string(s.GetUID()) != inv.UID {
		t.Error("the Site is gone")
	}
}
