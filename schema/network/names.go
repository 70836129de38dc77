package network

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

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

// RouterPrefixes start the names of Links that Skupper's router keeps for itself
// (seen in Skupper 2.2).
var RouterPrefixes = []string{"skupper-router", "auto-mesh"}

// skuppersOwn are names of objects that Skupper's controller makes in the namespace
// of every Site: its CA, and the routers' report (seen in Skupper 2.2).
var skuppersOwn = []string{"skupper-site-ca", "skupper-network-status"}

// IsSkuppersOwn reports whether Skupper keeps the name for objects of its own, of
// whatever kind.
func IsSkuppersOwn(name string) bool {
	isPrefix := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	return slices.Contains(skuppersOwn, name) || slices.ContainsFunc(RouterPrefixes, isPrefix)
}

// MaxLabel is the longest DNS-1123 label.
const MaxLabel = 63

// IsLabel reports whether s has the form of a DNS-1123 label: lower-case letters,
// digits and hyphens, with a letter or digit at both ends. It does not count them.
func IsLabel(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alnum && (c != '-' || i == 0 || i == len(s)-1) {
			return false
		}
	}
	return s != ""
}

// maxSubdomain is the longest DNS-1123 subdomain, and so the longest name of most
// Kubernetes objects.
const maxSubdomain = 253

// IsSubdomain reports whether s is a DNS-1123 subdomain: labels with dots between
// them, at most 253 characters. Most Kubernetes objects have such a name.
func IsSubdomain(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if !IsLabel(label) {
			return false
		}
	}
	return len(s) <= maxSubdomain
}

// AttemptSuffix is the "-r" and digits at the end of a link's name, or "". Names
// with one are kept for later attempts at a link; see ObjectName.
func AttemptSuffix(name string) string {
	rest := strings.TrimRight(name, "0123456789")
	if rest == name || !strings.HasSuffix(rest, "-r") {
		return ""
	}
	return name[len(rest)-len("-r"):]
}

// ValidNetworkName reports whether a description may have the name.
func ValidNetworkName(s string) bool { return IsLabel(s) && len(s) <= MaxNetworkName }

// ValidClusterName reports whether a cluster of a description may have the name. It
// may look like a context of a kubeconfig ("admin@hub.example.com"), but names a
// directory, too: it has no slash, space or control character, and starts with no dot.
func ValidClusterName(s string) bool {
	bad := func(r rune) bool { return r == '/' || r == '\\' || unicode.IsSpace(r) || !unicode.IsPrint(r) }
	return s != "" && len(s) <= maxSubdomain && s[0] != '.' && utf8.ValidString(s) && !strings.ContainsFunc(s, bad)
}

// ClusterNameRule says in words what ValidClusterName wants.
const ClusterNameRule = "use letters, digits and . - _ @ : without a dot in front, at most 253 characters"

// ValidSiteName reports whether a site of a description may have the name.
func ValidSiteName(s string) bool { return IsLabel(s) && len(s) <= MaxLabel }

// ValidProxyName reports whether a proxy of a description may have the name.
func ValidProxyName(s string) bool { return IsLabel(s) && len(s) <= MaxLabel }

// ValidProxyHost tells a bare host name or address from a URL or a host with a port.
func ValidProxyHost(s string) bool {
	return s != "" && !strings.ContainsAny(s, "/@ \t\n[]") && strings.Count(s, ":") != 1
}

// ValidLinkName reports whether a link of a description may have the name, whatever
// other links there are.
func ValidLinkName(s string) bool {
	for _, prefix := range RouterPrefixes {
		if strings.HasPrefix(s, prefix) {
			return false
		}
	}
	return IsLabel(s) && len(s) <= MaxLinkName && AttemptSuffix(s) == ""
}
