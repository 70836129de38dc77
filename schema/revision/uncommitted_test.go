package revision_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema/revision"
)

func TestUncommitted(t *testing.T) {
	t.Parallel()
	files := []string{"env/prod/net.cue", "env/prod/link", "base/site.yaml", "through/site.yaml", "env/prod/crlf.txt"}
	for name, test := range map[string]struct {
		change func(r repo)
		read   []string
		want   []string
	}{
		"nothing":            {func(r repo) {}, nil, nil},
		"far away, but read": {func(r repo) { r.write("base/site.yaml", "b: c\n") }, nil, []string{"base/site.yaml", "through/site.yaml"}},
		"far away, and not":  {func(r repo) { r.write("base/other.yaml", "b: c\n") }, nil, nil},
		"new":                {func(r repo) { r.write("base/new.yaml", "") }, []string{"base/new.yaml"}, []string{"base/new.yaml"}},
		"ignored":            {func(r repo) { r.write("base/a.log", "") }, []string{"base/a.log"}, []string{"base/a.log"}},
		"staged":             {func(r repo) { r.write("base/site.yaml", "b: c\n"); r.git("add", "-A") }, nil, []string{"base/site.yaml", "through/site.yaml"}},
		"gone":               {func(r repo) { remove(r.t, r.dir+"/base/site.yaml") }, nil, []string{"base/site.yaml", "through/site.yaml"}},
		"line endings":       {func(r repo) { r.write("env/prod/crlf.txt", "a\nb\n"); r.write("base/site.yaml", "a: b\r\n") }, nil, nil},
		"mode":               {func(r repo) { r.write("base/site.yaml", "a: b\n") }, nil, nil},
		"a link to elsewhere": {func(r repo) {
			remove(r.t, r.dir+"/through")
			r.link("other", "through")
			r.write("other/site.yaml", "x")
		}, nil, []string{"through/site.yaml"}},
		"a link to the same":    {func(r repo) { remove(r.t, r.dir+"/through"); r.link("./base", "through") }, nil, nil},
		"a directory of a file": {func(r repo) { remove(r.t, r.dir+"/env/prod/link"); r.write("env/prod/link/x", "") }, []string{"env/prod/link/x"}, []string{"env/prod/link", "env/prod/link/x"}},
		"a file of a directory": {func(r repo) { remove(r.t, r.dir+"/through"); r.write("through", "x") }, []string{"through"}, []string{"through", "through/site.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t)
			r.write(".gitignore", "*.log\n")
			r.write("env/prod/net.cue", "package net\n")
			r.write("env/prod/crlf.txt", "a\r\nb\r\n")
			r.write("base/site.yaml", "a: b\n")
			r.write("base/other.yaml", "a: b\n")
			r.link("base", "through")
			r.link("net.cue", "env/prod/link")
			r.commit("base")
			test.change(r)
			tree, err := revision.WorkTree(t.Context(), r.dir+"/env/prod")
			if err != nil {
				t.Fatal(err)
			}
			got, err := tree.Uncommitted(t.Context(), append(append([]string{}, files...), test.read...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			committed, err := revision.At(t.Context(), r.dir+"/env/prod", "HEAD")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := committed.Uncommitted(t.Context(), files); err != nil || len(got) > 0 {
				t.Errorf("a revision has %v, %v", got, err)
			}
		})
	}
}

func TestUncommittedWithoutCommit(t *testing.T) {
	t.Parallel()
	fresh, outside := newRepo(t), repo{t, realTemp(t)}
	for _, r := range []repo{fresh, outside} {
		r.write("net.cue", "package net\n")
		tree, err := revision.WorkTree(t.Context(), r.dir)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tree.Uncommitted(t.Context(), []string{"net.cue"}); err != nil || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"a/x": {Data: []byte("1")}, "a/y": {Data: []byte("2")}, "b": {Data: []byte("3")}}
	if err := fstest.TestFS(revision.NewReads(tree), "a/x", "a/y", "b"); err != nil {
		t.Error(err)
	}
	r := revision.NewReads(tree)
	if diff := cmp.Diff([]string{}, r.Files()); diff != "" {
		t.Error(diff)
	}
	_, _ = fs.ReadFile(r, "b")
	_, _ = fs.ReadFile(r, "none")
	_, _ = fs.Stat(r, "a/y")
	_, _ = fs.ReadDir(r, "a")
	if f, err := r.Open("a"); err != nil || f.Close() != nil {
		t.Error(err)
	}
	if f, err := r.Open("a/x"); err != nil || f.Close() != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"a/x", "b"}, r.Files()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
