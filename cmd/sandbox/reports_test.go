package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// observed gives a condition, for whatever generation, as "True at 2".
func observed(u *obj, kind string) string {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, item := range list {
		if c := item.(map[string]any); c["type"] == kind {
			return fmt.Sprintf("%v at %v", c["status"], c["observedGeneration"])
		}
	}
	return ""
}

// row is a link in the routers' report, its state as "up 3".
type row struct{ site, link, state string }

// rows reads the routers' report in the namespace; none while there is none to read.
func (n *ns) rows() (out []row) {
	cm, err := n.core.CoreV1().ConfigMaps(n.name).Get(n.t.Context(), "skupper-network-status", metav1.GetOptions{})
	if err != nil {
		return nil
	}
	var all struct {
		SiteStatus []struct {
			Site         struct{ Name string }
			RouterStatus []struct {
				Links []struct {
					Name, Status string
					LinkCost     int
				}
			}
		}
	}
	if json.Unmarshal([]byte(cm.Data["NetworkStatus"]), &all) != nil {
		return nil // a switch has it cut
	}
	for _, s := range all.SiteStatus {
		for _, r := range s.RouterStatus {
			for _, l := range r.Links {
				out = append(out, row{s.Site.Name, l.Name, fmt.Sprintf("%s %d", l.Status, l.LinkCost)})
			}
		}
	}
	return out
}

// reported gives every state of a link in the report of the namespace's site, sorted.
func (n *ns) reported(link string) (out []string) {
	n.t.Helper()
	for _, r := range n.rows() {
		if r.link == link {
			out = append(out, r.state)
		}
	}
	slices.Sort(out)
	return out
}

func (n *ns) awaitReported(link string, want ...string) {
	n.t.Helper()
	eventually(n.t, func() string {
		if got := n.reported(link); !slices.Equal(got, want) {
			return fmt.Sprintf("the report of %s has link %s as %q, want %q", n.name, link, got, want)
		}
		return ""
	})
}

// After a cost edit Configured follows at once; Operational is looked at again only when
// the network is another one, and a cost is no part of that.
func TestCostEditLeavesOperationalBehind(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	linked(hub, shop, "one")
	shop.await("links", "one", "up at 1", func(u *obj) bool { return observed(u, "Operational") == "True at 1" })
	// What the link itself changed of the network has to be over.
	shop.awaitReported("one", "up 1")
	shop.await("sites", "shop", "in a network of two", func(u *obj) bool { return str(u, "status", "sitesInNetwork") == "2" })
	shop.patch("links", "one", `{"spec":{"cost":7}}`)
	shop.await("links", "one", "configured at 2", func(u *obj) bool {
		return observed(u, "Configured") == "True at 2" && observed(u, "Ready") == "True at 2"
	})
	shop.awaitReported("one", "up 7")
	never(t, func() string {
		if got := observed(shop.get("links", "one"), "Operational"); got != "True at 1" {
			return "Operational is " + got
		}
		return ""
	})
	third := shared.clusters[0].namespace(t)
	third.create("sites", "third", map[string]any{})
	third.awaitTrue("sites", "third", "Ready")
	linked(hub, third, "other")
	shop.await("links", "one", "up at 2", func(u *obj) bool { return observed(u, "Operational") == "True at 2" })
}

// A site's report is right about its own links only.
func TestReportsOfOthersKeepOldCosts(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	third := shared.clusters[0].namespace(t)
	third.create("sites", "third", map[string]any{})
	third.awaitTrue("sites", "third", "Ready")
	linked(hub, third, "other")
	linked(hub, shop, "one")
	for _, n := range []*ns{hub, shop, third} {
		n.awaitReported("one", "up 1")
	}
	shop.patch("links", "one", `{"spec":{"cost":7}}`)
	shop.awaitReported("one", "up 7")
	hub.awaitReported("one", "up 1", "up 7")
	// What makes the third site write its report again does not bring the cost there.
	third.patch("links", "other", `{"spec":{"cost":2}}`)
	third.awaitReported("other", "up 2")
	third.awaitReported("one", "up 1")
}

// A Link of which no report has come has no condition Operational, and is not Ready.
func TestUnreportedLink(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	shop.set("report-delay", "1h")
	token(hub, shop, "one", 0)
	shop.awaitTrue("accesstokens", "one", "Redeemed")
	shop.configure("one")
	shop.await("links", "one", "not ready yet", func(u *obj) bool {
		return is(u, "Configured") == "True" && is(u, "Ready") == "False" && str(u, "status", "message") == "Not Operational"
	})
	if got := observed(shop.get("links", "one"), "Operational"); got != "" {
		t.Errorf("Operational is %s", got)
	}
}

// The report can be missing, cut or frozen; with the last the controller sees no more of
// the network than is in it. One that is missed goes on without the Links' status.
func TestReportSwitches(t *testing.T) {
	t.Parallel()
	hub, shop := sites(t, nil)
	link := linked(hub, shop, "one")
	shop.awaitReported("one", "up 1")
	text := func() string {
		cm, err := shop.core.CoreV1().ConfigMaps(shop.name).Get(t.Context(), "skupper-network-status", metav1.GetOptions{})
		if err != nil {
			return ""
		}
		return cm.Data["NetworkStatus"]
	}
	whole := text()
	shop.set("report", "omit")
	eventually(t, func() string { return text() })
	shop.set("report", "cut")
	eventually(t, func() string {
		if got := text(); got == "" || json.Valid([]byte(got)) {
			return "not cut: " + got
		}
		return ""
	})
	shop.copyLink(link, "two", 2)
	shop.awaitTrue("links", "two", "Ready")
	shop.set("report", "")
	shop.awaitReported("two", "up 2")
	shop.set("report", "freeze")
	frozen := text()
	shop.copyLink(link, "three", 3)
	shop.awaitTrue("links", "three", "Configured")
	never(t, func() string {
		if got := observed(shop.get("links", "three"), "Operational"); got != "" || text() != frozen {
			return "it is not frozen: " + got
		}
		return ""
	})
	shop.set("report", "")
	shop.awaitReported("three", "up 3")
	shop.awaitTrue("links", "three", "Ready")
	shop.set("report", "missed")
	hub.set("site", "stuck")
	shop.awaitReported("three", "down 3")
	never(t, func() string {
		if is(shop.get("links", "three"), "Operational") != "True" {
			return "the Link's status follows the report"
		}
		return ""
	})
	if !json.Valid([]byte(whole)) {
		t.Errorf("the first report: %s", whole)
	}
}
