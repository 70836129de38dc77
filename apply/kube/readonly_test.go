package kube

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/secrets"
)

// A client for reading sends no request that could write.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	writes := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			writes++
		}
		http.NotFound(w, r)
	}))
	defer srv.Close()
	kubeconfig := strings.ReplaceAll(`{apiVersion: v1, kind: Config, current-context: a,
clusters: [{name: a, cluster: {server: URL}}], contexts: [{name: a, context: {cluster: a, user: a}}], users: [{name: a, user: {}}]}`, "URL", srv.URL)
	for _, reading := range []bool{true, false} {
		c, err := Connect(Config{Name: "a", Kubeconfig: secrets.New(kubeconfig), ReadOnly: reading})
		if err != nil {
			t.Fatal(err)
		}
		ref := plan.ObjectRef{Kind: plan.ObjectSite, Namespace: "n", Name: "s"}
		if _, err := c.Get(t.Context(), ref); !errors.Is(err, apply.ErrNotFound) {
			t.Errorf("reading: %v", err)
		}
		writes = 0
		_, created := c.Create(t.Context(), apply.Object{ObjectRef: ref})
		_, applied := c.Apply(t.Context(), apply.Object{ObjectRef: ref}, true)
		deleted := c.Delete(t.Context(), ref)
		for name, err := range map[string]error{"create": created, "apply": applied, "delete": deleted} {
			if stopped := err != nil && strings.Contains(err.Error(), "only reads"); stopped != reading {
				t.Errorf("%s with read-only %t: %v", name, reading, err)
			}
		}
		if (writes == 0) != reading {
			t.Errorf("read-only %t: %d writes were sent", reading, writes)
		}
	}
}
