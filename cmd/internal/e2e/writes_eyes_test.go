package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// pathPattern takes a path apart: namespace, resource, name, subresource.
var pathPattern = regexp.MustCompile(`^/(?:api/v1|apis/[^/]+/[^/]+)(?:/namespaces/([^/]+))?/([^/]+)(?:/([^/]+))?(?:/([^/]+))?$`)

// changeOf reads a request; false when it is no write to a namespaced object.
func changeOf(cluster int, method, path string) (change, bool) {
	m := pathPattern.FindStringSubmatch(path)
	if method == http.MethodGet || m == nil || m[1] == "" {
		return change{}, false
	}
	return change{place: place{cluster, m[1]}, method: method, path: path, kind: m[2], name: m[3], sub: m[4]}, true
}

// incoming is called with each request of a command before it is forwarded.
func (k *writeCheck) incoming(cluster int, r *http.Request, body []byte, api http.RoundTripper) (answered func(status int), err error) {
	c, ok := changeOf(cluster, r.Method, r.URL.Path)
	if !ok {
		return func(int) {}, nil
	}
	if c.sub == "" && slices.Contains(judged, c.kind) {
		if err := k.foresee(&c, r, body, api); err != nil {
			return nil, fmt.Errorf("the check on writes cannot judge %s: %w", c, err)
		}
	}
	found := k.judge(c)
	return func(status int) {
		if status < 300 {
			k.accept(c, found)
		}
	}, nil
}

// foresee fills in what the write does: a creation is what it says, and of any
// other the API server itself tells the outcome in a dry run.
func (k *writeCheck) foresee(c *change, r *http.Request, body []byte, api http.RoundTripper) error {
	switch r.Method {
	case http.MethodPost:
		c.after = &unstructured.Unstructured{}
		if err := c.after.UnmarshalJSON(body); err != nil {
			return err
		}
		c.name = c.after.GetName()
		return nil
	case http.MethodDelete:
		if c.name == "" {
			return fmt.Errorf("it deletes a collection")
		}
		c.before = k.eyes.get(c.place, c.kind, c.name)
		return nil
	}
	c.before = k.eyes.get(c.place, c.kind, c.name)
	after, err := dryRun(r, body, api)
	c.after = after
	return err
}

// dryRun sends the request so that nothing is kept, and gives what it would make of
// its object; nil when it is refused.
func dryRun(r *http.Request, body []byte, api http.RoundTripper) (*unstructured.Unstructured, error) {
	try := r.Clone(r.Context())
	try.Body, try.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	query := try.URL.Query()
	query.Set("dryRun", "All")
	try.URL.RawQuery = query.Encode()
	try.Header.Set("Accept", "application/json")
	try.Header.Del("Accept-Encoding")
	resp, err := api.RoundTrip(try)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		return nil, err
	}
	o := &unstructured.Unstructured{}
	return o, o.UnmarshalJSON(answer)
}

// clusterEyes look at the real API servers.
type clusterEyes struct {
	t   testing.TB
	dyn []dynamic.Interface
}

func (e clusterEyes) get(at place, kind, name string) *unstructured.Unstructured {
	o, err := e.dyn[at.cluster].Resource(resource(kind)).Namespace(at.namespace).Get(context.Background(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		e.t.Errorf("the check on writes cannot read %s %s/%s: %s", kind, at.namespace, name, err)
		return nil
	}
	return o
}

func (e clusterEyes) list(at place, kind string) []unstructured.Unstructured {
	l, err := e.dyn[at.cluster].Resource(resource(kind)).Namespace(at.namespace).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		e.t.Errorf("the check on writes cannot list %s in %s: %s", kind, at.namespace, err)
		return nil
	}
	return l.Items
}

// reportTime is how long the routers' report may lag behind a Link's status.
const reportTime = time.Minute

// reportedUp allows the routers' report some time: a controller may say of a Link
// that it is operational a moment before it writes the report that says so too.
// The old Link is there meanwhile, so nothing is proven that was not so.
func (e clusterEyes) reportedUp(at place, link, siteID string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), reportTime)
	defer cancel()
	return within(ctx, func() bool {
		return reportSaysUp(e.get(at, "configmaps", routersReport), link, siteID)
	})
}

// reportSaysUp tells whether the routers' report has a Link of a Site as up.
func reportSaysUp(o *unstructured.Unstructured, link, siteID string) bool {
	return slices.ContainsFunc(reportedLinks(o, siteID), func(l reportedLink) bool { return l.Name == link && l.Status == "up" })
}

// reportedLink is a link as the routers report it.
type reportedLink struct {
	Name, Status string
	LinkCost     int
}

// reportedLinks reads the routers' report for the Links of one Site.
func reportedLinks(o *unstructured.Unstructured, siteID string) (out []reportedLink) {
	if o == nil {
		return nil
	}
	text, _, _ := unstructured.NestedString(o.Object, "data", "NetworkStatus")
	var network struct {
		SiteStatus []struct {
			Site         struct{ Identity string }
			RouterStatus []struct{ Links []reportedLink }
		}
	}
	if err := json.Unmarshal([]byte(text), &network); err != nil {
		return nil
	}
	for _, s := range network.SiteStatus {
		for _, r := range s.RouterStatus {
			if s.Site.Identity == siteID {
				out = append(out, r.Links...)
			}
		}
	}
	return out
}

// checkWrites makes the check on a world's writes, which fails its test.
func checkWrites(t testing.TB, dyn []dynamic.Interface) *writeCheck {
	return newWriteCheck(clusterEyes{t, dyn}, allWrites, func(f finding) { t.Error(f) })
}
