package e2e

import (
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A RouterAccess of somebody's own adds endpoints to the Site's, in the same group and in no
// fixed order. A link by certificate follows them, and their order is no difference.
func TestRouterAccessOfOnesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const open = `linkAccess: "default"`
	w.byCertificate(open, "", `via: "certificate"`)
	w.up()
	endpoints := func() int {
		list, _, _ := unstructured.NestedSlice(w.get(0, w.ns("hub"), "sites", "hub").Object, "status", "endpoints")
		return len(list)
	}
	for _, name := range []string{"a", "b"} {
		w.create(0, "routeraccesses", map[string]any{
			"apiVersion": "skupper.io/v2alpha1", "kind": "RouterAccess", "metadata": map[string]any{"name": name, "namespace": w.ns("hub")},
			"spec": map[string]any{
				"tlsCredentials": "skupper-site-server", "generateTlsCredentials": true, "accessType": otherAccess(),
				"roles": []any{map[string]any{"name": "inter-router", "port": map[string]int64{"a": 55672, "b": 55673}[name]}},
			},
		})
	}
	w.eventually("the hub shows four endpoints", func() bool { return endpoints() == 4 })
	w.up()
	for _, name := range []string{"a", "b"} {
		w.remove(0, w.ns("hub"), "routeraccesses", name)
	}
	w.eventually("the hub shows two endpoints", func() bool { return endpoints() == 2 })
	w.up()
	w.healthy()
}

// A Site whose access changed is Ready before its endpoints are the new ones, and a token
// carries the old: the link follows within the same apply.
func TestAccessChangesLate(t *testing.T) {
	t.Parallel()
	if !bed.sandbox {
		t.Skip("how long a controller takes for a new address cannot be chosen: TestRows changes the access of each kind of network there")
	}
	for name, extra := range map[string]string{"one router": "", "two routers": ", ha: true"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sites, links := hubAndSpoke()
			sites[0].extra = `linkAccess: "default"` + extra
			w.applied(sites, links)
			w.healthy()
			w.turn(0, "hub", switchAccess, "3s")
			sites[0].extra = `linkAccess: "nodeport"` + extra
			w.describe(sites, links)
			w.must(0, "apply", "--yes", "--timeout", "60s")
			w.healthy()
			w.must(0, "plan", "--detailed-exitcode")
			links[0].cost = 5 // what is written later leaves the endpoints
			w.applied(sites, links)
			w.healthy()
		})
	}
}

// A Link keeps the addresses that somebody gave it and a rule leaves alone, also while an apply
// waits for it in vain: only a Link that the apply makes follows its listening site.
func TestAddressesThatARuleLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.byCertificate(`linkAccess: "default"`, "", `via: "certificate"`)
	w.file("policy.cue", "package test\n\npolicy: ignore: [{path: \"link/*/endpoints\", reason: \"a way around\"}]\n")
	w.up()
	w.byCertificate(`linkAccess: "default", ha: true`, "", `via: "certificate"`)
	w.up()
	endpoints := func() []any {
		list, _, _ := unstructured.NestedSlice(w.get(1, w.ns("spoke"), "links", "spoke-hub").Object, "spec", "endpoints")
		return list
	}
	around := endpoints()
	for _, e := range around {
		e.(map[string]any)["port"] = "1" // nobody listens there
	}
	w.patch(1, w.ns("spoke"), "links", "spoke-hub", map[string]any{"spec": map[string]any{"endpoints": around}})
	w.tells(0, "link-down", "link/spoke-hub") // the other one is up
	w.byCertificate(`linkAccess: "default"`, "", `via: "certificate"`)
	w.must(8, "apply", "--yes", "--timeout", "20s")
	if now := endpoints(); !reflect.DeepEqual(now, around) {
		t.Errorf("the Link leads to %v, not to %v", now, around)
	}
}
