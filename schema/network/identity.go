package network

import (
	"regexp"
	"strings"
)

// ofNamespace starts the UID of a cluster that is known by another namespace than kube-system.
const ofNamespace = "namespace/"

// ClusterUIDRule says how the UID of a cluster is written.
const ClusterUIDRule = "write that of its namespace kube-system: kubectl get namespace kube-system -o jsonpath={.metadata.uid}; " +
	`or, where that may not be read, "namespace/NAME:" and that of the namespace of its lock`

var clusterUID = regexp.MustCompile(`^(?:namespace/[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?:)?[0-9A-Za-z](?:[-0-9A-Za-z]{0,126}[0-9A-Za-z])?$`)

// ValidClusterUID reports whether a text may be the UID of a cluster.
func ValidClusterUID(uid string) bool { return clusterUID.MatchString(uid) }

// SameCluster compares UIDs of clusters, each that of the namespace kube-system, or
// "namespace/NAME:" and that of another namespace. known is false where the two cannot be
// compared: they are of different namespaces, or one is empty.
func SameCluster(a, b string) (same, known bool) {
	known = a != "" && b != "" && namespaceOf(a) == namespaceOf(b)
	return known && a == b, known
}

// namespaceOf is the namespace by whose UID a cluster is known; empty for kube-system.
func namespaceOf(uid string) string {
	rest, other := strings.CutPrefix(uid, ofNamespace)
	if !other {
		return ""
	}
	name, _, _ := strings.Cut(rest, ":")
	return name
}
