package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Overlays cannot leave the tree through symbolic links, and mistakes in them have
// the place in the description and the path as it is seen from where one stands.
func TestOverlayFindings(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "secret.yaml")
	writeAt(t, outside, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
	const description = `package p
network: "n"
clusters: c: {}
sites: s: {cluster: "c", namespace: "s", overlay: "../extra"}
`
	for _, c := range []struct {
		name, kustomization string
		prepare             func(dir string) error
		want                string
	}{
		{"a file outside", "resources: [x.yaml]", func(dir string) error {
			return os.Symlink(outside, filepath.Join(dir, "extra", "x.yaml"))
		}, "net.cue:4:51: error: site \"s\": ../extra/x.yaml: symbolic link leads out of the tree"},
		{"a directory outside", "resources: [x/secret.yaml]", func(dir string) error {
			return os.Symlink(filepath.Dir(outside), filepath.Join(dir, "extra", "x"))
		}, "net.cue:4:51: error: site \"s\": ../extra/x/secret.yaml: symbolic link leads out of the tree"},
		{"a link that stays", "resources: [x.yaml]", func(dir string) error {
			writeAt(t, filepath.Join(dir, "all", "y.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
			return os.Symlink("../all/y.yaml", filepath.Join(dir, "extra", "x.yaml"))
		}, "Valid: 1 site"},
		{"a Secret", "resources: [x.yaml]", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "extra", "x.yaml"), []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n"), 0o644)
		}, "net.cue:4:51: error: site \"s\": ../extra/x.yaml: Secret x cannot come from an overlay"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "cue.mod"), 0o755); err != nil { // the tree's root
				t.Fatal(err)
			}
			writeAt(t, filepath.Join(dir, "cue.mod", "module.cue"), "module: \"example.com/n\"\nlanguage: version: \"v0.9.0\"\n")
			writeAt(t, filepath.Join(dir, "net", "net.cue"), description)
			writeAt(t, filepath.Join(dir, "extra", "kustomization.yaml"), c.kustomization)
			if err := c.prepare(dir); err != nil {
				t.Fatal(err)
			}
			code, out, errOut := runIn(filepath.Join(dir, "net"), nil, "vet")
			if !strings.Contains(out, c.want) || (code == 0) != strings.HasPrefix(c.want, "Valid") {
				t.Errorf("exit %d\n%s%s\nwant %s", code, out, errOut, c.want)
			}
		})
	}
}

// A revision is rendered with the overlays that it has, not with those on disk.
func TestOverlayOfRevision(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "net"), os.DirFS(filepath.Join(fixtures(t), "overlay"))); err != nil {
		t.Fatal(err)
	}
	gitIn(t, dir, "init", "-q")
	gitIn(t, dir, "add", ".")
	gitIn(t, dir, "commit", "-q", "-m", "x")
	_, committed, _ := runIn(filepath.Join(dir, "net"), nil, "render")
	writeAt(t, filepath.Join(dir, "net", "hub", "connector.yaml"), "nothing")
	if code, _, _ := runIn(filepath.Join(dir, "net"), nil, "render"); code != exitInvalid {
		t.Errorf("a broken overlay on disk: exit %d", code)
	}
	code, out, errOut := runIn(filepath.Join(dir, "net"), nil, "render", "--rev", "HEAD")
	if code != 0 || out != committed || committed == "" {
		t.Errorf("exit %d: %s\n%s\nwant %s", code, errOut, out, committed)
	}
}
