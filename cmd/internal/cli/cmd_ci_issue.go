package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/forge"
)

// issueFlags are those of ci issue.
type issueFlags struct {
	ciFlags
	drift, healed string
}

func newCIIssue(sys *System) *cobra.Command {
	o := &issueFlags{ciFlags: ciFlags{sys: sys}}
	c := &cobra.Command{
		Use:   "issue --drift FILE | --healed FILE",
		Short: "Keep one issue about drift: opened, updated, closed",
		Long: `Issue keeps one open issue about a network's drift. With --drift it is opened with
the text of FILE, as drift --report markdown=FILE makes it, or brought up to date.
With --healed it is closed with a word, if there is one; FILE is the report of the
drift that found nothing. Drift that comes back later gets an issue of its own.

Only issues that the token's own user wrote, or a bot, are touched.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 || (o.drift == "") == (o.healed == "") {
				return fail(exitInvalid, "say either --drift FILE or --healed FILE")
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if o.drift != "" {
				return o.keep(c.Context())
			}
			return o.heal(c.Context())
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.drift, "drift", "", "the report in markdown of drift that was found")
	c.Flags().StringVar(&o.healed, "healed", "", "the report in markdown of a drift that found nothing")
	return c
}

func (o *issueFlags) keep(ctx context.Context) error {
	text, marker, err := o.text("--drift", o.drift)
	if err != nil {
		return err
	}
	title := fmt.Sprintf("Network %s differs from what was last applied", marker.Network)
	return o.open(ctx, func(ctx context.Context, f forge.Forge) error {
		did, issue, err := forge.Drifted(ctx, f, marker, title, text)
		if err != nil {
			return err
		}
		return o.did(fmt.Sprintf("issue #%d", issue.Number), did, issue.URL)
	})
}

func (o *issueFlags) heal(ctx context.Context) error {
	_, marker, err := o.text("--healed", o.healed)
	if err != nil {
		return err
	}
	word := fmt.Sprintf("Network %s is as it was last applied again.", marker.Network)
	if url := runURL(o.sys.Getenv); url != "" {
		word += " Seen by " + url
	}
	return o.open(ctx, func(ctx context.Context, f forge.Forge) error {
		did, issue, err := forge.Healed(ctx, f, marker, word)
		if err != nil {
			return err
		}
		if did == forge.Nothing {
			_, err = fmt.Fprintln(o.sys.Out, "There is no open issue about drift, and none is needed.")
			return err
		}
		return o.did(fmt.Sprintf("issue #%d", issue.Number), did, issue.URL)
	})
}
