package overlay_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/desired/overlay"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

const listener = `apiVersion: skupper.io/v2alpha1
kind: Listener
metadata: {name: backend}
spec: {routingKey: backend, port: 8080, host: backend}
`

// tree is a file system of one text for each path.
func tree(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, content := range files {
		out[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return out
}

// shops is a network of a hub and a shop; every overlay stands in net/.
func shops(overlays ...string) network.Network {
	n := network.Network{
		Name: "retail", Clusters: []network.Cluster{{Name: "c"}},
		Sites: []network.Site{
			{Name: "hub", Cluster: "c", Namespace: "hub", LinkAccess: "default", DeclaredAt: diag.Position{File: "net/net.cue", Line: 3, Column: 2}},
			{Name: "shop", Cluster: "c", Namespace: "shop", Settings: map[string]string{"router-data-connection-count": "2"}},
		},
		Links: []network.Link{{Name: "shop-hub", From: "shop", To: "hub", Cost: 1, DeclaredAt: diag.Position{File: "net/net.cue", Line: 9, Column: 2}}},
	}
	if len(overlays) > 0 {
		n.Overlay, n.OverlayAt = overlays[0], diag.Position{File: "net/net.cue", Line: 1, Column: 1}
	}
	if len(overlays) > 1 {
		n.Sites[0].Overlay, n.Sites[0].OverlayAt = overlays[1], diag.Position{File: "net/net.cue", Line: 4, Column: 2}
	}
	return n
}

func run(files map[string]string, n network.Network) (plan.Desired, diag.List) {
	return overlay.Run(overlay.Source{FS: tree(files), Dir: "net:retail"}, n, desired.Build(n))
}

func keys(d plan.Desired) []string {
	var out []string
	for _, o := range d.Objects {
		out = append(out, string(o.Site)+" "+o.Namespace+" "+o.Key()+" "+o.Source)
	}
	return out
}

func TestNothingToRun(t *testing.T) {
	t.Parallel()
	n := shops()
	d, findings := run(nil, n)
	if diff := cmp.Diff(desired.Build(n), d); diff != "" || len(findings) > 0 {
		t.Errorf("%v\n%s", findings, diff)
	}
}

// Both overlays run for the hub, the network's first; the shop has the network's.
func TestStages(t *testing.T) {
	t.Parallel()
	d, findings := run(map[string]string{
		"net/all/kustomization.yaml": `
resources: [../../base]
labels: [{pairs: {team: net}}]
configMapGenerator: [{name: conf, literals: [a=b]}]
`,
		"base/kustomization.yml": "resources: [listener.yaml]",
		"base/listener.yaml":     listener,
		"net/hub/Kustomization": `
commonAnnotations: {owner: hub}
patches:
- patch: |
    apiVersion: skupper.io/v2alpha1
    kind: Site
    metadata: {name: hub, namespace: hub}
    spec: {ha: true, settings: {router-data-connection-count: "4"}}
- target: {kind: Listener}
  patch: '[{"op": "replace", "path": "/spec/port", "value": 9090}]'
`,
	}, shops("all", "hub"))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	want := []string{
		"hub hub ConfigMap/conf-4h2mbtbbt6 net/all/kustomization.yaml", "hub hub Listener.skupper.io/backend base/listener.yaml",
		"shop shop ConfigMap/conf-4h2mbtbbt6 net/all/kustomization.yaml", "shop shop Listener.skupper.io/backend base/listener.yaml",
	}
	if diff := cmp.Diff(want, keys(d)); diff != "" {
		t.Error(diff)
	}
	site := map[string]any{
		"linkAccess": "default", "ha": true, "edge": false, "settings.router-data-connection-count": "4",
		"metadata.labels.team": "net", "metadata.annotations.owner": "hub",
	}
	if diff := cmp.Diff(site, d.Sites[0].Fields); diff != "" {
		t.Error(diff)
	}
	object := map[string]any{
		"spec.host": "backend", "spec.port": int64(9090), "spec.routingKey": "backend",
		"metadata.labels.team": "net", "metadata.annotations.owner": "hub",
	}
	if diff := cmp.Diff(object, d.Objects[1].Fields); diff != "" {
		t.Error(diff)
	}
	if at := d.Objects[1].DeclaredAt.Line; at != 1 {
		t.Errorf("the Listener is declared at line %d, want that of the network's overlay", at)
	}
	if d.Sites[1].Fields["metadata.labels.team"] != "net" || d.Sites[1].Fields["metadata.annotations.owner"] != nil {
		t.Errorf("the shop has %v", d.Sites[1].Fields)
	}
}

func TestComponent(t *testing.T) {
	t.Parallel()
	d, findings := run(map[string]string{
		"net/all/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nresources: [listener.yaml]\nlabels: [{pairs: {team: net}}]",
		"net/all/listener.yaml":      listener,
	}, shops("all"))
	if len(findings) > 0 || len(d.Objects) != 2 || d.Sites[0].Fields["metadata.labels.team"] != "net" {
		t.Errorf("%v %v %v", findings, keys(d), d.Sites)
	}
	if d.Objects[0].Source != "net/all/listener.yaml" {
		t.Errorf("source is %q", d.Objects[0].Source)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	patch := func(spec string) string {
		return "patches: [{target: {kind: Site}, patch: '" + spec + "'}]"
	}
	adds := func(manifest string) map[string]string {
		return map[string]string{"kustomization.yaml": "resources: [x.yaml]", "x.yaml": manifest}
	}
	one := func(content string) map[string]string { return map[string]string{"kustomization.yaml": content} }
	const k = "net/all/kustomization.yaml: "
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no directory", nil, "net/all: is not there"},
		{"no kustomization", map[string]string{"x.yaml": listener}, "net/all: has no kustomization.yaml"},
		{"two kustomizations", map[string]string{"kustomization.yaml": "{}", "Kustomization": "{}"}, "net/all: has more than one kustomization file"},
		{"unknown field", one("resource: [x]"), k + `invalid Kustomization: json: unknown field "resource"`},
		{"missing file", one("resources: [x.yaml]"), k + `resources: "x.yaml" is not there`},
		{"missing patch", one("patches: [{path: x.yaml}]"), k + `patches: "x.yaml" is not there`},
		{"out of the tree", one("resources: [../../../x]"), k + `resources: "../../../x" leads out of the tree`},
		{"absolute", one("resources: [/etc/x]"), k + `resources: "/etc/x" is an absolute path`},
		{"remote base", one("resources: ['https://example.com/a//b?ref=v1']"), k + `resources: "https://example.com/a//b?ref=v1" is not in the tree`},
		{"remote file", one("crds: ['http://example.com/x.yaml']"), k + `crds: "http://example.com/x.yaml" is not in the tree`},
		{"remote component", one("components: ['git@example.com:a/b']"), k + `components: "git@example.com:a/b" is not in the tree`},
		{"hub of git", one("resources: [github.com/a/b]"), k + `resources: "github.com/a/b" is not in the tree`},
		{"schema elsewhere", one("openapi: {path: 'https://example.com/x'}"), k + `openapi: "https://example.com/x" is not in the tree`},
		{"helm", one("helmCharts: [{name: x, repo: 'https://example.com'}]"), k + "helmCharts cannot be used in an overlay"},
		{"generators", one("generators: [x.yaml]"), k + "generators cannot be used in an overlay"},
		{"transformers", one("transformers: [x.yaml]"), k + "transformers cannot be used in an overlay"},
		{"validators", one("validators: [x.yaml]"), k + "validators cannot be used in an overlay"},
		{"secret generator", one("secretGenerator: [{name: x, literals: [a=b]}]"), k + "secretGenerator cannot be used in an overlay"},
		{"mistake in a base", map[string]string{"kustomization.yaml": "resources: [b]", "b/kustomization.yaml": "helmGlobals: {chartHome: x}"},
			"net/all/b/kustomization.yaml: helmCharts cannot be used in an overlay"},
		{"environment", map[string]string{"kustomization.yaml": "configMapGenerator: [{name: x, envs: [x.env]}]", "x.env": "A=1\nHOME\n"},
			`net/all/x.env: "HOME" has no value`},
		{"removes the Site", one("patches: [{patch: '{apiVersion: skupper.io/v2alpha1, kind: Site, metadata: {name: hub}, $patch: delete}', target: {name: hub}}]"),
			k + `removes the Site "hub"`},
		{"renames the Site", one("namePrefix: x-"), k + `renames the Site "hub" to "x-hub"`},
		{"moves the Site", one("namespace: elsewhere"), k + "Site hub is moved to namespace elsewhere"},
		{"a second Site", adds("{apiVersion: skupper.io/v2alpha1, kind: Site, metadata: {name: two}}"), "net/all/x.yaml: Site two is a second Site"},
		{"a Link", adds("{apiVersion: skupper.io/v2alpha1, kind: Link, metadata: {name: x}}"), "net/all/x.yaml: Link x cannot come from an overlay"},
		{"a grant", adds("{apiVersion: skupper.io/v2alpha1, kind: AccessGrant, metadata: {name: x}}"), "net/all/x.yaml: AccessGrant x cannot come from an overlay"},
		{"a token", adds("{apiVersion: skupper.io/v2alpha1, kind: AccessToken, metadata: {name: x}}"), "net/all/x.yaml: AccessToken x cannot come from an overlay"},
		{"the RouterAccess", adds("{apiVersion: skupper.io/v2alpha1, kind: RouterAccess, metadata: {name: skupper-router}}"), "net/all/x.yaml: RouterAccess skupper-router is Skupper's own"},
		{"a Secret", adds("{apiVersion: v1, kind: Secret, metadata: {name: x}, stringData: {a: b}}"), "net/all/x.yaml: Secret x cannot come from an overlay: it would stand in git in the clear"},
		{"a Secret in a List", adds("{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: x}}]}"), "net/all/x.yaml: Secret x cannot come from an overlay: it would stand in git in the clear"},
		{"a list of Secrets", adds("{apiVersion: v1, kind: SecretList, items: [{apiVersion: v1, kind: Secret, metadata: {name: x}}]}"), "net/all/x.yaml: Secret x cannot come from an overlay: it would stand in git in the clear"},
		{"a Secret made by a patch", map[string]string{"kustomization.yaml": "resources: [x.yaml]\npatches: [{target: {kind: ConfigMap}, options: {allowKindChange: true}, patch: '[{\"op\": \"replace\", \"path\": \"/kind\", \"value\": \"Secret\"}]'}]",
			"x.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}"}, "net/all/x.yaml: Secret x cannot come from an overlay: it would stand in git in the clear"},
		{"no YAML", adds("{"), k + "accumulating resources: accumulating resources from 'x.yaml': MalformedYAMLError: yaml: line 1: did not find expected node content in File: x.yaml"},
		{"no object", adds("a: b"), k + "accumulating resources: accumulation err='accumulating resources from 'x.yaml': missing Resource metadata': must build at directory: 'net/all/x.yaml': file is not directory"},
		{"another namespace", adds("{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: y}}"), "net/all/x.yaml: ConfigMap x is in namespace y"},
		{"a Namespace", adds("{apiVersion: v1, kind: Namespace, metadata: {name: x}}"), "net/all/x.yaml: Namespace x belongs to the whole cluster"},
		{"a ClusterRole", adds("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: x}}"), "net/all/x.yaml: ClusterRole x belongs to the whole cluster"},
		{"a ClusterRoleBinding", adds("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: x}}"), "net/all/x.yaml: ClusterRoleBinding x belongs to the whole cluster"},
		{"a definition", adds("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x}}"), "net/all/x.yaml: CustomResourceDefinition x belongs to the whole cluster"},
		{"the inventory", adds("{apiVersion: v1, kind: ConfigMap, metadata: {name: fairlead-retail}}"), "net/all/x.yaml: ConfigMap fairlead-retail has the name of Fairlead's own inventory"},
		{"a name to make", adds("{apiVersion: v1, kind: ConfigMap, metadata: {generateName: x-, name: x}}"), "net/all/x.yaml: ConfigMap x has metadata.generateName"},
		{"an owner", adds("{apiVersion: v1, kind: ConfigMap, metadata: {name: x, ownerReferences: []}}"), "net/all/x.yaml: ConfigMap x has metadata.ownerReferences"},
		{"one identity", adds("{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: hub}}"), "net/all/x.yaml: ConfigMap x is there twice"},
		{"our label", one("labels: [{pairs: {app.kubernetes.io/managed-by: me}}]"), k + `Site hub sets metadata.labels "app.kubernetes.io/managed-by", which is Fairlead's`},
		{"our annotation", one("commonAnnotations: {fairlead.dev/commit: x}"), k + `Site hub sets metadata.annotations "fairlead.dev/commit", which is Fairlead's`},
		{"a list in the Site", one(patch(`[{"op": "add", "path": "/spec/x", "value": [1]}]`)), k + "Site hub has a list at spec.x"},
		{"a map in the Site", one(patch(`[{"op": "add", "path": "/spec/x", "value": {"y": 1}}]`)), k + "Site hub has a map at spec.x"},
		{"a patch that misses", one("patches: [{patch: '{apiVersion: skupper.io/v2alpha1, kind: Site, metadata: {name: hub}, spec: {ha: true}}'}]"),
			k + `no resource matches strategic merge patch "Site.v2alpha1.skupper.io/hub.[noNs]": no matches for Id Site.v2alpha1.skupper.io/hub.[noNs]; failed to find unique target for patch Site.v2alpha1.skupper.io/hub.[noNs]`},
		{"a wrong type", one(patch(`[{"op": "add", "path": "/spec/ha", "value": "yes"}]`)), k + "Site hub has spec.ha yes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"README.md": ""}
			for name, content := range c.files {
				files["net/all/"+name] = content
			}
			n := shops("all")
			n.Sites = n.Sites[:1]
			n.Links = nil
			_, findings := run(files, n)
			if len(findings) != 1 {
				t.Fatalf("findings: %v", findings)
			}
			f := findings[0]
			if f.Message != c.want || f.Fix == "" || f.Code != "overlay" || f.At.Line != 1 || f.Subject != `site "hub"` {
				t.Errorf("got  %s\nwant %s", f, c.want)
			}
		})
	}
}

// An overlay may change how a site listens; links that need it are told.
func TestListeners(t *testing.T) {
	t.Parallel()
	off := func(spec string) map[string]string {
		return map[string]string{"net/all/kustomization.yaml": "{}", "net/hub/kustomization.yaml": "patches: [{target: {kind: Site}, patch: '" + spec + "'}]"}
	}
	for spec, want := range map[string]string{
		`[{"op": "replace", "path": "/spec/linkAccess", "value": "none"}]`: "with its overlay that site does not listen",
		`[{"op": "remove", "path": "/spec/linkAccess"}]`:                   "with its overlay that site does not listen",
	} {
		_, findings := run(off(spec), shopsWithHubOverlay())
		if len(findings) != 1 || !strings.Contains(findings[0].Message, want) || findings[0].Subject != `link "shop-hub"` || len(findings[0].Related) != 1 {
			t.Errorf("%s: %v", spec, findings)
		}
	}
	d, findings := run(off(`[{"op": "replace", "path": "/spec/linkAccess", "value": "route"}]`), shopsWithHubOverlay())
	if len(findings) > 0 || !d.Sites[0].Listens || d.Sites[0].Fields["linkAccess"] != "route" {
		t.Errorf("%v %v", findings, d.Sites[0])
	}
}

func shopsWithHubOverlay() network.Network {
	n := shops("", "hub")
	return n
}

// A Site with a name of its own on the cluster has that name for overlays, too.
func TestObjectName(t *testing.T) {
	t.Parallel()
	n := shops("", "hub")
	n.Sites[0].Object = "old-hub"
	d, findings := run(map[string]string{"net/hub/kustomization.yaml": "labels: [{pairs: {team: a}}]"}, n)
	if len(findings) > 0 || d.Sites[0].Fields["metadata.labels.team"] != "a" {
		t.Errorf("%v %v", findings, d.Sites[0])
	}
	for _, m := range desired.Manifests(n, d) {
		if name := m.Object["metadata"].(map[string]any)["name"]; m.Site == "hub" && name != "old-hub" {
			t.Errorf("rendered as %v", name)
		}
	}
}

// What is wrong with the network's overlay in the same way at every site is told once.
func TestToldOnce(t *testing.T) {
	t.Parallel()
	_, findings := run(map[string]string{"net/all/kustomization.yaml": "helmGlobals: {chartHome: x}"}, shops("all"))
	if len(findings) != 1 {
		t.Errorf("%v", findings)
	}
}

func TestOutside(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]string{
		"../../x": `overlay "../../x" leads out of the tree`, "/x": `overlay "/x" is an absolute path`,
	} {
		if _, findings := run(nil, shops(dir)); len(findings) != 1 || findings[0].Message != want {
			t.Errorf("%s: %v", dir, findings)
		}
	}
}

// A setting that Skupper does not heed is told where the overlay is named, once for all
// sites, and not where the description has it already.
func TestOddSettings(t *testing.T) {
	t.Parallel()
	patch := func(settings string) string {
		return "patches: [{target: {kind: Site}, patch: '[{\"op\": \"add\", \"path\": \"/spec/settings\", \"value\": {" + settings + "}}]'}]"
	}
	for _, c := range []struct {
		name, all, hub string
		want           []string
	}{
		{"heeded", patch(`"size": "small"`), "", nil},
		{"of all sites", patch(`"routerLogging": "info"`), "", []string{
			`net/net.cue:1:1: warning: site "hub": with its overlay: nothing in Skupper reads the setting "routerLogging"; ` +
				`leave it out: "router-logging", which is read, restarts the router and changes nothing`}},
		{"of one site", patch(`"router-logging": "info"`), patch(`"router-logging": "debug", "x": "y"`), []string{
			`net/net.cue:1:1: warning: site "hub": with its overlay: the setting "router-logging" restarts the router and changes nothing: ` +
				`the controllers that are known take every level for invalid; leave it out`,
			`net/net.cue:4:2: warning: site "hub": with its overlay: nothing in Skupper reads the setting "x"; ` +
				`leave it out; router-data-connection-count, size, disable-anti-affinity and tls-prior-valid-revisions are read`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files, overlays := map[string]string{"net/all/kustomization.yaml": c.all, "net/hub/kustomization.yaml": c.hub}, []string{"all", "hub"}
			if c.hub == "" {
				overlays = overlays[:1]
			}
			var got []string
			_, findings := run(files, shops(overlays...))
			for _, f := range findings {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
