package forge_test

import (
	"cmp"
	"errors"
	"strings"
	"testing"

	"fairlead.dev/fairlead/cmd/internal/forge"
	"fairlead.dev/fairlead/cmd/internal/forge/forgetest"
)

// Of pipelines of merged results on GitLab only that counts whose commit merges the last
// one of the merge request.
func TestMergedResults(t *testing.T) {
	t.Parallel()
	stand := forgetest.New(t, "gitlab")
	f := open(t, stand, forgetest.Token)
	want := forge.Merge{Commit: commit, Branch: "main", Name: "plan", File: "plan.json"}
	stand.AddMerge(forgetest.Merge{Request: 3, Head: head, Commit: commit, Branch: "main"})
	keep := func(head, result string) {
		stand.Keep(forgetest.Artifact{Name: "plan", Request: 3, Head: head, Result: result, Files: map[string]string{"plan.json": "of " + result}})
	}
	older := strings.Repeat("1", 40)
	keep(older, strings.Repeat("2", 40))
	_, err := f.Reviewed(t.Context(), want)
	var none *forge.NoPlan
	if !errors.As(err, &none) || !strings.Contains(err.Error(), "has no pipeline in this project for its last commit "+head) {
		t.Errorf("the plan of an earlier commit is given: %v", err)
	}
	keep(head, strings.Repeat("3", 40))
	keep(older, strings.Repeat("4", 40)) // a run of an old pipeline that was begun again
	got, err := f.Reviewed(t.Context(), want)
	if err != nil || string(got.Plan) != "of "+strings.Repeat("3", 40) {
		t.Errorf("%s, %v", got.Plan, err)
	}
	stand.Fail(forgetest.Fault{Method: "GET", Path: "/repository/commits/" + strings.Repeat("3", 40), Status: 404})
	if _, err := f.Reviewed(t.Context(), want); !errors.As(err, &none) {
		t.Errorf("a commit that nobody knows: %v", err)
	}
	stand.Heal()
	stand.Fail(forgetest.Fault{Method: "GET", Path: "/repository/commits/" + strings.Repeat("3", 40), Status: 403})
	if _, err := f.Reviewed(t.Context(), want); err == nil || errors.As(err, &none) {
		t.Errorf("a commit that may not be read: %v", err)
	}
}

// An artifact on GitHub counts only when its run was for this pull request: another one
// with the same last commit, into another branch, has a name of its own, and one that takes
// this one's name is known by its run.
func TestArtifactOfAnotherRequest(t *testing.T) {
	t.Parallel()
	stand := forgetest.New(t, "github")
	f := open(t, stand, forgetest.Token)
	want := forge.Merge{Commit: commit, Branch: "main", Name: "plan", File: "plan.json"}
	stand.AddMerge(forgetest.Merge{Request: 3, Head: head, Commit: commit, Branch: "main"})
	keep := func(a forgetest.Artifact, content string) {
		a.Name, a.Head, a.Files = cmp.Or(a.Name, "plan-3-"+head), head, map[string]string{"plan.json": content}
		stand.Keep(a)
	}
	gives := func(content string) {
		t.Helper()
		got, err := f.Reviewed(t.Context(), want)
		var none *forge.NoPlan
		if string(got.Plan) != content || content == "" && !errors.As(err, &none) || content != "" && err != nil {
			t.Errorf("%q, %v; want %q", got.Plan, err, content)
		}
	}
	keep(forgetest.Artifact{Request: 4}, "another request")
	keep(forgetest.Artifact{Request: 4, Closed: true, Branch: "elsewhere"}, "another branch")
	keep(forgetest.Artifact{Request: 3, Closed: true, Fork: true}, "a fork's")
	keep(forgetest.Artifact{Request: 4, Closed: true, Name: "plan-4-" + head}, "another request of the same branch")
	gives("")
	keep(forgetest.Artifact{Request: 3, Closed: true}, "of a request that is closed by now")
	keep(forgetest.Artifact{Request: 4}, "another request")
	gives("of a request that is closed by now")
	keep(forgetest.Artifact{Request: 3}, "its own")
	keep(forgetest.Artifact{Request: 4}, "another request")
	gives("its own")
}
