package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// copyLink makes a Link under another name, or the same again.
func (n *ns) copyLink(link *obj, name string, cost int64) {
	n.t.Helper()
	spec, _, _ := unstructured.NestedMap(link.Object, "spec")
	spec["cost"] = cost
	n.create("links", name, spec)
	n.configure(name)
}

// network gives the site's links in the routers' report: status and cost.
func (n *ns) network(site string) map[string]string {
	n.t.Helper()
	out := map[string]string{}
	for _, row := range n.rows() {
		if row.site == site {
			out[row.link] = row.state
		}
	}
	return out
}

func (n *ns) awaitNetwork(site, link, want string) {
	n.t.Helper()
	eventually(n.t, func() string {
		if got := n.network(site)[link]; got != want {
			return fmt.Sprintf("link %s is %q in the report, want %q", link, got, want)
		}
		return ""
	})
}

func TestLinkMadeAgainStaysNotOperational(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	link := linked(hub, shop, "one")
	shop.awaitNetwork("shop", "one", "up 1")
	shop.remove("links", "one")
	shop.awaitNetwork("shop", "one", "")
	shop.copyLink(link, "one", 1)
	shop.awaitTrue("links", "one", "Configured")
	shop.awaitNetwork("shop", "one", "up 1")
	never(t, func() string {
		if u := shop.get("links", "one"); observed(u, "Operational") != "" || is(u, "Ready") != "False" {
			return "the link made again has Operational " + observed(u, "Operational")
		}
		return ""
	})
	// Another name works, and its news heals the first.
	shop.copyLink(link, "two", 1)
	shop.awaitTrue("links", "two", "Ready")
	shop.awaitTrue("links", "one", "Ready")
}

func TestCostIsLiveSince220(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	linked(hub, shop, "one")
	shop.patch("links", "one", `{"spec":{"cost":5}}`)
	shop.awaitNetwork("shop", "one", "up 5")
	shop.awaitTrue("links", "one", "Ready")
	shop.patch("links", "one", `{"spec":{"cost":-3}}`)
	shop.awaitNetwork("shop", "one", "up 1")
	shop.set("version", "2.1.3")
	shop.await("sites", "shop", "older", func(u *obj) bool { return str(u, "status", "controller", "version") == "2.1.3" })
	shop.patch("links", "one", `{"spec":{"cost":9}}`)
	shop.awaitTrue("links", "one", "Configured")
	never(t, func() string {
		if got := shop.network("shop")["one"]; got != "up 1" {
			return "cost reached the router: " + got
		}
		return ""
	})
}

func TestParallelLinksAndDelete(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	link := linked(hub, shop, "one")
	shop.copyLink(link, "two", 4)
	shop.awaitTrue("links", "two", "Ready")
	shop.awaitTrue("links", "one", "Ready")
	shop.remove("links", "one")
	shop.awaitNetwork("shop", "one", "")
	shop.awaitTrue("links", "two", "Ready")
	if _, err := shop.core.CoreV1().Secrets(shop.name).Get(t.Context(), "one", metav1.GetOptions{}); err != nil {
		t.Errorf("Secret of the deleted link: %v", err)
	}
}

func TestNoUsableEndpoint(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	linked(hub, shop, "one")
	shop.create("links", "two", map[string]any{"tlsCredentials": "one",
		"endpoints": []any{map[string]any{"name": "other", "host": "127.0.0.1", "port": "1"}}})
	shop.configure("two")
	shop.awaitTrue("links", "two", "Configured")
	shop.await("links", "two", "not operational", func(u *obj) bool { return is(u, "Ready") == "False" && observed(u, "Operational") == "" })
}

func TestGrantIsSpentBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(hub, shop *ns){
		"secret taken": func(_, shop *ns) {
			_, err := shop.core.CoreV1().Secrets(shop.name).Create(shop.t.Context(),
				&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "one"}}, metav1.CreateOptions{})
			if err != nil {
				shop.t.Fatal(err)
			}
		},
		"link taken": func(_, shop *ns) {
			shop.create("links", "one", map[string]any{"endpoints": []any{}})
		},
		"reply dropped": func(hub, _ *ns) { hub.set("grant-server", "drop-reply") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub, shop := sites(t, nil)
			prepare(hub, shop)
			token(hub, shop, "one", 0)
			got := shop.await("accesstokens", "one", "failed with 404", func(u *obj) bool {
				return str(u, "status", "status") == "Error" && strings.Contains(str(u, "status", "message"), "404 (Not Found)")
			})
			if str(got, "status", "redeemed") == "true" || is(got, "Redeemed") != "False" {
				t.Errorf("token: %v", got.Object["status"])
			}
			grant := hub.awaitTrue("accessgrants", "one", "Ready")
			if made := str(grant, "status", "redemptions"); made != "1" {
				t.Errorf("%s redemptions, want 1", made)
			}
		})
	}
}

func TestGrantServerRefuses(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	hub.set("grant-server", "refuse")
	token(hub, shop, "one", 0)
	shop.await("accesstokens", "one", "refused", func(u *obj) bool {
		return strings.Contains(str(u, "status", "message"), "503 (Service Unavailable)")
	})
	if made := str(hub.get("accessgrants", "one"), "status", "redemptions"); made != "" {
		t.Errorf("%s redemptions, want none", made)
	}
	hub.set("grant-server", "")
	shop.touch("accesstokens", "one")
	shop.awaitTrue("accesstokens", "one", "Redeemed")
}

// A grant that changes while it is redeemed answers 503. The token is tried again at once,
// and its Link comes then, also when the grant is gone by that time.
func TestGrantChangesWhileItIsRedeemed(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	hub.set("grant-server", "conflict")
	hub.set("reply-delay", "1s")
	token(hub, shop, "one", 0)
	shop.await("accesstokens", "one", "refused", func(u *obj) bool {
		return strings.Contains(str(u, "status", "message"), "503 (Service Unavailable)")
	})
	hub.await("accessgrants", "one", "counted", func(u *obj) bool { return str(u, "status", "redemptions") == "1" })
	hub.remove("accessgrants", "one")
	shop.awaitTrue("accesstokens", "one", "Redeemed")
	shop.configure("one")
	shop.awaitTrue("links", "one", "Ready")
}

func TestGrantDefaults(t *testing.T) {
	t.Parallel()
	hub := shared.clusters[0].namespace(t)
	begin := time.Now()
	hub.create("accessgrants", "bare", map[string]any{})
	grant := hub.awaitTrue("accessgrants", "bare", "Ready")
	if got := str(grant, "spec", "redemptionsAllowed"); got != "1" {
		t.Errorf("redemptionsAllowed %s, want 1", got)
	}
	expires, err := time.Parse(time.RFC3339, str(grant, "status", "expirationTime"))
	if left := expires.Sub(begin); err != nil || left < 9*time.Minute || left > 11*time.Minute {
		t.Errorf("expires in %s (%v), want 10m", left, err)
	}
	hub.patch("accessgrants", "bare", `{"spec":{"code":"other","expirationWindow":"1h"}}`)
	after := hub.awaitTrue("accessgrants", "bare", "Ready")
	for _, field := range []string{"code", "expirationTime"} {
		if str(after, "status", field) != str(grant, "status", field) {
			t.Errorf("status.%s changed", field)
		}
	}
}

func TestGrantsOff(t *testing.T) {
	t.Parallel()
	hub := shared.clusters[0].namespace(t, "grants", "off")
	// The switch must have reached the stand-in: a Site shows when it has.
	hub.create("sites", "hub", map[string]any{})
	hub.awaitTrue("sites", "hub", "Ready")
	hub.create("accessgrants", "one", map[string]any{})
	grant := hub.await("accessgrants", "one", "refused", func(u *obj) bool {
		return str(u, "status", "message") == "AccessGrants are not enabled"
	})
	if str(grant, "status", "conditions") != "" || str(grant, "status", "url") != "" {
		t.Errorf("status: %v", grant.Object["status"])
	}
	hub.set("grants", "")
	hub.awaitTrue("accessgrants", "one", "Ready")
}

func TestReportDelay(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	shop.set("report-delay", "1h")
	token(hub, shop, "one", 0)
	shop.awaitTrue("accesstokens", "one", "Redeemed")
	shop.configure("one")
	shop.awaitTrue("links", "one", "Configured")
	shop.awaitNetwork("shop", "one", "up 1")
	never(t, func() string {
		if is(shop.get("links", "one"), "Operational") == "True" {
			return "operational in spite of the delay"
		}
		return ""
	})
	shop.set("report-delay", "")
	shop.awaitTrue("links", "one", "Ready")
}
