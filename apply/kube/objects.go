package kube

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"golang.org/x/sync/errgroup"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
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
	scope    world.Scope
}

// asVersion is how a group and its version are written: a record may hold any text, and a
// path is made of it.
var asVersion = regexp.MustCompile(`^(?:[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?/)?v[a-z0-9]+$`)

// learn asks for the kinds of a group's version, once. A version that the cluster
// does not have is no error: its kinds stay unknown.
func (e *extraKinds) learn(ctx context.Context, apiVersion string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.groups[apiVersion] || !asVersion.MatchString(apiVersion) {
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
		found := extraResource{resource: gv.WithResource(r.Name), scope: world.ScopeCluster}
		if r.Namespaced {
			found.scope = world.ScopeNamespace
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
		found.scope = world.ScopeNone
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
	if found := c.extra.lookup(extraKind{ref.APIVersion, ref.Kind}); found.scope != world.ScopeNamespace {
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

// GuessResource gives the resource that a kind most likely is served as, by the rules
// of English plurals; API servers may call it otherwise, see Resource.
func GuessResource(apiVersion string, kind plan.ObjectKind) string {
	plural, _ := apimeta.UnsafeGuessKindToResource(schema.FromAPIVersionAndKind(apiVersion, string(kind)))
	return plural.Resource
}

// Resource asks the cluster as which resource it serves a kind: one request for all
// kinds of a group's version. A kind that it does not have is an error.
func (c *Cluster) Resource(ctx context.Context, apiVersion string, kind plan.ObjectKind) (string, error) {
	if err := c.extra.learn(ctx, apiVersion); err != nil {
		return "", err
	}
	found := c.extra.lookup(extraKind{apiVersion, kind})
	if found.scope == world.ScopeNone {
		return "", fmt.Errorf("cluster %s has no kind %s in %s", c.name, kind, apiVersion)
	}
	return found.resource.Resource, nil
}

// objects reads the kinds that overlays use: those wanted on this cluster, and those
// of its inventories.
func (s *survey) objects(ctx context.Context) error {
	looked, identities, recordedIn := s.overlayKinds(s.view, s.Network, s.Objects)
	unread := map[extraKind]bool{}
	for _, k := range looked {
		err := s.extra.learn(ctx, k.apiVersion)
		if unread[k] = len(recordedIn[k]) > 0 && told(err); err != nil && !unread[k] {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelLists)
	for _, k := range looked {
		found := s.extra.lookup(k)
		view := world.KindView{APIVersion: k.apiVersion, Kind: k.kind, Scope: found.scope}
		if unread[k] {
			view.Scope = world.ScopeUnread
		}
		s.view.Kinds = append(s.view.Kinds, view)
		if view.Scope != world.ScopeNamespace {
			continue
		}
		kind := len(s.view.Kinds) - 1
		list := s.whole(found.resource, metav1.ListOptions{}, func(u *unstructured.Unstructured) func() {
			v := objectView(k, u)
			id := v.Namespace + " " + plan.ObjectKey(v.APIVersion, v.Kind, v.Name)
			if v.Labels[plan.LabelObject] != "" && v.Owned(s.Network) || identities[id] {
				return keep(&s.view.Objects, v)
			}
			return nil
		})
		if namespaces := recordedIn[k]; len(namespaces) > 0 {
			g.Go(func() error { return s.readRecorded(ctx, kind, namespaces, list) })
			continue
		}
		g.Go(func() error { return s.read(ctx, list) })
	}
	return g.Wait()
}

// told reports whether the API server answered, and the answer is no that stays one: what only
// a record names may be any kind, and no such answer says anything about the cluster.
func told(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err) || apierrors.IsNotFound(err) || apierrors.IsBadRequest(err)
}

// readRecorded lists a kind that only records name: in the cluster, or else in the namespaces
// of those records. Where that may not be, nothing is known of that kind alone.
func (s *survey) readRecorded(ctx context.Context, kind int, namespaces []string, list listing) error {
	if !s.isNarrow() {
		if err := list(ctx, ""); !told(err) {
			return err
		}
	}
	for _, namespace := range namespaces {
		err := list(ctx, namespace)
		if told(err) {
			s.mu.Lock()
			s.view.Kinds[kind].Scope = world.ScopeUnread
			s.mu.Unlock()
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// overlayKinds lists the kinds to read, one version of each, and the identities of
// which even objects without our labels matter. Kinds that hold secrets are never
// read, whatever an inventory says. Of those that are not wanted and that only records name,
// recordedIn has the namespaces of the records.
func (c *Cluster) overlayKinds(view world.ClusterView, network string, wanted []plan.DesiredObject) (
	looked []extraKind, identities map[string]bool, recordedIn map[extraKind][]string) {
	versions := map[string]extraKind{}
	identities, recordedIn = map[string]bool{}, map[extraKind][]string{}
	add := func(namespace, apiVersion string, kind plan.ObjectKind, name string) (first bool) {
		id := plan.GroupKind(apiVersion, kind)
		if slices.Contains([]string{"Secret", "AccessGrant." + group, "AccessToken." + group}, id) {
			return false
		}
		identities[namespace+" "+plan.ObjectKey(apiVersion, kind, name)] = true
		if _, ok := versions[id]; ok {
			return false
		}
		versions[id] = extraKind{apiVersion, kind}
		return true
	}
	for _, o := range wanted {
		if o.Cluster == c.name {
			add(o.Namespace, o.APIVersion, o.Kind, o.Name)
		}
	}
	for _, inv := range view.Inventories {
		if inv.Broken == "" && inv.Content.Network == network {
			for _, o := range inv.Content.Objects {
				first := add(inv.Namespace, o.APIVersion, o.Kind, o.Name)
				if k := versions[plan.GroupKind(o.APIVersion, o.Kind)]; first || len(recordedIn[k]) > 0 {
					recordedIn[k] = append(recordedIn[k], inv.Namespace)
				}
			}
		}
	}
	for k, namespaces := range recordedIn {
		slices.Sort(namespaces)
		recordedIn[k] = slices.Compact(namespaces)
	}
	return slices.SortedFunc(maps.Values(versions), func(a, b extraKind) int {
		return cmp.Or(cmp.Compare(a.apiVersion, b.apiVersion), cmp.Compare(a.kind, b.kind))
	}), identities, recordedIn
}

func objectView(k extraKind, u *unstructured.Unstructured) world.ObjectView {
	unstructured.RemoveNestedField(u.Object, "metadata", "managedFields")
	return world.ObjectView{Meta: meta(u), APIVersion: k.apiVersion, Kind: k.kind, Content: u.Object}
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
