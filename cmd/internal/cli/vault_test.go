package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/schema/network"
)

// A secret's file is looked for beside the description as it is on disk, however the
// description is named and whichever revision is read.
func TestFilesStartAtTheDescription(t *testing.T) {
	t.Parallel()
	repo := t.TempDir()
	net := filepath.Join(repo, "net")
	if err := os.Mkdir(net, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "package retail\nnetwork: \"x\"\nclusters: {\n\tc: kubeconfig: file: \"nowhere.yaml\"\n\td: kubeconfig: age: file: \"nowhere.age\"\n}\n" +
		"sites: {s: {cluster: \"c\", namespace: \"s\"}, o: {cluster: \"d\", namespace: \"o\"}}\n"
	if err := os.WriteFile(filepath.Join(net, "net.cue"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	gitIn(t, repo, "init", "-q")
	gitIn(t, repo, "add", "-A")
	gitIn(t, repo, "commit", "-qm", "x")
	for _, args := range [][]string{{"plan", "./net"}, {"plan", "./net:retail"}, {"plan", "./net", "--rev", "HEAD"}, {"plan", "./net:retail", "--rev", "HEAD"}} {
		_, _, errOut := runIn(repo, nil, args...)
		if !strings.Contains(errOut, filepath.Join(net, "nowhere.yaml")) {
			t.Errorf("%v:\n%s", args, errOut)
		}
	}
}

// status compares no credentials, so it runs nobody's command.
func TestStatusRunsNoCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := "package x\nnetwork: \"x\"\nclusters: c: kubeconfig: file: \"kc\"\n" +
		"sites: {a: {cluster: \"c\", namespace: \"a\", linkAccess: \"default\"}, b: {cluster: \"c\", namespace: \"b\"}}\n" +
		"proxies: p: {host: \"p\", port: 1, username: command: [\"sh\", \"-c\", \"touch ran; echo me\"], password: env: \"NOT_SET\"}\n" +
		"links: l: {from: \"b\", to: \"a\", proxy: \"p\"}\n"
	kubeconfig := "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n" +
		"contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\nusers: [{name: u, user: {token: t}}]\n"
	for name, content := range map[string]string{"x.cue": text, "kc": kubeconfig} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ran := func(args ...string) bool {
		_ = os.Remove(filepath.Join(dir, "ran"))
		runIn(dir, nil, args...)
		_, err := os.Stat(filepath.Join(dir, "ran"))
		return err == nil
	}
	if ran("status", "--timeout", "5s") || ran("vet") {
		t.Error("the proxy's command was run")
	}
	if !ran("plan", "--timeout", "5s") {
		t.Error("plan did not ask for the credentials")
	}
}

// What gives no password is refused where credentials are resolved, and its other half is
// not shown: a router would wait for the password for ever.
func TestEmptyPassword(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"empty": "", "line": "\n", "lines": "\r\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	judged, err := judgement(description{dir: dir}, judge.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	sys := &System{Getenv: func(name string) string { return map[string]string{"USER_OF_PROXY": "somebody"}[name] }}
	for name, ref := range map[string]network.SecretRef{
		"an empty file": {File: "empty"}, "an empty line": {File: "line"}, "an empty line of Windows": {File: "lines"},
		"a command that says nothing": {Command: []string{"true"}}, "an empty variable": {Env: "NOT_SET"},
	} {
		source := proxies{newVault(sys, judged, nil), []network.Proxy{{Name: "corp", Username: &network.SecretRef{Env: "USER_OF_PROXY"}, Password: &ref}}}
		found, err := source.Credentials(t.Context(), "corp")
		if err == nil || !found.Username.IsZero() || strings.Contains(err.Error(), "somebody") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
