package standin

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strconv"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/pki"
)

// door is one RouterAccess: its name and type, by which roles it lets links in, and with
// which keys, nil for those that the site's authority issues.
type door struct {
	access, kind string
	roles        []string
	keys         *pki.Pair
}

// portKey names one listening port of a site; a RouterAccess of another type has others.
type portKey struct{ access, kind, group, role string }

// port is one listener; it keeps its number while it is open.
type port struct {
	portKey
	listener net.Listener
	keys     *pki.Pair
}

func (p *port) close() { _ = p.listener.Close() }

func (p *port) endpoint() endpoint {
	return endpoint{Name: p.role, Host: "127.0.0.1", Port: strconv.Itoa(p.listener.Addr().(*net.TCPAddr).Port), Group: p.group}
}

// listen opens and closes ports until exactly the wanted ones are open, and
// gives their endpoints by RouterAccess. A changed authority drops all inbound connections,
// a changed type none: what is connected goes on.
func (r *router) listen(doors []door, groups []string, ca *pki.Pair) (map[string][]endpoint, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return nil, r.ctx.Err()
	}
	if err := r.issue(ca); err != nil {
		return nil, err
	}
	wanted := map[portKey]bool{}
	endpoints := map[string][]endpoint{}
	for _, d := range doors {
		for _, group := range groups {
			for _, role := range d.roles {
				k := portKey{d.access, d.kind, group, role}
				wanted[k] = true
				p, err := r.port(k)
				if err != nil {
					return nil, err
				}
				p.keys = d.keys
				endpoints[d.access] = append(endpoints[d.access], p.endpoint())
			}
		}
	}
	for k, p := range r.ports {
		if !wanted[k] {
			p.close()
			delete(r.ports, k)
			if _, stays := endpoints[k.access]; !stays || !slices.Contains(groups, k.group) {
				r.dropInbound(func(s *session) bool { return s.via == k })
			}
		}
	}
	return endpoints, nil
}

// show gives the endpoints that the site's status and its grants have: those of a
// RouterAccess of another type come so much later. Until then is when to look again; zero
// for never.
func (r *router) show(endpoints map[string][]endpoint, delay time.Duration) (shown map[string][]endpoint, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	shown, turns := map[string][]endpoint{}, map[string]time.Time{}
	for access, now := range endpoints {
		shown[access] = now
		was := r.shown[access]
		if delay == 0 || len(was) == 0 || slices.Equal(was, now) {
			continue
		}
		at, turning := r.turns[access]
		if !turning {
			at = time.Now().Add(delay)
		}
		if time.Now().Before(at) {
			shown[access], turns[access], until = was, at, at
		}
	}
	r.shown, r.turns = shown, turns
	return shown, until
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
	cfg, err := r.serverTLS(p)
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
func (r *router) serverTLS(p *port) (*tls.Config, error) {
	r.mu.Lock()
	have, keys := r.issued, p.keys
	r.mu.Unlock()
	if keys == nil {
		keys = have.server
	}
	pair, err := keys.TLS()
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
