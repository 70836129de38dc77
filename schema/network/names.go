package network

import "strconv"

// MaxLinkName is the longest link name: a label value holds 63 characters, and
// Fairlead may add "-r" with up to four digits for a later attempt, and Skupper
// "-1" or "-2" for the two Links of an HA site.
const MaxLinkName = 63 - len("-r9999") - len("-2")

// MaxNetworkName leaves room for the inventory's prefix in a label-sized name.
const MaxNetworkName = 63 - len(InventoryPrefix)

// InventoryPrefix starts the name of the ConfigMap that records what was applied.
const InventoryPrefix = "fairlead-"

// ObjectName is the name of the token of a link's attempt, and so of the Link
// and Secret that its redemption makes. Attempts count from 1; the first has the
// link's own name. A name is never used twice while a Site lives, because a Link
// recreated under its old name can stay "Not Operational" for good.
func ObjectName(link LinkName, attempt int) string {
	if attempt <= 1 {
		return string(link)
	}
	return string(link) + "-r" + strconv.Itoa(attempt)
}

// IsObjectName reports whether a name is the ObjectName of one of a link's first
// attempts.
func IsObjectName(name string, link LinkName, attempts int) bool {
	for attempt := 1; attempt <= attempts; attempt++ {
		if name == ObjectName(link, attempt) {
			return true
		}
	}
	return false
}

// LinkObjectNames lists every Link name that redemption may make of the object
// name: the name itself, and the numbered pair that an HA listening site gives.
func LinkObjectNames(object string) []string {
	return []string{object, object + "-1", object + "-2"}
}

// ProxySecretName is the name of the Secret with a proxy's settings. Revisions count
// from 1 and are never used twice at a site: Skupper does not honour a change of
// the Secret's content.
func ProxySecretName(proxy ProxyName, revision int) string {
	return "fairlead-proxy-" + string(proxy) + "-" + strconv.Itoa(revision)
}

// InventoryName is the name of the network's inventory in each site's namespace.
func InventoryName(network string) string { return InventoryPrefix + network }
