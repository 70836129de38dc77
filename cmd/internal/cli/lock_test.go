package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fairlead.dev/fairlead/apply"
	"fairlead.dev/fairlead/apply/kube"
	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// refusing is a kubeconfig of an API server that answers every request with the status.
func refusing(t *testing.T, status int, reason string) (kubeconfig string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	var mu sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		*asked = append(*asked, r.Method+" "+r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"message":"no","code":%d}`, reason, status)
	}))
	t.Cleanup(srv.Close)
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{"kind":"Config","apiVersion":"v1","clusters":[{"name":"c","cluster":{"server":%q}}],
"contexts":[{"name":"c","context":{"cluster":"c"}}],"current-context":"c"}`, srv.URL)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return kubeconfig, asked
}

const oneCluster = `package p
network: "n"
clusters: hub: context: "c"
sites: hub: {cluster: "hub", namespace: "hub"}
`

// A lock that we may not take, or that has no place, stops an apply before it reads
// anything else.
func TestLockRefused(t *testing.T) {
	t.Parallel()
	for status, reason := range map[int]string{http.StatusForbidden: "Forbidden", http.StatusUnauthorized: "Unauthorized"} {
		kubeconfig, asked := refusing(t, status, reason)
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "net.cue"), []byte(oneCluster), 0o600); err != nil {
			t.Fatal(err)
		}
		env := map[string]string{"KUBECONFIG": kubeconfig}
		code, _, errOut := runIn(dir, env, "apply", "--yes")
		if code != exitUnreachable {
			t.Errorf("exit %d", code)
		}
		for _, want := range []string{"cluster hub", "nothing was applied", "Lease fairlead-n", "lockNamespace", `"default"`, "fairlead rbac"} {
			if !strings.Contains(errOut, want) {
				t.Errorf("%q is not in:\n%s", want, errOut)
			}
		}
		if got := strings.Join(*asked, ", "); got != "GET /apis/coordination.k8s.io/v1/namespaces/default/leases/fairlead-n" {
			t.Errorf("it asked: %s", got)
		}
	}
}

func TestLockFlags(t *testing.T) {
	t.Parallel()
	hello := filepath.Join(fixtures(t), "hello")
	for _, tt := range []struct{ args, says string }{
		{"apply --lock-timeout -1s", "--lock-timeout"},
		{"apply --lock-lease 500ms", "--lock-lease"},
		{"apply --lock-lease 1500ms", "--lock-lease"},
		{"unlock", "HOLDER_ID"},
		{"unlock abc", "HOLDER_ID"},
		{"unlock --cluster hub", "HOLDER_ID"},
		{"unlock a b c --cluster hub", "HOLDER_ID"},
		{"unlock x --cluster hub --lock-namespace=", "no namespace"},
	} {
		code, _, errOut := runIn(hello, nil, strings.Fields(tt.args)...)
		if code != exitInvalid || !strings.Contains(errOut, tt.says) {
			t.Errorf("%s: exit %d\n%s", tt.args, code, errOut)
		}
	}
}

// Where a lock was left out the cluster counts as not read.
func TestLockLeftOut(t *testing.T) {
	t.Parallel()
	s := session{clusters: map[network.ClusterName]*kube.Cluster{"a": nil, "b": nil}}
	leave(&s, []lock.NotLocked{
		{Cluster: "b", Err: fmt.Errorf("no: %w", apply.ErrForbidden)}, {Cluster: "b", Former: "old", Err: apply.ErrForbidden},
	})
	got := s.withUnread(world.Observation{Clusters: []world.ClusterView{{Name: "a", State: plan.StateOK}}})
	if a, b := got.Clusters[0], got.Clusters[1]; len(s.clusters) != 1 || len(got.Clusters) != 2 || a.State != plan.StateOK || b.State != plan.StateForbidden || b.Reason != "its lock could not be taken: no: forbidden" {
		t.Errorf("%+v %+v", a, b)
	}
}

// The URL of a job and the id of a run are what a lock shows.
func TestInvocation(t *testing.T) {
	t.Parallel()
	env := map[string]string{"CI_JOB_URL": "https://ci.example.com/7"}
	sys := System{Getenv: func(k string) string { return env[k] }}
	a, b := newInvocation(&sys), newInvocation(&sys)
	if a.URL != "https://ci.example.com/7" || len(a.ID) != 26 || a.ID == b.ID || a.User == "" || a.Host == "" {
		t.Errorf("%+v %+v", a, b)
	}
}
