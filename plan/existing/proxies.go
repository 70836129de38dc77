package existing

import (
	"fmt"
	"strconv"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// Keys of a proxy's Secret, as Skupper reads them (2.2.0 and later).
const (
	keyUsername = "username"
	keyPassword = "password"
)

// proxyOf is the name of the Secret with a Link's proxy, or "".
func (m *importer) proxyOf(at place, v plan.LinkView) string {
	return m.index.proxied[named{at, v.Name}]
}

// proxyProblem says why no description can have the link's proxy.
func (m *importer) proxyProblem(l *link) string {
	p, found := m.index.proxies[named{l.from.at, l.proxy}]
	port, err := strconv.Atoi(p.Port)
	switch {
	case !found:
		return fmt.Sprintf("its proxy's Secret %q is not there", l.proxy)
	case !network.ValidProxyHost(p.Host):
		return fmt.Sprintf("its proxy's Secret %q has the host %q, which is no host name or address", l.proxy, p.Host)
	case err != nil || port < 1 || port > 65535:
		return fmt.Sprintf("its proxy's Secret %q has the port %q, want 1 to 65535", l.proxy, p.Port)
	case p.HasPassword && !p.HasUsername:
		return fmt.Sprintf("its proxy's Secret %q has a password without a username", l.proxy)
	}
	return ""
}

// proxies describes the proxies of the links, one for each Secret: the credentials
// stay there, and the description refers to them.
func (m *importer) proxies() {
	wanted := map[string]int{}
	var secrets []named
	seen := map[named]bool{}
	for _, l := range m.links {
		if s := (named{l.from.at, l.proxy}); l.proxy != "" && !seen[s] {
			seen[s] = true
			secrets = append(secrets, s)
			wanted[s.name]++
		}
	}
	used := map[string]bool{}
	given := map[named]network.ProxyName{}
	for _, first := range []bool{true, false} {
		for _, s := range secrets {
			alone := wanted[s.name] == 1 && network.ValidProxyName(s.name)
			if alone != first {
				continue
			}
			key := s.name
			if !alone {
				free := func(key string) bool { return network.ValidProxyName(key) && !used[key] }
				key = freeKey(maxLabel, free, s.namespace+"-"+s.name, string(s.cluster)+"-"+s.namespace+"-"+s.name)
			}
			used[key] = true
			given[s] = network.ProxyName(key)
			m.out.Network.Proxies = append(m.out.Network.Proxies, m.describeProxy(given[s], s))
		}
	}
	for _, l := range m.links {
		l.described.Proxy = given[named{l.from.at, l.proxy}]
	}
}

func (m *importer) describeProxy(name network.ProxyName, s named) network.Proxy {
	p := m.index.proxies[s]
	port, _ := strconv.Atoi(p.Port) // proxyProblem looked at it
	out := network.Proxy{Name: name, Host: p.Host, Port: port}
	reference := func(key string) *network.SecretRef {
		return &network.SecretRef{Kubernetes: &network.SecretKey{Cluster: s.cluster, Namespace: s.namespace, Name: s.name, Key: key}}
	}
	if p.HasUsername {
		out.Username = reference(keyUsername)
	}
	if p.HasPassword {
		out.Password = reference(keyPassword)
	}
	return out
}
