package cli

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/apply/lock"
	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// common are the flags that most commands share.
type common struct {
	sys  *System
	path string
	rev  string
	// base is the revision to compare with, of --base; basePath is where the description
	// is there, of --base-path.
	base, basePath string
	// given tells a flag that is empty, such as --rev "", from one that is not there.
	given    func(flag string) bool
	tags     []string
	clusters []string
	sites    []string
	links    []string
	format   string
	// formats are the values of --format, the default first; nil means text and json.
	formats []string
	// reports are the values of --report, FORMAT=FILE.
	reports     []string
	output      string
	kubeconfig  string
	timeout     time.Duration
	parallelism int
	color       string
	verbose     bool
	// allow are the refusals to lift, as given and as read; lifts is true for commands that
	// take them.
	allow      []string
	allowances []plan.Allowance
	lifts      bool
	logLevel   string
	logFormat  string
	// allowPartial goes on with the clusters that could be read.
	allowPartial bool
	// invocation says who runs this; log is open once the flags are checked, and talks
	// tells that it has more than warnings.
	invocation invocation
	log        *slog.Logger
	talks      bool
	records    records
	// reads is the file of apply --plan, and saved the plan in it; nil for none.
	reads string
	saved *judge.Saved
	// signers are files of keys that are trusted instead of the description's.
	signers []string
	// programs is --programs; refuses says that it, or the environment, refuses programs
	// that the description names.
	programs string
	refuses  bool
	// adopt takes foreign objects of a wanted name over.
	adopt bool
	// comparing is true for commands that compare credentials, and so resolve them.
	comparing bool
	// reaching is true for commands that reach clusters, reading for those of them that
	// must not write, and brief for those that need not read all that a plan takes.
	reaching, reading, brief bool
	// importing leaves the objects of overlays alone.
	importing bool
	// judges is true for commands that show what is found in a description.
	judges bool
	// routers is true for commands that want to know what routers report of links.
	routers bool
	// asked are namespaces to read, beside those that are described.
	asked []string
	loading
	// lock takes the locks of a command that writes, before it observes; nil for none.
	lock func(context.Context, session) (*lock.Locks, error)
}

// describe adds the flags that say which description is meant and how to show.
func (o *common) describe(c *cobra.Command) {
	f := c.Flags()
	o.given = f.Changed
	f.StringVar(&o.rev, "rev", "", "read the description from this git revision instead of the work tree")
	f.StringArrayVarP(&o.tags, "tag", "t", nil, "CUE tag, key=value or key (repeatable)")
	f.StringVar(&o.format, "format", o.choices()[0], "output format: "+alternatives(o.choices()))
	f.StringVarP(&o.output, "output", "o", "", "write to this file instead of standard output")
	f.StringVar(&o.color, "color", "auto", "auto, always or never")
	o.logFlags(c)
	o.loadFlags(c)
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return fail(exitInvalid, "one package at a time: %q is one too many", args[1])
		}
		return nil
	}
}

// comparison adds the flags that say what to compare with.
func (o *common) comparison(c *cobra.Command, usage string) {
	c.Flags().StringVar(&o.base, "base", "", usage)
	c.Flags().StringVar(&o.basePath, "base-path", "",
		"the package in the revision of --base (default: its own path, or where the same network is there; given its own path, what is not there is new)")
}

// reach adds the flags of commands that talk to clusters.
func (o *common) reach(c *cobra.Command) {
	o.reaching = true
	f := c.Flags()
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig for clusters that name none (default: KUBECONFIG, then ~/.kube/config)")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "bound of each wait: for an API server's answers, for readiness")
	f.IntVar(&o.parallelism, "parallelism", 20, "how many clusters, sites and links are worked on at once")
	o.running(c)
}

// narrow adds the flags that pick a part of the network.
func (o *common) narrow(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&o.clusters, "cluster", nil, "only this cluster (repeatable)")
	f.StringArrayVar(&o.sites, "site", nil, "only this site (repeatable)")
	f.StringArrayVar(&o.links, "link", nil, "only this link (repeatable)")
}

// check refuses flag values that no command understands.
func (o *common) check(args []string) error {
	o.path = "."
	if len(args) > 0 {
		o.path = args[0]
	}
	if o.rev == "" && o.given != nil && o.given("rev") {
		return fail(exitInvalid, "--rev is empty; name a revision, or leave it out for the work tree")
	}
	if o.basePath == "" && o.given != nil && o.given("base-path") {
		return fail(exitInvalid, "--base-path is empty; name a directory, or leave it out")
	}
	if o.basePath != "" && o.base == "" {
		return fail(exitInvalid, "--base is missing: --base-path names a directory of its revision")
	}
	if !slices.Contains(o.choices(), o.format) {
		return fail(exitInvalid, "--format %q is not known; use %s", o.format, alternatives(o.choices()))
	}
	if o.color != "auto" && o.color != "always" && o.color != "never" {
		return fail(exitInvalid, "--color %q is not known; use auto, always or never", o.color)
	}
	if o.reaching && (o.timeout <= 0 || o.parallelism <= 0) {
		return fail(exitInvalid, "--timeout and --parallelism must be more than 0")
	}
	if err := o.checkLoading(); err != nil && o.given != nil {
		return err
	}
	if err := o.checkPrograms(); err != nil {
		return err
	}
	o.invocation = newInvocation(o.sys)
	if err := o.readAllowances(); err != nil {
		return err
	}
	if err := o.checkReports(); err != nil {
		return err
	}
	if err := o.startLog(); err != nil {
		return err
	}
	return o.distinct()
}

// choices are the values that --format takes.
func (o *common) choices() []string {
	if o.formats == nil {
		return []string{"text", "json"}
	}
	return o.formats
}

// alternatives words a choice: "text or json", "mermaid, dot or svg".
func alternatives(list []string) string {
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

func (o *common) filter() plan.Filter {
	return plan.Filter{
		Clusters: names[network.ClusterName](o.clusters),
		Sites:    names[network.SiteName](o.sites),
		Links:    names[network.LinkName](o.links),
	}
}

func names[T ~string](list []string) []T {
	out := make([]T, 0, len(list))
	for _, s := range list {
		out = append(out, T(s))
	}
	return out
}

// colored decides for one stream.
func (o *common) colored(terminal bool) bool {
	switch o.color {
	case "always":
		return true
	case "never":
		return false
	}
	get := o.sys.Getenv
	return terminal && get("NO_COLOR") == "" && get("TERM") != "dumb" && get("CI") == ""
}

// show renders a report to standard output, or to the file of -o, and to those of
// --report.
func (o *common) show(r report.Report) error {
	err := o.out(func(w io.Writer) error {
		return o.render(w, r, o.output == "" && o.colored(o.sys.OutTerminal))
	})
	if err != nil {
		return err
	}
	return o.writeReports(r)
}

func (o *common) render(w io.Writer, r report.Report, colored bool) error {
	return report.Render(w, o.format, r, report.Style{Color: colored})
}

// aside shows a report on standard error, as text.
func (o *common) aside(r report.Report) error {
	return report.Text(o.sys.Err, r, report.Style{Color: o.colored(o.sys.ErrTerminal)})
}

// out writes to standard output, or to the file of -o.
func (o *common) out(content func(io.Writer) error) error {
	if o.output == "" || o.output == "-" {
		return content(o.sys.Out)
	}
	return o.sys.write("--output", o.output, content)
}

func (o *common) abs(path string) string { return o.sys.abs(path) }
