package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// post asks the grant server as a controller does and gives the HTTP status.
func post(t *testing.T, grant *obj, method, url, code string, maxTLS uint16) (int, error) {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(str(grant, "status", "ca")))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MaxVersion: maxTLS}, DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(code))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("name", "x")
	req.Header.Set("subject", "y")
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func TestGrantServerAnswers(t *testing.T) {
	t.Parallel()
	hub := shared.clusters[0].namespace(t)
	hub.create("accessgrants", "one", map[string]any{"redemptionsAllowed": int64(2)})
	hub.create("accessgrants", "short", map[string]any{"expirationWindow": "0s"})
	grant := hub.awaitTrue("accessgrants", "one", "Ready")
	short := hub.awaitTrue("accessgrants", "short", "Ready")
	url, code := str(grant, "status", "url"), str(grant, "status", "code")
	if want := "/" + string(grant.GetUID()); !strings.HasPrefix(url, "https://127.0.0.1:") || !strings.HasSuffix(url, want) {
		t.Errorf("url %s", url)
	}
	if _, err := post(t, grant, http.MethodPost, url, code, tls.VersionTLS12); err == nil {
		t.Error("TLS 1.2 is accepted")
	}
	ask := func(method, url, code string, want int) {
		t.Helper()
		if got, err := post(t, grant, method, url, code, 0); err != nil || got != want {
			t.Errorf("%s: %d %v, want %d", method, got, err, want)
		}
	}
	ask(http.MethodGet, url, code, http.StatusMethodNotAllowed)
	ask(http.MethodPost, url+"0", code, http.StatusNotFound)
	ask(http.MethodPost, url, "wrong", http.StatusForbidden)
	eventually(t, func() string {
		got, err := post(t, short, http.MethodPost, str(short, "status", "url"), str(short, "status", "code"), 0)
		if err != nil || got != http.StatusNotFound {
			return "the expired grant is not refused"
		}
		return ""
	})
	// No site, so nothing can be generated, and the redemption is spent.
	ask(http.MethodPost, url, code, http.StatusInternalServerError)
	hub.create("sites", "hub", map[string]any{"linkAccess": "default"})
	hub.awaitTrue("sites", "hub", "Ready")
	ask(http.MethodPost, url, code, http.StatusOK)
	ask(http.MethodPost, url, code, http.StatusNotFound)
	if made := str(hub.awaitTrue("accessgrants", "one", "Ready"), "status", "redemptions"); made != "2" {
		t.Errorf("%s redemptions, want 2", made)
	}
}

func TestOneRedemptionForManyTokens(t *testing.T) {
	t.Parallel()
	const tokens = 6
	hub, first := sites(t, nil)
	hub.create("accessgrants", "one", map[string]any{})
	grant := hub.awaitTrue("accessgrants", "one", "Ready")
	shops := []*ns{first}
	for range tokens - 1 {
		n := shared.clusters[1].namespace(t)
		n.create("sites", "shop", map[string]any{})
		shops = append(shops, n)
	}
	for _, shop := range shops {
		shop.create("accesstokens", "one", map[string]any{
			"url": str(grant, "status", "url"), "code": str(grant, "status", "code"), "ca": str(grant, "status", "ca"),
		})
	}
	redeemed := 0
	for _, shop := range shops {
		u := shop.await("accesstokens", "one", "settled", func(u *obj) bool { return is(u, "Redeemed") != "" })
		if is(u, "Redeemed") == "True" {
			redeemed++
		}
	}
	if redeemed != 1 {
		t.Errorf("%d tokens redeemed, want 1", redeemed)
	}
}

func TestRedeemedTokenIsInert(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	linked(hub, shop, "one")
	shop.touch("accesstokens", "one")
	never(t, func() string {
		return map[bool]string{false: "the token changed"}[is(shop.get("accesstokens", "one"), "Redeemed") == "True"]
	})
	shop.remove("accesstokens", "one")
	never(t, func() string {
		return map[bool]string{false: "the link changed"}[is(shop.get("links", "one"), "Ready") == "True"]
	})
}

func TestRightsAreChecked(t *testing.T) {
	t.Parallel()
	cfg, err := clientcmd.BuildConfigFromFlags("", shared.Kubeconfigs[0])
	if err != nil {
		t.Fatal(err)
	}
	cfg.Impersonate = rest.ImpersonationConfig{UserName: "nobody"}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("nobody lists Secrets: %v", err)
	}
}

// Whoever reads a grant's code may redeem it at once: it is known to the grant server then.
func TestGrantIsKnownBeforeItIsSeen(t *testing.T) {
	t.Parallel()
	hub, _ := sites(t, nil)
	watch, err := hub.of("accessgrants").Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	const grants = 40
	var all sync.WaitGroup
	defer all.Wait()
	for i := range grants {
		all.Go(func() { // with other work, behind which the controller's own events wait
			for j := range 5 {
				hub.create("certificates", fmt.Sprintf("c%d-%d", i, j), map[string]any{"ca": "skupper-site-ca", "subject": "x", "client": true})
			}
			hub.create("accessgrants", fmt.Sprintf("g%d", i), map[string]any{})
		})
	}
	asked := map[string]bool{}
	for event := range watch.ResultChan() {
		grant := event.Object.(*obj)
		url, code := str(grant, "status", "url"), str(grant, "status", "code")
		if code == "" || asked[url] {
			continue
		}
		asked[url] = true
		if got, err := post(t, grant, http.MethodPost, url, code, 0); err != nil || got == http.StatusNotFound || got == http.StatusForbidden {
			t.Errorf("%s: %d %v", grant.GetName(), got, err)
		}
		if len(asked) == grants {
			return
		}
	}
	t.Fatalf("the watch ended after %d grants", len(asked))
}
