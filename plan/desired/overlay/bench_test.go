package overlay_test

import (
	"fmt"
	"testing"

	"fairlead.dev/fairlead/schema/network"
)

// BenchmarkRun runs the network's overlay for 100 sites.
func BenchmarkRun(b *testing.B) {
	n := shops("all")
	n.Sites, n.Links = nil, nil
	for i := range 100 {
		name := fmt.Sprintf("shop%d", i)
		n.Sites = append(n.Sites, network.Site{Name: network.SiteName(name), Cluster: "c", Namespace: name})
	}
	files := map[string]string{
		"net/all/kustomization.yaml": "resources: [listener.yaml]\nlabels: [{pairs: {team: net}}]", "net/all/listener.yaml": listener,
	}
	for b.Loop() {
		if _, findings := run(files, n); len(findings) > 0 {
			b.Fatal(findings)
		}
	}
}
