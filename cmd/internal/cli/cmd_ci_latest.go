package cli

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/forge"
	"fairlead.dev/fairlead/schema/revision"
)

// latestFlags are those of ci latest.
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
		return failure{code: exitInvalid, err: fmt.Errorf("--tip: %w", err)}
	}
	return o.judge(ctx, commit, tip, "the branch", func(ctx context.Context) ([]string, bool, error) {
		files, err := revision.Changed(ctx, o.sys.Dir, commit, tip)
		if err != nil {
			return nil, false, failure{code: exitInvalid, err: err}
		}
		return files, true, nil
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
		return failure{code: exitStale, err: old}
	}
	files, all, err := since(ctx)
	if err != nil {
		return err
	}
	if !all {
		return failure{code: exitStale, err: old}
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
	c := &common{sys: o.sys, path: o.description, rev: commit, tags: o.tags}
	tree, err := c.tree(ctx)
	if err != nil {
		fmt.Fprintf(o.sys.Err, "The description cannot be loaded here, so each file matters that may be of it: %v\n", err)
		return o.concerns
	}
	d, err := withinLimits(ctx, &c.loading, func(ctx context.Context) (description, error) { return c.readTree(ctx, tree) })
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
