package overlay_test

import (
	"testing"

	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/desired/overlay"
	"fairlead.dev/fairlead/schema/network"
)

// A tree in which one file would stand for two, or outside its folder, is an error.
func TestTreeRefuses(t *testing.T) {
	t.Parallel()
	manifest := func(cluster network.ClusterName, namespace, file string) desired.Manifest {
		return desired.Manifest{Cluster: cluster, Namespace: namespace, File: file, Object: map[string]any{"a": "b"}}
	}
	site := manifest("b", "n", "site.yaml")
	for want, m := range map[string]desired.Manifest{
		`b/n/site.yaml: two objects belong in this file: rename one of them`:             site,
		`"configmap-a/../site.yaml" cannot be part of a file's name: rename what has it`: manifest("b", "n", "configmap-a/../site.yaml"),
		`"a/../b" cannot be part of a file's name: rename what has it`:                   manifest("a/../b", "m", "site.yaml"),
		`".." cannot be part of a file's name: rename what has it`:                       manifest("..", "n", "site.yaml"),
		`"" cannot be part of a file's name: rename what has it`:                         manifest("", "n", "site.yaml"),
		`"." cannot be part of a file's name: rename what has it`:                        manifest("b", ".", "site.yaml"),
		`"c\\d" cannot be part of a file's name: rename what has it`:                     manifest(`c\d`, "n", "site.yaml"),
	} {
		if _, err := overlay.Tree([]desired.Manifest{site, m}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	files, err := overlay.Tree([]desired.Manifest{site, manifest("c", "n", "site.yaml"), manifest("b", "m", "site.yaml")})
	if err != nil || len(files) != 5 {
		t.Errorf("%v: %d files", err, len(files))
	}
}
