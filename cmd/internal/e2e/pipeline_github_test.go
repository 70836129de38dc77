package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"fairlead.dev/fairlead/cmd/internal/forge/forgetest"
)

// actionFile is the composite action, as far as it is run here.
type actionFile struct {
	Inputs map[string]struct {
		Default  string `json:"default"`
		Required bool   `json:"required"`
	} `json:"inputs"`
	Outputs map[string]struct {
		Value string `json:"value"`
	} `json:"outputs"`
	Runs struct {
		Steps []actionStep `json:"steps"`
	} `json:"runs"`
}

type actionStep struct {
	Name string            `json:"name"`
	ID   string            `json:"id"`
	If   string            `json:"if"`
	Uses string            `json:"uses"`
	Run  string            `json:"run"`
	Env  map[string]string `json:"env"`
	With map[string]string `json:"with"`
}

func readYAML(t testing.TB, into any, path ...string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{repository(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", filepath.Join(path...), err)
	}
}

// ran is what a job did.
type ran struct {
	// code is that of the step that failed, or 0.
	code int
	// log is all that its steps printed, summary what they added to the job's page.
	log, summary string
	outputs      map[string]string
}

// runner runs jobs on a world's repository, with a forge that stands in.
type runner struct {
	*world
	stand *forgetest.Forge
	// number is the request's that the jobs are for.
	number int
	// said is all that jobs printed and left.
	said strings.Builder
}

func newRunner(t *testing.T, kind string) *runner {
	t.Helper()
	for _, program := range []string{"bash", "git", "sed", "od", "tee"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is needed to run the steps of pipelines", program)
		}
	}
	return &runner{world: newWorld(t), stand: forgetest.New(t, kind), number: 200}
}

// job runs the action alone with these inputs, at the commit that is checked out: for a
// pull request when base and head are given, else for the branch main.
func (r *runner) job(inputs map[string]string, base, head string) ran {
	r.t.Helper()
	r.stand.SetTip("main", r.rev("main"))
	return r.action(inputs, r.event(base, head), r.dir)
}

// event is what expressions know of a run at the commit that is checked out.
func (r *runner) event(base, head string) scope {
	s := scope{
		"github.token": forgetest.Token, "github.action_path": filepath.Join(repository(r.t), ".github", "actions", "fairlead"),
		"github.sha": r.rev("HEAD"), "github.repository": "acme/network", "github.actor": "somebody",
		"github.ref_name": "main", "github.ref_type": "branch", "github.event.repository.default_branch": "main",
	}
	if base != "" {
		s["github.event.pull_request.number"], s["github.event.pull_request.head.repo.full_name"] = fmt.Sprint(r.number), "acme/network"
		s["github.event.pull_request.base.sha"], s["github.event.pull_request.head.sha"] = base, head
	}
	return s
}

// action runs the action with these inputs in a directory.
func (r *runner) action(inputs map[string]string, event scope, dir string) ran {
	r.t.Helper()
	var action actionFile
	readYAML(r.t, &action, ".github", "actions", "fairlead", "action.yml")
	s := maps.Clone(event)
	maps.DeleteFunc(s, func(name, _ string) bool { return !strings.HasPrefix(name, "github.") })
	number := 0
	if s["github.event.pull_request.number"] != "" {
		number = r.number
	}
	for name, input := range action.Inputs {
		s["inputs."+name] = s.expand(input.Default)
	}
	inputs = maps.Clone(inputs)
	if _, given := inputs["path"]; !given {
		inputs["path"] = bed.binary
	}
	for name, value := range inputs {
		if _, known := action.Inputs[name]; !known {
			r.t.Fatalf("the action has no input %q", name)
		}
		s["inputs."+name] = value
	}
	j := &githubJob{runner: r, scope: s, temp: r.t.TempDir(), dir: dir, env: r.stand.Env(number, s["github.sha"])}
	delete(j.env, "GITHUB_TOKEN") // no step has it unless the action gives it
	return j.run(action)
}

// githubJob is one run of the action.
type githubJob struct {
	*runner
	scope scope
	// temp is the runner's own folder, dir where steps run.
	temp, dir string
	env       map[string]string
	out       ran
	path      []string
}

func (j *githubJob) run(action actionFile) ran {
	for _, step := range action.Runs.Steps {
		condition := strings.TrimSpace(step.If)
		if j.out.code != 0 && !strings.Contains(condition, "always()") || condition != "" && !truthy(j.scope.eval(condition)) {
			continue
		}
		switch {
		case step.Run != "":
			j.step(step)
		case strings.HasPrefix(step.Uses, "actions/upload-artifact@"):
			j.upload(step)
		}
	}
	j.out.outputs = map[string]string{}
	for name, output := range action.Outputs {
		j.out.outputs[name] = j.scope.expand(output.Value)
	}
	j.said.WriteString(j.out.log + j.out.summary)
	return j.out
}

// step runs a script as the runner does: with bash, and nothing in its environment but
// the job's and the step's own.
func (j *githubJob) step(step actionStep) {
	j.t.Helper()
	file := func(name string) string {
		path := filepath.Join(j.temp, name)
		writeFile(j.t, path, "")
		return path
	}
	env := map[string]string{
		"PATH": strings.Join(append(slices.Clone(j.path), os.Getenv("PATH")), string(os.PathListSeparator)), "HOME": j.temp, "RUNNER_TEMP": j.temp,
		"GITHUB_OUTPUT": file("output"), "GITHUB_PATH": file("path"), "GITHUB_STEP_SUMMARY": file("summary"),
	}
	maps.Copy(env, j.env)
	for _, name := range []string{"GOCACHE", "GOPATH", "GOMODCACHE"} {
		env[name] = goEnv(j.t, name)
	}
	for name, value := range step.Env {
		env[name] = j.scope.expand(value)
	}
	code, log := j.bash(step.Run, j.dir, env)
	j.out.log += log
	if j.out.code == 0 {
		j.out.code = code
	}
	for _, line := range j.lines("output") {
		name, value, _ := strings.Cut(line, "=")
		j.scope["steps."+step.ID+".outputs."+name] = value
	}
	j.path = append(j.path, j.lines("path")...)
	j.out.summary += strings.Join(j.lines("summary"), "\n")
	outcome := map[bool]string{true: "success", false: "failure"}[code == 0]
	j.scope["steps."+step.ID+".outcome"] = outcome
}

func (j *githubJob) lines(name string) []string {
	data, err := os.ReadFile(filepath.Join(j.temp, name))
	if err != nil {
		j.t.Fatal(err)
	}
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
}

// upload keeps a directory at the forge, as the action for it would.
func (j *githubJob) upload(step actionStep) {
	j.stand.Keep(forgetest.Artifact{
		Name: j.scope.expand(step.With["name"]), Request: j.number, Head: j.scope["github.event.pull_request.head.sha"],
		Files: j.keepable(j.scope.expand(step.With["path"]), ""),
	})
}

// keepable reads all files of a directory, which everybody may see who may see the job.
func (r *runner) keepable(dir, prefix string) map[string]string {
	r.t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			r.t.Fatal(err)
		}
		files[prefix+e.Name()] = string(data)
		r.said.Write(data)
	}
	return files
}

// bash runs a script with just this environment.
func (r *runner) bash(script, dir string, env map[string]string) (code int, log string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir = dir
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	r.check.begin()
	err := cmd.Run()
	r.check.end(err == nil)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

func goEnv(t testing.TB, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// kubeconfig is the content of the world's, as a secret has it.
func (r *runner) kubeconfigText() string {
	r.t.Helper()
	data, err := os.ReadFile(r.kubeconfig)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(data)
}
