package forge

import (
	"context"
	"fmt"
	"net/url"
)

// Tip implements Forge.
// https://docs.github.com/en/rest/git/refs#get-a-reference
func (g *GitHub) Tip(ctx context.Context, branch string) (string, error) {
	var ref struct {
		Object struct {
			SHA string `json:"sha"`
		} `json:"object"`
	}
	_, err := g.do(ctx, request{
		method: "GET", path: g.repo + "/git/ref/heads/" + escaped(branch),
		goal: "ask for the last commit of branch " + branch, need: githubContents,
	}, &ref)
	return told(ref.Object.SHA, branch, err)
}

// Tip implements Forge.
// https://docs.gitlab.com/api/branches/#get-single-repository-branch
func (g *GitLab) Tip(ctx context.Context, branch string) (string, error) {
	var found struct {
		Commit struct {
			ID string `json:"id"`
		} `json:"commit"`
	}
	_, err := g.do(ctx, request{
		method: "GET", path: g.project + "/repository/branches/" + url.PathEscape(branch),
		goal: "ask for the last commit of branch " + branch, need: gitlabWrite,
	}, &found)
	return told(found.Commit.ID, branch, err)
}

// githubFiles is how many files a comparison lists at most.
const githubFiles = 300

// Since implements Forge.
// https://docs.github.com/en/rest/commits/commits#compare-two-commits
func (g *GitHub) Since(ctx context.Context, from, to string) (files []string, all bool, err error) {
	var found struct {
		Status string `json:"status"`
		Files  []struct {
			Name string `json:"filename"`
			Was  string `json:"previous_filename"`
		} `json:"files"`
	}
	_, err = g.do(ctx, request{
		method: "GET", path: g.repo + "/compare/" + from + "..." + to,
		goal: "ask what came after commit " + from, need: githubContents,
	}, &found)
	for _, f := range found.Files {
		files = append(files, named(f.Name, f.Was)...)
	}
	return files, err == nil && found.Status == "ahead" && len(found.Files) < githubFiles, err
}

// Since implements Forge. Where to does not follow from, GitLab compares with the commit
// that both come from, which is asked for first.
// https://docs.gitlab.com/api/repositories/#compare-branches-tags-or-commits
func (g *GitLab) Since(ctx context.Context, from, to string) (files []string, all bool, err error) {
	var base struct {
		ID string `json:"id"`
	}
	goal := "ask what came after commit " + from
	if _, err = g.do(ctx, request{
		method: "GET", path: g.project + "/repository/merge_base", query: url.Values{"refs[]": {from, to}}, goal: goal, need: gitlabWrite,
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
	_, err = g.do(ctx, request{
		method: "GET", path: g.project + "/repository/compare", query: url.Values{"from": {from}, "to": {to}}, goal: goal, need: gitlabWrite,
	}, &found)
	for _, f := range found.Diffs {
		files = append(files, named(f.Name, f.Was)...)
	}
	return files, err == nil && !found.Timeout && len(found.Diffs) > 0, err
}

// named gives a file's names after and before, where those differ.
func named(is, was string) []string {
	if was == "" || was == is {
		return []string{is}
	}
	return []string{is, was}
}

// told makes an answer without a commit an error.
func told(sha, branch string, err error) (string, error) {
	if err == nil && sha == "" {
		err = fmt.Errorf("the forge's answer about branch %s names no commit", branch)
	}
	return sha, err
}
