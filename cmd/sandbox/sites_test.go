package main

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestSecondSiteIsRefused(t *testing.T) {
	t.Parallel()
	n := shared.clusters[0].namespace(t)
	n.create("sites", "first", map[string]any{})
	n.awaitTrue("sites", "first", "Ready")
	n.create("sites", "second", map[string]any{})
	n.await("sites", "second", "refused", func(u *obj) bool {
		return is(u, "Configured") == "False" && str(u, "status", "message") == "An active site already exists in the namespace"
	})
	n.remove("sites", "first")
	n.awaitTrue("sites", "second", "Ready")
}

func TestStuckSite(t *testing.T) {
	t.Parallel()
	n := shared.clusters[0].namespace(t, "site", "stuck")
	n.create("sites", "hub", map[string]any{"linkAccess": "default"})
	n.await("sites", "hub", "stuck", func(u *obj) bool { return is(u, "Configured") == "True" && is(u, "Running") == "False" })
	never(t, func() string {
		if is(n.get("sites", "hub"), "Ready") != "False" {
			return "ready"
		}
		return ""
	})
	n.set("site", "")
	n.awaitTrue("sites", "hub", "Ready")
}

func TestSiteMadeAgainHasNewCA(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	linked(hub, shop, "one")
	hub.remove("sites", "hub")
	hub.create("sites", "hub", map[string]any{"linkAccess": "default"})
	again := hub.awaitTrue("sites", "hub", "Ready")
	// The link's endpoints and certificate are those of the old site.
	shop.await("links", "one", "not operational", func(u *obj) bool { return is(u, "Operational") == "False" })
	endpoints, _, _ := unstructured.NestedFieldCopy(again.Object, "status", "endpoints")
	link := shop.get("links", "one")
	if err := unstructured.SetNestedField(link.Object, endpoints, "spec", "endpoints"); err != nil {
		t.Fatal(err)
	}
	if _, err := shop.of("links").Update(t.Context(), link, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	never(t, func() string {
		return map[bool]string{true: "the old certificate works"}[is(shop.get("links", "one"), "Operational") == "True"]
	})
	linked(hub, shop, "two")
	secret, err := hub.core.CoreV1().Secrets(hub.name).Get(t.Context(), "skupper-site-ca", metav1.GetOptions{})
	if err != nil || secret.OwnerReferences[0].UID != again.GetUID() {
		t.Errorf("CA: %v %v", err, secret.OwnerReferences)
	}
}

func TestMistakenSite(t *testing.T) {
	t.Parallel()
	hub, _ := sites(t, nil)
	hub.set("site", "missed")
	hub.remove("sites", "hub")
	hub.create("sites", "hub", map[string]any{"linkAccess": "default"})
	hub.await("sites", "hub", "without a router", func(u *obj) bool {
		return is(u, "Configured") == "False" && str(u, "status", "message") == `configmaps "skupper-router" not found`
	})
	hub.remove("sites", "hub")
	hub.create("sites", "hub", map[string]any{"linkAccess": "default"})
	hub.awaitTrue("sites", "hub", "Ready")
}

func TestDeletedSiteTakesItsOwnAlong(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	linked(hub, shop, "one")
	shop.remove("sites", "shop")
	shop.await("links", "one", "gone", func(u *obj) bool { return u == nil })
	for _, name := range []string{"one", "skupper-site-ca"} {
		eventually(t, func() string {
			_, err := shop.core.CoreV1().Secrets(shop.name).Get(t.Context(), name, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return ""
			}
			return "Secret " + name + " is still there"
		})
	}
	hub.await("sites", "hub", "alone", func(u *obj) bool { return str(u, "status", "sitesInNetwork") == "1" })
}

func TestLinkAccessOffLeavesRouterAccess(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	linked(hub, shop, "one")
	hub.patch("sites", "hub", `{"spec":{"linkAccess":"none"}}`)
	site := hub.awaitTrue("sites", "hub", "Ready")
	if got := is(site, "Resolved"); got != "" {
		t.Errorf("Resolved is %s, want none", got)
	}
	never(t, func() string {
		return map[bool]string{false: "the link went down"}[is(shop.get("links", "one"), "Ready") == "True"]
	})
	hub.remove("routeraccesses", "skupper-router")
	shop.await("links", "one", "not operational", func(u *obj) bool { return is(u, "Operational") == "False" })
}

func TestHighlyAvailableSite(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, map[string]any{"linkAccess": "default", "ha": true})
	endpoints, _, _ := unstructured.NestedSlice(hub.get("sites", "hub").Object, "status", "endpoints")
	if len(endpoints) != 4 {
		t.Errorf("%d endpoints, want 4", len(endpoints))
	}
	token(hub, shop, "one", 0)
	shop.awaitTrue("accesstokens", "one", "Redeemed")
	for _, name := range []string{"one-1", "one-2"} {
		shop.configure(name)
		shop.awaitTrue("links", name, "Ready")
	}
	hub.patch("sites", "hub", `{"spec":{"ha":false}}`)
	hub.await("sites", "hub", "of one group", func(u *obj) bool {
		e, _, _ := unstructured.NestedSlice(u.Object, "status", "endpoints")
		return len(e) == 2
	})
	eventually(t, func() string {
		one, two := is(shop.get("links", "one-1"), "Ready"), is(shop.get("links", "one-2"), "Ready")
		if one != two {
			return ""
		}
		return "both links are " + one
	})
}

func TestEdgeSite(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	link := linked(hub, shop, "one")
	shop.patch("sites", "shop", `{"spec":{"edge":true}}`)
	shop.awaitTrue("links", "one", "Ready")
	endpoints, _, _ := unstructured.NestedSlice(link.Object, "spec", "endpoints")
	var inter []any
	for _, e := range endpoints {
		if e.(map[string]any)["name"] == "inter-router" {
			inter = append(inter, e)
		}
	}
	shop.create("links", "two", map[string]any{"endpoints": inter, "tlsCredentials": "one"})
	shop.configure("two")
	two := shop.awaitTrue("links", "two", "Configured")
	if got := is(two, "Ready"); got != "False" {
		t.Errorf("an edge site's link without an edge endpoint has Ready %s", got)
	}
	hub.patch("sites", "hub", `{"spec":{"edge":true}}`)
	hub.await("sites", "hub", "without endpoints", func(u *obj) bool { return str(u, "status", "endpoints") == "" })
	shop.await("links", "one", "not operational", func(u *obj) bool { return is(u, "Operational") == "False" })
}
