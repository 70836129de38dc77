package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/supervisor"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// asSandbox makes the test binary act as the sandbox itself.
const asSandbox = "SANDBOX_TEST_AS_SANDBOX"

var shared *sandbox

func TestMain(m *testing.M) {
	if os.Getenv(asSandbox) != "" {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(withSandbox(m))
}

func withSandbox(m *testing.M) int {
	var err error
	if shared, err = start("--clusters", "2"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// sandbox is a running `sandbox run`.
type sandbox struct {
	supervisor.Description
	cmd      *exec.Cmd
	stdin    io.Closer
	clusters []*api
}

// api is one cluster as a test uses it.
type api struct {
	dyn  dynamic.Interface
	core kubernetes.Interface
}

func start(args ...string) (*sandbox, error) {
	cmd := exec.Command(os.Args[0], append([]string{"run"}, args...)...)
	cmd.Env = append(os.Environ(), asSandbox+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &sandbox{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("no ready line: %w (%v)", err, cmd.Wait())
	}
	if err := json.Unmarshal(line, &s.Description); err != nil {
		return nil, err
	}
	return s, s.connect()
}

func (s *sandbox) connect() error {
	for _, path := range s.Kubeconfigs {
		cfg, err := clientcmd.BuildConfigFromFlags("", path)
		if err != nil {
			return err
		}
		cfg.QPS = -1
		dyn, err := dynamic.NewForConfig(cfg)
		if err != nil {
			return err
		}
		core, err := kubernetes.NewForConfig(cfg)
		if err != nil {
			return err
		}
		s.clusters = append(s.clusters, &api{dyn, core})
	}
	return nil
}

// stop ends the sandbox by closing its standard input.
func (s *sandbox) stop() error {
	if err := s.stdin.Close(); err != nil {
		return err
	}
	return s.cmd.Wait()
}

func (s *sandbox) crashes(t *testing.T, cluster int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir, s.Contexts[cluster], "crashes.log"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

type obj = unstructured.Unstructured

func gvr(plural string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "skupper.io", Version: "v2alpha1", Resource: plural}
}

var kinds = map[string]string{
	"sites": "Site", "links": "Link", "accessgrants": "AccessGrant", "accesstokens": "AccessToken",
	"certificates": "Certificate", "routeraccesses": "RouterAccess",
	"listeners": "Listener", "connectors": "Connector", "multikeylisteners": "MultiKeyListener",
}

var namespaces atomic.Int32

// ns is a namespace of one cluster.
type ns struct {
	*api
	t    *testing.T
	name string
}

// namespace makes a namespace of the test's own.
func (a *api) namespace(t *testing.T, switches ...string) *ns {
	t.Helper()
	annotations := map[string]string{}
	for i := 0; i+1 < len(switches); i += 2 {
		annotations["sandbox.fairlead.dev/"+switches[i]] = switches[i+1]
	}
	name := fmt.Sprintf("test-%d", namespaces.Add(1))
	_, err := a.core.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &ns{a, t, name}
}

// set throws a switch of the namespace.
func (n *ns) set(name, value string) {
	n.t.Helper()
	patch := fmt.Sprintf(`{"metadata":{"annotations":{"sandbox.fairlead.dev/%s":%q}}}`, name, value)
	_, err := n.core.CoreV1().Namespaces().Patch(n.t.Context(), n.name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *ns) of(plural string) dynamic.ResourceInterface {
	return n.dyn.Resource(gvr(plural)).Namespace(n.name)
}

func (n *ns) create(plural, name string, spec map[string]any) *obj {
	n.t.Helper()
	u, err := n.of(plural).Create(n.t.Context(), &obj{Object: map[string]any{
		"apiVersion": "skupper.io/v2alpha1", "kind": kinds[plural],
		"metadata": map[string]any{"name": name}, "spec": spec,
	}}, metav1.CreateOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
	return u
}

func (n *ns) patch(plural, name, patch string) {
	n.t.Helper()
	if _, err := n.of(plural).Patch(n.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		n.t.Fatal(err)
	}
}

// touch annotates an object, which is an event and nothing else.
func (n *ns) touch(plural, name string) {
	n.t.Helper()
	n.patch(plural, name, fmt.Sprintf(`{"metadata":{"annotations":{"touched":"%d"}}}`, time.Now().UnixNano()))
}

// configure touches a Link until it is configured, as one touch may be lost.
func (n *ns) configure(name string) {
	n.t.Helper()
	eventually(n.t, func() string {
		n.touch("links", name)
		if u := n.get("links", name); is(u, "Configured") != "True" {
			return "Link " + name + " is not configured"
		}
		return ""
	})
}

func (n *ns) remove(plural, name string) {
	n.t.Helper()
	if err := n.of(plural).Delete(n.t.Context(), name, metav1.DeleteOptions{}); err != nil {
		n.t.Fatal(err)
	}
}

func (n *ns) get(plural, name string) *obj {
	n.t.Helper()
	u, err := n.of(plural).Get(n.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
	return u
}

// await watches until the object is as wanted; an absent one is nil.
func (n *ns) await(plural, name, what string, wanted func(*obj) bool) *obj {
	n.t.Helper()
	var last *obj
	eventually(n.t, func() string {
		u, err := n.of(plural).Get(n.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			u = nil
		}
		last = u
		if wanted(u) {
			return ""
		}
		text, _ := json.Marshal(u)
		return fmt.Sprintf("%s %s not %s: %s", plural, name, what, text)
	})
	return last
}

func (n *ns) awaitTrue(plural, name, condition string) *obj {
	n.t.Helper()
	return n.await(plural, name, condition, func(u *obj) bool { return is(u, condition) == "True" })
}

// eventually calls f until it has no more complaint.
func eventually(t *testing.T, f func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		complaint := f()
		if complaint == "" {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(complaint)
		case <-tick.C:
		}
	}
}

// never fails if f complains within a second and a half: seven reports.
func never(t *testing.T, f func() string) {
	t.Helper()
	end := time.NewTimer(1500 * time.Millisecond)
	defer end.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if complaint := f(); complaint != "" {
			t.Fatal(complaint)
		}
		select {
		case <-end.C:
			return
		case <-tick.C:
		}
	}
}

// is gives the status of a condition, "" if there is none.
func is(u *obj, condition string) string {
	if u == nil {
		return ""
	}
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range list {
		m := c.(map[string]any)
		if m["type"] == condition && m["observedGeneration"] == u.GetGeneration() {
			return m["status"].(string)
		}
	}
	return ""
}

func str(u *obj, path ...string) string {
	if u == nil {
		return ""
	}
	v, _, _ := unstructured.NestedFieldNoCopy(u.Object, path...)
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
