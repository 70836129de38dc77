package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/desired/overlay"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/schema/revision"
)

// description is a description that was read.
type description struct {
	schema.Result
	source plan.Source
	// from is what the policy judges.
	from    judge.Provenance
	desired plan.Desired
	// tree is what it was read from.
	tree revision.Tree
	// told is what a description of --base was found by, where that is not its path.
	told diag.List
	// names are those that another description has for the clusters of a base.
	names desired.Names
	// stand says where the files of positions are named from.
	stand report.Stand
	// reads are the files that its overlays took or looked for; see footprintOf.
	reads *revision.Reads
	// path is the package as it was given, and dir its directory on disk, where the paths
	// of secret references start, whichever revision was read.
	path, dir string
}

// Case implements judge.Subject.
func (d description) Case() judge.Case {
	return judge.Case{Network: d.Network.Name, Policy: d.Network.Policy, From: d.from, Source: d.source}
}

// placed tells a report of the description where things are declared.
func (d description) placed(r report.Report) report.Report {
	r.Described, r.Stand = &d.Network, d.stand
	return r
}

// sourceFlags say which description is meant.
type sourceFlags struct {
	*process
	path string
	rev  string
	tags []string
	// signers are files of keys that are trusted instead of the description's.
	signers []string
	limits
}

func (o *sourceFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.rev, "rev", "", "read the description from this git revision instead of the work tree")
	f.StringArrayVarP(&o.tags, "tag", "t", nil, "CUE tag, key=value or key (repeatable)")
	o.limits.flags(c)
	c.Args = atMostOne("package")
}

// check takes the package from the arguments and refuses flags that mean nothing.
func (o *sourceFlags) check(c *cobra.Command, args []string) error {
	o.path = "."
	if len(args) > 0 {
		o.path = args[0]
	}
	if o.rev == "" && c.Flags().Changed("rev") {
		return fail(exitInvalid, "--rev is empty; name a revision, or leave it out for the work tree")
	}
	return nil
}

// read evaluates the description without judging its findings.
func (o *sourceFlags) read(ctx context.Context) (description, error) {
	return withinLimits(ctx, o.limits, func(ctx context.Context) (description, error) {
		tree, err := o.tree(ctx)
		if err != nil {
			return description{}, failure{code: exitInvalid, err: err}
		}
		return o.readTree(ctx, tree)
	})
}

// tree opens the work tree or the revision. A package qualifier stays for CUE.
func (o *sourceFlags) tree(ctx context.Context) (t revision.Tree, err error) {
	dir, qualifier, _ := strings.Cut(o.path, ":")
	if o.rev == "" {
		t, err = revision.WorkTree(ctx, o.sys.abs(dir))
	} else {
		t, err = revision.At(ctx, o.sys.abs(dir), o.rev)
	}
	if qualifier != "" {
		t.Dir += ":" + qualifier
	}
	return t, err
}

// readTree evaluates the description in a tree. Where the repository lacks a file of it
// that is the error, whatever became of the rest.
func (o *sourceFlags) readTree(ctx context.Context, tree revision.Tree) (description, error) {
	d, err := o.evaluate(ctx, tree)
	if lost := o.lost(tree); lost != nil {
		return description{}, lost
	}
	return d, err
}

// lost is the error about a file that the repository should have and does not.
func (o *sourceFlags) lost(tree revision.Tree) error {
	return coded(exitInvalid, about(fmt.Sprintf("revision %q", o.rev), tree.Incomplete()))
}

func (o *sourceFlags) evaluate(ctx context.Context, tree revision.Tree) (description, error) {
	display := displayOf(tree, o.sys.Dir)
	res, err := schema.Load(ctx, schema.Source{FS: tree.FS, Dir: tree.Dir, Tags: o.tags, Display: display})
	if err != nil {
		return description{}, err
	}
	reads := revision.NewReads(tree.FS)
	wanted := overlaid(overlay.Source{FS: reads, Dir: tree.Dir, Display: display}, &res)
	from, err := o.origin(ctx, tree, &res, reads.Files(), display)
	if err != nil {
		return description{}, err
	}
	dir, _, _ := strings.Cut(o.path, ":")
	d := description{
		Result: res, desired: wanted, from: from, tree: tree, reads: reads, path: o.path, dir: o.sys.abs(dir),
		stand: standOf(tree, o.sys.Dir), source: plan.Source{
			Commit: tree.Facts.Commit, Ref: tree.Facts.Ref, Dirty: from.Dirty(),
			Unread: tree.Unread != nil, Path: tree.Dir, Digest: digestWith(res.Digest, res.Network, wanted),
		},
	}
	for _, f := range res.LeftOut {
		d.source.LeftOut = append(d.source.LeftOut, plan.LeftOut{File: f.File, Why: f.Why})
	}
	return d, nil
}

// displayOf shows files as the user would name them from where they stand; those of
// a revision relative to the repository's root.
func displayOf(t revision.Tree, here string) func(string) string {
	if t.Root == "" {
		return func(file string) string { return file }
	}
	here, root := realPath(here), realPath(t.Root)
	return func(file string) string {
		shown, err := filepath.Rel(here, filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			return file
		}
		return filepath.ToSlash(shown)
	}
}

// standOf says where displayOf names files from.
func standOf(t revision.Tree, here string) report.Stand {
	dir, _, _ := strings.Cut(t.Dir, ":")
	s := report.Stand{Package: dir}
	if t.Root != "" {
		s.Root, s.Here = filepath.ToSlash(realPath(t.Root)), filepath.ToSlash(realPath(here))
	}
	return s
}

func realPath(p string) string {
	real, err := filepath.EvalSymlinks(p)
	if err != nil {
		return p
	}
	return real
}

// overlaid gives the desired objects of a description with its overlays, whose mistakes are
// added to its findings. Every command gets its objects here. With errors there are none, and
// the network is emptied as schema.Load does.
func overlaid(from overlay.Source, res *schema.Result) plan.Desired {
	if res.Findings.HasErrors() {
		return plan.Desired{}
	}
	d, findings := overlay.Run(from, res.Network, desired.Build(res.Network))
	res.Findings = append(res.Findings, findings...).Sorted()
	if res.Findings.HasErrors() {
		res.Network, res.Digest = network.Network{}, ""
		return plan.Desired{}
	}
	return d
}

// digestWith is the digest of a description with what its overlays make of it: a plan
// that was saved before they changed is one of another description. Without overlays
// the description's own says it all.
func digestWith(digest string, n network.Network, d plan.Desired) string {
	overlaid := func(s network.Site) bool { return s.Overlay != "" }
	if n.Overlay == "" && !slices.ContainsFunc(n.Sites, overlaid) {
		return digest
	}
	type made struct {
		Sites   map[network.SiteName]map[string]any
		Objects map[string]map[string]any
	}
	all := made{map[network.SiteName]map[string]any{}, map[string]map[string]any{}}
	for _, s := range d.Sites {
		all.Sites[s.Name] = s.Fields
	}
	for _, o := range d.Objects {
		all.Objects[string(o.Site)+" "+o.Key()] = o.Manifest
	}
	data, err := json.Marshal(all)
	if err != nil { // manifests were read from YAML, and fields are strings, booleans and numbers
		panic(fmt.Sprintf("digest of overlays: %v", err))
	}
	sum := sha256.Sum256(append([]byte(digest), data...))
	return "sha256:" + hex.EncodeToString(sum[:])
}
