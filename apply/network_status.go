package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"fairlead.dev/fairlead/plan"
)

// NetworkStatusName is the ConfigMap in which a site's controller keeps what the routers
// report, under the key NetworkStatusKey as JSON (Skupper's own; read from its
// documentation and source). It holds all that the network has, so it can reach the limit
// of the API server, and then stays as it was.
const (
	NetworkStatusName = "skupper-network-status"
	NetworkStatusKey  = "NetworkStatus"
)

// silence is how long a report may have nothing of a Link that its own status has as
// operational, before the status alone counts: routers report each 10 s (seen).
const silence = 30 * time.Second

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
func NoReport(siteUID, why string) plan.SiteReport { return plan.SiteReport{Site: siteUID, Fault: why} }

// Reported reads what a site's own routers say of its links, from the data of its
// ConfigMap NetworkStatusName; nil stands for one that is not there.
func Reported(data map[string]string, siteUID string) plan.SiteReport {
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
				out.Links = append(out.Links, plan.LinkReport{
					Name: l.Name, Up: strings.EqualFold(l.Status, "up"), Cost: int32(min(max(l.Cost, 0), math.MaxInt32)),
				})
			}
		}
	}
	return out
}

// reportRef is the ConfigMap with the report of the connecting site.
func (t *task) reportRef() plan.ObjectRef {
	return plan.ObjectRef{
		Cluster: t.Link.From.Cluster, Kind: plan.ObjectConfigMap, Namespace: t.Link.From.Namespace, Name: NetworkStatusName,
	}
}

// ownReport is what the routers of the connecting site say just now. It waits for nothing:
// to list and to watch the ConfigMap is all that an apply may do with it.
func (t *task) ownReport(ctx context.Context, e ends) plan.SiteReport {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawal)
	defer cancel()
	var report plan.SiteReport
	err := e.from.Wait(bounded, t.reportRef(), func(o Object, _ bool) (bool, error) {
		report = Reported(o.Data, t.Link.From.UID)
		return true, nil
	})
	if err != nil {
		return NoReport(t.Link.From.UID, fmt.Sprintf("the report of its routers cannot be read: %s", err))
	}
	return report
}

// waitReport waits until the connecting site's routers themselves report the Links up:
// what they replace goes next. A report that tells nothing keeps nobody waiting, as the
// Links' own status has them as operational; one without them does for a while.
func (t *task) waitReport(ctx context.Context, e ends, links []Object) error {
	patience, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	err := t.watchReport(patience, e, links, func(l plan.LinkReport, listed bool) bool { return listed && l.Up })
	if err == nil || ctx.Err() != nil || patience.Err() == nil {
		return err
	}
	return t.watchReport(ctx, e, links, func(l plan.LinkReport, listed bool) bool { return !listed || l.Up })
}

// watchReport waits until the report says of each of the Links what is good, or nothing
// of their site at all.
func (t *task) watchReport(ctx context.Context, e ends, links []Object, good func(l plan.LinkReport, listed bool) bool) error {
	down := ""
	return t.wait(ctx, e.from, t.reportRef(), "reporting the new links up", func(o Object, _ bool) (bool, error) {
		report := Reported(o.Data, t.Link.From.UID)
		down = ""
		for _, l := range links {
			if reported, listed := report.Link(l.Name); !good(reported, listed) {
				down = l.Name
			}
		}
		return down == "" || report.Fault != "", nil
	}, func(Object) string { return fmt.Sprintf("the routers do not report %s up", down) })
}
