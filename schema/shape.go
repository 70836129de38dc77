package schema

// shape is what an object may hold. schema.cue says the same, for `cue vet` and
// editors. Unifying each of some thousand sites and links with a closed
// definition takes CUE half as long again, and it leaves out unknown and missing
// fields as soon as there is an error of another kind: so the walk that decodes a
// description also checks its structure. A test keeps the two in step.
type shape struct {
	// what completes "want ...".
	what string
	// fields are the known names; the first so many are required.
	fields   []string
	required int
}

func newShape(what string, required int, fields ...string) shape {
	return shape{what: what, fields: fields, required: required}
}

// fieldSet holds the indexes of the fields of a shape that were met.
type fieldSet uint16

func (s *fieldSet) add(i int)     { *s |= 1 << i }
func (s fieldSet) has(i int) bool { return s&(1<<i) != 0 }

// shapes are all shapes of a description.
type shapes struct {
	network, cluster, site, link, proxy, secret, encrypted, secretKey, policy, deletes, ignore shape
}

func newShapes() shapes {
	return shapes{
		network: newShape("a description", 1,
			"network", "clusters", "sites", "links", "proxies", "policy", "overlay"),
		cluster: newShape("a struct that says how to reach the cluster", 0,
			"context", "kubeconfig", "inCluster", "lockNamespace"),
		site: newShape("a struct with cluster and namespace", 2,
			"cluster", "namespace", "linkAccess", "ha", "edge", "protect",
			"defaultIssuer", "serviceAccount", "object", "overlay", "settings"),
		link: newShape("a struct with from and to", 2,
			"from", "to", "cost", "via", "proxy", "rotation", "object"),
		proxy: newShape("a struct with host and port", 2,
			"host", "port", "username", "password"),
		secret: newShape("a struct with one of env, file, age, sops, kubernetes or command", 0,
			"env", "file", "age", "sops", "kubernetes", "command"),
		encrypted: newShape("a struct with file", 1,
			"file", "key"),
		secretKey: newShape("a struct with cluster, namespace, name and key", 4,
			"cluster", "namespace", "name", "key"),
		policy: newShape("a struct of rules", 0,
			"unreachableSites", "deletes", "clean", "signers", "planExpiry", "ignore"),
		deletes: newShape("a struct of limits", 0,
			"sites", "links", "percent"),
		ignore: newShape("a struct with path and reason", 2,
			"path", "reason"),
	}
}
