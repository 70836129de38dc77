package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"fairlead.dev/fairlead/plan"
)

// NetworkStatusName is the ConfigMap in which a site's controller keeps what the routers
// report, under the key NetworkStatusKey as JSON (Skupper's own; read from its
// documentation and source).
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

// up lists the links that the routers of a site report as up. In a report that does
// not tell the site apart, any site's links count. One that cannot be read lists none.
func up(report, siteUID string) map[string]bool {
	var all networkStatus
	if err := json.Unmarshal([]byte(report), &all); err != nil {
		return nil
	}
	out, known := map[string]bool{}, false
	for _, s := range all.SiteStatus {
		known = known || s.Site.Identity == siteUID
	}
	for _, s := range all.SiteStatus {
		if known && s.Site.Identity != siteUID {
			continue
		}
		for _, r := range s.RouterStatus {
			for _, l := range r.Links {
				if strings.EqualFold(l.Status, "up") {
					out[l.Name] = true
				}
			}
		}
	}
	return out
}

// Reported reads the routers' report on all sites that they know, the text under
// NetworkStatusKey: for each site its links. One that cannot be read tells of no site.
func Reported(report string) []plan.SiteReport {
	var all networkStatus
	if err := json.Unmarshal([]byte(report), &all); err != nil {
		return nil
	}
	var out []plan.SiteReport
	for _, s := range all.SiteStatus {
		one := plan.SiteReport{Site: s.Site.Identity}
		for _, r := range s.RouterStatus {
			for _, l := range r.Links {
				one.Links = append(one.Links, plan.LinkReport{
					Name: l.Name, Up: strings.EqualFold(l.Status, "up"), Cost: int32(min(max(l.Cost, 0), math.MaxInt32)),
				})
			}
		}
		out = append(out, one)
	}
	return out
}

// waitReport waits until the connecting site's routers themselves report the Links
// up: what they replace goes next.
func (t *task) waitReport(ctx context.Context, e ends, links []Object) error {
	ref := plan.ObjectRef{
		Cluster: t.Link.From.Cluster, Kind: plan.ObjectConfigMap, Namespace: t.Link.From.Namespace, Name: NetworkStatusName,
	}
	missing := ""
	return t.wait(ctx, e.from, ref, "reporting the new links up", func(o Object, _ bool) (bool, error) {
		reported := up(o.Data[NetworkStatusKey], t.Link.From.UID)
		missing = ""
		for _, l := range links {
			if !reported[l.Name] {
				missing = l.Name
			}
		}
		return missing == "", nil
	}, func(Object) string { return fmt.Sprintf("the routers do not report %s up", missing) })
}
