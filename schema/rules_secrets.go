package schema

import (
	"fmt"

	"fairlead.dev/fairlead/schema/network"
)

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
		if s.has("object") && !network.IsSubdomain(s.Object) {
			r.fail("object-name", subject("site", string(s.Name)), s.at("object"),
				fmt.Sprintf("object %q is no name of a Kubernetes object", s.Object), "give the name that `kubectl get site` shows")
		}
	}
	for _, l := range r.links {
		if l.has("object") && !network.IsSubdomain(l.Object) {
			r.fail("object-name", subject("link", string(l.Name)), l.at("object"),
				fmt.Sprintf("object %q is no name of a Kubernetes object", l.Object), "give the name that `kubectl get link` shows")
		}
	}
}
