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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
)

// countTries bound how often a redemption is counted anew after a conflict.
const countTries = 20

// grantServer answers redemptions.
type grantServer struct {
	s        *Standin
	listener net.Listener
	ca       *pki.Pair
	server   *http.Server
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
	grant := g.find(strings.TrimPrefix(r.URL.Path, "/"))
	if grant == nil {
		http.Error(w, "no such grant", http.StatusNotFound)
		return
	}
	mode := g.s.watch.annotation(grant.GetNamespace(), "grant-server")
	if mode == "refuse" {
		http.Error(w, "try later", http.StatusServiceUnavailable)
		return
	}
	if refusal := g.count(r.Context(), grant, string(code)); refusal != 0 {
		http.Error(w, "redemption refused", refusal)
		return
	}
	if mode == "drop-reply" {
		hangUp(w)
		return
	}
	g.answer(w, grant.GetNamespace(), r.Header.Get("name"), r.Header.Get("subject"))
}

// find looks a grant up by its UID.
func (g *grantServer) find(uid string) *unstructured.Unstructured {
	objs, err := g.s.watch.grants.GetIndexer().ByIndex(byUID, uid)
	if err != nil || len(objs) == 0 {
		return nil
	}
	return objs[0].(*unstructured.Unstructured)
}

// count writes one more redemption into the grant, or says why not, as an
// HTTP status.
func (g *grantServer) count(ctx context.Context, found *unstructured.Unstructured, code string) int {
	api := g.s.dyn.Resource(grantsGVR).Namespace(found.GetNamespace())
	for range countTries {
		u, err := api.Get(ctx, found.GetName(), metav1.GetOptions{})
		if apierrors.IsNotFound(err) || err == nil && u.GetUID() != found.GetUID() {
			return http.StatusNotFound
		}
		if err != nil {
			return http.StatusServiceUnavailable
		}
		grant, err := decode[grantObject](u)
		if err != nil {
			return http.StatusServiceUnavailable
		}
		if refusal := grant.refusal(code, time.Now()); refusal != 0 {
			return refusal
		}
		grant.Status.Redemptions++
		err = g.s.updateStatus(ctx, grantsGVR, u, grant.Status)
		if err == nil {
			return 0
		}
		if !apierrors.IsConflict(err) {
			return http.StatusServiceUnavailable
		}
	}
	return http.StatusServiceUnavailable
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

// groups gives the open endpoints of a site, one list for each group.
func (r *router) groups() [][]endpoint {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out [][]endpoint
	for _, group := range r.spec.groups() {
		var list []endpoint
		for _, role := range []string{interRouter, edgeRole} {
			if p := r.ports[portKey{group, role}]; p != nil {
				list = append(list, p.endpoint())
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
