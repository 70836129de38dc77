package schema_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// tree makes a file tree of path and text pairs.
func tree(pairs ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return out
}

// valid loads a description that must have no finding at all.
func valid(t *testing.T, files fs.FS, dir string, tags ...string) schema.Result {
	t.Helper()
	res := loadDir(t, files, dir, tags...)
	for _, f := range res.Findings {
		t.Errorf("unexpected finding: %v", f)
	}
	if t.Failed() {
		t.FailNow()
	}
	return res
}

func TestHello(t *testing.T) {
	t.Parallel()
	res := valid(t, os.DirFS(fixtures), "hello")
	at := func(line, column int) diag.Position {
		return diag.Position{File: "hello/hello.cue", Line: line, Column: column}
	}
	site := func(name, cluster, access string, line int) network.Site {
		return network.Site{
			Name: network.SiteName(name), Cluster: network.ClusterName(cluster), Namespace: name,
			LinkAccess: access, Object: name, Settings: map[string]string{}, DeclaredAt: at(line, 2),
		}
	}
	link := func(name, from string, line int) network.Link {
		return network.Link{
			Name: network.LinkName(name), From: network.SiteName(from), To: "hello-hub",
			Cost: 1, Via: network.ViaToken, Object: name, DeclaredAt: at(line, 2), CostAt: at(line, 2),
		}
	}
	want := network.Network{
		Name:       "hello",
		DeclaredAt: at(3, 1),
		Clusters: []network.Cluster{
			{Name: "east", Context: "sandbox-1", DeclaredAt: at(6, 2)},
			{Name: "west", Context: "sandbox-2", DeclaredAt: at(7, 2)},
		},
		Sites: []network.Site{
			site("hello-east", "east", "", 12), site("hello-hub", "east", "default", 11), site("hello-west", "west", "", 13),
		},
		Links:   []network.Link{link("hello-east-hub", "hello-east", 17), link("hello-west-hub", "hello-west", 18)},
		Proxies: []network.Proxy{},
		Policy:  network.Policy{UnreachableSites: network.LevelWarn, Deletes: network.DefaultDeletes},
	}
	if diff := cmp.Diff(want, res.Network); diff != "" {
		t.Errorf("network (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"hello/hello.cue"}, res.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestRetail(t *testing.T) {
	t.Parallel()
	n := valid(t, os.DirFS(fixtures), "./retail:retail").Network
	if len(n.Sites) != 52 || len(n.Links) != 101 {
		t.Errorf("%d sites and %d links, want 52 and 101", len(n.Sites), len(n.Links))
	}
	for _, l := range n.Links {
		if l.To == "backup" && l.Cost != 99999 {
			t.Errorf("link %s costs %d", l.Name, l.Cost)
		}
		if l.DeclaredAt.IsZero() || l.CostAt.IsZero() {
			t.Errorf("link %s has no place", l.Name)
		}
	}
}

const everything = `package x

network: "x"
clusters: {
	a: {context: "ctx", kubeconfig: env: "KC"}
	b: kubeconfig: file: "kc.yaml"
	c: {inCluster: true, lockNamespace: "locks"}
}
sites: {
	one: {
		cluster: "a", namespace: "one", linkAccess: "route", ha: true, protect: true
		defaultIssuer: "ca", serviceAccount: "sa", settings: "router-data-connection-count": "4"
	}
	two: {cluster: "b", namespace: "two", edge: true}
	three: {cluster: "c", namespace: "three", linkAccess: "none", object: "drei", overlay: "dev"}
}
proxies: p: {host: "proxy.example.com", port: 3128, username: env: "U", password: command: ["pass", "show"]}
links: {
	l1: {from: "two", to: "one", cost: 7, proxy: "p"}
	l2: {from: "three", to: "one", via: "certificate", rotation: 3, object: "old"}
}
policy: {
	unreachableSites: "error", deletes: {sites: 0, percent: 100}
	clean: true, signers: ["keys/a.asc", "keys/allowed"], planExpiry: "1h30m"
	ignore: [{path: "link/l1/cost", reason: "tuned"}]
}
overlay: "all"
`

func TestEveryField(t *testing.T) {
	t.Parallel()
	got := valid(t, tree("x.cue", everything), ".").Network
	at := func(line, column int) diag.Position { return diag.Position{File: "x.cue", Line: line, Column: column} }
	want := network.Network{
		Name: "x", DeclaredAt: at(3, 1),
		Clusters: []network.Cluster{
			{Name: "a", Context: "ctx", Kubeconfig: &network.SecretRef{Env: "KC"}, DeclaredAt: at(5, 2)},
			{Name: "b", Kubeconfig: &network.SecretRef{File: "kc.yaml"}, DeclaredAt: at(6, 2)},
			{Name: "c", InCluster: true, LockNamespace: "locks", DeclaredAt: at(7, 2)},
		},
		Sites: []network.Site{
			{Name: "one", Cluster: "a", Namespace: "one", LinkAccess: "route", HA: true, Protect: true, DefaultIssuer: "ca", Object: "one",
				ServiceAccount: "sa", Settings: map[string]string{"router-data-connection-count": "4"}, DeclaredAt: at(10, 2)},
			{Name: "three", Cluster: "c", Namespace: "three", LinkAccess: "none", Object: "drei", Overlay: "dev", OverlayAt: at(15, 89),
				Settings: map[string]string{}, DeclaredAt: at(15, 2)},
			{Name: "two", Cluster: "b", Namespace: "two", Edge: true, Object: "two", Settings: map[string]string{}, DeclaredAt: at(14, 2)},
		},
		Links: []network.Link{
			{Name: "l1", From: "two", To: "one", Cost: 7, Via: network.ViaCertificate, Proxy: "p", Object: "l1", DeclaredAt: at(19, 2), CostAt: at(19, 37)},
			{Name: "l2", From: "three", To: "one", Cost: 1, Via: network.ViaCertificate, Rotation: 3, Object: "old", DeclaredAt: at(20, 2), CostAt: at(20, 2)},
		},
		Proxies: []network.Proxy{{Name: "p", Host: "proxy.example.com", Port: 3128, Username: &network.SecretRef{Env: "U"},
			Password: &network.SecretRef{Command: []string{"pass", "show"}}, DeclaredAt: at(17, 10)}},
		Policy: network.Policy{
			UnreachableSites: network.LevelError, Deletes: network.DeleteLimits{Sites: 0, Links: 50, Objects: 50, Percent: 100},
			Clean: true, CleanAt: at(24, 9), Signers: []string{"keys/a.asc", "keys/allowed"}, SignersAt: at(24, 24), PlanExpiry: "1h30m",
			Ignore: []network.Ignore{{Path: "link/l1/cost", Reason: "tuned", DeclaredAt: at(25, 11)}},
		},
		Overlay: "all", OverlayAt: at(27, 10),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("network (-want +got):\n%s", diff)
	}
}

// TestSecretSources reads each kind of reference to a secret.
func TestSecretSources(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]network.SecretRef{
		`env: "V"`:                      {Env: "V"},
		`file: "p"`:                     {File: "p"},
		`age: file: "p.age"`:            {Age: &network.EncryptedFile{File: "p.age"}},
		`sops: {file: "p", key: "a.b"}`: {SOPS: &network.EncryptedFile{File: "p", Key: "a.b"}},
		`command: ["pass", "x y"]`:      {Command: []string{"pass", "x y"}},
		`kubernetes: {cluster: "d", namespace: "n", name: "s", key: "k"}`: {
			Kubernetes: &network.SecretKey{Cluster: "d", Namespace: "n", Name: "s", Key: "k"},
		},
	} {
		cue := "package x\nnetwork: \"x\"\nclusters: c: kubeconfig: {" + text + "}\n" +
			"clusters: d: {}\nsites: s: {cluster: \"c\", namespace: \"s\"}\n"
		res := loadDir(t, tree("x.cue", cue), ".")
		if res.Findings.HasErrors() {
			t.Fatalf("%s: %v", text, res.Findings)
		}
		if diff := cmp.Diff(&want, res.Network.Clusters[0].Kubeconfig); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

const (
	oneSite = "sites: a: {cluster: \"c\", namespace: \"a\"}\n"
	onePath = "clusters: c: context: \"ctx\"\n"
	module  = "module: \"example.com/m\"\nlanguage: version: \"v0.17.0\"\n"
)

func TestWaysToWrite(t *testing.T) {
	t.Parallel()
	schemaText, err := fs.ReadFile(schema.Module(), "schema.cue")
	if err != nil {
		t.Fatal(err)
	}
	const vendored = "cue.mod/pkg/fairlead.dev/schema/schema.cue"
	tests := []struct {
		name  string
		files fs.FS
		dir   string
		tags  []string
		want  string // the network's name
		reads []string
	}{
		{"several files", tree("a.cue", "package x\nnetwork: \"n\"\n"+onePath, "b.cue", "package x\n"+oneSite), ".", nil, "n", []string{"a.cue", "b.cue"}},
		{"subdirectory", tree("envs/prod/a.cue", "package x\nnetwork: \"n\"\n"), "./envs/prod", nil, "n", []string{"envs/prod/a.cue"}},
		{"helpers", tree("a.cue", "package x\nlet l = \"n\"\n#D: {b: l}\n_h: #D & {b: string}\n_t: {cluster: string}\nnetwork: _h.b\n"), ".", nil, "n", nil},
		{"tag", tree("a.cue", "package x\nnetwork: *\"n\" | string @tag(name)\n"), ".", []string{"name=m"}, "m", nil},
		{"tag left out", tree("a.cue", "package x\nnetwork: *\"n\" | string @tag(name)\n"), ".", nil, "n", nil},
		{"boolean tag", tree("a.cue", "@if(prod)\n\npackage x\nnetwork: \"n\"\n"), ".", []string{"prod"}, "n", nil},
		{"module import", tree("cue.mod/module.cue", module, "a.cue", "package x\nimport \"example.com/m/lib\"\nnetwork: lib.name\n", "lib/l.cue", "package lib\nname: \"n\"\n"),
			".", nil, "n", []string{"a.cue", "lib/l.cue"}},
		{"module below the root", tree("net/cue.mod/module.cue", module, "net/p/a.cue", "package x\nimport \"example.com/m/lib\"\nnetwork: lib.name\n", "net/lib/l.cue", "package lib\nname: \"n\"\n"),
			"net/p", nil, "n", nil},
		{"inherited files", tree("cue.mod/module.cue", module, "a.cue", "package x\nnetwork: \"n\"\n", "prod/b.cue", "package x\n"+oneSite+onePath), "prod", nil, "n", []string{"a.cue", "prod/b.cue"}},
		{"vendored", tree("cue.mod/module.cue", module, "cue.mod/pkg/example.org/teams/t.cue", "package teams\nname: \"n\"\n",
			"a.cue", "package x\nimport \"example.org/teams\"\nnetwork: teams.name\n"), ".", nil, "n", nil},
		{"vendored usr", tree("cue.mod/module.cue", module, "cue.mod/usr/example.org/teams/t.cue", "package teams\nname: \"n\"\n",
			"a.cue", "package x\nimport \"example.org/teams\"\nnetwork: teams.name\n"), ".", nil, "n", nil},
		{"vendored schema", tree("cue.mod/module.cue", module, vendored, string(schemaText),
			"a.cue", "package x\nimport \"fairlead.dev/schema\"\nschema.#Network\nnetwork: \"n\"\n"+oneSite+onePath), ".", nil, "n", nil},
		{"template", tree("a.cue", "package x\nnetwork: \"n\"\n"+onePath+"sites: [N=string]: {cluster: *\"c\" | string, namespace: N}\nsites: a: {}\n"), ".", nil, "n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := valid(t, tt.files, tt.dir, tt.tags...)
			if res.Network.Name != tt.want {
				t.Errorf("network %q, want %q", res.Network.Name, tt.want)
			}
			if tt.reads != nil {
				if diff := cmp.Diff(tt.reads, res.Files); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestVendoredSchemaFindings(t *testing.T) {
	t.Parallel()
	text, _ := fs.ReadFile(schema.Module(), "schema.cue")
	files := tree("cue.mod/module.cue", module, "cue.mod/pkg/fairlead.dev/schema/schema.cue", string(text), "a.cue", `package x
import "fairlead.dev/schema"
schema.#Network
network: "n"
sites: a: {cluster: "c", namspace: "a"}
clusters: c: contxt: "x"
links: l: {from: "a", to: "b", cost: 0, via: "tokn"}
`)
	want := []string{"5:8 missing-field", "5:26 unknown-field", "6:14 unknown-field", "7:27 unknown-site", "7:38 cost-range", "7:46 not-a-choice"}
	var got []string
	for _, f := range loadDir(t, files, ".").Findings {
		got = append(got, strings.TrimPrefix(f.At.String(), "a.cue:")+" "+f.Code)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestMistakesOutside checks that mistakes in helpers and imports are told once,
// and where they stand.
func TestMistakesOutside(t *testing.T) {
	t.Parallel()
	const head = "package x\n" + onePath + "sites: {\n\ta: {cluster: \"c\", namespace: \"a\", linkAccess: \"default\"}\n\tb: {cluster: \"c\", namespace: \"b\"}\n}\n"
	const network = "network: \"n\"\n"
	tests := []struct {
		name  string
		files fs.FS
		want  []string
	}{
		{"helper", tree("a.cue", head+network+"_cost: 1 & 2\nlinks: l: {from: \"b\", to: \"a\", cost: _cost}\n"), []string{"a.cue:8:8 conflicting-values"}},
		{"helper of another type", tree("a.cue", head+network+"_cost: \"five\"\nlinks: l: {from: \"b\", to: \"a\", cost: _cost}\n"), []string{"a.cue:9:38 wrong-type"}},
		{"template", tree("a.cue", head+network+"_l: {from: string, to: \"a\"}\nlinks: l: _l & {from: 5}\n"), []string{"a.cue:9:23 wrong-type"}},
		{"import", tree("cue.mod/module.cue", module, "a.cue", head+"import \"example.com/m/lib\"\n", "lib/l.cue", "package lib\n"), []string{"a.cue:7:8 syntax"}},
		{"value of an import", tree("cue.mod/module.cue", module, "lib/l.cue", "package lib\nname: 1 & 2\n",
			"a.cue", strings.Replace(head, "package x\n", "package x\nimport \"example.com/m/lib\"\n", 1)+"network: lib.name\n"), []string{"lib/l.cue:2:7 conflicting-values"}},
		{"reference in an import", tree("cue.mod/module.cue", module, "lib/l.cue", "package lib\nname: nam\n",
			"a.cue", strings.Replace(head, "package x\n", "package x\nimport \"example.com/m/lib\"\n", 1)+"network: lib.name\n"), []string{"lib/l.cue:2:7 unresolved-reference"}},
		{"syntax of an import", tree("cue.mod/module.cue", module, "lib/l.cue", "package lib\nname: }\n",
			"a.cue", strings.Replace(head, "package x\n", "package x\nimport \"example.com/m/lib\"\n", 1)+"network: lib.name\n"), []string{"lib/l.cue:2:7 syntax"}},
		{"condition on nothing", tree("a.cue", head+network+"_x: {}\nif _x.on {policy: unreachableSites: \"error\"}\n"), []string{"a.cue:9:7 unresolved-reference"}},
		{"comprehension over nothing", tree("a.cue", head+network+"_x: {}\nlinks: {for s in _x.shops {(s): {from: s, to: \"a\"}}}\n"), []string{"a.cue:9:21 unresolved-reference"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range loadDir(t, tt.files, ".").Findings {
				if f.Severity == diag.Error {
					got = append(got, f.At.String()+" "+f.Code)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s\n%v", diff, loadDir(t, tt.files, ".").Findings)
			}
		})
	}
}

func TestDigestIgnoresForm(t *testing.T) {
	t.Parallel()
	a := valid(t, tree("x.cue", everything), ".")
	moved := strings.Replace(everything, "package x\n", "// A comment.\npackage x\n\nimport \"strings\"\n_one: strings.ToLower(\"ONE\")\n", 1)
	moved = strings.ReplaceAll(moved, `to: "one"`, "to: _one")
	b := valid(t, tree("sub/y.cue", moved), "sub")
	c := valid(t, tree("x.cue", strings.Replace(everything, "cost: 7", "cost: 8", 1)), ".")
	if a.Digest != b.Digest || !strings.HasPrefix(a.Digest, "sha256:") {
		t.Errorf("digests differ for the same content: %q, %q", a.Digest, b.Digest)
	}
	if a.Digest == c.Digest {
		t.Error("digest is the same for different costs")
	}
}

func TestDisplay(t *testing.T) {
	t.Parallel()
	res, err := schema.Load(context.Background(), schema.Source{
		FS: tree("a/x.cue", "package x\nnetwork: 5\n"), Dir: "a",
		Display: func(p string) string { return "../" + p },
	})
	if err != nil || len(res.Findings) != 1 || res.Findings[0].At.String() != "../a/x.cue:2:10" {
		t.Errorf("findings %v, error %v", res.Findings, err)
	}
	if diff := cmp.Diff(network.Network{}, res.Network); diff != "" || res.Digest != "" {
		t.Errorf("network of an invalid description is not zero: %s %q", diff, res.Digest)
	}
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := schema.Load(done, schema.Source{FS: tree()}); !errors.Is(err, context.Canceled) {
		t.Errorf("done context: %v", err)
	}
	if _, err := schema.Load(context.Background(), schema.Source{}); err == nil {
		t.Error("no tree: no error")
	}
	if _, err := schema.Load(context.Background(), schema.Source{FS: os.DirFS("does-not-exist")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing root: %v", err)
	}
}

func TestBadPackagePaths(t *testing.T) {
	t.Parallel()
	files := tree("a/x.cue", "package x\n", "f.cue", "package f\n")
	for dir, want := range map[string]string{
		"nowhere": "no-files", "f.cue": "no-files", "a:y": "no-package", "a:_": "no-package", "a:b:c": "no-package", "../..": "missing-field",
	} {
		res := loadDir(t, files, dir)
		if len(res.Findings) != 1 || res.Findings[0].Code != want {
			t.Errorf("%q: %v, want one %s", dir, res.Findings, want)
		}
	}
}

// A description with clusters and no site is told for what an apply makes of it.
func TestNoSites(t *testing.T) {
	t.Parallel()
	files := tree("a.cue", "package x\nnetwork: \"n\"\nclusters: {a: context: \"a\", b: context: \"b\"}\nsites: {}\n")
	res, err := schema.Load(t.Context(), schema.Source{FS: files, Dir: "."})
	const want = `a.cue:2:10: warning: network "n": has no site: an apply removes everything that it has on its clusters; ` +
		"if that is meant, apply with the clusters in place and remove them then; otherwise describe the sites again"
	if err != nil || len(res.Findings) != 1 || res.Findings[0].String() != want {
		t.Errorf("%v\ngot  %v\nwant %s", err, res.Findings, want)
	}
}
