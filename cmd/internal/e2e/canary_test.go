package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No output of any command, no file it writes and no object it labels holds a
// grant code, a token or a key.
func TestCanary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sites, links := twoHubs()
	w.describe(sites, links)
	var all []string
	add := func(o outcome) { all = append(all, o.out, o.errOut) }

	add(w.must(0, "vet"))
	add(w.must(0, "plan", "-v", "-o", "plan.json"))
	add(w.must(0, "apply", "--yes", "-v", "--events", "first.jsonl", "--metrics", "first.prom"))
	canaries := w.secretsOfTokens()
	// An apply whose first tokens are refused goes through the error paths.
	links = append(links, link{"good-hub", "good", "hub", 1})
	w.describe(sites, links)
	w.bendBy(func(v *wires) {
		v.rewrite = func(method, path string, body []byte) []byte {
			if method == "POST" && strings.HasSuffix(path, "/accesstokens") {
				return replaceSpec(body, "url", "https://127.0.0.1:1/canary")
			}
			return body
		}
	})
	add(w.must(4, "apply", "--yes", "-v", "--events", "refused.jsonl", "--metrics", "refused.prom", "--log-format", "json"))
	canaries = append(canaries, w.secretsOfTokens()...)
	w.rewire()
	// A server that refuses a token repeats its code in the answer.
	w.bendBy(func(v *wires) {
		v.rewrite = func(method, path string, body []byte) []byte {
			if method == "POST" && strings.HasSuffix(path, "/accesstokens") {
				return replaceSpec(body, "code", []string{"canary-in-a-list"})
			}
			return body
		}
	})
	add(w.run("apply", "--yes", "-v", "--events", "list.jsonl"))
	canaries = append(canaries, "canary-in-a-list")
	w.rewire()
	add(w.must(0, "apply", "--yes", "-v"))
	canaries = append(canaries, w.secretsOfTokens()...)
	for _, args := range [][]string{
		{"plan", "-v"}, {"plan", "--format", "json"}, {"status", "-v"}, {"status", "--format", "json"},
		{"drift", "-v"}, {"drift", "--format", "json"}, {"vet", "--format", "json"},
	} {
		add(w.run(args...))
	}
	canaries = append(canaries, w.keys(sites)...)
	all = append(all, w.filesWritten()...)
	all = append(all, w.objectsLabelled()...)
	if len(canaries) < 8 {
		t.Fatalf("only %d canaries were found", len(canaries))
	}
	for _, text := range all {
		for _, c := range canaries {
			if strings.Contains(text, c) {
				t.Errorf("a secret shows in:\n%.2000s", text)
			}
		}
	}
}

// secretsOfTokens reads codes and CA certificates from the tokens that passed.
func (w *world) secretsOfTokens() []string {
	w.t.Helper()
	var out []string
	for _, r := range w.requests() {
		if r.Method != "POST" || !strings.HasSuffix(r.Path, "/accesstokens") {
			continue
		}
		var token struct{ Spec struct{ Code any } }
		if err := json.Unmarshal(r.Body, &token); err != nil {
			w.t.Fatal(err)
		}
		if code, ok := token.Spec.Code.(string); ok {
			out = append(out, code)
		}
	}
	return out
}

// keys reads the private keys of the sites' CAs and the links, as PEM lines, as a
// whole and as Kubernetes encodes them.
func (w *world) keys(sites []site) []string {
	var out []string
	for _, s := range sites {
		for _, o := range w.list(s.cluster, w.ns(s.name), "secrets", "") {
			data, _ := o.Object["data"].(map[string]any)
			encoded, _ := data["tls.key"].(string)
			plain, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil || len(plain) == 0 {
				continue
			}
			lines := strings.Split(strings.TrimSpace(string(plain)), "\n")
			out = append(out, string(plain), encoded, lines[len(lines)/2])
		}
	}
	return out
}

func (w *world) filesWritten() []string {
	var out []string
	var files []string
	for _, kind := range []string{"*.json", "*.jsonl", "*.prom"} {
		found, err := filepath.Glob(filepath.Join(w.dir, kind))
		if err != nil || len(found) == 0 {
			w.t.Fatalf("no %s: %v", kind, err)
		}
		files = append(files, found...)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, string(data))
	}
	return out
}

// objectsLabelled gives all of ours but Secrets, which are where keys belong.
func (w *world) objectsLabelled() []string {
	var out []string
	for i := range w.dyn {
		for _, kind := range []string{"sites", "links", "configmaps"} {
			for _, o := range w.list(i, "", kind, w.owned()) {
				data, err := json.Marshal(o.Object)
				if err != nil {
					w.t.Fatal(err)
				}
				out = append(out, string(data))
			}
		}
	}
	return out
}
