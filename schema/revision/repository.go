package revision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// repository is an opened repository, seen from a place.
type repository struct {
	place
	store    *store
	settings settings
}

func (p place) open() (*repository, error) {
	cfg, err := readSettings(filepath.Join(p.commonDir, "config"))
	if err != nil {
		return nil, err
	}
	if err := checkFormat(cfg); err != nil {
		return nil, fmt.Errorf("%s: %w", p.name(), err)
	}
	s, err := newStore(p.gitDir, p.commonDir)
	if err != nil {
		return nil, err
	}
	s.partial = isPartial(cfg)
	return &repository{place: p, store: s, settings: cfg}, nil
}

// name is how errors call the repository.
func (p place) name() string {
	if p.root != "" {
		return p.root
	}
	return p.gitDir
}

// checkFormat refuses what cannot be read rightly. Go-git's own check refuses
// partial clones and per-worktree configuration too, which matter only to writers.
func checkFormat(cfg settings) error {
	version := cmp.Or(cfg.last("core.repositoryformatversion"), "0")
	if version != "0" && version != "1" {
		return fmt.Errorf("%w: version %s; it needs a repository of version 0 or 1", ErrUnsupported, version)
	}
	for _, name := range slices.Sorted(maps.Keys(cfg)) {
		extension, ok := strings.CutPrefix(name, "extensions.")
		if !ok {
			continue
		}
		if err := checkExtension(extension, strings.ToLower(cfg.last(name)), version); err != nil {
			return err
		}
	}
	return nil
}

// checkExtension judges one extension. In a repository of version 0 git passes over those
// that it does not know.
func checkExtension(key, value, version string) error {
	switch key {
	case "noop", "noop-v1", "partialclone", "preciousobjects", "worktreeconfig", "relativeworktrees":
		return nil
	case "objectformat":
		if value == "sha1" {
			return nil
		}
		return fmt.Errorf("%w: objects are named by %s, and only those named by sha1 can be read; copy the history into a repository "+
			"made with git init --object-format=sha1, by git fast-export --all and git fast-import", ErrUnsupported, value)
	case "refstorage":
		if value == "files" {
			return nil
		}
		return fmt.Errorf("%w: references are stored as %s; run git refs migrate --ref-format=files", ErrUnsupported, value)
	}
	if version == "0" {
		return nil
	}
	return fmt.Errorf("%w: extension %s is not known", ErrUnsupported, key)
}

func isPartial(cfg settings) bool {
	for name := range cfg {
		if name == "extensions.partialclone" ||
			strings.HasPrefix(name, "remote.") && strings.HasSuffix(name, ".promisor") && cfg.is(name, "true") {
			return true
		}
	}
	return false
}

// commitFacts are the facts of a commit, read under the name ref.
func (r *repository) commitFacts(c *object.Commit, ref string) Facts {
	return Facts{
		Commit:    c.Hash.String(),
		Ref:       ref,
		Committed: c.Committer.When.UTC().Format(time.RFC3339),
		Remote:    r.remote(),
	}
}

// workFacts are the facts of the work tree: those of HEAD, and whether it is dirty.
// The commit is nil before the first one.
func (r *repository) workFacts(ctx context.Context) (Facts, *object.Commit, error) {
	head, err := r.head()
	if err != nil {
		return Facts{}, nil, err
	}
	facts := Facts{Ref: head.branch, Remote: r.remote()}
	var tree plumbing.Hash
	if head.commit != nil {
		facts = r.commitFacts(head.commit, head.branch)
		tree = head.commit.TreeHash
	}
	if err := r.differ(ctx, &facts, tree); err != nil {
		return Facts{}, nil, fmt.Errorf("%s: %w", r.name(), err)
	}
	return facts, head.commit, nil
}

// head is what HEAD stands for. Branch is "" when HEAD is detached, commit is nil
// when the branch has none yet.
type head struct {
	branch string
	commit *object.Commit
}

func (r *repository) head() (head, error) {
	var h head
	target, err := r.store.symbolic(plumbing.HEAD)
	if err != nil {
		return h, fmt.Errorf("%s: HEAD: %w", r.name(), err)
	}
	if target != plumbing.HEAD {
		h.branch = target.Short()
	}
	ref, err := r.store.reference(plumbing.HEAD)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return h, nil
	}
	if err != nil {
		return h, fmt.Errorf("%s: HEAD: %w", r.name(), err)
	}
	h.commit, err = r.store.commit(ref.Hash())
	if err != nil {
		return h, fmt.Errorf("%s: HEAD: %w", r.name(), err)
	}
	return h, nil
}

// remote is the first URL of origin, without credentials.
func (r *repository) remote() string {
	urls := r.settings.all("remote.origin.url")
	if len(urls) == 0 {
		return ""
	}
	return withoutCredentials(urls[0])
}

// withoutCredentials drops whatever in a remote's URL may be secret: user and
// password, query and fragment. Only the user of an ssh URL stays.
func withoutCredentials(remote string) string {
	scheme, rest, ok := strings.Cut(remote, "://")
	if !ok {
		return withoutPassword(remote)
	}
	u, err := url.Parse(remote)
	if err != nil {
		rest, _, _ = strings.Cut(rest, "?")
		rest, _, _ = strings.Cut(rest, "#")
		return scheme + "://" + rest[strings.LastIndexByte(rest, '@')+1:]
	}
	user := u.User.Username()
	u.User, u.RawQuery, u.Fragment, u.RawFragment, u.ForceQuery = nil, "", "", "", false
	if strings.Contains(u.Scheme, "ssh") && user != "" {
		u.User = url.User(user)
	}
	return u.String()
}

// withoutPassword handles git@host:path, and a path on disk.
func withoutPassword(remote string) string {
	user, host, ok := strings.Cut(remote, "@")
	if ok && strings.Contains(user, ":") && !strings.Contains(user, "/") {
		return host
	}
	return remote
}
