package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// programs writes a description that names programs of every kind; each leaves a file
// beside it where it runs.
func programs(t *testing.T) (dir string, env map[string]string) {
	t.Helper()
	dir = t.TempDir()
	kubeconfig := func(user string) string {
		return "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n" +
			"contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\nusers: [{name: u, user: " + user + "}]\n"
	}
	asks := "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: ['-c', 'touch " +
		filepath.Join(dir, "ran-exec") + "']}}"
	run := func(name string) string { return `command: ["sh", "-c", "touch ran-` + name + `; echo x"]` }
	text := "package x\nnetwork: \"x\"\nclusters: {\n" +
		"\tother: kubeconfig: file: \"asking\"\n\tasking: kubeconfig: file: \"asking\"\n\tsecret: kubeconfig: env: \"KC\"\n" +
		"\tprinted: kubeconfig: " + run("kubeconfig") + "\n\tsealed: kubeconfig: sops: file: \"plain\"\n}\n" +
		"sites: {a: {cluster: \"other\", namespace: \"a\", linkAccess: \"default\"}, b: {cluster: \"asking\", namespace: \"b\"}\n" +
		"\tc: {cluster: \"secret\", namespace: \"c\"}, d: {cluster: \"printed\", namespace: \"d\"}, e: {cluster: \"sealed\", namespace: \"e\"}}\n" +
		"proxies: p: {host: \"p\", port: 1, username: " + run("username") + ", password: sops: file: \"plain\"}\n" +
		"links: l: {from: \"b\", to: \"a\", proxy: \"p\"}\n"
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	sops := "#!/bin/sh\ntouch " + filepath.Join(dir, "ran-sops") + "\necho x\n"
	for name, content := range map[string]string{"x.cue": text, "plain": kubeconfig("{token: t}"), "asking": kubeconfig(asks), "bin/sops": sops} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir, map[string]string{"KC": kubeconfig(asks)}
}

// programsRan are the programs of a description that ran.
func programsRan(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "ran-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Where programs are refused no command runs one, whatever the description names and
// whichever way they are refused, and the reader learns which clusters are unread for it.
func TestProgramsRefused(t *testing.T) {
	dir, env := programs(t)
	t.Setenv("PATH", filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	commands := [][]string{{"plan"}, {"apply", "--yes"}, {"drift"}, {"status"}, {"unlock", "--cluster", "asking", "x"}}
	for _, args := range commands {
		for how, more := range map[string]struct {
			flag     []string
			variable string
		}{
			"by the flag":                   {[]string{"--programs", "refuse"}, ""},
			"by the variable":               {nil, "refuse"},
			"whatever the flag then allows": {[]string{"--programs", "allow"}, "refuse"},
			"whatever the variable allows":  {[]string{"--programs", "refuse"}, "allow"},
		} {
			env["FAIRLEAD_PROGRAMS"] = more.variable
			args := append(append(append([]string{}, args...), "--timeout", "300ms"), more.flag...)
			code, out, errOut := runIn(dir, env, args...)
			if ran := programsRan(t, dir); len(ran) > 0 {
				t.Fatalf("%v, refused %s: ran %v\n%s%s", args, how, ran, out, errOut)
			}
			if said := out + errOut; code != exitUnreachable || !strings.Contains(said, "none that the description names may run here") {
				t.Errorf("%v, refused %s: exit %d\n%s", args, how, code, said)
			}
		}
	}
	env["FAIRLEAD_PROGRAMS"] = "refuse"
	_, out, _ := runIn(dir, env, "plan", "--timeout", "300ms")
	for _, name := range []string{"other", "asking", "secret", "printed", "sealed"} {
		if !strings.Contains(out, name) {
			t.Errorf("plan does not say that cluster %s is unread:\n%s", name, out)
		}
	}
}

// The switch has two values and no others.
func TestProgramsValues(t *testing.T) {
	t.Parallel()
	dir, _ := programs(t)
	for _, c := range []struct {
		flag []string
		env  string
		want string
	}{
		{[]string{"--programs", "no"}, "", `--programs "no" is not known; use allow or refuse`},
		{[]string{"--programs", ""}, "", "--programs is empty; use allow or refuse"},
		{nil, "off", `FAIRLEAD_PROGRAMS "off" is not known; use allow or refuse`},
	} {
		code, _, errOut := runIn(dir, map[string]string{"FAIRLEAD_PROGRAMS": c.env}, append([]string{"plan"}, c.flag...)...)
		if code != exitInvalid || !strings.Contains(errOut, c.want) {
			t.Errorf("%v %q: exit %d, %s", c.flag, c.env, code, errOut)
		}
	}
	if ran := programsRan(t, dir); len(ran) > 0 {
		t.Errorf("ran %v", ran)
	}
}

// What the user's own kubeconfig asks for is no program of the description.
func TestProgramsOfTheUser(t *testing.T) {
	t.Parallel()
	dir, _ := programs(t)
	text := "package x\nnetwork: \"x\"\nclusters: c: context: \"c\"\nsites: a: {cluster: \"c\", namespace: \"a\"}\n"
	if err := os.WriteFile(filepath.Join(dir, "x.cue"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"KUBECONFIG": filepath.Join(dir, "asking"), "FAIRLEAD_PROGRAMS": "refuse"}
	runIn(dir, env, "status", "--timeout", "3s")
	if ran := programsRan(t, dir); len(ran) != 1 {
		t.Errorf("ran %v, want the program of the user's kubeconfig", ran)
	}
}
