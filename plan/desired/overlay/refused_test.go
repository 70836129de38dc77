package overlay_test

import (
	"strings"
	"testing"
)

// refusal is a kustomization of the hub, perhaps with a resource, and what is wrong.
type refusal struct{ name, kustomization, manifest, want string }

func checkRefusals(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"net/all/kustomization.yaml": c.kustomization}
			if c.manifest != "" {
				files["net/all/kustomization.yaml"], files["net/all/x.yaml"] = "resources: [x.yaml]\n"+c.kustomization, c.manifest
			}
			n := shops("all")
			n.Sites, n.Links = n.Sites[:1], nil
			_, findings := run(files, n)
			switch {
			case c.want == "" && len(findings) > 0:
				t.Errorf("refused: %v", findings)
			case c.want != "" && (len(findings) != 1 || findings[0].Message != c.want || findings[0].Fix == ""):
				t.Errorf("got  %v\nwant %s", findings, c.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	config := func(name string) string { return "{apiVersion: v1, kind: ConfigMap, metadata: {name: '" + name + "'}}" }
	role := func(name string) string {
		return "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: '" + name + "'}}"
	}
	untaken := func(kind, name string) string {
		return "net/all/x.yaml: " + kind + ` has the name "` + name + `", which Kubernetes does not take`
	}
	long := strings.Repeat("a", 254)
	checkRefusals(t, []refusal{
		{"a path", "", config("a/../site"), untaken("ConfigMap", "a/../site")},
		{"a dot", "", config("."), untaken("ConfigMap", ".")},
		{"two dots", "", config(".."), untaken("ConfigMap", "..")},
		{"upper case", "", config("A"), untaken("ConfigMap", "A")},
		{"a space", "", config("a b"), untaken("ConfigMap", "a b")},
		{"a hyphen behind", "", config("a-"), untaken("ConfigMap", "a-")},
		{"a colon", "", config("a:b"), untaken("ConfigMap", "a:b")},
		{"too long", "", config(long), untaken("ConfigMap", long)},
		{"made by a prefix", "patches: [{target: {kind: ConfigMap}, options: {allowNameChange: true}, patch: '[{\"op\": \"replace\", \"path\": \"/metadata/name\", \"value\": \"a/b\"}]'}]",
			config("a"), untaken("ConfigMap", "a/b")},
		{"just long enough", "", config(long[:253]), ""},
		{"dots", "", config("kube-root-ca.crt"), ""},
		{"a role with colons", "", role("app:reader"), ""},
		{"a role that is a path", "", role("app/reader"), untaken("Role", "app/reader")},
		{"a role in upper case", "", role("Reader"), untaken("Role", "Reader")},
	})
}

func TestVersionsAndKinds(t *testing.T) {
	t.Parallel()
	object := func(apiVersion, kind string) string {
		return "{apiVersion: '" + apiVersion + "', kind: '" + kind + "', metadata: {name: x}}"
	}
	version := func(kind, apiVersion string) string {
		return "net/all/x.yaml: " + kind + ` x has the apiVersion "` + apiVersion + `"`
	}
	checkRefusals(t, []refusal{
		{"no group", "", object("/v1", "Secret"), version("Secret", "/v1")},
		{"no version", "", object("v1/", "Secret"), version("Secret", "v1/")},
		{"three parts", "", object("a/b/v1", "Thing"), version("Thing", "a/b/v1")},
		{"a path", "", object("../v1", "Thing"), version("Thing", "../v1")},
		{"a version in upper case", "", object("V1", "Secret"), version("Secret", "V1")},
		{"a kind that is a path", "", object("v1", "a/../../b"), `net/all/x.yaml: there is no kind "a/../../b"`},
		{"a Site without its group", "", object("/v2alpha1", "Site"), version("Site", "/v2alpha1")},
		{"a group", "", object("example.com/v1beta1", "Thing"), ""},
	})
}

func TestSkuppersOwn(t *testing.T) {
	t.Parallel()
	object := func(apiVersion, kind, name string) string {
		return "{apiVersion: " + apiVersion + ", kind: " + kind + ", metadata: {name: " + name + "}}"
	}
	const says = " has a name that Skupper keeps for its own objects"
	checkRefusals(t, []refusal{
		{"the CA", "", object("skupper.io/v2alpha1", "Certificate", "skupper-site-ca"), "net/all/x.yaml: Certificate skupper-site-ca" + says},
		{"the report", "", object("v1", "ConfigMap", "skupper-network-status"), "net/all/x.yaml: ConfigMap skupper-network-status" + says},
		{"the router", "", object("apps/v1", "Deployment", "skupper-router"), "net/all/x.yaml: Deployment skupper-router" + says},
		{"the second router", "", object("v1", "Service", "skupper-router-2"), "net/all/x.yaml: Service skupper-router-2" + says},
		{"the mesh", "", object("skupper.io/v2alpha1", "Connector", "auto-mesh-x"), "net/all/x.yaml: Connector auto-mesh-x" + says},
		{"a name that is free", "", object("v1", "ConfigMap", "skupper-notes"), ""},
	})
}

func TestPatchedSite(t *testing.T) {
	t.Parallel()
	add := func(path, value string) string {
		return `patches: [{target: {kind: Site}, patch: '[{"op": "add", "path": "/spec` + path + `", "value": ` + value + `}]'}]`
	}
	const hub = "net/all/kustomization.yaml: Site hub has "
	checkRefusals(t, []refusal{
		{"a setting of a number", add("/settings", `{"a": 1}`), "", hub + "spec.settings.a 1"},
		{"a setting of a switch", add("/settings", `{"a": true}`), "", hub + "spec.settings.a true"},
		{"settings of a text", add("/settings", `"a"`), "", hub + "spec.settings a"},
		{"an unknown link access", add("/linkAccess", `"defualt"`), "", hub + `spec.linkAccess "defualt"`},
		{"an empty link access", add("/linkAccess", `""`), "", hub + `spec.linkAccess ""`},
		{"a link access of a switch", add("/linkAccess", "true"), "", hub + "spec.linkAccess true"},
		{"an unknown field", add("/routerMode", `"interior"`), "", hub + "spec.routerMode, which no description can have"},
		{"a flattened setting", add("/settings.a", `"x"`), "", hub + "spec.settings.a, which no description can have"},
		{"a flattened label", add("/metadata.labels.fairlead.dev~1link", `"x"`), "", hub + "spec.metadata.labels.fairlead.dev/link, which no description can have"},
		{"a spec of a text", add("", `"x"`), "", hub + "a spec that is not a map"},
		{"every known field", "patches: [{target: {kind: Site}, patch: '[{\"op\": \"add\", \"path\": \"/spec\", \"value\": " +
			`{"linkAccess": "route", "ha": true, "edge": false, "defaultIssuer": "a", "serviceAccount": "b", "settings": {"size": "small"}}` + "}]'}]", "", ""},
	})
}
