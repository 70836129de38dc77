package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// fixtures/retail: what is printed for reading and for applying, in both scopes.
func TestRBACGolden(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(fixtures(t), "retail")
	for file, args := range map[string][]string{
		"rbac-plan.yaml":            {"--for", "plan", "--group", "developers"},
		"rbac-apply.yaml":           {"--for", "apply,unlock", "--serviceaccount", "ci:fairlead"},
		"rbac-apply-namespace.yaml": {"--for", "all", "--scope", "namespace", "--cluster", "hubs", "--user", "jane"},
	} {
		out := checkGolden(t, "retail", file, append([]string{"rbac"}, args...)...)
		asJSON(t, dir, args, out)
	}
}

// asJSON checks that the List has the objects of the YAML.
func asJSON(t *testing.T, dir string, args []string, text string) {
	t.Helper()
	code, out, errOut := runIn(dir, nil, append([]string{"rbac", "--format", "json"}, args...)...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatal(err)
	}
	var docs []map[string]any
	for _, part := range strings.Split(text, "---\n")[1:] {
		var doc map[string]any
		if err := yaml.Unmarshal([]byte(part), &doc); err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
	}
	if diff := cmp.Diff(docs, list.Items); diff != "" {
		t.Error(diff)
	}
}

// rbacNet is a description with its parts named in braces.
func rbacNet(t *testing.T, sites, links, more string) string {
	t.Helper()
	dir := t.TempDir()
	text := "package net\nnetwork: \"net\"\nclusters: {a: context: \"a\", \"b:1\": context: \"b\"}\nsites: {" + sites + "}\nlinks: {" + links + "}\n" + more + "\n"
	if err := os.WriteFile(filepath.Join(dir, "net.cue"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

const (
	hubSite   = `hub: {cluster: "a", namespace: "hub", linkAccess: "default"}`
	spokeSite = `spoke: {cluster: "b:1", namespace: "spoke"}`
)

// Rights follow what is described, and only that.
func TestRBACFollowsTheDescription(t *testing.T) {
	t.Parallel()
	both := hubSite + ", " + spokeSite
	for name, c := range map[string]struct {
		dir       string
		args      []string
		has, lack []string
	}{
		"no link": {rbacNet(t, both, "", ""), nil,
			[]string{"resources: [sites]", "resourceNames: [skupper-router]"},
			[]string{"accessgrants]\n    verbs: [create", "certificates]\n    verbs: [create", "skupper-network-status"}},
		"token": {rbacNet(t, both, `l: {from: "spoke", to: "hub"}`, ""), nil,
			[]string{"resources: [accessgrants]", "resources: [accesstokens]", "skupper-network-status"},
			[]string{"resources: [certificates]", "# make Links"}},
		"certificate": {rbacNet(t, both, `l: {from: "spoke", to: "hub", via: "certificate"}`, ""), nil,
			[]string{"resources: [certificates]", "# make Links"},
			[]string{"resources: [accessgrants]", "resources: [accesstokens]"}},
		"protected": {rbacNet(t, `hub: {cluster: "a", namespace: "hub", protect: true}`, "", ""), nil,
			[]string{"# make and change protected Sites"},
			[]string{"delete, get, patch, watch"}},
		"secrets": {rbacNet(t, both, `l: {from: "spoke", to: "hub", proxy: "p"}`,
			`proxies: p: {host: "h", port: 1, username: kubernetes: {cluster: "a", namespace: "vault", name: "corp", key: "u"}, password: env: "P"}`), []string{"--for", "plan"},
			[]string{"namespace: vault", "resourceNames: [corp]"}, nil},
		"secrets of a status": {rbacNet(t, both, `l: {from: "spoke", to: "hub", proxy: "p"}`,
			`proxies: p: {host: "h", port: 1, username: kubernetes: {cluster: "a", namespace: "vault", name: "corp", key: "u"}, password: env: "P"}`), []string{"--for", "status"},
			[]string{"resources: [links, sites]"}, []string{"vault", "accessgrants"}},
		"a wider right": {rbacNet(t, both, `l: {from: "spoke", to: "hub", via: "certificate"}`,
			`proxies: p: {host: "h", port: 1, username: kubernetes: {cluster: "a", namespace: "hub", name: "corp", key: "u"}, password: env: "P"}`),
			nil, nil, []string{"corp"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := c.args
			if args == nil {
				args = []string{"--for", "apply"}
			}
			code, out, errOut := runIn(c.dir, nil, append([]string{"rbac", "--user", "jane"}, args...)...)
			if code != 0 {
				t.Fatalf("exit %d: %s", code, errOut)
			}
			for _, part := range c.has {
				if !strings.Contains(out, part) {
					t.Errorf("does not have %q:\n%s", part, out)
				}
			}
			for _, part := range c.lack {
				if strings.Contains(out, part) {
					t.Errorf("has %q:\n%s", part, out)
				}
			}
		})
	}
}

// Each cluster gets its file, and flags that say nothing are refused.
func TestRBACFlags(t *testing.T) {
	t.Parallel()
	dir := rbacNet(t, hubSite+", "+spokeSite, "", "")
	code, out, errOut := runIn(dir, nil, "rbac", "--for", "all", "-o", "roles", "--scope", "namespace")
	if code != 0 || out != "" || !strings.Contains(errOut, "Nobody is bound") {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	for _, cluster := range []string{"a", "b:1"} {
		text, err := os.ReadFile(filepath.Join(dir, "roles", cluster+".yaml"))
		if err != nil || !strings.Contains(string(text), "# cluster: "+cluster+"\n") || strings.Contains(string(text), "Binding") {
			t.Errorf("%s: %v\n%s", cluster, err, text)
		}
	}
	for _, c := range []struct{ args, want string }{
		{"rbac", "--for"},
		{"rbac --for vet", `"vet" takes no rights`},
		{"rbac --for plan --scope site", `--scope "site"`},
		{"rbac --for plan --serviceaccount ci", "NAMESPACE:NAME"},
		{"rbac --for plan --user=", "want a name"},
		{"rbac --for plan --cluster c", "no such cluster"},
		{"rbac --for plan --since HEAD", "git"},
	} {
		code, _, errOut := runIn(dir, nil, strings.Fields(c.args)...)
		if code != 3 || !strings.Contains(errOut, c.want) {
			t.Errorf("%s: exit %d: %s", c.args, code, errOut)
		}
	}
}

// A cluster whose kubeconfig is kept by one that does not answer cannot be asked.
func TestRBACDiscoverUnanswered(t *testing.T) {
	t.Parallel()
	dir := unreachable(t, "clusters: d: kubeconfig: kubernetes: {cluster: \"c\", namespace: \"n\", name: \"s\", key: \"k\"}\n"+
		"sites: b: {cluster: \"d\", namespace: \"b\", overlay: \"b\"}\n")
	writeAt(t, filepath.Join(dir, "b", "kustomization.yaml"), "resources: [map.yaml]\n")
	writeAt(t, filepath.Join(dir, "b", "map.yaml"), "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: b}}\n")
	code, out, errOut := runIn(dir, nil, "rbac", "--for", "plan", "--discover", "--timeout", "5s")
	if code != exitUnreachable || out != "" || !strings.Contains(errOut, "--discover: cluster d cannot be asked") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
}

// --since adds what the description of a revision takes, for the change from it.
func TestRBACSince(t *testing.T) {
	t.Parallel()
	dir := rbacNet(t, hubSite+", "+spokeSite, `l: {from: "spoke", to: "hub"}`, "")
	gitIn(t, dir, "init", "-q")
	gitIn(t, dir, "add", ".")
	gitIn(t, dir, "commit", "-q", "-m", "by token")
	text, err := os.ReadFile(filepath.Join(dir, "net.cue"))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `to: "hub"`, `to: "hub", via: "certificate"`, 1) + "clusters: [string]: lockNamespace: \"locks\"\n"
	if err := os.WriteFile(filepath.Join(dir, "net.cue"), []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	_, now, _ := runIn(dir, nil, "rbac", "--for", "apply")
	code, both, errOut := runIn(dir, nil, "rbac", "--for", "apply", "--since", "HEAD")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	if strings.Contains(now, "[accesstokens]") || !strings.Contains(both, "[accesstokens]") || !strings.Contains(both, "[certificates]") {
		t.Errorf("now:\n%s\nwith what was before:\n%s", now, both)
	}
	for _, place := range []string{"locks", "default"} { // an apply takes the lock in both
		if was := "namespace: " + place + "\n"; strings.Contains(now, was) != (place == "locks") || !strings.Contains(both, was) {
			t.Errorf("the place %s: now:\n%s\nwith what was before:\n%s", place, now, both)
		}
	}
}
