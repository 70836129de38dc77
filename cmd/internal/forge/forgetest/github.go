package forgetest

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// github serves GitHub's API of the repository acme/network, with the token of a
// workflow: it may not ask who it is.
func (f *Forge) github(mux *http.ServeMux, prefix string) {
	repo := prefix + "/repos/acme/network"
	mux.HandleFunc("GET "+prefix+"/user", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, http.StatusForbidden, map[string]any{"message": "Resource not accessible by integration"})
	})
	mux.HandleFunc("GET "+repo+"/issues/{n}/comments", func(w http.ResponseWriter, r *http.Request) {
		f.githubPage(w, r, shown(f.Notes(number(r, "n")), githubNote))
	})
	mux.HandleFunc("POST "+repo+"/issues/{n}/comments", f.githubComment)
	mux.HandleFunc("PATCH "+repo+"/issues/comments/{id}", func(w http.ResponseWriter, r *http.Request) {
		f.editNote(w, number(r, "id"), decoded(r)["body"], githubNote)
	})
	mux.HandleFunc("GET "+repo+"/issues", func(w http.ResponseWriter, r *http.Request) {
		all := []any{map[string]any{"number": 999, "title": "a pull request", "body": "", "user": githubUser(Ours), "pull_request": map[string]any{}}}
		issues := f.issuesThat(func(i Issue) bool { return i.Open || r.URL.Query().Get("state") != "open" })
		f.githubPage(w, r, append(all, shown(issues, githubIssue)...))
	})
	mux.HandleFunc("POST "+repo+"/issues", func(w http.ResponseWriter, r *http.Request) {
		said := decoded(r)
		f.openIssue(w, said["title"], said["body"], githubIssue)
	})
	mux.HandleFunc("PATCH "+repo+"/issues/{n}", func(w http.ResponseWriter, r *http.Request) {
		said := decoded(r)
		f.editIssue(w, number(r, "n"), said["title"], said["body"], said["state"] == "closed")
	})
	f.githubPlans(mux, repo)
}

// githubComment comments on a pull request or, as they share their numbers' resources,
// on an issue.
func (f *Forge) githubComment(w http.ResponseWriter, r *http.Request) {
	n, body := number(r, "n"), decoded(r)["body"]
	if n <= len(f.Issues()) {
		f.addIssueNote(w, n, body, githubNote)
		return
	}
	f.addNote(w, n, body, githubNote)
}

func (f *Forge) githubPlans(mux *http.ServeMux, repo string) {
	mux.HandleFunc("GET "+repo+"/commits/{sha}/pulls", func(w http.ResponseWriter, r *http.Request) {
		f.githubPage(w, r, shown(f.mergesOf(r.PathValue("sha")), githubMerge))
	})
	mux.HandleFunc("GET "+repo+"/git/ref/heads/{branch...}", func(w http.ResponseWriter, r *http.Request) {
		f.tip(w, r.PathValue("branch"), func(commit string) any {
			return map[string]any{"object": map[string]any{"sha": commit, "type": "commit"}}
		})
	})
	mux.HandleFunc("GET "+repo+"/compare/{ends}", func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := strings.Cut(r.PathValue("ends"), "...")
		status, files := "diverged", []any{}
		if changed := f.changedSince(from); changed != nil {
			status = "ahead"
			for _, name := range changed {
				files = append(files, map[string]any{"filename": name, "status": "modified"})
			}
		}
		answerJSON(w, http.StatusOK, map[string]any{"status": status, "files": files})
	})
	mux.HandleFunc("GET "+repo+"/actions/artifacts", func(w http.ResponseWriter, r *http.Request) {
		var all []any
		for _, a := range f.Kept() {
			if a.Name == r.URL.Query().Get("name") {
				all = append(all, githubArtifact(a))
			}
		}
		part, _ := page(f, r, all)
		answerJSON(w, http.StatusOK, map[string]any{"total_count": len(all), "artifacts": part})
	})
	mux.HandleFunc("GET "+repo+"/actions/runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		a, ok := f.artifact(number(r, "id"))
		if !ok {
			notFound(w)
			return
		}
		pulls, repo := []any{}, 1
		if a.Fork {
			repo = 2
		} else if !a.Closed {
			pulls = append(pulls, map[string]any{"number": a.Request})
		}
		answerJSON(w, http.StatusOK, map[string]any{
			"id": a.ID, "event": cmp.Or(a.Event, "pull_request"), "pull_requests": pulls, "head_branch": cmp.Or(a.Branch, "change"), "head_repository": map[string]any{"id": repo},
		})
	})
	mux.HandleFunc("GET "+repo+"/actions/artifacts/{id}/zip", func(w http.ResponseWriter, r *http.Request) {
		if a, ok := f.artifact(number(r, "id")); !ok || a.Expired {
			answerJSON(w, http.StatusGone, map[string]any{"message": "Artifact has expired"})
			return
		}
		http.Redirect(w, r, f.storage.URL+"/"+r.PathValue("id"), http.StatusFound)
	})
}

// githubPage answers with a page; there is another where the Link header says so.
func (f *Forge) githubPage(w http.ResponseWriter, r *http.Request, all []any) {
	part, next := page(f, r, all)
	if next > 0 {
		query := r.URL.Query()
		query.Set("page", strconv.Itoa(next))
		w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, r.URL.Path, query.Encode()))
	}
	answerJSON(w, http.StatusOK, part)
}

func githubUser(author int) map[string]any {
	kind := "User"
	if author == Ours {
		kind = "Bot"
	}
	return map[string]any{"id": author, "type": kind}
}

func githubNote(n Note) map[string]any {
	return map[string]any{"id": n.ID, "body": n.Body, "user": githubUser(n.Author), "html_url": fmt.Sprintf("https://github.example/c/%d", n.ID)}
}

func githubIssue(i Issue) map[string]any {
	return map[string]any{
		"number": i.Number, "title": i.Title, "body": i.Body, "user": githubUser(i.Author),
		"html_url": fmt.Sprintf("https://github.example/issues/%d", i.Number),
	}
}

func githubMerge(m Merge) map[string]any {
	return map[string]any{
		"number": m.Request, "merged_at": "2026-07-01T10:00:00Z", "merge_commit_sha": m.Commit,
		"head": map[string]any{"sha": m.Head, "ref": "change", "repo": map[string]any{"id": 1}}, "base": map[string]any{"ref": m.Branch},
	}
}

func githubArtifact(a Artifact) map[string]any {
	head := 1
	if a.Fork {
		head = 2
	}
	return map[string]any{
		"id": a.ID, "name": a.Name, "expired": a.Expired,
		"workflow_run": map[string]any{"id": a.ID, "repository_id": 1, "head_repository_id": head, "head_sha": a.Head},
	}
}
