package standin

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/pki"
)

// portKey names one listening port of a site.
type portKey struct{ group, role string }

// port is one listener; it keeps its number while it is open.
type port struct {
	portKey
	listener net.Listener
}

func (p *port) close() { _ = p.listener.Close() }

func (p *port) endpoint() endpoint {
	return endpoint{Name: p.role, Host: "127.0.0.1", Port: strconv.Itoa(p.listener.Addr().(*net.TCPAddr).Port), Group: p.group}
}

// listen opens and closes ports until exactly the wanted ones are open, and
// gives their endpoints. A changed authority drops all inbound connections.
func (r *router) listen(open bool, groups []string, ca *pki.Pair) ([]endpoint, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return nil, r.ctx.Err()
	}
	if err := r.issue(ca); err != nil {
		return nil, err
	}
	wanted := map[portKey]bool{}
	var endpoints []endpoint
	for _, group := range groups {
		for _, role := range []string{interRouter, edgeRole} {
			if !open {
				continue
			}
			k := portKey{group, role}
			wanted[k] = true
			p, err := r.port(k)
			if err != nil {
				return nil, err
			}
			endpoints = append(endpoints, p.endpoint())
		}
	}
	for k, p := range r.ports {
		if !wanted[k] {
			p.close()
			delete(r.ports, k)
			r.dropInbound(func(s *session) bool { return s.via == k })
		}
	}
	return endpoints, nil
}

// issue makes a server certificate when the authority is new.
func (r *router) issue(ca *pki.Pair) error {
	if ca == nil || r.issued != nil && string(r.issued.ca.Cert) == string(ca.Cert) {
		return nil
	}
	server, err := pki.Issue(ca, pki.Request{Subject: siteServer, Server: true, Hosts: []string{"127.0.0.1", "localhost"}})
	if err != nil {
		return err
	}
	if r.issued != nil {
		r.dropInbound(func(*session) bool { return true })
	}
	r.issued = &issued{ca: ca, server: server}
	return nil
}

func (r *router) dropInbound(which func(*session) bool) {
	for s := range r.inbound {
		if which(s) {
			s.close()
		}
	}
}

func (r *router) port(k portKey) (*port, error) {
	if p := r.ports[k]; p != nil {
		return p, nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &port{portKey: k, listener: listener}
	r.ports[k] = p
	r.wg.Go(func() { r.accept(p) })
	return p, nil
}

func (r *router) accept(p *port) {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		r.wg.Go(func() { r.welcome(p, conn) })
	}
}

// welcome serves one inbound connection until it ends.
func (r *router) welcome(p *port, conn net.Conn) {
	defer conn.Close()
	cfg, err := r.serverTLS()
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, handshakeTimeout)
	defer cancel()
	secure := tls.Server(conn, cfg)
	if secure.HandshakeContext(ctx) != nil {
		return
	}
	s, err := greet(secure, greeting{Site: r.siteInfo, Role: p.role}, false)
	if err != nil {
		return
	}
	s.via = p.portKey
	r.mu.Lock()
	r.inbound[s] = true
	live := r.ctx.Err() == nil && r.ports[p.portKey] == p
	r.mu.Unlock()
	if live {
		r.announce()
		s.serve(r.ctx, &r.wg, r.db)
	}
	s.close()
	r.mu.Lock()
	delete(r.inbound, s)
	r.mu.Unlock()
	r.announce()
}

// serverTLS demands a certificate of the site's own authority.
func (r *router) serverTLS() (*tls.Config, error) {
	r.mu.Lock()
	have := r.issued
	r.mu.Unlock()
	pair, err := have.server.TLS()
	if err != nil {
		return nil, err
	}
	pool, err := pki.Pool(have.ca.Cert)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		ClientCAs:    pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		MinVersion:   tls.VersionTLS12,
		Time:         time.Now,
	}, nil
}
