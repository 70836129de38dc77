package forgetest

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"testing"
)

// Here is what both forges do alike; form is how one of them words a thing.

// addNote comments on a request by the token's own user.
func (f *Forge) addNote(w http.ResponseWriter, request int, body string, form func(Note) map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	answerJSON(w, http.StatusCreated, form(f.note(request, Ours, body)))
}

// addIssueNote comments on an issue by the token's own user; not where there is none.
func (f *Forge) addIssueNote(w http.ResponseWriter, n int, body string, form func(Note) map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n < 1 || n > len(f.issues) {
		notFound(w)
		return
	}
	f.serial++
	made := Note{ID: f.serial, Author: Ours, Body: body}
	f.issues[n-1].Notes = append(f.issues[n-1].Notes, made)
	answerJSON(w, http.StatusCreated, form(made))
}

// editNote changes a comment, which only its author may.
func (f *Forge) editNote(w http.ResponseWriter, id int, body string, form func(Note) map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for request, notes := range f.notes {
		for i, n := range notes {
			switch {
			case n.ID != id:
			case n.Author != Ours:
				answerJSON(w, http.StatusForbidden, map[string]any{"message": "Not yours"})
				return
			default:
				f.notes[request][i].Body = body
				answerJSON(w, http.StatusOK, form(f.notes[request][i]))
				return
			}
		}
	}
	notFound(w)
}

// editIssue changes what is given of an issue.
func (f *Forge) editIssue(w http.ResponseWriter, n int, title, body string, closes bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n < 1 || n > len(f.issues) {
		notFound(w)
		return
	}
	i := &f.issues[n-1]
	if title != "" {
		i.Title = title
	}
	if body != "" {
		i.Body = body
	}
	if closes {
		i.Open = false
	}
	answerJSON(w, http.StatusOK, map[string]any{"number": n, "iid": n})
}

// openIssue opens one by the token's own user.
func (f *Forge) openIssue(w http.ResponseWriter, title, body string, form func(Issue) map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	answerJSON(w, http.StatusCreated, form(f.issue(Ours, title, body)))
}

// issuesThat are those that are wanted.
func (f *Forge) issuesThat(wanted func(Issue) bool) []Issue {
	return slices.DeleteFunc(f.Issues(), func(i Issue) bool { return !wanted(i) })
}

// tip answers with a branch's last commit, in the form of a forge.
func (f *Forge) tip(w http.ResponseWriter, branch string, form func(commit string) any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if commit := f.tips[branch]; commit != "" {
		answerJSON(w, http.StatusOK, form(commit))
		return
	}
	notFound(w)
}

func (f *Forge) mergesOf(sha string) (out []Merge) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.merges {
		if m.Commit == sha || m.Head == sha {
			out = append(out, m)
		}
	}
	return out
}

// stored is where artifacts are: another host, which must not see the token.
func (f *Forge) stored(t testing.TB) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("Private-Token") != "" {
			t.Errorf("the token went to another host")
		}
		id, _ := strconv.Atoi(r.URL.Path[1:])
		a, _ := f.artifact(id)
		if name := r.URL.Query().Get("file"); name != "" {
			_, _ = w.Write([]byte(a.Files[name]))
			return
		}
		_, _ = w.Write(zipped(a.Files))
	})
}

func zipped(files map[string]string) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range files {
		file, err := z.Create(name)
		if err != nil {
			panic(err) // into memory
		}
		_, _ = file.Write([]byte(content))
	}
	_ = z.Close()
	return out.Bytes()
}

// shown words each of a list.
func shown[T any](all []T, form func(T) map[string]any) []any {
	out := make([]any, 0, len(all))
	for _, one := range all {
		out = append(out, form(one))
	}
	return out
}

func notFound(w http.ResponseWriter) {
	answerJSON(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// decoded reads a body of strings.
func decoded(r *http.Request) map[string]string {
	out := map[string]string{}
	_ = json.NewDecoder(r.Body).Decode(&out)
	return out
}

// page cuts a page out of a list; next is 0 at its end.
func page[T any](f *Forge, r *http.Request, all []T) (part []T, next int) {
	size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	size = min(max(size, 1), f.PageSize)
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	n = max(n, 1)
	from, to := min((n-1)*size, len(all)), min(n*size, len(all))
	if to < len(all) {
		next = n + 1
	}
	return append([]T{}, all[from:to]...), next
}

func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.PathValue(name))
	return n
}
