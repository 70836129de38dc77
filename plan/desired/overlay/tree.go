package overlay

import (
	"path"

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
// CLUSTER/NAMESPACE/FILE. Building CLUSTER gives the cluster's manifests.
func Tree(manifests []desired.Manifest) (map[string][]byte, error) {
	out, resources := map[string][]byte{}, map[string][]string{}
	for _, m := range manifests {
		text, err := YAML([]desired.Manifest{m})
		if err != nil {
			return nil, err
		}
		file := path.Join(m.Namespace, m.File)
		out[path.Join(string(m.Cluster), file)] = text
		resources[string(m.Cluster)] = append(resources[string(m.Cluster)], file)
	}
	for cluster, files := range resources {
		text, err := kustomizationOf(files)
		if err != nil {
			return nil, err
		}
		out[path.Join(cluster, generatedFile)] = text
	}
	return out, nil
}
