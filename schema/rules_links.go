package schema

import (
	"fmt"

	"fairlead.dev/fairlead/schema/network"
)

func (r *rules) linkRules() {
	for i := range r.links {
		l := &r.links[i]
		name := subject("link", string(l.Name))
		resolve(r, "site", name, l.origin, "from", l.From, r.siteOf)
		to := resolve(r, "site", name, l.origin, "to", l.To, r.siteOf)
		switch {
		case l.has("from") && l.has("to") && l.From == l.To:
			r.fail("self-link", name, l.at("to"), fmt.Sprintf("from and to are both %q", l.To), "link two different sites", l.at("from"))
		case to != nil:
			r.listener(l, to)
		}
		if l.has("proxy") || l.broken {
			r.viaProxy(l)
		}
	}
	r.duplicates()
}

func (r *rules) listener(l *linkDecl, to *siteDecl) {
	name := subject("link", string(l.Name))
	switch {
	case to.Edge:
		r.fail("edge-listens", name, l.at("to"), fmt.Sprintf("to is %q, but an edge site cannot listen", l.To),
			"swap from and to, or link to another site", to.at("edge"))
	case !to.Listens() && !to.broken:
		r.fail("listener-without-access", name, l.at("to"), fmt.Sprintf("to is %q, but that site does not listen", l.To),
			fmt.Sprintf("add linkAccess: \"default\" to site %q", l.To), to.DeclaredAt)
	}
}

func (r *rules) viaProxy(l *linkDecl) {
	if !l.has("proxy") {
		r.unresolved = true
		return
	}
	name := subject("link", string(l.Name))
	resolve(r, "proxy", name, l.origin, "proxy", l.Proxy, r.proxyOf)
	if l.Via == network.ViaToken && l.has("via") {
		r.fail("proxy-needs-certificate", name, l.at("via"), fmt.Sprintf("via is %q, but a token cannot carry the settings of proxy %q", l.Via, l.Proxy),
			`remove via, or write via: "certificate"`, l.at("proxy"))
	}
}

// duplicates warns of a second link between two sites, in either direction: the
// routers use one and keep the other in reserve, whatever their costs.
func (r *rules) duplicates() {
	type ends struct{ a, b network.SiteName }
	first := map[ends]*linkDecl{}
	for i := range r.links {
		l := &r.links[i]
		if !l.has("from") || !l.has("to") || l.From == l.To {
			continue
		}
		key := ends{min(l.From, l.To), max(l.From, l.To)}
		other, taken := first[key]
		if !taken {
			first[key] = l
			continue
		}
		message := fmt.Sprintf("joins the same sites as link %q", other.Name)
		if other.From != l.From {
			message = fmt.Sprintf("joins the same sites as link %q, the other way round", other.Name)
		}
		r.warn("duplicate-ends", subject("link", string(l.Name)), l.at("to"), message+"; routers use only one of them at a time",
			"remove one, or keep it as a standby", other.at("to"))
	}
}
