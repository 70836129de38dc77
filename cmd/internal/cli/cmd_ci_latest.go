package cli

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/forge"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/schema/revision"
)

type latestFlags struct {
	ciFlags
	// given is --commit.
	given, branch string
	// description is a directory of the repository, tags are the description's.
	description string
	tags        []string
	// tip is a revision of the repository here, for the branch's last commit.
	tip string
}

func newCILatest(sys *System) *cobra.Command {
	o := &latestFlags{ciFlags: ciFlags{sys: sys}}
	c := &cobra.Command{
		Use:   "latest",
		Short: "Check that the job's commit is still the last one of its branch",
		Long: `Latest asks the forge for the last commit of the job's branch and ends with 5 where
that is another one than the job's: a job that is run again is for the commit of its
first run, and applying that would undo what was merged since. With --tip the last
commit is a revision of the repository here, and no forge is asked.

With --description it is no matter what came since outside of that directory, but for the
files that the description is made of: loading it says which, wherever they are and
whatever they are called. Where it cannot be loaded here, files of CUE, YAML and JSON and
kustomizations matter wherever they are, and where it is invalid, every file does.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.tip != "" {
				return o.local(c.Context())
			}
			return o.open(c.Context(), o.run)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.given, "commit", "", "the commit, its whole SHA (default: the job's)")
	c.Flags().StringVar(&o.branch, "branch", "", "the branch (default: the job's)")
	c.Flags().StringVar(&o.description, "description", "", "the description's directory, from the root of the repository")
	c.Flags().StringArrayVarP(&o.tags, "tag", "t", nil, "CUE tag of the description, key=value or key (repeatable)")
	c.Flags().StringVar(&o.tip, "tip", "", "the branch's last commit, a revision of the repository here, instead of asking the forge")
	return c
}

func (o *latestFlags) run(ctx context.Context, f forge.Forge) error {
	commit, err := o.commit(o.given)
	if err != nil {
		return err
	}
	branch := cmp.Or(o.branch, o.job.Branch)
	if branch == "" {
		return fail(exitInvalid, "this job is not for a branch; name one with --branch")
	}
	tip, err := f.Tip(ctx, branch)
	if err != nil {
		return err
	}
	return o.judge(ctx, commit, tip, "branch "+branch, func(ctx context.Context) ([]string, bool, error) {
		return f.Since(ctx, commit, tip)
	})
}

// local judges by the repository here.
func (o *latestFlags) local(ctx context.Context) error {
	job, err := forge.JobOf(o.forge, o.sys.Getenv)
	if err != nil && o.given == "" {
		return failure{code: exitInvalid, err: err}
	}
	o.job = job
	commit, err := o.commit(o.given)
	if err != nil {
		return err
	}
	tip, err := revision.Resolve(ctx, o.sys.Dir, o.tip)
	if err != nil {
		return fail(exitInvalid, "--tip: %w", err)
	}
	return o.judge(ctx, commit, tip, "the branch", func(ctx context.Context) ([]string, bool, error) {
		files, err := revision.Changed(ctx, o.sys.Dir, commit, tip)
		return files, true, coded(exitInvalid, err)
	})
}

// judge ends with 5 where another commit is the last one and something came since that the
// description is made of. Since gives the files that changed, and whether these are all.
func (o *latestFlags) judge(ctx context.Context, commit, tip, branch string, since func(context.Context) ([]string, bool, error)) error {
	if tip == commit {
		_, err := fmt.Fprintf(o.sys.Err, "Commit %s is the last one of %s.\n", commit, branch)
		return err
	}
	old := fmt.Errorf("this job is for commit %s, and %s is at %s by now: applying what is older would undo what came since", commit, branch, tip)
	if o.description == "" {
		return coded(exitStale, old)
	}
	files, all, err := since(ctx)
	if err != nil {
		return err
	}
	if !all {
		return coded(exitStale, old)
	}
	matters := o.matters(ctx, commit)
	if i := slices.IndexFunc(files, matters); i >= 0 {
		return fail(exitStale, "%w; %s is of the description", old, files[i])
	}
	_, err = fmt.Fprintf(o.sys.Err, "What came after commit %s on %s has nothing to do with %s.\n", commit, branch, o.description)
	return err
}

// matters tells whether a file of the repository may be a part of the description, by what
// loading it at the commit reads.
func (o *latestFlags) matters(ctx context.Context, commit string) func(file string) bool {
	c := sourceFlags{process: newProcess(o.sys), path: o.description, rev: commit, tags: o.tags}
	tree, err := c.tree(ctx)
	if err != nil {
		fmt.Fprintf(o.sys.Err, "The description cannot be loaded here, so each file matters that may be of it: %v\n", err)
		return o.concerns
	}
	d, err := withinLimits(ctx, c.limits, func(ctx context.Context) (description, error) { return c.readTree(ctx, tree) })
	if err != nil || d.Findings.HasErrors() {
		fmt.Fprintf(o.sys.Err, "The description is invalid at commit %s, so each file matters.\n", commit)
		return func(string) bool { return true }
	}
	return footprintOf(d).holds
}

// concerns reports whether a file may be a part of a description that cannot be loaded.
func (o *latestFlags) concerns(file string) bool {
	dir, _, _ := strings.Cut(o.description, ":")
	dir = strings.TrimPrefix(path.Clean("/"+dir), "/")
	inside := dir == "" || file == dir || strings.HasPrefix(file, dir+"/")
	name := strings.ToLower(path.Base(file))
	return inside || name == "kustomization" || slices.Contains([]string{".cue", ".yaml", ".yml", ".json"}, path.Ext(name))
}

// footprint says which files of a tree a description is made of. Names are slash paths
// from the tree's root.
type footprint struct {
	// dir is the description's directory: everything in it counts.
	dir string
	// files were read or looked for; of symbolic links both ends count, and each on the way.
	files map[string]bool
	// listed are directories in which any file counts, and packages those in which any
	// file of CUE does.
	listed, packages map[string]bool
}

// footprintOf gathers what loading read, and the files of secrets and signers that the
// description names. Of the CUE module everything in cue.mod counts, too.
func footprintOf(d description) footprint {
	dir, _, _ := strings.Cut(d.tree.Dir, ":")
	f := footprint{dir: path.Clean(dir), files: map[string]bool{}, listed: map[string]bool{}, packages: map[string]bool{}}
	for at := f.dir; ; at = path.Dir(at) { // the package may go on in each directory above
		f.packages[at] = true
		if at == "." {
			break
		}
	}
	for _, name := range d.Files {
		f.packages[path.Dir(name)] = true
	}
	for _, name := range d.reads.Listed() {
		f.listed[name] = true
	}
	for _, name := range slices.Concat(d.Files, d.reads.Asked(), named(d.Network, f.dir)) {
		f.add(d.tree.FS, name)
	}
	return f
}

// named are the files that a description refers to; those outside of the tree are not the
// repository's.
func named(n network.Network, dir string) (files []string) {
	refs := []*network.SecretRef{}
	for _, c := range n.Clusters {
		refs = append(refs, c.Kubeconfig)
	}
	for _, p := range n.Proxies {
		refs = append(refs, p.Username, p.Password)
	}
	add := func(file string) {
		if file != "" && !filepath.IsAbs(file) {
			files = append(files, path.Join(dir, filepath.ToSlash(file)))
		}
	}
	for _, ref := range refs {
		if ref == nil {
			continue
		}
		add(ref.File)
		for _, e := range []*network.EncryptedFile{ref.Age, ref.SOPS} {
			if e != nil {
				add(e.File)
			}
		}
	}
	for _, file := range n.Policy.Signers {
		add(file)
	}
	return files
}

// mostLinks bounds a chain of symbolic links.
const mostLinks = 40

// add notes a file and, where symbolic links are on its way, these and what they lead to.
func (f footprint) add(tree fs.FS, name string) {
	for range mostLinks {
		if !fs.ValidPath(name) || f.files[name] {
			return
		}
		f.files[name] = true
		link, rest := firstLink(tree, name)
		if link == "" {
			return
		}
		f.files[link] = true
		target, err := fs.ReadLink(tree, link)
		if err != nil || path.IsAbs(target) {
			return
		}
		name = path.Join(path.Dir(link), filepath.ToSlash(target), rest)
	}
}

// firstLink finds the first symbolic link on the way to a file, and what comes after it.
func firstLink(tree fs.FS, name string) (link, rest string) {
	parts := strings.Split(name, "/")
	for i := range parts {
		at := path.Join(parts[:i+1]...)
		if info, err := fs.Lstat(tree, at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return at, path.Join(parts[i+1:]...)
		}
	}
	return "", ""
}

// holds reports whether a file that changes may change the description.
func (f footprint) holds(file string) bool {
	if f.dir == "." || file == f.dir || strings.HasPrefix(file, f.dir+"/") {
		return true
	}
	if f.files[file] || path.Ext(file) == ".cue" && f.packages[path.Dir(file)] || slices.Contains(strings.Split(file, "/"), "cue.mod") {
		return true
	}
	for at := file; at != "."; at = path.Dir(at) { // a directory that comes to be there may be listed
		if f.listed[path.Dir(at)] {
			return true
		}
	}
	for name := range f.files { // a file where a directory is read takes it away
		if strings.HasPrefix(name, file+"/") {
			return true
		}
	}
	return false
}
