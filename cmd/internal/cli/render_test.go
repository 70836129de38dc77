package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/yaml"

	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/desired/overlay"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// kustomizeVersion is the release of kustomize that the tests compare with: the one
// whose library Fairlead has.
const kustomizeVersion = "v5.8.2"

// realKustomize gives the path of the real program. FAIRLEAD_TEST_KUSTOMIZE names
// one; without it, it is built once for each user and version.
func realKustomize(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("FAIRLEAD_TEST_KUSTOMIZE"); named != "" {
		return named
	}
	if testing.Short() {
		t.Skip("-short: does not build kustomize")
	}
	path, err := builtKustomize()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var builtKustomize = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	tools := filepath.Join(cache, "fairlead-test-tools")
	path := filepath.Join(tools, "kustomize-"+kustomizeVersion)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return "", err
	}
	building, err := os.MkdirTemp(tools, "building-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(building)
	cmd := exec.Command("go", "install", "sigs.k8s.io/kustomize/kustomize/v5@"+kustomizeVersion)
	cmd.Env = append(os.Environ(), "GOBIN="+building, "GOFLAGS=", "CGO_ENABLED=0", "GOOS=", "GOARCH=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return path, os.Rename(filepath.Join(building, "kustomize"), path)
})

// documents reads a stream of YAML, sorted, so that streams can be compared.
func documents(t *testing.T, stream string) []string {
	t.Helper()
	var out []string
	for dec := yaml.NewYAMLOrJSONDecoder(strings.NewReader(stream), 4096); ; {
		var doc map[string]any
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			slices.Sort(out)
			return out
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, stream)
		}
		text, err := json.MarshalIndent(doc, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
}

func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, &stderr)
	}
	return string(out)
}

var update = flag.Bool("update", false, "rewrite golden files")

func TestRenderGolden(t *testing.T) {
	t.Parallel()
	checkGolden(t, "hello", "render.yaml", "render")
	checkGolden(t, "overlay", "render.yaml", "render")
}

func TestRenderNarrow(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(fixtures(t), "overlay")
	render := func(args ...string) (int, []string) {
		code, out, _ := runIn(dir, nil, append([]string{"render"}, args...)...)
		return code, documents(t, out)
	}
	_, all := render()
	_, east := render("--cluster", "east")
	_, shop := render("--site", "overlay-shop")
	both := slices.Concat(east, shop)
	slices.Sort(both)
	if diff := cmp.Diff(all, both); diff != "" || len(east) != 4 || len(shop) != 3 {
		t.Errorf("%d and %d: %s", len(east), len(shop), diff)
	}
	_, out, _ := runIn(dir, nil, "render", "--format", "json", "--site", "overlay-shop")
	var asJSON []map[string]any
	if err := json.Unmarshal([]byte(out), &asJSON); err != nil || len(asJSON) != 3 {
		t.Errorf("%v: %d objects", err, len(asJSON))
	}
	for _, args := range [][]string{{"--site", "x"}, {"--cluster", "x"}, {"--kustomize", "x", "-o", "y"}} {
		if code, _ := render(args...); code != exitInvalid {
			t.Errorf("%v: exit %d", args, code)
		}
	}
}

// What render prints is what the real kustomize builds from the tree that render
// writes, cluster by cluster.
func TestRenderEqualsKustomizeBuild(t *testing.T) {
	t.Parallel()
	programs := [][]string{{realKustomize(t), "build"}}
	if kubectl, err := exec.LookPath("kubectl"); err == nil {
		programs = append(programs, []string{kubectl, "kustomize"})
	}
	for _, name := range []string{"overlay", "retail"} {
		dir, tree := filepath.Join(fixtures(t), name), filepath.Join(t.TempDir(), "tree")
		if code, _, errOut := runIn(dir, nil, "render", "--kustomize", tree); code != 0 {
			t.Fatalf("exit %d: %s", code, errOut)
		}
		clusters, err := filepath.Glob(filepath.Join(tree, "*", "kustomization.yaml"))
		if err != nil || len(clusters) < 2 {
			t.Fatalf("%v %v", clusters, err)
		}
		for _, file := range clusters {
			cluster := filepath.Base(filepath.Dir(file))
			_, out, _ := runIn(dir, nil, "render", "--cluster", cluster)
			for _, program := range programs {
				built := output(t, program[0], program[1], filepath.Dir(file))
				if diff := cmp.Diff(documents(t, built), documents(t, out)); diff != "" {
					t.Errorf("%s, cluster %s: %s builds other objects than render prints:\n%s", name, cluster, program[0], diff)
				}
			}
		}
	}
}

// An overlay gives the objects that the real kustomize builds from the same files,
// with the Site among its resources.
func TestOverlayEqualsKustomizeBuild(t *testing.T) {
	t.Parallel()
	const site = "apiVersion: skupper.io/v2alpha1\nkind: Site\nmetadata: {name: hub, namespace: hub}\nspec: {linkAccess: default, ha: false, edge: false}\n"
	links := map[string]map[string]string{
		"links": {"net/hub/near": "../../far/base", "net/hub/x.yaml": "../../far/x.yaml"},
	}
	for name, files := range map[string]map[string]string{
		"links": {
			"net/hub/kustomization.yaml":  "resources: [%snear, x.yaml]",
			"far/base/kustomization.yaml": "resources: [../beside, l.yaml]",
			"far/base/l.yaml":             "apiVersion: skupper.io/v2alpha1\nkind: Listener\nmetadata: {name: backend}\nspec: {routingKey: b, port: 8080, host: backend}\n",
			"far/beside/Kustomization":    "configMapGenerator: [{name: conf, literals: [a=b]}]",
			"far/x.yaml":                  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
		},
		"patches and generators": {
			"net/hub/kustomization.yaml": `
resources: [%s../../base, x.yaml]
namePrefix: ""
labels: [{pairs: {team: a}, includeSelectors: true}]
commonAnnotations: {owner: b}
images: [{name: web, newTag: v2}]
replicas: [{name: web, count: 3}]
patches:
- target: {kind: Site}
  patch: '[{"op": "replace", "path": "/spec/linkAccess", "value": "route"}]'
- path: patch.yaml
  target: {kind: Deployment}
configMapGenerator:
- {name: conf, files: [../files/a.txt, b=../files/b.txt], literals: [x=1], envs: [../files/c.env]}
replacements:
- source: {kind: Listener, name: backend, fieldPath: spec.host}
  targets: [{select: {kind: Deployment}, fieldPaths: [spec.template.spec.hostname], options: {create: true}}]
`,
			"net/hub/patch.yaml":      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, env: [{name: A, value: b}]}]}}}\n",
			"net/hub/x.yaml":          "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1, template: {spec: {volumes: [{name: c, configMap: {name: conf}}], containers: [{name: web, image: 'web:v1', ports: [{containerPort: 80}]}]}}}\n",
			"net/files/a.txt":         "a\n",
			"net/files/b.txt":         "b\n",
			"net/files/c.env":         "C=1\n# no\nD=2\n",
			"base/kustomization.yaml": "resources: [l.yaml]\nnameSuffix: ''",
			"base/l.yaml":             "apiVersion: skupper.io/v2alpha1\nkind: Listener\nmetadata: {name: backend}\nspec: {routingKey: b, port: 8080, host: backend}\n",
		},
		"deprecated fields": {
			"net/hub/kustomization.yaml": `
bases: [../../base]
resources: [%sl.yaml]
commonLabels: {team: a}
patches: [{target: {kind: Listener}, patch: '[{"op": "replace", "path": "/spec/port", "value": 1}]'}]
patchesStrategicMerge:
- p.yaml
- "apiVersion: skupper.io/v2alpha1\nkind: Listener\nmetadata: {name: backend}\nspec: {port: 2, type: tcp}"
patchesJson6902: [{target: {group: skupper.io, version: v2alpha1, kind: Listener, name: backend}, patch: '[{"op": "add", "path": "/metadata/labels/last", "value": "x"}]'}]
`,
			"net/hub/l.yaml":          "apiVersion: skupper.io/v2alpha1\nkind: Listener\nmetadata: {name: backend}\nspec: {routingKey: b, port: 8080, host: backend}\n",
			"net/hub/p.yaml":          "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {type: NodePort}\n---\napiVersion: skupper.io/v2alpha1\nkind: Listener\nmetadata: {name: backend}\nspec: {host: other}\n",
			"base/kustomization.yaml": "resources: [s.yaml]\ncommonLabels: {base: b}",
			"base/s.yaml":             "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {app: x}, ports: [{port: 1}]}\n",
		},
		"components": {
			"net/hub/kustomization.yaml":  "resources: [%sl.yaml]\ncomponents: [../../part]",
			"net/hub/l.yaml":              "apiVersion: skupper.io/v2alpha1\nkind: Listener\nmetadata: {name: backend}\nspec: {routingKey: b, port: 8080, host: backend}\n",
			"part/kustomization.yaml":     "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{target: {kind: Listener}, patch: '[{\"op\": \"add\", \"path\": \"/spec/type\", \"value\": \"tcp\"}]'}]\nsortOptions: {order: fifo}",
			"net/hub/unused/x.yaml":       "",
			"net/hub/.hidden/nothing.txt": "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk, memory := t.TempDir(), t.TempDir()
			for file, content := range files {
				writeAt(t, filepath.Join(disk, file), insert(content, "site.yaml, "))
				writeAt(t, filepath.Join(memory, file), insert(content, ""))
			}
			for _, root := range []string{disk, memory} {
				for link, target := range links[name] {
					if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
						t.Fatal(err)
					}
				}
			}
			writeAt(t, filepath.Join(disk, "net/hub/site.yaml"), site)
			built := output(t, realKustomize(t), "build", "--load-restrictor", "LoadRestrictionsNone", filepath.Join(disk, "net", "hub"))

			n := network.Network{Name: "n", Sites: []network.Site{{Name: "hub", Cluster: "c", Namespace: "hub", LinkAccess: "default", Overlay: "hub"}}}
			d, findings := overlay.Run(overlay.Source{FS: os.DirFS(memory), Dir: "net"}, n, desired.Build(n))
			deprecated := func(f diag.Finding) bool { return f.Code == "overlay-deprecated" }
			if others := slices.DeleteFunc(slices.Clone(findings), deprecated); len(others) > 0 || (len(findings) > 0) != (name == "deprecated fields") {
				t.Fatal(findings)
			}
			ours, err := overlay.YAML(desired.Manifests(n, d))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(bare(t, built), bare(t, string(ours))); diff != "" {
				t.Errorf("kustomize build (-) and the overlay (+) differ:\n%s", diff)
			}
		})
	}
}

func insert(content, site string) string {
	if strings.Contains(content, "%s") {
		return fmt.Sprintf(content, site)
	}
	return content
}

// bare takes Fairlead's labels off, and gives every object the site's namespace.
func bare(t *testing.T, stream string) []string {
	t.Helper()
	var out []string
	for _, doc := range documents(t, stream) {
		var o map[string]any
		if err := json.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatal(err)
		}
		meta := o["metadata"].(map[string]any)
		meta["namespace"] = "hub"
		labels, _ := meta["labels"].(map[string]any)
		for key := range labels {
			if strings.Contains(key, "fairlead.dev/") || key == "app.kubernetes.io/managed-by" {
				delete(labels, key)
			}
		}
		if len(labels) == 0 {
			delete(meta, "labels")
		}
		text, err := json.MarshalIndent(o, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	slices.Sort(out)
	return out
}

func readAt(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeAt(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRenderTreeIsCareful(t *testing.T) {
	t.Parallel()
	dir, tree := filepath.Join(fixtures(t), "overlay"), t.TempDir()
	render := func(args ...string) (int, string) {
		code, _, errOut := runIn(dir, nil, append([]string{"render", "--kustomize", tree}, args...)...)
		return code, errOut
	}
	mine := filepath.Join(tree, "mine.txt")
	writeAt(t, mine, "mine")
	if code, errOut := render(); code != exitInvalid || !strings.Contains(errOut, "--force") {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	if code, errOut := render("--force"); code != 0 {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	shop := filepath.Join(tree, "west", "overlay-shop", "site.yaml")
	if _, err := os.Stat(shop); err != nil {
		t.Fatal(err)
	}
	if code, errOut := render("--cluster", "east"); code != 0 {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	if _, err := os.Stat(filepath.Join(tree, "west")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is no longer rendered is left: %v", err)
	}
	if text, err := os.ReadFile(mine); err != nil || string(text) != "mine" {
		t.Errorf("another's file is %q, %v", text, err)
	}
	listed, err := os.ReadFile(filepath.Join(tree, marker))
	if err != nil {
		t.Fatal(err)
	}
	writeAt(t, filepath.Join(tree, marker), string(listed)+"../x\n")
	if code, errOut := render("--cluster", "east"); code != exitError || !strings.Contains(errOut, "escapes") {
		t.Errorf("a marker that leads outside: exit %d: %s", code, errOut)
	}
}

// A file of the user inside render's own tree is left alone, and so is all else then.
func TestRenderSparesFilesInItsWay(t *testing.T) {
	t.Parallel()
	dir, tree := filepath.Join(fixtures(t), "overlay"), t.TempDir()
	render := func(args ...string) (int, string) {
		code, _, errOut := runIn(dir, nil, append([]string{"render", "--kustomize", tree}, args...)...)
		return code, errOut
	}
	if code, errOut := render("--cluster", "east"); code != 0 {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	mine, theirs := filepath.Join(tree, "west", "kustomization.yaml"), filepath.Join(tree, "east", "overlay-hub", "site.yaml")
	writeAt(t, mine, "mine")
	writeAt(t, theirs, "rendered earlier")
	code, errOut := render()
	if code != exitInvalid || !strings.Contains(errOut, "render did not write west/kustomization.yaml, which is in its way; move it, or pass --force") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	for file, want := range map[string]string{mine: "mine", theirs: "rendered earlier"} {
		if text, err := os.ReadFile(file); err != nil || string(text) != want {
			t.Errorf("%s is %q, %v", file, text, err)
		}
	}
	if _, err := os.Stat(filepath.Join(tree, "west", "overlay-shop")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
	if code, errOut := render("--force"); code != 0 {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if text, err := os.ReadFile(mine); err != nil || string(text) == "mine" {
		t.Errorf("with --force the file is %q, %v", text, err)
	}
	if code, errOut := render(); code != 0 {
		t.Errorf("what --force wrote is not render's own: exit %d: %s", code, errOut)
	}
}
