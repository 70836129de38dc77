package desired

import (
	"cmp"
	"slices"
	"strconv"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// unresolved is why a proxy's credentials are unknown until somebody asks.
const unresolved = "its references were not read"

// proxies are those that links go through. Whoever can resolve their references
// fills in Digest and takes Unknown away.
func proxies(n network.Network) []plan.DesiredProxy {
	used := map[network.ProxyName]bool{}
	for _, l := range n.Links {
		used[l.Proxy] = true
	}
	var out []plan.DesiredProxy
	for _, p := range n.Proxies {
		if used[p.Name] {
			out = append(out, plan.DesiredProxy{
				Name: p.Name, Host: p.Host, Port: strconv.Itoa(p.Port), References: references(p),
				Unknown: unresolved, DeclaredAt: p.DeclaredAt,
			})
		}
	}
	slices.SortFunc(out, func(a, b plan.DesiredProxy) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// references tells where credentials come from, the same text for the same places.
func references(p network.Proxy) string {
	text := ""
	if p.Username != nil {
		text = "username " + p.Username.String()
	}
	if p.Password != nil {
		text += " password " + p.Password.String()
	}
	return text
}

// recordedProxies are the proxies as last applied: those in the Secrets that links were
// applied with. Their credentials can be compared as long as the description still names
// the same places for them.
func recordedProxies(o world.Observation, declared plan.Desired) []plan.DesiredProxy {
	var out []plan.DesiredProxy
	for _, c := range o.Clusters {
		for _, inv := range c.Inventories {
			if c.State == plan.StateOK && inv.Broken == "" && inv.Content.Network == declared.Network {
				out = append(out, proxiesOf(inv.Content, declared)...)
			}
		}
	}
	slices.SortFunc(out, compareProxies)
	return slices.CompactFunc(out, func(a, b plan.DesiredProxy) bool { return compareProxies(a, b) == 0 })
}

func compareProxies(a, b plan.DesiredProxy) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Site, b.Site), cmp.Compare(a.Secret, b.Secret))
}

// proxiesOf are the proxies of a site's applied links. What is recorded of others is only
// kept for an apply that did not end.
func proxiesOf(inv record.Inventory, declared plan.Desired) (out []plan.DesiredProxy) {
	for _, l := range inv.Links {
		if l.State != record.LinkApplied || l.Proxy == "" {
			continue
		}
		if s, ok := inv.Proxies[l.Proxy].Of(l.ProxySecret); ok {
			p := recordedProxy(l.Proxy, s, declared)
			p.Site, p.Secret = inv.Site, l.ProxySecret
			out = append(out, p)
		}
	}
	return out
}

func recordedProxy(name network.ProxyName, p record.ProxySettings, declared plan.Desired) plan.DesiredProxy {
	out := plan.DesiredProxy{
		Name: name, Host: p.Host, Port: p.Port, References: p.References,
		Unknown: "the description names other places for them than when they were applied",
	}
	for _, d := range declared.Proxies {
		if d.Name != name {
			continue
		}
		out.DeclaredAt = d.DeclaredAt
		if d.References == p.References {
			out.Digest, out.Unknown = d.Digest, d.Unknown
		}
	}
	return out
}
