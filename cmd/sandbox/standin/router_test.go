package standin

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/pki"
	"k8s.io/apimachinery/pkg/types"
)

// field runs the routers of a test and waits for them in the end.
type field struct {
	t   *testing.T
	ctx context.Context
	wg  *sync.WaitGroup
}

func newField(t *testing.T) *field {
	ctx, cancel := context.WithCancel(context.Background())
	f := &field{t, ctx, &sync.WaitGroup{}}
	t.Cleanup(func() {
		cancel()
		f.wg.Wait()
	})
	return f
}

func (f *field) router(name string) *router {
	return newRouter(f.ctx, f.wg, siteInfo{ID: "id-" + name, Name: name})
}

func (f *field) authority() *pki.Pair {
	ca, err := pki.NewCA("test")
	if err != nil {
		f.t.Fatal(err)
	}
	return ca
}

func (f *field) listen(r *router, ca *pki.Pair, groups ...string) []endpoint {
	endpoints, err := r.listen([]door{{access: "a", roles: []string{interRouter, edgeRole}}}, groups, ca)
	if err != nil {
		f.t.Fatal(err)
	}
	return endpoints["a"]
}

func (f *field) target(ca *pki.Pair, e endpoint) target {
	pair, err := pki.Issue(ca, pki.Request{Subject: "client", Client: true})
	if err != nil {
		f.t.Fatal(err)
	}
	return target{endpoint: e, cost: 1, credentials: "one", cert: string(pair.Cert), key: string(pair.Key), roots: string(ca.Cert)}
}

// await waits until ok; its bound only ends a test that would hang.
func (f *field) await(what string, ok func() bool) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.ctx, 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			f.t.Fatal("not " + what)
		case <-tick.C:
		}
	}
}

func TestRoutersConnect(t *testing.T) {
	f := newField(t)
	hub, shop, ca := f.router("hub"), f.router("shop"), f.authority()
	to := f.target(ca, f.listen(hub, ca, "a")[0])
	shop.setLink("one", "uid", to)
	up := linkReport{Up: true, PeerID: "id-hub", PeerName: "hub", Cost: 1}
	f.await("up", func() bool { return shop.reportLinks()["one"] == up })
	for _, r := range []*router{hub, shop} {
		f.await("one network", func() bool { return len(r.db.reachable()) == 2 })
	}
	to.cost = 9
	shop.setLink("one", "uid", to)
	f.await("dearer", func() bool { return shop.reportLinks()["one"].Cost == 9 })
	f.listen(hub, ca)
	f.await("down", func() bool { return !shop.reportLinks()["one"].Up })
	f.await("parted", func() bool { return len(hub.db.reachable()) == 1 && len(shop.db.reachable()) == 1 })
	to.endpoint = f.listen(hub, ca, "a")[0]
	shop.setLink("one", "uid", to)
	f.await("up again", func() bool { return shop.reportLinks()["one"].Up })
	shop.keepOnly("one", "")
	f.await("gone", func() bool { return len(shop.reportLinks()) == 0 && len(hub.db.reachable()) == 1 })
}

func TestNewAuthorityEndsOldCertificates(t *testing.T) {
	f := newField(t)
	hub, shop, ca := f.router("hub"), f.router("shop"), f.authority()
	endpoints := f.listen(hub, ca, "a")
	shop.setLink("one", "uid", f.target(ca, endpoints[0]))
	f.await("up", func() bool { return shop.reportLinks()["one"].Up })
	other := f.authority()
	f.listen(hub, other, "a")
	f.await("down", func() bool { return !shop.reportLinks()["one"].Up })
	next := f.target(other, endpoints[0])
	shop.setLink("one", "uid", next)
	f.await("up with the new one", func() bool { return shop.reportLinks()["one"].Up })
}

func TestPausedRouterDoesNotConnect(t *testing.T) {
	f := newField(t)
	hub, shop, ca := f.router("hub"), f.router("shop"), f.authority()
	shop.pause(true)
	shop.setLink("one", "uid", f.target(ca, f.listen(hub, ca, "a")[0]))
	shop.pause(false)
	f.await("up", func() bool { return shop.reportLinks()["one"].Up })
	shop.pause(true)
	f.await("down", func() bool { return !shop.reportLinks()["one"].Up })
}

// Another log level restarts the router: its links break, at either end, and come back.
func TestLogLevelRestartsTheRouter(t *testing.T) {
	f := newField(t)
	hub, shop, ca := f.router("hub"), f.router("shop"), f.authority()
	shop.setLink("one", "uid", f.target(ca, f.listen(hub, ca, "a")[0]))
	session := func() *session {
		hub.mu.Lock()
		defer hub.mu.Unlock()
		for s := range hub.inbound {
			select {
			case <-s.done:
			default:
				return s
			}
		}
		return nil
	}
	for _, r := range []*router{hub, shop} {
		r.configure(siteSpec{})
		f.await("up", func() bool { return shop.reportLinks()["one"].Up && session() != nil })
		before := session()
		r.configure(siteSpec{Settings: map[string]string{"size": "large"}})
		select {
		case <-before.done:
			t.Error("a setting that is not in the digest breaks the link")
		default:
		}
		r.configure(siteSpec{Settings: map[string]string{"size": "large", routerLogging: "debug"}})
		<-before.done
		f.await("up again", func() bool { return shop.reportLinks()["one"].Up && session() != nil && session() != before })
	}
}

func TestAnotherObjectOfTheSameName(t *testing.T) {
	f := newField(t)
	hub, shop, ca := f.router("hub"), f.router("shop"), f.authority()
	to := f.target(ca, f.listen(hub, ca, "a")[0])
	shop.setLink("one", "first", to)
	f.await("up", func() bool { return shop.reportLinks()["one"].Up })
	first := shop.link("one")
	shop.setLink("one", "second", to)
	f.await("replaced", func() bool { c := shop.link("one"); return c != first && first.ctx.Err() != nil })
	f.await("up", func() bool { return shop.reportLinks()["one"].Up })
	shop.keepOnly("one", "second")
	if shop.link("one") == nil {
		t.Error("own connection dropped")
	}
}

func TestManyRoutersKnowEachOther(t *testing.T) {
	f := newField(t)
	const shops = 20
	hub, ca := f.router("hub"), f.authority()
	to := f.listen(hub, ca, "a")[0]
	all := []*router{hub}
	for i := range shops {
		r := f.router(fmt.Sprint("shop-", i))
		r.setLink("one", types.UID(r.ID), f.target(ca, to))
		all = append(all, r)
	}
	for _, r := range all {
		f.await("complete", func() bool { return len(r.db.reachable()) == shops+1 })
	}
	all[1].shutDown()
	for _, r := range append(all[:1:1], all[2:]...) {
		f.await("rid of one", func() bool { return len(r.db.reachable()) == shops })
	}
}
