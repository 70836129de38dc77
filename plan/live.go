package plan

import (
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// The codes of facts about how the network runs. A rule of the description may cover each
// of them (see network.LinkFacts and network.SiteFacts).
const (
	// LiveLinkDown is a Link that Skupper does not report operational, or a link that an
	// interrupted apply left without one that is.
	LiveLinkDown = "link-down"
	// LiveLinkUnknown is a Link of which nothing that can be read says whether it is up.
	LiveLinkUnknown = "link-unknown"
	// LiveLinkCost is a link whose router has another cost in force than the Link asks for.
	LiveLinkCost = "link-cost"
	// LiveEndpointMoved is a Link that leads to an address which its listening site no
	// longer has, where no drift says so.
	LiveEndpointMoved = "endpoint-moved"
	// LiveCertificateExpiring and LiveCertificateExpired tell of a link's certificate.
	LiveCertificateExpiring = "certificate-expiring"
	LiveCertificateExpired  = "certificate-expired"
	// LiveCAMismatch is a link whose credentials are of an earlier CA than that which its
	// listening site has.
	LiveCAMismatch = "ca-mismatch"
	// LiveUnmanagedLink is a Link beside ours that Fairlead does not own.
	LiveUnmanagedLink = "unmanaged-link"
	// LiveLeftover is an object of a link that is recorded nowhere.
	LiveLeftover = "leftover"
	// LiveGrantLeftOpen is a grant of ours that somebody could still redeem.
	LiveGrantLeftOpen = "grant-left-open"
	// LiveUnmanagedGrant is a grant at a site of ours that Fairlead did not make and that
	// somebody could still redeem.
	LiveUnmanagedGrant = "unmanaged-grant"
	// LiveUnmanagedSite is a site that is linked with ours and that no description shows.
	LiveUnmanagedSite = "unmanaged-site"
	// LiveSiteNotReady is a Site that Skupper does not report ready.
	LiveSiteNotReady = "site-not-ready"
	// LiveClusterLeft is a cluster that is described no more and still has sites.
	LiveClusterLeft = ClusterLeft
	// LiveClusterChanged is a name of a cluster that leads to another one than it did.
	LiveClusterChanged = ClusterChanged
	// LiveInventoryLost is a Site of which nothing tells what was last applied.
	LiveInventoryLost = "inventory-lost"
)

// Live is one fact about how the network runs that no description shows.
type Live struct {
	// Severity is an error where traffic is down or may be, or where drift cannot be told,
	// and a warning otherwise.
	Severity diag.Severity `json:"severity"`
	// Code names the kind of fact in kebab-case and is stable, such as "link-down".
	Code string `json:"code"`
	// Subject is what the fact is about, as an action's ID is written: "link/shop1-hub".
	Subject   string              `json:"subject"`
	Cluster   network.ClusterName `json:"cluster"`
	Namespace string              `json:"namespace"`
	// Message says what is so, Fix what to do about it.
	Message string `json:"message"`
	Fix     string `json:"fix"`
	// At is where the subject is declared; zero when it is not.
	At diag.Position `json:"at"`
}

// Ignored is drift that a rule of the description leaves out.
type Ignored struct {
	// Action is the ID of the action that it would have been, or the subject of a fact
	// about how the network runs. Field is the path in it, or the fact's code; empty where
	// all of an object is left out: it is gone, or was made anew by somebody.
	Action string `json:"action"`
	Field  string `json:"field"`
	// From is the field's value on the cluster, To the one that was last applied; absent
	// for facts and for a whole object.
	From any `json:"from,omitempty"`
	To   any `json:"to,omitempty"`
	// Rule is the path of the rule, Reason why it is there.
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

// Applied is a commit and the sites whose records are of it.
type Applied struct {
	// Commit is empty for what was applied outside of git.
	Commit string `json:"commit"`
	// Dirty is true where what was applied had changes that the commit lacks.
	Dirty bool               `json:"dirty,omitempty"`
	Sites []network.SiteName `json:"sites"`
}
