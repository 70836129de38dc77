package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	authv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// manifest decodes the first object of a kind in a text of YAML documents.
func manifest(t testing.TB, text []byte, kind string, into any) {
	t.Helper()
	for _, document := range bytes.Split(text, []byte("---\n")) {
		if !bytes.Contains(document, []byte("\nkind: "+kind+"\n")) {
			continue
		}
		if err := yaml.UnmarshalStrict(document, into); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("there is no %s in:\n%s", kind, text)
}

// cron is the CronJob in a namespace of a world, as an API server took it.
func (w *world) cron(c *kubernetes.Clientset) *batchv1.CronJob {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(repository(w.t), ".kubernetes", "cronjob.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	var job batchv1.CronJob
	manifest(w.t, text, "CronJob", &job)
	job.Namespace = w.ns("hub")
	taken, err := c.BatchV1().CronJobs(job.Namespace).Create(context.Background(), &job, metav1.CreateOptions{
		DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return taken
}

// The CronJob's command runs with an account that has the rights that rbac prints, and
// in-cluster configuration: it finds nothing, and then what somebody changed.
func TestPipelineCronJob(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/run").CombinedOutput(); err != nil {
		t.Skipf("no mounts of one's own here, which files of a pod take: %v %s", err, out)
	}
	w := newWorldOn(t, bed.configs[:1])
	sites := []site{{"hub", 0, `linkAccess: "default"`}, {"spoke", 0, ""}}
	links := []link{{"spoke-hub", "spoke", "hub", 1}}
	w.applied(sites, links)
	c, err := kubernetes.NewForConfig(w.configs[0])
	if err != nil {
		t.Fatal(err)
	}
	container := w.cron(c).Spec.JobTemplate.Spec.Template.Spec.Containers[0]

	// What a pod has: a folder of links, as of a ConfigMap, and the account's files.
	text, err := os.ReadFile(filepath.Join(w.dir, "net.cue"))
	if err != nil {
		t.Fatal(err)
	}
	pod := t.TempDir()
	inside := strings.Replace(string(text), `context: "`+contextName(0)+`"`, "inCluster: true", 1)
	writeFile(t, filepath.Join(pod, "network", "..data", "net.cue"), inside)
	if err := os.Symlink(filepath.Join("..data", "net.cue"), filepath.Join(pod, "network", "net.cue")); err != nil {
		t.Fatal(err)
	}
	host, ca := inCluster(t, w.configs[0])
	writeFile(t, filepath.Join(pod, "account", "ca.crt"), ca)
	writeFile(t, filepath.Join(pod, "account", "token"), w.account(c, "fairlead-drift"))

	args := append([]string{}, container.Args...)
	args[len(args)-1] = filepath.Join(pod, "network")
	run := func(code int, word string) {
		t.Helper()
		if got := inPod(t, pod, host, args); got.code != code || !strings.Contains(got.out, word) {
			t.Errorf("exit %d, want %d and %q\n%s%s", got.code, code, word, got.out, got.errOut)
		}
	}
	w.eventually("the rights are in force", func() bool { return inPod(t, pod, host, args).code == 0 })
	run(0, "No drift")
	w.patch(0, w.ns("spoke"), "links", "spoke-hub", map[string]any{"spec": map[string]any{"cost": 5}})
	run(2, "spoke-hub")
}

// inCluster gives the address of a cluster's API server and the CA by which a pod knows
// it. Where a kubeconfig has no CA, it is the last certificate that the server shows; one
// that is not for the address is taken to be for the machine's name.
func inCluster(t testing.TB, cfg *rest.Config) (host, ca string) {
	t.Helper()
	if len(cfg.CAData) > 0 {
		return cfg.Host, string(cfg.CAData)
	}
	at, err := url.Parse(cfg.Host)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tls.Dial("tcp", at.Host, &tls.Config{InsecureSkipVerify: true}) // the kubeconfig does the same
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	shown := c.ConnectionState().PeerCertificates
	last := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shown[len(shown)-1].Raw})
	if shown[0].VerifyHostname(at.Hostname()) != nil {
		at.Host = net.JoinHostPort("localhost", at.Port())
	}
	return at.String(), string(last)
}

// account makes a service account with the rights of drift, and gives a token of it.
func (w *world) account(c *kubernetes.Clientset, name string) string {
	w.t.Helper()
	ctx, ns := context.Background(), w.ns("hub")
	var role rbacv1.ClusterRole
	var binding rbacv1.ClusterRoleBinding
	printed := []byte(w.must(0, "rbac", "--for", "drift", "--serviceaccount", ns+":"+name).out)
	manifest(w.t, printed, "ClusterRole", &role)
	manifest(w.t, printed, "ClusterRoleBinding", &binding)
	_, err := c.CoreV1().ServiceAccounts(ns).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err == nil {
		_, err = c.RbacV1().ClusterRoles().Create(ctx, &role, metav1.CreateOptions{})
	}
	if err == nil {
		_, err = c.RbacV1().ClusterRoleBindings().Create(ctx, &binding, metav1.CreateOptions{})
	}
	w.t.Cleanup(func() {
		_ = c.RbacV1().ClusterRoleBindings().Delete(ctx, binding.Name, metav1.DeleteOptions{})
		_ = c.RbacV1().ClusterRoles().Delete(ctx, role.Name, metav1.DeleteOptions{})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := c.CoreV1().ServiceAccounts(ns).CreateToken(ctx, name, &authv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return token.Status.Token
}

// inPod runs the program where the account's files are where a pod has them.
func inPod(t *testing.T, pod, host string, args []string) outcome {
	t.Helper()
	at, err := url.Parse(host)
	if err != nil {
		t.Fatal(err)
	}
	const script = `mount -t tmpfs none /run
mkdir -p /run/secrets/kubernetes.io
cp -r "$1" /run/secrets/kubernetes.io/serviceaccount
shift
exec "$@"`
	command := append([]string{"--user", "--map-root-user", "--mount", "bash", "-ec", script, "bash", filepath.Join(pod, "account"), bed.binary}, args...)
	cmd := exec.CommandContext(t.Context(), "unshare", command...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "KUBERNETES_SERVICE_HOST=" + at.Hostname(), "KUBERNETES_SERVICE_PORT=" + at.Port()}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	_ = cmd.Run() // its code tells
	return outcome{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}
