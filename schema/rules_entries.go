package schema

import (
	"fmt"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

func (r *rules) clusterRules() {
	for _, c := range r.clusters {
		subject := subject("cluster", string(c.Name))
		if !c.InCluster {
			continue
		}
		if c.Kubeconfig != nil {
			r.fail("cluster-access", subject, c.at("inCluster"), "inCluster and kubeconfig exclude each other", "keep one of them", c.at("kubeconfig"))
		}
		if c.Context != "" {
			r.fail("cluster-access", subject, c.at("context"),
				fmt.Sprintf("context is %q, but inCluster reads no kubeconfig", c.Context), "keep one of them", c.at("inCluster"))
		}
	}
}

func (r *rules) siteRules() {
	for i := range r.sites {
		s := &r.sites[i]
		name := subject("site", string(s.Name))
		resolve(r, "cluster", name, s.origin, "cluster", s.Cluster, r.clusterOf)
		if !s.Edge {
			continue
		}
		if s.Listens() {
			r.fail("edge-listens", name, s.at("linkAccess"), fmt.Sprintf("linkAccess is %q, but an edge site cannot listen", s.LinkAccess),
				"remove linkAccess or edge", s.at("edge"))
		}
		if s.HA {
			r.fail("edge-ha", name, s.at("ha"), "ha is true, but an edge site cannot be ha", "remove ha or edge", s.at("edge"))
		}
	}
	r.sharedNamespaces()
	r.settings()
}

// settings warns of settings that Skupper does not heed, once for all sites that have one
// from the same place.
func (r *rules) settings() {
	type declared struct {
		key string
		at  diag.Position
	}
	sites := map[declared][]network.SiteName{}
	for _, s := range r.sites {
		for key := range s.Settings {
			if _, _, odd := network.OddSetting(key); odd {
				d := declared{key, s.at("settings", key)}
				sites[d] = append(sites[d], s.Name)
			}
		}
	}
	for d, names := range sites {
		message, fix, _ := network.OddSetting(d.key)
		if more := len(names) - 1; more > 0 {
			message += fmt.Sprintf(" (and %d more alike)", more)
		}
		r.warn("site-setting", subject("site", string(names[0])), d.at, message, fix)
	}
}

// reachedBy tells how a cluster is reached: two names with the same answer are
// one cluster.
type reachedBy struct {
	name       network.ClusterName
	context    string
	kubeconfig string
	inCluster  bool
}

func (r *rules) access(name network.ClusterName) reachedBy {
	c := r.clusterOf[name]
	if c == nil || c.broken {
		return reachedBy{name: name}
	}
	out := reachedBy{context: c.Context, inCluster: c.InCluster}
	if c.Kubeconfig != nil {
		out.kubeconfig = c.Kubeconfig.String()
	}
	return out
}

func (r *rules) sharedNamespaces() {
	type place struct {
		cluster   reachedBy
		namespace string
	}
	first := map[place]*siteDecl{}
	for i := range r.sites {
		s := &r.sites[i]
		if !s.has("cluster") || !s.has("namespace") {
			continue
		}
		key := place{r.access(s.Cluster), s.Namespace}
		other, taken := first[key]
		if !taken {
			first[key] = s
			continue
		}
		message := fmt.Sprintf("namespace %q of cluster %q already holds site %q", s.Namespace, s.Cluster, other.Name)
		if other.Cluster != s.Cluster {
			message += fmt.Sprintf(": clusters %q and %q are reached the same way", other.Cluster, s.Cluster)
		}
		r.fail("namespace-shared", subject("site", string(s.Name)), s.at("namespace"), message,
			"give each site its own namespace", other.at("namespace"))
	}
}

func (r *rules) proxyRules() {
	for _, p := range r.proxies {
		name := subject("proxy", string(p.Name))
		if p.has("host") && !network.ValidProxyHost(p.Host) {
			r.proxyHost(name, p)
		}
		switch {
		case p.broken:
		case p.Password != nil && p.Username == nil:
			r.fail("proxy-credentials", name, p.at("password"), "password comes without a username", "add username, or remove password")
		case p.Username != nil && p.Password == nil:
			r.fail("proxy-credentials", name, p.at("username"), "username comes without a password, for which the router would wait for ever",
				"add password, or remove username for an anonymous proxy")
		}
	}
}

// proxyHost reports a host that is more than a name. What has an @ may hold credentials,
// and is not shown.
func (r *rules) proxyHost(name string, p proxyDecl) {
	if strings.Contains(p.Host, "@") {
		r.fail("proxy-host", name, p.at("host"), "host has an @, want a host name or address alone",
			"write credentials as references, in username and password; if any was committed, change it: git keeps what it was")
		return
	}
	r.fail("proxy-host", name, p.at("host"), fmt.Sprintf("host is %q, want a host name or address alone", p.Host),
		"leave out scheme, port and path; the port has its own field")
}
