package e2e

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/forge/forgetest"
)

// workflowFile is a reusable workflow, as far as it is run here.
type workflowFile struct {
	On struct {
		Call struct {
			Inputs map[string]struct {
				Default any `json:"default"`
			} `json:"inputs"`
		} `json:"workflow_call"`
	} `json:"true"` // YAML 1.1 takes the key "on" for a boolean
	Jobs map[string]workflowJob `json:"jobs"`
}

type workflowJob struct {
	Needs       string            `json:"needs"`
	If          string            `json:"if"`
	Permissions map[string]string `json:"permissions"`
	Outputs     map[string]string `json:"outputs"`
	Steps       []workflowStep    `json:"steps"`
}

type workflowStep struct {
	ID   string         `json:"id"`
	If   string         `json:"if"`
	Uses string         `json:"uses"`
	With map[string]any `json:"with"`
}

// workflow runs the jobs of one of our workflows, those that others need first: for a pull
// request when base and head are given, else for the branch main. What the jobs print and
// give is put together; the code is that of the first that failed.
func (r *runner) workflow(name string, inputs map[string]string, base, head string) ran {
	r.t.Helper()
	var file workflowFile
	readYAML(r.t, &file, ".github", "workflows", name)
	r.stand.SetTip("main", r.rev("main"))
	s := r.event(base, head)
	for name, input := range file.On.Call.Inputs {
		s["inputs."+name] = text(input.Default)
	}
	for name, value := range inputs {
		s["inputs."+name] = value
	}
	for _, secret := range []string{"FAIRLEAD_KUBECONFIG", "FAIRLEAD_KUBECONFIG_READ"} {
		s["secrets."+secret] = r.kubeconfigText()
	}
	names := slices.SortedFunc(maps.Keys(file.Jobs), func(a, b string) int {
		return cmp.Or(len(file.Jobs[a].Needs)-len(file.Jobs[b].Needs), strings.Compare(a, b))
	})
	out := ran{outputs: map[string]string{}}
	for _, name := range names {
		got := r.workflowJob(file.Jobs[name], s, name)
		out.log, out.summary, out.code = out.log+got.log, out.summary+got.summary, cmp.Or(out.code, got.code)
		for k, v := range got.outputs {
			out.outputs[k] = cmp.Or(out.outputs[k], v)
		}
	}
	return out
}

// text is a value of YAML as expressions have it: what is false is empty.
func text(value any) string {
	switch v := value.(type) {
	case bool:
		return boolean(v)
	case string:
		return v
	}
	return ""
}

// workflowJob runs one job, unless its condition or what it needs keeps it from that. Only a
// job with a checkout has the repository, and each has a folder of its own for other files.
func (r *runner) workflowJob(job workflowJob, all scope, name string) ran {
	r.t.Helper()
	s := maps.Clone(all)
	s["runner.temp"] = r.t.TempDir()
	skipped := job.Needs != "" && all["needs."+job.Needs+".result"] != "success" && !strings.Contains(job.If, "always()") && !strings.Contains(job.If, "cancelled()")
	if skipped || job.If != "" && !truthy(s.eval(strings.TrimSpace(job.If))) {
		all["needs."+name+".result"] = "skipped"
		return ran{}
	}
	out, dir := ran{}, r.t.TempDir()
	for _, step := range job.Steps {
		if step.If != "" && !truthy(s.eval(step.If)) {
			continue
		}
		with := map[string]string{}
		for k, v := range step.With {
			with[k] = s.expand(text(v))
		}
		switch {
		case strings.HasPrefix(step.Uses, "actions/checkout@"):
			dir = r.dir
			if with["ref"] != "" {
				r.git("checkout", "-q", with["ref"])
			}
		case strings.HasPrefix(step.Uses, "actions/download-artifact@"):
			r.download(with["name"], with["path"])
		default:
			out = r.action(with, s, dir)
			for k, v := range out.outputs {
				s["steps."+step.ID+".outputs."+k] = v
			}
		}
	}
	all["needs."+name+".result"] = map[bool]string{true: "success", false: "failure"}[out.code == 0]
	for k, v := range job.Outputs {
		all["needs."+name+".outputs."+k] = s.expand(v)
	}
	return out
}

// download writes the files of the newest artifact of a name into a directory.
func (r *runner) download(name, dir string) {
	r.t.Helper()
	kept := r.stand.Kept()
	slices.Reverse(kept)
	i := slices.IndexFunc(kept, func(a forgetest.Artifact) bool { return a.Name == name })
	if i < 0 {
		r.t.Fatalf("there is no artifact %q", name)
	}
	for file, content := range kept[i].Files {
		writeFile(r.t, filepath.Join(dir, file), content)
	}
}
