package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/pager"

	"golang.org/x/sync/errgroup"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
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
	// NoObjects leaves out the objects of overlays, also those that records name.
	NoObjects bool
	// Areas say where the network lives, for clusters that refuse lists of everything.
	Areas map[network.ClusterName]Area
	// Reports asks for what the routers report of links and sites, and for the grants that
	// others made.
	Reports bool
	// Noted asks on which clusters the network has sites, as its Leases note it.
	Noted bool
	// Brief leaves out what only planning needs: grants, tokens, Certificates,
	// RouterAccesses, proxies and the objects of overlays.
	Brief bool
}

// observe reads everything of one cluster that may matter to the network: one
// paged LIST for each kind, whatever the number of objects. AccessGrants
// are read as the table that kubectl shows, AccessTokens and Secrets as metadata, so no secret leaves the cluster but
// the Secrets of proxies, whose credentials become digests at once.
// Kinds that overlays use, wanted now or recorded in an inventory, are read after
// that, each with one LIST more. A kind that may not be listed across the cluster is
// listed in each namespace of the network's area, see survey. The Lease takes one request
// more. What goes wrong is the view's State and Reason, not an error.
func (c *Cluster) observe(ctx context.Context, r Reading) world.ClusterView {
	s := newSurvey(c, r)
	err := s.kinds(ctx)
	if err == nil && !r.Brief {
		err = s.proxies(ctx)
	}
	if err == nil && !r.Brief && !r.NoObjects {
		err = s.objects(ctx)
	}
	if err == nil && r.Noted {
		err = s.clusters(ctx)
	}
	view := s.close()
	if err != nil {
		view.State, view.Reason = stateOf(err), err.Error()
	}
	sortView(&view)
	return view
}

// withReports adds the reports of some of its Sites to the view of a cluster.
func (c *Cluster) withReports(ctx context.Context, view world.ClusterView, sites []world.SiteView) world.ClusterView {
	if view.State != plan.StateOK {
		return view
	}
	reports, err := c.reports(ctx, sites)
	if err != nil {
		view.State, view.Reason = stateOf(err), err.Error()
	}
	view.Reports = reports
	return view
}

// reports reads what the routers of some Sites report of their links: a report is large, and
// right about its own site alone. Each is a list of one name, so that reading takes no other
// right than to list. A report that may not be read is one that says nothing.
func (c *Cluster) reports(ctx context.Context, sites []world.SiteView) ([]world.SiteReport, error) {
	out := make([]world.SiteReport, len(sites))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelLists)
	for i, site := range sites {
		g.Go(func() (err error) {
			out[i], err = c.report(ctx, site)
			return err
		})
	}
	return out, g.Wait()
}

func (c *Cluster) report(ctx context.Context, site world.SiteView) (world.SiteReport, error) {
	one := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", apply.NetworkStatusName).String()}
	var data map[string]string
	_, err := c.eachOf(ctx, kinds[plan.ObjectConfigMap], site.Namespace, one, func(u *unstructured.Unstructured) func() {
		data, _, _ = unstructured.NestedStringMap(u.Object, "data")
		return nil
	})
	if refused(err) {
		return apply.NoReport(site.UID, "the report of its routers may not be read"), nil
	}
	return apply.Reported(data, site.UID), err
}

// kinds reads what every network is made of.
func (s *survey) kinds(ctx context.Context) error {
	view, all := &s.view, metav1.ListOptions{}
	labelled := metav1.ListOptions{LabelSelector: plan.LabelNetwork + "=" + s.Network}
	proxies := metav1.ListOptions{LabelSelector: labelled.LabelSelector + "," + plan.LabelProxy}
	grants := labelled
	if s.Reports { // those of others matter to drift alone
		grants = all
	}
	lists := []listing{
		s.whole(kinds[plan.ObjectSite], all, func(u *unstructured.Unstructured) func() {
			v := siteView(u)
			if s.Reports {
				v.Seen = seenSites(u)
			}
			return keep(&view.Sites, v)
		}),
		s.whole(kinds[plan.ObjectLink], all, func(u *unstructured.Unstructured) func() {
			return keep(&view.Links, linkView(u))
		}),
		s.whole(kinds[plan.ObjectConfigMap], labelled, func(u *unstructured.Unstructured) func() {
			if !isInventory(u, s.Network) { // an overlay's ConfigMaps have the label too
				return nil
			}
			return keep(&view.Inventories, inventoryView(u, s.Network))
		}),
		s.meta(plan.ObjectSecret, all, func(m metav1.Object) func() {
			return keep(&view.Secrets, world.SecretView{Meta: meta(m), Expires: m.GetAnnotations()[plan.AnnotationExpires]})
		}),
	}
	if !s.Brief {
		lists = append(lists,
			s.grants(grants, func(g world.GrantView) func() { return keep(&view.Grants, g) }),
			s.meta(plan.ObjectAccess, all, func(m metav1.Object) func() {
				return keep(&view.Accesses, world.AccessView{Meta: meta(m)})
			}),
			s.meta(plan.ObjectToken, all, func(m metav1.Object) func() {
				return keep(&view.Tokens, world.TokenView{Meta: meta(m)})
			}),
			s.meta(plan.ObjectCertificate, all, func(m metav1.Object) func() {
				return keep(&view.Certificates, world.CertificateView{Meta: meta(m)})
			}),
			s.whole(kinds[plan.ObjectSecret], proxies, func(u *unstructured.Unstructured) func() {
				return keep(&view.Proxies, proxyView(u, s.Digester))
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
		err := s.readIn(ctx, k.namespace, s.whole(kinds[plan.ObjectSecret], one, func(u *unstructured.Unstructured) func() {
			return keep(&s.view.Proxies, proxyView(u, s.Digester))
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

// ObserveAll observes clusters side by side, at most parallel at once, and then asks for the
// routers' reports that may settle a doubt: one request for each Site that plan's Doubted
// names. The result is sorted by name and has one view for each cluster.
func ObserveAll(ctx context.Context, clusters []*Cluster, r Reading, parallel int) world.Observation {
	out := each(clusters, parallel, func(c *Cluster) world.ClusterView { return c.observe(ctx, r) })
	if !r.Reports {
		return out
	}
	doubted := out.Doubted(r.Network)
	return each(clusters, parallel, func(c *Cluster) world.ClusterView {
		return c.withReports(ctx, out.Cluster(c.name), doubted[c.name])
	})
}

// each makes a view of each cluster, side by side, at most parallel at once. A panic is that
// cluster's, which could not be read then.
func each(clusters []*Cluster, parallel int, view func(*Cluster) world.ClusterView) world.Observation {
	views := make([]world.ClusterView, len(clusters))
	var g errgroup.Group
	g.SetLimit(max(parallel, 1))
	for i, c := range clusters {
		g.Go(func() error {
			defer func() {
				if p := recover(); p != nil {
					views[i] = world.ClusterView{Name: c.name, State: plan.StateUnreachable, Reason: fmt.Sprintf("internal error: a panic of type %T", p)}
				}
			}()
			views[i] = view(c)
			return nil
		})
	}
	_ = g.Wait() // no function above returns an error: it is in the view
	slices.SortFunc(views, func(a, b world.ClusterView) int { return cmp.Compare(a.Name, b.Name) })
	return world.Observation{Clusters: views}
}

func stateOf(err error) plan.State {
	if errors.Is(err, apply.ErrForbidden) {
		return plan.StateForbidden
	}
	return plan.StateUnreachable
}

// eachOf lists a resource page by page, in one namespace, or in all when that is empty. It
// gives what read gave for each object, in the list's order and without nil.
func (c *Cluster) eachOf(ctx context.Context, resource schema.GroupVersionResource, namespace string, opts metav1.ListOptions,
	read func(*unstructured.Unstructured) func()) ([]func(), error) {
	list := func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		return c.dynamic.Resource(resource).Namespace(namespace).List(ctx, opts)
	}
	return pages(ctx, c, resource, namespace, opts, list, read)
}

// eachMeta is eachOf for kinds of which only the metadata is read.
func (c *Cluster) eachMeta(ctx context.Context, kind plan.ObjectKind, namespace string, opts metav1.ListOptions,
	read func(metav1.Object) func()) ([]func(), error) {
	list := func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		return c.metadata.Resource(kinds[kind]).Namespace(namespace).List(ctx, opts)
	}
	return pages(ctx, c, kinds[kind], namespace, opts, list, read)
}

// listings is how often a list is begun at most. The pages of one go together with their
// version, which the API server keeps for some minutes (Kubernetes API concepts: "410
// Gone"); the last time it is read without pages.
const listings = 3

func pages[T any](ctx context.Context, c *Cluster, resource schema.GroupVersionResource, namespace string, opts metav1.ListOptions,
	list pager.ListPageFunc, read func(T) func()) (found []func(), err error) {
	defer func() { // this runs in a goroutine, where a panic would end the process with 2
		if p := recover(); p != nil {
			found, err = nil, fmt.Errorf("list %s: internal error: a panic of type %T", resource.Resource, p)
		}
	}()
	p := pager.New(list)
	p.PageSize, p.PageBufferSize = pageSize, 1
	for n := 1; ; n++ {
		if n == listings {
			p.PageSize = 0
		}
		found = nil
		err := p.EachListItem(ctx, opts, func(o runtime.Object) error {
			if object, ok := o.(T); ok {
				if do := read(object); do != nil {
					found = append(found, do)
				}
			}
			return nil
		})
		switch {
		case err == nil:
			return found, nil
		case !apierrors.IsResourceExpired(err):
			return nil, c.listError(err, resource, namespace)
		case n == listings:
			return nil, c.listError(fmt.Errorf("its pages expired before they were read (tried %d times): %w", n, err), resource, namespace)
		}
	}
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

func sortView(v *world.ClusterView) {
	byName := func(a, b world.Meta) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	}
	slices.SortFunc(v.Sites, func(a, b world.SiteView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Links, func(a, b world.LinkView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Grants, func(a, b world.GrantView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Tokens, func(a, b world.TokenView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Secrets, func(a, b world.SecretView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Accesses, func(a, b world.AccessView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Certificates, func(a, b world.CertificateView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Proxies, func(a, b world.ProxyView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Inventories, func(a, b world.InventoryView) int { return byName(a.Meta, b.Meta) })
	slices.SortFunc(v.Objects, func(a, b world.ObjectView) int {
		return cmp.Or(cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Kind, b.Kind), byName(a.Meta, b.Meta))
	})
	slices.Sort(v.Namespaces)
	slices.Sort(v.Going)
}
