package signature_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"fairlead.dev/fairlead/schema/revision"
	"fairlead.dev/fairlead/schema/revision/signature"
)

// signedAt is when the commits of these tests were made.
var signedAt = time.Date(2024, 1, 2, 3, 4, 5, 0, time.FixedZone("", 2*60*60))

// signWith makes a signature of a commit without any program.
type signWith func(message io.Reader) ([]byte, error)

func (s signWith) Sign(message io.Reader) ([]byte, error) { return s(message) }

// goRepo is a repository that is made without git.
type goRepo struct {
	t     *testing.T
	dir   string
	store *filesystem.Storage
}

func newGoRepo(t *testing.T) goRepo {
	t.Helper()
	dir := t.TempDir()
	store := filesystem.NewStorage(osfs.New(filepath.Join(dir, ".git")), cache.NewObjectLRUDefault())
	g := goRepo{t, dir, store}
	g.must(store.Init())
	g.must(store.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, "refs/heads/main")))
	return g
}

func (g goRepo) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// object stores an object.
func (g goRepo) object(o interface {
	Encode(plumbing.EncodedObject) error
}) plumbing.Hash {
	g.t.Helper()
	stored := g.store.NewEncodedObject()
	g.must(o.Encode(stored))
	hash, err := g.store.SetEncodedObject(stored)
	g.must(err)
	return hash
}

// text stores text as an object.
func (g goRepo) text(kind plumbing.ObjectType, text string) plumbing.Hash {
	g.t.Helper()
	o := g.store.NewEncodedObject()
	o.SetType(kind)
	w, err := o.Writer()
	g.must(err)
	_, err = io.WriteString(w, text)
	g.must(err)
	hash, err := g.store.SetEncodedObject(o)
	g.must(err)
	return hash
}

// commit commits one file to main, signed unless the signer is nil.
func (g goRepo) commit(signer signWith) plumbing.Hash {
	g.t.Helper()
	const content = "package net\n"
	g.must(os.WriteFile(filepath.Join(g.dir, "net.cue"), []byte(content), 0o644))
	blob := g.text(plumbing.BlobObject, content)
	tree := g.object(&object.Tree{Entries: []object.TreeEntry{{Name: "net.cue", Mode: filemode.Regular, Hash: blob}}})
	c := &object.Commit{Author: who(), Committer: who(), TreeHash: tree, Message: "a commit\n"}
	if head, err := g.store.Reference("refs/heads/main"); err == nil {
		c.ParentHashes = []plumbing.Hash{head.Hash()}
	}
	if signer != nil {
		var payload plumbing.MemoryObject
		g.must(c.EncodeWithoutSignature(&payload))
		r, err := payload.Reader()
		g.must(err)
		text, err := signer(r)
		g.must(err)
		c.PGPSignature = string(text)
	}
	hash := g.object(c)
	g.must(g.store.SetReference(plumbing.NewHashReference("refs/heads/main", hash)))
	return hash
}

func who() object.Signature {
	return object.Signature{Name: "c", Email: "c@example.com", When: signedAt}
}

// rewrite stores the commit with its text changed.
func (g goRepo) rewrite(hash plumbing.Hash, change func(text string) string) plumbing.Hash {
	g.t.Helper()
	old, err := g.store.EncodedObject(plumbing.CommitObject, hash)
	g.must(err)
	r, err := old.Reader()
	g.must(err)
	text, err := io.ReadAll(r)
	g.must(err)
	changed := change(string(text))
	if changed == string(text) {
		g.t.Fatalf("nothing was changed in\n%s", text)
	}
	return g.text(plumbing.CommitObject, changed)
}

func (g goRepo) signature(rev string, keys signature.Keys) signature.Signature {
	g.t.Helper()
	tree, err := revision.At(g.t.Context(), g.dir, rev)
	if err != nil {
		g.t.Fatal(err)
	}
	return tree.Signature(keys)
}

// person is an OpenPGP key of one user, made on a day.
func person(t *testing.T, name string, made time.Time, lifetime time.Duration) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity(name, "", strings.ToLower(name)+"@example.com", &packet.Config{
		Time: func() time.Time { return made }, Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: uint32(lifetime.Seconds()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func fingerprintOf(e *openpgp.Entity) string { return fmt.Sprintf("%X", e.PrimaryKey.Fingerprint) }

func armored(t *testing.T, kind string, serialize func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := serialize(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}

func publicKey(t *testing.T, e *openpgp.Entity) string {
	t.Helper()
	return armored(t, openpgp.PublicKeyType, e.Serialize)
}

func withOpenPGP(e *openpgp.Entity, at time.Time) signWith {
	return func(message io.Reader) ([]byte, error) {
		var b bytes.Buffer
		err := openpgp.ArmoredDetachSign(&b, e, message, &packet.Config{Time: func() time.Time { return at }})
		return b.Bytes(), err
	}
}
