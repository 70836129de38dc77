package text

import (
	"cmp"
	"fmt"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/words"
)

var verbColors = map[plan.Verb]color{
	plan.VerbCreate: green, plan.VerbUpdate: yellow, plan.VerbReplace: yellow, plan.VerbDelete: red,
	plan.VerbAdopt: cyan,
}

// planned prints plans and drift.
type planned struct{ *printer }

func (p planned) sign(a report.Action) string { return p.paint(verbColors[a.Verb], a.Sign) }

func (p planned) plan(d report.Document) {
	p.line("%s %s", p.paint(bold, "Network "+d.Network), p.paint(dim, "("+d.Source.String()+")"))
	if d.Alone {
		p.line("%s", p.paint(dim, "compared with "+revision(d.Base)+"; no cluster was read"))
	}
	p.gap()
	p.unread(d.Clusters)
	p.actions(d)
	p.refusals(d.Danger.Refusals)
	if all := d.Danger.AllowAll; all != "" {
		p.line("      all of these at once: %s", all)
	}
	p.warnings(d.Findings)
	p.effects(d.Effects.Title, d.Effects.List)
	p.unmanaged(d.Unmanaged)
	p.ignored(d.Ignored)
	p.gap()
	if !d.Pending() && len(d.Danger.Refusals) == 0 && d.Whole() {
		p.line("%s", p.paint(green, d.Verdict.Nothing))
		return
	}
	p.line("%s %s.", p.paint(bold, "Plan:"), d.Verdict.Summary)
}

// revision names the revision of a base.
func revision(s report.Source) string {
	if s.Commit == "" {
		return cmp.Or(s.Ref, "nothing")
	}
	return s.String()
}

func (p *printer) unread(clusters []report.Cluster) {
	for _, c := range report.Unread(clusters) {
		p.line("  %s cluster %s is %s: %s", p.paint(red, "!"), c.Name, c.State, c.Reason)
		p.line("      nothing there is planned; what it holds is unknown")
	}
}

// actions shows all of them; with a base those of the change apart from the rest.
func (p planned) actions(d report.Document) {
	if !d.Based || d.Alone {
		p.eachAction(d.Actions)
		return
	}
	own, others := d.Parted()
	p.section("What changed since "+revision(d.Base), own, "nothing to do for it")
	p.gap()
	p.section("Pending or drifted anyway", others, "nothing")
	for _, s := range d.Spared {
		p.line("  %s no longer needed: %s %s (%s)", p.paint(dim, "·"), s.Verb, s.ID, s.Why)
	}
	p.gap()
}

func (p planned) section(title string, list []report.Action, otherwise string) {
	if len(list) == 0 {
		title += ": " + otherwise
	}
	p.line("%s", p.paint(bold, title))
	p.eachAction(list)
}

// mostAfter is how many actions that come first are spelled out.
const mostAfter = 10

func (p planned) eachAction(list []report.Action) {
	for _, a := range list {
		name := p.paint(bold, a.Name)
		if a.IsLink {
			name += ":"
		}
		p.line("  %s %s %s %s %s%s%s", p.sign(a), a.Verb, a.Kind, name, a.Where(), p.tags(a),
			p.paint(dim, declared(a.Declared)))
		p.line("      %s", a.Why)
		if a.Source != "" {
			p.line("      %s %s", p.paint(dim, "from:"), a.Source)
		}
		p.fields(a)
		p.removed(a)
		if !a.Deletes() {
			p.line("      %s %s", p.paint(dim, "steps:"), a.Steps)
		}
		if len(a.After) > 0 {
			p.line("      %s %s", p.paint(dim, "after:"), words.Some(a.After, mostAfter))
		}
	}
}

// tags says what deserves attention: drift, and what traffic meets.
func (p planned) tags(a report.Action) string {
	var tags []string
	for _, word := range []string{a.Cause, a.Disturbs()} {
		if word != "" {
			tags = append(tags, p.paint(yellow, word))
		}
	}
	if len(tags) == 0 {
		return ""
	}
	return " [" + strings.Join(tags, ", ") + "]"
}

// declared is a place in the description, set apart; empty where there is none.
func declared(at fmt.Stringer) string {
	if text := at.String(); text != "" {
		return "  " + text
	}
	return ""
}

func (p planned) fields(a report.Action) {
	for _, f := range a.Fields {
		switch {
		case f.New:
			p.line("      %s %s: %s", p.paint(green, "+"), f.Path, f.To)
		case f.Gone:
			p.line("      %s %s: %s", p.paint(red, "-"), f.Path, f.From)
		default:
			p.line("      %s %s: %s → %s", p.paint(yellow, "~"), f.Path, f.From, f.To)
		}
	}
}

func (p planned) removed(a report.Action) {
	for _, r := range a.Removes {
		p.line("      %s %s", p.paint(red, "-"), r)
	}
}

func (p planned) refusals(list []report.Refusal) {
	for _, r := range list {
		if r.Overridden {
			p.line("  %s overridden: %s: %s", p.paint(yellow, "!"), r.Subject, r.Message)
			continue
		}
		p.line("  %s refused: %s: %s", p.paint(red, "!"), r.Subject, r.Message)
		advice := r.Override
		if r.Number > 0 {
			advice = "if that is meant, pass: " + advice
		}
		p.line("      %s", advice)
	}
}

// warnings shows what a plan found while planning, or the description's validation.
func (p planned) warnings(list []report.Finding) {
	for _, f := range list {
		p.line("  %s %s%s", p.paint(yellow, "warning:"), position(f), report.About(f))
		if f.Fix != "" {
			p.line("      %s", f.Fix)
		}
	}
}

var severities = map[string]color{"high": red, "medium": yellow, "low": dim}

func (p planned) effects(title string, list []report.Effect) {
	if len(list) == 0 {
		return
	}
	const most = 12
	p.title(title)
	for _, e := range list[:min(len(list), most)] {
		p.line("  %s", p.paint(severities[e.Severity], e.Message))
	}
	if rest := len(list) - most; rest > 0 {
		p.line("  … and %d more", rest)
	}
}

func (p *printer) unmanaged(list []string) {
	if len(list) == 0 {
		return
	}
	p.title("Not managed by Fairlead, left alone")
	for _, r := range list {
		p.line("  %s", r)
	}
}
