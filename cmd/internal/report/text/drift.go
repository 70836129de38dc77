package text

import (
	"cmp"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/schema/diag"
)

// drift shows who is cut off, and then each action as a difference. How the network runs, what
// rules leave out and what git changed stand apart.
func (p planned) drift(d report.Document) {
	p.line("%s", p.paint(bold, "Network "+d.Network+", compared with what was last applied"))
	if d.InGit() {
		p.line("%s %s", p.paint(dim, "last applied:"), cmp.Or(d.LastApplied(report.AsItIs, report.AsItIs), "nothing"))
		p.line("%s %s", p.paint(dim, "git:"), d.Source)
	}
	p.gap()
	p.unread(d.Clusters)
	p.lost(d)
	for _, a := range d.Actions {
		p.difference(a)
	}
	p.refusals(d.Danger.Refusals)
	p.warnings(d.Findings)
	p.live(d.Live)
	p.effects(d.Effects.Title, d.Effects.Others())
	p.ignored(d.Ignored)
	p.behind(d.Behind)
	p.unmanaged(d.Unmanaged)
	p.driftVerdict(d)
}

// lost shows who lost whom.
func (p planned) lost(d report.Document) {
	if len(d.Danger.Lost) == 0 {
		return
	}
	p.line("%s", p.paint(bold, "Cut off"+d.Effects.Since))
	for _, e := range d.Danger.Lost {
		p.line("  %s", p.paint(red, e.Message))
	}
	p.gap()
}

func (p planned) difference(a report.Action) {
	p.line("  %s %s %s%s", p.paint(yellow, "~"), a.Kind, p.paint(bold, a.Name), p.paint(dim, declared(a.Declared)))
	p.line("      %s", a.Why)
	for _, f := range a.Fields {
		p.line("      %s", f.AsDrift())
	}
	if len(a.Fields) == 0 && a.Updates() {
		p.removed(a)
	}
}

// live shows facts about how the network runs, as they are sorted: errors first.
func (p planned) live(list []report.Fact) {
	if len(list) == 0 {
		return
	}
	p.title("How it runs")
	for _, l := range list {
		c := yellow
		if l.Severity == diag.Error {
			c = red
		}
		p.line("  %s %s: %s %s%s", p.paint(c, string(l.Severity)+":"), l.Subject, l.Message,
			p.paint(dim, "("+l.Code+")"), p.paint(dim, declared(l.At)))
		if l.Fix != "" {
			p.line("      %s", l.Fix)
		}
	}
}

// ignored shows what rules leave out, with the reason.
func (p planned) ignored(list []report.Ignored) {
	if len(list) == 0 {
		return
	}
	p.title("Ignored by the description's policy")
	for _, i := range list {
		switch f := report.IgnoredField(i); {
		case f.New && f.Gone && f.Path == "":
			p.line("  %s: gone from the cluster, or made anew by somebody", i.Action)
		case f.New && f.Gone:
			p.line("  %s: %s", i.Action, f.Path)
		default:
			p.line("  %s %s", i.Action, f.AsDrift())
		}
		p.line("      %s %s", i.Reason, p.paint(dim, "("+i.Rule+")"))
	}
}

// behind shows what git asks for beside what drifted.
func (p planned) behind(list []report.Action) {
	if len(list) == 0 {
		return
	}
	p.title("Git is ahead, not applied yet")
	for _, a := range list {
		p.line("  %s %s %s %s: %s%s", p.sign(a), a.Verb, a.Kind, a.Name, a.Why, p.paint(dim, declared(a.Declared)))
		if a.Updates() {
			p.fields(a)
		}
	}
}

// driftVerdict sums drift up.
func (p planned) driftVerdict(d report.Document) {
	p.gap()
	switch {
	case d.Pending():
		p.line("%s %s not as last applied; to heal: fairlead apply", p.paint(yellow, "Drift:"), d.Verdict.Differ)
	case !d.Whole():
		p.line("%s.", d.Verdict.NotCompared)
	default:
		p.line("%s", p.paint(green, "No drift."))
	}
	if d.Verdict.Beside != "" {
		p.line("%s", d.Verdict.Beside)
	}
}
