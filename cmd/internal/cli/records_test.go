package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
)

// unreachable is a folder with a description whose one cluster does not answer.
func unreachable(t *testing.T, more string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"x.cue": "package x\nnetwork: \"x\"\nclusters: c: kubeconfig: file: \"kc\"\nsites: a: {cluster: \"c\", namespace: \"a\"}\n" + more,
		"kc": "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n" +
			"contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\nusers: [{name: u, user: {token: t}}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Files that cannot be written are refused before anything else is done.
func TestRecordsRefused(t *testing.T) {
	t.Parallel()
	dir := unreachable(t, "")
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"apply", "--events", "-"}, exitInvalid, "--events -: standard output is for"},
		{[]string{"plan", "--metrics", "-"}, exitInvalid, "--metrics -"},
		{[]string{"apply", "--events", "no/such/dir/e"}, exitInvalid, "--events: open"},
		{[]string{"status", "--metrics", "no/such/dir/m"}, exitInvalid, "--metrics: "},
		{[]string{"drift", "--metrics", "/dev/null"}, exitInvalid, "not a regular file"},
		{[]string{"apply", "--events", "f", "--metrics", "./f"}, exitInvalid, "--metrics and --events name the same file"},
		{[]string{"apply", "--events", "p", "--plan", "p"}, exitInvalid, "--plan and --events name the same file"},
		{[]string{"plan", "--metrics", "p", "-o", "p"}, exitInvalid, "--output and --metrics name the same file"},
		{[]string{"plan", "--report", "json=r", "-o", "./r"}, exitInvalid, "--output and --report name the same file"},
		{[]string{"plan", "--report", "json=r", "--report", "text=r"}, exitInvalid, "--report and --report name the same file"},
		{[]string{"drift", "--report", "json=r", "--metrics", "r"}, exitInvalid, "--report and --metrics name the same file"},
		{[]string{"vet", "--report", "json=r", "-o", "r"}, exitInvalid, "--output and --report name the same file"},
		{[]string{"vet", "--report", "json=-"}, exitInvalid, "--report -: standard output is for"},
		{[]string{"apply", "--allow-partial", "--events", "/dev/full"}, exitError, "no space left on device; nothing was applied"},
		{[]string{"plan", "--log-level", "loud"}, exitInvalid, "debug, info, warn or error"},
		{[]string{"vet", "--log-format", "xml"}, exitInvalid, "text or json"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			code, out, errOut := runIn(dir, nil, append(tt.args, "--timeout", "5s")[:len(tt.args)+timeoutOf(tt.args)]...)
			if code != tt.code || !strings.Contains(errOut, tt.says) {
				t.Errorf("exit %d, want %d, and %q in:\n%s%s", code, tt.code, tt.says, out, errOut)
			}
		})
	}
}

// timeoutOf is 2 for commands that have --timeout, to be taken along.
func timeoutOf(args []string) int {
	if args[0] == "vet" {
		return 0
	}
	return 2
}

// A command that ends before it has a plan leaves records all the same.
func TestRecordsOfAFailure(t *testing.T) {
	t.Parallel()
	dir := unreachable(t, "")
	code, _, errOut := runIn(dir, nil, "apply", "--yes", "--allow-partial", "--timeout", "5s", "--events", "e", "--metrics", "m")
	if code != exitUnreachable {
		t.Fatalf("exit %d\n%s", code, errOut)
	}
	lines := readLines(t, filepath.Join(dir, "e"))
	if len(lines) != 2 || lines[0].Type != report.RecordRun || lines[1].Type != report.RecordEnd || *lines[1].ExitCode != exitUnreachable || lines[0].Network != "x" {
		t.Errorf("%+v", lines)
	}
	data, err := os.ReadFile(filepath.Join(dir, "m"))
	if err != nil || !strings.Contains(string(data), `fairlead_last_apply_success{command="apply",network="x"} 0`) ||
		!strings.Contains(string(data), `fairlead_cluster_up{cluster="c",command="apply",network="x"} 0`) {
		t.Errorf("%v\n%s", err, data)
	}
	// A description that cannot be read has no network and no plan.
	if code, _, _ := runIn(t.TempDir(), nil, "apply", "--yes", "--events", filepath.Join(dir, "e")); code != exitInvalid {
		t.Errorf("exit %d", code)
	}
	if lines := readLines(t, filepath.Join(dir, "e")); len(lines) != 2 || lines[0].Plan != "" || *lines[1].ExitCode != exitInvalid {
		t.Errorf("%+v", lines)
	}
}

func readLines(t *testing.T, file string) (out []report.Event) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		var e report.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		out = append(out, e)
	}
	return out
}

// An existing file of events is emptied, and becomes its owner's alone.
func TestEventsFileMode(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "e")
	if err := os.WriteFile(file, []byte("old\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := openEvents(file, invocation{ID: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.end(0, nil); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if lines := readLines(t, file); len(lines) != 2 {
		t.Errorf("%+v", lines)
	}
}

// Events that could not be written are told, and make a success an error.
func TestLostEvents(t *testing.T) {
	t.Parallel()
	l, err := openEvents(filepath.Join(t.TempDir(), "e"), invocation{ID: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.begin(plan.Plan{}); err != nil {
		t.Fatal(err)
	}
	if err := l.file.Close(); err != nil {
		t.Fatal(err)
	}
	r := records{events: l, eventsFile: "e"}
	if err := r.close(newProcess(&System{}), 0); err == nil || !strings.Contains(err.Error(), "--events e: events were lost") {
		t.Error(err)
	}
}

// -o - is standard output, and for plan its JSON alone.
func TestPlanToStandardOutput(t *testing.T) {
	t.Parallel()
	dir := unreachable(t, "")
	code, out, errOut := runIn(dir, nil, "plan", "--timeout", "5s", "-o", "-")
	if code != exitUnreachable {
		t.Fatalf("exit %d\n%s", code, errOut)
	}
	if p, err := plan.Decode([]byte(out)); err != nil || p.Network != "x" {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "-")); err == nil {
		t.Error("a file named - was made")
	}
}

// Phases are logged with how long they took, and every record has the run.
func TestLogOfPhases(t *testing.T) {
	t.Parallel()
	dir := unreachable(t, "")
	_, _, errOut := runIn(dir, nil, "plan", "--timeout", "5s", "--log-level", "info", "--log-format", "json")
	seen := map[string]bool{}
	run := ""
	for _, line := range strings.Split(strings.TrimSpace(errOut), "\n") {
		var r struct {
			Msg, Run   string
			DurationMs *int64
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if r.Run == "" || run != "" && r.Run != run || r.DurationMs == nil {
			t.Errorf("%s", line)
		}
		run, seen[r.Msg] = r.Run, true
	}
	for _, phase := range []string{"load", "connect", "observe", "plan", "end"} {
		if !seen[phase] {
			t.Errorf("no record of %s in\n%s", phase, errOut)
		}
	}
	if _, _, errOut := runIn(dir, nil, "plan", "--timeout", "5s"); errOut != "" {
		t.Errorf("the log says something by default:\n%s", errOut)
	}
}

// A kubeconfig whose reference is wrong is the user's mistake; one that a cluster
// holds which does not answer leaves its own cluster unread.
func TestKubeconfigReferences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, ref string
		code      int
		says      string
	}{
		{"variable not set", `env: "NOT_SET"`, exitInvalid, "NOT_SET"},
		{"no such file", `file: "nowhere"`, exitInvalid, "nowhere"},
		{"no kubeconfig in it", `file: "x.cue"`, exitInvalid, "cannot be used"},
		{"command that is not there", `command: ["fairlead-no-such-program"]`, exitInvalid, "fairlead-no-such-program"},
		{"a cluster that does not answer", `kubernetes: {cluster: "c", namespace: "n", name: "s", key: "k"}`, exitUnreachable, "cluster c does not answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := unreachable(t, fmt.Sprintf("clusters: d: kubeconfig: {%s}\nsites: b: {cluster: \"d\", namespace: \"b\"}\n", tt.ref))
			for _, command := range []string{"plan", "status"} {
				code, out, errOut := runIn(dir, nil, command, "--timeout", "5s")
				if code != tt.code || !strings.Contains(out+errOut, tt.says) {
					t.Errorf("%s: exit %d, want %d, and %q in:\n%s%s", command, code, tt.code, tt.says, out, errOut)
				}
			}
		})
	}
}

// The log of a run with live lines would run into them.
func TestTalkingLogHasNoLiveLines(t *testing.T) {
	t.Parallel()
	sys := &System{Err: &bytes.Buffer{}, ErrTerminal: true, Getenv: func(string) string { return "" }}
	for _, talks := range []bool{false, true} {
		v := newProgress(sys, plan.Plan{}, false, talks)
		v.stop()
		if v.live == talks {
			t.Errorf("live lines %v with a log that talks %v", v.live, talks)
		}
	}
}
