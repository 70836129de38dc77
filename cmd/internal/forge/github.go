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
	"sync"
)

// GitHub speaks GitHub's REST API, of github.com or of an Enterprise server.
// https://docs.github.com/en/rest
type GitHub struct {
	*client
	// repo is the path of the repository's resources: /repos/OWNER/NAME.
	repo string
	// me is the ID of the token's user; 0 for the token of an app, as that of a workflow
	// is, which has no user that it may ask for.
	me func(context.Context) (int64, error)
}

// NewGitHub gives the client of one repository, "OWNER/NAME". api is the address of the
// API, such as https://api.github.com; token is a workflow's or a person's.
func NewGitHub(api, repository, token string) *GitHub {
	header := http.Header{"Authorization": {"Bearer " + token}, "Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}}
	g := &GitHub{client: newClient(api, names{"GitHub", "GITHUB_TOKEN"}, token, header), repo: "/repos/" + repository}
	g.me = remembered(g.askMe)
	return g
}

// remembered asks once, and again only after an error.
func remembered(ask func(context.Context) (int64, error)) func(context.Context) (int64, error) {
	var mu sync.Mutex
	var id int64
	known := false
	return func(ctx context.Context) (int64, error) {
		mu.Lock()
		defer mu.Unlock()
		if known {
			return id, nil
		}
		var err error
		id, err = ask(ctx)
		known = err == nil
		return id, err
	}
}

func (g *GitHub) askMe(ctx context.Context) (int64, error) {
	var user githubUser
	_, err := g.do(ctx, request{method: "GET", path: "/user", goal: "ask whose token this is"}, &user)
	var refused *Error
	if errors.As(err, &refused) && refused.Status == http.StatusForbidden {
		return 0, nil // an app's token: it writes as a bot
	}
	return user.ID, err
}

type githubUser struct {
	ID   int64  `json:"id"`
	Type string `json:"type"`
}

// wrote reports whether what a user wrote is ours to edit.
func (g *GitHub) wrote(me int64, user githubUser) bool {
	if me == 0 {
		return user.Type == "Bot"
	}
	return user.ID == me
}

type githubNote struct {
	ID   int64      `json:"id"`
	Body string     `json:"body"`
	URL  string     `json:"html_url"`
	User githubUser `json:"user"`
}

// The rights that calls take, as a workflow names them.
const (
	githubNotes     = "permissions: pull-requests: write"
	githubIssues    = "permissions: issues: write"
	githubContents  = "permissions: contents: read"
	githubArtifacts = "permissions: actions: read"
	githubRequests  = "permissions: contents: read and pull-requests: read"
)

// githubMore tells whether a list has another page.
func githubMore(h http.Header) bool { return strings.Contains(h.Get("Link"), `rel="next"`) }

// Notes implements Forge.
func (g *GitHub) Notes(ctx context.Context, n int) ([]Note, error) {
	me, err := g.me(ctx)
	if err != nil {
		return nil, err
	}
	all, err := pages[githubNote](ctx, g.client, request{
		method: "GET", path: fmt.Sprintf("%s/issues/%d/comments", g.repo, n),
		goal: fmt.Sprintf("read the comments of pull request %d", n), need: githubNotes,
	}, githubMore)
	if err != nil {
		return nil, err
	}
	var out []Note
	for _, c := range all {
		if g.wrote(me, c.User) {
			out = append(out, Note{ID: c.ID, Body: c.Body, URL: c.URL})
		}
	}
	slices.SortFunc(out, func(a, b Note) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// AddNote implements Forge.
func (g *GitHub) AddNote(ctx context.Context, n int, body string) (Note, error) {
	var made githubNote
	_, err := g.do(ctx, request{
		method: "POST", path: fmt.Sprintf("%s/issues/%d/comments", g.repo, n), body: map[string]string{"body": body},
		goal: fmt.Sprintf("comment on pull request %d", n), need: githubNotes,
	}, &made)
	return Note{ID: made.ID, Body: made.Body, URL: made.URL}, err
}

// EditNote implements Forge.
func (g *GitHub) EditNote(ctx context.Context, n int, note Note, body string) error {
	_, err := g.do(ctx, request{
		method: "PATCH", path: fmt.Sprintf("%s/issues/comments/%d", g.repo, note.ID), body: map[string]string{"body": body},
		goal: fmt.Sprintf("edit the comment on pull request %d", n), need: githubNotes,
	}, nil)
	return err
}

type githubIssue struct {
	Number int        `json:"number"`
	Title  string     `json:"title"`
	Body   string     `json:"body"`
	URL    string     `json:"html_url"`
	User   githubUser `json:"user"`
	// PullRequest is there when it is one: the list has both.
	PullRequest *struct{} `json:"pull_request"`
}

// Issues implements Forge.
func (g *GitHub) Issues(ctx context.Context) ([]Issue, error) {
	me, err := g.me(ctx)
	if err != nil {
		return nil, err
	}
	all, err := pages[githubIssue](ctx, g.client, request{
		method: "GET", path: g.repo + "/issues", query: url.Values{"state": {"open"}},
		goal: "read the open issues", need: githubIssues,
	}, githubMore)
	if err != nil {
		return nil, err
	}
	var out []Issue
	for _, i := range all {
		if i.PullRequest == nil && g.wrote(me, i.User) {
			out = append(out, Issue{Number: i.Number, Title: i.Title, Body: i.Body, URL: i.URL})
		}
	}
	slices.SortFunc(out, func(a, b Issue) int { return cmp.Compare(a.Number, b.Number) })
	return out, nil
}

// OpenIssue implements Forge.
func (g *GitHub) OpenIssue(ctx context.Context, title, body string) (Issue, error) {
	var made githubIssue
	_, err := g.do(ctx, request{
		method: "POST", path: g.repo + "/issues", body: map[string]string{"title": title, "body": body},
		goal: "open an issue", need: githubIssues,
	}, &made)
	return Issue{Number: made.Number, Title: made.Title, Body: made.Body, URL: made.URL}, err
}

// EditIssue implements Forge.
func (g *GitHub) EditIssue(ctx context.Context, issue Issue, title, body string) error {
	return g.patchIssue(ctx, issue, "edit", map[string]string{"title": title, "body": body})
}

// CloseIssue implements Forge.
func (g *GitHub) CloseIssue(ctx context.Context, issue Issue, word string) error {
	_, err := g.do(ctx, request{
		method: "POST", path: fmt.Sprintf("%s/issues/%d/comments", g.repo, issue.Number), body: map[string]string{"body": word},
		goal: fmt.Sprintf("comment on issue %d", issue.Number), need: githubIssues,
	}, nil)
	if err != nil {
		return err
	}
	return g.patchIssue(ctx, issue, "close", map[string]string{"state": "closed", "state_reason": "completed"})
}

func (g *GitHub) patchIssue(ctx context.Context, issue Issue, verb string, change map[string]string) error {
	_, err := g.do(ctx, request{
		method: "PATCH", path: fmt.Sprintf("%s/issues/%d", g.repo, issue.Number), body: change,
		goal: fmt.Sprintf("%s issue %d", verb, issue.Number), need: githubIssues,
	}, nil)
	return err
}
