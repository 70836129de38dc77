package kube

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/secrets"
)

// connected gives a client of a server that answers so.
func connected(t *testing.T, answer http.HandlerFunc) *Cluster {
	t.Helper()
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	c, err := Connect(Config{Name: "a", Kubeconfig: secrets.New(kubeconfigOf(srv.URL)), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func kubeconfigOf(url string) string {
	return strings.ReplaceAll(`{apiVersion: v1, kind: Config, current-context: a,
clusters: [{name: a, cluster: {server: URL}}], contexts: [{name: a, context: {cluster: a, user: a}}], users: [{name: a, user: {}}]}`, "URL", url)
}

func writeStatus(w http.ResponseWriter, code int, reason string) {
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":%q,"reason":%q,"code":%d}`, "status "+reason, reason, code)
}

// A list whose later pages are gone when they are asked for is read anew, and nothing of it
// twice; in the end without pages.
func TestExpiredPages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		// expired is how often second pages are refused, code and reason how.
		expired      int
		code         int
		reason       string
		sites, asked int
		state        plan.State
		says         string
	}{
		{"never", 0, 0, "", 2, 2, plan.StateOK, ""},
		{"once", 1, 410, "Expired", 2, 4, plan.StateOK, ""},
		{"twice", 2, 410, "Expired", 2, 5, plan.StateOK, ""},
		{"always", 99, 410, "Expired", 2, 5, plan.StateOK, ""},
		{"refused half way", 99, 403, "Forbidden", 1, 3, plan.StateOK, ""},
		{"no server's", 99, 400, "BadRequest", 0, 2, plan.StateUnreachable, "list sites"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			expired, asked := tt.expired, 0
			c := connected(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				item := func(name string) string {
					return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"hub","uid":%q}}`, name, name)
				}
				list := func(more string, items ...string) {
					fmt.Fprintf(w, `{"kind":"SiteList","apiVersion":"skupper.io/v2alpha1","metadata":{"continue":%q},"items":[%s]}`, more, strings.Join(items, ","))
				}
				mu.Lock()
				defer mu.Unlock()
				switch {
				case strings.Contains(r.URL.Path, "/leases/"):
					writeStatus(w, http.StatusNotFound, "NotFound")
					return
				case !strings.HasSuffix(r.URL.Path, "/sites"):
					list("")
					return
				}
				asked++
				switch q := r.URL.Query(); {
				case strings.Contains(r.URL.Path, "/namespaces/"):
					list("", item("one"))
				case q.Get("limit") == "":
					list("", item("one"), item("two"))
				case q.Get("continue") == "":
					list("next", item("one"))
				case expired > 0:
					expired--
					writeStatus(w, tt.code, tt.reason)
				default:
					list("", item("two"))
				}
			})
			view := c.observe(t.Context(), Reading{Network: "net", Areas: map[network.ClusterName]Area{"a": {Declared: []string{"hub"}, Lock: "default"}}})
			if view.State != tt.state || len(view.Sites) != tt.sites && tt.state == plan.StateOK || asked != tt.asked || !strings.Contains(view.Reason, tt.says) {
				t.Errorf("%s (%s): %d sites after %d requests", view.State, view.Reason, len(view.Sites), asked)
			}
		})
	}
}

// A list of which no page comes in time is not read, and says so.
func TestPagesThatExpireForEver(t *testing.T) {
	t.Parallel()
	c := connected(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("continue") != "" {
			writeStatus(w, http.StatusGone, "Expired")
			return
		}
		fmt.Fprint(w, `{"kind":"List","apiVersion":"v1","metadata":{"continue":"next"},"items":[]}`)
	})
	view := c.observe(t.Context(), Reading{Network: "net"})
	if view.State == plan.StateOK || !strings.Contains(view.Reason, "its pages expired before they were read (tried 3 times)") {
		t.Errorf("%s: %s", view.State, view.Reason)
	}
}

// What is no answer of an API server is called what it is.
func TestForeignAnswer(t *testing.T) {
	t.Parallel()
	c := connected(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<html>Please log in</html>")
	})
	const want = "the answer is a web page and not an API server's: a proxy or a login may stand in front of it"
	view := c.observe(t.Context(), Reading{Network: "net"})
	if view.State != plan.StateUnreachable || !strings.Contains(view.Reason, want) {
		t.Errorf("%s: %s", view.State, view.Reason)
	}
	_, err := c.Get(t.Context(), plan.ObjectRef{Cluster: "a", Kind: plan.ObjectSite, Namespace: "hub", Name: "hub"})
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("get: %v", err)
	}
}
