package standin

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/tools/cache"
)

// listenerLabel is on the Services that listeners make.
const listenerLabel = "internal.skupper.io/listener"

// firstPort is the lowest that a router listens on.
const firstPort = 1024

// exposureObject is a Listener, MultiKeyListener or Connector.
type exposureObject struct {
	object `json:",inline"`
	Spec   exposureSpec   `json:"spec"`
	Status exposureStatus `json:"status"`
}

// exposure is one with what is made of it.
type exposure struct {
	*exposureObject
	resource schema.GroupVersionResource
	observed *unstructured.Unstructured
	// problem is why it is in Error.
	problem string
}

type exposureSpec struct {
	RoutingKey string   `json:"routingKey,omitempty"`
	Host       string   `json:"host,omitempty"`
	Port       int32    `json:"port,omitempty"`
	Selector   string   `json:"selector,omitempty"`
	Strategy   strategy `json:"strategy"`
}

type strategy struct {
	Priority struct {
		RoutingKeys []string `json:"routingKeys,omitempty"`
	} `json:"priority"`
	Weighted struct {
		RoutingKeys map[string]int64 `json:"routingKeys,omitempty"`
	} `json:"weighted"`
}

type exposureStatus struct {
	status               `json:",inline"`
	HasMatchingConnector bool              `json:"hasMatchingConnector,omitempty"`
	HasMatchingListener  bool              `json:"hasMatchingListener,omitempty"`
	HasDestination       bool              `json:"hasDestination,omitempty"`
	Strategy             *reachedKeysByWay `json:"strategy,omitempty"`
}

type reachedKeysByWay struct {
	Priority *reachedKeys[[]string]         `json:"priority,omitempty"`
	Weighted *reachedKeys[map[string]int64] `json:"weighted,omitempty"`
}

type reachedKeys[T any] struct {
	RoutingKeysReachable T `json:"routingKeysReachable"`
}

// keys are those that it asks for, of a MultiKeyListener by priority, or by name.
func (e *exposure) keys() []string {
	if e.resource != multiGVR {
		return []string{e.Spec.RoutingKey}
	}
	if len(e.Spec.Strategy.Priority.RoutingKeys) > 0 {
		return e.Spec.Strategy.Priority.RoutingKeys
	}
	return slices.Sorted(maps.Keys(e.Spec.Strategy.Weighted.RoutingKeys))
}

// recordService is what a site offers and asks for under one routing key.
type recordService struct {
	Key        string   `json:"routingKey"`
	Connectors []string `json:"connectors,omitempty"`
	Listeners  []string `json:"listeners,omitempty"`
}

// reconcileServices plays all Listeners, MultiKeyListeners and Connectors of a namespace:
// their Services, what the router tells the network of them, and their statuses.
func (s *Standin) reconcileServices(ctx context.Context, namespace string) error {
	var all []*exposure
	for _, kind := range []struct {
		resource schema.GroupVersionResource
		informer cache.SharedIndexInformer
	}{{listenersGVR, s.watch.listeners}, {multiGVR, s.watch.multis}, {connectorsGVR, s.watch.connectors}} {
		list, err := exposures(s.watch.in(kind.informer, namespace), kind.resource)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	services := s.watch.services(namespace)
	r := s.router(namespace)
	judge(all, services, r)
	if r != nil {
		r.serve(served(all))
		if err := s.expose(ctx, namespace, r, all, services); err != nil {
			return err
		}
	}
	for _, e := range all {
		e.settle(r.reached())
		if err := s.writeStatus(ctx, e.resource, e.observed, e.Status); err != nil {
			return err
		}
	}
	return nil
}

// exposures reads objects, the oldest first.
func exposures(objs []*unstructured.Unstructured, resource schema.GroupVersionResource) ([]*exposure, error) {
	var out []*exposure
	for _, u := range objs {
		e, err := decode[exposureObject](u)
		if err != nil {
			return nil, err
		}
		if e.DeletionTimestamp == nil {
			out = append(out, &exposure{exposureObject: e, resource: resource, observed: u})
		}
	}
	slices.SortFunc(out, func(a, b *exposure) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// judge finds what is in Error.
func judge(all []*exposure, services map[string]*corev1.Service, r *router) {
	leaders := map[string]string{}
	for _, e := range all {
		at := fmt.Sprintf("%s/%d", e.Spec.Host, e.Spec.Port)
		switch service := services[e.Spec.Host]; {
		case r == nil:
			e.problem = "No active site in namespace"
		case e.resource == connectorsGVR && e.Spec.Host == "":
			e.problem = "No pods match selector"
		case e.resource == connectorsGVR:
		case service != nil && !ownService(service):
			e.problem = fmt.Sprintf("Service %s already exists in namespace", e.Spec.Host)
		case leaders[at] != "":
			e.problem = fmt.Sprintf("Listener %s with host %s and port %d already exists in namespace", leaders[at], e.Spec.Host, e.Spec.Port)
		default:
			leaders[at] = e.Name
		}
	}
}

// served is what the router tells the network of the good ones, by key.
func served(all []*exposure) []recordService {
	byKey := map[string]recordService{}
	for _, e := range all {
		if e.problem != "" {
			continue
		}
		for _, key := range e.keys() {
			one := byKey[key]
			one.Key = key
			if e.resource == connectorsGVR {
				one.Connectors = append(one.Connectors, e.Spec.Host)
			} else {
				one.Listeners = append(one.Listeners, e.Name)
			}
			byKey[key] = one
		}
	}
	var out []recordService
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		out = append(out, byKey[key])
	}
	return out
}

// ownService tells whether a listener made a Service.
func ownService(service *corev1.Service) bool { return service.Labels[listenerLabel] != "" }

// expose makes one Service for each host that listeners want, and takes away those that
// none wants.
func (s *Standin) expose(ctx context.Context, namespace string, r *router, all []*exposure, services map[string]*corev1.Service) error {
	wanted := map[string][]*exposure{}
	for _, e := range all {
		if e.problem == "" && e.resource != connectorsGVR {
			wanted[e.Spec.Host] = append(wanted[e.Spec.Host], e)
		}
	}
	api := s.core.CoreV1().Services(namespace)
	for host, listeners := range wanted {
		next := serviceOf(host, listeners, r)
		old := services[host]
		var err error
		switch {
		case old == nil:
			_, err = api.Create(ctx, next, metav1.CreateOptions{})
		case !samePorts(old.Spec.Ports, next.Spec.Ports):
			changed := old.DeepCopy()
			changed.Spec.Ports = next.Spec.Ports
			_, err = api.Update(ctx, changed, metav1.UpdateOptions{})
		}
		if err != nil && !apierrors.IsAlreadyExists(err) && !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return fmt.Errorf("service %s/%s: %w", namespace, host, err)
		}
	}
	for name, old := range services {
		if ownService(old) && wanted[name] == nil {
			if err := api.Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
				return fmt.Errorf("service %s/%s: %w", namespace, name, err)
			}
		}
	}
	return nil
}

func serviceOf(host string, listeners []*exposure, r *router) *corev1.Service {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Name: host, Labels: map[string]string{listenerLabel: listeners[0].Name},
			Annotations:     map[string]string{"internal.skupper.io/controlled": "true"},
			OwnerReferences: ownedBy("Site", object{ObjectMeta: metav1.ObjectMeta{Name: r.Name, UID: r.uid()}}),
		},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"skupper.io/component": "router"}},
	}
	for i, l := range listeners {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{
			Name: l.Name, Port: l.Spec.Port, TargetPort: intstr.FromInt32(firstPort + int32(i)), Protocol: corev1.ProtocolTCP,
		})
	}
	return service
}

func samePorts(a, b []corev1.ServicePort) bool {
	return slices.EqualFunc(a, b, func(a, b corev1.ServicePort) bool { return a.Name == b.Name && a.Port == b.Port })
}

// settle fills in the status by the keys that connectors offer and listeners ask for in
// the network.
func (e *exposure) settle(offered, asked map[string]bool) {
	configured := condition{kind: "Configured", problem: e.problem, failed: true}
	matched := condition{kind: "Matched"}
	var reached []string
	for _, key := range e.keys() {
		if offered[key] {
			reached = append(reached, key)
		}
	}
	st := &e.Status
	switch e.resource {
	case connectorsGVR:
		if st.HasMatchingListener = asked[e.Spec.RoutingKey]; !st.HasMatchingListener {
			matched.problem = "No matching listeners"
		}
	case listenersGVR:
		if st.HasMatchingConnector = len(reached) > 0; !st.HasMatchingConnector {
			matched.problem = "No matching connectors"
		}
	default:
		matched.kind = "Operational"
		if st.HasDestination = len(reached) > 0; !st.HasDestination {
			matched.problem = "No matching connectors"
		}
		st.Strategy = e.reachedBy(reached)
	}
	st.settle(e.Generation, true, configured, matched)
}

func (e *exposure) reachedBy(keys []string) *reachedKeysByWay {
	if len(e.Spec.Strategy.Priority.RoutingKeys) > 0 {
		return &reachedKeysByWay{Priority: &reachedKeys[[]string]{append([]string{}, keys...)}}
	}
	weights := map[string]int64{}
	for _, key := range keys {
		weights[key] = e.Spec.Strategy.Weighted.RoutingKeys[key]
	}
	return &reachedKeysByWay{Weighted: &reachedKeys[map[string]int64]{weights}}
}

// serve takes what the site offers and asks for, and tells the network.
func (r *router) serve(services []recordService) {
	r.mu.Lock()
	r.services = services
	r.mu.Unlock()
	r.announce()
}

// reached are the routing keys that connectors offer and listeners ask for in the network;
// none without a router.
func (r *router) reached() (offered, asked map[string]bool) {
	offered, asked = map[string]bool{}, map[string]bool{}
	if r == nil {
		return offered, asked
	}
	for _, site := range r.db.reachable() {
		for _, service := range site.Services {
			offered[service.Key] = offered[service.Key] || len(service.Connectors) > 0
			asked[service.Key] = asked[service.Key] || len(service.Listeners) > 0
		}
	}
	return offered, asked
}
