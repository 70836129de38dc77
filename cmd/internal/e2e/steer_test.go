package e2e

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// Some tests need a controller or a router that does not do its work in one namespace.
// The sandbox's stand-in has switches for that, annotations of the namespace. On given
// clusters a real controller is told to leave the namespace to another one, which does
// not exist, and the test does what that one would do: all of it is writes of Kubernetes
// objects, so any cluster will do.

// The stand-in's switches.
const (
	switchGrants  = "sandbox.fairlead.dev/grants"
	switchSite    = "sandbox.fairlead.dev/site"
	switchVersion = "sandbox.fairlead.dev/version"
	switchReport  = "sandbox.fairlead.dev/report"
	switchQueue   = "sandbox.fairlead.dev/queue-delay"
	switchAccess  = "sandbox.fairlead.dev/access-delay"
)

// controllerChoice is the ConfigMap of a namespace that names its controller (Skupper:
// internal/kube/controller, namespaces.go).
const controllerChoice = "skupper"

// handOver gives the namespace of a site to a controller that does not exist.
// What the controller made stays, and the routers go on.
func (w *world) handOver(cluster int, site string) {
	w.t.Helper()
	w.create(cluster, "configmaps", map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": controllerChoice, "namespace": w.ns(site)},
		"data": map[string]any{"controller": "elsewhere/nobody"},
	})
}

// takeBack gives it back to the controller, and waits until that has looked at the Site: with
// an older copy of it a report meets a conflict, and no Link's status follows (Skupper:
// internal/kube/site, NetworkStatusUpdated).
func (w *world) takeBack(cluster int, site string) {
	w.t.Helper()
	at := w.ns(site)
	w.remove(cluster, at, "configmaps", controllerChoice)
	o := w.get(cluster, at, "sites", site)
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	w.patchStatus(cluster, at, "sites", site, map[string]any{"conditions": slices.DeleteFunc(conditions, func(c any) bool {
		return c.(map[string]any)["type"] == "Configured"
	})})
	w.eventually("the controller looks at the Site again", func() bool {
		return holdsTrue(w.get(cluster, at, "sites", site), "Configured")
	})
}

// turn sets a switch of the stand-in in the namespace of a site; nil unsets it.
func (w *world) turn(cluster int, site, name string, value any) {
	w.t.Helper()
	w.annotate(cluster, "", "namespaces", w.ns(site), name, value)
}

// neverReady makes a namespace in which no Site becomes ready.
func (w *world) neverReady(cluster int, site string) {
	w.t.Helper()
	if bed.sandbox {
		w.namespace(cluster, site, map[string]any{switchSite: "stuck"})
		return
	}
	w.namespace(cluster, site, nil)
	w.handOver(cluster, site)
}

// withoutGrants switches the grants of a site off that is up. Each grant there gets the
// message that a controller without a grant server sets (Skupper: internal/kube/grants, disabled.go).
func (w *world) withoutGrants(cluster int, site string) {
	w.t.Helper()
	if bed.sandbox {
		w.turn(cluster, site, switchGrants, "off")
		return
	}
	w.handOver(cluster, site)
	all := "/namespaces/" + w.ns(site) + "/accessgrants"
	w.bendBy(func(v *wires) {
		v.after = func(at int, r request) {
			var o unstructured.Unstructured
			if r.cluster == cluster && strings.HasSuffix(r.Path, all) && json.Unmarshal(r.Body, &o.Object) == nil {
				w.patchStatus(cluster, w.ns(site), "accessgrants", o.GetName(), map[string]any{"message": "AccessGrants are not enabled"})
			}
		}
	})
}

// setVersion lets a site that is up be one of another version of Skupper, until
// resetVersion.
func (w *world) setVersion(cluster int, site, version string) {
	w.t.Helper()
	if bed.sandbox {
		w.turn(cluster, site, switchVersion, version)
	} else {
		w.handOver(cluster, site)
	}
	w.eventually("the site shows its version", func() bool {
		v, _, _ := unstructured.NestedString(w.get(cluster, w.ns(site), "sites", site).Object, "status", "controller", "version")
		if v != version && !bed.sandbox {
			w.patchStatus(cluster, w.ns(site), "sites", site, map[string]any{"controller": map[string]any{"version": version}})
		}
		return v == version
	})
}

func (w *world) resetVersion(cluster int, site string) {
	w.t.Helper()
	if bed.sandbox {
		w.turn(cluster, site, switchVersion, nil)
		return
	}
	w.takeBack(cluster, site)
}

// goDown takes the router of a site that is up away, and its Site is not ready.
func (w *world) goDown(cluster int, site string) {
	w.t.Helper()
	if bed.sandbox {
		w.turn(cluster, site, switchSite, "stuck")
		return
	}
	w.handOver(cluster, site)
	if err := w.router(cluster, site, deployments).Delete(context.Background(), routerName, metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.eventually("the Site is not ready", func() bool {
		o := w.get(cluster, w.ns(site), "sites", site)
		if !holdsTrue(o, "Ready") {
			return true
		}
		w.patchStatus(cluster, w.ns(site), "sites", site, map[string]any{"conditions": notRunning(o)})
		return false
	})
}

// routerName is what the controller calls a site's router.
const routerName = "skupper-router"

var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
)

// router reaches the parts of a site's router.
func (w *world) router(cluster int, site string, kind schema.GroupVersionResource) dynamic.ResourceInterface {
	return w.dyn[cluster].Resource(kind).Namespace(w.ns(site))
}

// notRunning are the conditions of a Site whose router is gone.
func notRunning(o *unstructured.Unstructured) []any {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		if c, ok := c.(map[string]any); ok && (c["type"] == "Running" || c["type"] == "Ready") {
			c["status"], c["reason"], c["message"] = "False", "Pending", "No router pod is ready"
		}
	}
	return conditions
}

// comeBack lets the router come back. It may listen elsewhere.
func (w *world) comeBack(cluster int, site string) {
	w.t.Helper()
	if bed.sandbox {
		w.turn(cluster, site, switchSite, nil)
		return
	}
	w.takeBack(cluster, site)
	ctx := context.Background()
	w.eventually("the controller makes the router anew", func() bool {
		_, err := w.router(cluster, site, deployments).Get(ctx, routerName, metav1.GetOptions{})
		return err == nil
	})
	// The controller makes the Service anew, too: a load balancer may not follow to another router.
	if err := w.router(cluster, site, services).Delete(ctx, routerName, metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// setRouterCost gives a link's connector another cost in the configuration of its router
// (ConfigMap skupper-router, which the router's adaptor follows), behind the controller's
// back: it has the namespace no longer.
func (w *world) setRouterCost(cluster int, site, link string, cost int) {
	w.t.Helper()
	const key = "skrouterd.json"
	o := w.get(cluster, w.ns(site), "configmaps", routerName)
	text, _, _ := unstructured.NestedString(o.Object, "data", key)
	var entities [][]any
	if err := json.Unmarshal([]byte(text), &entities); err != nil {
		w.t.Fatal(err)
	}
	found := false
	for _, e := range entities {
		if settings, ok := e[1].(map[string]any); ok && e[0] == "connector" && settings["name"] == link {
			settings["cost"], found = cost, true
		}
	}
	if !found {
		w.t.Fatalf("the router of site %s has no connector %s", site, link)
	}
	changed, err := json.Marshal(entities)
	if err != nil {
		w.t.Fatal(err)
	}
	w.patch(cluster, w.ns(site), "configmaps", routerName, map[string]any{"data": map[string]any{key: string(changed)}})
}

// routersReport is the ConfigMap with the routers' report.
const routersReport = "skupper-network-status"

// freezeReport lets the routers' report of a site stand still, or never come: one that is
// immutable cannot be written, as one that is too large.
func (w *world) freezeReport(cluster int, site string) {
	w.t.Helper()
	at := w.ns(site)
	switch {
	case bed.sandbox:
		w.turn(cluster, site, switchReport, "freeze")
	case w.get(cluster, at, "configmaps", routersReport) != nil:
		w.patch(cluster, at, "configmaps", routersReport, map[string]any{"immutable": true})
	default:
		w.create(cluster, "configmaps", map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "immutable": true, "metadata": map[string]any{"name": routersReport, "namespace": at},
		})
	}
}

// thawReport lets it be written again. An adaptor writes it when something in the network
// changes (Skupper: internal/flow, status.go), such as a Listener.
func (w *world) thawReport(cluster int, site string) {
	w.t.Helper()
	if bed.sandbox {
		w.turn(cluster, site, switchReport, nil)
		return
	}
	at := w.ns(site)
	frozen := w.get(cluster, at, "configmaps", routersReport)
	w.remove(cluster, at, "configmaps", routersReport)
	w.create(cluster, "configmaps", map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": frozen.Object["data"],
		"metadata": map[string]any{"name": routersReport, "namespace": at},
	})
	w.create(cluster, "listeners", map[string]any{
		"apiVersion": "skupper.io/v2alpha1", "kind": "Listener", "metadata": map[string]any{"name": "change", "namespace": at},
		"spec": map[string]any{"routingKey": "change", "host": "change", "port": 8080},
	})
	before := textOf(frozen, "data", "NetworkStatus")
	w.eventually("there is a new report", func() bool {
		return textOf(w.get(cluster, at, "configmaps", routersReport), "data", "NetworkStatus") != before
	})
	w.remove(cluster, at, "listeners", "change")
}

// patchStatus writes into a status, as a controller does.
func (w *world) patchStatus(cluster int, namespace, kind, name string, status map[string]any) {
	w.t.Helper()
	data, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.dyn[cluster].Resource(resource(kind)).Namespace(namespace).
		Patch(context.Background(), name, types.MergePatchType, data, metav1.PatchOptions{}, "status")
	if err != nil {
		w.t.Error(err) // it is called on the goroutines of wires, too
	}
}
