package revision_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"fairlead.dev/fairlead/schema/revision"
)

// revisions maps what a user may ask for to the short name expected; the commit
// is whatever git rev-parse says.
var revisions = map[string]string{
	"HEAD":                     "main",
	"@":                        "main",
	"main":                     "main",
	"heads/main":               "main",
	"refs/heads/main":          "main",
	"feature/one":              "feature/one",
	"beef":                     "beef",
	"light":                    "light",
	"tags/light":               "light",
	"refs/tags/v1.2":           "v1.2",
	"v1.2":                     "v1.2",
	"v1.2-signed":              "v1.2-signed",
	"v1.2^{}":                  "v1.2",
	"v1.2^{commit}":            "v1.2",
	"v1.2^0":                   "v1.2",
	"v1.2~0":                   "v1.2",
	"origin/main":              "origin/main",
	"refs/remotes/origin/main": "origin/main",
	"origin":                   "origin/main",
	"HEAD^":                    "",
	"HEAD~2":                   "",
	"HEAD^1":                   "",
	"HEAD^2":                   "",
	"HEAD^3":                   "",
	"HEAD^3~1^":                "",
	"HEAD^^":                   "",
	"main~1":                   "",
	"main~1^{commit}":          "",
	"v1.2~1":                   "",
	"origin/main~1":            "",
	"two^":                     "",
}

func TestAtAgreesWithGit(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	t.Run("loose", func(t *testing.T) { checkRevisions(t, r, r.dir) })
	r.git("gc", "-q")
	r.git("pack-refs", "--all")
	t.Run("packed", func(t *testing.T) { checkRevisions(t, r, r.dir) })
	bare := r.in(filepath.Join(filepath.Dir(r.dir), "bare.git"))
	r.git("clone", "-q", "--mirror", r.dir, bare.dir)
	bare.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	t.Run("bare", func(t *testing.T) { checkRevisions(t, bare, bare.dir) })
	r.git("worktree", "add", "-q", "--detach", "../linked", "v1.2")
	linked := r.in(filepath.Join(filepath.Dir(r.dir), "linked"))
	t.Run("linked", func(t *testing.T) {
		for rev := range revisions {
			if strings.ContainsAny(rev[:1], "H@") && rev != "HEAD" && rev != "@" {
				continue // relative to another commit here, which has fewer parents
			}
			checkCommit(t, linked, filepath.Join(linked.dir, "prod"), rev)
		}
		tree, err := revision.WorkTree(t.Context(), linked.dir)
		if err != nil || tree.Facts.Commit != r.git("rev-parse", "v1.2^{}") || tree.Facts.Ref != "" || tree.Facts.Dirty {
			t.Errorf("got %+v, %v", tree.Facts, err)
		}
	})
	shared := r.in(filepath.Join(filepath.Dir(r.dir), "shared"))
	r.git("clone", "-q", "--shared", r.dir, shared.dir)
	t.Run("alternates", func(t *testing.T) { checkCommit(t, shared, shared.dir, "origin/main~1") })
	if err := os.WriteFile(filepath.Join(shared.dir, ".git/objects/info/alternates"), []byte("../../../repo/.git/objects\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Run("relative alternates", func(t *testing.T) {
		checkCommit(t, shared, shared.dir, "origin/main~1")
		checkCommit(t, shared, shared.dir, r.git("rev-parse", "--short", "light"))
	})
}

func checkRevisions(t *testing.T, r repo, path string) {
	t.Helper()
	want := map[string]string{}
	got := map[string]string{}
	for rev, ref := range revisions {
		want[rev] = ref
		got[rev] = checkCommit(t, r, path, rev).Facts.Ref
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("short names (-want +got):\n%s", diff)
	}
	for _, rev := range []string{"HEAD", "light", "v1.2"} {
		for _, args := range [][]string{{}, {"--short=4"}, {"--short=7"}, {"--short=9"}} {
			checkCommit(t, r, path, r.git(append(append([]string{"rev-parse"}, args...), rev+"^{commit}")...))
		}
	}
	checkCommit(t, r, path, r.git("rev-parse", "v1.2"))
	checkCommit(t, r, path, r.git("describe", "main"))
}

// checkCommit compares the commit and a file with what git shows.
func checkCommit(t *testing.T, r repo, path, rev string) revision.Tree {
	t.Helper()
	tree, err := revision.At(t.Context(), path, rev)
	if err != nil {
		t.Errorf("%s: %v", rev, err)
		return tree
	}
	if want := r.git("rev-parse", rev+"^{commit}"); tree.Facts.Commit != want {
		t.Errorf("%s: got commit %s, want %s", rev, tree.Facts.Commit, want)
	}
	if tree.Facts.Committed != "2026-01-02T01:04:05Z" {
		t.Errorf("%s: got time %s", rev, tree.Facts.Committed)
	}
	content, err := fs.ReadFile(tree.FS, "prod/net.cue")
	if want := r.git("show", rev+":prod/net.cue"); err != nil || strings.TrimSpace(string(content)) != want {
		t.Errorf("%s: got %q, %v, want %q", rev, content, err, want)
	}
	if tree.Root != "" || tree.Facts.Dirty {
		t.Errorf("%s: a commit has no root and is never dirty: %+v", rev, tree)
	}
	return tree
}

func TestAtPlaces(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	r.git("rm", "-q", "-r", "step0")
	r.commit("gone")
	base := filepath.Dir(r.dir)
	r.git("clone", "-q", "--bare", r.dir, "../net.git")
	if err := os.Symlink(r.dir+"/prod", filepath.Join(base, "outside-link")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, dir string }{
		{r.dir, "."},
		{r.dir + "/prod", "prod"},
		{r.dir + "/step0", "step0"},
		{r.dir + "/.git", "."},
		{base + "/net.git", "."},
		{base + "/net.git//prod", "prod"},
		{base + "/outside-link", "prod"},
	} {
		tree, err := revision.At(t.Context(), test.path, "main~1")
		if err != nil || tree.Dir != test.dir {
			t.Errorf("%s: got %q, %v", test.path, tree.Dir, err)
		}
	}
}

func TestAtMistakes(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	blob := r.git("rev-parse", "HEAD:prod/net.cue")
	r.git("tag", "a-file", blob)
	for _, test := range []struct {
		path, rev string
		is        error
		want      string
	}{
		{".", "", revision.ErrUnknownRevision, "name a branch"},
		{".", "mian", revision.ErrUnknownRevision, "did you mean main, origin/main?"},
		{".", "topic", revision.ErrUnknownRevision, "did you mean origin/topic?"},
		{".", "zzzzzzzz", revision.ErrUnknownRevision, "git branch --all"},
		{".", "../config", revision.ErrUnknownRevision, "range"},
		{".", "refs/heads", revision.ErrUnknownRevision, "no such revision"},
		{".", "config", revision.ErrUnknownRevision, "no such revision"},
		{".", strings.Repeat("0", 40), revision.ErrUnknownRevision, "no such revision"},
		{".", "main~99", revision.ErrUnknownRevision, "is the first and has no parent"},
		{".", "main^4", revision.ErrUnknownRevision, "has 3 parents, not 4"},
		{".", "main~99999999999999999999", revision.ErrUnknownRevision, "too large"},
		{".", "main^{tree}", revision.ErrUnknownRevision, "not understood"},
		{".", "main@{1}", revision.ErrUnknownRevision, "@{...} is not supported"},
		{".", "main:prod", revision.ErrUnknownRevision, "give the path as the package"},
		{".", "main..two", revision.ErrUnknownRevision, "range"},
		{".", "~1", revision.ErrUnknownRevision, "empty"},
		{".", "a-file", revision.ErrUnknownRevision, "names a blob, not a commit"},
		{"envs/prod", "main", fs.ErrNotExist, `there is ".", with cue.mod, prod, step0`},
		{"step2", "v1.2", fs.ErrNotExist, `step2: at revision "v1.2": no such directory`},
		{"prod/net.cue", "main", nil, "is a file; name the directory"},
	} {
		_, err := revision.At(t.Context(), filepath.Join(r.dir, test.path), test.rev)
		checkError(t, test.path+"@"+test.rev, err, test.is, test.want)
	}
	_, err := revision.At(t.Context(), realTemp(t), "main")
	checkError(t, "outside", err, revision.ErrNotRepository, "can be read only from one")
	_, err = revision.At(t.Context(), newRepo(t).dir, "HEAD")
	checkError(t, "no commits", err, revision.ErrUnknownRevision, "has no commits yet")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = revision.At(ctx, r.dir, "main~1")
	checkError(t, "cancelled", err, context.Canceled, "canceled")
}

func checkError(t *testing.T, name string, err, is error, want string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s: no error, want %q", name, want)
	case is != nil && !errors.Is(err, is):
		t.Errorf("%s: got %v, want it to wrap %v", name, err, is)
	case !strings.Contains(err.Error(), want):
		t.Errorf("%s: got %v, want %q in it", name, err, want)
	}
}

func TestAmbiguousHash(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	tree := r.git("hash-object", "-t", "tree", "-w", "--stdin")
	seen := map[string]string{}
	for i := range 3000 {
		commit := r.git("commit-tree", "-m", strings.Repeat("x", i+1), tree)
		if other, ok := seen[commit[:4]]; ok {
			r.git("update-ref", "refs/heads/main", commit)
			_, err := revision.At(t.Context(), r.dir, commit[:4])
			checkError(t, commit[:4], err, revision.ErrUnknownRevision, "short for 2 commits")
			checkError(t, other, err, nil, other[:12])
			return
		}
		seen[commit[:4]] = commit
	}
	t.Skip("no two hashes met")
}

func TestShallowClone(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	clone := r.in(filepath.Join(filepath.Dir(r.dir), "shallow"))
	r.git("clone", "-q", "--depth", "1", "file://"+r.dir, clone.dir)
	tree, err := revision.At(t.Context(), clone.dir, "HEAD")
	if err != nil || tree.Facts.Commit != r.git("rev-parse", "HEAD") {
		t.Errorf("got %+v, %v", tree.Facts, err)
	}
	_, err = revision.At(t.Context(), clone.dir, "HEAD~1")
	checkError(t, "HEAD~1", err, revision.ErrShallow, "fetch-depth: 0")
	_, err = revision.At(t.Context(), clone.dir, r.git("rev-parse", "HEAD~1"))
	checkError(t, "hash", err, revision.ErrUnknownRevision, "fetch-depth: 0")
	clone.git("checkout", "-q", "--detach")
	work, err := revision.WorkTree(t.Context(), clone.dir)
	if err != nil || work.Facts.Ref != "" || work.Facts.Commit != tree.Facts.Commit || work.Facts.Dirty {
		t.Errorf("got %+v, %v", work.Facts, err)
	}
	clone.git("fetch", "-q", "origin", "two")
	checkCommit(t, clone, clone.dir, "FETCH_HEAD")
}

func TestPartialClone(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	r.git("config", "uploadpack.allowFilter", "true")
	clone := r.in(filepath.Join(filepath.Dir(r.dir), "partial"))
	r.git("clone", "-q", "--filter=blob:none", "file://"+r.dir, clone.dir)
	work, err := revision.WorkTree(t.Context(), clone.dir)
	if err != nil || work.Facts.Dirty {
		t.Errorf("got %+v, %v", work.Facts, err)
	}
	tree, err := revision.At(t.Context(), clone.dir, "v1.2~1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = fs.ReadFile(tree.FS, "prod/net.cue")
	checkError(t, "prod/net.cue", err, revision.ErrIncomplete, "partial clone")
}

func TestFormatsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	sha256 := newRepo(t, "--object-format=sha256")
	sha256.commit("x")
	reftable := newRepo(t)
	reftable.commit("x")
	reftable.git("config", "core.repositoryformatversion", "1")
	reftable.git("config", "extensions.refStorage", "reftable")
	future := newRepo(t)
	future.git("config", "core.repositoryformatversion", "2")
	unknown := newRepo(t)
	unknown.git("config", "core.repositoryformatversion", "1")
	unknown.git("config", "extensions.shiny", "true")
	for want, r := range map[string]repo{"sha256": sha256, "reftable": reftable, "version 2": future, "extension shiny": unknown} {
		_, err := revision.At(t.Context(), r.dir, "HEAD")
		checkError(t, want, err, revision.ErrUnsupported, want)
		checkUnread(t, r.dir, revision.ErrUnsupported, want)
	}
}

// checkUnread wants the work tree read, and nothing known of its commit.
func checkUnread(t *testing.T, dir string, is error, want string) {
	t.Helper()
	tree, err := revision.WorkTree(t.Context(), dir)
	if err != nil || tree.FS == nil || tree.Root != dir || tree.Facts != (revision.Facts{}) {
		t.Errorf("got %+v, %v", tree, err)
	}
	checkError(t, want, tree.Unread, is, want)
}

// An extension that git does not know holds up nothing where git passes over it.
func TestExtensionsOfVersion0(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.git("config", "extensions.shiny", "true")
	r.commit("x")
	if tree, err := revision.WorkTree(t.Context(), r.dir); err != nil || tree.Unread != nil || tree.Facts.Commit == "" {
		t.Errorf("got %+v, %v", tree, err)
	}
}

func TestDamagedRepository(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	r.git("gc", "-q")
	packs, err := filepath.Glob(filepath.Join(r.dir, ".git/objects/pack/*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	if err := os.Chmod(packs[0], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(packs[0], 40); err != nil {
		t.Fatal(err)
	}
	_, err = revision.At(t.Context(), r.dir, "main")
	checkError(t, "truncated", err, nil, `revision "main"`)
	checkUnread(t, r.dir, nil, "HEAD")
}

// TestMangledPack damages a packed repository in many places: whatever it reads,
// nothing panics.
func TestMangledPack(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	r.git("gc", "-q")
	for _, pattern := range []string{"*.pack", "*.idx"} {
		files, err := filepath.Glob(filepath.Join(r.dir, ".git/objects/pack", pattern))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		whole, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		remove(t, files[0])
		for at := 0; at < len(whole); at += 1 + len(whole)/25 {
			mangled := bytes.Clone(whole)
			mangled[at] ^= 0x55
			if err := os.WriteFile(files[0], mangled, 0o644); err != nil {
				t.Fatal(err)
			}
			readAll(t.Context(), r.dir)
		}
		if err := os.WriteFile(files[0], whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	checkCommit(t, r, r.dir, "main")
}

// readAll reads what it can and ignores errors.
func readAll(ctx context.Context, dir string) {
	_, _ = revision.WorkTree(ctx, dir)
	tree, err := revision.At(ctx, dir, "v1.2")
	if err != nil {
		return
	}
	_ = fs.WalkDir(tree.FS, ".", func(name string, _ fs.DirEntry, _ error) error {
		_, _ = fs.ReadFile(tree.FS, name)
		return nil
	})
}

// TestGitDirElsewhere covers a .git that is a symbolic link, and a path through a
// link inside the repository, which keeps its own name.
func TestGitDirElsewhere(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	r.link("prod", "current")
	r.commit("link")
	if err := os.Rename(r.dir+"/.git", r.dir+".moved"); err != nil {
		t.Fatal(err)
	}
	r.link("../repo.moved", ".git")
	checkCommit(t, r, r.dir, "main~1")
	tree, err := revision.At(t.Context(), r.dir+"/current", "main")
	if err != nil || tree.Dir != "current" {
		t.Errorf("got %q, %v", tree.Dir, err)
	}
	if _, err := fs.Stat(tree.FS, "current/net.cue"); err != nil {
		t.Error(err)
	}
}

func TestNothingIsWritten(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.history()
	r.write("prod/net.cue", "package changed\n")
	before := fingerprint(t, r.dir)
	if _, err := revision.WorkTree(t.Context(), r.dir); err != nil {
		t.Error(err)
	}
	tree, err := revision.At(t.Context(), r.dir, "v1.2")
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(tree.FS, "prod/net.cue"); err != nil {
		t.Error(err)
	}
	if after := fingerprint(t, r.dir); after != before {
		t.Error("the repository has changed")
	}
}
