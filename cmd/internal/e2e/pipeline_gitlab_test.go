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

// gitlab runs a job of the template at the commit that is checked out: in a merge
// request into main where base is given, else for the branch main. As GitLab does, a
// merge request's job gets a checkout without a branch.
func (r *runner) gitlab(name string, variables map[string]string, base string) ran {
	r.t.Helper()
	file := r.template()
	job, ok := file.jobs[name]
	parent, known := file.jobs[job.Extends]
	if !ok || !known {
		r.t.Fatalf("the template has no job %s that extends another", name)
	}
	if base != "" {
		r.git("checkout", "-q", "--detach")
	}
	commit, number := r.rev("HEAD"), 0
	r.stand.SetTip("main", r.rev("main"))
	if base != "" {
		number = r.number
	}
	env := r.stand.Env(number, commit)
	for _, more := range []map[string]string{file.variables, parent.Variables, job.Variables, {"FAIRLEAD_DESCRIPTION": "."}} {
		maps.Copy(env, more)
	}
	if base != "" {
		maps.Copy(env, map[string]string{
			"CI_MERGE_REQUEST_DIFF_BASE_SHA": r.git("merge-base", "HEAD", base), "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
			"CI_MERGE_REQUEST_PROJECT_ID": env["CI_PROJECT_ID"], "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
		})
		r.git("config", "remote.origin.url", r.dir)
	}
	env["PATH"] = r.bin() + string(os.PathListSeparator) + os.Getenv("PATH")
	env["HOME"] = r.t.TempDir()
	env["FAIRLEAD_KUBECONFIG"], env["FAIRLEAD_KUBECONFIG_READ"] = r.kubeconfig, r.kubeconfig
	maps.Copy(env, variables)
	reports := filepath.Join(r.dir, "fairlead-reports")
	var out ran
	out.code, out.log = r.bash(strings.Join(append(slices.Clone(parent.Before), job.Script...), "\n"), r.dir, env)
	r.said.WriteString(out.log)
	if parent.Artifacts.When != "always" || !slices.Equal(parent.Artifacts.Paths, []string{"fairlead-reports/"}) {
		r.t.Fatalf("what jobs keep changed: %+v", parent.Artifacts)
	}
	files := r.keepable(reports, "fairlead-reports/")
	if number > 0 {
		kept := forgetest.Artifact{Name: name, Request: number, Head: commit, Files: files}
		if env["CI_MERGE_REQUEST_EVENT_TYPE"] == "merged_result" {
			kept.Head, kept.Result = r.rev("change"), commit
		}
		r.stand.Keep(kept)
	}
	return out
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
