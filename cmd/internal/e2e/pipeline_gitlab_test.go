package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/forge/forgetest"
)

// gitlabFile is the template.
type gitlabFile struct {
	variables map[string]string
	jobs      map[string]gitlabJob
}

type gitlabJob struct {
	Extends   string            `json:"extends"`
	Variables map[string]string `json:"variables"`
	Before    []string          `json:"before_script"`
	Needs     []any             `json:"needs"`
	Script    []string          `json:"script"`
	Artifacts struct {
		When  string   `json:"when"`
		Paths []string `json:"paths"`
	} `json:"artifacts"`
}

func (r *runner) template() gitlabFile {
	r.t.Helper()
	var all map[string]json.RawMessage
	readYAML(r.t, &all, ".gitlab", "fairlead.gitlab-ci.yml")
	out := gitlabFile{jobs: map[string]gitlabJob{}}
	for name, raw := range all {
		if name == "variables" {
			if err := json.Unmarshal(raw, &out.variables); err != nil {
				r.t.Fatal(err)
			}
			continue
		}
		var j gitlabJob
		if err := json.Unmarshal(raw, &j); err != nil {
			r.t.Fatalf("%s: %v", name, err)
		}
		out.jobs[name] = j
	}
	return out
}

// followers are the jobs that run after one, or before it, to do with the forge what it may
// not.
var followers = map[string][]string{
	"fairlead:plan":  {"fairlead:plan", "fairlead:comment"},
	"fairlead:apply": {"fairlead:reviewed", "fairlead:apply"},
	"fairlead:drift": {"fairlead:drift", "fairlead:issue"},
}

// gitlab runs a job of the template with those that belong to it, at the commit that is
// checked out: in a merge request into main where base is given, else for the branch main.
// As GitLab does, a merge request's job gets a checkout without a branch. The code is that of
// the first that failed.
func (r *runner) gitlab(name string, variables map[string]string, base string) ran {
	r.t.Helper()
	if base != "" {
		r.git("checkout", "-q", "--detach")
	}
	r.git("config", "remote.origin.url", r.dir)
	r.stand.SetTip("main", r.rev("main"))
	j := &gitlabRun{runner: r, file: r.template(), variables: variables, base: base, commit: r.rev("HEAD"), kept: map[string]string{}}
	for _, name := range followers[name] {
		switch {
		case name == "fairlead:reviewed" && variables["FAIRLEAD_UNREVIEWED"] == "true":
		case name == "fairlead:apply" && j.out.code != 0: // what it needs failed
		default:
			j.job(name)
		}
	}
	return j.out
}

// gitlabRun is one pipeline.
type gitlabRun struct {
	*runner
	file      gitlabFile
	variables map[string]string
	base      string
	commit    string
	// kept are the files of the job before.
	kept map[string]string
	out  ran
}

func (j *gitlabRun) job(name string) {
	j.t.Helper()
	job, ok := j.file.jobs[name]
	parent, known := j.file.jobs[job.Extends]
	if !ok || !known {
		j.t.Fatalf("the template has no job %s that extends another", name)
	}
	forge, dir := job.Extends == ".fairlead:forge", j.dir
	env := j.environment(parent, job, forge)
	if env["GIT_STRATEGY"] == "none" {
		dir = j.t.TempDir()
	}
	if len(job.Needs) > 0 {
		for file, content := range j.kept {
			writeFile(j.t, filepath.Join(dir, filepath.FromSlash(file)), content)
		}
	}
	code, log := j.bash(strings.Join(append(slices.Clone(parent.Before), job.Script...), "\n"), dir, env)
	j.out.log += log
	if j.out.code == 0 {
		j.out.code = code
	}
	j.said.WriteString(log)
	j.keep(name, dir, forge, env)
}

// environment is what a job's variables are. Those of the project are scoped as the
// template's head asks for.
func (j *gitlabRun) environment(parent, job gitlabJob, forge bool) map[string]string {
	number := 0
	if j.base != "" {
		number = j.number
	}
	env := j.stand.Env(number, j.commit)
	env["CI_PIPELINE_ID"] = "77"
	for _, more := range []map[string]string{j.file.variables, parent.Variables, job.Variables, {"FAIRLEAD_DESCRIPTION": "."}} {
		maps.Copy(env, more)
	}
	if j.base != "" {
		maps.Copy(env, map[string]string{
			"CI_MERGE_REQUEST_DIFF_BASE_SHA": j.git("merge-base", "HEAD", j.base), "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
			"CI_MERGE_REQUEST_PROJECT_ID": env["CI_PROJECT_ID"], "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
		})
	}
	env["PATH"] = j.bin() + string(os.PathListSeparator) + os.Getenv("PATH")
	env["HOME"] = j.t.TempDir()
	env["FAIRLEAD_KUBECONFIG"], env["FAIRLEAD_KUBECONFIG_READ"] = j.kubeconfig, j.kubeconfig
	maps.Copy(env, j.variables)
	if forge {
		delete(env, "FAIRLEAD_KUBECONFIG")
	} else {
		delete(env, "FAIRLEAD_GITLAB_TOKEN")
	}
	return env
}

// keep takes what a job keeps, for the next one and for the forge.
func (j *gitlabRun) keep(name, dir string, forge bool, env map[string]string) {
	j.t.Helper()
	switch paths := j.file.jobs[name].Artifacts.Paths; {
	case len(paths) == 1:
		if _, err := os.Stat(filepath.Join(dir, paths[0])); err == nil {
			j.kept = j.keepable(filepath.Join(dir, paths[0]), paths[0])
		}
		return
	case forge:
		return
	}
	parent := j.file.jobs[".fairlead"]
	if parent.Artifacts.When != "always" || !slices.Equal(parent.Artifacts.Paths, []string{"fairlead-reports/"}) {
		j.t.Fatalf("what jobs keep changed: %+v", parent.Artifacts)
	}
	j.kept = j.keepable(filepath.Join(dir, "fairlead-reports"), "fairlead-reports/")
	if j.base != "" {
		kept := forgetest.Artifact{Name: name, Request: j.number, Head: j.commit, Files: j.kept}
		if env["CI_MERGE_REQUEST_EVENT_TYPE"] == "merged_result" {
			kept.Head, kept.Result = j.rev("change"), j.commit
		}
		j.stand.Keep(kept)
	}
}

// bin is a folder with the program, as an image may have it.
func (r *runner) bin() string {
	r.t.Helper()
	dir := r.t.TempDir()
	if err := os.Symlink(bed.binary, filepath.Join(dir, "fairlead")); err != nil {
		r.t.Fatal(err)
	}
	return dir
}
