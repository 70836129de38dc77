package standin

import (
	"context"
	"sync"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/pki"
	"k8s.io/apimachinery/pkg/types"
)

// siteInfo is what routers tell each other of their sites.
type siteInfo struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Version   string `json:"version"`
}

// router plays the routers of one site: it listens, connects and reports.
type router struct {
	siteInfo
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	db     *netdb

	mu   sync.Mutex
	spec siteSpec
	// configured is true once there is a spec.
	configured bool
	paused     bool
	// lives is how often the router was started again.
	lives int
	ports map[portKey]*port
	// shown are the endpoints by RouterAccess as the site's status has them, and turns when
	// those that are out of date end.
	shown map[string][]endpoint
	turns map[string]time.Time
	// issuers are what inbound connections are checked against.
	issued  *issued
	links   map[string]*connector
	inbound map[*session]bool
	// services are what the site offers and asks for.
	services []recordService

	report reporter
	told   *gazette
	// The last write of the network: when, which version, of how many sites.
	wrote time.Time
	seen  int
	size  int
	// picture is the network as last written.
	picture []networkSite
}

// newRouter makes a router that runs within ctx and is waited for by field.
func newRouter(ctx context.Context, field *sync.WaitGroup, info siteInfo) *router {
	ctx, cancel := context.WithCancel(ctx)
	r := &router{
		siteInfo: info, ctx: ctx, cancel: cancel,
		ports:   map[portKey]*port{},
		links:   map[string]*connector{},
		inbound: map[*session]bool{},
	}
	r.db = newNetdb(info)
	r.report = newReporter()
	r.told = newGazette(info.ID)
	field.Go(func() {
		<-ctx.Done()
		r.closeAll()
		r.wg.Wait()
	})
	return r
}

func (r *router) uid() types.UID { return types.UID(r.ID) }

// shutDown ends the router without waiting.
func (r *router) shutDown() { r.cancel() }

func (r *router) closeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, p := range r.ports {
		p.close()
		delete(r.ports, k)
	}
	for s := range r.inbound {
		s.close()
	}
}

// configure takes the site's spec and tells whether links must follow.
func (r *router) configure(spec siteSpec) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := r.spec.role() != spec.role()
	if r.configured && r.spec.Settings[routerLogging] != spec.Settings[routerLogging] {
		r.restart()
	}
	r.spec, r.configured = spec, true
	return changed
}

// restart breaks all connections, which are made again: the setting is in the digest of
// the Deployment, and otherwise the controller takes no valid value for one.
func (r *router) restart() {
	r.lives++
	r.dropInbound(func(*session) bool { return true })
	for _, c := range r.links {
		c.poke()
	}
}

// life tells one start of the router from another.
func (r *router) life() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lives
}

// issuer is the name of the Secret that signs for the site.
func (r *router) issuer() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spec.issuer()
}

func (r *router) role() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spec.role()
}

// pause holds all links back, as a router that never starts does.
func (r *router) pause(paused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.paused == paused {
		return
	}
	r.paused = paused
	for _, c := range r.links {
		c.poke()
	}
}

func (r *router) isPaused() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.paused
}

// setLink makes or changes the connection of one Link object.
func (r *router) setLink(name string, uid types.UID, target target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return
	}
	if c := r.links[name]; c != nil && c.uid == uid {
		c.set(target)
		return
	} else if c != nil {
		c.cancel()
	}
	c := newConnector(r, name, uid, target)
	r.links[name] = c
	r.wg.Go(func() {
		r.announce()
		c.run()
	})
}

// keepOnly drops the connection under this name if another object made it.
func (r *router) keepOnly(name string, uid types.UID) {
	r.mu.Lock()
	c := r.links[name]
	drop := c != nil && c.uid != uid
	if drop {
		delete(r.links, name)
		c.cancel()
	}
	r.mu.Unlock()
	if drop {
		r.announce()
	}
}

// link gives the connection under this name, nil if there is none.
func (r *router) link(name string) *connector {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.links[name]
}

// announce rebuilds the site's own record after a change of connections.
func (r *router) announce() {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := record{Site: r.siteInfo, Peers: map[string]bool{}, Services: r.services}
	for name, c := range r.links {
		state, _ := c.state()
		rec.Links = append(rec.Links, recordLink{Name: name, linkReport: state})
		if state.Up {
			rec.Peers[state.PeerID] = true
		}
	}
	for s := range r.inbound {
		rec.Peers[s.peer.Site.ID] = true
	}
	r.db.setOwn(rec)
}

// reportLinks is the report of the site's own links. A link that has not been
// connected yet is not in it.
func (r *router) reportLinks() map[string]linkReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]linkReport{}
	for name, c := range r.links {
		if state, known := c.state(); known {
			out[name] = state
		}
	}
	return out
}

// issued is what a listening site has of its authority.
type issued struct {
	ca     *pki.Pair
	server *pki.Pair
}
