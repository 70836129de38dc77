package forge

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// GitLab speaks version 4 of GitLab's REST API, of gitlab.com or of a server of one's
// own. A job's own token, CI_JOB_TOKEN, may neither write notes nor issues.
// https://docs.gitlab.com/ci/jobs/ci_job_token/
type GitLab struct {
	*client
	// project is the path of the project's resources: /projects/ID.
	project string
	// id is the project's, for telling it from its forks.
	id string
	// me is the ID of the token's user. A project's token has one too.
	me func(context.Context) (int64, error)
}

// NewGitLab gives the client of one project, by its number. api is the address of
// the API, such as https://gitlab.com/api/v4; token is a project's, a group's or a
// person's.
func NewGitLab(api, project, token string) *GitLab {
	header := http.Header{"Private-Token": {token}}
	g := &GitLab{
		client:  newClient(api, names{"GitLab", "FAIRLEAD_GITLAB_TOKEN"}, token, header),
		project: "/projects/" + url.PathEscape(project), id: project,
	}
	g.me = remembered(g.askMe)
	return g
}

func (g *GitLab) askMe(ctx context.Context) (int64, error) {
	var user gitlabUser
	_, err := g.do(ctx, request{method: "GET", path: "/user", goal: "ask whose token this is", need: gitlabWrite}, &user)
	return user.ID, err
}

type gitlabUser struct {
	ID int64 `json:"id"`
}

type gitlabNote struct {
	ID     int64      `json:"id"`
	Body   string     `json:"body"`
	System bool       `json:"system"`
	Author gitlabUser `json:"author"`
}

// gitlabWrite is the right that calls take.
const gitlabWrite = "a project access token of scope api and role Reporter or higher"

// gitlabMore tells whether a list has another page.
func gitlabMore(h http.Header) bool { return h.Get("X-Next-Page") != "" }

// Notes implements Forge.
func (g *GitLab) Notes(ctx context.Context, n int) ([]Note, error) {
	me, err := g.me(ctx)
	if err != nil {
		return nil, err
	}
	all, err := pages[gitlabNote](ctx, g.client, request{
		method: "GET", path: fmt.Sprintf("%s/merge_requests/%d/notes", g.project, n),
		query: url.Values{"sort": {"asc"}, "order_by": {"created_at"}},
		goal:  fmt.Sprintf("read the notes of merge request %d", n), need: gitlabWrite,
	}, gitlabMore)
	if err != nil {
		return nil, err
	}
	var out []Note
	for _, c := range all {
		if !c.System && c.Author.ID == me {
			out = append(out, Note{ID: c.ID, Body: c.Body})
		}
	}
	slices.SortFunc(out, func(a, b Note) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// AddNote implements Forge.
func (g *GitLab) AddNote(ctx context.Context, n int, body string) (Note, error) {
	var made gitlabNote
	_, err := g.do(ctx, request{
		method: "POST", path: fmt.Sprintf("%s/merge_requests/%d/notes", g.project, n), body: map[string]string{"body": body},
		goal: fmt.Sprintf("comment on merge request %d", n), need: gitlabWrite,
	}, &made)
	return Note{ID: made.ID, Body: made.Body}, err
}

// EditNote implements Forge.
func (g *GitLab) EditNote(ctx context.Context, n int, note Note, body string) error {
	_, err := g.do(ctx, request{
		method: "PUT", path: fmt.Sprintf("%s/merge_requests/%d/notes/%d", g.project, n, note.ID), body: map[string]string{"body": body},
		goal: fmt.Sprintf("edit the note on merge request %d", n), need: gitlabWrite,
	}, nil)
	return err
}

type gitlabIssue struct {
	Number int    `json:"iid"`
	Title  string `json:"title"`
	Body   string `json:"description"`
	URL    string `json:"web_url"`
}

// Issues implements Forge.
func (g *GitLab) Issues(ctx context.Context) ([]Issue, error) {
	me, err := g.me(ctx)
	if err != nil {
		return nil, err
	}
	all, err := pages[gitlabIssue](ctx, g.client, request{
		method: "GET", path: g.project + "/issues",
		query: url.Values{"state": {"opened"}, "scope": {"all"}, "author_id": {fmt.Sprint(me)}},
		goal:  "read the open issues", need: gitlabWrite,
	}, gitlabMore)
	if err != nil {
		return nil, err
	}
	var out []Issue
	for _, i := range all {
		out = append(out, Issue(i))
	}
	slices.SortFunc(out, func(a, b Issue) int { return cmp.Compare(a.Number, b.Number) })
	return out, nil
}

// OpenIssue implements Forge.
func (g *GitLab) OpenIssue(ctx context.Context, title, body string) (Issue, error) {
	var made gitlabIssue
	_, err := g.do(ctx, request{
		method: "POST", path: g.project + "/issues", body: map[string]string{"title": title, "description": body},
		goal: "open an issue", need: gitlabWrite,
	}, &made)
	return Issue(made), err
}

// EditIssue implements Forge.
func (g *GitLab) EditIssue(ctx context.Context, issue Issue, title, body string) error {
	return g.putIssue(ctx, issue, "edit", map[string]string{"title": title, "description": body})
}

// CloseIssue implements Forge.
func (g *GitLab) CloseIssue(ctx context.Context, issue Issue, word string) error {
	_, err := g.do(ctx, request{
		method: "POST", path: fmt.Sprintf("%s/issues/%d/notes", g.project, issue.Number), body: map[string]string{"body": word},
		goal: fmt.Sprintf("comment on issue %d", issue.Number), need: gitlabWrite,
	}, nil)
	if err != nil {
		return err
	}
	return g.putIssue(ctx, issue, "close", map[string]string{"state_event": "close"})
}

func (g *GitLab) putIssue(ctx context.Context, issue Issue, verb string, change map[string]string) error {
	_, err := g.do(ctx, request{
		method: "PUT", path: fmt.Sprintf("%s/issues/%d", g.project, issue.Number), body: change,
		goal: fmt.Sprintf("%s issue %d", verb, issue.Number), need: gitlabWrite,
	}, nil)
	return err
}
