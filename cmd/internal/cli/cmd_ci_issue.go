package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/forge"
)

type issueFlags struct {
	ciFlags
	drift, healed, outputs string
}

func newCIIssue(sys *System) *cobra.Command {
	o := &issueFlags{ciFlags: ciFlags{sys: sys}}
	c := &cobra.Command{
		Use:   "issue --drift FILE | --healed FILE",
		Short: "Keep one issue about drift: opened, updated, closed",
		Long: `Issue keeps one open issue about a network's drift. With --drift it is opened with
the text of FILE, as drift --report markdown=FILE makes it, or brought up to date.
With --healed it is closed with a word, if there is one; FILE is the report of the
drift that found nothing. Drift that comes back later gets an issue of its own. With
--outputs, the report that drift --report outputs=FILE makes at the same time, the
issue's title says what was found.

A drift that was narrowed keeps no issue: it knows nothing of the rest.

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
	c.Flags().StringVar(&o.outputs, "outputs", "", "with --drift: the report of outputs, for the title")
	c.Flags().StringVar(&o.healed, "healed", "", "the report in markdown of a drift that found nothing")
	return c
}

func (o *issueFlags) keep(ctx context.Context) error {
	text, marker, err := o.whole("--drift", o.drift)
	if err != nil {
		return err
	}
	title, err := o.title(marker.Network)
	if err != nil {
		return err
	}
	return o.open(ctx, func(ctx context.Context, f forge.Forge) error {
		did, issue, err := forge.Drifted(ctx, f, marker, title, text)
		return o.did(fmt.Sprintf("issue #%d", issue.Number), did, issue.URL, err)
	})
}

// whole reads a report of drift that was not narrowed, and its marker.
func (o *issueFlags) whole(flag, file string) (string, forge.Marker, error) {
	text, marker, err := o.text(flag, file)
	switch {
	case err != nil:
	case marker.Kind == "drift-part":
		err = fail(exitInvalid, "%s: %s is of a part of network %s; an issue takes a drift without --cluster, --site and --link", flag, file, marker.Network)
	case marker.Kind != "drift":
		err = fail(exitInvalid, "%s: %s is a report of kind %s; an issue takes one of drift", flag, file, marker.Kind)
	}
	return text, marker, err
}

// title says what was found, as far as that is known.
func (o *issueFlags) title(network string) (string, error) {
	found := map[string]string{}
	if o.outputs != "" {
		data, err := os.ReadFile(o.sys.abs(o.outputs))
		if err != nil {
			return "", fail(exitInvalid, "--outputs: %w", err)
		}
		for line := range strings.Lines(string(data)) {
			key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
			found[key] = value
		}
	}
	if given := found["network"]; given != "" && given != network {
		return "", fail(exitInvalid, "--outputs: %s is of network %s, and --drift of %s", o.outputs, given, network)
	}
	return "Network " + network + " " + ailment(found), nil
}

// ailment words the outputs of a drift.
func ailment(found map[string]string) string {
	some := func(key string) bool { return found[key] != "" && found[key] != "0" && found[key] != "false" }
	switch differs, broken := some("pending"), some("live_errors"); {
	case differs && broken:
		return "differs from what was last applied, and does not run as it should"
	case differs:
		return "differs from what was last applied"
	case broken:
		return "does not run as it should"
	case some("refused"):
		return "has something in the way of an apply"
	case some("behind"):
		return "is behind git"
	}
	return "needs a look"
}

func (o *issueFlags) heal(ctx context.Context) error {
	_, marker, err := o.whole("--healed", o.healed)
	if err != nil {
		return err
	}
	word := fmt.Sprintf("Network %s needs no look any more: it is as last applied, and drift finds no errors.", marker.Network)
	if url := runURL(o.sys.Getenv); url != "" {
		word += " Seen by " + url
	}
	return o.open(ctx, func(ctx context.Context, f forge.Forge) error {
		did, issue, err := forge.Healed(ctx, f, marker, word)
		if err == nil && did == forge.Nothing {
			_, err = fmt.Fprintln(o.sys.Out, "There is no open issue about drift, and none is needed.")
			return err
		}
		return o.did(fmt.Sprintf("issue #%d", issue.Number), did, issue.URL, err)
	})
}
