package main

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// service awaits that a Service of this name has this port, or, with 0, that there is none.
func (n *ns) service(name string, port int32) *corev1.Service {
	n.t.Helper()
	var found *corev1.Service
	eventually(n.t, func() string {
		s, err := n.core.CoreV1().Services(n.name).Get(n.t.Context(), name, metav1.GetOptions{})
		switch found = s; {
		case err != nil && port == 0:
			return ""
		case err != nil:
			return err.Error()
		case port == 0:
			return "Service " + name + " is there"
		case len(s.Spec.Ports) != 1 || s.Spec.Ports[0].Port != port:
			return fmt.Sprintf("Service %s has ports %v", name, s.Spec.Ports)
		}
		return ""
	})
	return found
}

func listener(key, host string, port int64) map[string]any {
	return map[string]any{"routingKey": key, "host": host, "port": port}
}

func (n *ns) inError(plural, name, message string) {
	n.t.Helper()
	n.await(plural, name, message, func(u *obj) bool {
		return is(u, "Configured") == "False" && str(u, "status", "status") == "Error" && str(u, "status", "message") == message
	})
}

func TestListenersMakeServices(t *testing.T) {
	t.Parallel()
	_, shop := sites(t, nil)
	shop.create("listeners", "one", listener("web", "web", 80))
	made := shop.service("web", 80)
	if made.Spec.Type != corev1.ServiceTypeClusterIP || made.Spec.Ports[0].TargetPort.IntValue() < 1024 || made.OwnerReferences[0].Kind != "Site" {
		t.Errorf("Service: %+v", made)
	}
	shop.await("listeners", "one", "unmatched", func(u *obj) bool {
		return is(u, "Configured") == "True" && is(u, "Matched") == "False" && str(u, "status", "message") == "No matching connectors"
	})
	shop.patch("listeners", "one", `{"spec":{"port":81,"routingKey":"other"}}`)
	shop.service("web", 81)
	shop.patch("listeners", "one", `{"spec":{"host":"elsewhere"}}`)
	shop.service("elsewhere", 81)
	shop.service("web", 0)
	shop.remove("listeners", "one")
	shop.service("elsewhere", 0)
}

func TestListenersInConflict(t *testing.T) {
	t.Parallel()
	_, shop := sites(t, nil)
	mine := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1}}}}
	if _, err := shop.core.CoreV1().Services(shop.name).Create(t.Context(), mine, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	shop.create("listeners", "l0", listener("web", "mine", 80))
	shop.inError("listeners", "l0", "Service mine already exists in namespace")
	shop.create("listeners", "l1", listener("web", "same", 80))
	shop.awaitTrue("listeners", "l1", "Configured")
	shop.create("listeners", "l2", listener("web", "same", 80))
	shop.inError("listeners", "l2", "Listener l1 with host same and port 80 already exists in namespace")
	shop.service("mine", 1)
	shop.service("same", 80)
	shop.remove("listeners", "l1")
	shop.awaitTrue("listeners", "l2", "Configured")

	lonely := shared.clusters[0].namespace(t)
	lonely.create("connectors", "c", map[string]any{"routingKey": "web", "host": "web", "port": int64(80)})
	lonely.inError("connectors", "c", "No active site in namespace")
	shop.create("connectors", "c", map[string]any{"routingKey": "web", "selector": "app=web", "port": int64(80)})
	shop.inError("connectors", "c", "No pods match selector")
}

// Keys are matched across the whole network. A service is part of the network that the
// controller sees, so it looks at links again.
func TestListenersAndConnectorsMatch(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	linked(hub, shop, "one")
	shop.create("listeners", "web", listener("web", "web", 80))
	shop.create("multikeylisteners", "both", map[string]any{"host": "both", "port": int64(80),
		"strategy": map[string]any{"priority": map[string]any{"routingKeys": []any{"none", "web"}}}})
	shop.create("multikeylisteners", "shares", map[string]any{"host": "shares", "port": int64(80),
		"strategy": map[string]any{"weighted": map[string]any{"routingKeys": map[string]any{"web": int64(3), "none": int64(1)}}}})
	shop.await("multikeylisteners", "both", "without a destination", func(u *obj) bool {
		return is(u, "Operational") == "False" && str(u, "status", "hasDestination") == ""
	})
	shop.service("both", 80)
	shop.patch("links", "one", `{"spec":{"cost":7}}`)
	shop.awaitTrue("links", "one", "Configured")
	hub.create("connectors", "web", map[string]any{"routingKey": "web", "host": "10.0.0.1", "port": int64(80)})
	hub.await("connectors", "web", "matched", func(u *obj) bool {
		return is(u, "Ready") == "True" && str(u, "status", "hasMatchingListener") == "true"
	})
	shop.await("listeners", "web", "matched", func(u *obj) bool {
		return is(u, "Ready") == "True" && str(u, "status", "hasMatchingConnector") == "true"
	})
	both := shop.await("multikeylisteners", "both", "with a destination", func(u *obj) bool { return is(u, "Ready") == "True" && str(u, "status", "hasDestination") == "true" })
	if got := str(both, "status", "strategy", "priority", "routingKeysReachable"); got != "[web]" {
		t.Errorf("keys reachable: %s", got)
	}
	if got := str(shop.awaitTrue("multikeylisteners", "shares", "Ready"), "status", "strategy", "weighted", "routingKeysReachable"); got != "map[web:3]" {
		t.Errorf("weights reachable: %s", got)
	}
	shop.awaitTrue("links", "one", "Operational")
	shop.remove("links", "one")
	shop.await("listeners", "web", "unmatched", func(u *obj) bool { return is(u, "Matched") == "False" })
	hub.await("connectors", "web", "unmatched", func(u *obj) bool { return is(u, "Matched") == "False" })
}
