package standin

import (
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// switchPrefix starts the annotations of a Namespace that bend the stand-in.
const switchPrefix = "sandbox.fairlead.dev/"

// Names that the controller gives.
const (
	siteCA            = "skupper-site-ca"
	siteServer        = "skupper-site-server"
	routerAccessName  = "skupper-router"
	secondGroup       = "skupper-router-2"
	interRouter       = "inter-router"
	edgeRole          = "edge"
	defaultVersion    = "2.2.1"
	proxySetting      = "proxy-configuration"
	routerLogging     = "router-logging"
	grantWindow       = 10 * time.Minute
	anotherActiveSite = "An active site already exists in the namespace"
)

// pickActive chooses the namespace's one active site: the one that is, as long
// as it exists, otherwise the oldest.
func pickActive(sites []*siteObject, current types.UID) *siteObject {
	sort.Slice(sites, func(i, j int) bool {
		a, b := sites[i], sites[j]
		if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
			return a.CreationTimestamp.Before(&b.CreationTimestamp)
		}
		return a.Name < b.Name
	})
	for _, site := range sites {
		if site.UID == current {
			return site
		}
	}
	if len(sites) == 0 {
		return nil
	}
	return sites[0]
}

// wantsAccess tells whether the site asks for links from elsewhere.
func (s siteSpec) wantsAccess() bool { return s.LinkAccess != "" && s.LinkAccess != "none" }

// issuer is the name of the Secret that signs for the site.
func (s siteSpec) issuer() string {
	if s.DefaultIssuer != "" {
		return s.DefaultIssuer
	}
	return siteCA
}

// groups are the endpoint groups of the site's routers.
func (s siteSpec) groups() []string {
	if s.HA && !s.Edge {
		return []string{routerAccessName, secondGroup}
	}
	return []string{routerAccessName}
}

// role is the kind of endpoint that the site's own links connect to.
func (s siteSpec) role() string {
	if s.Edge {
		return edgeRole
	}
	return interRouter
}

// reserved tells the routers' own names from those of Links.
func reserved(name string) bool {
	return strings.HasPrefix(name, "skupper-router") || strings.HasPrefix(name, "auto-mesh")
}

// endpointFor is the endpoint that a link connects to, nil if none is usable.
func endpointFor(endpoints []endpoint, role string) *endpoint {
	for _, e := range endpoints {
		if e.Name == role && e.Host != "" && e.Port != "" {
			return &e
		}
	}
	return nil
}

// effectiveCost is what a cost counts as.
func effectiveCost(cost int64) int64 { return max(1, cost) }

// liveCost tells whether a controller of this version passes cost edits on.
func liveCost(version string) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return true
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		return true
	}
	return major > 2 || major == 2 && minor >= 2
}

// onlyStatus tells whether two versions of an object differ in nothing that a
// user writes. A resync shows the same version twice: that is no status write.
func onlyStatus(old, obj *unstructured.Unstructured) bool {
	if old.GetResourceVersion() == obj.GetResourceVersion() {
		return false
	}
	return old.GetGeneration() == obj.GetGeneration() &&
		reflect.DeepEqual(old.GetLabels(), obj.GetLabels()) &&
		reflect.DeepEqual(old.GetAnnotations(), obj.GetAnnotations()) &&
		reflect.DeepEqual(old.GetOwnerReferences(), obj.GetOwnerReferences()) &&
		reflect.DeepEqual(old.GetFinalizers(), obj.GetFinalizers())
}

// linkReport is what a router says of one link.
type linkReport struct {
	Up       bool
	PeerID   string
	PeerName string
	Cost     int64
}

// news tells whether a report says anything of its links but their costs that the last
// copy does not: what the controller compares has no costs. A link that is missing from the report is no news: its object is
// gone, and nothing is left to update. Hence the trap: when it is made again
// under the same name, the report equals the copy.
func news(copied, report map[string]linkReport) bool {
	for name, r := range report {
		was, ok := copied[name]
		was.Cost = r.Cost
		if !ok || was != r {
			return true
		}
	}
	return false
}

// refusal is why a grant cannot be redeemed, as an HTTP status; 0 if it can.
func (g *grantObject) refusal(code string, now time.Time) int {
	expires, err := time.Parse(time.RFC3339, g.Status.ExpirationTime)
	switch {
	case err != nil, g.Status.Code == "", now.After(expires), g.Status.Redemptions >= max(1, g.Spec.RedemptionsAllowed):
		return 404
	case code != g.Status.Code:
		return 403
	}
	return 0
}

// window is how long a new grant lasts.
func (g grantSpec) window() (time.Duration, error) {
	if g.ExpirationWindow == "" {
		return grantWindow, nil
	}
	return time.ParseDuration(g.ExpirationWindow)
}

// linkNames are the names of a token's links, one for each endpoint group.
func linkNames(token string, groups int) []string {
	if groups == 1 {
		return []string{token}
	}
	names := make([]string, groups)
	for i := range names {
		names[i] = token + "-" + strconv.Itoa(i+1)
	}
	return names
}
