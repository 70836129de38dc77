package main

import (
	"testing"
)

// sites makes a listening and a connecting site, in a cluster each.
func sites(t *testing.T, spec map[string]any, switches ...string) (hub, shop *ns) {
	t.Helper()
	hub, shop = shared.clusters[0].namespace(t, switches...), shared.clusters[1].namespace(t, switches...)
	if spec == nil {
		spec = map[string]any{"linkAccess": "default"}
	}
	hub.create("sites", "hub", spec)
	shop.create("sites", "shop", map[string]any{})
	hub.awaitTrue("sites", "hub", "Ready")
	shop.awaitTrue("sites", "shop", "Ready")
	return hub, shop
}

// token makes a grant and a token for it.
func token(hub, shop *ns, name string, linkCost int64) {
	hub.t.Helper()
	hub.create("accessgrants", name, map[string]any{"expirationWindow": "5m"})
	grant := hub.awaitTrue("accessgrants", name, "Ready")
	spec := map[string]any{"url": str(grant, "status", "url"), "code": str(grant, "status", "code"), "ca": str(grant, "status", "ca")}
	if linkCost != 0 {
		spec["linkCost"] = linkCost
	}
	shop.create("accesstokens", name, spec)
}

// linked makes a link by token and waits until it is ready.
func linked(hub, shop *ns, name string) *obj {
	hub.t.Helper()
	token(hub, shop, name, 0)
	shop.awaitTrue("accesstokens", name, "Redeemed")
	shop.configure(name)
	return shop.awaitTrue("links", name, "Ready")
}

func TestTokenToReadyLink(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	token(hub, shop, "one", 7)
	shop.awaitTrue("accesstokens", "one", "Redeemed")
	if got := str(shop.get("links", "one"), "spec", "cost"); got != "7" {
		t.Errorf("cost %s, want the token's 7", got)
	}
	never(t, func() string { return is(shop.get("links", "one"), "Configured") })
	shop.configure("one")
	link := shop.awaitTrue("links", "one", "Ready")
	if got, want := str(link, "status", "remoteSiteName"), "hub"; got != want {
		t.Errorf("remote site %q, want %q", got, want)
	}
	if got, want := str(link, "status", "remoteSiteId"), string(hub.get("sites", "hub").GetUID()); got != want {
		t.Errorf("remote site %q, want %q", got, want)
	}
	for _, side := range []struct {
		*ns
		site string
	}{{hub, "hub"}, {shop, "shop"}} {
		side.await("sites", side.site, "in a network of two", func(u *obj) bool { return str(u, "status", "sitesInNetwork") == "2" })
	}
}
