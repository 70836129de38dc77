package pipelines

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"..", "..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t *testing.T, into any, path ...string) {
	t.Helper()
	if err := yaml.Unmarshal(read(t, path...), into); err != nil {
		t.Fatalf("%s: %v", filepath.Join(path...), err)
	}
}

// anyMap is a mapping of YAML, by way of JSON.
type anyMap = map[string]any

// at follows keys into mappings; nil where there is nothing.
func at(value any, keys ...string) any {
	for _, key := range keys {
		m, _ := value.(anyMap)
		value = m[key]
	}
	return value
}

func list(value any) []any {
	out, _ := value.([]any)
	return out
}

// keys of a mapping, sorted.
func keys(value any) []string {
	var out []string
	m, _ := value.(anyMap)
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// scripts are all of them, by where they are.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	var action anyMap
	decode(t, &action, ".github", "actions", "fairlead", "action.yml")
	for _, step := range list(at(action, "runs", "steps")) {
		if text, ok := at(step, "run").(string); ok {
			out["action.yml: "+at(step, "name").(string)] = text
			if at(step, "shell") != "bash" {
				t.Errorf("action.yml: step %s is not run by bash", at(step, "name"))
			}
		}
	}
	var jobs anyMap
	decode(t, &jobs, ".gitlab", "fairlead.gitlab-ci.yml")
	for name, job := range jobs {
		if base, ok := at(job, "extends").(string); ok {
			var parts []string
			for _, part := range append(slices.Clone(list(at(jobs, base, "before_script"))), list(at(job, "script"))...) {
				parts = append(parts, part.(string))
			}
			out["fairlead.gitlab-ci.yml: "+name] = strings.Join(parts, "\n")
		}
	}
	if len(out) != 13 {
		t.Fatalf("%d scripts, want 7 of the action and 6 of the template", len(out))
	}
	return out
}

// Scripts stop at the first error and at names that are not set, and nothing is written
// into their text by the forge.
func TestScripts(t *testing.T) {
	t.Parallel()
	for where, text := range scripts(t) {
		if !strings.HasPrefix(text, "set -euo pipefail\n") {
			t.Errorf("%s: does not begin with set -euo pipefail", where)
		}
		if strings.Contains(text, "${{") {
			t.Errorf("%s: an expression is written into the script; give it by env", where)
		}
		check(t, where, text, "bash", "-n", "/dev/stdin")
		check(t, where, text, "shellcheck", "--shell=bash", "--severity=warning", "-")
	}
}

// check gives a script to a program that judges it, where there is one.
func check(t *testing.T, where, text, program string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Logf("%s is not here: %s is not checked by it", program, where)
		return
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %s: %v\n%s", where, program, err, out)
	}
}

// ours are references to this project from workflows.
const ours = "fairlead-dev/fairlead/"

// used are all steps and jobs that use something of ours, by their places, with what
// they give to it.
func used(t *testing.T) map[string]anyMap {
	t.Helper()
	out := map[string]anyMap{}
	for _, folder := range []string{"workflows", "examples"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "..", ".github", folder, "*.yml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			var workflow anyMap
			decode(t, &workflow, ".github", folder, filepath.Base(file))
			jobs, _ := at(workflow, "jobs").(anyMap)
			for name, job := range jobs {
				for _, step := range append(list(at(job, "steps")), job) {
					if uses, _ := at(step, "uses").(string); strings.HasPrefix(uses, ours) {
						out[filepath.Base(file)+": "+name] = step.(anyMap)
					}
				}
			}
		}
	}
	if len(out) != 10 {
		t.Fatalf("%d uses of our own, want 7 of the action and 3 of the workflows", len(out))
	}
	return out
}

// All references are of one release, lead to what is there, and give it inputs that it
// has. What is called gets the rights that it asks for.
func TestReferences(t *testing.T) {
	t.Parallel()
	releases := map[string]bool{}
	for where, user := range used(t) {
		path, release, _ := strings.Cut(strings.TrimPrefix(user["uses"].(string), ours), "@")
		releases[release] = true
		var used anyMap
		var inputs any
		if strings.HasSuffix(path, ".yml") {
			decode(t, &used, filepath.FromSlash(path))
			called := onOf(used)
			inputs = at(called, "workflow_call", "inputs")
			if diff := missing(keys(user["secrets"]), keys(at(called, "workflow_call", "secrets"))); diff != "" {
				t.Errorf("%s: gives the secret %s, which %s does not have", where, diff, path)
			}
		} else {
			decode(t, &used, filepath.FromSlash(path), "action.yml")
			inputs = at(used, "inputs")
		}
		if diff := missing(keys(user["with"]), keys(inputs)); diff != "" {
			t.Errorf("%s: gives %s, which %s does not have", where, diff, path)
		}
	}
	if len(releases) != 1 {
		t.Errorf("references are of different releases: %v", releases)
	}
}

// onOf gives what starts a workflow: YAML 1.1 takes the key "on" for a boolean.
func onOf(workflow anyMap) any {
	if on := workflow["on"]; on != nil {
		return on
	}
	return workflow["true"]
}

// missing gives the first of some that others do not have.
func missing(some, others []string) string {
	for _, s := range some {
		if !slices.Contains(others, s) {
			return s
		}
	}
	return ""
}

// The caller of a reusable workflow grants what its jobs ask for, and not more.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for example, called := range map[string]string{
		"plan-on-pull-request.yml": "fairlead-plan.yml", "apply-on-merge.yml": "fairlead-apply.yml", "drift-on-schedule.yml": "fairlead-drift.yml",
	} {
		var caller, workflow anyMap
		decode(t, &caller, ".github", "examples", example)
		decode(t, &workflow, ".github", "workflows", called)
		if len(keys(workflow["permissions"])) > 0 {
			t.Errorf("%s: grants rights to all jobs", called)
		}
		wanted := map[string]string{}
		jobs, _ := workflow["jobs"].(anyMap)
		for name, job := range jobs {
			if at(job, "permissions") == nil || at(job, "timeout-minutes") == nil || at(job, "concurrency") == nil {
				t.Errorf("%s: job %s has no permissions, timeout or concurrency", called, name)
			}
			for _, right := range keys(at(job, "permissions")) {
				level := at(job, "permissions", right).(string)
				if wanted[right] != "write" {
					wanted[right] = level
				}
			}
		}
		for _, right := range keys(caller["permissions"]) {
			if at(caller["permissions"], right) != wanted[right] {
				t.Errorf("%s: grants %s: %v, and %q is asked for", example, right, at(caller["permissions"], right), wanted[right])
			}
			delete(wanted, right)
		}
		if len(wanted) > 0 {
			t.Errorf("%s: does not grant %v", example, wanted)
		}
	}
}
