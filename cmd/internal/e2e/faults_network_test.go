package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// faultNetwork is what the applies under faults bring up.
type faultNetwork struct {
	sites []site
	links []faultLink
	proxy *proxy
}

// faultLink is a link with whatever else its description says.
type faultLink struct{ from, to, extra string }

func (l faultLink) name(i int) string { return fmt.Sprintf("%s-%s-%d", l.from, l.to, i) }

const (
	listening = `linkAccess: "default"`
	byCert    = `via: "certificate"`
)

// faultProxy is a proxy for one of the links, nil where none can be had.
func faultProxy(t *testing.T) *proxy {
	if _, err := theTinyproxy(); err != nil {
		t.Logf("no proxied link: %s", err)
		return nil
	}
	p := startProxy(t, "", "")
	return &p
}

// viaProxy is what a link through the proxy says; by certificate where there is none.
func viaProxy(p *proxy) string {
	if p == nil {
		return byCert
	}
	return `proxy: "corp"`
}

// fullNetwork is what the chosen cases bring up: on given clusters the smallest.
func fullNetwork(p *proxy) faultNetwork {
	if bed.sandbox {
		return twentyLinks(p)
	}
	return fewLinks(p)
}

// twentyLinks is a network of six sites on two clusters, three of them listening and
// one with two routers, joined by tokens and certificates; some pairs are parallel.
func twentyLinks(p *proxy) faultNetwork {
	return faultNetwork{
		proxy: p,
		sites: []site{
			{"hub", 0, listening + ", ha: true"}, {"mid", 0, listening}, {"east", 0, ""},
			{"main", 1, listening}, {"west", 1, ""}, {"edge", 1, "edge: true"},
		},
		links: []faultLink{
			{"east", "hub", ""}, {"east", "hub", byCert}, {"east", "mid", ""}, {"east", "main", "cost: 5"},
			{"east", "main", byCert}, {"west", "hub", ""}, {"west", "hub", viaProxy(p)}, {"west", "mid", ""},
			{"west", "mid", byCert + ", cost: 7"}, {"west", "main", ""}, {"edge", "hub", ""}, {"edge", "mid", byCert},
			{"edge", "main", ""}, {"edge", "main", "cost: 99999"}, {"mid", "hub", ""}, {"mid", "main", byCert},
			{"main", "hub", byCert}, {"main", "mid", ""}, {"main", "mid", "cost: 3"}, {"hub", "main", ""},
		},
	}
}

// fewLinks is the smallest network with each kind of link.
func fewLinks(p *proxy) faultNetwork {
	return faultNetwork{
		proxy: p,
		sites: []site{{"hub", 0, listening + ", ha: true"}, {"spoke", 1, ""}},
		links: []faultLink{{"spoke", "hub", "cost: 2"}, {"spoke", "hub", byCert}, {"spoke", "hub", viaProxy(p)}},
	}
}

// describe writes the description into a world.
func (n faultNetwork) describe(w *world) {
	var b strings.Builder
	fmt.Fprintf(&b, "package test\n\nnetwork: %q\n", w.name)
	fmt.Fprintf(&b, "clusters: {one: context: %q, two: context: %q}\n", contextName(0), contextName(1))
	for _, s := range n.sites {
		fmt.Fprintf(&b, "sites: %q: {cluster: %q, namespace: %q, %s}\n", s.name, []string{"one", "two"}[s.cluster], w.ns(s.name), s.extra)
	}
	for i, l := range n.links {
		fmt.Fprintf(&b, "links: %q: {from: %q, to: %q, %s}\n", l.name(i), l.from, l.to, l.extra)
	}
	if n.proxy != nil {
		fmt.Fprintf(&b, "proxies: corp: {host: %q, port: %d}\n", n.proxy.host, n.proxy.port)
	}
	writeFile(w.t, filepath.Join(w.dir, "net.cue"), b.String())
}
