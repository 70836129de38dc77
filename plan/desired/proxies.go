package desired

import (
	"cmp"
	"slices"
	"strconv"

	"fairlead.dev/fairlead/plan"
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

// recordedProxies are the proxies as last applied. Their credentials can be
// compared as long as the description still names the same places for them.
func recordedProxies(o plan.Observation, declared plan.Desired) []plan.DesiredProxy {
	found := map[network.ProxyName]plan.DesiredProxy{}
	for _, c := range o.Clusters {
		for _, inv := range c.Inventories {
			if c.State != plan.StateOK || inv.Broken != "" || inv.Content.Network != declared.Network {
				continue
			}
			for name, p := range inv.Content.Proxies {
				if _, ok := found[name]; !ok && goesThrough(inv.Content, name) {
					found[name] = recordedProxy(name, p, declared)
				}
			}
		}
	}
	out := make([]plan.DesiredProxy, 0, len(found))
	for _, p := range found {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b plan.DesiredProxy) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// goesThrough reports whether an applied link of a site goes through a proxy. What
// is recorded of other proxies is only kept for their numbers.
func goesThrough(inv plan.Inventory, name network.ProxyName) bool {
	for _, l := range inv.Links {
		if l.State == plan.LinkApplied && l.Proxy == name {
			return true
		}
	}
	return false
}

func recordedProxy(name network.ProxyName, p plan.InventoryProxy, declared plan.Desired) plan.DesiredProxy {
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
