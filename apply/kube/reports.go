package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
)

// mostReports bounds how many reports of one cluster are read: a network that is in more
// parts than that has other troubles.
const mostReports = 5

// reports reads what the routers report of links. Each site's report is of all sites that
// its routers reach, so one is read, and others only for sites with links up that it does
// not know. It is a list of one name, so that reading takes no other right than to list.
func (s *survey) reports(ctx context.Context) error {
	one := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", apply.NetworkStatusName).String()}
	known := map[string]bool{}
	for range mostReports {
		site := s.unreported(known)
		if site == nil {
			return nil
		}
		known[site.UID] = true
		err := s.readIn(ctx, site.Namespace, s.whole(kinds[plan.ObjectConfigMap], one, func(u *unstructured.Unstructured) {
			text, _, _ := unstructured.NestedString(u.Object, "data", apply.NetworkStatusKey)
			for _, r := range apply.Reported(text) {
				if known[r.Site] && r.Site != site.UID {
					continue // of two reports on a site the first counts
				}
				known[r.Site] = true
				s.view.Reports = append(s.view.Reports, r)
			}
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

// unreported gives the network's own Site with a link up that no report knows, of several
// the one that sees most; nil when there is none.
func (s *survey) unreported(known map[string]bool) *plan.SiteView {
	up := map[string]bool{}
	for _, l := range s.view.Links {
		up[l.Namespace] = up[l.Namespace] || l.Owned(s.Network) && l.Operational
	}
	var best *plan.SiteView
	for i, v := range s.view.Sites {
		wanted := v.Owned(s.Network) && up[v.Namespace] && !known[v.UID]
		if wanted && (best == nil || v.SitesInNetwork > best.SitesInNetwork || v.SitesInNetwork == best.SitesInNetwork && v.Namespace < best.Namespace) {
			best = &s.view.Sites[i]
		}
	}
	return best
}
