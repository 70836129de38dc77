// Package forgetest stands in for a forge in tests: GitHub's or GitLab's API as far as
// Fairlead uses it, with pages, refusals and limits, and a record of every call.
package forgetest

import (
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Token is the one that the stand-in takes.
const Token = "canary-token-of-the-forge"

// Authors of comments and issues. Ours is the token's own: a bot on GitHub.
const (
	Ours   = 7
	Person = 8
)

// Note is a comment on a request, or on an issue.
type Note struct {
	ID     int
	Author int
	Body   string
}

// Issue is one, open or closed.
type Issue struct {
	Number      int
	Author      int
	Title, Body string
	Open        bool
	Notes       []Note
}

// Merge is a request that was merged.
type Merge struct {
	Request              int
	Head, Commit, Branch string
}

// Artifact is what a job kept.
type Artifact struct {
	ID int
	// Name is the whole name of an artifact on GitHub, or the job's on GitLab.
	Name string
	// Request and Head say what its pipeline ran for, Fork that its code was a fork's.
	Request int
	Head    string
	Fork    bool
	// Result is the commit of a pipeline of merged results on GitLab, which merges Head;
	// empty for a pipeline of Head itself.
	Result string
	// Closed leaves Request out of the run on GitHub, as after a merge; Branch is the run's,
	// by default change.
	Closed bool
	Branch string
	// Event is what started the pipeline; empty for a pull request or merge request.
	Event   string
	Expired bool
	// Files are by their paths.
	Files map[string]string
}

// Call is one request to the API.
type Call struct {
	Method, Path, Body string
	Query              url.Values
	// Status is that of the answer.
	Status int
}

// Forge is a stand-in. Its methods may be called while it runs.
type Forge struct {
	// Kind is "github" or "gitlab", URL the address of its API.
	Kind, URL string
	// PageSize is how many entries a page has at most, whatever is asked for.
	PageSize int

	storage *httptest.Server
	mu      sync.Mutex
	notes   map[int][]Note
	issues  []Issue
	merges  []Merge
	kept    []Artifact
	tips    map[string]string
	since   map[string][]string
	calls   []Call
	faults  []*Fault
	serial  int
}

// Fault is an answer in the stead of the right one.
type Fault struct {
	// Method and Path choose calls: exactly, and by a part.
	Method, Path string
	Status       int
	Header       map[string]string
	Body         string
	// Times is how often; 0 means always.
	Times int
	// After lets the call be carried out before its answer is lost.
	After bool
}

// New starts a stand-in that ends with the test.
func New(t testing.TB, kind string) *Forge {
	t.Helper()
	f := &Forge{Kind: kind, PageSize: 100, notes: map[int][]Note{}, tips: map[string]string{}, since: map[string][]string{}, serial: 100}
	mux := http.NewServeMux()
	prefix := map[string]string{"github": "/api/v3", "gitlab": "/api/v4"}[kind]
	switch kind {
	case "github":
		f.github(mux, prefix)
	case "gitlab":
		f.gitlab(mux, prefix)
	default:
		t.Fatalf("no forge is called %q", kind)
	}
	server := httptest.NewServer(f.recorded(mux))
	t.Cleanup(server.Close)
	f.URL = server.URL + prefix
	f.storage = httptest.NewServer(f.stored(t))
	t.Cleanup(f.storage.Close)
	return f
}

// recorded writes every call down, checks the token, and lets faults happen.
func (f *Forge) recorded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client is gone
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		answer := httptest.NewRecorder()
		fault := f.fault(r)
		switch {
		case !f.authorized(r):
			answerJSON(answer, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
		case fault == nil || fault.After:
			next.ServeHTTP(answer, r)
		}
		if fault != nil {
			answer = faulty(*fault)
		}
		f.mu.Lock()
		f.calls = append(f.calls, Call{Method: r.Method, Path: r.URL.Path, Body: string(body), Query: r.URL.Query(), Status: answer.Code})
		f.mu.Unlock()
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

func faulty(fault Fault) *httptest.ResponseRecorder {
	out := httptest.NewRecorder()
	for name, value := range fault.Header {
		out.Header().Set(name, value)
	}
	out.WriteHeader(fault.Status)
	_, _ = out.WriteString(fault.Body)
	return out
}

func (f *Forge) authorized(r *http.Request) bool {
	if f.Kind == "github" {
		return r.Header.Get("Authorization") == "Bearer "+Token
	}
	return r.Header.Get("Private-Token") == Token
}

// fault takes the first one that a request meets.
func (f *Forge) fault(r *http.Request) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.faults {
		if x.Times >= 0 && x.Method == r.Method && strings.Contains(r.URL.Path, x.Path) {
			if x.Times == 1 {
				x.Times = -1
			} else if x.Times > 1 {
				x.Times--
			}
			return x
		}
	}
	return nil
}

// Fail adds a fault.
func (f *Forge) Fail(x Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &x)
}

// Heal takes all faults away.
func (f *Forge) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// Calls are all calls so far; Writes those that changed something or tried to.
func (f *Forge) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Writes are the calls that are no GET, as "METHOD path".
func (f *Forge) Writes() []string {
	var out []string
	for _, c := range f.Calls() {
		if c.Method != http.MethodGet {
			out = append(out, c.Method+" "+c.Path)
		}
	}
	return out
}

// AddNote lets somebody comment on a request.
func (f *Forge) AddNote(request, author int, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(request, author, body)
}

func (f *Forge) note(request, author int, body string) Note {
	f.serial++
	n := Note{ID: f.serial, Author: author, Body: body}
	f.notes[request] = append(f.notes[request], n)
	return n
}

// RemoveNote takes the comments of just this text from a request.
func (f *Forge) RemoveNote(request int, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes[request] = slices.DeleteFunc(f.notes[request], func(n Note) bool { return n.Body == body })
}

// Notes are the comments on a request.
func (f *Forge) Notes(request int) []Note {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.notes[request])
}

// AddIssue lets somebody open an issue.
func (f *Forge) AddIssue(author int, title, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.issue(author, title, body)
}

func (f *Forge) issue(author int, title, body string) Issue {
	i := Issue{Number: len(f.issues) + 1, Author: author, Title: title, Body: body, Open: true}
	f.issues = append(f.issues, i)
	return i
}

// Issues are all of them.
func (f *Forge) Issues() []Issue {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.issues)
}

// AddMerge lets a request be merged.
func (f *Forge) AddMerge(m Merge) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.merges = append(f.merges, m)
}

// SetTip moves a branch.
func (f *Forge) SetTip(branch, commit string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tips[branch] = commit
}

// SetSince says which files commits changed that came after one; nil files mean that the
// branch does not follow it.
func (f *Forge) SetSince(from string, files []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.since[from] = files
}

// changedSince are the files of SetSince.
func (f *Forge) changedSince(from string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.since[from]
}

// Keep lets a job keep an artifact.
func (f *Forge) Keep(a Artifact) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serial++
	a.ID = cmp.Or(a.ID, f.serial)
	f.kept = append(f.kept, a)
}

// Kept are all artifacts.
func (f *Forge) Kept() []Artifact {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.kept)
}

func (f *Forge) artifact(id int) (Artifact, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.kept, func(a Artifact) bool { return a.ID == id })
	if i < 0 {
		return Artifact{}, false
	}
	return f.kept[i], true
}

// Env is what a job's environment has: a pull request's or merge request's where there
// is a number, else one of the branch main. More goes on top of it.
func (f *Forge) Env(request int, commit string) map[string]string {
	if f.Kind == "gitlab" {
		env := map[string]string{
			"GITLAB_CI": "true", "CI_API_V4_URL": f.URL, "CI_PROJECT_ID": "11", "CI_COMMIT_SHA": commit,
			"CI_JOB_URL": "https://gitlab.example/acme/network/-/jobs/5", "FAIRLEAD_GITLAB_TOKEN": Token,
		}
		if request > 0 {
			env["CI_MERGE_REQUEST_IID"] = strconv.Itoa(request)
		} else {
			env["CI_COMMIT_BRANCH"] = "main"
		}
		return env
	}
	env := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_API_URL": f.URL, "GITHUB_REPOSITORY": "acme/network", "GITHUB_SHA": commit,
		"GITHUB_SERVER_URL": "https://github.example", "GITHUB_RUN_ID": "5", "GITHUB_REF": "refs/heads/main", "GITHUB_TOKEN": Token,
	}
	if request > 0 {
		env["GITHUB_REF"] = "refs/pull/" + strconv.Itoa(request) + "/merge"
	}
	return env
}
