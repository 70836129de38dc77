package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"

	"golang.org/x/sync/errgroup"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
)

// reports reads what the routers of some Sites report of their links: a report is large, and
// right about its own site alone. Each is a list of one name, so that reading takes no other
// right than to list. A report that may not be read is one that says nothing.
func (c *Cluster) reports(ctx context.Context, sites []world.SiteView) ([]world.SiteReport, error) {
	out := make([]world.SiteReport, len(sites))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelLists)
	for i, site := range sites {
		g.Go(func() (err error) {
			out[i], err = c.report(ctx, site)
			return err
		})
	}
	return out, g.Wait()
}

func (c *Cluster) report(ctx context.Context, site world.SiteView) (world.SiteReport, error) {
	one := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", apply.NetworkStatusName).String()}
	var data map[string]string
	_, err := c.eachOf(ctx, kinds[plan.ObjectConfigMap], site.Namespace, one, func(u *unstructured.Unstructured) func() {
		data, _, _ = unstructured.NestedStringMap(u.Object, "data")
		return nil
	})
	if refused(err) {
		return apply.NoReport(site.UID, "the report of its routers may not be read"), nil
	}
	return apply.Reported(data, site.UID), err
}
