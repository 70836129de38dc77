package pipelines

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"

	"fairlead.dev/fairlead/cmd/internal/cli"
)

const folder = ".kubernetes"

// objects decodes a file of YAML documents with the types of Kubernetes; a field that
// they do not have is an error.
func objects(t *testing.T, file string) []runtime.Object {
	t.Helper()
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var out []runtime.Object
	for _, document := range bytes.Split(read(t, folder, file), []byte("\n---\n")) {
		object, _, err := strict.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v\n%s", file, err, document)
		}
		out = append(out, object)
	}
	return out
}

func one[T runtime.Object](t *testing.T, all []runtime.Object) T {
	t.Helper()
	for _, object := range all {
		if found, ok := object.(T); ok {
			return found
		}
	}
	var none T
	t.Fatalf("there is no %T", none)
	return none
}

// The pod has no more rights on its node than it needs, nothing secret in its arguments,
// and looks at the folder where the description is.
func TestCronJob(t *testing.T) {
	t.Parallel()
	job := one[*batchv1.CronJob](t, objects(t, "cronjob.yaml"))
	pod := job.Spec.JobTemplate.Spec.Template.Spec
	c := pod.Containers[0]
	own, all := c.SecurityContext, pod.SecurityContext
	for what, ok := range map[string]bool{
		"one container":                 len(pod.Containers) == 1 && len(pod.InitContainers) == 0,
		"not as root":                   *all.RunAsNonRoot && *all.RunAsUser > 0 && all.SeccompProfile.Type == "RuntimeDefault",
		"a file system that only reads": *own.ReadOnlyRootFilesystem && c.VolumeMounts[0].ReadOnly,
		"no further rights":             !*own.AllowPrivilegeEscalation && len(own.Capabilities.Drop) == 1 && own.Capabilities.Drop[0] == "ALL",
		"no environment":                len(c.Env) == 0 && len(c.EnvFrom) == 0,
		"nothing of the host":           !pod.HostNetwork && !pod.HostPID && !pod.HostIPC,
		"drift of the description":      c.Args[0] == "drift" && c.Args[len(c.Args)-1] == c.VolumeMounts[0].MountPath,
		"no two at a time":              job.Spec.ConcurrencyPolicy == batchv1.ForbidConcurrent && *job.Spec.JobTemplate.Spec.BackoffLimit == 0,
	} {
		if !ok {
			t.Errorf("the CronJob does not have: %s", what)
		}
	}
	if pod.Volumes[0].ConfigMap == nil || len(pod.Volumes) != 1 {
		t.Errorf("volumes: %+v", pod.Volumes)
	}
	var customization anyMap
	decode(t, &customization, folder, "kustomization.yaml")
	if generated := list(customization["configMapGenerator"]); len(generated) != 1 || at(generated[0], "name") != pod.Volumes[0].ConfigMap.Name {
		t.Errorf("the description's ConfigMap is not the one that is made: %v", generated)
	}
}

// The rights are those that rbac prints, byte by byte, bound to the CronJob's account.
func TestCronJobRights(t *testing.T) {
	t.Parallel()
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", folder))
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	args := []string{"rbac", "--for", "drift", "--serviceaccount", "fairlead:fairlead-drift", dir}
	code := cli.Main(args, cli.System{In: strings.NewReader(""), Out: &out, Err: &errOut, Dir: dir, Getenv: func(string) string { return "" }})
	if code != 0 {
		t.Fatalf("rbac: exit %d\n%s", code, errOut.String())
	}
	if want := read(t, folder, "rights.yaml"); out.String() != string(want) {
		t.Errorf("%s/rights.yaml is not what rbac prints; write it anew as README.md there says:\n%s", folder, out.String())
	}
	account := one[*batchv1.CronJob](t, objects(t, "cronjob.yaml")).Spec.JobTemplate.Spec.Template.Spec.ServiceAccountName
	rights := objects(t, "rights.yaml")
	if binding := one[*rbacv1.ClusterRoleBinding](t, rights); binding.Subjects[0].Name != account || binding.Subjects[0].Namespace != "fairlead" {
		t.Errorf("the rights are bound to %+v", binding.Subjects)
	}
	for _, rule := range one[*rbacv1.ClusterRole](t, rights).Rules {
		for _, verb := range rule.Verbs {
			if verb != "list" && verb != "get" {
				t.Errorf("the rights allow to %s %v", verb, rule.Resources)
			}
		}
	}
}
