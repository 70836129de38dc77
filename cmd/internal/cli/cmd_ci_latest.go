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
)

// latestFlags are those of ci latest.
type latestFlags struct {
	ciFlags
	// given is --commit.
	given, branch string
	// description is a directory of the repository.
	description string
}

func newCILatest(sys *System) *cobra.Command {
	o := &latestFlags{ciFlags: ciFlags{sys: sys}}
	c := &cobra.Command{
		Use:   "latest",
		Short: "Check that the job's commit is still the last one of its branch",
		Long: `Latest asks the forge for the last commit of the job's branch and ends with 5 where
that is another one than the job's: a job that is run again is for the commit of its
first run, and applying that would undo what was merged since. With --description it is
no matter what came since outside of that directory, but for files of CUE, YAML and
JSON, which a description may be made of wherever they are.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.open(c.Context(), o.run) },
	}
	o.flags(c)
	c.Flags().StringVar(&o.given, "commit", "", "the commit, its whole SHA (default: the job's)")
	c.Flags().StringVar(&o.branch, "branch", "", "the branch (default: the job's)")
	c.Flags().StringVar(&o.description, "description", "", "the description's directory, from the root of the repository")
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
	if tip != commit && o.description != "" {
		files, all, err := f.Since(ctx, commit, tip)
		if err != nil {
			return err
		}
		if all && !slices.ContainsFunc(files, o.concerns) {
			_, err = fmt.Fprintf(o.sys.Err, "What came after commit %s on branch %s has nothing to do with %s.\n", commit, branch, o.description)
			return err
		}
	}
	if tip != commit {
		return fail(exitStale, "this job is for commit %s, and branch %s is at %s by now: applying what is older would undo what came since", commit, branch, tip)
	}
	_, err = fmt.Fprintf(o.sys.Err, "Commit %s is the last one of branch %s.\n", commit, branch)
	return err
}

// concerns reports whether a file of the repository may be a part of the description.
func (o *latestFlags) concerns(file string) bool {
	dir, _, _ := strings.Cut(o.description, ":")
	dir = strings.TrimPrefix(path.Clean("/"+dir), "/")
	inside := dir == "" || file == dir || strings.HasPrefix(file, dir+"/")
	return inside || slices.Contains([]string{".cue", ".yaml", ".yml", ".json"}, strings.ToLower(path.Ext(file)))
}
