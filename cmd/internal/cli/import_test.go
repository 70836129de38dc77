package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/plan/existing"
	"fairlead.dev/fairlead/schema/network"
)

const kubeconfigOfTwo = `apiVersion: v1
kind: Config
current-context: %s
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {}}]
contexts:
- {name: first, context: {cluster: c, user: u}}
- {name: "a=b", context: {cluster: c, user: u}}
`

func kubeconfigFile(t *testing.T, current string) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, []byte(strings.Replace(kubeconfigOfTwo, "%s", current, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"KUBECONFIG": file}
}

// Wrong flags are refused before any cluster is asked, and nothing is written.
func TestImportFlags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "there.cue"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"", exitInvalid, "--network NAME"},
		{"--network Retail", exitInvalid, `"Retail" is no name for a network`},
		{"--network n what", exitInvalid, `"what" is one too many`},
		{"--network n --all --context first", exitInvalid, "exclude each other"},
		{"--network n --format json", exitInvalid, "unknown flag: --format"},
		{"--network n -o there.cue", exitInvalid, "pass --force"},
		{"--network n -o nowhere/net.cue", exitInvalid, "nowhere"},
		{"--network n", exitInvalid, "no current context; pass --context, one of: a=b, first"},
		{"--network n --context =first", exitInvalid, "write KEY=CONTEXT"},
		{"--network n --context x=first --context x=a=b", exitInvalid, "--context x=a=b: each cluster needs a key of its own"},
		{"--network n --context hub=", exitInvalid, "--context hub=: it names no context; write KEY=CONTEXT"},
		{"--network n --context=", exitInvalid, "it names no context; write KEY=CONTEXT"},
		{"--network n --context a/../b=first", exitInvalid, `--context a/../b=first: "a/../b" is no name for a cluster: use letters`},
		{"--network n --context .=first", exitInvalid, `"." is no name for a cluster`},
		{"--network n --context second", exitUnreachable, `no context "second"`},
		{"--network n --timeout 5s --context first", exitUnreachable, "cluster first: unreachable"},
		{"--network n --timeout 5s --context hub=first -o new.cue", exitUnreachable, "cluster hub: unreachable"},
		{"--network n --timeout 5s --context a=b", exitUnreachable, "Reading cluster a-b (context a=b)."},
		{"--network n --timeout 5s --all", exitUnreachable, "Reading cluster first (context first)."},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := runIn(dir, kubeconfigFile(t, `""`), append([]string{"import"}, strings.Fields(tt.args)...)...)
			if code != tt.code || out != "" || !strings.Contains(errOut, tt.says) {
				t.Errorf("exit %d, want %d, and %q in:\n%s%s", code, tt.code, tt.says, out, errOut)
			}
			if _, err := os.Stat(filepath.Join(dir, "new.cue")); err == nil {
				t.Error("it wrote a file")
			}
		})
	}
}

func TestImportTakesTheCurrentContext(t *testing.T) {
	t.Parallel()
	code, _, errOut := runIn(t.TempDir(), kubeconfigFile(t, "first"), "import", "--network", "n", "--timeout", "5s")
	if code != exitUnreachable || !strings.Contains(errOut, "Reading cluster first (context first).") {
		t.Errorf("exit %d\n%s", code, errOut)
	}
}

// The file says at its top what is not in it, and where credentials are read from.
func TestImportComment(t *testing.T) {
	t.Parallel()
	found := existing.Result{
		Network: network.Network{
			Name:     "retail",
			Clusters: []network.Cluster{{Name: "hub", Context: "hub"}},
			Sites:    []network.Site{{Name: "hub", Cluster: "hub", Namespace: "hub", Object: "hub", LinkAccess: "default"}},
			Policy:   network.Policy{UnreachableSites: network.LevelWarn, Deletes: network.DefaultDeletes},
		},
		LeftOut: []existing.Note{{Subject: "Link a/b on cluster hub", Message: "it leads nowhere"}},
		Altered: []existing.Note{{Subject: "Site c/d on cluster hub", Message: "its ha is dropped"}},
	}
	text, err := describeFound(found)
	if err != nil {
		t.Fatal(err)
	}
	want := "// Network retail, as fairlead import found it (clusters: hub).\n" +
		"// Look at `fairlead plan --adopt`, then take it over with `fairlead apply --adopt`.\n" +
		"//\n// Left out:\n//   Link a/b on cluster hub: it leads nowhere\n" +
		"//\n// Taken over with a change:\n//   Site c/d on cluster hub: its ha is dropped\n" +
		"\npackage network\n\nnetwork: \"retail\"\n\nclusters: {\n\thub: context: \"hub\"\n}\n\n" +
		"sites: {\n\thub: {cluster: \"hub\", namespace: \"hub\", linkAccess: \"default\"}\n}\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	found.Network.Sites[0].Cluster = "nowhere"
	if _, err := describeFound(found); err == nil || !strings.Contains(err.Error(), "does not vet") {
		t.Errorf("a network that does not vet gives %v", err)
	}
}
