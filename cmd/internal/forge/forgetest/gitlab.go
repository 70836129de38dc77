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
		var all []any
		for _, n := range f.Notes(number(r, "n")) {
			all = append(all, gitlabNote(n))
		}
		f.gitlabPage(w, r, all)
	})
	mux.HandleFunc("POST "+project+"/merge_requests/{n}/notes", func(w http.ResponseWriter, r *http.Request) {
		body := decoded(r)["body"]
		f.mu.Lock()
		defer f.mu.Unlock()
		answerJSON(w, http.StatusCreated, gitlabNote(f.note(number(r, "n"), Ours, body)))
	})
	mux.HandleFunc("PUT "+project+"/merge_requests/{n}/notes/{id}", func(w http.ResponseWriter, r *http.Request) {
		f.editNote(w, number(r, "id"), decoded(r)["body"])
	})
	mux.HandleFunc("GET "+project+"/issues", func(w http.ResponseWriter, r *http.Request) {
		var all []any
		for _, i := range f.Issues() {
			if i.Open && strconv.Itoa(i.Author) == r.URL.Query().Get("author_id") {
				all = append(all, gitlabIssue(i))
			}
		}
		f.gitlabPage(w, r, all)
	})
	mux.HandleFunc("POST "+project+"/issues", func(w http.ResponseWriter, r *http.Request) {
		said := decoded(r)
		f.mu.Lock()
		made := f.issue(Ours, said["title"], said["description"])
		f.mu.Unlock()
		answerJSON(w, http.StatusCreated, gitlabIssue(made))
	})
	mux.HandleFunc("POST "+project+"/issues/{n}/notes", func(w http.ResponseWriter, r *http.Request) {
		n, body := number(r, "n"), decoded(r)["body"]
		f.mu.Lock()
		defer f.mu.Unlock()
		f.serial++
		f.issues[n-1].Notes = append(f.issues[n-1].Notes, Note{ID: f.serial, Author: Ours, Body: body})
		answerJSON(w, http.StatusCreated, map[string]any{"id": f.serial})
	})
	mux.HandleFunc("PUT "+project+"/issues/{n}", func(w http.ResponseWriter, r *http.Request) {
		said := decoded(r)
		f.editIssue(w, number(r, "n"), said["title"], said["description"], said["state_event"] == "close")
	})
	f.gitlabPlans(mux, project)
}

func (f *Forge) gitlabPlans(mux *http.ServeMux, project string) {
	mux.HandleFunc("GET "+project+"/repository/commits/{sha}/merge_requests", func(w http.ResponseWriter, r *http.Request) {
		var all []any
		for _, m := range f.mergesOf(r.PathValue("sha")) {
			all = append(all, map[string]any{"iid": m.Request, "state": "merged", "sha": m.Head, "merge_commit_sha": m.Commit, "target_branch": m.Branch})
		}
		f.gitlabPage(w, r, all)
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

func gitlabPipeline(a Artifact) map[string]any {
	project, source := 11, "merge_request_event"
	if a.Fork {
		project = 12
	}
	if a.Event != "" {
		source = a.Event
	}
	kind := "head"
	if a.Result != "" {
		kind = "merge"
	}
	return map[string]any{
		"id": a.ID, "sha": cmp.Or(a.Result, a.Head), "source": source, "project_id": project,
		"ref": fmt.Sprintf("refs/merge-requests/%d/%s", a.Request, kind),
	}
}
