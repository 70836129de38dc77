package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// grantRelay stands between the controllers and a grant server: the tokens of one link
// lead to it, and it says what becomes of their redemption.
type grantRelay struct {
	server *httptest.Server
	answer func(http.ResponseWriter, redemption)

	mu sync.Mutex
	// grants are the grants that the tokens are of, by the paths of their URLs.
	grants map[string]*relayedGrant
}

// relayedGrant is where a token led to, the CA that it named, and how often it was tried.
type relayedGrant struct {
	url, ca string
	tries   int
}

// redemption is one try of a token.
type redemption struct {
	request *http.Request
	// try counts the grant's from 1.
	try int
	// forward carries it out and gives the grant server's answer.
	forward func() (*http.Response, error)
}

// refuses answers as a grant server does that could not count the redemption (Skupper:
// internal/kube/grants, grants.go).
func refuses(rw http.ResponseWriter, _ redemption) {
	http.Error(rw, "Internal error", http.StatusServiceUnavailable)
}

// keepsWaiting carries a try out, tells that it did, and answers when that is asked for.
func keepsWaiting(held chan<- struct{}, answer <-chan struct{}) func(http.ResponseWriter, redemption) {
	return func(rw http.ResponseWriter, r redemption) {
		resp, err := r.forward()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer func() { _ = resp.Body.Close() }()
		if r.try == 1 {
			close(held)
		}
		select {
		case <-answer:
		case <-r.request.Context().Done():
		}
		rw.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(rw, resp.Body)
	}
}

// loses carries the redemption out and loses the answer.
func loses(_ http.ResponseWriter, r redemption) {
	if resp, err := r.forward(); err == nil {
		_ = resp.Body.Close()
	}
	panic(http.ErrAbortHandler)
}

// refusesFirst refuses the first try of each grant and answers the others so much later
// than they were counted.
func refusesFirst(delay time.Duration) func(http.ResponseWriter, redemption) {
	return func(rw http.ResponseWriter, r redemption) {
		if r.try == 1 {
			refuses(rw, r)
			return
		}
		resp, err := r.forward()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer func() { _ = resp.Body.Close() }()
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.request.Context().Done():
		}
		rw.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(rw, resp.Body)
	}
}

// relayGrants lets all tokens that the world's commands make for a link lead to a relay,
// until the world is rewired. The clusters' controllers have to reach this machine.
func (w *world) relayGrants(link string, answer func(http.ResponseWriter, redemption)) {
	w.t.Helper()
	r := &grantRelay{answer: answer, grants: map[string]*relayedGrant{}}
	listener, err := net.Listen("tcp", net.JoinHostPort(proxyHost(), "0"))
	if err != nil {
		w.t.Fatal(err)
	}
	certificate, ca := selfSigned(w.t, proxyHost())
	r.server = httptest.NewUnstartedServer(r)
	_ = r.server.Listener.Close()
	r.server.Listener = listener
	r.server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	r.server.StartTLS()
	w.t.Cleanup(r.server.Close)
	w.bendBy(func(v *wires) {
		v.rewrite = func(method, path string, body []byte) []byte {
			if method != http.MethodPost || !strings.HasSuffix(path, "/accesstokens") || !strings.Contains(string(body), link) {
				return body
			}
			return r.divert(body, ca)
		}
	})
}

// divert gives a token that leads to the relay.
func (r *grantRelay) divert(token []byte, ca string) []byte {
	var o struct{ Spec struct{ URL, Ca string } }
	if err := json.Unmarshal(token, &o); err != nil {
		return token
	}
	at, err := url.Parse(o.Spec.URL)
	if err != nil {
		return token
	}
	r.mu.Lock()
	r.grants[at.Path] = &relayedGrant{url: o.Spec.URL, ca: o.Spec.Ca}
	r.mu.Unlock()
	return replaceSpec(replaceSpec(token, "url", r.server.URL+at.Path), "ca", ca)
}

func (r *grantRelay) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	grant, try := r.count(req.URL.Path)
	code, err := io.ReadAll(req.Body)
	if err != nil || grant == nil {
		panic(http.ErrAbortHandler)
	}
	r.answer(rw, redemption{req, try, func() (*http.Response, error) { return grant.post(req, code) }})
}

// count counts a try of a grant.
func (r *grantRelay) count(path string) (grant *relayedGrant, try int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if grant = r.grants[path]; grant == nil {
		return nil, 0
	}
	grant.tries++
	return grant, grant.tries
}

// post carries a redemption on to the grant server.
func (g *relayedGrant) post(from *http.Request, code []byte) (*http.Response, error) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(g.ca))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(from.Context(), http.MethodPost, g.url, bytes.NewReader(code))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"name", "subject"} {
		req.Header.Set(name, from.Header.Get(name))
	}
	return transport.RoundTrip(req)
}

// selfSigned makes a server certificate for an address, which is its own CA.
func selfSigned(t testing.TB, host string) (certificate tls.Certificate, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "grant relay"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return pair, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
