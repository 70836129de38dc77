package overlay

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan/desired"
)

// YAML writes manifests as one stream of documents, keys sorted.
func YAML(manifests []desired.Manifest) ([]byte, error) {
	objects := make([]map[string]any, 0, len(manifests))
	for _, m := range manifests {
		objects = append(objects, m.Object)
	}
	return multiDocument(objects)
}

// Tree gives the files of one kustomization for each cluster, by slash path: for
// each cluster CLUSTER/kustomization.yaml, and each object in
// CLUSTER/NAMESPACE/FILE. Building CLUSTER gives the cluster's manifests. A name that
// is no single element of a path, and two objects for one file, are errors.
func Tree(manifests []desired.Manifest) (map[string][]byte, error) {
	out, resources := map[string][]byte{}, map[string][]string{}
	for _, m := range manifests {
		text, err := YAML([]desired.Manifest{m})
		if err != nil {
			return nil, err
		}
		if err := add(out, text, string(m.Cluster), m.Namespace, m.File); err != nil {
			return nil, err
		}
		resources[string(m.Cluster)] = append(resources[string(m.Cluster)], path.Join(m.Namespace, m.File))
	}
	for _, cluster := range slices.Sorted(maps.Keys(resources)) {
		text, err := kustomizationOf(resources[cluster])
		if err != nil {
			return nil, err
		}
		if err := add(out, text, cluster, generatedFile); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// add puts a file into a tree, under the elements of its path.
func add(files map[string][]byte, text []byte, elements ...string) error {
	name := path.Join(elements...)
	for _, e := range elements {
		if e == "" || e == "." || e == ".." || strings.ContainsAny(e, "/\\") {
			return fmt.Errorf("%q cannot be part of a file's name: rename what has it", e)
		}
	}
	if _, taken := files[name]; taken {
		return fmt.Errorf("%s: two objects belong in this file: rename one of them", name)
	}
	files[name] = text
	return nil
}
