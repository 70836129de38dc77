package forge

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
)

// tracker keeps the notes and issues of one repository. Both forges do that alike, but for words.
type tracker struct {
	*client
	words words
	// root is the path of the repository's resources.
	root string
	// me is the ID of the token's user; 0 for the token of an app, as that of a workflow of
	// GitHub is, which has no user that it may ask for.
	me func(context.Context) (int64, error)
}

// words are what a forge calls things, in its addresses, its JSON and for people.
type words struct {
	// request and note are for people.
	request, note string
	// requests and notes are parts of addresses; noteAt is the address of one note.
	requests, notes string
	noteAt          func(request int, id int64) string
	// change is the method of changes, text the field with an issue's text.
	change, text string
	// listed is how notes are asked for, and opened how the open issues are that may be one's own.
	listed url.Values
	opened func(me int64) url.Values
	// closed is the change that closes an issue.
	closed map[string]string
	// noteNeed and issueNeed are the rights that calls take.
	noteNeed, issueNeed string
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

type user struct {
	ID   int64  `json:"id"`
	Type string `json:"type"`
}

// wrote reports whether what a user wrote is ours to edit.
func (u user) wrote(me int64) bool {
	if me == 0 {
		return u.Type == "Bot"
	}
	return u.ID == me
}

// note is a comment of GitHub, with the user and the address, or a note of GitLab, with the author.
type note struct {
	ID     int64  `json:"id"`
	Body   string `json:"body"`
	URL    string `json:"html_url"`
	System bool   `json:"system"`
	User   user   `json:"user"`
	Author user   `json:"author"`
}

func (n note) asNote() Note { return Note{ID: n.ID, Body: n.Body, URL: n.URL} }

// Notes implements Forge.
func (t *tracker) Notes(ctx context.Context, n int) ([]Note, error) {
	me, err := t.me(ctx)
	if err != nil {
		return nil, err
	}
	all, err := pages[note](ctx, t.client, request{
		path: t.notesOf(t.words.requests, n), query: t.words.listed,
		goal: fmt.Sprintf("read the %s of %s %d", t.words.notes, t.words.request, n), need: t.words.noteNeed,
	})
	var out []Note
	for _, c := range all {
		if !c.System && cmp.Or(c.User, c.Author).wrote(me) {
			out = append(out, c.asNote())
		}
	}
	slices.SortFunc(out, func(a, b Note) int { return cmp.Compare(a.ID, b.ID) })
	return out, err
}

// notesOf is the address of the notes of a request or an issue.
func (t *tracker) notesOf(kind string, n int) string {
	return fmt.Sprintf("%s/%s/%d/%s", t.root, kind, n, t.words.notes)
}

// AddNote implements Forge.
func (t *tracker) AddNote(ctx context.Context, n int, body string) (Note, error) {
	var made note
	err := t.do(ctx, request{
		method: http.MethodPost, path: t.notesOf(t.words.requests, n), body: map[string]string{"body": body},
		goal: fmt.Sprintf("comment on %s %d", t.words.request, n), need: t.words.noteNeed,
	}, &made)
	return made.asNote(), err
}

// EditNote implements Forge.
func (t *tracker) EditNote(ctx context.Context, n int, note Note, body string) error {
	return t.do(ctx, request{
		method: t.words.change, path: t.root + t.words.noteAt(n, note.ID), body: map[string]string{"body": body},
		goal: fmt.Sprintf("edit the %s on %s %d", t.words.note, t.words.request, n), need: t.words.noteNeed,
	}, nil)
}

// issue is one of GitHub, with a number, a body and a user, or of GitLab, with the others of each.
type issue struct {
	Number      int    `json:"number"`
	IID         int    `json:"iid"`
	Title       string `json:"title"`
	Body        string `json:"body"`
	Description string `json:"description"`
	HTML        string `json:"html_url"`
	Web         string `json:"web_url"`
	User        user   `json:"user"`
	Author      user   `json:"author"`
	// PullRequest is there when it is one: GitHub's list has both.
	PullRequest *struct{} `json:"pull_request"`
}

func (i issue) asIssue() Issue {
	return Issue{Number: cmp.Or(i.Number, i.IID), Title: i.Title, Body: cmp.Or(i.Body, i.Description), URL: cmp.Or(i.HTML, i.Web)}
}

// Issues implements Forge.
func (t *tracker) Issues(ctx context.Context) ([]Issue, error) {
	me, err := t.me(ctx)
	if err != nil {
		return nil, err
	}
	all, err := pages[issue](ctx, t.client, request{
		path: t.root + "/issues", query: t.words.opened(me), goal: "read the open issues", need: t.words.issueNeed,
	})
	var out []Issue
	for _, i := range all {
		if i.PullRequest == nil && cmp.Or(i.User, i.Author).wrote(me) {
			out = append(out, i.asIssue())
		}
	}
	slices.SortFunc(out, func(a, b Issue) int { return cmp.Compare(a.Number, b.Number) })
	return out, err
}

// OpenIssue implements Forge.
func (t *tracker) OpenIssue(ctx context.Context, title, body string) (Issue, error) {
	var made issue
	err := t.do(ctx, request{
		method: http.MethodPost, path: t.root + "/issues", body: map[string]string{"title": title, t.words.text: body},
		goal: "open an issue", need: t.words.issueNeed,
	}, &made)
	return made.asIssue(), err
}

// EditIssue implements Forge.
func (t *tracker) EditIssue(ctx context.Context, i Issue, title, body string) error {
	return t.changeIssue(ctx, i, "edit", map[string]string{"title": title, t.words.text: body})
}

// CloseIssue implements Forge.
func (t *tracker) CloseIssue(ctx context.Context, i Issue, word string) error {
	err := t.do(ctx, request{
		method: http.MethodPost, path: t.notesOf("issues", i.Number), body: map[string]string{"body": word},
		goal: fmt.Sprintf("comment on issue %d", i.Number), need: t.words.issueNeed,
	}, nil)
	if err != nil {
		return err
	}
	return t.changeIssue(ctx, i, "close", t.words.closed)
}

func (t *tracker) changeIssue(ctx context.Context, i Issue, verb string, change map[string]string) error {
	return t.do(ctx, request{
		method: t.words.change, path: fmt.Sprintf("%s/issues/%d", t.root, i.Number), body: change,
		goal: fmt.Sprintf("%s issue %d", verb, i.Number), need: t.words.issueNeed,
	}, nil)
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
