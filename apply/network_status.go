package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"fairlead.dev/fairlead/plan"
)

// networkStatus is the ConfigMap in which a site's controller keeps what the routers
// report, under the key networkStatusKey as JSON (Skupper's own; read from its
// documentation and source).
const (
	networkStatusName = "skupper-network-status"
	networkStatusKey  = "NetworkStatus"
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

// waitReport waits until the connecting site's routers themselves report the Links
// up: what they replace goes next.
func (t *task) waitReport(ctx context.Context, e ends, links []Object) error {
	ref := plan.ObjectRef{
		Cluster: t.Link.From.Cluster, Kind: plan.ObjectConfigMap, Namespace: t.Link.From.Namespace, Name: networkStatusName,
	}
	missing := ""
	return t.wait(ctx, e.from, ref, "reporting the new links up", func(o Object, _ bool) (bool, error) {
		reported := up(o.Data[networkStatusKey], t.Link.From.UID)
		missing = ""
		for _, l := range links {
			if !reported[l.Name] {
				missing = l.Name
			}
		}
		return missing == "", nil
	}, func(Object) string { return fmt.Sprintf("the routers do not report %s up", missing) })
}
