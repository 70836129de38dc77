package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/judge"
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/planner"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/network"
)

// packageCommand is what each command has that reads a description and shows something of it.
type packageCommand struct {
	*process
	sourceFlags
	outputFlags
	records records
	// showsFindings is true for commands that show what is found in a description.
	showsFindings bool
}

// newPackageCommand has the formats that are given, the default first, or text and json.
func newPackageCommand(sys *System, formats ...string) packageCommand {
	if len(formats) == 0 {
		formats = []string{"text", "json"}
	}
	p := newProcess(sys)
	return packageCommand{process: p, sourceFlags: sourceFlags{process: p}, outputFlags: outputFlags{process: p, formats: formats}}
}

func (o *packageCommand) flags(c *cobra.Command) {
	o.sourceFlags.flags(c)
	o.outputFlags.flags(c)
	o.logFlags(c)
}

// check refuses flag values that no command understands, and files that two flags name, those
// of the command's own flags among them.
func (o *packageCommand) check(c *cobra.Command, args []string, files ...flagged) error {
	_, env := programsRefused(programsEnv, o.sys.Getenv(programsEnv))
	if err := cmp.Or(o.sourceFlags.check(c, args), o.outputFlags.check(), o.limits.check(), env, o.start()); err != nil {
		return err
	}
	files = append([]flagged{{"--output", o.output}}, files...)
	for _, text := range o.reports {
		_, file, _ := strings.Cut(text, "=")
		files = append(files, flagged{"--report", file})
	}
	return distinct(o.sys, append(files, flagged{"--metrics", o.records.metricsFile}, flagged{"--events", o.records.eventsFile}))
}

// load reads and validates; user mistakes are shown and end the command. What acts on a
// description takes loadJudged.
func (o *packageCommand) load(ctx context.Context) (description, error) {
	end := o.phase("load")
	d, err := o.read(ctx)
	if err != nil {
		return d, err
	}
	o.records.described(d)
	if d.from.Unread != nil && !o.showsFindings && !d.Findings.HasErrors() {
		fmt.Fprintln(o.sys.Err, unreadGit(d.from.Unread))
	}
	end("sites", len(d.desired.Sites), "links", len(d.desired.Links), "commit", d.source.Commit)
	if d.Findings.HasErrors() {
		if err := o.aside(findings(d.Result)); err != nil {
			return d, err
		}
		return d, quit(exitInvalid)
	}
	return d, nil
}

// loadJudged loads the description and judges it, before anything that it names is run,
// asked or written. Every command that acts on a description begins here.
func (o *packageCommand) loadJudged(ctx context.Context, terms judge.Terms) (judge.Passed[description], error) {
	d, err := o.load(ctx)
	if err != nil {
		return judge.Passed[description]{}, err
	}
	return judgement(d, terms)
}

// loadFor loads the description, and judges it where the command acts on it or a signature
// is demanded. What only prints may show one that is refused.
func (o *packageCommand) loadFor(ctx context.Context, acts bool) (description, error) {
	if !acts && len(o.signers) == 0 {
		return o.load(ctx)
	}
	judged, err := o.loadJudged(ctx, judge.Terms{})
	if err != nil {
		return description{}, err
	}
	return judged.Description(), nil
}

// judgement holds a description against its policy and the command line.
func judgement(d description, terms judge.Terms) (judge.Passed[description], error) {
	terms.Now = time.Now()
	passed, err := judge.Description(d, terms)
	var why judge.Error
	if !errors.As(err, &why) {
		return passed, err
	}
	code := map[judge.Class]int{judge.Invalid: exitInvalid, judge.Refused: exitRefused, judge.Stale: exitStale}[why.Class]
	return passed, failure{code: code, err: err}
}

// findings are what was found in a description.
func findings(r schema.Result) report.Report {
	return report.Report{Findings: &report.Findings{
		Format: report.FindingsFormat, Network: r.Network.Name, Sites: len(r.Network.Sites), Links: len(r.Network.Links), List: r.Findings,
	}}
}

// planReport is the report of a plan that was made of the input. Where a cluster could not be
// read there is no picture of what was there.
func (o *packageCommand) planReport(d description, in planner.Input, p plan.Plan) report.Report {
	after := desired.AsNetwork(d.desired)
	r := report.Report{Plan: &p, After: &after, Run: o.who.URL}
	if countUnread(in.Observation) == 0 {
		before := planner.AsFound(in, p)
		r.Before = &before
	}
	return d.placed(r)
}

// partFlags pick a part of the network.
type partFlags struct {
	clusters, sites, links []string
}

func (o *partFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&o.clusters, "cluster", nil, "only this cluster (repeatable)")
	f.StringArrayVar(&o.sites, "site", nil, "only this site (repeatable)")
	f.StringArrayVar(&o.links, "link", nil, "only this link (repeatable)")
}

func (o *partFlags) filter() plan.Filter {
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

// among reports whether a name is one of the chosen; where none is, all are.
func among[T ~string](chosen []string, name T) bool {
	return len(chosen) == 0 || slices.Contains(chosen, string(name))
}

// known refuses names that are neither described nor planned.
func (o *partFlags) known(d description, actions []plan.Action) error {
	known := map[string]bool{}
	for _, c := range d.Network.Clusters {
		known["cluster "+string(c.Name)] = true
	}
	for _, v := range d.desired.Sites {
		known["site "+string(v.Name)] = true
	}
	for _, v := range d.desired.Links {
		known["link "+string(v.Name)] = true
	}
	for _, a := range actions {
		known[string(a.Kind)+" "+a.Name] = true
	}
	for kind, list := range map[string][]string{"cluster": o.clusters, "site": o.sites, "link": o.links} {
		for _, name := range list {
			if !known[kind+" "+name] {
				return fail(exitInvalid, "--%s %s: the network has no such %s", kind, name, kind)
			}
		}
	}
	return nil
}

// allowFlags lift refusals.
type allowFlags struct {
	allow      []string
	allowances []plan.Allowance
}

func (o *allowFlags) flags(c *cobra.Command) {
	c.Flags().StringArrayVar(&o.allow, "allow", nil,
		"go ahead with what the plan or its description is refused for, as is shown: CODE:NUMBER@PLAN (repeatable), or all@PLAN")
}

// check refuses an --allow that cannot be read, before any cluster is reached.
func (o *allowFlags) check() error {
	for _, text := range o.allow {
		a, err := plan.ParseAllowance(text)
		if err != nil {
			return failure{code: exitInvalid, err: err}
		}
		o.allowances = append(o.allowances, a)
	}
	return nil
}

// terms are what the description is judged by.
func (o *allowFlags) terms(saved *judge.Saved) judge.Terms {
	return judge.Terms{Saved: saved, Allowances: o.allowances, Liftable: true}
}

// lift marks the refusals that --allow names. One that fits none of the plan's is a
// mistake of the command line. Those about where the description comes from were taken
// when it was judged.
func (o *allowFlags) lift(p plan.Plan) (plan.Plan, error) {
	lifted, err := plan.Lift(p, slices.DeleteFunc(slices.Clone(o.allowances), plan.Allowance.OfProvenance))
	return lifted, coded(exitInvalid, err)
}

// partialFlag goes on without clusters that cannot be read.
type partialFlag struct{ allowPartial bool }

func (o *partialFlag) flags(c *cobra.Command) {
	c.Flags().BoolVar(&o.allowPartial, "allow-partial", false, "go on where a cluster cannot be read, and leave out what needs it")
}

// accepted is a plan as planExit is to judge it: clusters that may be left out do not
// count, as long as one could be read.
func (o *partialFlag) accepted(p plan.Plan) plan.Plan {
	read := slices.DeleteFunc(slices.Clone(p.Clusters), func(c plan.Cluster) bool { return c.State != plan.StateOK })
	if o.allowPartial && len(read) > 0 {
		p.Clusters = read
	}
	return p
}
