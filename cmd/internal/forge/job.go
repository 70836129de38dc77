package forge

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

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
	return NewGitHub(cmp.Or(getenv("GITHUB_API_URL"), "https://api.github.com"), repo, token), nil
}

func openGitLab(getenv func(string) string) (Forge, error) {
	api, project, token := getenv("CI_API_V4_URL"), getenv("CI_PROJECT_ID"), getenv("FAIRLEAD_GITLAB_TOKEN")
	if api == "" || !digits.MatchString(project) {
		return nil, fmt.Errorf("CI_API_V4_URL is %q and CI_PROJECT_ID is %q: an address and a number are wanted, as a job of GitLab has them", api, project)
	}
	if token == "" {
		return nil, fmt.Errorf("FAIRLEAD_GITLAB_TOKEN is empty; add a masked variable with %s (a job's own CI_JOB_TOKEN may not write notes or issues)", gitlabWrite)
	}
	return NewGitLab(api, project, token), nil
}
