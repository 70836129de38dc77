package standin

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/pki"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
)

// grantServer answers redemptions.
type grantServer struct {
	s        *Standin
	listener net.Listener
	ca       *pki.Pair
	server   *http.Server
	memory   grantMemory
}

// redemption is the answer to one.
type redemption struct {
	Secret corev1.Secret `json:"secret"`
	Links  []linkObject  `json:"links"`
}

func newGrantServer(s *Standin) (*grantServer, error) {
	ca, err := pki.NewCA("skupper-grant-server-ca")
	if err != nil {
		return nil, err
	}
	pair, err := pki.Issue(ca, pki.Request{Subject: "skupper-grant-server", Server: true, Hosts: []string{"127.0.0.1"}})
	if err != nil {
		return nil, err
	}
	keys, err := pair.TLS()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &grantServer{s: s, listener: listener, ca: ca}
	g.server = &http.Server{
		Handler:           g,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{keys}, MinVersion: tls.VersionTLS13},
		ReadHeaderTimeout: handshakeTimeout,
		// Without HTTP/2 a connection can be dropped before the reply.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	return g, nil
}

// serve answers until ctx ends.
func (g *grantServer) serve(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = g.server.Close() })
	defer stop()
	err := g.server.ServeTLS(g.listener, "", "")
	if !errors.Is(err, http.ErrServerClosed) {
		klog.ErrorS(err, "Grant server ended")
	}
}

func (g *grantServer) url(uid types.UID) string {
	return "https://" + g.listener.Addr().String() + "/" + string(uid)
}

// ServeHTTP checks, counts, and only then generates.
func (g *grantServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	code, err := io.ReadAll(io.LimitReader(r.Body, 4096))
	if err != nil {
		http.Error(w, "no code", http.StatusBadRequest)
		return
	}
	uid := types.UID(strings.TrimPrefix(r.URL.Path, "/"))
	namespace, known := g.memory.namespace(uid)
	if !known {
		http.Error(w, "no such grant", http.StatusNotFound)
		return
	}
	mode := g.s.watch.annotation(namespace, "grant-server")
	if mode == "refuse" {
		http.Error(w, "try later", http.StatusServiceUnavailable)
		return
	}
	if refusal := g.count(r.Context(), uid, string(code), mode == "conflict"); refusal != 0 {
		http.Error(w, "redemption refused", refusal)
		return
	}
	if mode == "drop-reply" {
		hangUp(w)
		return
	}
	g.delay(r.Context(), namespace)
	g.answer(w, namespace, r.Header.Get("name"), r.Header.Get("subject"))
}

// delay holds a reply back for as long as the namespace says.
func (g *grantServer) delay(ctx context.Context, namespace string) {
	d, err := time.ParseDuration(g.s.watch.annotation(namespace, "reply-delay"))
	if err != nil {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// answer generates the Secret and the Links.
func (g *grantServer) answer(w http.ResponseWriter, namespace, name, subject string) {
	reply, err := g.s.generate(namespace, name, subject)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply)
}

// generate makes a client certificate and one Link for each endpoint group,
// in no particular order.
func (s *Standin) generate(namespace, name, subject string) (*redemption, error) {
	r := s.router(namespace)
	if name == "" || r == nil {
		return nil, errors.New("no active site")
	}
	issuer := pairOf(s.watch.secret(namespace, r.issuer()))
	groups := r.groups()
	if issuer == nil || len(groups) == 0 {
		return nil, errors.New("site does not accept links")
	}
	pair, err := pki.Issue(issuer, pki.Request{Subject: subject, Client: true})
	if err != nil {
		return nil, err
	}
	rand.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	reply := &redemption{Secret: corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Type:       corev1.SecretTypeTLS,
		Data:       tlsData(pair, issuer),
	}}
	for i, link := range linkNames(name, len(groups)) {
		reply.Links = append(reply.Links, linkObject{
			object: named("Link", link, nil),
			Spec:   linkSpec{Endpoints: groups[i], TLSCredentials: name, Cost: 1},
		})
	}
	return reply, nil
}

// groups gives the endpoints that a site shows, one list for each group; those of several
// RouterAccesses are in one, in no fixed order.
func (r *router) groups() [][]endpoint {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out [][]endpoint
	for _, group := range r.spec.groups() {
		var list []endpoint
		for _, endpoints := range r.shown {
			for _, e := range endpoints {
				if e.Group == group {
					list = append(list, e)
				}
			}
		}
		if len(list) > 0 {
			out = append(out, list)
		}
	}
	return out
}

// hangUp closes the connection without a reply.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}
