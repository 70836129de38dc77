package schema

import (
	"fmt"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// secretRules checks the clusters that references to Secrets name. A kubeconfig
// comes from a cluster that is reached without such a reference, so that no two
// clusters wait for each other.
func (r *rules) secretRules() {
	for _, c := range r.clusters {
		name := subject("cluster", string(c.Name))
		source := r.secretCluster(name, "kubeconfig", c.Kubeconfig, c.kubeconfigAt)
		if source == nil || source.Kubeconfig == nil || source.Kubeconfig.Kubernetes == nil {
			continue
		}
		r.fail("secret-reference", name, c.kubeconfigAt,
			fmt.Sprintf("kubeconfig is in cluster %q, whose own kubeconfig is in a cluster", source.Name),
			"keep it in a cluster that is reached by a context, a file or inCluster", source.DeclaredAt)
	}
	for _, p := range r.proxies {
		name := subject("proxy", string(p.Name))
		r.secretCluster(name, "username", p.Username, p.usernameAt)
		r.secretCluster(name, "password", p.Password, p.passwordAt)
	}
}

// secretCluster finds the cluster that a reference to a Secret names, or nil. A name that
// is none is not shown, like all that stands in a secret's place.
func (r *rules) secretCluster(subject, fieldName string, ref *network.SecretRef, at diag.Position) *clusterDecl {
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
	r.fail("unknown-cluster", subject, at, fieldName+".kubernetes.cluster names no cluster", fix)
	return nil
}

// objectNames checks the names of objects that differ from the keys.
func (r *rules) objectNames() {
	for _, s := range r.sites {
		if !s.objectAt.IsZero() && !network.IsSubdomain(s.Object) {
			r.fail("object-name", subject("site", string(s.Name)), s.objectAt,
				fmt.Sprintf("object %q is no name of a Kubernetes object", s.Object), "give the name that `kubectl get site` shows")
		}
	}
	for _, l := range r.links {
		if !l.objectAt.IsZero() && !network.IsSubdomain(l.Object) {
			r.fail("object-name", subject("link", string(l.Name)), l.objectAt,
				fmt.Sprintf("object %q is no name of a Kubernetes object", l.Object), "give the name that `kubectl get link` shows")
		}
	}
}
