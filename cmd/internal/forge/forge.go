// Package forge speaks to the place where changes are reviewed, GitHub or GitLab: it
// keeps one comment on a change and one issue about drift, and fetches the plan that was
// reviewed. It knows nothing of plans or networks.
package forge

import (
	"context"
	"errors"
	"fmt"
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
