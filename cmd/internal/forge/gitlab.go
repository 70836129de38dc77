package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// gitlab speaks version 4 of GitLab's REST API, of gitlab.com or of a server of one's
// own. A job's own token, CI_JOB_TOKEN, may neither write notes nor issues.
// https://docs.gitlab.com/ci/jobs/ci_job_token/
type gitlab struct {
	tracker
	// id is the project's, for telling it from its forks.
	id string
}

// newGitLab gives the client of one project, by its number. api is the address of
// the API, such as https://gitlab.com/api/v4; token is a project's, a group's or a
// person's.
func newGitLab(api, project, token string) *gitlab {
	c := newClient(api, names{"GitLab", "FAIRLEAD_GITLAB_TOKEN"}, token, http.Header{"Private-Token": {token}})
	c.more = func(h http.Header) bool { return h.Get("X-Next-Page") != "" }
	g := &gitlab{tracker{client: c, root: "/projects/" + url.PathEscape(project), words: gitlabWords}, project}
	g.me = remembered(g.askMe)
	return g
}

// askMe gives the token's user; a project's token has one too.
func (g *gitlab) askMe(ctx context.Context) (int64, error) {
	var me user
	err := g.do(ctx, request{path: "/user", goal: "ask whose token this is", need: gitlabWrite}, &me)
	return me.ID, err
}

// gitlabWrite is the right that calls take.
const gitlabWrite = "a project access token of scope api and role Reporter or higher"

var gitlabWords = words{
	request: "merge request", note: "note", requests: "merge_requests", notes: "notes",
	noteAt: func(n int, id int64) string { return fmt.Sprintf("/merge_requests/%d/notes/%d", n, id) },
	change: http.MethodPut, text: "description", closed: map[string]string{"state_event": "close"},
	listed: url.Values{"sort": {"asc"}, "order_by": {"created_at"}},
	opened: func(me int64) url.Values {
		return url.Values{"state": {"opened"}, "scope": {"all"}, "author_id": {fmt.Sprint(me)}}
	},
	noteNeed: gitlabWrite, issueNeed: gitlabWrite,
}

// Tip implements Forge.
// https://docs.gitlab.com/api/branches/#get-single-repository-branch
func (g *gitlab) Tip(ctx context.Context, branch string) (string, error) {
	var found struct {
		Commit struct {
			ID string `json:"id"`
		} `json:"commit"`
	}
	err := g.do(ctx, request{
		path: g.root + "/repository/branches/" + url.PathEscape(branch),
		goal: "ask for the last commit of branch " + branch, need: gitlabWrite,
	}, &found)
	return told(found.Commit.ID, branch, err)
}

// Since implements Forge. Where to does not follow from, GitLab compares with the commit
// that both come from, which is asked for first.
// https://docs.gitlab.com/api/repositories/#compare-branches-tags-or-commits
func (g *gitlab) Since(ctx context.Context, from, to string) (files []string, all bool, err error) {
	var base struct {
		ID string `json:"id"`
	}
	goal := "ask what came after commit " + from
	if err = g.do(ctx, request{
		path: g.root + "/repository/merge_base", query: url.Values{"refs[]": {from, to}}, goal: goal, need: gitlabWrite,
	}, &base); err != nil || base.ID != from {
		return nil, false, err
	}
	var found struct {
		Timeout bool `json:"compare_timeout"`
		Diffs   []struct {
			Name string `json:"new_path"`
			Was  string `json:"old_path"`
		} `json:"diffs"`
	}
	err = g.do(ctx, request{
		path: g.root + "/repository/compare", query: url.Values{"from": {from}, "to": {to}}, goal: goal, need: gitlabWrite,
	}, &found)
	for _, f := range found.Diffs {
		files = append(files, named(f.Name, f.Was)...)
	}
	return files, err == nil && !found.Timeout && len(found.Diffs) > 0, err
}

type gitlabRequest struct {
	IID   int    `json:"iid"`
	State string `json:"state"`
	// Head is its last commit. Merged and Squashed are what the branch got; both are
	// empty after a fast-forward, where it got Head itself.
	Head     string `json:"sha"`
	Merged   string `json:"merge_commit_sha"`
	Squashed string `json:"squash_commit_sha"`
	Target   string `json:"target_branch"`
}

type gitlabPipeline struct {
	ID      int64  `json:"id"`
	SHA     string `json:"sha"`
	Ref     string `json:"ref"`
	Source  string `json:"source"`
	Project int64  `json:"project_id"`
}

type gitlabJob struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
}

// Reviewed implements Forge: the merge request of the commit, the newest pipeline of it
// that ran in this project, and that one's job.
func (g *gitlab) Reviewed(ctx context.Context, m Merge) (Reviewed, error) {
	mr, err := g.merged(ctx, m)
	if err != nil {
		return Reviewed{}, err
	}
	pipeline, err := g.pipeline(ctx, mr)
	if err != nil {
		return Reviewed{}, err
	}
	job, err := g.job(ctx, mr, pipeline, m.Name)
	if err != nil {
		return Reviewed{}, err
	}
	plan, _, err := g.fetch(ctx, request{
		path: fmt.Sprintf("%s/jobs/%d/artifacts/%s", g.root, job.ID, escaped(m.File)),
		goal: fmt.Sprintf("download %s of job %d", m.File, job.ID), need: gitlabWrite, most: mostPlan,
	})
	var gone *Error
	if errors.As(err, &gone) && gone.Status == http.StatusNotFound {
		return Reviewed{}, noPlan("the plan of merge request %d has expired, or its job %s (%d) kept none", mr.IID, m.Name, job.ID)
	}
	return Reviewed{Request: mr.IID, Head: mr.Head, Plan: plan}, err
}

// escaped is a slash path for a URL.
func escaped(file string) string {
	parts := strings.Split(file, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// merged finds the merge request that made the commit.
func (g *gitlab) merged(ctx context.Context, m Merge) (gitlabRequest, error) {
	all, err := pages[gitlabRequest](ctx, g.client, request{
		path: fmt.Sprintf("%s/repository/commits/%s/merge_requests", g.root, m.Commit), query: url.Values{"state": {"merged"}},
		goal: "find the merge request of commit " + m.Commit, need: gitlabWrite,
	})
	if err != nil {
		return gitlabRequest{}, err
	}
	for _, r := range all {
		made := cmp.Or(r.Merged, r.Squashed, r.Head)
		if r.State == "merged" && made == m.Commit && (m.Branch == "" || r.Target == m.Branch) {
			return r, nil
		}
	}
	return gitlabRequest{}, noPlan("no merge request was merged as commit %s", m.Commit)
}

// pipeline finds the newest of a merge request's last commit. One of a fork ran in the
// fork, with its variables.
func (g *gitlab) pipeline(ctx context.Context, mr gitlabRequest) (gitlabPipeline, error) {
	all, err := pages[gitlabPipeline](ctx, g.client, request{
		path: fmt.Sprintf("%s/merge_requests/%d/pipelines", g.root, mr.IID),
		goal: fmt.Sprintf("read the pipelines of merge request %d", mr.IID), need: gitlabWrite,
	})
	if err != nil {
		return gitlabPipeline{}, err
	}
	slices.SortFunc(all, func(a, b gitlabPipeline) int { return cmp.Compare(b.ID, a.ID) })
	for _, p := range all {
		if p.Source != "merge_request_event" || fmt.Sprint(p.Project) != g.id {
			continue
		}
		if is, err := g.isOf(ctx, p, mr); is || err != nil {
			return p, err
		}
	}
	return gitlabPipeline{}, noPlan("merge request %d has no pipeline in this project for its last commit %s", mr.IID, mr.Head)
}

// isOf reports whether a pipeline ran for a merge request's last commit: on that commit,
// or on what merging it gives. One of merged results has a commit of its own, whose
// parents are the target and the last commit of that time.
// https://docs.gitlab.com/ci/pipelines/merged_results_pipelines/
func (g *gitlab) isOf(ctx context.Context, p gitlabPipeline, mr gitlabRequest) (bool, error) {
	if p.SHA == mr.Head {
		return true, nil
	}
	if p.Ref != fmt.Sprintf("refs/merge-requests/%d/merge", mr.IID) {
		return false, nil
	}
	var commit struct {
		Parents []string `json:"parent_ids"`
	}
	err := g.do(ctx, request{
		path: fmt.Sprintf("%s/repository/commits/%s", g.root, url.PathEscape(p.SHA)),
		goal: "read the commit " + p.SHA + " of pipeline " + fmt.Sprint(p.ID), need: gitlabWrite,
	}, &commit)
	var gone *Error
	if errors.As(err, &gone) && gone.Status == http.StatusNotFound {
		return false, nil // it cannot be told, so it does not count
	}
	return len(commit.Parents) == 2 && commit.Parents[1] == mr.Head, err
}

// job finds the one that planned.
func (g *gitlab) job(ctx context.Context, mr gitlabRequest, p gitlabPipeline, name string) (gitlabJob, error) {
	all, err := pages[gitlabJob](ctx, g.client, request{
		path: fmt.Sprintf("%s/pipelines/%d/jobs", g.root, p.ID),
		goal: fmt.Sprintf("read the jobs of pipeline %d", p.ID), need: gitlabWrite,
	})
	if err != nil {
		return gitlabJob{}, err
	}
	for _, j := range all {
		if j.Name != name {
			continue
		}
		// One that failed may have kept a plan all the same: one that a rule refuses.
		if j.Status == "success" || j.Status == "failed" {
			return j, nil
		}
		return gitlabJob{}, noPlan("job %s (%d) of merge request %d did not end: it is %s", name, j.ID, mr.IID, j.Status)
	}
	return gitlabJob{}, noPlan("pipeline %d of merge request %d has no job %s", p.ID, mr.IID, name)
}
