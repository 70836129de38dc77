package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/origin"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/schema/revision"
)

// The codes of what is told of a base that is not at the description's own path.
const (
	codeBaseMoved = "base-moved"
	codeBaseNone  = "base-none"
)

// baseFlags say what to compare with: the description of a revision, and where it is there.
type baseFlags struct{ base, basePath string }

func (o *baseFlags) flags(c *cobra.Command, usage string) {
	c.Flags().StringVar(&o.base, "base", "", usage)
	c.Flags().StringVar(&o.basePath, "base-path", "",
		"the package in the revision of --base (default: its own path, or where the same network is there; given its own path, what is not there is new)")
}

func (o *baseFlags) check(c *cobra.Command) error {
	if o.basePath == "" && c.Flags().Changed("base-path") {
		return fail(exitInvalid, "--base-path is empty; name a directory, or leave it out")
	}
	if o.basePath != "" && o.base == "" {
		return fail(exitInvalid, "--base is missing: --base-path names a directory of its revision")
	}
	return nil
}

// readBase reads the description at the revision of --base, with its clusters called as
// head does.
func readBase(ctx context.Context, o *packageCommand, flags baseFlags, head description) (*description, error) {
	b := baseReader{sourceFlags: o.sourceFlags, head: head, given: flags.basePath != ""}
	b.rev, b.signers, b.path = flags.base, nil, cmp.Or(flags.basePath, o.path)
	d, err := withinLimits(ctx, o.limits, b.read)
	var invalid *invalidBase
	if errors.As(err, &invalid) {
		if err := o.aside(findings(invalid.Result)); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	d.names = desired.NamesOf(d.Network.Clusters, head.Network.Clusters)
	d.desired = d.names.Of(d.desired, d.Network)
	return &d, nil
}

// invalidBase is the error of a base with mistakes, which are shown.
type invalidBase struct {
	schema.Result
	rev string
}

func (e *invalidBase) Error() string {
	return fmt.Sprintf("--base %s: the description of that revision is invalid, so nothing can be compared with it", e.rev)
}

// baseReader reads the description of a base.
type baseReader struct {
	sourceFlags
	head description
	// given is true where --base-path says where it is.
	given bool
}

// read reads the description at its own path or that of --base-path, or else wherever the
// same network is there.
func (b *baseReader) read(ctx context.Context) (description, error) {
	d, tree, err := b.find(ctx)
	switch {
	case err != nil:
		return d, err
	case d.Findings.HasErrors() && !d.empty():
		return d, b.invalid(d)
	case !d.empty() && d.Network.Name == b.head.Network.Name:
		return d, nil
	case !b.given:
		return b.elsewhere(ctx, d, tree)
	case !d.empty():
		return d, b.renamed(d)
	case tree.Dir == b.head.tree.Dir:
		return b.nothing(tree), nil
	}
	return d, fail(exitInvalid, "--base-path %s: there is no description at revision %s", b.path, b.rev)
}

// find reads a description of a revision; where there is none it is empty.
func (b *baseReader) find(ctx context.Context) (description, revision.Tree, error) {
	tree, err := b.tree(ctx)
	if errors.Is(err, fs.ErrNotExist) && tree.FS != nil {
		return b.nothing(tree), tree, nil
	}
	if err != nil {
		return description{}, tree, failure{code: exitInvalid, err: err}
	}
	d, err := b.readTree(ctx, tree)
	return d, tree, err
}

// nothing is the description of a revision that has none.
func (b *baseReader) nothing(tree revision.Tree) description {
	return description{tree: tree, source: plan.Source{Commit: tree.Facts.Commit, Ref: b.rev, Path: tree.Dir}}
}

func (b *baseReader) invalid(d description) error {
	return failure{code: exitInvalid, err: &invalidBase{d.Result, b.rev}}
}

func (b *baseReader) renamed(d description) error {
	return fail(exitInvalid, "--base %s: the network was called %q there: a renamed network is another one", b.rev, d.Network.Name)
}

// empty reports whether there is no description where one was looked for.
func (d description) empty() bool {
	return d.Network.Name == "" && (len(d.Findings) == 0 || len(d.Findings) == 1 && d.Findings[0].Code == schema.CodeNoFiles)
}

// elsewhere looks for the network of head in the whole tree of a base that has, as found,
// nothing or another network at its path. The one description that can be meant is taken;
// several are an error, and without any all of head is new.
func (b *baseReader) elsewhere(ctx context.Context, found description, tree revision.Tree) (description, error) {
	dirs, err := b.candidates(ctx, tree)
	if err != nil {
		return found, err
	}
	display := displayOf(b.head.tree, b.sys.Dir)
	why := fmt.Sprintf("there is no description at %s", display(tree.Dir))
	if !found.empty() {
		why = fmt.Sprintf("the network at %s is %q", display(tree.Dir), found.Network.Name)
	}
	shown := make([]string, len(dirs))
	for i, dir := range dirs {
		shown[i] = display(dir)
	}
	switch {
	case len(dirs) > 1:
		return found, fail(exitInvalid, "--base %s: %s, and %q is described at %s there; name the one to compare with: --base-path PATH",
			b.rev, why, b.head.Network.Name, words.And(shown))
	case len(dirs) == 1:
		return b.moved(ctx, tree, dirs[0], why+"; compared with the same network at "+shown[0])
	case !found.empty():
		return found, b.renamed(found)
	}
	none := b.nothing(tree)
	none.told = b.tell(codeBaseNone, why+", so all of it is new", "if the network was called otherwise there, name its path: --base-path PATH")
	return none, nil
}

// moved reads the description at another directory of the base.
func (b *baseReader) moved(ctx context.Context, tree revision.Tree, dir, told string) (description, error) {
	tree.Dir = dir
	d, err := b.readTree(ctx, tree)
	if err == nil && d.Findings.HasErrors() {
		err = b.invalid(d)
	}
	d.told = b.tell(codeBaseMoved, told, "if another one is meant, name its path: --base-path PATH")
	return d, err
}

func (b *baseReader) tell(code, message, fix string) diag.List {
	return diag.List{{Severity: diag.Warning, Code: code, Subject: "--base " + b.rev, Message: message, Fix: fix}}
}

// candidates are the directories of the base where the network of head is described: those
// that share a site's place with it, or else those where it is not described any more.
func (b *baseReader) candidates(ctx context.Context, tree revision.Tree) (dirs []string, err error) {
	all, err := directories(ctx, tree)
	if err != nil {
		return nil, err
	}
	name := b.head.Network.Name
	var left []string
	for _, dir := range all {
		there, err := b.networkAt(ctx, tree, dir)
		if err != nil {
			return nil, err
		}
		if there.Name != name {
			continue
		}
		if sharePlace(there, b.head.Network) {
			dirs = append(dirs, dir)
			continue
		}
		still, err := b.networkAt(ctx, b.head.tree, dir)
		if err != nil {
			return nil, err
		}
		if still.Name != name {
			left = append(left, dir)
		}
	}
	if len(dirs) > 0 {
		left = dirs
	}
	return left, b.lost(tree)
}

// directories are those of a tree with files of CUE, but for modules' own.
func directories(ctx context.Context, tree revision.Tree) (dirs []string, err error) {
	err = fs.WalkDir(tree.FS, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "cue.mod":
			return fs.SkipDir
		case !d.IsDir() && path.Ext(name) == ".cue":
			dirs = append(dirs, path.Dir(name))
		}
		return ctx.Err()
	})
	slices.Sort(dirs)
	return slices.Compact(dirs), err
}

// networkAt is the network with sites that a directory describes, the zero one for none. A
// description with mistakes that says the name of head has that and no sites.
func (b *baseReader) networkAt(ctx context.Context, tree revision.Tree, dir string) (network.Network, error) {
	res, err := schema.Load(ctx, schema.Source{FS: tree.FS, Dir: dir, Tags: b.tags})
	switch {
	case err != nil && ctx.Err() != nil:
		return network.Network{}, ctx.Err()
	case err != nil || len(res.Network.Sites) == 0 && !res.Findings.HasErrors():
		return network.Network{}, nil
	case res.Findings.HasErrors() && says(tree, dir, b.head.Network.Name):
		return network.Network{Name: b.head.Network.Name}, nil
	}
	return res.Network, nil
}

// says reports whether a file of a directory gives a network the name in plain words.
func says(tree revision.Tree, dir, name string) bool {
	line := regexp.MustCompile(`(?m)^\s*network:\s*"` + regexp.QuoteMeta(name) + `"`)
	entries, err := fs.ReadDir(tree.FS, dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		if e.IsDir() || path.Ext(e.Name()) != ".cue" {
			return false
		}
		content, err := fs.ReadFile(tree.FS, path.Join(dir, e.Name()))
		return err == nil && line.Match(content)
	})
}

// sharePlace reports whether two networks have a site in the same namespace of the same
// cluster, as far as a description tells which cluster it is.
func sharePlace(a, b network.Network) bool {
	cluster := func(n network.Network, name network.ClusterName) network.Cluster {
		i := slices.IndexFunc(n.Clusters, func(c network.Cluster) bool { return c.Name == name })
		return n.Clusters[max(i, 0)] // a valid description declares it
	}
	return slices.ContainsFunc(a.Sites, func(s network.Site) bool {
		return slices.ContainsFunc(b.Sites, func(t network.Site) bool {
			return s.Namespace == t.Namespace && cluster(a, s.Cluster).SameAs(cluster(b, t.Cluster))
		})
	})
}

// settingsChanged are the changes of settings; none where there was no description.
func settingsChanged(base, head description) []diag.Finding {
	if base.Network.Name == "" {
		return nil
	}
	return origin.SettingsChanged(base.Network, head.Network)
}

// against compares a plan with the one for the base, on the same observation.
func against(p plan.Plan, s session, observation world.Observation, filter plan.Filter) plan.Plan {
	if s.base == nil {
		return p
	}
	resolved := map[string]plan.DesiredProxy{}
	for _, d := range s.desired.Proxies {
		resolved[d.References] = d
	}
	wanted := s.base.desired
	wanted.Proxies = slices.Clone(wanted.Proxies)
	for i, d := range wanted.Proxies {
		if same, ok := resolved[d.References]; ok {
			wanted.Proxies[i].Digest, wanted.Proxies[i].Unknown = same.Digest, same.Unknown
		}
	}
	p.Diagnostics = append(slices.Clone(p.Diagnostics), slices.Concat(settingsChanged(*s.base, s.description), s.base.told)...).Sorted()
	other := planner.Make(planner.Input{
		Desired: wanted, Observation: observation, Source: s.base.source, Adopt: s.adopt, Filter: filter,
		Ignore: s.base.Network.Policy.Ignore,
	})
	return origin.Against(p, other, s.base.source)
}
