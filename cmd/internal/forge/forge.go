// Package forge speaks to the place where changes are reviewed, GitHub or GitLab: it
// keeps one comment on a change and one issue about drift, and fetches the plan that was
// reviewed. It knows nothing of plans or networks.
package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Forge is what Fairlead asks of a forge. Numbers are those that people see: of a pull
// request or a merge request (a request, for short), and of an issue.
type Forge interface {
	// Notes are the comments of a request that were written by the token's own user or,
	// where a token has none, by a bot; the oldest first. Of people's there are none.
	Notes(ctx context.Context, request int) ([]Note, error)
	// AddNote writes a new comment.
	AddNote(ctx context.Context, request int, body string) (Note, error)
	// EditNote replaces the text of one of Notes.
	EditNote(ctx context.Context, request int, note Note, body string) error
	// Issues are the open issues that were written as Notes are, the oldest first.
	Issues(ctx context.Context) ([]Issue, error)
	// OpenIssue opens a new issue.
	OpenIssue(ctx context.Context, title, body string) (Issue, error)
	// EditIssue replaces title and text of one of Issues.
	EditIssue(ctx context.Context, issue Issue, title, body string) error
	// CloseIssue comments on one of Issues and closes it.
	CloseIssue(ctx context.Context, issue Issue, word string) error
	// Tip is the whole SHA of a branch's last commit.
	Tip(ctx context.Context, branch string) (string, error)
	// Since are the paths of files that commits changed which came after from on the way to
	// to, both whole SHAs. It is not all where to does not follow from, or the forge does
	// not list every file.
	Since(ctx context.Context, from, to string) (files []string, all bool, err error)
	// Reviewed finds the request that a commit merged and the plan that was made for its
	// last commit. A *NoPlan error says that there is none that may be used.
	Reviewed(ctx context.Context, m Merge) (Reviewed, error)
}

// Note is a comment on a request.
type Note struct {
	ID   int64
	Body string
	// URL is its page; empty where the forge does not tell.
	URL string
}

// Issue is an open issue.
type Issue struct {
	Number      int
	Title, Body string
	URL         string
}

// Merge says which plan is wanted.
type Merge struct {
	// Commit is the whole SHA of the commit that was merged, Branch where to; an empty
	// Branch means any.
	Commit, Branch string
	// Name is how the plan was kept. On GitHub artifacts are called NAME-NUMBER-SHA,
	// by the pull request and its last commit; on GitLab it is the job's.
	Name string
	// File is the plan's path in the artifact, a slash path.
	File string
}

// Reviewed is the plan of a request that was merged.
type Reviewed struct {
	Request int
	// Head is the SHA of the request's last commit.
	Head string
	// Plan is the content of the file.
	Plan []byte
}

// NoPlan tells that a commit has no reviewed plan that may be used.
type NoPlan struct {
	// Reason says why, in words for people.
	Reason string
}

func (e *NoPlan) Error() string { return e.Reason }

// ErrUnsure marks the failure of a request that may have been carried out all the same.
var ErrUnsure = errors.New("it may have been done all the same")

// noPlan builds a *NoPlan error.
func noPlan(format string, args ...any) error {
	return &NoPlan{Reason: fmt.Sprintf(format, args...)}
}

// Job is what a job's environment tells about itself.
type Job struct {
	// Forge is github or gitlab.
	Forge string
	// Request is the number of the pull request or merge request; 0 outside of one.
	Request int
	// Commit is the SHA that the job is for, and Branch its branch, if it has one.
	Commit, Branch string
}

// The forges' names.
const (
	nameGitHub = "github"
	nameGitLab = "gitlab"
)

// JobOf reads the environment. name is the forge, github or gitlab; an empty one is found
// out by what the forges' runners set. Facts: "Variables reference" of GitHub Actions,
// "Predefined CI/CD variables reference" of GitLab.
func JobOf(name string, getenv func(string) string) (Job, error) {
	if name == "" {
		name = found(getenv)
	}
	switch name {
	case nameGitHub:
		return githubJob(getenv), nil
	case nameGitLab:
		n, _ := strconv.Atoi(getenv("CI_MERGE_REQUEST_IID"))
		return Job{Forge: name, Request: n, Commit: getenv("CI_COMMIT_SHA"), Branch: getenv("CI_COMMIT_BRANCH")}, nil
	case "":
		return Job{}, fmt.Errorf("this is no job of GitHub or GitLab: neither GITHUB_ACTIONS nor GITLAB_CI is set; name the forge with --forge github or --forge gitlab")
	}
	return Job{}, fmt.Errorf("--forge %q is not known; use github or gitlab", name)
}

func found(getenv func(string) string) string {
	switch {
	case getenv("GITHUB_ACTIONS") != "":
		return nameGitHub
	case getenv("GITLAB_CI") != "":
		return nameGitLab
	}
	return ""
}

func githubJob(getenv func(string) string) Job {
	j := Job{Forge: nameGitHub, Commit: getenv("GITHUB_SHA")}
	ref := getenv("GITHUB_REF")
	if branch, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
		j.Branch = branch
	}
	if rest, ok := strings.CutPrefix(ref, "refs/pull/"); ok {
		number, _, _ := strings.Cut(rest, "/")
		j.Request, _ = strconv.Atoi(number)
	}
	return j
}

var (
	githubRepository = regexp.MustCompile(`^[A-Za-z0-9_-]+/[A-Za-z0-9._-]+$`)
	digits           = regexp.MustCompile(`^[0-9]+$`)
)

// Open gives the client for the job's repository or project, with the token of the
// environment.
func (j Job) Open(getenv func(string) string) (Forge, error) {
	if j.Forge == nameGitLab {
		return openGitLab(getenv)
	}
	repo, token := getenv("GITHUB_REPOSITORY"), getenv("GITHUB_TOKEN")
	if !githubRepository.MatchString(repo) {
		return nil, fmt.Errorf("GITHUB_REPOSITORY is %q, and should be OWNER/NAME", repo)
	}
	if token == "" {
		return nil, fmt.Errorf("GITHUB_TOKEN is empty; give the step the job's token: env: GITHUB_TOKEN: ${{ github.token }}")
	}
	return newGitHub(cmp.Or(getenv("GITHUB_API_URL"), "https://api.github.com"), repo, token), nil
}

func openGitLab(getenv func(string) string) (Forge, error) {
	api, project, token := getenv("CI_API_V4_URL"), getenv("CI_PROJECT_ID"), getenv("FAIRLEAD_GITLAB_TOKEN")
	if api == "" || !digits.MatchString(project) {
		return nil, fmt.Errorf("CI_API_V4_URL is %q and CI_PROJECT_ID is %q: an address and a number are wanted, as a job of GitLab has them", api, project)
	}
	if token == "" {
		return nil, fmt.Errorf("FAIRLEAD_GITLAB_TOKEN is empty; add a masked variable with %s (a job's own CI_JOB_TOKEN may not write notes or issues)", gitlabWrite)
	}
	return newGitLab(api, project, token), nil
}
