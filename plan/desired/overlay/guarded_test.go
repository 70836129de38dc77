package overlay_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/desired/overlay"
	"fairlead.dev/fairlead/schema/diag"
)

const token = "an-access-token"

// withGit is a tree with git's own directory, symbolic links, and one kustomization.
func withGit(kustomization string, links map[string]string) fstest.MapFS {
	out := tree(map[string]string{
		".git/config": token + "=1", ".git/hooks/x": token, ".git/kustomization.yaml": "configMapGenerator: [{name: x, files: [config]}]",
		".github/x.yaml": "a: b", "x.git/x.yaml": "a: b", "net/deep/er/x": "",
		"net/all/kustomization.yaml": kustomization,
	})
	for name, target := range links {
		out[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink}
	}
	return out
}

func runWithGit(t *testing.T, dir, kustomization string, links map[string]string) diag.List {
	t.Helper()
	n := shops(dir)
	n.Sites, n.Links = n.Sites[:1], nil
	d, findings := overlay.Run(overlay.Source{FS: onDisk(t, withGit(kustomization, links)), Dir: "net:retail"}, n, desired.Build(n))
	text, err := overlay.YAML(desired.Manifests(n, d))
	if err != nil || strings.Contains(string(text), token) {
		t.Errorf("%v: the token of .git is in\n%s", err, text)
	}
	return findings
}

// onDisk writes a tree, so that the operating system follows its links.
func onDisk(t *testing.T, files fs.FS) fs.FS {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root.FS()
}

// Nothing of git's own directory can be read, however it is named.
func TestGitDirectory(t *testing.T) {
	t.Parallel()
	files := func(name string) string { return "configMapGenerator: [{name: x, files: [" + name + "]}]" }
	const k = "net/all/kustomization.yaml: "
	for _, c := range []struct {
		name, dir, kustomization string
		links                    map[string]string
		want                     string
	}{
		{"a file", "all", files("../../.git/config"), nil, k + `configMapGenerator: "../../.git/config" is inside .git`},
		{"a file with a key", "all", files("a=../../.git/config"), nil, k + `configMapGenerator: "../../.git/config" is inside .git`},
		{"variables", "all", "configMapGenerator: [{name: x, envs: [../../.git/config]}]", nil, k + `configMapGenerator: "../../.git/config" is inside .git`},
		{"one that is not there", "all", files("../.git/config"), nil, k + `configMapGenerator: "../.git/config" is inside .git`},
		{"a base", "all", "resources: [../../.git]", nil, k + `resources: "../../.git" is inside .git`},
		{"a patch", "all", "patches: [{path: ../../.git/config}]", nil, k + `patches: "../../.git/config" is inside .git`},
		{"upper case", "all", files("../../.GIT/config"), nil, k + `configMapGenerator: "../../.GIT/config" is inside .git`},
		{"a short name", "all", files("../../GIT~1/config"), nil, k + `configMapGenerator: "../../GIT~1/config" is inside .git`},
		{"a dot behind", "all", files("../../.git./config"), nil, k + `configMapGenerator: "../../.git./config" is inside .git`},
		{"a stream", "all", files("'../../.git::$INDEX_ALLOCATION/config'"), nil, k + `configMapGenerator: "../../.git::$INDEX_ALLOCATION/config" is inside .git`},
		{"a link", "all", files("x"), map[string]string{"net/all/x": "../../.git/config"}, k + `configMapGenerator: "x" is inside .git`},
		{"a link to a directory", "all", files("x/config"), map[string]string{"net/all/x": "../../.git"}, k + `configMapGenerator: "x/config" is inside .git`},
		{"a link over a link", "all", files("x"), map[string]string{"net/all/x": "y/../config", "net/all/y": "../../.git/hooks"}, k + `configMapGenerator: "x" is inside .git`},
		{"the overlay", "../.git", "", nil, ".git: is inside .git"},
		{"an overlay that is a link", "x", "", map[string]string{"net/x": "../.git"}, ".git: is inside .git"},
		{"a kustomization that is a link", "x", "", map[string]string{"net/x/kustomization.yaml": "../../.git/kustomization.yaml"}, "net/x/kustomization.yaml: is inside .git"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			findings := runWithGit(t, c.dir, c.kustomization, c.links)
			if len(findings) != 1 || findings[0].Message != c.want || findings[0].Fix == "" {
				t.Errorf("got  %v\nwant %s", findings, c.want)
			}
		})
	}
}

// What only looks like git's directory can be read, and so can links inside the tree.
func TestNotTheGitDirectory(t *testing.T) {
	t.Parallel()
	links := map[string]string{"net/all/x": "y/../../../.github/./x.yaml", "net/all/y": "../deep/er"}
	for _, name := range []string{"../../.github/x.yaml", "../../x.git/x.yaml", "b=x"} {
		if findings := runWithGit(t, "all", "configMapGenerator: [{name: x, files: ["+name+"]}]", links); len(findings) > 0 {
			t.Errorf("%s: %v", name, findings)
		}
	}
}
