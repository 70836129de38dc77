package bench

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// object is something to create on a cluster.
type object struct {
	cluster int
	// kind is the resource's name in the API, as in "sites".
	kind string
	body map[string]any
}

func resource(kind string) schema.GroupVersionResource {
	switch kind {
	case "namespaces", "secrets", "configmaps":
		return schema.GroupVersionResource{Version: "v1", Resource: kind}
	}
	return schema.GroupVersionResource{Group: "skupper.io", Version: "v2alpha1", Resource: kind}
}

// objects are what an apply of the network would have made, inventories apart, in
// an order in which they can be created. The Links point nowhere: for comparing
// they need not carry traffic.
func (s shape) objects() []object {
	var namespaces, sites, links []object
	cluster := map[string]int{}
	for _, v := range s.sites {
		cluster[v.name] = v.cluster
		namespaces = append(namespaces, object{v.cluster, "namespaces", body("v1", "Namespace", "", s.namespace(v.name), nil)})
		sites = append(sites, object{v.cluster, "sites", s.owned("Site", v.name, v.name, plan.LabelSite, siteSpec(v))})
	}
	for _, l := range s.links {
		secret := body("v1", "Secret", s.namespace(l.from), l.name, s.labels(plan.LabelLink, l.name))
		links = append(links, object{cluster[l.from], "secrets", secret},
			object{cluster[l.from], "links", s.owned("Link", l.from, l.name, plan.LabelLink, linkSpec(l))})
	}
	return append(append(namespaces, sites...), links...)
}

func body(version, kind, namespace, name string, labels map[string]any) map[string]any {
	metadata := map[string]any{"name": name}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	if labels != nil {
		metadata["labels"] = labels
	}
	return map[string]any{"apiVersion": version, "kind": kind, "metadata": metadata}
}

func (s shape) labels(kind, name string) map[string]any {
	return map[string]any{plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: s.name, kind: name}
}

func (s shape) owned(kind, site, name, label string, spec map[string]any) map[string]any {
	o := body("skupper.io/v2alpha1", kind, s.namespace(site), name, s.labels(label, name))
	o["spec"] = spec
	return o
}

func siteSpec(v siteOf) map[string]any {
	access := "none"
	if v.listens {
		access = "default"
	}
	return map[string]any{"linkAccess": access, "ha": false, "edge": false}
}

func linkSpec(l linkOf) map[string]any {
	return map[string]any{
		"cost": int64(l.cost), "tlsCredentials": l.name,
		// None: a Link that leads where its site does not listen would be replaced.
		"endpoints": []any{},
	}
}

// populate puts the network on the clusters as if it had been applied.
func (b *bench) populate(s shape) {
	b.Helper()
	uids := map[string]string{}
	all := s.objects()
	for _, kinds := range [][]string{{"namespaces"}, {"sites"}, {"secrets"}, {"links"}} {
		made := b.create(pick(all, kinds[0]))
		for _, u := range made {
			if kinds[0] == "sites" {
				uids[u.GetName()] = string(u.GetUID())
			}
		}
	}
	b.create(b.inventories(s, uids))
	fmt.Printf("\nOn the clusters: %d Sites, %d Links with their Secrets and inventories.\n", len(s.sites), len(s.links))
}

func pick(all []object, kind string) (out []object) {
	for _, o := range all {
		if o.kind == kind {
			out = append(out, o)
		}
	}
	return out
}

// create creates objects, thirty-two at a time; the result has the same order.
func (b *bench) create(objects []object) []*unstructured.Unstructured {
	b.Helper()
	out := make([]*unstructured.Unstructured, len(objects))
	g, ctx := errgroup.WithContext(context.Background())
	g.SetLimit(32)
	for i, o := range objects {
		g.Go(func() (err error) {
			u := &unstructured.Unstructured{Object: o.body}
			client := b.clients[o.cluster].Resource(resource(o.kind)).Namespace(u.GetNamespace())
			out[i], err = client.Create(ctx, u, metav1.CreateOptions{FieldManager: plan.ManagedBy})
			return err
		})
	}
	b.must(g.Wait())
	return out
}

// inventories are what an apply would have recorded, one for each site.
func (b *bench) inventories(s shape, uids map[string]string) []object {
	b.Helper()
	links := map[string]map[network.LinkName]record.Link{}
	for _, l := range s.links {
		if links[l.from] == nil {
			links[l.from] = map[network.LinkName]record.Link{}
		}
		links[l.from][network.LinkName(l.name)] = record.Link{
			State: record.LinkApplied, To: network.SiteName(l.to), ToCluster: "c0", ToNamespace: s.namespace(l.to),
			ToUID: uids[l.to], Cost: int32(l.cost), Attempt: 1, Objects: []string{l.name},
		}
	}
	var out []object
	for _, v := range s.sites {
		text, err := record.Inventory{Network: s.name, Site: network.SiteName(v.name), Fields: siteSpec(v), Links: links[v.name]}.Encode()
		b.must(err)
		o := body("v1", "ConfigMap", s.namespace(v.name), network.InventoryName(s.name), s.labels(plan.LabelSite, v.name))
		o["data"] = map[string]any{record.Key: text}
		out = append(out, object{v.cluster, "configmaps", o})
	}
	return out
}
