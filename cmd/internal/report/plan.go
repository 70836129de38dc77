package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
)

type sign struct {
	symbol string
	color  color
}

var signs = map[plan.Verb]sign{
	plan.VerbCreate:  {"+", green},
	plan.VerbUpdate:  {"~", yellow},
	plan.VerbReplace: {"±", yellow},
	plan.VerbDelete:  {"-", red},
	plan.VerbAdopt:   {"=", cyan},
}

func (p *printer) plan(pl plan.Plan) {
	p.header(pl)
	p.clusters(pl.Clusters)
	p.actions(pl)
	p.refusals(pl.Refusals)
	if all := pl.AllowAll(); all != "" {
		p.line("      all of these at once: %s", all)
	}
	p.warnings(pl.Diagnostics)
	p.effects(pl, pl.Topology.Effects)
	p.unmanaged(pl.Unmanaged)
	p.ignored(pl.Ignored)
	p.summary(pl)
}

func (p *printer) header(pl plan.Plan) {
	p.line("%s %s", p.paint(bold, "Network "+pl.Network), p.paint(dim, sourceOf(pl.Source)))
	if alone(pl) {
		p.line("%s", p.paint(dim, "compared with "+revisionOf(pl.Base.Source)+"; no cluster was read"))
	}
	p.gap()
}

func sourceOf(s plan.Source) string { return "(" + inGit(s) + ")" }

// revisionOf names the revision of a base.
func revisionOf(s plan.Source) string {
	if s.Commit == "" {
		return cmp.Or(s.Ref, "nothing")
	}
	return inGit(s)
}

// inGit says where a description is from: "main at 0a1b2c3d4e5f".
func inGit(s plan.Source) string {
	if s.Commit == "" {
		return withoutCommit(s) + leftOut(s)
	}
	text := abbreviated(s.Commit)
	if s.Ref != "" {
		text = s.Ref + " at " + text
	}
	if s.Dirty {
		text += ", with uncommitted changes"
	}
	return text + leftOut(s)
}

// leftOut says how many files are no part of the description; each has a warning.
func leftOut(s plan.Source) string {
	if len(s.LeftOut) == 0 {
		return ""
	}
	return fmt.Sprintf(", %s left out", count(len(s.LeftOut), "file"))
}

// withoutCommit says why no commit is named.
func withoutCommit(s plan.Source) string {
	if s.Unread {
		return "commit not known"
	}
	return "not in git"
}

// abbreviated is a commit's ID as people write it.
func abbreviated(commit string) string { return commit[:min(len(commit), 12)] }

func (p *printer) clusters(clusters []plan.Cluster) {
	for _, c := range unread(clusters) {
		p.line("  %s cluster %s is %s: %s", p.paint(red, "!"), c.Name, c.State, c.Reason)
		p.line("      nothing there is planned; what it holds is unknown")
	}
}

// actions shows all of them; with a base those of the change apart from the rest.
func (p *printer) actions(pl plan.Plan) {
	if pl.Base == nil || alone(pl) {
		p.eachAction(pl.Actions)
		return
	}
	change, anyway := pl.ByOrigin()
	p.section(fmt.Sprintf("What changed since %s", revisionOf(pl.Base.Source)), len(change), "nothing to do for it")
	p.eachAction(change)
	p.gap()
	p.section("Pending or drifted anyway", len(anyway), "nothing")
	p.eachAction(anyway)
	for _, s := range pl.Base.Spared {
		p.line("  %s no longer needed: %s %s (%s)", p.paint(dim, "·"), s.Verb, s.ID, s.Why)
	}
	p.gap()
}

func (p *printer) section(title string, content int, otherwise string) {
	if content == 0 {
		title += ": " + otherwise
	}
	p.line("%s", p.paint(bold, title))
}

func (p *printer) eachAction(list []plan.Action) {
	for _, a := range list {
		p.action(a)
	}
}

func (p *printer) action(a plan.Action) {
	s := signs[a.Verb]
	title := fmt.Sprintf("%s %s %s", a.Verb, a.Kind, p.paint(bold, NameOf(a)))
	if a.Link != nil {
		title += ":"
	}
	p.line("  %s %s %s%s%s", p.paint(s.color, s.symbol), title, whereIs(a), p.tags(a), p.paint(dim, place(a)))
	p.line("      %s", a.Why)
	if a.Object != nil && a.Object.Source != "" {
		p.line("      %s %s", p.paint(dim, "from:"), a.Object.Source)
	}
	for _, f := range a.Fields {
		p.field(f)
	}
	p.removed(a)
	if a.Verb != plan.VerbDelete {
		p.line("      %s %s", p.paint(dim, "steps:"), steps(a.Steps))
	}
	if len(a.DependsOn) > 0 {
		p.line("      %s %s", p.paint(dim, "after:"), someOf(a.DependsOn, mostAfter))
	}
}

// mostAfter is how many actions that come first are spelled out.
const mostAfter = 10

// someOf joins up to so many names, and counts the rest.
func someOf(names []string, most int) string {
	if rest := len(names) - most; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), rest)
	}
	return strings.Join(names, ", ")
}

// NameOf is a name as people call it; an object's has its kind.
func NameOf(a plan.Action) string {
	if a.Object != nil {
		return string(a.Object.Kind) + "/" + a.Name
	}
	return a.Name
}

// whereIs says which sites a link joins, and of others where they are.
func whereIs(a plan.Action) string {
	if a.Link != nil {
		return fmt.Sprintf("%s → %s", a.Link.From.Site, a.Link.To.Site)
	}
	return fmt.Sprintf("in %s/%s", a.Cluster, a.Namespace)
}

// tags says what deserves attention: drift, and what traffic meets.
func (p *printer) tags(a plan.Action) string {
	var tags []string
	if word := causeWords[a.Cause]; word != "" {
		tags = append(tags, p.paint(yellow, word))
	}
	if word := trafficOf(a); word != "" && a.Verb != plan.VerbDelete {
		tags = append(tags, p.paint(yellow, word))
	}
	if len(tags) == 0 {
		return ""
	}
	return " [" + strings.Join(tags, ", ") + "]"
}

// causeWords are those of causes that deserve attention.
var causeWords = map[plan.Cause]string{plan.CauseDrift: "drift", plan.CauseBoth: "drift and pending"}

var disruption = map[plan.Disruption]string{
	plan.DisruptionReconnect: "brief reconnect",
	plan.DisruptionRestart:   "router restarts",
	plan.DisruptionReplace:   "new link before the old one goes",
}

// What traffic meets beside disruptions.
const (
	goesAway = "goes away"
	changes  = "changes what is reached"
)

// trafficOf says what traffic meets while an action is carried out; empty for nothing that
// is known of.
func trafficOf(a plan.Action) string {
	carries := a.Kind == plan.KindSite || a.Kind == plan.KindLink || a.CarriesTraffic()
	switch {
	case a.Verb == plan.VerbDelete && carries:
		return goesAway
	case a.Verb == plan.VerbUpdate && a.CarriesTraffic() && slices.ContainsFunc(a.Fields, ofSpec):
		return changes
	case a.Verb == plan.VerbDelete:
		return ""
	}
	return disruption[a.Disruption]
}

// ofSpec tells what an object does from how it is labelled.
func ofSpec(f plan.Field) bool { return strings.HasPrefix(f.Path, "spec.") }

// linksAlone reports whether it is known of links alone that an action leaves them be: what
// an object of an overlay is for is not.
func linksAlone(a plan.Action) bool {
	return a.Kind == plan.KindObject && a.Verb != plan.VerbCreate && trafficOf(a) == ""
}

func place(a plan.Action) string { return spaced(a.DeclaredAt.String()) }

func (p *printer) field(f plan.Field) {
	switch {
	case f.From == nil:
		p.line("      %s %s: %s", p.paint(green, "+"), f.Path, value(f.To))
	case f.To == nil:
		p.line("      %s %s: %s", p.paint(red, "-"), f.Path, value(f.From))
	default:
		p.line("      %s %s: %s → %s", p.paint(yellow, "~"), f.Path, value(f.From), value(f.To))
	}
}

func value(v any) string {
	if v == nil {
		return "nothing"
	}
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}

func (p *printer) removed(a plan.Action) {
	for _, r := range removals(a) {
		p.line("      %s %s", p.paint(red, "-"), r)
	}
}

var stepWords = map[plan.Step]string{
	plan.StepNamespace: "create namespace", plan.StepRecord: "record", plan.StepSite: "write Site",
	plan.StepQuiet: "stop listening", plan.StepClose: "remove RouterAccess", plan.StepReady: "wait until ready", plan.StepGrant: "grant", plan.StepRedeem: "redeem token",
	plan.StepSecret: "write Secret", plan.StepCertificate: "issue certificate", plan.StepCarry: "carry Secret over", plan.StepLink: "create Link", plan.StepAdd: "add Links", plan.StepObject: "write object",
	plan.StepTakeOver: "take Link over", plan.StepConfigured: "wait until configured", plan.StepOperational: "wait until operational",
	plan.StepRetire: "remove old Link", plan.StepClean: "clean up", plan.StepDelete: "delete",
	plan.StepConfirm: "confirm",
}

// StepWord gives a step's name for people.
func StepWord(s plan.Step) string { return stepWords[s] }

func steps(list []plan.Step) string {
	words := make([]string, 0, len(list))
	for _, s := range list {
		words = append(words, stepWords[s])
	}
	return strings.Join(words, " → ")
}

func (p *printer) refusals(list []plan.Refusal) {
	for _, r := range list {
		switch {
		case r.Overridden:
			p.line("  %s overridden: %s: %s", p.paint(yellow, "!"), r.Subject, r.Message)
			continue
		case r.Number > 0:
			p.line("  %s refused: %s: %s", p.paint(red, "!"), r.Subject, r.Message)
			p.line("      if that is meant, pass: %s", r.Override)
			continue
		}
		p.line("  %s refused: %s: %s", p.paint(red, "!"), r.Subject, r.Message)
		p.line("      %s", r.Override)
	}
}

// warnings shows what a plan found while planning, or the description's validation.
func (p *printer) warnings(list diag.List) {
	for _, d := range list {
		p.line("  %s %s%s", p.paint(yellow, "warning:"), position(d), about(d))
		if d.Fix != "" {
			p.line("      %s", d.Fix)
		}
	}
}

func (p *printer) effects(pl plan.Plan, list []plan.Effect) {
	if len(list) == 0 {
		return
	}
	p.title(effectsTitle(pl))
	const most = 12
	for i, e := range list {
		if i == most {
			p.line("  … and %d more", len(list)-most)
			return
		}
		p.line("  %s", p.paint(severities[e.Severity], e.Message))
	}
}

var severities = map[string]color{"high": red, "medium": yellow, "low": dim}

func (p *printer) unmanaged(list []plan.ObjectRef) {
	if len(list) == 0 {
		return
	}
	p.title("Not managed by Fairlead, left alone")
	for _, r := range list {
		p.line("  %s", r)
	}
}

func (p *printer) summary(pl plan.Plan) {
	p.gap()
	if !pl.Pending() && len(pl.Refusals) == 0 && wholly(pl) {
		p.line("%s", p.paint(green, nothing(pl)))
		return
	}
	p.line("%s %s.", p.paint(bold, "Plan:"), Summary(pl))
}

// nothing says why there is nothing to do, or that it is not known whether there is.
func nothing(pl plan.Plan) string {
	switch {
	case pl.Summary.Unknown > 0:
		return "No change is known: " + count(pl.Summary.Unknown, "thing") + " could not be compared."
	case !wholly(pl):
		return "No change is known."
	case alone(pl):
		return "Nothing changes for sites, links and objects."
	case pl.Narrowed:
		return "Nothing to do for the part that was asked for."
	case len(pl.Ignored) > 0:
		return "Nothing to do: the clusters are as described, but for what policy ignores."
	}
	return "Nothing to do: the clusters are as described."
}

// tally is one of the counts: of a verb, of drift and so on. Verb is empty for what is no
// action of one verb.
type tally struct {
	Count      int
	Word, Verb string
}

// tallied words the counts of a plan, leaving out zeros.
func tallied(s plan.Summary) []tally {
	return notZero(
		tally{s.Create, "to create", "create"}, tally{s.Update, "to update", "update"}, tally{s.Replace, "to replace", "replace"},
		tally{s.Adopt, "to adopt", "adopt"}, tally{s.Delete, "to delete", "delete"}, tally{s.Drift, "because of drift", ""}, tally{s.Unknown, "unknown", ""},
	)
}

func notZero(list ...tally) []tally { return only(list, func(t tally) bool { return t.Count > 0 }) }

// Summary words a plan's counts, leaving out zeros: "2 to create, 1 to delete".
func Summary(pl plan.Plan) string {
	var parts []string
	for _, c := range tallied(pl.Summary) {
		parts = append(parts, fmt.Sprintf("%d %s", c.Count, c.Word))
	}
	refused := len(pl.Refused())
	if refused > 0 {
		parts = append(parts, "refused by "+count(refused, "rule"))
	}
	if allowed := len(pl.Refusals) - refused; allowed > 0 {
		parts = append(parts, count(allowed, "rule")+" overridden")
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}
