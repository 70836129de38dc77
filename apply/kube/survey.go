package kube

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// Area is where a network lives on one cluster.
type Area struct {
	// Declared are the namespaces of its sites; each of them has to be readable.
	Declared []string
	// Asked are namespaces to look into as well, where that is allowed. Where they are
	// not nil, it is an error when no namespace at all may be read.
	Asked []string
	// Lock is the namespace of the network's Lease, and Former those of Leases that it had
	// before.
	Lock   string
	Former []string
}

// leases are the locks of networks (Kubernetes API reference: coordination.k8s.io/v1).
var leases = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}

// survey is one observation of a cluster under way. Each kind is listed across the
// cluster; from the first list that is refused on, the others are tried in each
// namespace of the area alone. What was read of other namespaces then, by a list that
// was allowed, is dropped in the end: all kinds are read of the same places.
type survey struct {
	*Cluster
	Reading
	mu   sync.Mutex
	view world.ClusterView
	// narrow is true once a list across the cluster was refused.
	narrow bool
	// denied are namespaces of the area that may not be read and need not be.
	denied map[string]bool
	// area gives the namespaces to read, looked up once.
	area func() ([]string, error)
	// leases gives the network's Leases, read once.
	leases func() ([]lock.Lease, error)
}

func newSurvey(c *Cluster, r Reading) *survey {
	return &survey{Cluster: c, Reading: r, view: world.ClusterView{Name: c.name, State: plan.StateOK}, denied: map[string]bool{}}
}

// listing reads one kind, in one namespace, or in all when that is empty.
type listing func(ctx context.Context, namespace string) error

// whole lists a kind with all of its objects' content. read gives what is to be done with
// an object once all of the list is there, or nil; calls of that never overlap, as all of
// one survey take turns.
func (s *survey) whole(resource schema.GroupVersionResource, opts metav1.ListOptions, read func(*unstructured.Unstructured) func()) listing {
	return func(ctx context.Context, namespace string) error {
		found, err := s.eachOf(ctx, resource, namespace, opts, read)
		return s.take(found, err)
	}
}

// meta lists the metadata of a kind, as whole does.
func (s *survey) meta(kind plan.ObjectKind, opts metav1.ListOptions, read func(metav1.Object) func()) listing {
	return func(ctx context.Context, namespace string) error {
		found, err := s.eachMeta(ctx, kind, namespace, opts, read)
		return s.take(found, err)
	}
}

// take does what a list found.
func (s *survey) take(found []func(), err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, do := range found {
		do()
	}
	return err
}

// keep adds to a list of the view.
func keep[T any](list *[]T, v T) func() {
	return func() { *list = append(*list, v) }
}

// refused reports whether the API server knows us and says no.
func refused(err error) bool { return apierrors.IsForbidden(err) }

// read lists a kind as widely as it may be listed.
func (s *survey) read(ctx context.Context, list listing) error {
	var wide error
	if !s.isNarrow() {
		if wide = list(ctx, ""); !refused(wide) {
			return wide
		}
	}
	namespaces, err := s.narrowed(ctx)
	if err != nil {
		return err
	}
	if len(namespaces) == 0 {
		return s.nowhere(wide)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelLists)
	for _, namespace := range namespaces {
		g.Go(func() error { return s.readIn(ctx, namespace, list) })
	}
	return g.Wait()
}

// readIn lists a kind in one namespace. One that does not have to be read is left out
// where that is refused.
func (s *survey) readIn(ctx context.Context, namespace string, list listing) error {
	err := list(ctx, namespace)
	if !refused(err) {
		return err
	}
	if _, missing := s.namespace(ctx, namespace); apierrors.IsNotFound(missing) {
		return nil // nothing can be in it
	}
	if slices.Contains(s.Areas[s.name].Declared, namespace) {
		return &apiError{
			text:  fmt.Sprintf("%v; \"fairlead rbac\" prints the Roles that it takes", err),
			class: apply.ErrForbidden, cause: err,
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[namespace] = true
	return nil
}

// nowhere is the error where a list across the cluster is refused and there is no
// namespace to look into: none where the network has no site there.
func (s *survey) nowhere(wide error) error {
	switch area := s.Areas[s.name]; {
	case len(area.Declared) == 0 && area.Asked == nil:
		return nil
	case wide == nil:
		return &apiError{text: "no namespace of it may be read", class: apply.ErrForbidden, cause: apply.ErrForbidden}
	}
	return &apiError{
		text:  fmt.Sprintf("%v; and no namespace is known that could be read alone", wide),
		class: apply.ErrForbidden, cause: wide,
	}
}

func (s *survey) isNarrow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.narrow
}

// narrowed makes the survey a narrow one, and gives the namespaces to read: those of
// the area and those that the network's Leases name.
func (s *survey) narrowed(ctx context.Context) ([]string, error) {
	s.mu.Lock()
	s.narrow = true
	if s.area == nil {
		s.area = sync.OnceValues(func() ([]string, error) { return s.namespaces(ctx) })
	}
	area := s.area
	s.mu.Unlock()
	return area()
}

func (s *survey) namespaces(ctx context.Context) ([]string, error) {
	recorded, err := s.recorded(ctx)
	if err != nil {
		return nil, err
	}
	area := s.Areas[s.name]
	out := slices.Concat(area.Declared, area.Asked, recorded)
	slices.Sort(out)
	return slices.Compact(out), nil
}

// recorded are the namespaces that the network's Leases name; none when there is no
// Lease of the network's, or it may not be read. Any other failure is an error: what the
// Lease would have named may be of the network.
func (s *survey) recorded(ctx context.Context) (out []string, err error) {
	list, err := s.noted(ctx)
	for _, l := range list {
		out = append(out, lock.NamespacesOf(l)...)
	}
	return out, unlessRefused(err)
}

// clusters notes on which clusters the network has sites and what limits were last applied,
// as its Leases say.
func (s *survey) clusters(ctx context.Context) error {
	list, err := s.noted(ctx)
	s.view.Unnoted = refused(err)
	for _, l := range list {
		s.view.Noted = append(s.view.Noted, lock.ClustersOf(l)...)
		s.view.Deletes = lock.StricterLimits(s.view.Deletes, lock.LimitsOf(l))
	}
	return unlessRefused(err)
}

// noted is what the network's Leases note, as far as they may be read.
func (s *survey) noted(ctx context.Context) ([]lock.Lease, error) {
	s.mu.Lock()
	if s.leases == nil {
		s.leases = sync.OnceValues(func() ([]lock.Lease, error) { return s.readLeases(ctx) })
	}
	leases := s.leases
	s.mu.Unlock()
	return leases()
}

// readLeases reads all of them. A refusal is the error where nothing else goes wrong.
func (s *survey) readLeases(ctx context.Context) (out []lock.Lease, err error) {
	area := s.Areas[s.name]
	for _, namespace := range append([]string{area.Lock}, area.Former...) {
		l, failed := s.readLease(ctx, namespace)
		switch {
		case failed == nil:
			out = append(out, l)
		case refused(failed):
			err = failed
		default:
			return nil, failed
		}
	}
	return out, err
}

// readLease is what the network's Lease in a namespace notes; nothing where there is none of
// the network's.
func (s *survey) readLease(ctx context.Context, namespace string) (lock.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	lease, err := s.metadata.Resource(leases).Namespace(namespace).Get(ctx, network.InventoryName(s.Network), getOptions)
	switch {
	case apierrors.IsNotFound(err), err == nil && !meta(lease).Owned(s.Network):
		return lock.Lease{}, nil
	case err != nil:
		return lock.Lease{}, fmt.Errorf("the Lease that names the network's namespaces: %w", err)
	}
	return lock.Lease{Annotations: lease.GetAnnotations()}, nil
}

// identify learns which namespaces exist and who the cluster is: by kube-system's
// UID, or where that may not be known by the UID of the Lease's namespace, whose
// objects a Role in it may include (Kubernetes API server: a GET of a namespace is
// authorised as one in it). What may not be known stays empty.
func (s *survey) identify(ctx context.Context) error {
	lock := s.Areas[s.name].Lock
	var uid, own string
	var found, going []string
	all, err := s.eachMeta(ctx, plan.ObjectNamespace, "", metav1.ListOptions{}, func(m metav1.Object) func() {
		return func() {
			switch m.GetName() {
			case kubeSystem:
				uid = string(m.GetUID())
			case lock:
				own = namespaceUID(m)
			}
			if m.GetDeletionTimestamp() == nil {
				found = append(found, m.GetName())
			} else {
				going = append(going, m.GetName())
			}
		}
	})
	if refused(err) {
		return s.identifyNarrow(ctx)
	}
	err = s.take(all, err)
	s.view.UID, s.view.LockUID, s.view.Namespaces, s.view.Going = uid, own, found, going
	return err
}

// namespaceUID is the UID of a cluster by another namespace than kube-system.
func namespaceUID(m metav1.Object) string {
	return "namespace/" + m.GetName() + ":" + string(m.GetUID())
}

// kubeSystem is the namespace that every cluster has and keeps while it lives.
const kubeSystem = "kube-system"

func (s *survey) identifyNarrow(ctx context.Context) error {
	lock := s.Areas[s.name].Lock
	system, err := s.namespace(ctx, kubeSystem)
	if err == nil {
		s.view.UID = string(system.GetUID())
	} else if refused(err) {
		var own *metav1.PartialObjectMetadata
		if own, err = s.namespace(ctx, lock); err == nil {
			s.view.UID = namespaceUID(own)
		}
	}
	if err != nil && !refused(err) && !apierrors.IsNotFound(err) {
		return wrap(err, "get", plan.ObjectRef{Cluster: s.name, Kind: plan.ObjectNamespace, Name: lock})
	}
	return s.existing(ctx)
}

// existing asks for each described namespace. At the first refusal it gives up, and
// whether they exist stays unknown.
func (s *survey) existing(ctx context.Context) error {
	names := s.Areas[s.name].Declared
	there, going := make([]bool, len(names)), make([]bool, len(names))
	ask := func(i int) error {
		m, err := s.namespace(ctx, names[i])
		going[i] = err == nil && m.GetDeletionTimestamp() != nil
		there[i] = err == nil && !going[i]
		if apierrors.IsNotFound(err) {
			return nil
		}
		return wrap(err, "get", plan.ObjectRef{Cluster: s.name, Kind: plan.ObjectNamespace, Name: names[i]})
	}
	var g errgroup.Group
	g.SetLimit(parallelLists)
	for i := range names {
		if i == 0 { // alone, as it tells whether to ask at all
			if err := ask(i); err != nil {
				return unlessRefused(err)
			}
			continue
		}
		g.Go(func() error { return ask(i) })
	}
	if err := g.Wait(); err != nil {
		return unlessRefused(err)
	}
	s.view.Namespaces = []string{}
	for i, name := range names {
		if there[i] {
			s.view.Namespaces = append(s.view.Namespaces, name)
		}
		if going[i] {
			s.view.Going = append(s.view.Going, name)
		}
	}
	return nil
}

func unlessRefused(err error) error {
	if refused(err) {
		return nil
	}
	return err
}

func (s *survey) namespace(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return s.metadata.Resource(kinds[plan.ObjectNamespace]).Get(ctx, name, getOptions)
}

// WhoAre asks who clusters are, side by side: of each view the name, the UIDs and the state
// are good.
func WhoAre(ctx context.Context, clusters []*Cluster, r Reading, parallel int) world.Observation {
	return each(clusters, parallel, func(c *Cluster) world.ClusterView {
		s := newSurvey(c, r)
		if err := s.identify(ctx); err != nil {
			s.view.State, s.view.Reason = stateOf(err), err.Error()
		}
		return s.view
	})
}

// close gives what was read. A narrow view says of which namespaces it is, and has
// nothing of others. What is in a namespace that is being deleted goes with it.
func (s *survey) close() world.ClusterView {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.view
	if s.narrow {
		v.Read, v.Denied = []string{}, []string{}
		area, _ := s.area() // its error ended the reading
		for _, name := range area {
			if s.denied[name] {
				v.Denied = append(v.Denied, name)
			} else {
				v.Read = append(v.Read, name)
			}
		}
		if err := s.nowhere(nil); len(v.Read) == 0 && err != nil {
			v.State, v.Reason = stateOf(err), err.Error()
		}
	}
	v.Sites = within(v, v.Sites, func(o *world.SiteView) *world.Meta { return &o.Meta })
	v.Links = within(v, v.Links, func(o *world.LinkView) *world.Meta { return &o.Meta })
	v.Grants = within(v, v.Grants, func(o *world.GrantView) *world.Meta { return &o.Meta })
	v.Tokens = within(v, v.Tokens, func(o *world.TokenView) *world.Meta { return &o.Meta })
	v.Secrets = within(v, v.Secrets, func(o *world.SecretView) *world.Meta { return &o.Meta })
	v.Accesses = within(v, v.Accesses, func(o *world.AccessView) *world.Meta { return &o.Meta })
	v.Certificates = within(v, v.Certificates, func(o *world.CertificateView) *world.Meta { return &o.Meta })
	v.Proxies = within(v, v.Proxies, func(o *world.ProxyView) *world.Meta { return &o.Meta })
	v.Inventories = within(v, v.Inventories, func(o *world.InventoryView) *world.Meta { return &o.Meta })
	v.Objects = within(v, v.Objects, func(o *world.ObjectView) *world.Meta { return &o.Meta })
	return v
}

// within drops what is of a namespace that was not read in full, and marks what goes with
// its namespace.
func within[T any](v world.ClusterView, list []T, meta func(*T) *world.Meta) []T {
	list = slices.DeleteFunc(list, func(o T) bool { return !v.HasRead(meta(&o).Namespace) })
	for i := range list {
		if m := meta(&list[i]); slices.Contains(v.Going, m.Namespace) {
			m.Deleting, m.Emptied = true, true
		}
	}
	return list
}
