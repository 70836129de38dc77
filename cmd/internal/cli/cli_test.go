package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema/diag"
)

// runIn runs one command in a directory, with an environment of its own.
func runIn(dir string, env map[string]string, args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = Main(args, System{
		In: strings.NewReader(""), Out: &o, Err: &e, Dir: dir,
		Getenv: func(k string) string { return env[k] },
	})
	return code, o.String(), e.String()
}

// gitIn runs git in a directory, without anybody's settings and always at the same time,
// so that the same commits have the same hashes. It gives what git says.
func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	const when = "2026-01-02T03:04:05Z"
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com",
		"GIT_AUTHOR_DATE="+when, "GIT_COMMITTER_DATE="+when)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func fixtures(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", "fixtures"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Every invalid fixture exits with 3 and says what its want.txt says.
func TestInvalidFixtures(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob(filepath.Join(fixtures(t), "invalid", "*", "want.txt"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("%v %v", cases, err)
	}
	for _, want := range cases {
		dir := filepath.Dir(want)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			errors := strings.Contains(string(data), "error:")
			args := append([]string{"vet", "--format", "json"}, tags(t, dir)...)
			code, out, _ := runIn(dir, nil, args...)
			if errors != (code == exitInvalid) {
				t.Errorf("exit %d, with errors: %v\n%s", code, errors, out)
			}
			var got struct{ Findings diag.List }
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, f := range got.Findings {
				lines = append(lines, f.String())
			}
			if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(data)), "\n"), lines); diff != "" {
				t.Error(diff)
			}
			args[0] = "plan"
			if code, _, _ := runIn(dir, nil, args...); errors && code != exitInvalid {
				t.Errorf("plan exits with %d", code)
			}
		})
	}
}

// tags gives the -t flags that a fixture is to be read with.
func tags(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "tags.txt"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var out []string
	for _, tag := range strings.Fields(string(data)) {
		out = append(out, "-t", tag)
	}
	return out
}

func TestFlagsAndArguments(t *testing.T) {
	t.Parallel()
	hello := filepath.Join(fixtures(t), "hello")
	for _, tt := range []struct {
		args []string
		env  map[string]string
		code int
		says string
	}{
		{[]string{"nonsense"}, nil, exitInvalid, "unknown command"},
		{[]string{"vet", "--nonsense"}, nil, exitInvalid, "--nonsense"},
		{[]string{"vet", "--format", "yaml"}, nil, exitInvalid, "use text, json"},
		{[]string{"vet", "--color", "blue"}, nil, exitInvalid, "--color"},
		{[]string{"vet", "no/such/dir"}, nil, exitInvalid, "no/such/dir"},
		{[]string{"vet", "--rev", "no-such-rev"}, nil, exitInvalid, "no-such-rev"},
		{[]string{"plan"}, map[string]string{"KUBECONFIG": "/nonexistent"}, exitUnreachable, "kubeconfig"},
		{[]string{"apply", "--plan", "nowhere.json"}, nil, exitInvalid, "nowhere.json"},
		{[]string{"vet"}, nil, exitOK, "Valid: 3 sites and 2 links"},
		{[]string{"version"}, nil, exitOK, "fairlead"},
		{[]string{"--help"}, nil, exitOK, "Exit codes"},
		{[]string{"completion", "bash"}, nil, exitOK, "bash completion"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			code, out, errOut := runIn(hello, tt.env, tt.args...)
			if code != tt.code || !strings.Contains(out+errOut, tt.says) {
				t.Errorf("exit %d, want %d, and %q in:\n%s%s", code, tt.code, tt.says, out, errOut)
			}
		})
	}
}

func TestColor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		color    string
		env      map[string]string
		terminal bool
		want     bool
	}{
		{"auto", nil, true, true},
		{"auto", nil, false, false},
		{"auto", map[string]string{"NO_COLOR": "1"}, true, false},
		{"auto", map[string]string{"CI": "true"}, true, false},
		{"auto", map[string]string{"TERM": "dumb"}, true, false},
		{"always", map[string]string{"NO_COLOR": "1"}, false, true},
		{"never", nil, true, false},
	} {
		o := outputFlags{process: newProcess(&System{Getenv: func(k string) string { return tt.env[k] }}), color: tt.color}
		if got := o.colored(tt.terminal); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// --rev reads a revision of the repository, whatever the work tree says, and
// positions name files from the repository's root.
func TestRevision(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, err := os.ReadFile(filepath.Join(fixtures(t), "hello", "hello.cue"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "net", "hello.cue")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	gitIn(t, dir, "init", "-q", "-b", "main", ".")
	write(strings.Replace(string(data), `to: "hello-hub"`, `to: "hello-hud"`, 1))
	gitIn(t, dir, "add", "-A")
	gitIn(t, dir, "commit", "-qm", "broken")
	write(string(data))
	gitIn(t, dir, "commit", "-qam", "mended")
	write("not CUE {")

	if code, out, _ := runIn(dir, nil, "vet", "net"); code != exitInvalid {
		t.Errorf("work tree: exit %d\n%s", code, out)
	}
	if code, out, errOut := runIn(dir, nil, "vet", "net", "--rev", "main"); code != exitOK {
		t.Errorf("main: exit %d\n%s%s", code, out, errOut)
	}
	if code, out, _ := runIn(dir, nil, "vet", "net", "--rev", "HEAD~1"); code != exitInvalid || !strings.Contains(out, "net/hello.cue:17:") {
		t.Errorf("HEAD~1: exit %d\n%s", code, out)
	}
}

func TestFindingsAsJSON(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(fixtures(t), "invalid", "several-mistakes")
	code, out, _ := runIn(dir, nil, "vet", "--format", "json")
	var got struct {
		Findings []struct{ Code, Message, Fix, At string }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if code != exitInvalid || len(got.Findings) < 3 {
		t.Errorf("exit %d, %d findings", code, len(got.Findings))
	}
	for _, f := range got.Findings {
		if f.At == "" || f.Code == "" || f.Message == "" {
			t.Errorf("%+v", f)
		}
	}
}
