package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/forge"
	"fairlead.dev/fairlead/plan"
)

type reviewedFlags struct {
	ciFlags
	output string
	want   forge.Merge
}

func newCIReviewed(sys *System) *cobra.Command {
	o := &reviewedFlags{ciFlags: ciFlags{sys: sys}}
	c := &cobra.Command{
		Use:   "reviewed -o FILE",
		Short: "Fetch the plan that was reviewed before a merge",
		Long: `Reviewed finds the pull request or merge request that became the job's commit, and
saves the plan that was made for its last commit: on GitHub from the artifact
NAME-NUMBER-SHA that a workflow on the pull request kept, on GitLab from the job NAME
of its newest pipeline. What a fork's pipeline kept does not count. Standard output has
the id of the plan that the request's comment shows, for: apply --plan FILE
--expect-plan-id ID.

Where there is no such plan, it has expired, or it is not the one that the comment of
ci comment shows, nothing is saved (exit code 5).`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.output == "" {
				return fail(exitInvalid, "say where to save the plan: -o plan.json")
			}
			return o.open(c.Context(), o.run)
		},
	}
	o.flags(c)
	f := c.Flags()
	f.StringVarP(&o.output, "output", "o", "", "save the plan to this file")
	f.StringVar(&o.want.Commit, "commit", "", "the commit that was merged, its whole SHA (default: the job's)")
	f.StringVar(&o.want.Name, "name", "", "the artifact's name without number and SHA, or the job's (default: fairlead-plan)")
	f.StringVar(&o.want.File, "file", "plan.json", "the plan's path in the artifact")
	return c
}

func (o *reviewedFlags) run(ctx context.Context, f forge.Forge) (err error) {
	o.want.Branch, o.want.Name = o.job.Branch, cmp.Or(o.want.Name, "fairlead-plan")
	if o.want.Commit, err = o.commit(o.want.Commit); err != nil {
		return err
	}
	found, err := f.Reviewed(ctx, o.want)
	var none *forge.NoPlan
	if errors.As(err, &none) {
		return fail(exitStale, "there is no reviewed plan to apply: %w", err)
	}
	if err != nil {
		return err
	}
	p, err := plan.Decode(found.Plan)
	if err != nil {
		return fail(exitInvalid, "the plan of request %d cannot be used: %w", found.Request, err)
	}
	id, err := o.reviewed(ctx, f, found.Request, p)
	if err != nil {
		return err
	}
	err = o.sys.write("--output", o.output, func(w io.Writer) error {
		if _, err := w.Write(found.Plan); err != nil {
			return fmt.Errorf("--output: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(o.sys.Err, "The plan of network %s that request %d showed for commit %s is in %s.\n", p.Network, found.Request, found.Head, o.output)
	_, err = fmt.Fprintln(o.sys.Out, id)
	return err
}

// reviewed gives the id of the plan that the request's comment shows, which is what was
// reviewed. A plan that was kept and is another one is an error.
func (o *reviewedFlags) reviewed(ctx context.Context, f forge.Forge, request int, p plan.Plan) (string, error) {
	id, err := forge.ShownPlan(ctx, f, request, forge.Marker{Kind: "plan", Network: p.Network})
	switch {
	case err != nil:
		return "", err
	case id == "":
		return "", fail(exitStale, "there is no reviewed plan to apply: request %d has no comment that shows a plan of network %s", request, p.Network)
	case id != p.ID:
		return "", fail(exitStale, "there is no reviewed plan to apply: the comment of request %d shows plan %s, and plan %s was kept", request, id, p.ID)
	}
	return id, nil
}
