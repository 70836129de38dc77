package kube

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/secrets"
)

// Where only single namespaces may be read, the Lease names those of earlier sites: a
// Lease that cannot be read for another reason than rights leaves the cluster unread,
// and nothing in it is taken for gone.
func TestLeaseOfNamespaces(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]plan.State{
		http.StatusNotFound: plan.StateOK, http.StatusForbidden: plan.StateOK, http.StatusBadRequest: plan.StateUnreachable,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				status := func(code int, reason string) {
					w.WriteHeader(code)
					fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d}`, reason, code)
				}
				switch {
				case strings.Contains(r.URL.Path, "/leases/"):
					status(code, map[int]string{404: "NotFound", 403: "Forbidden", 400: "BadRequest"}[code])
				case strings.Contains(r.URL.Path, "/namespaces/hub/"):
					fmt.Fprint(w, `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`)
				default:
					status(http.StatusForbidden, "Forbidden")
				}
			}))
			t.Cleanup(srv.Close)
			kubeconfig := strings.ReplaceAll(`{apiVersion: v1, kind: Config, current-context: a,
clusters: [{name: a, cluster: {server: URL}}], contexts: [{name: a, context: {cluster: a, user: a}}], users: [{name: a, user: {}}]}`, "URL", srv.URL)
			c, err := Connect(Config{Name: "a", Kubeconfig: secrets.New(kubeconfig), ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			view := c.Observe(t.Context(), Reading{Network: "net", Areas: map[network.ClusterName]Area{"a": {Declared: []string{"hub"}, Lock: "default"}}})
			if view.State != want {
				t.Errorf("state %s (%s), want %s", view.State, view.Reason, want)
			}
		})
	}
}
