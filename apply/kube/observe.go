package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/pager"

	"golang.org/x/sync/errgroup"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/secrets"
)

// pageSize bounds how many objects one answer of the API server holds.
const pageSize = 500

// parallelLists bounds how many kinds of one cluster are listed at once.
const parallelLists = 4

// Reading says what to observe.
type Reading struct {
	// Network is the network's name.
	Network string
	// Digester digests the credentials of proxies, for comparing within this run.
	Digester *secrets.Digester
	// Foreign selects namespaces in which the proxies of Links that are not the
	// network's are read, too; nil means none.
	Foreign func(cluster network.ClusterName, namespace string) bool
	// Objects are those of overlays that are wanted: their kinds are read, too.
	Objects []plan.DesiredObject
}

// Observe reads everything of one cluster that may matter to the network: one
// paged LIST for each kind, whatever the number of objects. AccessGrants,
// AccessTokens and Secrets are read as metadata, so no secret leaves the cluster but
// the Secrets of proxies, whose credentials become digests at once.
// Kinds that overlays use, wanted now or recorded in an inventory, are read after
// that, each with one LIST more. What goes wrong is the view's State and Reason, not
// an error.
func (c *Cluster) Observe(ctx context.Context, r Reading) plan.ClusterView {
	view := plan.ClusterView{Name: c.name, State: plan.StateOK}
	labelled := metav1.ListOptions{LabelSelector: plan.LabelNetwork + "=" + r.Network}
	whole := ctx
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelLists)
	g.Go(func() error {
		return c.each(ctx, plan.ObjectSite, metav1.ListOptions{}, func(u *unstructured.Unstructured) {
			view.Sites = append(view.Sites, siteView(u))
		})
	})
	g.Go(func() error {
		return c.each(ctx, plan.ObjectLink, metav1.ListOptions{}, func(u *unstructured.Unstructured) {
			view.Links = append(view.Links, linkView(u))
		})
	})
	g.Go(func() error {
		return c.each(ctx, plan.ObjectConfigMap, labelled, func(u *unstructured.Unstructured) {
			if isInventory(u, r.Network) { // an overlay's ConfigMaps have the label too
				view.Inventories = append(view.Inventories, inventoryView(u, r.Network))
			}
		})
	})
	g.Go(func() error {
		return c.eachMeta(ctx, plan.ObjectGrant, labelled, func(m metav1.Object) {
			view.Grants = append(view.Grants, plan.GrantView{Meta: meta(m)})
		})
	})
	g.Go(func() error {
		return c.eachMeta(ctx, plan.ObjectAccess, metav1.ListOptions{}, func(m metav1.Object) {
			view.Accesses = append(view.Accesses, plan.AccessView{Meta: meta(m)})
		})
	})
	g.Go(func() error {
		return c.eachMeta(ctx, plan.ObjectToken, metav1.ListOptions{}, func(m metav1.Object) {
			view.Tokens = append(view.Tokens, plan.TokenView{Meta: meta(m)})
		})
	})
	g.Go(func() error {
		return c.eachMeta(ctx, plan.ObjectSecret, metav1.ListOptions{}, func(m metav1.Object) {
			view.Secrets = append(view.Secrets, plan.SecretView{Meta: meta(m), Expires: m.GetAnnotations()[plan.AnnotationExpires]})
		})
	})
	g.Go(func() error {
		return c.eachMeta(ctx, plan.ObjectCertificate, metav1.ListOptions{}, func(m metav1.Object) {
			view.Certificates = append(view.Certificates, plan.CertificateView{Meta: meta(m)})
		})
	})
	g.Go(func() error {
		proxies := metav1.ListOptions{LabelSelector: labelled.LabelSelector + "," + plan.LabelProxy}
		return c.each(ctx, plan.ObjectSecret, proxies, func(u *unstructured.Unstructured) {
			view.Proxies = append(view.Proxies, proxyView(u, r.Digester))
		})
	})
	g.Go(func() error { return c.observeNamespaces(ctx, &view) })
	err := g.Wait()
	if err == nil {
		err = c.observeProxies(whole, r, &view)
	}
	if err == nil {
		err = c.observeObjects(whole, &view, r.Network, r.Objects)
	}
	if err != nil {
		view.State, view.Reason = stateOf(err), err.Error()
	}
	sortView(&view)
	return view
}

// observeProxies reads the proxy Secrets that Links name and that do not bear our
// labels: one request each, and rarely any.
func (c *Cluster) observeProxies(ctx context.Context, r Reading, view *plan.ClusterView) error {
	type key struct{ namespace, name string }
	seen := map[key]bool{}
	for _, p := range view.Proxies {
		seen[key{p.Namespace, p.Name}] = true
	}
	recorded := map[key]bool{}
	for _, inv := range view.Inventories {
		for _, l := range inv.Content.Links {
			recorded[key{inv.Namespace, l.ProxySecret}] = true
		}
	}
	for _, l := range view.Links {
		k := key{l.Namespace, l.Proxy}
		foreign := r.Foreign != nil && r.Foreign(c.name, l.Namespace)
		if l.Proxy == "" || seen[k] || !foreign && !recorded[k] && !l.Owned(r.Network) {
			continue
		}
		seen[k] = true
		ref := plan.ObjectRef{Cluster: c.name, Kind: plan.ObjectSecret, Namespace: l.Namespace, Name: l.Proxy}
		u, err := c.resource(ref).Get(ctx, ref.Name, getOptions)
		switch {
		case err == nil:
			view.Proxies = append(view.Proxies, proxyView(u, r.Digester))
		case classOf(err) != apply.ErrNotFound:
			return wrap(err, "get", ref)
		}
	}
	return nil
}

// observeNamespaces learns which namespaces exist and, from kube-system's UID, who
// the cluster is. Without the right to list them both stay unknown.
func (c *Cluster) observeNamespaces(ctx context.Context, view *plan.ClusterView) error {
	err := c.eachMeta(ctx, plan.ObjectNamespace, metav1.ListOptions{}, func(m metav1.Object) {
		if m.GetName() == "kube-system" {
			view.UID = string(m.GetUID())
		}
		if m.GetDeletionTimestamp() == nil {
			view.Namespaces = append(view.Namespaces, m.GetName())
		}
	})
	if errors.Is(err, apply.ErrForbidden) {
		view.Namespaces = nil
		return nil
	}
	return err
}

// ObserveAll observes clusters side by side, at most parallel at once. The result
// is sorted by name and has one view for each cluster.
func ObserveAll(ctx context.Context, clusters []*Cluster, r Reading, parallel int) plan.Observation {
	views := make([]plan.ClusterView, len(clusters))
	var g errgroup.Group
	g.SetLimit(max(parallel, 1))
	for i, c := range clusters {
		g.Go(func() error {
			defer func() {
				if p := recover(); p != nil {
					views[i] = plan.ClusterView{Name: c.name, State: plan.StateUnreachable, Reason: fmt.Sprintf("internal error: a panic of type %T", p)}
				}
			}()
			views[i] = c.Observe(ctx, r)
			return nil
		})
	}
	_ = g.Wait() // no function above returns an error: it is in the view
	slices.SortFunc(views, func(a, b plan.ClusterView) int { return cmp.Compare(a.Name, b.Name) })
	return plan.Observation{Clusters: views}
}

func stateOf(err error) plan.State {
	if errors.Is(err, apply.ErrForbidden) {
		return plan.StateForbidden
	}
	return plan.StateUnreachable
}

// each lists a kind in all namespaces, page by page.
func (c *Cluster) each(ctx context.Context, kind plan.ObjectKind, opts metav1.ListOptions, do func(*unstructured.Unstructured)) error {
	return c.eachOf(ctx, kinds[kind], opts, do)
}

// eachOf is each for any resource.
func (c *Cluster) eachOf(ctx context.Context, resource schema.GroupVersionResource, opts metav1.ListOptions, do func(*unstructured.Unstructured)) error {
	list := func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		return c.dynamic.Resource(resource).List(ctx, opts)
	}
	return c.pages(ctx, resource, opts, list, func(o runtime.Object) error {
		if u, ok := o.(*unstructured.Unstructured); ok {
			do(u)
		}
		return nil
	})
}

// eachMeta is each for kinds of which only the metadata is read.
func (c *Cluster) eachMeta(ctx context.Context, kind plan.ObjectKind, opts metav1.ListOptions, do func(metav1.Object)) error {
	list := func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		return c.metadata.Resource(kinds[kind]).List(ctx, opts)
	}
	return c.pages(ctx, kinds[kind], opts, list, func(o runtime.Object) error {
		if m, ok := o.(metav1.Object); ok {
			do(m)
		}
		return nil
	})
}

func (c *Cluster) pages(ctx context.Context, resource schema.GroupVersionResource, opts metav1.ListOptions, list pager.ListPageFunc, do func(runtime.Object) error) (err error) {
	defer func() { // this runs in a goroutine, where a panic would end the process with 2
		if p := recover(); p != nil {
			err = fmt.Errorf("list %s: internal error: a panic of type %T", resource.Resource, p)
		}
	}()
	p := pager.New(list)
	p.PageSize = pageSize
	p.PageBufferSize = 1
	if err := p.EachListItem(ctx, opts, do); err != nil {
		return c.listError(err, resource)
	}
	return nil
}

func (c *Cluster) listError(err error, resource schema.GroupVersionResource) error {
	class := classOf(err)
	what := resource.Resource
	if class == apply.ErrNotFound && resource.Group == group {
		return &apiError{
			text:  fmt.Sprintf("list %s: Skupper's resource definitions are not installed", what),
			class: class, cause: err,
		}
	}
	return &apiError{text: fmt.Sprintf("list %s: %v", what, err), class: class, cause: err}
}

func sortView(v *plan.ClusterView) {
	byName := func(a, b plan.Meta) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	}
	slices.SortFunc(v.Sites, func(a, b plan.SiteView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Links, func(a, b plan.LinkView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Grants, func(a, b plan.GrantView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Tokens, func(a, b plan.TokenView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Secrets, func(a, b plan.SecretView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Accesses, func(a, b plan.AccessView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Certificates, func(a, b plan.CertificateView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Proxies, func(a, b plan.ProxyView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Inventories, func(a, b plan.InventoryView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Objects, func(a, b plan.ObjectView) int {
		return cmp.Or(cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Kind, b.Kind), byName(a.Meta, b.Meta))
	})
	slices.Sort(v.Namespaces)
}
