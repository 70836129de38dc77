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

// told makes an answer without a commit an error.
func told(sha, branch string, err error) (string, error) {
	if err == nil && sha == "" {
		err = fmt.Errorf("the forge's answer about branch %s names no commit", branch)
	}
	return sha, err
}
