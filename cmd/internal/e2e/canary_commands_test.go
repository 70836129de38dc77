package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func named(name string) func(unstructured.Unstructured) bool {
	return func(o unstructured.Unstructured) bool { return o.GetName() == name }
}

// canaryCommands are run one after the other in each scene.
var canaryCommands = [][]string{
	{"version"},
	{"vet", "-v"},
	{"vet", "--format", "json"},
	{"plan", "-v", "--metrics", "plan.prom"},
	{"plan", "--format", "json", "-v"},
	{"plan", "-o", "plan.txt"},
	{"plan", "--format", "json", "-o", "plan.json"},
	{"apply", "--yes", "-v", "--log-format", "json", "--events", "events.jsonl", "--metrics", "apply.prom"},
	{"apply", "--yes", "--format", "json"},
	{"drift", "-v", "--metrics", "drift.prom"},
	{"drift", "--format", "json"},
	{"status", "-v", "--metrics", "status.prom"},
	{"status", "--format", "json"},
}

// brokenKubeconfigs are contents that no cluster can be reached by, with a place for
// the secret.
var brokenKubeconfigs = map[string]string{
	"no YAML":       "users: [%s",
	"a text":        "%s",
	"a list":        "- %s\n",
	"wrong type":    "users: %s\n",
	"unknown field": "apiVersion: v1\nkind: Config\ntoken-%s: x\n",
	"other kind":    "apiVersion: v1\nkind: %s\n",
	"no context":    "apiVersion: v1\nkind: Config\nusers: [{name: me, user: {token: %s}}]\n",
	"no address":    cluster1("'://%[1]s'", "token: x"),
	"bad key":       cluster1("'https://127.0.0.1:1'", "client-key-data: %[1]s, client-certificate-data: %[1]s"),
	"no such file":  cluster1("'https://127.0.0.1:1'", "tokenFile: /no/such/%[1]s"),
}

// cluster1 is a kubeconfig of the first cluster.
func cluster1(server, user string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters: [{name: %[1]s, cluster: {server: %[2]s}}]\n"+
		"contexts: [{name: %[1]s, context: {cluster: %[1]s, user: me}}]\nusers: [{name: me, user: {%[3]s}}]\n", contextName(0), server, user)
}

// No command tells the kubeconfig of a cluster, wherever it comes from and however
// that fails, nor what unlocks it.
func TestCanaryKubeconfig(t *testing.T) {
	t.Parallel()
	for _, from := range sources {
		t.Run(from.kind+" "+from.state, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.describeKubeconfig(from.store(s, "kubeconfig", s.kubeconfigWith(s.canary("token"))))
			s.runAll(from, "plan", "apply", "drift", "status")
		})
		if !from.resolves {
			continue
		}
		for name, form := range brokenKubeconfigs {
			t.Run(from.kind+" "+from.state+", "+name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				s.describeKubeconfig(from.store(s, "kubeconfig", fmt.Sprintf(form, s.canary("text"))))
				broken := from
				broken.resolves = false
				s.runAll(broken, "plan", "apply", "drift", "status")
			})
		}
	}
}

// No command tells the credentials of a proxy, wherever they come from and however
// that fails, nor what unlocks them.
func TestCanaryProxy(t *testing.T) {
	t.Parallel()
	for _, from := range sources {
		t.Run(from.kind+" "+from.state, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			user, password := s.canary("user"), s.canary("password")
			at := proxy{host: "127.0.0.1", port: 3128}
			if from.resolves {
				at = startProxy(t, user, password)
			}
			s.describeProxy(at, from.store(s, "username", user), from.store(s, "password", password))
			s.runAll(from, "apply")
		})
	}
}

// inClear are secrets that stand in the description itself, as no field takes them.
var inClear = map[string]string{
	"a text": "%q", "a name": "%s", "a list": "[%q]", "a field": "{value: %q}", "beside a source": "{env: \"HOME\", value: %q}",
	"another type": "{env: [%q]}", "a choice": "%q | \"other\"", "two values": "%q & \"other\"", "against a reference": "%q & {env: \"HOME\"}",
	"an interpolation": `"\(HOME)%s"`, "no variable": `{env: "%s %[1]s"}`, "no cluster": `{kubernetes: {cluster: %q, namespace: "n", name: "s", key: "k"}}`, "no CUE": "env %q",
}

// No command tells a secret that is written into the description, with whatever type and
// wherever it is, and none does anything.
func TestCanaryInClear(t *testing.T) {
	t.Parallel()
	for name, form := range inClear {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			at := proxy{host: "127.0.0.1", port: 3128}
			s.describeProxy(at, `{env: "HOME"}`, fmt.Sprintf(form, s.canary("password")))
			s.refuseAll()
			s.describeKubeconfig(fmt.Sprintf(form, s.canary("kubeconfig")))
			s.refuseAll()
			s.describeProxy(at, `{env: "HOME"}`, `{env: "HOME"}, pasword: `+fmt.Sprintf(form, s.canary("misspelt")))
			s.refuseAll()
			s.describeProxy(at, `{env: "HOME"}`, `{env: "HOME"}`)
			s.write("more.cue", "package test\nlinks: \"spoke-hub\": password: "+fmt.Sprintf(form, s.canary("misplaced"))+"\n")
			s.refuseAll()
		})
	}
}

// refuseAll runs every command on a description that is wrong.
func (s *scene) refuseAll() {
	s.t.Helper()
	before := s.files()
	for _, args := range append(canaryCommands[1:], []string{"vet", "--report", "sarif=found.sarif", "--report", "github=found.txt"}) {
		o := s.process(args...)
		s.clean(strings.Join(args, " ")+": stdout", o.out)
		s.clean(strings.Join(args, " ")+": stderr", o.errOut)
		if o.code != 3 {
			s.t.Errorf("%v: exit %d, want 3\n%s\n%s", args, o.code, o.out, o.errOut)
		}
	}
	for file, content := range s.files() {
		if before[file] != content {
			s.clean("file "+file, content)
		}
	}
}

// kubeconfigWith is the wires' own kubeconfig, with a user whose token is secret.
func (s *scene) kubeconfigWith(token string) string {
	s.t.Helper()
	config, err := clientcmd.LoadFromFile(s.kubeconfig)
	if err != nil {
		s.t.Fatal(err)
	}
	config.AuthInfos[contextName(0)] = &clientcmdapi.AuthInfo{Token: token}
	data, err := clientcmd.Write(*config)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

// describeKubeconfig describes one site, on a cluster of that kubeconfig.
func (s *scene) describeKubeconfig(ref string) {
	s.t.Helper()
	s.write("net.cue", fmt.Sprintf(`package test

network: %q
clusters: {
	one: {context: %q, kubeconfig: %s}
	two: context: %q
}
sites: hub: {cluster: "one", namespace: %q, linkAccess: "default"}
`, s.name, contextName(0), ref, contextName(1), s.ns("hub")))
}

// describeProxy describes a link through the proxy.
func (s *scene) describeProxy(at proxy, user, password string) {
	s.t.Helper()
	s.write("net.cue", fmt.Sprintf(`package test

network: %q
clusters: {one: context: %q, two: context: %q}
sites: {
	hub: {cluster: "one", namespace: %q, linkAccess: "default"}
	spoke: {cluster: "two", namespace: %q}
}
proxies: corp: {host: %q, port: %d, username: %s, password: %s}
links: "spoke-hub": {from: "spoke", to: "hub", proxy: "corp"}
`, s.name, contextName(0), contextName(1), s.ns("hub"), s.ns("spoke"), at.host, at.port, user, password))
}

// runAll runs every command and looks for the secrets wherever it may have left
// something. Where nothing resolves, the commands that need the secret have to
// fail.
func (s *scene) runAll(from source, need ...string) {
	s.t.Helper()
	before := s.files()
	for _, args := range canaryCommands {
		o := s.process(args...)
		what := "fairlead " + strings.Join(args, " ")
		s.clean(what+": stdout", o.out)
		s.clean(what+": stderr", o.errOut)
		s.judge(what, o, from.resolves, slices.Contains(need, args[0]))
	}
	for file, content := range s.files() {
		if before[file] != content {
			s.clean("file "+file, content)
		}
	}
	s.cleanClusters()
}

// judge checks that a command succeeded, or failed and said why.
func (s *scene) judge(what string, o outcome, resolves, needed bool) {
	s.t.Helper()
	if resolves && o.code != 0 {
		s.t.Errorf("%s: exit %d, want 0\n%s\n%s", what, o.code, o.out, o.errOut)
	}
	said := strings.TrimSpace(o.out+o.errOut) != ""
	if !resolves && needed && (o.code <= 0 || !said) {
		s.t.Errorf("%s: exit %d, want a failure that says why\n%s\n%s", what, o.code, o.out, o.errOut)
	}
}

// process runs the program itself, so that its children and its own libraries see
// the scene's variables and nothing of this process's.
func (s *scene) process(args ...string) outcome {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), bed.binary, args...)
	cmd.Dir = s.dir
	cmd.Env = []string{
		"PATH=" + s.bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME=" + s.home, "TMPDIR=" + s.tmp, "KUBECONFIG=" + s.kubeconfig,
	}
	for k, v := range s.env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	s.check.begin()
	err := cmd.Run()
	s.check.end(err == nil)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// files reads every file that the commands could have made.
func (s *scene) files() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for _, root := range []string{s.dir, s.tmp, s.home} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			out[path] = string(data)
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return out
}

// cleanClusters looks into everything but Secrets, which are where secrets belong:
// objects with the network's label, events, and requests.
func (s *scene) cleanClusters() {
	s.t.Helper()
	for i := range s.dyn {
		for _, kind := range []string{"sites", "links", "configmaps", "certificates", "events"} {
			for _, o := range s.ours(i, kind) {
				if kind == "configmaps" && o.GetName() == routerName {
					continue // the router's configuration is the controller's, and has a proxy's username
				}
				data, err := json.Marshal(o.Object)
				if err != nil {
					s.t.Fatal(err)
				}
				s.clean(kind+" "+o.GetName(), string(data))
			}
		}
	}
	for _, r := range s.requests() {
		if r.isWrite() && !strings.Contains(r.Path, "/secrets") {
			s.clean(r.Method+" "+r.Path, string(r.Body))
		}
	}
}

// clean checks that a text has no secret in it, plain or encoded.
func (s *scene) clean(what, text string) {
	s.t.Helper()
	for _, c := range s.canaries {
		for _, form := range forms(c) {
			if strings.Contains(text, form) {
				s.t.Errorf("a secret shows in %s:\n%.2000s", what, text)
				return
			}
		}
	}
}

// forms are a secret itself and what base64 makes of it at any place of a text.
func forms(secret string) []string {
	out := []string{secret}
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
		// The first and last characters depend on what stands around it.
		out = append(out, encoded[4:len(encoded)-4])
	}
	return out
}

// The search finds a secret in any of its forms.
func TestForms(t *testing.T) {
	t.Parallel()
	for _, around := range []string{"", "a", "ab", "abc"} {
		encoded := base64.StdEncoding.EncodeToString([]byte(around + "canary1234567890" + around))
		if !slices.ContainsFunc(forms("canary1234567890"), func(f string) bool { return strings.Contains(encoded, f) }) {
			t.Errorf("not found in %s", encoded)
		}
	}
}
