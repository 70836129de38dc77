package revision

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// maxAlternates bounds a chain of repositories that borrow objects.
const maxAlternates = 5

// store reads the objects of a repository and of those it borrows from. It is
// safe for concurrent use, which go-git's own storage is not.
type store struct {
	mu sync.Mutex
	// objects are the repository's own storage, then the alternates.
	objects []*filesystem.Storage
	// partial says that the repository was cloned with a filter.
	partial bool
}

func newStore(gitDir, commonDir string) (*store, error) {
	var files billy.Filesystem = osfs.New(gitDir)
	if commonDir != gitDir {
		files = dotgit.NewRepositoryFilesystem(files, osfs.New(commonDir))
	}
	s := &store{objects: []*filesystem.Storage{
		filesystem.NewStorage(files, cache.NewObjectLRUDefault()),
	}}
	return s, s.addAlternates(filepath.Join(commonDir, "objects"), maxAlternates)
}

// addAlternates opens what objects/info/alternates lists. Go-git does so itself,
// but takes relative paths for absolute ones and does not look there for sizes.
func (s *store) addAlternates(objects string, depth int) error {
	file := filepath.Join(objects, "info", "alternates")
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) || depth == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		dir := absolute(line, objects)
		if filepath.Base(dir) != "objects" || !isDir(dir) {
			return fmt.Errorf("%s: %w: %s holds no objects to borrow", file, ErrUnsupported, dir)
		}
		s.objects = append(s.objects, filesystem.NewStorage(osfs.New(filepath.Dir(dir)), cache.NewObjectLRUDefault()))
		if err := s.addAlternates(dir, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// read finds an object of any type.
func (s *store) read(h plumbing.Hash) (o plumbing.EncodedObject, err error) {
	defer guard("object "+h.String(), &err)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, from := range s.objects {
		o, err = from.EncodedObject(plumbing.AnyObject, h)
		if !errors.Is(err, plumbing.ErrObjectNotFound) {
			return o, err
		}
	}
	return nil, s.missing(h)
}

// size gives the length of an object in bytes, mostly without reading it.
func (s *store) size(h plumbing.Hash) (n int64, err error) {
	defer guard("object "+h.String(), &err)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, from := range s.objects {
		n, err = from.EncodedObjectSize(h)
		if !errors.Is(err, plumbing.ErrObjectNotFound) {
			return n, err
		}
	}
	return 0, s.missing(h)
}

func (s *store) missing(h plumbing.Hash) error {
	if s.partial {
		return fmt.Errorf("object %s: %w from this partial clone; fetch all with git fetch --refetch --no-filter, or clone without --filter",
			short(h), ErrIncomplete)
	}
	return fmt.Errorf("object %s: %w from the repository; run git fsck", h, ErrIncomplete)
}

// blob reads a whole file.
func (s *store) blob(h plumbing.Hash) ([]byte, error) {
	o, err := s.read(h)
	if err != nil {
		return nil, err
	}
	if o.Type() != plumbing.BlobObject {
		return nil, fmt.Errorf("object %s: is a %s, not a file; run git fsck", h, o.Type())
	}
	return readObject(o)
}

func readObject(o plumbing.EncodedObject) ([]byte, error) {
	r, err := o.Reader()
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", o.Hash(), err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", o.Hash(), err)
	}
	return content, nil
}

// tree reads the entries of a directory.
func (s *store) tree(h plumbing.Hash) (entries []object.TreeEntry, err error) {
	defer guard("object "+h.String(), &err)
	o, err := s.read(h)
	if err != nil {
		return nil, err
	}
	var t object.Tree
	if err := t.Decode(o); err != nil {
		return nil, fmt.Errorf("directory %s: %w", h, err)
	}
	return t.Entries, nil
}

// commit reads the commit that h names, directly or by annotated tags.
func (s *store) commit(h plumbing.Hash) (c *object.Commit, err error) {
	defer guard("object "+h.String(), &err)
	for range maxAlternates {
		o, err := s.read(h)
		if err != nil {
			return nil, err
		}
		switch o.Type() {
		case plumbing.CommitObject:
			c := &object.Commit{}
			return c, c.Decode(o)
		case plumbing.TagObject:
			var tag object.Tag
			if err := tag.Decode(o); err != nil {
				return nil, fmt.Errorf("tag %s: %w", h, err)
			}
			h = tag.Target
		default:
			return nil, fmt.Errorf("%w: it names a %s, not a commit", ErrUnknownRevision, o.Type())
		}
	}
	return nil, fmt.Errorf("tag %s: names another tag too many times", h)
}

// withPrefix lists the objects whose hash starts with prefix, in hexadecimal.
func (s *store) withPrefix(prefix string) (found []plumbing.Hash, err error) {
	defer guard("object "+prefix, &err)
	whole, err := hexBytes(prefix)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[plumbing.Hash]bool{}
	for _, from := range s.objects {
		hashes, err := from.HashesWithPrefix(whole)
		if err != nil {
			return nil, fmt.Errorf("object %s: %w", prefix, err)
		}
		for _, h := range hashes {
			if !seen[h] && strings.HasPrefix(h.String(), prefix) {
				seen[h] = true
				found = append(found, h)
			}
		}
	}
	return found, nil
}

// reference follows a full reference name to a hash.
func (s *store) reference(name plumbing.ReferenceName) (ref *plumbing.Reference, err error) {
	defer guard(string(name), &err)
	s.mu.Lock()
	defer s.mu.Unlock()
	return storer.ResolveReference(s.objects[0], name)
}

// references lists every branch, tag and remote-tracking branch.
func (s *store) references() (names []plumbing.ReferenceName, err error) {
	defer guard("references", &err)
	s.mu.Lock()
	defer s.mu.Unlock()
	refs, err := s.objects[0].IterReferences()
	if err != nil {
		return nil, err
	}
	err = refs.ForEach(func(r *plumbing.Reference) error {
		names = append(names, r.Name())
		return nil
	})
	return names, err
}

// shallow reports whether the clone cut the commit off from its parents; with a
// zero hash, whether it cut any.
func (s *store) shallow(h plumbing.Hash) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cut, err := s.objects[0].Shallow()
	if err != nil {
		return false, fmt.Errorf("shallow: %w", err)
	}
	for _, c := range cut {
		if c == h || h.IsZero() {
			return true, nil
		}
	}
	return false, nil
}

// symbolic gives what a symbolic reference points to, or name itself.
func (s *store) symbolic(name plumbing.ReferenceName) (target plumbing.ReferenceName, err error) {
	defer guard(string(name), &err)
	s.mu.Lock()
	defer s.mu.Unlock()
	ref, err := s.objects[0].Reference(name)
	if err != nil {
		return "", err
	}
	if ref.Type() == plumbing.SymbolicReference {
		return ref.Target(), nil
	}
	return name, nil
}

// hexBytes decodes the whole bytes of a hexadecimal prefix.
func hexBytes(prefix string) ([]byte, error) {
	whole, err := hex.DecodeString(prefix[:len(prefix)&^1])
	if err != nil {
		return nil, fmt.Errorf("%s: is not a hash", prefix)
	}
	return whole, nil
}
