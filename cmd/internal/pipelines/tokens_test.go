package pipelines

import (
	"strings"
	"testing"
)

// forgeCommands are the action's commands that speak to the forge, with the rights that the
// job of each has.
var forgeCommands = map[string]string{
	"reviewed": "actions: read, contents: read, pull-requests: read", "comment": "pull-requests: write", "issue": "issues: write",
}

// jobsOf are the jobs of our reusable workflows that use the action, by file and name.
func jobsOf(t *testing.T) map[string]anyMap {
	t.Helper()
	out := map[string]anyMap{}
	for _, file := range []string{"fairlead-plan.yml", "fairlead-apply.yml", "fairlead-drift.yml"} {
		var workflow anyMap
		decode(t, &workflow, ".github", "workflows", file)
		jobs, _ := at(workflow, "jobs").(anyMap)
		for name, job := range jobs {
			out[file+": "+name] = job.(anyMap)
		}
	}
	return out
}

// steps are what a job uses of others, with what it gives.
func steps(job anyMap) (with map[string]anyMap) {
	with = map[string]anyMap{}
	for _, step := range list(job["steps"]) {
		uses, _ := at(step, "uses").(string)
		name, _, _ := strings.Cut(uses, "@")
		given, _ := at(step, "with").(anyMap)
		with[strings.TrimPrefix(name, ours)] = given
	}
	return with
}

func rights(job anyMap) string {
	var out []string
	for _, right := range keys(job["permissions"]) {
		out = append(out, right+": "+at(job, "permissions", right).(string))
	}
	return strings.Join(out, ", ")
}

// A job of GitHub reads a description or has a token with rights, and never both: one with a
// kubeconfig or a checkout gets no token and may read the repository alone, and one with a
// token gets neither, nor anything but an artifact.
func TestJobsHoldTokensOrDescriptions(t *testing.T) {
	t.Parallel()
	const action = ".github/actions/fairlead"
	seen := map[string]int{}
	for where, job := range jobsOf(t) {
		uses := steps(job)
		given := uses[action]
		command, _ := given["command"].(string)
		seen[command]++
		_, checkout := uses["actions/checkout"]
		want, speaks := forgeCommands[command]
		if !speaks {
			want = "contents: read"
		}
		if got := rights(job); got != want {
			t.Errorf("%s: has the rights %q, want %q", where, got, want)
		}
		if token, has := given["token"]; has != speaks || speaks && token != "${{ github.token }}" {
			t.Errorf("%s: %s gets the token %v", where, command, token)
		}
		_, kubeconfig := given["kubeconfig"]
		if speaks && (checkout || kubeconfig) {
			t.Errorf("%s: %s has the token beside a description or a kubeconfig", where, command)
		}
		if checkout && at(uses["actions/checkout"], "persist-credentials") != false {
			t.Errorf("%s: the checkout keeps its token", where)
		}
		if env := at(job, "env"); env != nil {
			t.Errorf("%s: has an environment for all its steps: %v", where, env)
		}
	}
	for _, command := range []string{"plan", "diff", "comment", "reviewed", "apply", "drift", "issue"} {
		if seen[command] != 1 {
			t.Errorf("%d jobs run %s, want one", seen[command], command)
		}
	}
}

// In the action only the steps that speak to the forge have the token, none of them runs
// where a description is read, and what a pull request describes runs no program.
func TestActionGivesTokens(t *testing.T) {
	t.Parallel()
	var action anyMap
	decode(t, &action, ".github", "actions", "fairlead", "action.yml")
	if token := at(action, "inputs", "token", "default"); token != "" {
		t.Errorf("the token is %v where none is given", token)
	}
	holders := 0
	for _, step := range list(at(action, "runs", "steps")) {
		name, _ := at(step, "name").(string)
		condition, _ := at(step, "if").(string)
		script, _ := at(step, "run").(string)
		speaks := strings.Contains(script, "fairlead ci ") && !strings.Contains(script, "fairlead ci latest --tip")
		token := false
		for _, variable := range keys(at(step, "env")) {
			value, _ := at(step, "env", variable).(string)
			token = token || strings.Contains(value, "inputs.token") || strings.Contains(value, "github.token")
		}
		if token != speaks {
			t.Errorf("step %q: has the token: %v, speaks to the forge: %v", name, token, speaks)
		}
		if !speaks {
			continue
		}
		holders++
		command := strings.Trim(strings.TrimPrefix(condition, "inputs.command == "), "'")
		if _, ok := forgeCommands[command]; !ok {
			t.Errorf("step %q: runs if %s, want one command that speaks to the forge alone", name, condition)
		}
		if strings.Contains(script, "DESCRIPTION") {
			t.Errorf("step %q: reads a description", name)
		}
	}
	if holders != len(forgeCommands) {
		t.Errorf("%d steps have the token, want %d", holders, len(forgeCommands))
	}
	text := string(read(t, ".github", "actions", "fairlead", "action.yml"))
	const refuses = `if [[ "$COMMAND" == drift && -z "$NUMBER" ]]; then export FAIRLEAD_PROGRAMS="$PROGRAMS"; else export FAIRLEAD_PROGRAMS=refuse; fi`
	if !strings.Contains(text, refuses) {
		t.Errorf("the action does not refuse programs of pull requests: no %s", refuses)
	}
}

// A job of GitLab extends one of two: that which reads a description and stops where it has
// the token, or that of the token's environment, which has no checkout. Nothing goes from one
// to the other but kept files.
func TestTemplateGivesTokens(t *testing.T) {
	t.Parallel()
	var jobs anyMap
	decode(t, &jobs, ".gitlab", "fairlead.gitlab-ci.yml")
	const reads, forge = ".fairlead", ".fairlead:forge"
	guard, _ := list(at(jobs, reads, "before_script"))[0].(string)
	if !strings.Contains(guard, `if [[ -n "${FAIRLEAD_GITLAB_TOKEN:-}" ]]; then`) {
		t.Errorf("%s does not stop where it has the token", reads)
	}
	if at(jobs, forge, "environment", "name") != "fairlead/forge" || at(jobs, forge, "environment", "action") != "access" || at(jobs, forge, "variables", "GIT_STRATEGY") != "none" {
		t.Errorf("%s is %v", forge, jobs[forge])
	}
	want := map[string]string{
		"fairlead:plan": reads, "fairlead:apply": reads, "fairlead:drift": reads,
		"fairlead:comment": forge, "fairlead:reviewed": forge, "fairlead:issue": forge,
	}
	for name, base := range want {
		job, _ := jobs[name].(anyMap)
		script, _ := list(job["script"])[0].(string)
		speaks := strings.Contains(strings.ReplaceAll(script, "ci latest --tip", ""), "fairlead ci ")
		if job["extends"] != base || speaks != (base == forge) {
			t.Errorf("%s extends %v, and speaks to the forge: %v", name, job["extends"], speaks)
		}
		if base == forge && (strings.Contains(script, "FAIRLEAD_DESCRIPTION") || strings.Contains(script, "KUBECONFIG") || job["environment"] != nil) {
			t.Errorf("%s has more than the token and the reports", name)
		}
		if base == reads && strings.Contains(script, "TOKEN") {
			t.Errorf("%s names a token", name)
		}
		if at(job, "artifacts", "reports", "dotenv") != nil {
			t.Errorf("%s gives variables to later jobs", name)
		}
	}
	plan, _ := list(at(jobs, "fairlead:plan", "script"))[0].(string)
	if !strings.HasPrefix(plan, "export FAIRLEAD_PROGRAMS=refuse ") {
		t.Error("fairlead:plan does not refuse programs first")
	}
	for name := range jobs {
		if strings.HasPrefix(name, "fairlead:") && want[name] == "" {
			t.Errorf("%s is not looked at here", name)
		}
	}
}

// Each file that gives credentials to a job says in its head what they can read.
func TestHeadsSayWhatCredentialsRead(t *testing.T) {
	t.Parallel()
	for file, words := range map[string][]string{
		".github/workflows/fairlead-plan.yml":       {"can read what FAIRLEAD_KUBECONFIG_READ can read", "No program that a description"},
		".github/workflows/fairlead-apply.yml":      {"FAIRLEAD_KUBECONFIG can read and write", "Programs that the description names may run"},
		".github/workflows/fairlead-drift.yml":      {"FAIRLEAD_KUBECONFIG_READ can read", "Programs that the description names may run"},
		".github/examples/plan-on-pull-request.yml": {"can read", "No program that a description"},
		".github/examples/apply-on-merge.yml":       {"can read", "Programs that the description names"},
		".github/examples/drift-on-schedule.yml":    {"can read", "Programs that the description names"},
		".gitlab/fairlead.gitlab-ci.yml":            {"plan reads what FAIRLEAD_KUBECONFIG_READ can read", "environment scope fairlead/forge"},
		".github/actions/fairlead/action.yml":       {"can read"},
		".kubernetes/cronjob.yaml":                  {"can read"},
	} {
		var head []string
		for line := range strings.Lines(string(read(t, strings.Split(file, "/")...))) {
			if comment, ok := strings.CutPrefix(line, "#"); ok {
				head = append(head, strings.TrimSpace(comment))
			}
		}
		text := strings.Join(head, " ")
		for _, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("%s does not say in its comments: %s", file, word)
			}
		}
	}
}
