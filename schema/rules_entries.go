package schema

import (
	"fmt"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// names checks the names that become names of Kubernetes objects.
func (r *rules) names() {
	for _, c := range r.clusters {
		if !network.ValidClusterName(string(c.Name)) {
			r.fail("cluster-name", subject("cluster", string(c.Name)), c.DeclaredAt,
				fmt.Sprintf("its name %q is no name for a cluster", c.Name), network.ClusterNameRule)
		}
		if c.has("lockNamespace") {
			r.label("namespace-name", subject("cluster", string(c.Name)), c.origin, "lockNamespace", c.LockNamespace)
		}
		if c.has("uid") && !network.ValidClusterUID(c.UID) {
			r.fail("cluster-uid", subject("cluster", string(c.Name)), c.at("uid"), fmt.Sprintf("uid %q is none of a cluster", c.UID), network.ClusterUIDRule)
		}
	}
	for _, s := range r.sites {
		r.key("site-name", subject("site", string(s.Name)), s.DeclaredAt, string(s.Name), network.MaxLabel)
		if s.has("namespace") {
			r.label("namespace-name", subject("site", string(s.Name)), s.origin, "namespace", s.Namespace)
		}
	}
	for _, p := range r.proxies {
		r.key("proxy-name", subject("proxy", string(p.Name)), p.DeclaredAt, string(p.Name), network.MaxLabel)
	}
	for _, l := range r.links {
		r.key("link-name", subject("link", string(l.Name)), l.DeclaredAt, string(l.Name), network.MaxLinkName)
		r.reserved(l)
	}
	r.clashes()
}

// key checks the name of an entry.
func (r *rules) key(code, subject string, at diag.Position, name string, most int) {
	if message, fix := notLabel("its name", name, most); message != "" {
		r.fail(code, subject, at, message, fix)
	}
}

// label checks a field with a name.
func (r *rules) label(code, subject string, from origin, fieldName, name string) {
	if message, fix := notLabel(fieldName, name, network.MaxLabel); message != "" {
		r.fail(code, subject, from.at(fieldName), message, fix)
	}
}

// notLabel says why a name is no DNS label of at most so many characters; empty for one.
func notLabel(what, name string, most int) (message, fix string) {
	switch {
	case len(name) > most:
		return fmt.Sprintf("%s %q has %d characters, at most %d fit", what, name, len(name), most), "shorten it"
	case !network.IsLabel(name):
		return fmt.Sprintf("%s %q is no DNS label", what, name), fixDNSLabel
	}
	return "", ""
}

// reserved refuses link names that the router or Fairlead use themselves.
func (r *rules) reserved(l linkDecl) {
	subject := subject("link", string(l.Name))
	for _, prefix := range network.RouterPrefixes {
		if strings.HasPrefix(string(l.Name), prefix) {
			r.fail("reserved-name", subject, l.DeclaredAt, fmt.Sprintf("names that start with %q belong to the router", prefix), "choose another name")
		}
	}
	if suffix := network.AttemptSuffix(string(l.Name)); suffix != "" {
		r.fail("reserved-name", subject, l.DeclaredAt,
			fmt.Sprintf("a name that ends in %q is kept for a later attempt at a link", suffix), "choose another ending")
	}
}

// clashes finds links whose objects would get each other's names: one to an HA
// site becomes two Links, with a number behind the name.
func (r *rules) clashes() {
	type key struct {
		from network.SiteName
		name string
	}
	owner := map[key]*linkDecl{}
	for i := range r.links {
		l := &r.links[i]
		owner[key{l.From, string(l.Name)}] = l
	}
	for i := range r.links {
		l := &r.links[i]
		if to := r.siteOf[l.To]; to == nil || !to.HA || !l.has("from") {
			continue
		}
		for _, object := range network.LinkObjectNames(string(l.Name)) {
			if other := owner[key{l.From, object}]; other != nil && other != l {
				r.fail("name-clash", subject("link", string(other.Name)), other.DeclaredAt,
					fmt.Sprintf("link %q to the ha site %q makes a Link of the same name in site %q", l.Name, l.To, l.From),
					"rename one of the two", l.DeclaredAt)
			}
		}
	}
}

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

func accessOf(r *rules, name network.ClusterName) reachedBy {
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
		key := place{accessOf(r, s.Cluster), s.Namespace}
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

// secretRules checks the clusters that references to Secrets name. A kubeconfig
// comes from a cluster that is reached without such a reference, so that no two
// clusters wait for each other.
func (r *rules) secretRules() {
	for _, c := range r.clusters {
		name := subject("cluster", string(c.Name))
		source := r.secretCluster(name, c.origin, "kubeconfig", c.Kubeconfig)
		if source == nil || source.Kubeconfig == nil || source.Kubeconfig.Kubernetes == nil {
			continue
		}
		r.fail("secret-reference", name, c.at("kubeconfig"),
			fmt.Sprintf("kubeconfig is in cluster %q, whose own kubeconfig is in a cluster", source.Name),
			"keep it in a cluster that is reached by a context, a file or inCluster", source.DeclaredAt)
	}
	for _, p := range r.proxies {
		name := subject("proxy", string(p.Name))
		r.secretCluster(name, p.origin, "username", p.Username)
		r.secretCluster(name, p.origin, "password", p.Password)
	}
}

// secretCluster finds the cluster that a reference to a Secret names, or nil. A name that
// is none is not shown, like all that stands in a secret's place.
func (r *rules) secretCluster(subject string, from origin, fieldName string, ref *network.SecretRef) *clusterDecl {
	if ref == nil || ref.Kubernetes == nil || ref.Kubernetes.Cluster == "" {
		return nil
	}
	name := ref.Kubernetes.Cluster
	if d, ok := r.clusterOf[name]; ok {
		return d
	}
	r.unresolved = true
	if r.unreadable["clusters"] {
		return nil
	}
	fix := "name one of clusters, or declare the one that is named"
	if near := nearest(r, name, r.clusterOf); near != "" {
		fix = fmt.Sprintf("did you mean %q?", near)
	}
	r.fail("unknown-cluster", subject, from.at(fieldName), fieldName+".kubernetes.cluster names no cluster", fix)
	return nil
}

// objectNames checks the names of objects that differ from the keys.
func (r *rules) objectNames() {
	for _, s := range r.sites {
		r.objectName("site", string(s.Name), s.origin, s.Object)
	}
	for _, l := range r.links {
		r.objectName("link", string(l.Name), l.origin, l.Object)
	}
}

func (r *rules) objectName(kind, key string, from origin, name string) {
	if from.has("object") && !network.IsSubdomain(name) {
		r.fail("object-name", subject(kind, key), from.at("object"),
			fmt.Sprintf("object %q is no name of a Kubernetes object", name),
			fmt.Sprintf("give the name that `kubectl get %s` shows", kind))
	}
}
