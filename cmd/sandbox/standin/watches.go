package standin

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

const (
	byCredentials = "credentials"
	byNamespace   = cache.NamespaceIndex
)

// watches holds the informers and turns their events into work.
type watches struct {
	s       *Standin
	skupper dynamicinformer.DynamicSharedInformerFactory
	core    informers.SharedInformerFactory

	sites, links, grants, tokens, certs, accesses, secrets, namespaces cache.SharedIndexInformer
	listeners, multis, connectors, exposed                             cache.SharedIndexInformer
}

func newWatches(s *Standin) (*watches, error) {
	w := &watches{
		s:       s,
		skupper: dynamicinformer.NewDynamicSharedInformerFactory(s.dyn, s.cfg.Resync),
		core:    informers.NewSharedInformerFactory(s.core, 0),
	}
	of := func(r schema.GroupVersionResource) cache.SharedIndexInformer {
		return w.skupper.ForResource(r).Informer()
	}
	w.sites, w.links, w.grants, w.tokens = of(sitesGVR), of(linksGVR), of(grantsGVR), of(tokensGVR)
	w.certs, w.accesses = of(certsGVR), of(accessesGVR)
	w.listeners, w.multis, w.connectors = of(listenersGVR), of(multiGVR), of(connectorsGVR)
	w.exposed = w.core.Core().V1().Services().Informer()
	w.secrets, w.namespaces = w.core.Core().V1().Secrets().Informer(), w.core.Core().V1().Namespaces().Informer()
	if err := w.links.AddIndexers(cache.Indexers{byCredentials: indexCredentials}); err != nil {
		return nil, err
	}
	return w, w.handle()
}

func indexCredentials(obj any) ([]string, error) {
	u := obj.(*unstructured.Unstructured)
	name, _, _ := unstructured.NestedString(u.Object, "spec", "tlsCredentials")
	return []string{u.GetNamespace() + "/" + name}, nil
}

// handle registers what each kind's events lead to.
func (w *watches) handle() error {
	add := func(q queue, kind string) func(*unstructured.Unstructured) {
		return func(u *unstructured.Unstructured) { q.Add(key{kind, u.GetNamespace(), u.GetName()}) }
	}
	services := func(namespace string) { w.s.work.Add(key{kind: "services", namespace: namespace}) }
	exposure := every(func(u *unstructured.Unstructured) { services(u.GetNamespace()) })
	site := func(u *unstructured.Unstructured) { w.s.work.Add(key{kind: "site", namespace: u.GetNamespace()}) }
	for informer, handler := range map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		w.sites:      every(site),
		w.accesses:   every(site),
		w.grants:     every(add(w.s.work, "grant")),
		w.certs:      every(add(w.s.work, "certificate")),
		w.links:      w.s.linkHandler(),
		w.tokens:     w.s.tokenHandler(),
		w.secrets:    w.secretHandler(),
		w.namespaces: w.namespaceHandler(),
		w.listeners:  exposure,
		w.multis:     exposure,
		w.connectors: exposure,
		w.exposed:    serviceHandler(services),
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	return nil
}

// serviceHandler calls f with the namespace of each Service that is made, changed or gone.
func serviceHandler(f func(namespace string)) cache.ResourceEventHandler {
	changed := func(obj any) {
		if service, ok := gone(obj).(*corev1.Service); ok {
			f(service.Namespace)
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: changed, DeleteFunc: changed, UpdateFunc: func(_, obj any) { changed(obj) }}
}

// services are those of a namespace, by name.
func (w *watches) services(namespace string) map[string]*corev1.Service {
	objs, _ := w.exposed.GetIndexer().ByIndex(byNamespace, namespace)
	out := map[string]*corev1.Service{}
	for _, obj := range objs {
		service := obj.(*corev1.Service)
		out[service.Name] = service
	}
	return out
}

// every calls f for each event.
func every(f func(*unstructured.Unstructured)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { f(obj.(*unstructured.Unstructured)) },
		UpdateFunc: func(_, obj any) { f(obj.(*unstructured.Unstructured)) },
		DeleteFunc: func(obj any) {
			if u, ok := gone(obj).(*unstructured.Unstructured); ok {
				f(u)
			}
		},
	}
}

// gone unwraps an object whose delete event was missed.
func gone(obj any) any {
	if late, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		return late.Obj
	}
	return obj
}

// secretHandler wakes whatever uses a Secret when its content changes.
func (w *watches) secretHandler() cache.ResourceEventHandler {
	wake := func(obj any) {
		secret, ok := gone(obj).(*corev1.Secret)
		if !ok {
			return
		}
		w.s.work.Add(key{"certificate", secret.Namespace, secret.Name})
		if r := w.s.router(secret.Namespace); secret.Name == siteCA || r != nil && r.issuer() == secret.Name || w.opens(secret) {
			w.s.work.Add(key{kind: "site", namespace: secret.Namespace})
		}
		w.eachLink(byCredentials, secret.Namespace+"/"+secret.Name)
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    wake,
		DeleteFunc: wake,
		UpdateFunc: func(old, obj any) {
			if !reflect.DeepEqual(old.(*corev1.Secret).Data, obj.(*corev1.Secret).Data) {
				wake(obj)
			}
		},
	}
}

// opens tells whether a RouterAccess names the Secret as its keys.
func (w *watches) opens(secret *corev1.Secret) bool {
	return slices.ContainsFunc(w.in(w.accesses, secret.Namespace), func(u *unstructured.Unstructured) bool {
		name, _, _ := unstructured.NestedString(u.Object, "spec", "tlsCredentials")
		return name == secret.Name
	})
}

// namespaceHandler looks at everything again when a switch is thrown.
func (w *watches) namespaceHandler() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{UpdateFunc: func(old, obj any) {
		was, is := old.(*corev1.Namespace), obj.(*corev1.Namespace)
		if reflect.DeepEqual(was.Annotations, is.Annotations) {
			return
		}
		w.s.work.Add(key{kind: "site", namespace: is.Name})
		w.s.slow.Add(key{kind: "network", namespace: is.Name})
		for _, obj := range w.in(w.grants, is.Name) {
			w.s.work.Add(key{"grant", is.Name, obj.GetName()})
		}
		w.eachLink(byNamespace, is.Name)
	}}
}

func (w *watches) eachLink(index, value string) {
	objs, _ := w.links.GetIndexer().ByIndex(index, value)
	for _, obj := range objs {
		u := obj.(*unstructured.Unstructured)
		w.s.work.Add(key{"link", u.GetNamespace(), u.GetName()})
	}
}

func (w *watches) start(ctx context.Context) error {
	w.skupper.Start(ctx.Done())
	w.core.Start(ctx.Done())
	for _, i := range []cache.SharedIndexInformer{
		w.sites, w.links, w.grants, w.tokens, w.certs, w.accesses, w.secrets, w.namespaces,
		w.listeners, w.multis, w.connectors, w.exposed,
	} {
		if !cache.WaitForCacheSync(ctx.Done(), i.HasSynced) {
			return fmt.Errorf("caches: %w", ctx.Err())
		}
	}
	return nil
}

func (w *watches) wait() {
	w.skupper.Shutdown()
	w.core.Shutdown()
}

// get reads one object from the cache, nil if there is none.
func (w *watches) get(i cache.SharedIndexInformer, namespace, name string) any {
	obj, ok, err := i.GetIndexer().GetByKey(namespace + "/" + name)
	if err != nil || !ok {
		return nil
	}
	return obj
}

// in lists the objects of a namespace from the cache.
func (w *watches) in(i cache.SharedIndexInformer, namespace string) []*unstructured.Unstructured {
	objs, _ := i.GetIndexer().ByIndex(byNamespace, namespace)
	out := make([]*unstructured.Unstructured, 0, len(objs))
	for _, obj := range objs {
		out = append(out, obj.(*unstructured.Unstructured))
	}
	return out
}

// secret reads a Secret from the cache, nil if there is none.
func (w *watches) secret(namespace, name string) *corev1.Secret {
	secret, _ := w.get(w.secrets, namespace, name).(*corev1.Secret)
	return secret
}

// annotation reads a switch of the namespace.
func (w *watches) annotation(namespace, name string) string {
	obj, ok, err := w.namespaces.GetIndexer().GetByKey(namespace)
	if err != nil || !ok {
		return ""
	}
	return obj.(*corev1.Namespace).Annotations[switchPrefix+name]
}
