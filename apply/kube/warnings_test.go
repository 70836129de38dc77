package kube

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/secrets"
)

// What an API server says beside its answer to a write comes with it, bounded.
func TestWarnings(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Add("Warning", `299 - "policy sizes: size is set"`)
		for i := range 5 {
			w.Header().Add("Warning", fmt.Sprintf("299 - %q", fmt.Sprint(i, strings.Repeat("x", 1000))))
		}
		fmt.Fprint(w, `{"kind":"Site","apiVersion":"skupper.io/v2alpha1","metadata":{"name":"hub","namespace":"hub"}}`)
	}))
	t.Cleanup(srv.Close)
	c, err := Connect(Config{Name: "a", Kubeconfig: secrets.New(kubeconfigOf(srv.URL))})
	if err != nil {
		t.Fatal(err)
	}
	o, err := c.Apply(t.Context(), apply.Object{ObjectRef: plan.ObjectRef{Cluster: "a", Kind: plan.ObjectSite, Namespace: "hub", Name: "hub"}}, true)
	if err != nil || len(o.Warnings) != mostWarnings || o.Warnings[0] != "policy sizes: size is set" ||
		slices.ContainsFunc(o.Warnings, func(w string) bool { return len(w) > longestWarning+3 }) {
		t.Errorf("%v %q", err, o.Warnings)
	}
}
