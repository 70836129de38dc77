package schema

import "slices"

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
	// secrets are the fields with references to secrets, or with what holds such
	// references. What stands there is not shown.
	secrets []string
	// reference says that the object is a reference to a secret: what stands in its
	// place instead may be the secret.
	reference bool
}

func newShape(what string, required int, fields ...string) shape {
	return shape{what: what, fields: fields, required: required}
}

// hiding marks the fields of which no value is shown.
func (s shape) hiding(fields ...string) shape {
	s.secrets = fields
	return s
}

// hides tells whether the value of a field stays unshown: one that may hold a secret,
// or one that nobody knows, which may be a secret in the wrong place.
func (s shape) hides(name string) bool {
	return !slices.Contains(s.fields, name) || slices.Contains(s.secrets, name)
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
			"network", "clusters", "sites", "links", "proxies", "policy", "overlay").hiding("clusters", "proxies"),
		cluster: newShape("a struct that says how to reach the cluster", 0,
			"context", "kubeconfig", "inCluster", "lockNamespace", "uid").hiding("kubeconfig"),
		site: newShape("a struct with cluster and namespace", 2,
			"cluster", "namespace", "linkAccess", "ha", "edge", "protect",
			"defaultIssuer", "serviceAccount", "object", "overlay", "settings"),
		link: newShape("a struct with from and to", 2,
			"from", "to", "cost", "via", "proxy", "rotation", "object"),
		proxy: newShape("a struct with host and port", 2,
			"host", "port", "username", "password").hiding("username", "password"),
		secret: secretShape(),
		encrypted: newShape("a struct with file", 1,
			"file", "key").hiding("file", "key"),
		secretKey: newShape("a struct with cluster, namespace, name and key", 4,
			"cluster", "namespace", "name", "key").hiding("cluster", "namespace", "name", "key"),
		policy: newShape("a struct of rules", 0,
			"unreachableSites", "deletes", "clean", "signers", "planExpiry", "ignore"),
		deletes: newShape("a struct of limits", 0,
			"sites", "links", "objects", "percent"),
		ignore: newShape("a struct with path and reason", 2,
			"path", "reason"),
	}
}

func secretShape() shape {
	s := newShape("a struct with one of env, file, age, sops, kubernetes or command", 0,
		"env", "file", "age", "sops", "kubernetes", "command")
	s.reference = true
	return s.hiding(s.fields...)
}

// open tells whether values at a path of the description may be shown. What lies outside
// of the known fields, such as a helper, may hold a secret.
func (s shapes) open(path []string) bool {
	if len(path) == 0 || s.network.hides(path[0]) && len(path) < 3 {
		return false
	}
	entry, isSection := map[string]shape{"clusters": s.cluster, "sites": s.site, "links": s.link, "proxies": s.proxy}[path[0]]
	switch {
	case isSection:
		return len(path) < 3 || !entry.hides(path[2])
	case path[0] == "policy":
		return (len(path) < 2 || !s.policy.hides(path[1])) && (len(path) < 3 || !s.deletes.hides(path[2]) || !s.ignore.hides(path[2]))
	}
	return !s.network.hides(path[0])
}
