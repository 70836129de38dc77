package desired

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// Manifest is one static object as apply writes it, with Fairlead's labels, but
// without the annotations of the commit and of what was last applied.
type Manifest struct {
	Cluster   network.ClusterName
	Namespace string
	Site      network.SiteName
	// File is a name for the object's file, unique in its namespace: "site.yaml",
	// "listener.skupper.io-backend.yaml".
	File   string
	Object map[string]any
}

// Manifests gives the Sites and the objects of overlays, sorted by cluster,
// namespace and file, each Site before its objects. What is made during an apply
// (grants, tokens, Links, Secrets) is not among them.
func Manifests(n network.Network, d plan.Desired) []Manifest {
	names := map[network.SiteName]string{}
	for _, s := range n.Sites {
		names[s.Name] = s.Object
	}
	var out []Manifest
	for _, s := range d.Sites {
		out = append(out, siteManifest(n.Name, s, cmp.Or(names[s.Name], string(s.Name))))
	}
	for _, o := range d.Objects {
		out = append(out, objectManifest(n.Name, o))
	}
	slices.SortFunc(out, func(a, b Manifest) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Namespace, b.Namespace),
			cmp.Compare(rank(a), rank(b)), cmp.Compare(a.File, b.File))
	})
	return out
}

const siteFile = "site.yaml"

func rank(m Manifest) int {
	if m.File == siteFile {
		return 0
	}
	return 1
}

func siteManifest(net string, s plan.DesiredSite, name string) Manifest {
	spec, labels, annotations := field.SiteManifest(s.Fields)
	maps.Copy(labels, map[string]string{
		plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: net, plan.LabelSite: string(s.Name),
	})
	meta := map[string]any{"name": name, "namespace": s.Namespace, "labels": anyMap(labels)}
	if len(annotations) > 0 {
		meta["annotations"] = anyMap(annotations)
	}
	return Manifest{
		Cluster: s.Cluster, Namespace: s.Namespace, Site: s.Name, File: siteFile,
		Object: map[string]any{
			"apiVersion": "skupper.io/v2alpha1", "kind": string(plan.ObjectSite), "metadata": meta, "spec": spec,
		},
	}
}

func objectManifest(net string, o plan.DesiredObject) Manifest {
	object := maps.Clone(o.Manifest)
	given, _ := object["metadata"].(map[string]any)
	meta := maps.Clone(given)
	labels, _ := meta["labels"].(map[string]any)
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]any{}
	}
	maps.Copy(labels, map[string]any{
		plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: net,
		plan.LabelSite: string(o.Site), plan.LabelObject: world.OverlayObject,
	})
	meta["labels"], object["metadata"] = labels, meta
	return Manifest{
		Cluster: o.Cluster, Namespace: o.Namespace, Site: o.Site, Object: object,
		File: strings.ToLower(plan.GroupKind(o.APIVersion, o.Kind)) + "-" + o.Name + ".yaml",
	}
}

func anyMap(m map[string]string) map[string]any {
	out := map[string]any{}
	for key, v := range m {
		out[key] = v
	}
	return out
}
