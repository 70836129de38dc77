package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	manySites = `package n

import "list"

network: "retail"
clusters: c: {}
sites: {for i in list.Range(0, 60, 1) {"s\(i)": {cluster: "c", namespace: "n\(i)", linkAccess: "default"}}}
links: {for i in list.Range(1, 60, 1) {"l\(i)": {from: "s\(i)", to: "s\(i-1)"}}}
overlay: "overlay"
`
	webListener = "apiVersion: skupper.io/v2alpha1\nkind: Listener\nmetadata: {name: web}\nspec: {host: web, port: 8080, routingKey: web}\n"
)

// withListener is a repository of 60 sites whose overlay adds a Listener to each.
func withListener(t *testing.T) history {
	t.Helper()
	h := newHistory(t)
	h.commit("n.cue", manySites, "overlay/kustomization.yaml", "resources: [l.yaml]\n", "overlay/l.yaml", webListener)
	return h
}

// A file that lost its content would take the Listeners of all sites: each format says that
// a rule refuses it and what it does to traffic.
func TestDiffLosesEveryListener(t *testing.T) {
	t.Parallel()
	h := withListener(t)
	h.commit("overlay/l.yaml", "# nothing came out of the template\n")
	const refused = "60 of 60 objects would be deleted, and 18 may go, which is 30 % of them but at least 2: s0/Listener/web, s1/Listener/web, "
	const gone = "Nothing listens on port 8080 of web any more at s0, s1, s10 and 57 more"
	for _, c := range []struct {
		format string
		want   []string
	}{
		{"text", []string{refused, gone}},
		{"markdown", []string{"60 of 60 objects would be deleted", gone, "While it is carried out: 60 objects go away."}},
		{"html", []string{"60 of 60 objects would be deleted", gone}},
		{"json", []string{refused, gone, `"code": "deletes.objects"`, `"code": "service-lost"`}},
		{"outputs", []string{"effect=" + gone, "effects_high=1", "refusals=1"}},
		{"github", []string{"60 of 60 objects would be deleted", gone}},
	} {
		t.Run(c.format, func(t *testing.T) {
			t.Parallel()
			args := []string{"--base", "HEAD~1", "--format", c.format}
			file := filepath.Join(t.TempDir(), "report")
			if c.format == "outputs" || c.format == "github" {
				args = []string{"--base", "HEAD~1", "--report", c.format + "=" + file}
			}
			out, _ := h.diff(0, args...)
			if text, err := os.ReadFile(file); err == nil {
				out = string(text)
			}
			for _, w := range c.want {
				if !strings.Contains(out, w) {
					t.Errorf("not said: %s\n%s", w, out)
				}
			}
			if strings.Contains(out, "undisturbed") && c.format == "markdown" {
				t.Errorf("traffic is called undisturbed\n%s", out)
			}
		})
	}
}

// Another key behind the same port is told, what is moved to a file of another name is not.
func TestDiffOfListeners(t *testing.T) {
	t.Parallel()
	h := withListener(t)
	h.commit("overlay/l.yaml", strings.ReplaceAll(webListener, "routingKey: web", "routingKey: shop"))
	out, _ := h.diff(0, "--base", "HEAD~1", "--format", "markdown")
	for _, w := range []string{"Port 8080 of web leads to shop, was web, at s0, s1, s10 and 57 more", "While it is carried out: 60 objects change what is reached."} {
		if !strings.Contains(out, w) {
			t.Errorf("not said: %s\n%s", w, out)
		}
	}
	if out, _ = h.diff(0, "--base", "HEAD~1", "--format", "html"); !strings.Contains(out, "60 listeners and connectors change") {
		t.Errorf("the page does not say what changes\n%.3000s", out)
	}
	h.commit("overlay/kustomization.yaml", "resources: [l.yaml]\nlabels: [{pairs: {team: web}}]\n")
	if out, _ = h.diff(0, "--base", "HEAD~1", "--format", "html"); strings.Contains(out, "listeners and connectors change") {
		t.Errorf("a label is called a change of what is reached\n%.3000s", out)
	}
	h.commit("overlay/l.yaml", strings.ReplaceAll(webListener, "name: web", "name: web2"))
	out, _ = h.diff(0, "--base", "HEAD~3")
	if strings.Contains(out, "Nothing listens") {
		t.Errorf("a Listener of another name for the same port is called lost\n%s", out)
	}
}

// The limit is declared, and other kinds count like Listeners do.
func TestDiffLimitOfObjects(t *testing.T) {
	t.Parallel()
	for limit, refused := range map[string]bool{"objects: 60, percent: 100": false, "objects: 59, percent: 100": true, "percent: 100": true} {
		h := newHistory(t)
		deployment := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1}\n"
		description := manySites + fmt.Sprintf("policy: deletes: {%s}\n", limit)
		h.commit("n.cue", description, "overlay/kustomization.yaml", "resources: [d.yaml]\n", "overlay/d.yaml", deployment)
		h.commit("overlay/d.yaml", strings.ReplaceAll(deployment, "replicas: 1", "replicas: 0"))
		for format, want := range map[string]string{"markdown": "While it is carried out, links are undisturbed.", "html": "Disturbs no links"} {
			if out, _ := h.diff(0, "--base", "HEAD~1", "--format", format); !strings.Contains(out, want) || strings.Contains(out, "Disturbs no traffic") {
				t.Errorf("%s: not said: %s\n%.3000s", format, want, out)
			}
		}
		h.commit("overlay/kustomization.yaml", "labels: [{pairs: {a: b}}]\n")
		out, _ := h.diff(0, "--base", "HEAD~1")
		if strings.Contains(out, "60 of 60 objects would be deleted") != refused {
			t.Errorf("%s: refused is not %v\n%s", limit, refused, out)
		}
	}
}
