package forge_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairlead.dev/fairlead/cmd/internal/forge"
	"fairlead.dev/fairlead/cmd/internal/forge/forgetest"
)

const (
	commit = "0123456789abcdef0123456789abcdef01234567"
	head   = "89abcdef0123456789abcdef0123456789abcdef"
)

// both runs a test against both forges.
func both(t *testing.T, test func(t *testing.T, f forge.Forge, stand *forgetest.Forge)) {
	t.Helper()
	for _, kind := range []string{"github", "gitlab"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			stand := forgetest.New(t, kind)
			test(t, open(t, stand, forgetest.Token), stand)
		})
	}
}

func open(t *testing.T, stand *forgetest.Forge, token string) forge.Forge {
	t.Helper()
	env := stand.Env(3, commit)
	env["GITHUB_TOKEN"], env["FAIRLEAD_GITLAB_TOKEN"] = token, token
	job, err := forge.JobOf("", func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	if job.Forge != stand.Kind || job.Request != 3 || job.Commit != commit {
		t.Fatalf("the job is %+v", job)
	}
	f, err := job.Open(func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var marker = forge.Marker{Kind: "plan", Network: "retail"}

func TestCommentIsEditedInPlace(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, f forge.Forge, stand *forgetest.Forge) {
		stand.PageSize = 2
		first := marker.String() + "\n\nfirst\n"
		stand.AddNote(3, forgetest.Person, first)
		stand.AddNote(3, forgetest.Person, "looks good")
		stand.AddNote(3, forgetest.Ours, "> "+first)
		stand.AddNote(3, forgetest.Ours, "<!-- fairlead:plan:other -->\nother")
		want := []forge.Did{forge.Created, forge.Unchanged, forge.Edited}
		for i, body := range []string{first, strings.ReplaceAll(first, "\n", "\r\n"), marker.String() + "\nsecond\n"} {
			did, _, err := forge.Comment(t.Context(), f, 3, marker, body)
			if err != nil || did != want[i] {
				t.Fatalf("comment %d: %s, %v, want %s", i, did, err, want[i])
			}
		}
		notes := stand.Notes(3)
		if len(notes) != 5 || notes[0].Body != first || !strings.HasSuffix(notes[4].Body, "second\n") || !strings.HasSuffix(notes[3].Body, "other") {
			t.Errorf("notes: %+v", notes)
		}
		if n := len(stand.Writes()); n != 2 {
			t.Errorf("%d writes: %q", n, stand.Writes())
		}
	})
}

func TestOutdated(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, f forge.Forge, stand *forgetest.Forge) {
		other := forge.Marker{Kind: "plan", Network: "re--tail"}
		stand.AddNote(3, forgetest.Ours, marker.String()+"\nold")
		stand.AddNote(3, forgetest.Ours, "<!-- fairlead:diff:retail -->\nold")
		stand.AddNote(3, forgetest.Person, marker.String()+"\nold")
		outdate := func(word string, want forge.Outdated, networks ...string) {
			t.Helper()
			if did, err := forge.Outdate(t.Context(), f, 3, "plan", networks, word); did != want || err != nil {
				t.Fatalf("%+v, %v, want %+v", did, err, want)
			}
		}
		notes := func(want ...string) {
			t.Helper()
			for i, n := range stand.Notes(3) {
				if !strings.HasSuffix(strings.TrimSpace(n.Body), "\n"+want[i]) {
					t.Errorf("note %d is %q, want %q", i, n.Body, want[i])
				}
			}
		}
		outdate("of another", forge.Outdated{}, "elsewhere")
		outdate("the only one", forge.Outdated{Changed: 1}, "", "")
		notes("the only one", "old", "old")
		stand.AddNote(3, forgetest.Ours, other.String()+"\nanother network")
		outdate("which one", forge.Outdated{Left: 2})
		notes("the only one", "old", "old", "another network")
		outdate("named", forge.Outdated{Changed: 1}, "retail", "no more")
		notes("named", "old", "old", "another network")
		outdate("the other", forge.Outdated{Changed: 1}, "re--tail")
		notes("named", "old", "old", "the other")
	})
}

func TestDriftHasOneIssue(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, f forge.Forge, stand *forgetest.Forge) {
		stand.PageSize = 1
		m := forge.Marker{Kind: "drift", Network: "retail"}
		body := func(text string) string { return m.String() + "\n" + text }
		stand.AddIssue(forgetest.Person, "quotes it", body("a person's"))
		healed := func() (forge.Did, forge.Issue, error) { return forge.Healed(t.Context(), f, m, "well again") }
		drifted := func(text string) (forge.Did, forge.Issue, error) {
			return forge.Drifted(t.Context(), f, m, "drift", body(text))
		}
		for i, c := range []struct {
			do     func() (forge.Did, forge.Issue, error)
			did    forge.Did
			number int
		}{
			{healed, forge.Nothing, 0},
			{func() (forge.Did, forge.Issue, error) { return drifted("one") }, forge.Created, 2},
			{func() (forge.Did, forge.Issue, error) { return drifted("one") }, forge.Unchanged, 2},
			{func() (forge.Did, forge.Issue, error) { return drifted("two") }, forge.Edited, 2},
			{healed, forge.Closed, 2},
			{healed, forge.Nothing, 0},
			{func() (forge.Did, forge.Issue, error) { return drifted("again") }, forge.Created, 3},
		} {
			did, issue, err := c.do()
			if err != nil || did != c.did || issue.Number != c.number {
				t.Fatalf("step %d: %s #%d, %v; want %s #%d", i, did, issue.Number, err, c.did, c.number)
			}
		}
		all := stand.Issues()
		if len(all) != 3 || !all[0].Open || all[1].Open || !all[2].Open || len(all[1].Notes) != 1 || all[1].Body != body("two") {
			t.Errorf("issues: %+v", all)
		}
		stand.AddIssue(forgetest.Ours, "drift", body("a second one"))
		if _, issue, err := drifted("again"); err != nil || issue.Number != 3 || stand.Issues()[3].Open {
			t.Errorf("of two, #%d stays (%v), and the second is open: %v", issue.Number, err, stand.Issues()[3].Open)
		}
	})
}

// A creation whose answer is lost is found, not repeated.
func TestNoDuplicates(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, f forge.Forge, stand *forgetest.Forge) {
		lost := func(path string) {
			stand.Fail(forgetest.Fault{Method: "POST", Path: path, Status: 502, Times: 1, After: true})
		}
		lost(map[string]string{"github": "/comments", "gitlab": "/notes"}[stand.Kind])
		if did, _, err := forge.Comment(t.Context(), f, 3, marker, marker.String()+"\ntext"); err != nil || did != forge.Unchanged {
			t.Errorf("comment: %s, %v", did, err)
		}
		lost("/issues")
		if did, _, err := forge.Drifted(t.Context(), f, marker, "drift", marker.String()+"\ntext"); err != nil || did != forge.Unchanged {
			t.Errorf("issue: %s, %v", did, err)
		}
		if len(stand.Notes(3)) != 1 || len(stand.Issues()) != 1 {
			t.Errorf("notes %v, issues %v", stand.Notes(3), stand.Issues())
		}
	})
}

// Limits are waited for as the forge asks, and failures of its own are tried again.
func TestTriedAgain(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, f forge.Forge, stand *forgetest.Forge) {
		path := map[string]string{"github": "/comments", "gitlab": "/notes"}[stand.Kind]
		for _, x := range []forgetest.Fault{
			{Method: "GET", Path: path, Status: 429, Header: map[string]string{"Retry-After": "0"}, Times: 2},
			{Method: "POST", Path: path, Status: 429, Header: map[string]string{"Retry-After": "0"}, Times: 1},
			{Method: "POST", Path: path, Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, Times: 1},
			{Method: "GET", Path: path, Status: 503, Times: 1},
		} {
			stand.Fail(x)
		}
		if did, _, err := forge.Comment(t.Context(), f, 3, marker, marker.String()+"\ntext"); err != nil || did != forge.Created {
			t.Fatalf("%s, %v", did, err)
		}
		if len(stand.Notes(3)) != 1 || len(stand.Writes()) != 3 {
			t.Errorf("notes %v after %q", stand.Notes(3), stand.Writes())
		}
	})
}

// Errors say what to do, and no token is in any of them.
func TestErrors(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, f forge.Forge, stand *forgetest.Forge) {
		path := map[string]string{"github": "/comments", "gitlab": "/notes"}[stand.Kind]
		right := map[string]string{"github": "permissions: pull-requests: write", "gitlab": "role Reporter"}[stand.Kind]
		reset := strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
		for _, c := range []struct {
			fault forgetest.Fault
			want  []string
		}{
			{forgetest.Fault{Status: 403, Body: `{"message": "Resource not accessible by ` + forgetest.Token + `"}`}, []string{"403", "not accessible by ***", "lacks a right", right}},
			{forgetest.Fault{Status: 404, Body: `{"error": "404 Not\nFound"}`}, []string{"404 Not Found", "may not see it", right}},
			{forgetest.Fault{Status: 401, Body: `{"message": {"token": ["bad"]}}`}, []string{"wrong or has expired", `["bad"]`}},
			{forgetest.Fault{Status: 429, Header: map[string]string{"X-RateLimit-Reset": reset}}, []string{"429", "too many requests"}},
			{forgetest.Fault{Status: 422, Body: "<html>" + strings.Repeat("x", 1000)}, []string{"422"}},
		} {
			c.fault.Method, c.fault.Path = "POST", path
			stand.Fail(c.fault)
			_, _, err := forge.Comment(t.Context(), f, 3, marker, marker.String()+"\ntext")
			stand.Heal()
			if err == nil {
				t.Fatalf("%d: no error", c.fault.Status)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%d: no %q in: %v", c.fault.Status, want, err)
				}
			}
			if strings.Contains(err.Error(), forgetest.Token) || len(err.Error()) > 800 {
				t.Errorf("the error is too much: %v", err)
			}
		}
		bad := open(t, stand, "canary-of-another")
		_, _, err := forge.Comment(t.Context(), bad, 3, marker, marker.String())
		if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "wrong or has expired") {
			t.Errorf("another token: %v", err)
		}
		if len(stand.Notes(3)) != 0 {
			t.Errorf("notes: %v", stand.Notes(3))
		}
	})
}

// A server that is not there costs some tries and an error without addresses' secrets.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, _ forge.Forge, stand *forgetest.Forge) {
		stand.URL = "http://127.0.0.1:1/api"
		_, err := open(t, stand, forgetest.Token).AddNote(t.Context(), 3, "text")
		if err == nil || !strings.Contains(err.Error(), "cannot comment on") || errors.Is(err, forge.ErrUnsure) || strings.Contains(err.Error(), forgetest.Token) {
			t.Error(err)
		}
	})
}

func TestReviewed(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, f forge.Forge, stand *forgetest.Forge) {
		want := forge.Merge{Commit: commit, Branch: "main", Name: "fairlead-plan", File: "out/plan.json"}
		name := want.Name
		if stand.Kind == "github" {
			name += "-3-" + head
		}
		none := func(reason string) {
			t.Helper()
			got, err := f.Reviewed(t.Context(), want)
			var no *forge.NoPlan
			if !errors.As(err, &no) || !strings.Contains(err.Error(), reason) {
				t.Errorf("want no plan, %q; got %v, %v", reason, got, err)
			}
		}
		none("was merged as commit")
		stand.AddMerge(forgetest.Merge{Request: 4, Head: head, Commit: commit, Branch: "elsewhere"})
		none("was merged as commit")
		stand.AddMerge(forgetest.Merge{Request: 3, Head: head, Commit: commit, Branch: "main"})
		none("request 3 has no")
		keep := func(content string, change func(*forgetest.Artifact)) {
			a := forgetest.Artifact{Name: name, Request: 3, Head: head, Files: map[string]string{want.File: content}}
			if change != nil {
				change(&a)
			}
			stand.Keep(a)
		}
		keep("a fork's", func(a *forgetest.Artifact) { a.Fork = true })
		keep("pushed", func(a *forgetest.Artifact) { a.Event = "push" })
		keep("an older commit's", func(a *forgetest.Artifact) { a.Head = commit })
		none("request 3 has no")
		keep("old", func(a *forgetest.Artifact) { a.Expired = true })
		none("has expired")
		keep("first", nil)
		keep("second", nil)
		keep("a fork's", func(a *forgetest.Artifact) { a.Fork = true })
		got, err := f.Reviewed(t.Context(), want)
		if err != nil || string(got.Plan) != "second" || got.Request != 3 || got.Head != head {
			t.Errorf("%+v, %v", got, err)
		}
		want.File = "other.json"
		none(map[string]string{"github": "no file other.json", "gitlab": "expired"}[stand.Kind])
	})
}

func TestMarkers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		marker.String(): true, marker.String() + "\r\ntext": true, "\n" + marker.String(): false, "> " + marker.String(): false,
		"<!-- fairlead:plan:a b -->": false, "<!-- fairlead:plan:retail --> x": false, "": false, "<!-- fairlead:plan:-x -->": false,
		"<!-- fairlead:plan:re--tail -->": false, "<!-- fairlead:plan:x%2 -->": false, "<!-- fairlead:plan:x%2f -->": false, "<!-- fairlead:plan:x%2D -->": false,
	} {
		if m, ok := forge.MarkerOf(text); ok != want || ok && m != marker {
			t.Errorf("%q: %v, %v", text, m, ok)
		}
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"", nil, "--forge github"},
		{"gitea", nil, `"gitea" is not known`},
		{"github", map[string]string{"GITHUB_REPOSITORY": "../x"}, "should be OWNER/NAME"},
		{"github", map[string]string{"GITHUB_REPOSITORY": "a/b"}, "GITHUB_TOKEN is empty"},
		{"gitlab", nil, "an address and a number"},
		{"gitlab", map[string]string{"CI_API_V4_URL": "https://x", "CI_PROJECT_ID": "7", "CI_JOB_TOKEN": "t"}, "CI_JOB_TOKEN may not"},
		{"", map[string]string{"GITLAB_CI": "true", "CI_API_V4_URL": "https://x", "CI_PROJECT_ID": "7", "FAIRLEAD_GITLAB_TOKEN": "t"}, "<nil>"},
	} {
		getenv := func(k string) string { return c.env[k] }
		job, err := forge.JobOf(c.name, getenv)
		if err == nil {
			_, err = job.Open(getenv)
		}
		if !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s %v: %v, want %q", c.name, c.env, err, c.want)
		}
	}
}

// The stand-in itself refuses what the forges refuse.
func TestStandIn(t *testing.T) {
	t.Parallel()
	stand := forgetest.New(t, "github")
	resp, err := http.Get(stand.URL + "/user")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || len(stand.Calls()) != 1 {
		t.Errorf("%d, %v", resp.StatusCode, stand.Calls())
	}
}
