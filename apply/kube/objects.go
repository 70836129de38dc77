package kube

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"golang.org/x/sync/errgroup"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
)

// extraKinds remembers what the cluster says of the kinds of overlays' objects. One
// request tells of all kinds of a group's version.
type extraKinds struct {
	client rest.Interface
	mu     sync.Mutex
	// groups has the answered group versions, known the kinds that they have.
	groups map[string]bool
	known  map[extraKind]extraResource
}

// extraKind is a kind as a manifest names it.
type extraKind struct {
	apiVersion string
	kind       plan.ObjectKind
}

// extraResource is where the API server serves a kind.
type extraResource struct {
	resource schema.GroupVersionResource
	scope    plan.Scope
}

// learn asks for the kinds of a group's version, once. A version that the cluster
// does not have is no error: its kinds stay unknown.
func (e *extraKinds) learn(ctx context.Context, apiVersion string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.groups[apiVersion] {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	base := "/apis/"
	if !strings.Contains(apiVersion, "/") {
		base = "/api/"
	}
	list := &metav1.APIResourceList{}
	err := e.client.Get().AbsPath(base + apiVersion).Do(ctx).Into(list)
	if err != nil && classOf(err) != apply.ErrNotFound {
		return &apiError{text: fmt.Sprintf("list the kinds of %s: %v", apiVersion, err), class: classOf(err), cause: err}
	}
	if e.groups == nil {
		e.groups, e.known = map[string]bool{}, map[extraKind]extraResource{}
	}
	e.groups[apiVersion] = true
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		return nil // no kind of such a version can be there
	}
	for _, r := range list.APIResources {
		if strings.Contains(r.Name, "/") { // a subresource
			continue
		}
		found := extraResource{resource: gv.WithResource(r.Name), scope: plan.ScopeCluster}
		if r.Namespaced {
			found.scope = plan.ScopeNamespace
		}
		e.known[extraKind{apiVersion, plan.ObjectKind(r.Kind)}] = found
	}
	return nil
}

// lookup gives a learned kind; scope none when the cluster does not have it.
func (e *extraKinds) lookup(k extraKind) extraResource {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, ok := e.known[k]
	if !ok {
		found.scope = plan.ScopeNone
	}
	return found
}

// find learns the kind of a reference to an overlay's object; for any other
// reference it does nothing.
func (c *Cluster) find(ctx context.Context, ref plan.ObjectRef) error {
	if ref.APIVersion == "" {
		return nil
	}
	if err := c.extra.learn(ctx, ref.APIVersion); err != nil {
		return err
	}
	if found := c.extra.lookup(extraKind{ref.APIVersion, ref.Kind}); found.scope != plan.ScopeNamespace {
		return fmt.Errorf("%s: cluster %s has no namespaced kind %s in %s", ref, c.name, ref.Kind, ref.APIVersion)
	}
	return nil
}

// resourceOf gives the resource of a reference, whose kind was found before.
func (c *Cluster) resourceOf(ref plan.ObjectRef) schema.GroupVersionResource {
	if ref.APIVersion == "" {
		return kinds[ref.Kind]
	}
	return c.extra.lookup(extraKind{ref.APIVersion, ref.Kind}).resource
}

// objects reads the kinds that overlays use: those wanted on this cluster, and those
// of its inventories.
func (s *survey) objects(ctx context.Context) error {
	looked, identities := s.overlayKinds(s.view, s.Network, s.Objects)
	for _, k := range looked {
		if err := s.extra.learn(ctx, k.apiVersion); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelLists)
	for _, k := range looked {
		found := s.extra.lookup(k)
		s.view.Kinds = append(s.view.Kinds, plan.KindView{APIVersion: k.apiVersion, Kind: k.kind, Scope: found.scope})
		if found.scope != plan.ScopeNamespace {
			continue
		}
		list := s.whole(found.resource, metav1.ListOptions{}, func(u *unstructured.Unstructured) {
			v := objectView(k, u)
			id := v.Namespace + " " + plan.ObjectKey(v.APIVersion, v.Kind, v.Name)
			if v.Labels[plan.LabelObject] != "" && v.Owned(s.Network) || identities[id] {
				s.view.Objects = append(s.view.Objects, v)
			}
		})
		g.Go(func() error { return s.read(ctx, list) })
	}
	return g.Wait()
}

// overlayKinds lists the kinds to read, one version of each, and the identities of
// which even objects without our labels matter. Kinds that hold secrets are never
// read, whatever an inventory says.
func (c *Cluster) overlayKinds(view plan.ClusterView, network string, wanted []plan.DesiredObject) ([]extraKind, map[string]bool) {
	versions, identities := map[string]extraKind{}, map[string]bool{}
	add := func(namespace, apiVersion string, kind plan.ObjectKind, name string) {
		id := plan.GroupKind(apiVersion, kind)
		if slices.Contains([]string{"Secret", "AccessGrant." + group, "AccessToken." + group}, id) {
			return
		}
		identities[namespace+" "+plan.ObjectKey(apiVersion, kind, name)] = true
		if _, ok := versions[id]; !ok {
			versions[id] = extraKind{apiVersion, kind}
		}
	}
	for _, o := range wanted {
		if o.Cluster == c.name {
			add(o.Namespace, o.APIVersion, o.Kind, o.Name)
		}
	}
	for _, inv := range view.Inventories {
		if inv.Broken == "" && inv.Content.Network == network {
			for _, o := range inv.Content.Objects {
				add(inv.Namespace, o.APIVersion, o.Kind, o.Name)
			}
		}
	}
	return slices.SortedFunc(maps.Values(versions), func(a, b extraKind) int {
		return cmp.Or(cmp.Compare(a.apiVersion, b.apiVersion), cmp.Compare(a.kind, b.kind))
	}), identities
}

func objectView(k extraKind, u *unstructured.Unstructured) plan.ObjectView {
	unstructured.RemoveNestedField(u.Object, "metadata", "managedFields")
	return plan.ObjectView{Meta: meta(u), APIVersion: k.apiVersion, Kind: k.kind, Content: u.Object}
}

// overlayManifest builds an overlay's object as sent: its manifest with our labels
// and annotations among its own.
func overlayManifest(o apply.Object) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(o.Content)}
	u.SetNamespace(o.Namespace)
	labels, annotations := u.GetLabels(), u.GetAnnotations()
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	maps.Copy(labels, o.Labels)
	maps.Copy(annotations, o.Annotations)
	u.SetLabels(labels)
	u.SetAnnotations(annotations)
	return u
}
