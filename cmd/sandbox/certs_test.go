package main

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func (n *ns) secret(name string) *corev1.Secret {
	n.t.Helper()
	s, err := n.core.CoreV1().Secrets(n.name).Get(n.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
	return s
}

func (n *ns) store(name string, kind corev1.SecretType, data map[string][]byte) {
	n.t.Helper()
	_, err := n.core.CoreV1().Secrets(n.name).Create(n.t.Context(),
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Type: kind, Data: data}, metav1.CreateOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
}

// certified makes a client certificate on the hub and copies it to the shop.
func certified(hub, shop *ns, name string) {
	hub.t.Helper()
	hub.create("certificates", name, map[string]any{"ca": "skupper-site-ca", "subject": name, "client": true})
	hub.awaitTrue("certificates", name, "Ready")
	shop.store(name, corev1.SecretTypeTLS, hub.secret(name).Data)
}

// endpoints are those of the hub, as a Link takes them.
func (n *ns) endpoints() []any {
	e, _, _ := unstructured.NestedSlice(n.get("sites", "hub").Object, "status", "endpoints")
	return e
}

func TestLinkByCertificate(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	certified(hub, shop, "one")
	if got := str(hub.get("certificates", "one"), "status", "expiration"); got != "" {
		t.Errorf("expiration %s, want none", got)
	}
	block, _ := pem.Decode(hub.secret("one").Data["tls.crt"])
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil || time.Until(leaf.NotAfter) < 4*365*24*time.Hour {
		t.Errorf("valid until %s (%v), want five years", leaf.NotAfter, err)
	}
	shop.create("links", "one", map[string]any{"endpoints": hub.endpoints(), "tlsCredentials": "one"})
	shop.configure("one")
	shop.awaitTrue("links", "one", "Ready")
}

func TestCertificateIsIssuedAgain(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	certified(hub, shop, "one")
	old := hub.secret("one")
	if err := hub.core.CoreV1().Secrets(hub.name).Delete(t.Context(), "one", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		s, err := hub.core.CoreV1().Secrets(hub.name).Get(t.Context(), "one", metav1.GetOptions{})
		if err != nil || s.UID == old.UID {
			return "no new Secret"
		}
		return ""
	})
}

func TestRotationWithoutADrop(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	certified(hub, shop, "one")
	shop.create("links", "one", map[string]any{"endpoints": hub.endpoints(), "tlsCredentials": "one"})
	shop.configure("one")
	shop.awaitTrue("links", "one", "Ready")
	hub.create("certificates", "new", map[string]any{"ca": "skupper-site-ca", "subject": "new", "client": true})
	hub.awaitTrue("certificates", "new", "Ready")
	secret := shop.secret("one")
	secret.Data = hub.secret("new").Data
	if _, err := shop.core.CoreV1().Secrets(shop.name).Update(t.Context(), secret, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	never(t, func() string {
		return map[bool]string{false: "the link went down"}[is(shop.get("links", "one"), "Ready") == "True"]
	})
	// Another name is a brief reconnect.
	certified(hub, shop, "third")
	shop.patch("links", "one", `{"spec":{"tlsCredentials":"third"}}`)
	shop.awaitTrue("links", "one", "Ready")
}

// proxyServer is a CONNECT proxy that wants a user and counts tunnels.
type proxyServer struct {
	host, port string
	// asked counts all requests, tunnels those that became one.
	asked, tunnels atomic.Int32
}

func newProxy(t *testing.T) *proxyServer {
	t.Helper()
	p := &proxyServer{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.host, p.port, _ = net.SplitHostPort(listener.Addr().String())
	server := &http.Server{Handler: p}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return p
}

func (p *proxyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") != "Basic dXNlcjpwYXNz" {
		http.Error(w, "no", http.StatusProxyAuthRequired)
		return
	}
	up, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, "no", http.StatusBadGateway)
		return
	}
	p.tunnels.Add(1)
	w.WriteHeader(http.StatusOK)
	down, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	go func() {
		io.Copy(up, buffered)
		up.Close()
	}()
	io.Copy(down, up)
	down.Close()
}

func (p *proxyServer) data() map[string][]byte {
	return map[string][]byte{"host": []byte(p.host), "port": []byte(p.port), "username": []byte("user"), "password": []byte("pass")}
}

func TestLinkThroughProxy(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t)
	hub, shop := sites(t, nil)
	certified(hub, shop, "one")
	shop.store("corp", corev1.SecretTypeBasicAuth, proxy.data())
	shop.create("links", "one", map[string]any{"endpoints": hub.endpoints(), "tlsCredentials": "one",
		"settings": map[string]any{"proxy-configuration": "corp"}})
	shop.configure("one")
	shop.awaitTrue("links", "one", "Ready")
	if n := proxy.tunnels.Load(); n != 1 {
		t.Errorf("%d tunnels, want 1", n)
	}
	// A new port in the Secret, or no setting at all, does not reach the router.
	secret := shop.secret("corp")
	secret.Data["port"] = []byte("1")
	if _, err := shop.core.CoreV1().Secrets(shop.name).Update(t.Context(), secret, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	shop.touch("links", "one")
	shop.patch("links", "one", `{"spec":{"settings":null}}`)
	shop.awaitTrue("links", "one", "Ready")
	never(t, func() string {
		return map[bool]string{false: "the link went down"}[is(shop.get("links", "one"), "Ready") == "True"]
	})
	if n := proxy.tunnels.Load(); n != 1 {
		t.Errorf("%d tunnels, want still 1", n)
	}
}

// TestCrashes crashes one controller in either way; resync is short, so that
// it shows too.
func TestCrashes(t *testing.T) {
	t.Parallel()
	s, err := start("--clusters", "2", "--resync", "1s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop() })
	for i, crash := range []func(*ns){
		func(n *ns) {
			n.create("links", "one", map[string]any{"endpoints": []any{}, "settings": map[string]any{"proxy-configuration": "absent"}})
		},
		func(n *ns) {
			n.create("links", "one", map[string]any{"endpoints": []any{}})
			// Nobody touches it: the resync configures it.
			n.awaitTrue("links", "one", "Configured")
			n.patch("links", "one", `{"spec":{"settings":{"proxy-configuration":"absent"}}}`)
		},
	} {
		n := s.clusters[i].namespace(t)
		n.create("sites", "hub", map[string]any{"linkAccess": "default"})
		n.awaitTrue("sites", "hub", "Ready")
		if got := s.crashes(t, i); got != "" {
			t.Errorf("crashed too early: %s", got)
		}
		crash(n)
		eventually(t, func() string {
			if got := s.crashes(t, i); strings.Count(got, "\n") == 1 && strings.Contains(got, "proxy") {
				return ""
			}
			return "no crash"
		})
		// The API server goes on, the controller does not.
		other := s.clusters[i].namespace(t)
		other.create("sites", "late", map[string]any{})
		never(t, func() string { return str(other.get("sites", "late"), "status", "status") })
	}
}

func TestFailedTokenIsTriedAtEachResync(t *testing.T) {
	t.Parallel()
	s, err := start("--clusters", "1", "--resync", "1s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop() })
	hub, shop := s.clusters[0].namespace(t, "grant-server", "refuse"), s.clusters[0].namespace(t)
	hub.create("sites", "hub", map[string]any{"linkAccess": "default"})
	hub.awaitTrue("sites", "hub", "Ready")
	token(hub, shop, "one", 0)
	// Without a site the token waits.
	never(t, func() string { return str(shop.get("accesstokens", "one"), "status", "status") })
	shop.create("sites", "shop", map[string]any{})
	shop.await("accesstokens", "one", "refused", func(u *obj) bool { return str(u, "status", "status") == "Error" })
	hub.set("grant-server", "")
	shop.awaitTrue("accesstokens", "one", "Redeemed")
	shop.awaitTrue("links", "one", "Ready")
}
