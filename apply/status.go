package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/secrets"
)

// condition is one entry of status.conditions.
type condition struct {
	status, reason, message string
	observed                int64
}

func conditionOf(o Object, kind string) (condition, bool) {
	list, _ := o.Status["conditions"].([]any)
	for _, item := range list {
		c, ok := item.(map[string]any)
		if !ok || c["type"] != kind {
			continue
		}
		return condition{
			status: text(c, "status"), reason: text(c, "reason"), message: text(c, "message"),
			observed: number(c, "observedGeneration"),
		}, true
	}
	return condition{}, false
}

// Holds reports whether a condition is true for the object's current generation;
// a Skupper status is trustworthy only then.
func Holds(o Object, kind string) bool {
	c, ok := conditionOf(o, kind)
	return ok && c.status == "True" && c.observed == o.Generation
}

// LastHeld reports whether a condition was true when the controller last reported it, for
// whatever generation of the object that was.
func LastHeld(o Object, kind string) bool {
	c, ok := conditionOf(o, kind)
	return ok && c.status == "True"
}

// LinkOf is what a Link's own status says of it: the conditions of a plan.LinkView, with
// its name. All other fields are left empty.
func LinkOf(o Object) world.LinkView {
	operational, reported := conditionOf(o, "Operational")
	return world.LinkView{
		Meta:       world.Meta{Name: o.Name},
		Configured: Holds(o, "Configured"), Operational: operational.status == "True",
		Current: reported && operational.observed == o.Generation, Unreported: !reported,
		Message: Reason(o, "Configured", "Operational", "Ready"),
	}
}

// Reason gives the most telling text of a status that is not as hoped.
func Reason(o Object, kinds ...string) string {
	for _, kind := range kinds {
		if c, ok := conditionOf(o, kind); ok && c.status != "True" && c.message != "" {
			return c.message
		}
	}
	if m := text(o.Status, "message"); m != "" && m != "OK" {
		return m
	}
	if len(o.Status) == 0 {
		return "the controller has not reported on it; is Skupper running for this namespace?"
	}
	return "the controller gives no reason"
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func number(m map[string]any, key string) int64 {
	switch n := m[key].(type) {
	case int64:
		return n
	case int32:
		return int64(n)
	case int:
		return int64(n)
	case float64:
		return int64(n)
	}
	return 0
}

// errMistaken tells of a Site that was made before the controller handled the deletion of the
// one before it. It takes the new one for a change of the old one, whose router's configuration
// then goes with its owner, and makes no other (Skupper: internal/kube/site, Site.reconcile).
var errMistaken = errors.New("the controller took the Site for one that was deleted before, and its router has no configuration")

// noConfiguration is how the controller says so.
const noConfiguration = `configmaps "skupper-router" not found`

// siteReady decides on a Site; an error ends the wait, because it will not get better.
func siteReady(o Object, exists, listens bool) (bool, error) {
	if !exists || o.Deleting {
		return false, fmt.Errorf("the Site was deleted meanwhile: %w", ErrStale)
	}
	if c, ok := conditionOf(o, "Configured"); ok && c.status == "False" && strings.Contains(c.message, "active site already exists") {
		return false, fmt.Errorf("the namespace has another active Site: %s", c.message)
	}
	if c, ok := conditionOf(o, "Configured"); ok && c.status == "False" && strings.Contains(c.message, noConfiguration) {
		return false, errMistaken
	}
	endpoints, _ := o.Status["endpoints"].([]any)
	return Holds(o, "Ready") && (!listens || len(endpoints) > 0), nil
}

// siteReason tells why a Site is not ready.
func siteReason(o Object) string { return Reason(o, "Configured", "Running", "Resolved", "Ready") }

// errGrantsOff tells a controller without a grant server.
type errGrantsOff struct{ message string }

func (e errGrantsOff) Error() string {
	return "its controller makes no grants: " + e.message
}

// credentials are what a ready grant gives to a token.
type credentials struct {
	url  string
	code secrets.Value
	ca   string
}

// grantReady decides on an AccessGrant. A controller whose grants are switched
// off says so only in status.message and sets no condition.
func grantReady(o Object, exists bool) (credentials, bool, error) {
	if !exists || o.Deleting {
		return credentials{}, false, fmt.Errorf("the grant was deleted meanwhile: %w", ErrStale)
	}
	code, _ := o.Status["code"].(secrets.Value)
	c := credentials{url: text(o.Status, "url"), ca: text(o.Status, "ca"), code: code}
	if c.url != "" && c.ca != "" && !code.IsZero() && Holds(o, "Ready") {
		return c, true, nil
	}
	message := text(o.Status, "message")
	conditions, _ := o.Status["conditions"].([]any)
	if len(conditions) == 0 && strings.Contains(message, "not enabled") {
		return credentials{}, false, errGrantsOff{message}
	}
	return credentials{}, false, nil
}

// errRedemption is a token that the controller could not redeem.
type errRedemption struct {
	message string
	// final tells that nothing can come of it any more, as far as the controller knows:
	// the grant server refused, or its reply came and could not be used.
	final bool
}

func (e errRedemption) Error() string { return e.message }

// refused is a redemption of which nothing can come.
func refused(format string, args ...any) errRedemption {
	return errRedemption{message: fmt.Sprintf(format, args...), final: true}
}

// The controller's words for the HTTP status of a redemption, and for a reply that came
// and was of no use (Skupper: internal/kube/grants/redeem.go).
var (
	answeredWith = regexp.MustCompile(`failed response: ([0-9]{3})\b`)
	uselessReply = regexp.MustCompile(`could not (create received|decode|understand)`)
)

// isFinal reports whether the controller's message is a refusal. A 503 is none: the grant
// had changed meanwhile, or a proxy on the way answered. Nor is a reply that never came.
func isFinal(message string) bool {
	if found := answeredWith.FindStringSubmatch(message); found != nil {
		return found[1] <= "500"
	}
	return uselessReply.MatchString(message)
}

// tokenRedeemed decides on an AccessToken.
func tokenRedeemed(o Object, exists bool) (bool, error) {
	if !exists || o.Deleting {
		return false, fmt.Errorf("the token was deleted meanwhile: %w", ErrStale)
	}
	if done, _ := o.Status["redeemed"].(bool); done {
		return true, nil
	}
	c, ok := conditionOf(o, "Redeemed")
	failed := ok && c.status == "False" && c.message != "" && !strings.EqualFold(c.reason, "Pending")
	if failed || text(o.Status, "status") == "Error" {
		why := Reason(o, "Redeemed")
		return false, errRedemption{why, isFinal(why)}
	}
	return false, nil
}

// spent reports whether a grant has no redemption left.
func spent(o Object) bool {
	return number(o.Status, "redemptions") >= max(number(o.Spec, "redemptionsAllowed"), 1)
}

// NetworkStatusName is the ConfigMap in which a site's controller keeps what the routers
// report, under the key NetworkStatusKey as JSON (Skupper's own; read from its
// documentation and source). It holds all that the network has, so it can reach the limit
// of the API server, and then stays as it was.
const (
	NetworkStatusName = "skupper-network-status"
	NetworkStatusKey  = "NetworkStatus"
)

type networkStatus struct {
	SiteStatus []struct {
		Site struct {
			Identity string `json:"identity"`
		} `json:"site"`
		RouterStatus []struct {
			Links []struct {
				Name   string `json:"name"`
				Status string `json:"status"`
				Cost   int64  `json:"linkCost"`
			} `json:"links"`
		} `json:"routerStatus"`
	} `json:"siteStatus"`
}

// NoReport is the report of a site of which nothing is known, and why.
func NoReport(siteUID, why string) world.SiteReport {
	return world.SiteReport{Site: siteUID, Fault: why}
}

// Reported reads what a site's own routers say of its links, from the data of its
// ConfigMap NetworkStatusName; nil stands for one that is not there.
func Reported(data map[string]string, siteUID string) world.SiteReport {
	report := data[NetworkStatusKey]
	if report == "" {
		return NoReport(siteUID, "there is no report of its routers: ConfigMap "+NetworkStatusName+" is missing or empty")
	}
	var all networkStatus
	if err := json.Unmarshal([]byte(report), &all); err != nil {
		return NoReport(siteUID, fmt.Sprintf("the routers' report in ConfigMap %s cannot be read: %s", NetworkStatusName, err))
	}
	out := NoReport(siteUID, "the routers' report in ConfigMap "+NetworkStatusName+" does not have its site")
	for _, s := range all.SiteStatus {
		if s.Site.Identity != siteUID {
			continue
		}
		out.Fault = ""
		for _, r := range s.RouterStatus {
			for _, l := range r.Links {
				out.Links = append(out.Links, world.LinkReport{
					Name: l.Name, Up: strings.EqualFold(l.Status, "up"), Cost: int32(min(max(l.Cost, 0), math.MaxInt32)),
				})
			}
		}
	}
	return out
}
