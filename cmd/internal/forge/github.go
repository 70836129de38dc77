package forge

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// github speaks GitHub's REST API, of github.com or of an Enterprise server.
// https://docs.github.com/en/rest
type github struct{ tracker }

// newGitHub gives the client of one repository, "OWNER/NAME". api is the address of the
// API, such as https://api.github.com; token is a workflow's or a person's.
func newGitHub(api, repository, token string) *github {
	header := http.Header{"Authorization": {"Bearer " + token}, "Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}}
	c := newClient(api, names{"GitHub", "GITHUB_TOKEN"}, token, header)
	c.more = func(h http.Header) bool { return strings.Contains(h.Get("Link"), `rel="next"`) }
	g := &github{tracker{client: c, root: "/repos/" + repository, words: githubWords}}
	g.me = remembered(g.askMe)
	return g
}

func (g *github) askMe(ctx context.Context) (int64, error) {
	var me user
	err := g.do(ctx, request{path: "/user", goal: "ask whose token this is"}, &me)
	var refused *Error
	if errors.As(err, &refused) && refused.Status == http.StatusForbidden {
		return 0, nil // an app's token: it writes as a bot
	}
	return me.ID, err
}

// The rights that calls take, as a workflow names them.
const (
	githubNotes     = "permissions: pull-requests: write"
	githubIssues    = "permissions: issues: write"
	githubContents  = "permissions: contents: read"
	githubArtifacts = "permissions: actions: read"
	githubRequests  = "permissions: contents: read and pull-requests: read"
)

var githubWords = words{
	request: "pull request", note: "comment", requests: "issues", notes: "comments",
	noteAt: func(_ int, id int64) string { return fmt.Sprintf("/issues/comments/%d", id) },
	change: http.MethodPatch, text: "body", closed: map[string]string{"state": "closed", "state_reason": "completed"},
	opened:   func(int64) url.Values { return url.Values{"state": {"open"}} },
	noteNeed: githubNotes, issueNeed: githubIssues,
}

// Tip implements Forge.
// https://docs.github.com/en/rest/git/refs#get-a-reference
func (g *github) Tip(ctx context.Context, branch string) (string, error) {
	var ref struct {
		Object struct {
			SHA string `json:"sha"`
		} `json:"object"`
	}
	err := g.do(ctx, request{
		path: g.root + "/git/ref/heads/" + escaped(branch),
		goal: "ask for the last commit of branch " + branch, need: githubContents,
	}, &ref)
	return told(ref.Object.SHA, branch, err)
}

// githubFiles is how many files a comparison lists at most.
const githubFiles = 300

// Since implements Forge.
// https://docs.github.com/en/rest/commits/commits#compare-two-commits
func (g *github) Since(ctx context.Context, from, to string) (files []string, all bool, err error) {
	var found struct {
		Status string `json:"status"`
		Files  []struct {
			Name string `json:"filename"`
			Was  string `json:"previous_filename"`
		} `json:"files"`
	}
	err = g.do(ctx, request{
		path: g.root + "/compare/" + from + "..." + to,
		goal: "ask what came after commit " + from, need: githubContents,
	}, &found)
	for _, f := range found.Files {
		files = append(files, named(f.Name, f.Was)...)
	}
	return files, err == nil && found.Status == "ahead" && len(found.Files) < githubFiles, err
}

type githubPull struct {
	Number   int    `json:"number"`
	MergedAt string `json:"merged_at"`
	// MergeCommit is what the base branch got: of a merge, a squash, or the last one of a
	// rebase.
	MergeCommit string `json:"merge_commit_sha"`
	Head        struct {
		SHA string `json:"sha"`
		// Ref is its branch, and Repo where that is; of a fork that is gone it is empty.
		Ref  string     `json:"ref"`
		Repo githubRepo `json:"repo"`
	} `json:"head"`
	Base struct {
		Ref string `json:"ref"`
	} `json:"base"`
}

type githubRepo struct {
	ID int64 `json:"id"`
}

type githubArtifact struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Expired bool   `json:"expired"`
	Run     struct {
		ID int64 `json:"id"`
		// Repository and HeadRepository differ where a fork's code ran.
		Repository     int64  `json:"repository_id"`
		HeadRepository int64  `json:"head_repository_id"`
		HeadSHA        string `json:"head_sha"`
	} `json:"workflow_run"`
}

// Reviewed implements Forge: the pull request of the commit, and of the artifacts of its
// last commit the newest that a workflow on this pull request made, as far as GitHub
// tells. What a fork's workflow uploaded under the same name does not count, nor what a
// workflow on another pull request did: the name has the number, as two of the same
// branch have runs that cannot be told apart after a merge. It is no proof of what made
// the artifact: who may push branches to the repository may change what its workflows
// run, and so what they keep. What guards against them are the reviewers of the
// environment that applies.
func (g *github) Reviewed(ctx context.Context, m Merge) (Reviewed, error) {
	pull, err := g.merged(ctx, m)
	if err != nil {
		return Reviewed{}, err
	}
	artifact, err := g.artifact(ctx, fmt.Sprintf("%s-%d-%s", m.Name, pull.Number, pull.Head.SHA), pull)
	if err != nil {
		return Reviewed{}, err
	}
	archive, _, err := g.fetch(ctx, request{
		path: fmt.Sprintf("%s/actions/artifacts/%d/zip", g.root, artifact.ID),
		goal: "download the artifact " + artifact.Name, need: githubArtifacts, most: mostPlan,
	})
	var gone *Error
	if errors.As(err, &gone) && gone.Status == http.StatusGone {
		return Reviewed{}, expired(artifact.Name, pull.Number)
	}
	if err != nil {
		return Reviewed{}, err
	}
	plan, err := unpack(archive, m.File)
	if err != nil {
		return Reviewed{}, fmt.Errorf("GitHub: artifact %s: %w", artifact.Name, err)
	}
	return Reviewed{Request: pull.Number, Head: pull.Head.SHA, Plan: plan}, nil
}

func expired(name string, number int) error {
	return noPlan("the plan of request %d (%s) has expired", number, name)
}

// merged finds the pull request that made the commit.
func (g *github) merged(ctx context.Context, m Merge) (githubPull, error) {
	all, err := pages[githubPull](ctx, g.client, request{
		path: fmt.Sprintf("%s/commits/%s/pulls", g.root, m.Commit),
		goal: "find the pull request of commit " + m.Commit, need: githubRequests,
	})
	if err != nil {
		return githubPull{}, err
	}
	for _, p := range all {
		if p.MergedAt != "" && p.MergeCommit == m.Commit && (m.Branch == "" || p.Base.Ref == m.Branch) {
			return p, nil
		}
	}
	return githubPull{}, noPlan("no pull request was merged as commit %s", m.Commit)
}

// artifact finds the plan's, the newest first.
func (g *github) artifact(ctx context.Context, name string, pull githubPull) (githubArtifact, error) {
	var list struct {
		Artifacts []githubArtifact `json:"artifacts"`
	}
	err := g.do(ctx, request{
		path: g.root + "/actions/artifacts", query: url.Values{"name": {name}, "per_page": {strconv.Itoa(perPage)}},
		goal: "look for the artifact " + name, need: githubArtifacts,
	}, &list)
	if err != nil {
		return githubArtifact{}, err
	}
	var best githubArtifact
	old := false
	for _, a := range list.Artifacts {
		switch {
		case a.Name != name || a.Run.HeadSHA != pull.Head.SHA || a.Run.HeadRepository != a.Run.Repository:
		case a.Expired:
			old = true
		case a.ID > best.ID:
			of, err := g.ofPullRequest(ctx, a, pull)
			if err != nil {
				return githubArtifact{}, err
			}
			if of {
				best = a
			}
		}
	}
	switch {
	case best.ID != 0:
		return best, nil
	case old:
		return githubArtifact{}, expired(name, pull.Number)
	}
	return githubArtifact{}, noPlan("pull request %d has no plan of its last commit %s: there is no artifact %s that a workflow on it made, from a branch of this repository",
		pull.Number, pull.Head.SHA, name)
}

// githubRun is what started a workflow run.
type githubRun struct {
	Event string `json:"event"`
	// Pulls are the pull requests of the run's branch. GitHub lists open ones alone, so
	// after a merge there may be none.
	Pulls []struct {
		Number int `json:"number"`
	} `json:"pull_requests"`
	Branch string     `json:"head_branch"`
	Repo   githubRepo `json:"head_repository"`
}

// ofPullRequest reports whether a workflow on the pull request made the artifact: its run
// names the pull request or, where it names none, is for the same branch.
// https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run
func (g *github) ofPullRequest(ctx context.Context, a githubArtifact, pull githubPull) (bool, error) {
	var run githubRun
	err := g.do(ctx, request{
		path: fmt.Sprintf("%s/actions/runs/%d", g.root, a.Run.ID),
		goal: fmt.Sprintf("read workflow run %d", a.Run.ID), need: githubArtifacts,
	}, &run)
	if err != nil || run.Event != "pull_request" {
		return false, err
	}
	for _, p := range run.Pulls {
		if p.Number == pull.Number {
			return true, nil
		}
	}
	same := run.Branch != "" && run.Branch == pull.Head.Ref && run.Repo.ID != 0 && run.Repo.ID == pull.Head.Repo.ID
	return len(run.Pulls) == 0 && same, nil
}

// unpack gives one file of an archive.
func unpack(archive []byte, name string) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	f, err := z.Open(name)
	if err != nil {
		return nil, noPlan("it has no file %s", name)
	}
	content, err := io.ReadAll(io.LimitReader(f, mostPlan+1))
	if err != nil {
		return nil, err
	}
	if len(content) > mostPlan {
		return nil, fmt.Errorf("%s has more than %d MiB", name, mostPlan>>20)
	}
	return content, f.Close()
}
