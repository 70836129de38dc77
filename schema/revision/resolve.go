package revision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

const (
	hashLength    = 40
	minHashPrefix = 4
	deepen        = "fetch more with git fetch --deepen=100 or --unshallow (in GitHub Actions: fetch-depth: 0 for actions/checkout)"
)

// found is the commit that a revision names, and the short name if it is one.
type found struct {
	commit *object.Commit
	ref    string
}

// resolve finds a revision by git's own rules. Go-git's ResolveRevision differs
// from them: it prefers an abbreviated hash to a branch of that name, takes the
// first of several matches, and knows no third parent.
func (r *repository) resolve(ctx context.Context, rev string) (found, error) {
	base, steps, err := parse(rev)
	if err != nil {
		return found{}, err
	}
	f, err := r.base(base)
	if err != nil {
		return found{}, err
	}
	for _, s := range steps {
		if f, err = r.walk(ctx, f, s); err != nil {
			return found{}, err
		}
	}
	return f, nil
}

// step is ~N (the first parent, N times) or ^N (the Nth parent, once).
type step struct {
	times  int
	parent int
}

// parse splits a revision into a name or hash and the steps that follow it.
func parse(rev string) (base string, steps []step, err error) {
	end := strings.IndexAny(rev, "~^")
	if end < 0 {
		end = len(rev)
	}
	base = rev[:end]
	if err := checkBase(base); err != nil {
		return "", nil, err
	}
	for rest := rev[end:]; rest != ""; {
		var s step
		if s, rest, err = parseStep(rest); err != nil {
			return "", nil, err
		}
		steps = append(steps, s)
	}
	return base, steps, nil
}

func checkBase(base string) error {
	switch {
	case base == "":
		return fmt.Errorf("%w: it is empty; name a branch, tag or commit", ErrUnknownRevision)
	case strings.Contains(base, "@{"):
		return fmt.Errorf("%w: @{...} is not supported; name a branch, tag or commit", ErrUnknownRevision)
	case strings.Contains(base, ".."):
		return fmt.Errorf("%w: a range is not supported; name one commit", ErrUnknownRevision)
	case strings.Contains(base, ":"):
		return fmt.Errorf("%w: REV:PATH and :/TEXT are not supported; give the path as the package", ErrUnknownRevision)
	}
	return nil
}

func parseStep(s string) (step, string, error) {
	for _, peel := range []string{"^{commit}", "^{}", "^0"} {
		if rest, ok := strings.CutPrefix(s, peel); ok && (peel != "^0" || !startsWithDigit(rest)) {
			return step{}, rest, nil
		}
	}
	digits := 1
	for startsWithDigit(s[digits:]) {
		digits++
	}
	n := 1
	if digits > 1 {
		var err error
		if n, err = strconv.Atoi(s[1:digits]); err != nil {
			return step{}, "", fmt.Errorf("%w: %s is too large", ErrUnknownRevision, s[1:digits])
		}
	}
	rest := s[digits:]
	if rest != "" && rest[0] != '~' && rest[0] != '^' {
		return step{}, "", fmt.Errorf("%w: %q is not understood; use ~N, ^N, ^{} or ^{commit}", ErrUnknownRevision, s)
	}
	if s[0] == '~' {
		return step{times: n, parent: 1}, rest, nil
	}
	return step{times: min(n, 1), parent: n}, rest, nil
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// walk goes from a commit to one of its ancestors. A step of zero times only
// peels: the name still stands for the commit.
func (r *repository) walk(ctx context.Context, f found, s step) (found, error) {
	for range s.times {
		if err := ctx.Err(); err != nil {
			return found{}, err
		}
		parent, err := r.parent(f.commit, s.parent)
		if err != nil {
			return found{}, err
		}
		f = found{commit: parent}
	}
	return f, nil
}

func (r *repository) parent(c *object.Commit, n int) (*object.Commit, error) {
	cut, err := r.store.shallow(c.Hash)
	if err != nil {
		return nil, err
	}
	switch {
	case cut && len(c.ParentHashes) > 0:
		return nil, fmt.Errorf("commit %s: %w; %s", short(c.Hash), ErrShallow, deepen)
	case len(c.ParentHashes) == 0:
		return nil, fmt.Errorf("%w: commit %s is the first and has no parent", ErrUnknownRevision, short(c.Hash))
	case n > len(c.ParentHashes):
		return nil, fmt.Errorf("%w: commit %s has %d parents, not %d", ErrUnknownRevision, short(c.Hash), len(c.ParentHashes), n)
	}
	return r.store.commit(c.ParentHashes[n-1])
}

func short(h plumbing.Hash) string { return h.String()[:12] }

// base finds a name or hash: a full hash, then references in git's order, then an
// abbreviated hash, then what git describe prints.
func (r *repository) base(name string) (found, error) {
	if len(name) == hashLength && isHex(name) {
		return r.byHash(name)
	}
	if name == "@" {
		name = "HEAD"
	}
	if f, ok, err := r.byReference(name); ok || err != nil {
		return f, err
	}
	if len(name) >= minHashPrefix && isHex(name) {
		if f, ok, err := r.byPrefix(strings.ToLower(name)); ok || err != nil {
			return f, err
		}
	}
	if i := strings.LastIndex(name, "-g"); i > 0 && len(name[i+2:]) >= minHashPrefix && isHex(name[i+2:]) {
		if f, ok, err := r.byPrefix(name[i+2:]); ok || err != nil {
			return f, err
		}
	}
	return found{}, r.unknown(name)
}

func isHex(s string) bool {
	return strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

func (r *repository) byHash(hash string) (found, error) {
	c, err := r.store.commit(plumbing.NewHash(hash))
	if errors.Is(err, ErrIncomplete) {
		return found{}, r.unknown(hash)
	}
	return found{commit: c}, err
}

func (r *repository) byReference(name string) (found, bool, error) {
	for _, rule := range []string{"%s", "refs/%s", "refs/tags/%s", "refs/heads/%s", "refs/remotes/%s", "refs/remotes/%s/HEAD"} {
		full := plumbing.ReferenceName(fmt.Sprintf(rule, name))
		if !full.IsSafe() {
			continue
		}
		ref, err := r.store.reference(full)
		if err != nil {
			continue // absent, or a directory of references
		}
		c, err := r.store.commit(ref.Hash())
		if err != nil {
			return found{}, false, fmt.Errorf("%s: %w", full, err)
		}
		return found{commit: c, ref: r.shortName(full)}, true, nil
	}
	if name == "HEAD" {
		return found{}, false, fmt.Errorf("%w: %s has no commits yet; commit the description first", ErrUnknownRevision, r.name())
	}
	return found{}, false, nil
}

// shortName is what a person calls a reference; for HEAD, and the HEAD of a
// remote, it is the branch. A detached HEAD and the like of FETCH_HEAD have none.
func (r *repository) shortName(full plumbing.ReferenceName) string {
	if target, err := r.store.symbolic(full); err == nil {
		full = target
	}
	if !strings.HasPrefix(string(full), "refs/") {
		return ""
	}
	return full.Short()
}

// byPrefix finds the one commit whose hash, or whose tag's hash, starts so.
func (r *repository) byPrefix(prefix string) (found, bool, error) {
	hashes, err := r.store.withPrefix(prefix)
	if err != nil {
		return found{}, false, err
	}
	var commits []*object.Commit
	for _, h := range hashes {
		c, err := r.store.commit(h)
		same := func(o *object.Commit) bool { return o.Hash == c.Hash }
		if err == nil && !slices.ContainsFunc(commits, same) {
			commits = append(commits, c)
		}
	}
	switch len(commits) {
	case 0:
		return found{}, false, nil
	case 1:
		return found{commit: commits[0]}, true, nil
	}
	names := make([]string, len(commits))
	for i, c := range commits {
		names[i] = short(c.Hash)
	}
	slices.Sort(names)
	return found{}, false, fmt.Errorf("%w: the hash is short for %d commits (%s); give more digits",
		ErrUnknownRevision, len(names), strings.Join(names, ", "))
}

// unknown says that nothing has the name, and what the user may have meant.
func (r *repository) unknown(name string) error {
	hint := "list what there is with git branch --all and git tag"
	if near := r.near(name); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, ", ") + "?"
	}
	if cut, err := r.store.shallow(plumbing.ZeroHash); err == nil && cut {
		hint += " The clone is shallow: " + deepen
	}
	return fmt.Errorf("%w in %s; %s", ErrUnknownRevision, r.name(), hint)
}

// maxNear is how many names an error suggests.
const maxNear = 5

// near lists the short names of references that resemble name, the best first.
func (r *repository) near(name string) []string {
	refs, err := r.store.references()
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(refs))
	for _, ref := range refs {
		if short := ref.Short(); short != "HEAD" {
			names = append(names, short)
		}
	}
	return nearest(name, names)
}

// nearest picks the names that differ from name in at most a third of its letters
// (two, so that swapped letters count, from four letters on),
// or that have it as last part, as origin/main has main.
func nearest(name string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	lower := strings.ToLower(name)
	limit := max(min(len(name)/2, 2), len(name)/3)
	var near []candidate
	for _, n := range names {
		have := strings.ToLower(n)
		d := min(distance(lower, have), distance(path.Base(lower), path.Base(have)))
		if d <= limit {
			near = append(near, candidate{n, d})
		}
	}
	slices.SortFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	near = slices.CompactFunc(near, func(a, b candidate) bool { return a.name == b.name })
	out := []string{}
	for _, c := range near[:min(len(near), maxNear)] {
		out = append(out, c.name)
	}
	return out
}

// distance counts the letters to insert, delete or replace to turn a into b.
func distance(a, b string) int {
	if abs := max(len(a), len(b)) - min(len(a), len(b)); abs > len(a) {
		return abs
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
