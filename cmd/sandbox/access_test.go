package main

import (
	"io"
	"net"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// elsewhere is a port at an address that no site knows, 127.0.0.2, from which a relay leads
// to what to gives.
func elsewhere(t *testing.T, to func() string) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			down, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(down, to())
		}
	}()
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port
}

func relay(down net.Conn, to string) {
	defer down.Close()
	up, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		io.Copy(up, down)
		up.Close()
	}()
	io.Copy(down, up)
}

// interRouter is the address of a RouterAccess for links.
func (n *ns) interRouter(access string) string {
	n.t.Helper()
	endpoints, _, _ := unstructured.NestedSlice(n.get("routeraccesses", access).Object, "status", "endpoints")
	for _, item := range endpoints {
		if e := item.(map[string]any); e["name"] == "inter-router" {
			return net.JoinHostPort(e["host"].(string), e["port"].(string))
		}
	}
	n.t.Fatalf("RouterAccess %s has no endpoint", access)
	return ""
}

// What somebody changes of the RouterAccess that a listening Site has is undone.
func TestRouterAccessOfASiteIsTheControllers(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	want := str(hub.get("routeraccesses", "skupper-router"), "spec")
	hub.patch("routeraccesses", "skupper-router", `{"spec":{"subjectAlternativeNames":["hub.example.com"],"roles":[{"name":"edge","port":1}]}}`)
	hub.await("routeraccesses", "skupper-router", "as it was", func(u *obj) bool { return u.GetGeneration() == 3 && str(u, "spec") == want })
	linked(hub, shop, "one")
}

// A link to an address that is not in the server certificate never comes up, and only the
// router's log says why. With a Certificate and a RouterAccess of one's own it works.
func TestAddressThatTheClusterDoesNotKnow(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	certified(hub, shop, "one")
	outside := func(access string) []any {
		port := elsewhere(t, func() string { return hub.interRouter(access) })
		return []any{map[string]any{"name": "inter-router", "host": "127.0.0.2", "port": port}}
	}
	shop.create("links", "one", map[string]any{"endpoints": outside("skupper-router"), "tlsCredentials": "one"})
	shop.configure("one")
	never(t, func() string {
		if u := shop.get("links", "one"); observed(u, "Operational") != "" || str(u, "status", "message") != "Not Operational" {
			return "Operational is " + observed(u, "Operational")
		}
		return ""
	})
	hub.create("certificates", "outside", map[string]any{"ca": "skupper-site-ca", "subject": "127.0.0.2", "server": true, "hosts": []any{"127.0.0.2"}})
	hub.create("routeraccesses", "outside", map[string]any{
		"tlsCredentials": "outside", "accessType": "local", "roles": []any{map[string]any{"name": "inter-router", "port": int64(55672)}},
	})
	hub.awaitTrue("routeraccesses", "outside", "Resolved")
	shop.create("links", "two", map[string]any{"endpoints": outside("outside"), "tlsCredentials": "one"})
	shop.configure("two")
	shop.awaitTrue("links", "two", "Ready")
}

// Every RouterAccess adds its endpoints to the Site's, in one group; a redeemed token
// carries all of them. Which come first is by chance.
func TestEndpointsOfSeveralRouterAccesses(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	for _, name := range []string{"a", "b", "c"} {
		hub.create("routeraccesses", name, map[string]any{
			"tlsCredentials": "skupper-site-server", "generateTlsCredentials": true, "roles": []any{map[string]any{"name": "inter-router"}},
		})
	}
	hub.await("sites", "hub", "with five endpoints", func(*obj) bool { return len(hub.endpoints()) == 5 })
	order := hub.endpoints()
	own := hub.interRouter("skupper-router")
	first, tokens := map[bool]bool{}, 0
	for ; len(first) < 2 && tokens < 20; tokens++ { // one order alone comes up once in a million times
		name := "one-" + string(rune('a'+tokens))
		token(hub, shop, name, 0)
		shop.awaitTrue("accesstokens", name, "Redeemed")
		endpoints, _, _ := unstructured.NestedSlice(shop.get("links", name).Object, "spec", "endpoints")
		if len(endpoints) != 5 {
			t.Fatalf("a Link with %d endpoints", len(endpoints))
		}
		e := endpoints[0].(map[string]any)
		first[net.JoinHostPort(e["host"].(string), e["port"].(string)) == own] = true
	}
	if len(first) < 2 {
		t.Errorf("one endpoint came first in each of %d Links", tokens)
	}
	if !slices.EqualFunc(order, hub.endpoints(), func(a, b any) bool { return a.(map[string]any)["port"] == b.(map[string]any)["port"] }) {
		t.Error("the Site's endpoints change their order while they stay the same")
	}
}

// A username without a password has the router wait for a file that nobody writes.
func TestProxyWithoutPassword(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t)
	hub, shop := sites(t, nil)
	certified(hub, shop, "one")
	data := proxy.data()
	delete(data, "password")
	shop.store("corp", corev1.SecretTypeBasicAuth, data)
	shop.create("links", "one", map[string]any{"endpoints": hub.endpoints(), "tlsCredentials": "one",
		"settings": map[string]any{"proxy-configuration": "corp"}})
	shop.configure("one")
	never(t, func() string {
		if u := shop.get("links", "one"); is(u, "Ready") != "False" || str(u, "status", "message") != "Not Operational" {
			return "Ready is " + is(u, "Ready")
		}
		return ""
	})
	if n := proxy.asked.Load(); n != 0 {
		t.Errorf("the proxy was asked %d times", n)
	}
}

// A touch that comes before the creation was handled is one with it.
func TestLostTouch(t *testing.T) {
	t.Parallel()
	hub, _ := sites(t, nil)
	shop := shared.clusters[1].namespace(t, "queue-delay", "1s")
	shop.create("sites", "shop", map[string]any{})
	shop.awaitTrue("sites", "shop", "Ready")
	certified(hub, shop, "one")
	shop.create("links", "one", map[string]any{"endpoints": hub.endpoints(), "tlsCredentials": "one"})
	shop.touch("links", "one")
	never(t, func() string { return is(shop.get("links", "one"), "Configured") })
	shop.touch("links", "one")
	shop.awaitTrue("links", "one", "Ready")
}
