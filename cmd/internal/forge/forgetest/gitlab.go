package forgetest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// gitlab serves GitLab's API of project 11, with a project access token.
func (f *Forge) gitlab(mux *http.ServeMux, prefix string) {
	project := prefix + "/projects/11"
	mux.HandleFunc("GET "+prefix+"/user", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, http.StatusOK, map[string]any{"id": Ours, "username": "project_11_bot"})
	})
	mux.HandleFunc("GET "+project+"/merge_requests/{n}/notes", func(w http.ResponseWriter, r *http.Request) {
		f.gitlabPage(w, r, shown(f.Notes(number(r, "n")), gitlabNote))
	})
	mux.HandleFunc("POST "+project+"/merge_requests/{n}/notes", func(w http.ResponseWriter, r *http.Request) {
		f.addNote(w, number(r, "n"), decoded(r)["body"], gitlabNote)
	})
	mux.HandleFunc("PUT "+project+"/merge_requests/{n}/notes/{id}", func(w http.ResponseWriter, r *http.Request) {
		f.editNote(w, number(r, "id"), decoded(r)["body"], gitlabNote)
	})
	mux.HandleFunc("GET "+project+"/issues", func(w http.ResponseWriter, r *http.Request) {
		author := r.URL.Query().Get("author_id")
		f.gitlabPage(w, r, shown(f.issuesThat(func(i Issue) bool { return i.Open && strconv.Itoa(i.Author) == author }), gitlabIssue))
	})
	mux.HandleFunc("POST "+project+"/issues", func(w http.ResponseWriter, r *http.Request) {
		said := decoded(r)
		f.openIssue(w, said["title"], said["description"], gitlabIssue)
	})
	mux.HandleFunc("POST "+project+"/issues/{n}/notes", func(w http.ResponseWriter, r *http.Request) {
		f.addIssueNote(w, number(r, "n"), decoded(r)["body"], gitlabNote)
	})
	mux.HandleFunc("PUT "+project+"/issues/{n}", func(w http.ResponseWriter, r *http.Request) {
		said := decoded(r)
		f.editIssue(w, number(r, "n"), said["title"], said["description"], said["state_event"] == "close")
	})
	f.gitlabPlans(mux, project)
}

func (f *Forge) gitlabPlans(mux *http.ServeMux, project string) {
	mux.HandleFunc("GET "+project+"/repository/commits/{sha}/merge_requests", func(w http.ResponseWriter, r *http.Request) {
		f.gitlabPage(w, r, shown(f.mergesOf(r.PathValue("sha")), gitlabMerge))
	})
	mux.HandleFunc("GET "+project+"/repository/branches/{branch}", func(w http.ResponseWriter, r *http.Request) {
		f.tip(w, r.PathValue("branch"), func(commit string) any { return map[string]any{"commit": map[string]any{"id": commit}} })
	})
	mux.HandleFunc("GET "+project+"/repository/merge_base", func(w http.ResponseWriter, r *http.Request) {
		base := r.URL.Query()["refs[]"][0]
		if f.changedSince(base) == nil {
			base = "an earlier one"
		}
		answerJSON(w, http.StatusOK, map[string]any{"id": base})
	})
	mux.HandleFunc("GET "+project+"/repository/compare", func(w http.ResponseWriter, r *http.Request) {
		diffs := []any{}
		for _, name := range f.changedSince(r.URL.Query().Get("from")) {
			diffs = append(diffs, map[string]any{"new_path": name, "old_path": name})
		}
		answerJSON(w, http.StatusOK, map[string]any{"compare_timeout": false, "diffs": diffs})
	})
	mux.HandleFunc("GET "+project+"/repository/commits/{sha}", func(w http.ResponseWriter, r *http.Request) {
		for _, a := range f.Kept() {
			if sha := r.PathValue("sha"); sha == a.Result {
				answerJSON(w, http.StatusOK, map[string]any{"id": sha, "parent_ids": []string{"the target's", a.Head}})
				return
			}
		}
		answerJSON(w, http.StatusNotFound, map[string]any{"message": "404 Commit Not Found"})
	})
	mux.HandleFunc("GET "+project+"/merge_requests/{n}/pipelines", func(w http.ResponseWriter, r *http.Request) {
		var all []any
		for _, a := range f.Kept() {
			if a.Request == number(r, "n") {
				all = append([]any{gitlabPipeline(a)}, all...)
			}
		}
		f.gitlabPage(w, r, all)
	})
	mux.HandleFunc("GET "+project+"/pipelines/{id}/jobs", func(w http.ResponseWriter, r *http.Request) {
		all := []any{map[string]any{"id": 1, "name": "build", "status": "success"}}
		if a, ok := f.artifact(number(r, "id")); ok {
			all = append(all, map[string]any{"id": a.ID, "name": a.Name, "status": "success"})
		}
		f.gitlabPage(w, r, all)
	})
	mux.HandleFunc("GET "+project+"/jobs/{id}/artifacts/{file...}", func(w http.ResponseWriter, r *http.Request) {
		a, ok := f.artifact(number(r, "id"))
		if _, has := a.Files[r.PathValue("file")]; !ok || !has || a.Expired {
			answerJSON(w, http.StatusNotFound, map[string]any{"message": "404 Not Found"})
			return
		}
		http.Redirect(w, r, fmt.Sprintf("%s/%d?file=%s", f.storage.URL, a.ID, url.QueryEscape(r.PathValue("file"))), http.StatusFound)
	})
}

// gitlabPage answers with a page; there is another where X-Next-Page has a number.
func (f *Forge) gitlabPage(w http.ResponseWriter, r *http.Request, all []any) {
	part, next := page(f, r, all)
	w.Header().Set("X-Next-Page", "")
	if next > 0 {
		w.Header().Set("X-Next-Page", strconv.Itoa(next))
	}
	answerJSON(w, http.StatusOK, part)
}

func gitlabNote(n Note) map[string]any {
	return map[string]any{"id": n.ID, "body": n.Body, "system": false, "author": map[string]any{"id": n.Author}}
}

func gitlabIssue(i Issue) map[string]any {
	return map[string]any{
		"iid": i.Number, "title": i.Title, "description": i.Body, "author": map[string]any{"id": i.Author},
		"web_url": fmt.Sprintf("https://gitlab.example/acme/network/-/issues/%d", i.Number),
	}
}

func gitlabMerge(m Merge) map[string]any {
	return map[string]any{"iid": m.Request, "state": "merged", "sha": m.Head, "merge_commit_sha": m.Commit, "target_branch": m.Branch}
}

func gitlabPipeline(a Artifact) map[string]any {
	project, kind := 11, "head"
	if a.Fork {
		project = 12
	}
	if a.Result != "" {
		kind = "merge"
	}
	return map[string]any{
		"id": a.ID, "sha": cmp.Or(a.Result, a.Head), "source": cmp.Or(a.Event, "merge_request_event"), "project_id": project,
		"ref": fmt.Sprintf("refs/merge-requests/%d/%s", a.Request, kind),
	}
}
