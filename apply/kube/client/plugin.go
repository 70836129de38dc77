package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"sync"
	"time"

	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/transport"
	"k8s.io/client-go/util/connrotation"
)

// plugin gives the credentials of a program that a kubeconfig names, an exec credential
// plugin, to all clients that name it with the same words. client-go's own runs the program
// without a context: one that hangs outlives every bound there, and keeps all who wait for
// it. Here it runs under the context of the request that needs it, and is killed with that.
type plugin struct {
	config *clientcmdapi.ExecConfig
	// cluster is what the program is told of the cluster; nil for nothing.
	cluster *clientauthentication.Cluster
	// certificate and dial are the same for all clients, so that these share connections.
	certificate *transport.GetCertHolder
	dial        *transport.DialHolder
	conns       *connrotation.ConnectionTracker
	// turn has room for the one request that runs the program.
	turn chan struct{}

	mu   sync.Mutex
	last *credentials // guarded by mu
}

// credentials are what a program gave.
type credentials struct {
	token       string
	certificate *tls.Certificate
	// ends is zero where they hold until they are refused.
	ends time.Time
}

// usable reports whether they may be sent.
func (c *credentials) usable() bool {
	return c != nil && (c.ends.IsZero() || time.Now().Before(c.ends))
}

// plugins are those of the process, by what they are told: a program that many clusters name
// runs once.
var plugins sync.Map

// pluginFor gives the plugin of a configuration that names one. It runs nothing.
func pluginFor(cfg *rest.Config) (*plugin, error) {
	p := &plugin{config: cfg.ExecProvider, turn: make(chan struct{}, 1), conns: connrotation.NewConnectionTracker()}
	if p.config.ProvideClusterInfo {
		var err error
		if p.cluster, err = rest.ConfigToExecCluster(cfg); err != nil {
			return nil, err
		}
	}
	told, err := p.told(false)
	if err != nil {
		return nil, err
	}
	p.certificate = &transport.GetCertHolder{GetCert: p.clientCertificate}
	direct := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	p.dial = &transport.DialHolder{Dial: connrotation.NewDialerWithTracker(direct.DialContext, p.conns).DialContext}
	key := fmt.Sprintf("%q %q %q %q %q", told, p.config.Command, p.config.Args, p.config.Env, p.config.InteractiveMode)
	shared, _ := plugins.LoadOrStore(key, p)
	return shared.(*plugin), nil
}

// join has a client's requests bear the plugin's credentials, unless it has others.
func (p *plugin) join(conf *transport.Config) {
	if conf.HasTokenAuth() || conf.HasBasicAuth() || conf.HasCertAuth() {
		return
	}
	conf.Wrap(func(next http.RoundTripper) http.RoundTripper { return bearing{plugin: p, next: next} })
	conf.TLS.GetCertHolder, conf.DialHolder = p.certificate, p.dial
}

// bearing gives requests the credentials of a plugin.
type bearing struct {
	plugin *plugin
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper. After credentials that are refused the next
// request gets new ones.
func (b bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") != "" {
		return b.next.RoundTrip(r)
	}
	c, err := b.plugin.credentials(r.Context())
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	if c.token != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := b.next.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		b.plugin.forget(c)
	}
	return resp, err
}

// credentials are those that were got last, or others where these have ended. The error is
// that of ctx where it ends while the program runs for this request, or for another one.
func (p *plugin) credentials(ctx context.Context) (*credentials, error) {
	if c := p.known(); c.usable() {
		return c, nil
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	was := p.known()
	if was.usable() {
		return was, nil
	}
	c, err := p.run(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.last = c
	p.mu.Unlock()
	if was != nil && was.certificate != nil && !reflect.DeepEqual(was.certificate, c.certificate) {
		p.conns.CloseAll() // they are of the one before
	}
	return c, nil
}

func (p *plugin) known() *credentials {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// forget has credentials that a server refused count as ended.
func (p *plugin) forget(refused *credentials) {
	ended := *refused
	ended.ends = time.Unix(1, 0)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == refused {
		p.last = &ended
	}
}

// clientCertificate is what a connection shows; nil for none. Each request has seen to it
// that there are credentials.
func (p *plugin) clientCertificate() (*tls.Certificate, error) {
	if c := p.known(); c != nil {
		return c.certificate, nil
	}
	return nil, nil
}
