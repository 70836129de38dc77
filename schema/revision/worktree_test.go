package revision_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fairlead.dev/fairlead/schema/revision"
)

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

func TestWorkTree(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	got, err := revision.WorkTree(t.Context(), r.dir+"/prod")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(got.FS, "prod/net.cue"); err != nil {
		t.Error(err)
	}
	got.FS = nil
	want := revision.Tree{Dir: "prod", Root: r.dir, Facts: revision.Facts{
		Commit: r.git("rev-parse", "HEAD"), Ref: "main",
		Committed: "2026-01-02T01:04:05Z", Remote: "https://example.com/net.git",
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(revision.Tree{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWorkTreeOutsideRepository(t *testing.T) {
	t.Parallel()
	r := repo{t, realTemp(t)}
	r.write("plain/net.cue", "package net\n")
	r.write("mod/cue.mod/module.cue", "module: \"x\"\n")
	r.write("mod/env/prod/net.cue", "package net\n")
	for path, want := range map[string]revision.Tree{
		"plain":        {Dir: ".", Root: r.dir + "/plain"},
		"mod/env/prod": {Dir: "env/prod", Root: r.dir + "/mod"},
	} {
		got, err := revision.WorkTree(t.Context(), filepath.Join(r.dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fs.Stat(got.FS, got.Dir+"/net.cue"); got.Dir != "." && err != nil {
			t.Error(err)
		}
		got.FS = nil
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(revision.Tree{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestWorkTreeMistakes(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	r.git("clone", "-q", "--bare", r.dir, "../bare.git")
	broken := repo{t, realTemp(t)}
	broken.write(".git", "gitdir: /nowhere/at/all\n")
	for path, want := range map[string]string{
		r.dir + "/none":         "no such directory",
		r.dir + "/prod/net.cue": "is a file; name the directory",
		r.dir + "/../bare.git":  "bare repository, which has no work tree",
		broken.dir:              "points to /nowhere/at/all, which is not a repository",
	} {
		_, err := revision.WorkTree(t.Context(), path)
		checkError(t, path, err, nil, want)
	}
}

func TestWorkTreeWithoutCommits(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	tree, err := revision.WorkTree(t.Context(), r.dir)
	if diff := cmp.Diff(revision.Facts{Ref: "main"}, tree.Facts); err != nil || diff != "" {
		t.Error(err, diff)
	}
	r.write("net.cue", "package net\n")
	tree, err = revision.WorkTree(t.Context(), r.dir)
	if diff := cmp.Diff(revision.Facts{Ref: "main", Dirty: true, Untracked: "net.cue"}, tree.Facts); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestDirty(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(r repo)
		want   bool
	}{
		"clean":                        {func(r repo) {}, false},
		"changed":                      {func(r repo) { r.write("env/prod/net.cue", "x: 2\n") }, true},
		"same length":                  {func(r repo) { r.write("env/prod/net.cue", "x: 9\n") }, true},
		"touched only":                 {func(r repo) { r.write("env/prod/net.cue", "x: 1\n") }, false},
		"line endings only":            {func(r repo) { r.write("env/prod/net.cue", "x: 1\r\n") }, false},
		"staged":                       {func(r repo) { r.write("env/prod/net.cue", "x: 2\n"); r.git("add", "-A") }, true},
		"deleted":                      {func(r repo) { remove(r.t, r.dir+"/env/prod/net.cue") }, true},
		"directory deleted":            {func(r repo) { r.git("rm", "-q", "-r", "env/prod/overlay") }, true},
		"untracked in the package":     {func(r repo) { r.write("env/prod/overlay/new.yaml", "") }, true},
		"untracked and staged":         {func(r repo) { r.write("env/prod/new.cue", ""); r.git("add", "-A") }, true},
		"ignored":                      {func(r repo) { r.write("env/prod/a.log", ""); r.write("env/prod/tmp/x.cue", "") }, false},
		"ignored by exclude":           {func(r repo) { r.write("env/prod/private.txt", "") }, false},
		"ignored below, not here":      {func(r repo) { r.write("env/prod/keep.log", "") }, true},
		"ignored, added by force":      {func(r repo) { r.write("env/prod/a.log", ""); r.git("add", "-f", "env/prod/a.log") }, true},
		"ignored directory, forced":    {func(r repo) { r.write("env/prod/tmp/x", ""); r.git("add", "-f", "env/prod/tmp/x") }, true},
		"committed though ignored":     {func(r repo) { r.write("env/prod/kept.log", "other") }, true},
		"imported package":             {func(r repo) { r.write("lib/lib.cue", "package other\n") }, true},
		"new file of imported":         {func(r repo) { r.write("lib/more.cue", "") }, true},
		"vendored module":              {func(r repo) { r.write("cue.mod/pkg/x.com/y/y.cue", "") }, true},
		"other kind of file elsewhere": {func(r repo) { r.write("README.md", "new"); r.write("lib/notes.txt", "") }, false},
		"executable":                   {func(r repo) { _ = os.Chmod(r.dir+"/env/prod/net.cue", 0o755) }, true},
		"executable, modes not kept": {func(r repo) {
			r.git("config", "core.filemode", "false")
			_ = os.Chmod(r.dir+"/env/prod/net.cue", 0o755)
		}, false},
		"link to another":                 {func(r repo) { remove(r.t, r.dir+"/env/prod/link"); r.link("lib", "env/prod/link") }, true},
		"link became file":                {func(r repo) { remove(r.t, r.dir+"/env/prod/link"); r.write("env/prod/link", "net.cue") }, true},
		"file became link":                {func(r repo) { remove(r.t, r.dir+"/env/prod/net.cue"); r.link("link", "env/prod/net.cue") }, true},
		"file became directory":           {func(r repo) { remove(r.t, r.dir+"/env/prod/net.cue"); r.write("env/prod/net.cue/x", "") }, true},
		"directory became file":           {func(r repo) { _ = os.RemoveAll(r.dir + "/env/prod/overlay"); r.write("env/prod/overlay", "") }, true},
		"binary with another line ending": {func(r repo) { r.write("env/prod/bin", "\x00\r\n") }, true},
		"sparse": {func(r repo) {
			r.git("config", "core.sparseCheckout", "true")
			r.write(".git/info/sparse-checkout", "/env/\n")
			r.git("read-tree", "-mu", "HEAD")
		}, false},
		"packed index of version 4": {func(r repo) { r.git("update-index", "--index-version", "4"); r.write("env/prod/x", "") }, true},
		"split index":               {func(r repo) { r.git("update-index", "--split-index") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := dirtyRepo(t)
			test.change(r)
			tree, err := revision.WorkTree(t.Context(), r.dir+"/env/prod")
			if err != nil || tree.Facts.Dirty != test.want {
				t.Errorf("got %v, %v, want %v\n%s", tree.Facts.Dirty, err, test.want, r.git("status", "--short"))
			}
		})
	}
}

// A dirty work tree names what changed first, by name, and one file that is new.
func TestDirtyNames(t *testing.T) {
	t.Parallel()
	r := dirtyRepo(t)
	facts := func() revision.Facts {
		tree, err := revision.WorkTree(t.Context(), r.dir+"/env/prod")
		if err != nil {
			t.Fatal(err)
		}
		return tree.Facts
	}
	r.write("env/prod/plan.json", "{}")
	if f := facts(); f.Changed != "" || f.Untracked != "env/prod/plan.json" {
		t.Errorf("got %+v", f)
	}
	remove(t, r.dir+"/env/prod/plan.json")
	r.write("lib/lib.cue", "package other\n")
	r.write("env/prod/overlay/site.yaml", "x")
	if f := facts(); f.Changed != "env/prod/overlay/site.yaml" || f.Untracked != "" {
		t.Errorf("got %+v", f)
	}
}

// What a checkout leaves out on purpose is told, and nothing else hides a change.
func TestAbsent(t *testing.T) {
	t.Parallel()
	sparse := func(patterns string) func(r repo) {
		return func(r repo) {
			r.git("config", "core.sparseCheckout", "true")
			r.write(".git/info/sparse-checkout", patterns)
			r.git("read-tree", "-mu", "HEAD")
		}
	}
	for name, test := range map[string]struct {
		change          func(r repo)
		absent, changed string
	}{
		"nothing":              {func(repo) {}, "", ""},
		"a file":               {sparse("/*\n!/env/prod/net.cue\n"), "env/prod/net.cue", ""},
		"a file of an overlay": {sparse("/*\n!/env/prod/overlay/\n"), "env/prod/overlay/site.yaml", ""},
		"another package":      {sparse("/*\n!/lib/\n"), "lib/lib.cue", ""},
		"the module":           {sparse("/*\n!/cue.mod/\n"), "cue.mod/module.cue", ""},
		"what is not read":     {sparse("/*\n!/other/\n"), "", ""},
		"skip-worktree": {func(r repo) {
			r.git("update-index", "--skip-worktree", "env/prod/net.cue")
			remove(r.t, r.dir+"/env/prod/net.cue")
		}, "env/prod/net.cue", ""},
		"skip-worktree, changed": {func(r repo) {
			r.git("update-index", "--skip-worktree", "env/prod/net.cue")
			r.write("env/prod/net.cue", "x: 2\n")
		}, "", "env/prod/net.cue"},
		"assume-unchanged, changed": {func(r repo) {
			r.git("update-index", "--assume-unchanged", "env/prod/net.cue")
			r.write("env/prod/net.cue", "x: 2\n")
		}, "", "env/prod/net.cue"},
		"assume-unchanged, gone": {func(r repo) {
			r.git("update-index", "--assume-unchanged", "env/prod/net.cue")
			remove(r.t, r.dir+"/env/prod/net.cue")
		}, "", "env/prod/net.cue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := dirtyRepo(t)
			r.write("other/notes.txt", "x")
			r.commit("more")
			test.change(r)
			tree, err := revision.WorkTree(t.Context(), r.dir+"/env/prod")
			if err != nil || tree.Facts.Absent != test.absent || tree.Facts.Changed != test.changed {
				t.Errorf("%v: absent %q, changed %q\n%s", err, tree.Facts.Absent, tree.Facts.Changed, r.git("ls-files", "-v"))
			}
		})
	}
}

func dirtyRepo(t *testing.T) repo {
	t.Helper()
	r := newRepo(t)
	r.write("cue.mod/module.cue", "module: \"example.com\"\n")
	r.write(".gitignore", "*.log\ntmp/\r\n# comment\n")
	r.write("env/prod/.gitignore", "!keep.log\n")
	r.write("env/prod/net.cue", "x: 1\n")
	r.write("env/prod/bin", "\x00\n")
	r.write("env/prod/kept.log", "log")
	r.write("env/prod/overlay/site.yaml", "a: b\n")
	r.write("lib/lib.cue", "package lib\n")
	r.link("net.cue", "env/prod/link")
	r.git("add", "-f", "env/prod/kept.log")
	r.commit("base")
	r.write(".git/info/exclude", "private.txt\n")
	return r
}

func TestDirtyWithoutModule(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.write("top.cue", "package net\n")
	r.write("env/prod/net.cue", "package net\n")
	r.commit("base")
	dirty := func() bool {
		tree, err := revision.WorkTree(t.Context(), r.dir+"/env/prod")
		if err != nil {
			t.Fatal(err)
		}
		return tree.Facts.Dirty
	}
	r.write("other/x.cue", "package x\n")
	if dirty() {
		t.Error("another directory's file is not read")
	}
	r.write("top.cue", "package net // changed\n")
	if !dirty() {
		t.Error("a parent's file may be read")
	}
}

func TestRemote(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	for remote, want := range map[string]string{
		"https://user:pw@example.com/a.git":      "https://example.com/a.git",
		"https://token@example.com/a.git#x":      "https://example.com/a.git",
		"https://example.com:8443/a.git?k=v":     "https://example.com:8443/a.git",
		"https://u:p%zz@example.com/a.git?token": "https://example.com/a.git",
		"ssh://git:pw@example.com:22/a.git":      "ssh://git@example.com:22/a.git",
		"git@example.com:net/a.git":              "git@example.com:net/a.git",
		"user:pw@example.com:net/a.git":          "example.com:net/a.git",
		"/srv/net.git":                           "/srv/net.git",
		"file:///srv/net.git":                    "file:///srv/net.git",
	} {
		r.git("config", "remote.origin.url", remote)
		tree, err := revision.WorkTree(t.Context(), r.dir)
		if err != nil || tree.Facts.Remote != want || strings.Contains(tree.Facts.Remote, "pw") {
			t.Errorf("%s: got %q, %v, want %q", remote, tree.Facts.Remote, err, want)
		}
	}
}
