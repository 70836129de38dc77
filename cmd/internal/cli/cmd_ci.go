package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/forge"
	"fairlead.dev/fairlead/plan/words"
)

// ciFlags are what the commands for pipelines share.
type ciFlags struct {
	sys     *System
	forge   string
	timeout time.Duration
	job     forge.Job
}

func newCI(sys *System) *cobra.Command {
	c := &cobra.Command{
		Use:   "ci",
		Short: "Tell the forge, from a job of GitHub Actions or GitLab CI",
		Long: `Ci keeps a comment on a pull request (or a note on a merge request) and an issue
about drift, fetches the plan that was reviewed, and checks that a commit is still its
branch's last. Repository, request and commit are those of the job that it runs in.

On GitHub it wants the job's token in GITHUB_TOKEN; on GitLab a project access token of
scope api and role Reporter or higher in FAIRLEAD_GITLAB_TOKEN.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newCIComment(sys), newCIIssue(sys), newCIReviewed(sys), newCILatest(sys))
	return c
}

// flags adds those that all of them have.
func (o *ciFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.forge, "forge", "", "github or gitlab (default: the one whose job this is)")
	c.Flags().DurationVar(&o.timeout, "timeout", 3*time.Minute, "bound of the whole conversation with the forge")
}

// open reads the job's environment and runs do with the forge.
func (o *ciFlags) open(ctx context.Context, do func(context.Context, forge.Forge) error) error {
	if o.timeout <= 0 {
		return fail(exitInvalid, "--timeout must be more than 0")
	}
	job, err := forge.JobOf(o.forge, o.sys.Getenv)
	if err != nil {
		return coded(exitInvalid, err)
	}
	o.job = job
	f, err := job.Open(o.sys.Getenv)
	if err != nil {
		return coded(exitInvalid, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("no end within %s (--timeout)", o.timeout))
	defer cancel()
	return do(ctx, f)
}

// wholeSHA is a commit's name, SHA-1 or SHA-256.
var wholeSHA = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// commit is the one of --commit, or the job's.
func (o *ciFlags) commit(given string) (string, error) {
	commit := cmp.Or(given, o.job.Commit)
	if !wholeSHA.MatchString(commit) {
		return "", fail(exitInvalid, "--commit %q is no whole SHA of a commit", commit)
	}
	return commit, nil
}

// mostRunes is how long a comment or an issue may be on GitHub; GitLab takes more.
const mostRunes = 65536

// text reads a file of markdown and its marker.
func (o *ciFlags) text(flag, file string) (string, forge.Marker, error) {
	data, err := os.ReadFile(o.sys.abs(file))
	if err != nil {
		return "", forge.Marker{}, fail(exitInvalid, "%s: %w", flag, err)
	}
	text := string(data)
	m, ok := forge.MarkerOf(text)
	if !ok {
		return "", m, fail(exitInvalid, "%s: %s does not begin with a line <!-- fairlead:KIND:NETWORK -->; write it with: --report markdown=%s", flag, file, file)
	}
	if n := utf8.RuneCountInString(text); n > mostRunes {
		return "", m, fail(exitInvalid, "%s: %s has %d characters, and a forge takes %d", flag, file, n, mostRunes)
	}
	return text, m, nil
}

// did says what was done, with where it can be seen, or gives the error.
func (o *ciFlags) did(what string, did forge.Did, url string, err error) error {
	if err != nil {
		return err
	}
	line := fmt.Sprintf("The %s was %s", what, did)
	if did == forge.Unchanged {
		line = fmt.Sprintf("The %s is as it should be", what)
	}
	if url != "" {
		line += ": " + url
	}
	_, err = fmt.Fprintln(o.sys.Out, line)
	return err
}

type commentFlags struct {
	ciFlags
	number   int
	outdated string
	networks []string
}

func newCIComment(sys *System) *cobra.Command {
	o := &commentFlags{ciFlags: ciFlags{sys: sys}}
	c := &cobra.Command{
		Use:   "comment FILE",
		Short: "Keep one comment on the pull request, edited in place",
		Long: `Comment writes FILE, as --report markdown=FILE makes it, as a comment on the pull
request or merge request of the job. A comment of the same kind and network that the
token's own user wrote, or a bot, is edited; what people wrote never is.

When a later commit cannot be planned, comment --outdated plan --network NAME says so in
the comment that shows an earlier plan of that network. Without a name it does so where
there is just one comment of the kind.`,
		Args: func(_ *cobra.Command, args []string) error {
			if (len(args) == 1) == (o.outdated != "") || len(args) > 1 {
				return fail(exitInvalid, "give one file of markdown, or --outdated with a kind")
			}
			if o.outdated == "" && len(o.networks) > 0 {
				return fail(exitInvalid, "--network goes with --outdated; a file says itself which network it is of")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if o.outdated != "" {
				return o.open(c.Context(), o.outdate)
			}
			return o.comment(c.Context(), args[0])
		},
	}
	o.flags(c)
	c.Flags().IntVar(&o.number, "request", 0, "number of the pull request or merge request (default: the job's)")
	c.Flags().StringVar(&o.outdated, "outdated", "", "instead, say in the comment of this kind (plan, diff) that it no longer holds")
	c.Flags().StringArrayVar(&o.networks, "network", nil, "with --outdated: the network whose comment is meant (repeatable)")
	return c
}

// request is the number to comment on.
func (o *commentFlags) request() (int, error) {
	n := cmp.Or(o.number, o.job.Request)
	if n <= 0 {
		return 0, fail(exitInvalid, "this job is not for a pull request or merge request; name one with --request")
	}
	return n, nil
}

func (o *commentFlags) comment(ctx context.Context, file string) error {
	text, marker, err := o.text("comment", file)
	if err != nil {
		return err
	}
	return o.open(ctx, func(ctx context.Context, f forge.Forge) error {
		number, err := o.request()
		if err != nil {
			return err
		}
		did, note, err := forge.Comment(ctx, f, number, marker, text)
		return o.did("comment", did, note.URL, err)
	})
}

// kindName is what --outdated takes.
var kindName = regexp.MustCompile(`^[a-z][a-z-]*$`)

func (o *commentFlags) outdate(ctx context.Context, f forge.Forge) error {
	if !kindName.MatchString(o.outdated) {
		return fail(exitInvalid, "--outdated %q is no kind of comment; such as plan", o.outdated)
	}
	number, err := o.request()
	if err != nil {
		return err
	}
	did, err := forge.Outdate(ctx, f, number, o.outdated, o.networks, outdatedWord(o.outdated, runURL(o.sys.Getenv)))
	if err != nil {
		return err
	}
	line := words.Count(did.Changed, "comment") + " marked as outdated."
	if did.Left > 0 {
		line = fmt.Sprintf("There are %d comments of kind %s, and which one is meant is not known, so all stay as they are; name the network with --network.", did.Left, o.outdated)
	}
	_, err = fmt.Fprintln(o.sys.Out, line)
	return err
}

func outdatedWord(kind, url string) string {
	word := fmt.Sprintf("**There is no %s for the latest commit**: it could not be made. What this comment showed was of an earlier one.", kind)
	if url != "" {
		word += fmt.Sprintf(" The [log of the job](%s) says why.", strings.NewReplacer("(", "%28", ")", "%29").Replace(url))
	}
	return word
}
