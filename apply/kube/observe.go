package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
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

// parallelLists bounds how many kinds of one cluster are listed at once, and of each
// how many namespaces where they are listed one by one.
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
	// Areas say where the network lives, for clusters that refuse lists of everything.
	Areas map[network.ClusterName]Area
	// Reports asks for what the routers report of links.
	Reports bool
	// Brief leaves out what only planning needs: grants, tokens, Certificates,
	// RouterAccesses, proxies and the objects of overlays.
	Brief bool
}

// Observe reads everything of one cluster that may matter to the network: one
// paged LIST for each kind, whatever the number of objects. AccessGrants,
// AccessTokens and Secrets are read as metadata, so no secret leaves the cluster but
// the Secrets of proxies, whose credentials become digests at once.
// Kinds that overlays use, wanted now or recorded in an inventory, are read after
// that, each with one LIST more. A kind that may not be listed across the cluster is
// listed in each namespace of the network's area, see survey. The routers' reports take one
// request more. What goes wrong is the
// view's State and Reason, not an error.
func (c *Cluster) Observe(ctx context.Context, r Reading) plan.ClusterView {
	s := newSurvey(c, r)
	err := s.kinds(ctx)
	if err == nil && !r.Brief {
		err = s.proxies(ctx)
	}
	if err == nil && !r.Brief {
		err = s.objects(ctx)
	}
	if err == nil && r.Reports {
		err = s.reports(ctx)
	}
	view := s.close()
	if err != nil {
		view.State, view.Reason = stateOf(err), err.Error()
	}
	sortView(&view)
	return view
}

// kinds reads what every network is made of.
func (s *survey) kinds(ctx context.Context) error {
	view, all := &s.view, metav1.ListOptions{}
	labelled := metav1.ListOptions{LabelSelector: plan.LabelNetwork + "=" + s.Network}
	proxies := metav1.ListOptions{LabelSelector: labelled.LabelSelector + "," + plan.LabelProxy}
	lists := []listing{
		s.whole(kinds[plan.ObjectSite], all, func(u *unstructured.Unstructured) {
			view.Sites = append(view.Sites, siteView(u))
		}),
		s.whole(kinds[plan.ObjectLink], all, func(u *unstructured.Unstructured) {
			view.Links = append(view.Links, linkView(u))
		}),
		s.whole(kinds[plan.ObjectConfigMap], labelled, func(u *unstructured.Unstructured) {
			if isInventory(u, s.Network) { // an overlay's ConfigMaps have the label too
				view.Inventories = append(view.Inventories, inventoryView(u, s.Network))
			}
		}),
		s.meta(plan.ObjectSecret, all, func(m metav1.Object) {
			view.Secrets = append(view.Secrets, plan.SecretView{Meta: meta(m), Expires: m.GetAnnotations()[plan.AnnotationExpires]})
		}),
	}
	if !s.Brief {
		lists = append(lists,
			s.meta(plan.ObjectGrant, labelled, func(m metav1.Object) {
				view.Grants = append(view.Grants, plan.GrantView{Meta: meta(m), Expires: m.GetAnnotations()[plan.AnnotationExpires]})
			}),
			s.meta(plan.ObjectAccess, all, func(m metav1.Object) {
				view.Accesses = append(view.Accesses, plan.AccessView{Meta: meta(m)})
			}),
			s.meta(plan.ObjectToken, all, func(m metav1.Object) {
				view.Tokens = append(view.Tokens, plan.TokenView{Meta: meta(m)})
			}),
			s.meta(plan.ObjectCertificate, all, func(m metav1.Object) {
				view.Certificates = append(view.Certificates, plan.CertificateView{Meta: meta(m)})
			}),
			s.whole(kinds[plan.ObjectSecret], proxies, func(u *unstructured.Unstructured) {
				view.Proxies = append(view.Proxies, proxyView(u, s.Digester))
			}))
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelLists)
	for _, list := range lists {
		g.Go(func() error { return s.read(ctx, list) })
	}
	g.Go(func() error { return s.identify(ctx) })
	return g.Wait()
}

// proxies reads the proxy Secrets that Links name and that do not bear our labels:
// one request each, and rarely any. It is a list of one name, so that reading a
// cluster takes no other right than to list.
func (s *survey) proxies(ctx context.Context) error {
	type key struct{ namespace, name string }
	seen, recorded := map[key]bool{}, map[key]bool{}
	for _, p := range s.view.Proxies {
		seen[key{p.Namespace, p.Name}] = true
	}
	for _, inv := range s.view.Inventories {
		for _, l := range inv.Content.Links {
			recorded[key{inv.Namespace, l.ProxySecret}] = true
		}
	}
	for _, l := range s.view.Links {
		k := key{l.Namespace, l.Proxy}
		foreign := s.Foreign != nil && s.Foreign(s.name, l.Namespace)
		if l.Proxy == "" || seen[k] || !foreign && !recorded[k] && !l.Owned(s.Network) {
			continue
		}
		seen[k] = true
		one := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", k.name).String()}
		err := s.readIn(ctx, k.namespace, s.whole(kinds[plan.ObjectSecret], one, func(u *unstructured.Unstructured) {
			s.view.Proxies = append(s.view.Proxies, proxyView(u, s.Digester))
		}))
		if err != nil {
			return err
		}
	}
	return nil
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

// eachOf lists a resource page by page, in one namespace, or in all when that is empty.
func (c *Cluster) eachOf(ctx context.Context, resource schema.GroupVersionResource, namespace string, opts metav1.ListOptions, do func(*unstructured.Unstructured)) error {
	list := func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		return c.dynamic.Resource(resource).Namespace(namespace).List(ctx, opts)
	}
	return c.pages(ctx, resource, namespace, opts, list, func(o runtime.Object) error {
		if u, ok := o.(*unstructured.Unstructured); ok {
			do(u)
		}
		return nil
	})
}

// eachMeta is eachOf for kinds of which only the metadata is read.
func (c *Cluster) eachMeta(ctx context.Context, kind plan.ObjectKind, namespace string, opts metav1.ListOptions, do func(metav1.Object)) error {
	list := func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		return c.metadata.Resource(kinds[kind]).Namespace(namespace).List(ctx, opts)
	}
	return c.pages(ctx, kinds[kind], namespace, opts, list, func(o runtime.Object) error {
		if m, ok := o.(metav1.Object); ok {
			do(m)
		}
		return nil
	})
}

func (c *Cluster) pages(ctx context.Context, resource schema.GroupVersionResource, namespace string, opts metav1.ListOptions, list pager.ListPageFunc, do func(runtime.Object) error) (err error) {
	defer func() { // this runs in a goroutine, where a panic would end the process with 2
		if p := recover(); p != nil {
			err = fmt.Errorf("list %s: internal error: a panic of type %T", resource.Resource, p)
		}
	}()
	p := pager.New(list)
	p.PageSize = pageSize
	p.PageBufferSize = 1
	if err := p.EachListItem(ctx, opts, do); err != nil {
		return c.listError(err, resource, namespace)
	}
	return nil
}

func (c *Cluster) listError(err error, resource schema.GroupVersionResource, namespace string) error {
	class := classOf(err)
	what := resource.Resource
	if namespace != "" {
		what += " in namespace " + namespace
	}
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
