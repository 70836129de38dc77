package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// layered is a repository of a description of two sites with an overlay of these files.
func layered(t *testing.T, files map[string]string) history {
	t.Helper()
	h := newHistory(t)
	const description = `package p
network: "retail"
clusters: c: {}
sites: {
	hub: {cluster: "c", namespace: "hub", linkAccess: "default"}
	shop: {cluster: "c", namespace: "shop"}
}
links: "shop-hub": {from: "shop", to: "hub"}
overlay: "overlay"
`
	all := []string{"net/net.cue", description}
	for name, text := range files {
		all = append(all, "net/overlay/"+name, text)
	}
	h.commit(all...)
	return h
}

// aliases is an object with aliases of aliases, which stand for 11 to the power of depth.
func aliases(depth int) string {
	text := "apiVersion: v1\nkind: ConfigMap\nx0: &a0 [x,x,x,x,x,x,x,x,x,x,x]\n"
	for i := range depth {
		text += fmt.Sprintf("x%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 10), i)
	}
	return text
}

const (
	patchPort = `[{"op": "replace", "path": "/spec/port", "value": 1}]`
	hubOnly   = "{kind: Site, name: hub}"
)

// What is wrong or odd in a file of an overlay is told once, with the file and the line.
func TestOverlayFiles(t *testing.T) {
	t.Parallel()
	const k = "kustomization.yaml"
	with := func(name, kustomization string, more ...string) map[string]string {
		files := map[string]string{name: kustomization, "listener.yaml": webListener}
		for i := 0; i < len(more); i += 2 {
			files[more[i]] = more[i+1]
		}
		return files
	}
	const noTarget = "no object of any site fits its target: "
	for _, c := range []struct {
		name  string
		files map[string]string
		code  int
		want  string
	}{
		{"a repeated key", with(k, "resources: [listener.yaml]\n\nresources: []\n"), exitInvalid,
			`net/overlay/kustomization.yaml:3:1: error: the key "resources" is here twice, first in line 1`},
		{"a repeated key in other letters", with(k, "resources: [listener.yaml]\nResources: []\n"), exitInvalid,
			`net/overlay/kustomization.yaml:2:1: error: the key "Resources" is here twice, first in line 1`},
		{"a repeated key in a base", with(k, "resources: [base]", "base/kustomization.yaml", "resources: [l.yaml]\nlabels:\n- pairs: {a: b}\n  pairs: {a: c}\n", "base/l.yaml", webListener), exitInvalid,
			`net/overlay/base/kustomization.yaml:4:3: error: the key "pairs" is here twice, first in line 3`},
		{"a repeated key in an object", with(k, "resources: [x.yaml]", "x.yaml", "---\n"+webListener+"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, name: y}\n"), exitInvalid,
			`net/overlay/x.yaml:9:21: error: the key "name" is here twice, first in line 9`},
		{"a repeated key in a patch", with(k, "resources: [listener.yaml]\npatches: [{path: p.yaml, target: {kind: Listener}}]", "p.yaml", "- op: replace\n  path: /spec/port\n  value: 1\n  value: 2\n"), exitInvalid,
			`net/overlay/p.yaml:4:3: error: the key "value" is here twice, first in line 3`},
		{"a repeated key in a patch of strategic merge", with(k, "resources: [listener.yaml]\npatchesStrategicMerge: [p.yaml]", "p.yaml", webListener+"kind: Listener\n"), exitInvalid,
			`net/overlay/p.yaml:5:1: error: the key "kind" is here twice, first in line 2`},
		{"a repeated key in a patch within", with(k, "resources: [listener.yaml]\npatches:\n- target: {kind: Listener}\n  patch: |-\n    - op: replace\n      path: /spec/port\n      value: 1\n      value: 2\n"), exitInvalid,
			`net/overlay/kustomization.yaml:8: error: the key "value" is here twice, first in line 7`},
		{"a repeated key in replacements", with(k, "resources: [listener.yaml]\nreplacements: [{path: r.yaml}]", "r.yaml", "sourceValue: x\nsourceValue: y\ntargets: [{select: {kind: Listener}, fieldPaths: [spec.host]}]\n"), exitInvalid,
			`net/overlay/r.yaml:2:1: error: the key "sourceValue" is here twice, first in line 1`},
		{"a repeated key in a definition", with(k, "resources: [listener.yaml]\ncrds: [c.json]", "c.json", `{"a": 1, "a": 2}`), exitInvalid,
			`net/overlay/c.json:1:10: error: the key "a" is here twice, first in line 1`},

		{"aliases that multiply", with(k, "resources: [x.yaml]", "x.yaml", aliases(9)), exitInvalid,
			"net/overlay/x.yaml:7:30: error: the alias *a3 makes the text stand for more than 100000 values"},
		{"an alias of itself", with(k, "resources: [x.yaml]", "x.yaml", "a: &a [*a]\n"), exitInvalid,
			"net/overlay/x.yaml:1:8: error: the alias *a makes"},
		{"aliases that multiply in a patch", with(k, "resources: [listener.yaml]\npatches: [{path: p.yaml}]", "p.yaml", aliases(9)), exitInvalid,
			"net/overlay/p.yaml:7:30: error: the alias *a3 makes"},
		{"aliases that multiply in a patch within", with(k, "resources: [listener.yaml]\npatches:\n- patch: |-\n    "+strings.ReplaceAll(aliases(9), "\n", "\n    ")+"\n"), exitInvalid,
			"net/overlay/kustomization.yaml:10: error: the alias *a3 makes"},

		{"a second document", with(k, "resources: [listener.yaml]\n---\nresources: []\n"), exitInvalid,
			"net/overlay/kustomization.yaml:3:1: error: has more than one document, and kustomize reads the first alone"},
		{"a second document of a base", with(k, "resources: [base]\n---\n", "base/kustomization.yaml", "---\n# nothing\n---\nresources: [../listener.yaml]\n"), exitInvalid,
			"net/overlay/base/kustomization.yaml:4:1: error: has more than one document"},
		{"a kustomization without content", with(k, "# resources: [listener.yaml]\n"), 0,
			"net/overlay/kustomization.yaml:1:1: warning: has no content"},

		{"a file without an object", with(k, "resources: [listener.yaml, x.yaml]", "x.yaml", "# nothing\n---\n\n---\nnull\n"), 0,
			"net/overlay/x.yaml:1:1: warning: has no object"},
		{"a patch without content", with(k, "resources: [listener.yaml]\npatches: [{path: x.yaml, target: {kind: Site}}]", "x.yaml", "# nothing\n"), 0,
			"net/overlay/x.yaml:1:1: warning: has no content"},

		{"a patch without a target", with(k, "resources: [listener.yaml]\npatches:\n- target: {kind: Lisener}\n  patch: '"+patchPort+"'\n"), 0,
			"net/overlay/kustomization.yaml:3:3: warning: patches[0]: " + noTarget + "kind: Lisener"},
		{"one of two patches", with(k, "resources: [listener.yaml]\npatches:\n- {target: {kind: Listener}, patch: '"+patchPort+"'}\n- {target: {kind: Listener, name: x.*}, patch: '"+patchPort+"'}\n"), 0,
			"net/overlay/kustomization.yaml:4:3: warning: patches[1]: " + noTarget + "kind: Listener, name: x.*"},
		{"a patch by labels", with(k, "resources: [listener.yaml]\nlabels: [{pairs: {a: b}}]\npatches: [{target: {labelSelector: a=b}, patch: '"+patchPort+"'}]\n"), 0,
			"net/overlay/kustomization.yaml:3:11: warning: patches[0]: " + noTarget + "labelSelector: a=b"},
		{"a patch of a base", with(k, "resources: [base, listener.yaml]", "base/kustomization.yaml", "resources: [c.yaml]\npatches: [{target: {kind: Listener}, patch: '"+patchPort+"'}]\n", "base/c.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}"), 0,
			"net/overlay/base/kustomization.yaml:2:11: warning: patches[0]: " + noTarget + "kind: Listener"},
		{"a patch of a component", with(k, "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [listener.yaml]\npatches: [{target: {kind: Lisener}, patch: '"+patchPort+"'}]\n"), 0,
			"net/overlay/kustomization.yaml:4:11: warning: patches[0]: " + noTarget + "kind: Lisener"},
		{"a merge without a target", with(k, "resources: [listener.yaml]\npatches: [{target: {kind: Lisener}, patch: '{apiVersion: skupper.io/v2alpha1, kind: Listener, metadata: {name: web}, spec: {port: 1}}'}]\n"), 0,
			"net/overlay/kustomization.yaml:2:11: warning: patches[0]: " + noTarget + "kind: Lisener"},
		{"an old patch without a target", with(k, "resources: [listener.yaml]\npatchesJson6902:\n- target: {group: skupper.io, version: v2alpha1, kind: Listener, name: api}\n  patch: '"+patchPort+"'\n"), 0,
			"net/overlay/kustomization.yaml:3:3: warning: patchesJson6902[0]: " + noTarget + "group: skupper.io, kind: Listener, name: api, version: v2alpha1"},
		{"a replacement without a target", with(k, "resources: [listener.yaml]\nreplacements:\n- sourceValue: x\n  targets:\n  - {select: {kind: Listener}, fieldPaths: [spec.host]}\n  - {select: {kind: Lisener}, fieldPaths: [spec.host]}\n"), 0,
			"net/overlay/kustomization.yaml:6:5: warning: replacements[0].targets[1]: " + noTarget + "kind: Lisener"},
		{"a replacement of a file", with(k, "resources: [listener.yaml]\nreplacements: [{path: r.yaml}]", "r.yaml", "- sourceValue: x\n  targets: [{select: {kind: Lisener}, fieldPaths: [spec.host]}]\n"), 0,
			"net/overlay/r.yaml:2:13: warning: [0].targets[0]: " + noTarget + "kind: Lisener"},

		{"an old field", with(k, "resources: [listener.yaml]\ncommonLabels: {a: b}\n"), 0,
			"net/overlay/kustomization.yaml:2:1: warning: commonLabels is deprecated by kustomize"},
		{"old variables", with(k, "resources: [listener.yaml]\nvars: [{name: X, objref: {kind: Listener, apiVersion: skupper.io/v2alpha1, name: web}}]\n"), 0,
			"net/overlay/kustomization.yaml:2:1: warning: vars is deprecated by kustomize"},
		{"old patches", with("Kustomization", "resources: [listener.yaml]\npatchesJson6902: [{target: {group: skupper.io, version: v2alpha1, kind: Listener, name: web}, patch: '"+patchPort+"'}]\n"), 0,
			"net/overlay/Kustomization:2:1: warning: patchesJson6902 is deprecated by kustomize"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := runIn(layered(t, c.files).dir, nil, "vet", "net")
			if code != c.code || strings.Count(out, c.want) != 1 {
				t.Errorf("exit %d, want %d and once %s\n%s%s", code, c.code, c.want, out, errOut)
			}
			if findings := strings.Count(out, ": warning: ") + strings.Count(out, ": error: "); c.code == 0 && findings != 1 && !strings.Contains(c.want, "patchesJson6902[") {
				t.Errorf("%d findings\n%s", findings, out)
			}
		})
	}
}

// A patch that fits at one site is no fault, also where it takes an object away.
func TestOverlayPatchesThatFit(t *testing.T) {
	t.Parallel()
	for name, kustomization := range map[string]string{
		"of one site":        "resources: [listener.yaml]\npatches: [{target: " + hubOnly + ", patch: '[{\"op\": \"add\", \"path\": \"/spec/ha\", \"value\": true}]'}]\n",
		"that deletes":       "resources: [listener.yaml]\npatches: [{target: {kind: Listener}, patch: '{apiVersion: v1, kind: x, metadata: {name: x}, $patch: delete}'}]\n",
		"before a prefix":    "resources: [base]\nnameSuffix: '-a'\npatches: [{target: " + hubOnly + ", options: {allowNameChange: true}, patch: '[]'}]\n",
		"with labels":        "resources: [listener.yaml]\npatches: [{target: {kind: Listener, labelSelector: '!a'}, patch: '[{\"op\": \"add\", \"path\": \"/metadata/labels\", \"value\": {\"a\": \"b\"}}]'}]\n",
		"that drops notes":   "resources: [base/notes]\n",
		"of a base":          "resources: [base]\npatches: [{target: {name: web}, patch: '" + patchPort + "'}]\n",
		"that a file names":  "resources: [listener.yaml]\nreplacements: [{path: r.yaml}]\n",
		"of every selection": "resources: [listener.yaml]\npatches: [{target: {group: skupper.io, version: v2alpha1, kind: Listener, name: web, namespace: ''}, patch: '" + patchPort + "'}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := layered(t, map[string]string{
				"kustomization.yaml": strings.ReplaceAll(kustomization, "nameSuffix: '-a'\n", ""), "listener.yaml": webListener,
				"base/kustomization.yaml": "resources: [l.yaml]\nnamePrefix: ''\npatches: [{target: {kind: Listener}, patch: '" + patchPort + "'}]\n", "base/l.yaml": webListener,
				"base/notes/kustomization.yaml": "resources: [l.yaml]\npatches: [{target: {kind: Listener}, patch: '[{\"op\": \"add\", \"path\": \"/metadata/annotations\", \"value\": {\"c\": \"d\"}}]'}]\n",
				"base/notes/l.yaml":             webListener,
				"r.yaml":                        "source: {kind: Listener, fieldPath: spec.host}\ntargets: [{select: {kind: Listener}, fieldPaths: [spec.routingKey]}]\n",
			})
			code, out, errOut := runIn(h.dir, nil, "vet", "net")
			if code != 0 || strings.Contains(out, "warning:") {
				t.Errorf("exit %d\n%s%s", code, out, errOut)
			}
		})
	}
}

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"

// What Git LFS left in place of a file is called that, wherever the file is read.
func TestPointersOfLFS(t *testing.T) {
	t.Parallel()
	const k = "kustomization.yaml"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"an object":         {map[string]string{k: "resources: [x.yaml]", "x.yaml": pointer}, "net/overlay/x.yaml: is a pointer of Git LFS"},
		"a kustomization":   {map[string]string{k: pointer}, "net/overlay/kustomization.yaml: is a pointer of Git LFS"},
		"a patch":           {map[string]string{k: "patches: [{path: x.yaml}]", "x.yaml": pointer}, "net/overlay/x.yaml: is a pointer of Git LFS"},
		"generated content": {map[string]string{k: "configMapGenerator: [{name: x, files: [x.bin]}]", "x.bin": pointer}, "net/overlay/x.bin: is a pointer of Git LFS"},
		"generated values":  {map[string]string{k: "configMapGenerator: [{name: x, envs: [x.env]}]", "x.env": pointer}, "net/overlay/x.env: is a pointer of Git LFS"},
		"a description":     {map[string]string{k: "labels: [{pairs: {a: b}}]", "../more.cue": pointer}, "net/more.cue:1:1: error: is a pointer of Git LFS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := layered(t, c.files)
			for _, args := range [][]string{{"vet", "net"}, {"vet", "net", "--rev", "HEAD"}} {
				code, out, errOut := runIn(h.dir, nil, args...)
				if code != exitInvalid || strings.Count(out, c.want) != 1 || !strings.Contains(out, "git lfs pull") {
					t.Errorf("%v: exit %d, want once %s\n%s%s", args, code, c.want, out, errOut)
				}
			}
		})
	}
}

// An address of a base is told without the token in it.
func TestOverlayAddress(t *testing.T) {
	t.Parallel()
	h := layered(t, map[string]string{"kustomization.yaml": "resources: ['https://me:hunter2@example.com/base']\n"})
	for _, format := range []string{"text", "json"} {
		code, out, errOut := runIn(h.dir, nil, "vet", "net", "--format", format)
		if out += errOut; code != exitInvalid || !strings.Contains(out, "https://…@example.com/base") || strings.Contains(out, "hunter2") {
			t.Errorf("%s: exit %d\n%s", format, code, out)
		}
	}
}

// What is in a submodule that is not checked out is called that.
func TestSubmodules(t *testing.T) {
	t.Parallel()
	inner := layered(t, map[string]string{"kustomization.yaml": "labels: [{pairs: {a: b}}]"})
	h := layered(t, map[string]string{"kustomization.yaml": "resources: [../../vendor/net/overlay]"})
	h.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.dir, "vendor")
	h.commit("site/net.cue", "package p\nnetwork: \"n\"\nclusters: c: {}\nsites: s: {cluster: \"c\", namespace: \"s\", overlay: \"../vendor/net/overlay\"}\n",
		"own/net.cue", "package p\nnetwork: \"n\"\nclusters: c: {}\nsites: s: {cluster: \"c\", namespace: \"s\", overlay: \"../vendor\"}\n")
	if code, out, errOut := runIn(h.dir, nil, "vet", "site"); code != 0 {
		t.Errorf("checked out: exit %d\n%s%s", code, out, errOut)
	}
	if code, out, _ := runIn(h.dir, nil, "vet", "own"); code != exitInvalid || !strings.Contains(out, "vendor: has no kustomization.yaml") {
		t.Errorf("checked out, without a kustomization: exit %d\n%s", code, out)
	}
	clone := history{t, filepath.Join(t.TempDir(), "clone")}
	gitIn(t, h.dir, "clone", "-q", ".", clone.dir)
	for _, dir := range []string{"net", "site", "own", "vendor", "vendor/net"} {
		code, out, errOut := runIn(clone.dir, nil, "vet", dir)
		if out += errOut; code != exitInvalid || !strings.Contains(out, `is in the submodule "vendor", which is not checked out`) ||
			!strings.Contains(out, "git submodule update --init vendor") {
			t.Errorf("%s: exit %d\n%s", dir, code, out)
		}
		code, out, errOut = runIn(clone.dir, nil, "vet", dir, "--rev", "HEAD")
		if out += errOut; code != exitInvalid || !strings.Contains(out, `is in the submodule "vendor", whose files another repository holds`) {
			t.Errorf("%s of a revision: exit %d\n%s", dir, code, out)
		}
	}
}
