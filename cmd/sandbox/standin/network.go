package standin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
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

// networkReport puts the sites that a router knows into the form of the ConfigMap, in no
// order that tells anything.
func (g *gazette) networkReport(records []record) networkStatus {
	out := networkStatus{SiteStatus: make([]siteReport, 0, len(records))}
	for _, r := range slices.SortedFunc(slices.Values(records), func(a, b record) int { return cmp.Compare(a.Site.ID, b.Site.ID) }) {
		links := make([]routerLinkRow, 0, len(r.Links))
		for _, l := range r.Links {
			for _, cost := range g.costs(r.Site.ID, l) {
				row := routerLinkRow{Name: l.Name, Status: "down", LinkCost: cost, Peer: l.PeerID}
				if l.Up {
					row.Status = "up"
				}
				links = append(links, row)
			}
		}
		out.SiteStatus = append(out.SiteStatus, siteReport{
			Site:         siteIdentity{r.Site.ID, r.Site.Name, r.Site.Namespace, "kubernetes", r.Site.Version},
			RouterStatus: []routerReport{{Router: routerIdentity{"skupper-router-" + r.Site.Name, r.Site.Namespace}, Links: links}},
		})
	}
	return out
}

// gazette is what a router remembers of what it told of the network. Only the work that
// writes a site's report uses it.
type gazette struct {
	self string
	// heard are the costs of other sites' links when they were first heard of.
	heard map[string]int64
	// seen are the sites, links, without their costs, and services that the controller was
	// told of, by name.
	seen map[string]string
}

func newGazette(self string) *gazette {
	return &gazette{self: self, heard: map[string]int64{}, seen: map[string]string{}}
}

// costs are those that the report has of a link. Only of the site's own it is sure to be
// right: of others it keeps the one that it heard first while the link is up, and of one
// that leads to it, it has the present one as well.
func (g *gazette) costs(site string, l recordLink) []int64 {
	id := site + "/" + l.Name
	first, known := g.heard[id]
	if !known || !l.Up {
		first = l.Cost
		g.heard[id] = first
	}
	switch {
	case site == g.self:
		return []int64{l.Cost}
	case l.PeerID == g.self && first != l.Cost:
		return []int64{first, l.Cost}
	}
	return []int64{first}
}

// news tells whether there is a site or a state of a link that the controller was not
// told of. As with a site's own links, what is missing is no news.
func (g *gazette) news(picture []networkSite) bool {
	found := false
	tell := func(id string, v any) {
		was, known := g.seen[id]
		now := fmt.Sprintf("%+v", v)
		found = found || !known || was != now
		g.seen[id] = now
	}
	for _, site := range picture {
		tell(site.ID, site.Version)
		for _, l := range site.Links {
			tell(site.ID+"/"+l.Name, l)
		}
		for _, one := range site.Services {
			tell(site.ID+" "+one.Key, one)
		}
	}
	return found
}

// networkOf puts the sites that a router knows into the form of a Site's status.
func networkOf(records []record) []networkSite {
	var out []networkSite
	for _, r := range records {
		site := networkSite{ID: r.Site.ID, Name: r.Site.Name, Namespace: r.Site.Namespace, Platform: "kubernetes", Version: r.Site.Version, Services: r.Services}
		for _, l := range r.Links {
			if l.PeerID == "" {
				continue // it was never up, and the controller leaves it out
			}
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

// writeNetwork leaves the report in the site's namespace, unless a switch has it otherwise.
func (s *Standin) writeNetwork(ctx context.Context, namespace string) error {
	r, how := s.router(namespace), s.watch.annotation(namespace, "report")
	if r == nil || how == "freeze" {
		return nil
	}
	records := r.db.reachable()
	r.mu.Lock()
	r.size, r.picture = len(records), networkOf(records)
	picture := r.picture
	r.mu.Unlock()
	if r.told.news(picture) {
		s.handOn(namespace, r.report.last())
	}
	s.work.Add(key{kind: "site", namespace: namespace})
	s.work.Add(key{kind: "services", namespace: namespace})
	text, err := json.Marshal(r.told.networkReport(records))
	switch {
	case err != nil:
		return err
	case how == "omit":
		return s.dropReport(ctx, namespace)
	case how == "cut":
		text = text[:len(text)/2]
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

// dropReport takes the report away.
func (s *Standin) dropReport(ctx context.Context, namespace string) error {
	err := s.core.CoreV1().ConfigMaps(namespace).Delete(ctx, networkConfigMap, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
