package revision_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema/revision"
)

func linksRepo(t *testing.T) repo {
	r := newRepo(t)
	r.write("a/b/file.cue", "package b\n")
	r.write("run.sh", "#!/bin/sh\n")
	r.git("add", "run.sh")
	r.link("a/b", "dir")
	r.link("../../run.sh", "a/b/up")
	r.link("dir/file.cue", "through")
	r.commit("links")
	return r
}

func TestFileSystems(t *testing.T) {
	t.Parallel()
	r := linksRepo(t)
	r.git("update-index", "--chmod=+x", "run.sh")
	r.git("commit", "-q", "-m", "mode")
	tree, err := revision.At(t.Context(), r.dir, "main")
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(tree.FS, "a/b/file.cue", "run.sh", "dir", "through"); err != nil {
		t.Error(err)
	}
	got := map[string]string{}
	for _, name := range []string{".", "a", "a/b/file.cue", "run.sh", "dir", "through", "a/b/up"} {
		info, err := fs.Lstat(tree.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = fmt.Sprint(info.Mode(), info.Size())
	}
	want := map[string]string{
		".": "dr-xr-xr-x0", "a": "dr-xr-xr-x0", "a/b/file.cue": "-r--r--r--10", "run.sh": "-r-xr-xr-x10",
		"dir": "Lrwxrwxrwx3", "through": "Lrwxrwxrwx12", "a/b/up": "Lrwxrwxrwx12",
	}
	for name := range want {
		want[name] = want[name][:10] + " " + want[name][10:]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modes and sizes (-want +got):\n%s", diff)
	}
	work, err := revision.WorkTree(t.Context(), r.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, fsys := range []fs.FS{tree.FS, work.FS} {
		for name, want := range map[string]string{"dir/file.cue": "package b\n", "through": "package b\n", "dir/up": "#!/bin/sh\n"} {
			content, err := fs.ReadFile(fsys, name)
			if err != nil || string(content) != want {
				t.Errorf("%s: got %q, %v", name, content, err)
			}
		}
		if entries, err := fs.ReadDir(fsys, "dir"); err != nil || len(entries) != 2 {
			t.Errorf("dir: got %v, %v", entries, err)
		}
		if target, err := fs.ReadLink(fsys, "a/b/up"); err != nil || target != "../../run.sh" {
			t.Errorf("a/b/up: got %q, %v", target, err)
		}
		sub, err := fs.Sub(fsys, "dir")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fs.Stat(sub, "file.cue"); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"none", "run.sh/x"} {
			if _, err := fsys.Open(name); err == nil {
				t.Errorf("%s: opened", name)
			}
		}
	}
}

func TestLinksStayInside(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.write("f", "x")
	r.link("../outside", "out")
	r.link("/etc", "abs")
	r.link("self", "self")
	r.link("nowhere", "dangling")
	r.commit("links")
	repo{t, filepath.Dir(r.dir)}.write("outside/secret", "s")
	tree, err := revision.At(t.Context(), r.dir, "main")
	if err != nil {
		t.Fatal(err)
	}
	work, err := revision.WorkTree(t.Context(), r.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, fsys := range []fs.FS{tree.FS, work.FS} {
		for _, name := range []string{"out", "out/secret", "abs", "abs/passwd"} {
			_, err := fs.Stat(fsys, name)
			checkError(t, name, err, revision.ErrEscape, "copy what it points to")
			_, err = fs.ReadFile(fsys, name)
			checkError(t, name, err, revision.ErrEscape, name)
			_, err = fsys.Open(name)
			checkError(t, name, err, revision.ErrEscape, name)
			_, err = fs.ReadDir(fsys, name)
			checkError(t, name, err, revision.ErrEscape, name)
		}
		_, err := fsys.Open("self")
		checkError(t, "self", err, nil, "too many levels of symbolic links")
		_, err = fsys.Open("dangling")
		checkError(t, "dangling", err, fs.ErrNotExist, "dangling")
	}
}

func TestSubmodule(t *testing.T) {
	t.Parallel()
	inner := newRepo(t)
	inner.history()
	r := newRepo(t)
	r.write("net.cue", "package net\n")
	r.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.dir, "sub")
	r.commit("sub")
	tree, err := revision.At(t.Context(), r.dir, "main")
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(tree.FS, "sub", "net.cue"); err != nil {
		t.Error(err)
	}
	_, err = fs.ReadFile(tree.FS, "sub/prod/net.cue")
	checkError(t, "sub/prod", err, fs.ErrNotExist, "submodule")
	work, err := revision.WorkTree(t.Context(), r.dir)
	if err != nil || work.Facts.Dirty {
		t.Errorf("got %+v, %v", work.Facts, err)
	}
	below, err := revision.At(t.Context(), r.dir+"/sub/prod", "light")
	if err != nil || below.Dir != "prod" || below.Facts.Commit != inner.git("rev-parse", "light") {
		t.Errorf("got %+v, %v", below, err)
	}
}

func TestManyFilesAreReadLazily(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	for i := range 10 {
		for j := range 20 {
			r.write(fmt.Sprintf("d%d/f%d.cue", i, j), fmt.Sprint(i, j))
		}
	}
	r.write("want/net.cue", "package net\n")
	r.commit("many")
	// Only what is asked for is in the object database.
	for _, name := range []string{"d0/f0.cue", "d1"} {
		hash := r.git("rev-parse", "HEAD:"+name)
		remove(t, filepath.Join(r.dir, ".git/objects", hash[:2], hash[2:]))
	}
	tree, err := revision.At(t.Context(), r.dir+"/want", "main")
	if err != nil {
		t.Fatal(err)
	}
	if content, err := fs.ReadFile(tree.FS, "want/net.cue"); err != nil || len(content) == 0 {
		t.Error(err)
	}
	_, err = fs.ReadFile(tree.FS, "d0/f0.cue")
	checkError(t, "d0/f0.cue", err, revision.ErrIncomplete, "git fsck")
	_, err = fs.ReadDir(tree.FS, "d1")
	checkError(t, "d1", err, revision.ErrIncomplete, "git fsck")
}

func TestConcurrentReads(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	r.git("gc", "-q")
	tree, err := revision.At(t.Context(), r.dir, "main")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := fs.WalkDir(tree.FS, ".", func(name string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					_, err = fs.ReadFile(tree.FS, name)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
