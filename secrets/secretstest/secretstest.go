// Package secretstest is the conformance suite that every secrets.Resolver passes.
package secretstest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"fairlead.dev/fairlead/secrets"
)

// Canary is the content that no error may hold.
const Canary = "canary-2718281828"

// concurrent is how many goroutines use a resolver at the same time.
const concurrent = 8

// Harness is a kind of source under test. Its functions are called in parallel.
type Harness struct {
	// Store puts content where a resolver finds it. dir is empty and this call's
	// own; the paths of the reference may be absolute.
	Store func(t *testing.T, dir, content string) (secrets.Resolver, secrets.Ref)
	// Missing gives a reference to a source that is not there.
	Missing func(t *testing.T, dir string) (secrets.Resolver, secrets.Ref)
	// Failures are other error paths; each has Canary within its source's reach.
	Failures []Failure
	// TrimsLine says that one trailing line break is cut off.
	TrimsLine bool
	// TextOnly says that the source cannot hold bytes that are not UTF-8.
	TextOnly bool
	// NoNUL says that the source cannot hold a zero byte.
	NoNUL bool
}

// Failure is a way in which a source gives no secret.
type Failure struct {
	Name string
	Make func(t *testing.T, dir string) (secrets.Resolver, secrets.Ref)
	// Want is the kind of the error.
	Want error
}

// Run tests h. It sets TMPDIR, so the test that calls it is not parallel.
func Run(t *testing.T, h Harness) {
	dirs := &directories{root: t.TempDir()}
	absent := filepath.Join(t.TempDir(), "no-temporary-files")
	t.Setenv("TMPDIR", absent)
	t.Run("suite", func(t *testing.T) {
		t.Run("contents", func(t *testing.T) { h.contents(t, dirs) })
		t.Run("missing", func(t *testing.T) { h.missing(t, dirs) })
		t.Run("failures", func(t *testing.T) { h.failures(t, dirs) })
		t.Run("empty", func(t *testing.T) { h.empty(t, dirs) })
		t.Run("too large", func(t *testing.T) { h.tooLarge(t, dirs) })
		t.Run("cancelled", func(t *testing.T) { h.cancelled(t, dirs) })
		t.Run("concurrent", func(t *testing.T) { h.concurrent(t, dirs) })
		t.Run("other source", func(t *testing.T) { h.otherSource(t, dirs) })
	})
	if _, err := os.Stat(absent); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written to TMPDIR: %v", err)
	}
}

func (h Harness) contents(t *testing.T, dirs *directories) {
	for name, content := range map[string]string{
		"plain":         Canary,
		"lines":         "-----BEGIN-----\n" + Canary + "\n-----END-----",
		"spaces":        " \t" + Canary + " ",
		"quotes":        `"` + Canary + `'\$HOME {{x}} %s`,
		"unicode":       "pässwörd-密码",
		"line break":    Canary + "\n",
		"line breaks":   Canary + "\n\n",
		"windows":       Canary + "\r\n",
		"leading break": "\n" + Canary,
		"bytes":         "\xff\xfe\x01\x80" + Canary,
		"zero byte":     "a\x00b" + Canary,
	} {
		if (h.TextOnly && name == "bytes") || (h.NoNUL && name == "zero byte") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := dirs.make(t)
			resolver, ref := h.Store(t, dir, content)
			before := tree(t, dir)
			value, err := resolver.Resolve(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			if want := h.trimmed(content); value.Reveal() != want {
				t.Errorf("got %q, want %q", value.Reveal(), want)
			}
			if after := tree(t, dir); !slices.Equal(before, after) {
				t.Errorf("files changed from %q to %q", before, after)
			}
		})
	}
}

func (h Harness) trimmed(content string) string {
	cut, found := strings.CutSuffix(content, "\n")
	if !h.TrimsLine || !found {
		return content
	}
	return strings.TrimSuffix(cut, "\r")
}

func (h Harness) missing(t *testing.T, dirs *directories) {
	t.Parallel()
	dir := dirs.make(t)
	resolver, ref := h.Missing(t, dir)
	CheckError(t, resolver, ref, secrets.ErrUnavailable)
}

func (h Harness) failures(t *testing.T, dirs *directories) {
	for _, f := range h.Failures {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			resolver, ref := f.Make(t, dirs.make(t))
			CheckError(t, resolver, ref, f.Want)
		})
	}
}

func (h Harness) empty(t *testing.T, dirs *directories) {
	t.Parallel()
	resolver, ref := h.Store(t, dirs.make(t), "")
	CheckError(t, resolver, ref, secrets.ErrInvalid)
}

func (h Harness) tooLarge(t *testing.T, dirs *directories) {
	t.Parallel()
	resolver, ref := h.Store(t, dirs.make(t), Canary+strings.Repeat("x", secrets.MaxSize))
	CheckError(t, resolver, ref, secrets.ErrInvalid)
}

func (h Harness) cancelled(t *testing.T, dirs *directories) {
	t.Parallel()
	resolver, ref := h.Store(t, dirs.make(t), Canary)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	value, err := resolver.Resolve(ctx, ref)
	if !errors.Is(err, context.Canceled) || !value.IsZero() {
		t.Errorf("got %v, want %v and no value", err, context.Canceled)
	}
	checkText(t, err)
}

func (h Harness) concurrent(t *testing.T, dirs *directories) {
	t.Parallel()
	resolver, ref := h.Store(t, dirs.make(t), Canary)
	got := make([]string, concurrent)
	errs := make([]error, concurrent)
	var group sync.WaitGroup
	for i := range concurrent {
		group.Go(func() {
			value, err := resolver.Resolve(t.Context(), ref)
			got[i], errs[i] = value.Reveal(), err
		})
	}
	group.Wait()
	for i := range concurrent {
		if got[i] != Canary || errs[i] != nil {
			t.Errorf("goroutine %d got %q, %v", i, got[i], errs[i])
		}
	}
}

func (h Harness) otherSource(t *testing.T, dirs *directories) {
	t.Parallel()
	resolver, ref := h.Store(t, dirs.make(t), Canary)
	other := secrets.Ref{Env: "FAIRLEAD_TEST_OTHER"}
	if ref.Env != "" {
		other = secrets.Ref{File: "other"}
	}
	both := ref
	both.Env, both.File = "FAIRLEAD_TEST_OTHER", "other"
	for _, wrong := range []secrets.Ref{{}, other, both} {
		CheckError(t, resolver, wrong, secrets.ErrInvalid)
	}
}

// CheckError resolves ref, which has to give an error of the kind want, of type
// *secrets.Error, and without the Canary however it is printed.
func CheckError(t *testing.T, resolver secrets.Resolver, ref secrets.Ref, want error) {
	t.Helper()
	value, err := resolver.Resolve(t.Context(), ref)
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want a %q", err, want)
	}
	var typed *secrets.Error
	if !errors.As(err, &typed) {
		t.Errorf("got a %T, want a *secrets.Error", err)
	}
	if !value.IsZero() {
		t.Error("got a value with an error")
	}
	checkText(t, err)
}

// checkText walks the error and everything that it wraps.
func checkText(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%x"} {
			shown := fmt.Sprintf(verb, err)
			if strings.Contains(shown, Canary) || strings.Contains(shown, fmt.Sprintf("%x", Canary)) {
				t.Errorf("the secret shows with %s: %s", verb, shown)
			}
		}
	}
}

// directories makes directories outside TMPDIR, which does not exist.
type directories struct {
	root string
	mu   sync.Mutex
	n    int
}

func (d *directories) make(t *testing.T) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n++
	dir := filepath.Join(d.root, fmt.Sprint(d.n))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tree lists what is below dir, with sizes.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		found = append(found, fmt.Sprintf("%s %d %v", path, info.Size(), info.ModTime()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
