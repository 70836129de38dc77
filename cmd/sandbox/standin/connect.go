package standin

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/pki"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Waits between dials that fail.
const (
	firstWait = 20 * time.Millisecond
	lastWait  = 2 * time.Second
)

// target is where a link goes and with what.
type target struct {
	endpoint endpoint
	cost     int64
	// credentials name the Secret; a rotation of its content goes unnoticed.
	credentials      string
	cert, key, roots string
	proxy            proxy
}

// proxy is the CONNECT proxy of a link, fixed when the link is first configured.
type proxy struct{ host, port, username, password string }

// moved tells whether the connection must be broken to follow.
func (t target) moved(to target) bool {
	return t.endpoint != to.endpoint || t.credentials != to.credentials
}

// rotated tells whether a new connection must replace the live one.
func (t target) rotated(to target) bool {
	return t.cert != to.cert || t.key != to.key || t.roots != to.roots
}

// connector keeps the connection of one Link.
type connector struct {
	r      *router
	name   string
	uid    types.UID
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{}

	mu     sync.Mutex
	target target
	peer   greeting
	up     bool
	known  bool // was up once
}

func newConnector(r *router, name string, uid types.UID, t target) *connector {
	ctx, cancel := context.WithCancel(r.ctx)
	return &connector{r: r, name: name, uid: uid, ctx: ctx, cancel: cancel, wake: make(chan struct{}, 1), target: t}
}

// set changes the target; the proxy stays what it was.
func (c *connector) set(t target) {
	c.mu.Lock()
	t.proxy = c.target.proxy
	changed := t != c.target
	c.target = t
	c.mu.Unlock()
	if changed {
		c.poke()
	}
}

func (c *connector) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *connector) now() target {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.target
}

// state is what the router reports of the link, if it has been up.
func (c *connector) state() (linkReport, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return linkReport{Up: c.up, PeerID: c.peer.Site.ID, PeerName: c.peer.Site.Name, Cost: c.target.cost}, c.known
}

func (c *connector) setUp(s *session) {
	c.mu.Lock()
	c.up = s != nil
	if s != nil {
		c.peer, c.known = s.peer, true
	}
	c.mu.Unlock()
	c.r.announce()
}

// run connects again and again until the link goes.
func (c *connector) run() {
	defer c.cancel()
	wait := firstWait
	for c.ctx.Err() == nil {
		t := c.now()
		s, err := c.dial(t)
		if err != nil {
			c.pause(wait)
			wait = min(2*wait, lastWait)
			continue
		}
		wait = firstWait
		c.setUp(s)
		c.hold(s, t)
		if c.ctx.Err() == nil {
			c.setUp(nil)
		}
	}
}

// pause waits before the next dial, less if something changed.
func (c *connector) pause(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-c.ctx.Done():
	case <-c.wake:
	case <-timer.C:
	}
}

// hold keeps a connection until it breaks or must go; new credentials replace
// it without a gap.
func (c *connector) hold(s *session, t target) {
	c.serve(s)
	retry := time.NewTimer(0)
	defer retry.Stop()
	<-retry.C
	life := c.r.life()
	for {
		select {
		case <-c.ctx.Done():
			s.close()
			return
		case <-s.done:
			return
		case <-retry.C:
		case <-c.wake:
		}
		next := c.now()
		if c.r.isPaused() || c.r.life() != life || t.moved(next) {
			s.close()
			return
		}
		if t.rotated(next) {
			fresh, err := c.dial(next)
			if err != nil {
				retry.Reset(lastWait)
				continue
			}
			s.close()
			s = fresh
			c.serve(s)
			c.setUp(s)
		}
		if t.cost != next.cost {
			c.r.announce()
		}
		t = next
	}
}

func (c *connector) serve(s *session) {
	c.r.wg.Go(func() { s.serve(c.ctx, &c.r.wg, c.r.db) })
}

// dial makes one connection and exchanges greetings.
func (c *connector) dial(t target) (*session, error) {
	if c.r.isPaused() {
		return nil, fmt.Errorf("router does not run")
	}
	if t.proxy.username != "" && t.proxy.password == "" {
		return nil, fmt.Errorf("unable to open password file")
	}
	ctx, cancel := context.WithTimeout(c.ctx, handshakeTimeout)
	defer cancel()
	cfg, err := t.clientTLS()
	if err != nil {
		return nil, err
	}
	conn, err := t.proxy.dial(ctx, net.JoinHostPort(t.endpoint.Host, t.endpoint.Port))
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	s, err := greet(secure, greeting{Site: c.r.siteInfo, Role: t.endpoint.Name, Link: c.name, Cost: t.cost}, true)
	if err != nil {
		_ = conn.Close()
	}
	return s, err
}

func (t target) clientTLS() (*tls.Config, error) {
	pair, err := (&pki.Pair{Cert: []byte(t.cert), Key: []byte(t.key)}).TLS()
	if err != nil {
		return nil, err
	}
	pool, err := pki.Pool([]byte(t.roots))
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, ServerName: t.endpoint.Host, MinVersion: tls.VersionTLS12}, nil
}

// proxyOf reads a proxy Secret.
func proxyOf(secret *corev1.Secret) proxy {
	field := func(name string) string { return string(secret.Data[name]) }
	return proxy{field("host"), field("port"), field("username"), field("password")}
}

// dial connects to address, through the proxy if there is one.
func (p proxy) dial(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	if p.host == "" {
		return d.DialContext(ctx, "tcp", address)
	}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(p.host, p.port))
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	if err := p.connect(ctx, conn, address); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("proxy: %w", err)
	}
	return conn, nil
}

func (p proxy) connect(ctx context.Context, conn net.Conn, address string) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if p.username != "" {
		secret := base64.StdEncoding.EncodeToString([]byte(p.username + ":" + p.password))
		req.Header.Set("Proxy-Authorization", "Basic "+secret)
	}
	if err := req.Write(conn); err != nil {
		return err
	}
	// The proxy says no more before we do, so nothing is lost in the buffer.
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Status)
	}
	return nil
}
