package existing

import (
	"fmt"
	"slices"
	"strconv"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// Keys of a proxy's Secret, as Skupper reads them (2.2.0 and later).
const (
	keyUsername = "username"
	keyPassword = "password"
)

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
	case p.HasUsername && !p.HasPassword:
		return fmt.Sprintf("its proxy's Secret %q has a username without a password, for which the router waits for ever", l.proxy)
	}
	return ""
}

// proxyImporter names and describes the proxies of links.
type proxyImporter struct{ *importer }

// proxies describes the proxies of the links: those that the network has already as
// its inventories say, others one for each Secret. Credentials stay where they are,
// and the description refers to them.
func (m proxyImporter) proxies() {
	used := map[string]bool{}
	given := map[named]network.ProxyName{}
	for _, l := range m.links {
		if name := l.recorded.Proxy; l.proxy != "" && name != "" && m.recalled(l, used) {
			given[named{l.from.at, l.proxy}] = name
		}
	}
	var secrets []named
	for _, l := range m.links {
		s := named{l.from.at, l.proxy}
		if l.proxy != "" && given[s] == "" && !slices.Contains(secrets, s) {
			secrets = append(secrets, s)
		}
	}
	m.nameProxies(secrets, used, given)
	for _, s := range secrets {
		m.out.Network.Proxies = append(m.out.Network.Proxies, m.describeProxy(given[s], s))
	}
	for _, l := range m.links {
		l.described.Proxy = given[named{l.from.at, l.proxy}]
	}
}

// recalled adds the proxy that an inventory has of a link, once for all links of that
// proxy.
func (m proxyImporter) recalled(l *link, used map[string]bool) bool {
	name := l.recorded.Proxy
	if used[string(name)] {
		return true
	}
	settings, _ := m.index.inventories[l.from.at].Proxies[name].Of(l.proxy)
	p, ok := recallProxy(name, settings)
	ok = ok && m.usable(p.Username) && m.usable(p.Password) && (p.Username == nil) == (p.Password == nil)
	if ok {
		used[string(name)] = true
		m.out.Network.Proxies = append(m.out.Network.Proxies, p)
	}
	return ok
}

// usable reports whether the description that is being made can have a reference: a
// recorded one may name a cluster that is called otherwise now.
func (m proxyImporter) usable(ref *network.SecretRef) bool {
	if ref == nil || ref.Kubernetes == nil {
		return true
	}
	for at := range m.taken {
		if at.cluster == ref.Kubernetes.Cluster {
			return true
		}
	}
	return false
}

// nameProxies gives each Secret a key of its own: its name, or the proxy's that it is
// labelled with, where no other wants it.
func (m proxyImporter) nameProxies(secrets []named, used map[string]bool, given map[named]network.ProxyName) {
	wanted := map[string]int{}
	for _, s := range secrets {
		wanted[m.proxyWish(s)]++
	}
	give := func(s named, key string) {
		used[key] = true
		given[s] = network.ProxyName(key)
	}
	free := func(key string) bool { return network.ValidProxyName(key) && !used[key] }
	for _, s := range secrets {
		if wish := m.proxyWish(s); wanted[wish] == 1 && free(wish) {
			give(s, wish)
		}
	}
	for _, s := range secrets {
		if given[s] == "" {
			longer := s.namespace + "-" + m.proxyWish(s)
			give(s, freeKey(maxLabel, free, longer, string(s.cluster)+"-"+longer))
		}
	}
}

func (m proxyImporter) proxyWish(s named) string {
	p := m.index.proxies[s]
	if name := p.Labels[plan.LabelProxy]; p.Owned(m.Network) && name != "" {
		return name
	}
	return s.name
}

func (m proxyImporter) describeProxy(name network.ProxyName, s named) network.Proxy {
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
