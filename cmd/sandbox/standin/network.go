package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// networkConfigMap is where the controller leaves the routers' report.
const networkConfigMap = "skupper-network-status"

// The report as others read it.
type networkStatus struct {
	SiteStatus []siteReport `json:"siteStatus"`
}

type siteReport struct {
	Site         siteIdentity   `json:"site"`
	RouterStatus []routerReport `json:"routerStatus"`
}

type siteIdentity struct {
	Identity  string `json:"identity"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Platform  string `json:"platform"`
	Version   string `json:"version"`
}

type routerReport struct {
	Router routerIdentity  `json:"router"`
	Links  []routerLinkRow `json:"links"`
}

type routerIdentity struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

type routerLinkRow struct {
	Name     string `json:"name"`
	Status   string `json:"status"`
	LinkCost int64  `json:"linkCost"`
	Peer     string `json:"peer"`
}

// networkReport puts the sites that a router knows into the form of the ConfigMap.
func networkReport(records []record) networkStatus {
	out := networkStatus{SiteStatus: make([]siteReport, 0, len(records))}
	for _, r := range records {
		links := make([]routerLinkRow, 0, len(r.Links))
		for _, l := range r.Links {
			row := routerLinkRow{Name: l.Name, Status: "down", LinkCost: l.Cost, Peer: l.PeerID}
			if l.Up {
				row.Status = "up"
			}
			links = append(links, row)
		}
		out.SiteStatus = append(out.SiteStatus, siteReport{
			Site:         siteIdentity{r.Site.ID, r.Site.Name, r.Site.Namespace, "kubernetes", r.Site.Version},
			RouterStatus: []routerReport{{Router: routerIdentity{"skupper-router-" + r.Site.Name, r.Site.Namespace}, Links: links}},
		})
	}
	return out
}

// networkOf puts the sites that a router knows into the form of a Site's status.
func networkOf(records []record) []networkSite {
	var out []networkSite
	for _, r := range records {
		site := networkSite{ID: r.Site.ID, Name: r.Site.Name, Namespace: r.Site.Namespace, Platform: "kubernetes", Version: r.Site.Version}
		for _, l := range r.Links {
			site.Links = append(site.Links, networkLink{Name: l.Name, RemoteSiteID: l.PeerID, RemoteSiteName: l.PeerName, Operational: l.Up})
		}
		out = append(out, site)
	}
	return out
}

// network gives the picture as it was last written.
func (r *router) network() []networkSite {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.picture
}

// networkDue tells whether the picture changed and may be written again: the
// larger the network, the less often, because every site gets all of it.
func (r *router) networkDue(now time.Time, interval time.Duration) bool {
	version := r.db.version()
	r.mu.Lock()
	defer r.mu.Unlock()
	if version == r.seen || now.Sub(r.wrote) < interval*time.Duration(1+r.size*r.size/500) {
		return false
	}
	r.seen, r.wrote = version, now
	return true
}

// writeNetwork leaves the report in the site's namespace.
func (s *Standin) writeNetwork(ctx context.Context, namespace string) error {
	r := s.router(namespace)
	if r == nil {
		return nil
	}
	records := r.db.reachable()
	r.mu.Lock()
	r.size, r.picture = len(records), networkOf(records)
	r.mu.Unlock()
	s.work.Add(key{kind: "site", namespace: namespace})
	text, err := json.Marshal(networkReport(records))
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{
		"apiVersion": "v1",
		"kind":       "ConfigMap",
		"metadata": map[string]any{"name": networkConfigMap, "ownerReferences": []metav1.OwnerReference{
			{APIVersion: apiVersion, Kind: "Site", Name: r.Name, UID: types.UID(r.ID)},
		}},
		"data": map[string]string{"NetworkStatus": string(text)},
	})
	if err != nil {
		return err
	}
	force := true
	_, err = s.core.CoreV1().ConfigMaps(namespace).Patch(ctx, networkConfigMap, types.ApplyPatchType, patch,
		metav1.PatchOptions{FieldManager: "skupper-controller", Force: &force})
	if apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, "NamespaceTerminating") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("network status of %s: %w", namespace, err)
	}
	return nil
}
