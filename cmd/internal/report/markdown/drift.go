package markdown

import (
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/diag"
)

// drift lays out the text of an issue for those who operate the network. That about a part of the
// network is kept apart from that about the whole: that nothing differs in a part says nothing of
// the rest.
func (l *layout) drift() {
	kind := "drift"
	if l.doc.Narrowed {
		kind = "drift-part"
	}
	l.head(kind, driftExplanation(l.doc))
	l.unread()
	l.troubles()
	l.differences()
	looks := report.Only(l.doc.Live, func(f report.Fact) bool { return f.Severity != diag.Error })
	section(l, "How it runs: worth a look", looks, factLine, "")
	section(l, "What became of traffic"+md(l.doc.Effects.Since), l.doc.Effects.Others(), effectLine, "\n"+reading+"\n")
	l.table(yieldsOthers, "Git is ahead", "Described and not applied yet. An apply does this too.", l.doc.Behind)
	l.warnings()
	l.ignored()
	l.leftovers()
	l.unmanaged()
	l.clusters()
	l.footer = driftFooter(l.doc) + seeRun(l.doc.Run)
}

func driftExplanation(d report.Document) md {
	text := md("The clusters were compared with what the last apply left there.")
	switch {
	case d.Pending():
		text += " " + md(d.Verdict.Differ) + " not so any more."
	case d.Whole():
		text += " Nothing differs."
	}
	if n := d.Totals.Unknown; n > 0 {
		text += " " + counted(n, "unknown thing") + " could not be compared."
	}
	if n := len(d.Behind); n > 0 {
		text += " Git is ahead by " + counted(n, "change") + ", which nobody applied yet; that is no drift."
	}
	if n := len(d.Ignored); n > 0 {
		text += " " + md(words.Plural(n, "difference is", "differences are")) + " left out by rules."
	}
	text += "\n\nDescription: " + source(d.Source) + "."
	if applied := d.LastApplied(inCode, inText); applied != "" && d.InGit() {
		text += " Last applied: " + md(applied) + "."
	}
	return text
}

// troubles adds a box with who is cut off, and what is broken, gone or refused.
func (l *layout) troubles() {
	danger := l.doc.Danger
	broken := l.doc.LiveOf(diag.Error)
	gone := report.Only(l.doc.Actions, func(a report.Action) bool { return a.Creates() })
	l.add(yieldsDanger, shorter(max(len(danger.Lost), len(broken), len(gone), len(danger.Refusals)), func(most int) md {
		return cautions(
			titled(danger.Lost, "Cut off: "+counted(len(danger.CutOff), "site"),
				first(l, danger.Lost, most, lossAlone)),
			titled(broken, "Does not run as it should", first(l, broken, most, factLine)),
			titled(gone, "Gone from the clusters: "+md(report.KindsOf(gone)), first(l, gone, most, goneLine)),
			titled(danger.Refusals, "In the way of an apply", first(l, danger.Refusals, most, refusal)),
		)
	})...)
}

// section adds a titled list, with a text behind it, where it is not empty.
func section[T any](l *layout, title md, list []T, line func(T) md, behind md) {
	if len(list) > 0 {
		l.add(yieldsEffects, shorter(len(list), func(most int) md { return "### " + title + "\n\n" + first(l, list, most, line) + behind })...)
	}
}

// first lists the first of some things, and counts the rest.
func first[T any](l *layout, list []T, most int, line func(T) md) md {
	return items(list[:min(most, len(list))], line) + l.rest(len(list)-most)
}

// rest counts what is missing from a list.
func (l *layout) rest(n int) md {
	if n <= 0 {
		return ""
	}
	return "- … and " + number(n) + " more. " + l.run + "\n"
}

// shorter are forms of a list: whole, and with ever fewer of its elements.
func shorter(all int, show func(most int) md) []func() md {
	forms := []func() md{func() md { return show(all) }}
	for most := all - 1; most >= 0; most = most * 9 / 10 {
		forms = append(forms, func() md { return show(most) })
		if most == 0 {
			break
		}
	}
	return forms
}

func goneLine(a report.Action) md {
	return md(report.KindWord(a.Kind)) + " " + code(a.Name) + " in " + code(a.Place()) + ": " + escapeText(a.Why)
}

// differences adds the table of what differs from what was last applied.
func (l *layout) differences() {
	actions := l.doc.Actions
	if len(actions) == 0 {
		return
	}
	l.add(yieldsRows, shorter(len(actions), func(most int) md {
		text := md("### Differs from what was last applied\n\n")
		if most > 0 {
			text += row("What", "Where", "On the cluster → when last applied", "Why", "Declared at") +
				"|---|---|---|---|---|\n" +
				joined(actions[:most], "", differenceRow)
		}
		if most < len(actions) {
			text += "\n" + l.rest(len(actions)-most)
		}
		return text
	})...)
}

func differenceRow(a report.Action) md {
	return row(md(a.Kind)+" "+code(a.Name), code(a.Place()), fields(a.Fields), escapeText(a.Why), declared(a.Declared))
}

func factLine(f report.Fact) md {
	text := code(f.Subject)
	if f.Namespace != "" {
		text += " in " + code(string(f.Cluster)+"/"+f.Namespace)
	}
	text += ": " + escapeText(f.Message) + "."
	if f.Fix != "" {
		text += " What to do: " + escapeText(f.Fix) + "."
	}
	if !f.At.IsZero() {
		text += " (" + declared(f.At) + ")"
	}
	return text
}

// ignored adds what rules leave out, and why.
func (l *layout) ignored() {
	n := counted(len(l.doc.Ignored), "difference")
	l.detail("Left out by rules: "+n, items(l.doc.Ignored, func(i report.Ignored) md {
		text := code(i.Action)
		if i.Field != "" {
			text += ", " + code(i.Field)
		}
		return text + ", by rule " + code(i.Rule) + ": " + escapeText(i.Reason)
	}), n+" that rules leave out")
}

// leftovers adds objects that earlier applies left, which an apply takes away.
func (l *layout) leftovers() {
	var list []string
	for _, a := range l.doc.Actions {
		list = append(list, a.Removes...)
	}
	n := counted(len(list), "object")
	l.detail("An apply removes: "+n, items(list, code), n+" that an apply removes")
}

func driftFooter(d report.Document) md {
	switch {
	case d.Pending() && len(d.Behind) > 0:
		return "---\nTo heal: " + code("fairlead apply") + ". It does what git is ahead by as well; " +
			code("fairlead plan") + " shows all of it.\n"
	case d.Pending():
		return "---\nTo heal: " + code("fairlead apply") + "; " + code("fairlead plan") + " shows what it would do.\n"
	}
	return ""
}
