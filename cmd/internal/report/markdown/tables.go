package markdown

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/diag"
)

// table adds a section with a row for each action.
func (l *layout) table(yields int, title, intro md, actions []report.Action) {
	if len(actions) == 0 {
		return
	}
	if intro != "" {
		intro += "\n\n"
	}
	l.add(yields, shorter(len(actions), func(most int) md { return "### " + title + "\n\n" + intro + l.rows(actions, most) })...)
}

// The longest tables that are not folded: of what is made or changed, and of deletions,
// which the box above has named.
const (
	mostRows      = 30
	mostDeletions = 10
)

// rows makes the rows of so many actions and counts the others.
func (l *layout) rows(actions []report.Action, most int) md {
	shown, others := important(actions, most)
	gone := func(a report.Action) bool { return a.Deletes() }
	deletes := report.Only(shown, gone)
	report.SortByKind(deletes)
	shown = slices.DeleteFunc(shown, gone)
	if len(deletes) <= mostDeletions {
		shown, deletes = append(shown, deletes...), nil
	}
	parts := []md{foldedOver(mostRows, shown), foldedOver(mostDeletions, deletes)}
	if len(others) > 0 {
		parts = append(parts, "And "+verbsOf(others, " more")+". "+l.run+"\n")
	}
	return joined(slices.DeleteFunc(parts, func(p md) bool { return p == "" }), "\n", same)
}

// important are the most important of the actions, as many as asked for and in their
// order, and the others. Deletions come last: they are named in the box above.
func important(actions []report.Action, most int) (shown, others []report.Action) {
	room := map[report.Verb]int{}
	for _, v := range []report.Verb{"replace", "create", "adopt", "update", "delete"} {
		room[v] = min(most, len(ofVerb(actions, v)))
		most -= room[v]
	}
	for _, a := range actions {
		if room[a.Verb]--; room[a.Verb] >= 0 {
			shown = append(shown, a)
		} else {
			others = append(others, a)
		}
	}
	return shown, others
}

func ofVerb(actions []report.Action, v report.Verb) []report.Action {
	return report.Only(actions, func(a report.Action) bool { return a.Verb == v })
}

// foldedOver is a table, folded where it has more rows than that.
func foldedOver(most int, actions []report.Action) md {
	if len(actions) == 0 {
		return ""
	}
	text := row("Change", "Where", "Fields", "Traffic meanwhile", "Declared at") + "|---|---|---|---|---|\n" +
		joined(actions, "", actionRow)
	if len(actions) > most {
		return folded(verbsOf(actions, ""), text)
	}
	return text
}

// verbsOf counts actions by verb: "100 more to create and 312 more to update".
func verbsOf(actions []report.Action, more string) md {
	var parts []string
	for _, v := range []report.Verb{"create", "update", "replace", "adopt", "delete"} {
		if n := len(ofVerb(actions, v)); n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s to %s", n, more, v))
		}
	}
	return md(words.And(parts))
}

func actionRow(a report.Action) md {
	list := a.Fields
	if a.IsLink && a.Creates() { // the ends have a column
		list = report.Only(list, func(f report.Field) bool { return f.Path != "from" && f.Path != "to" })
	}
	return row(titleOf(a), where(a), fields(list), md(a.Meanwhile()), declared(a.Declared))
}

// where is both ends of a link, or a place.
func where(a report.Action) md {
	if a.IsLink {
		return code(a.From) + " → " + code(a.To)
	}
	return code(a.Place())
}

// titleOf names an action, with its sign and what is odd about it.
func titleOf(a report.Action) md {
	text := escapeCode(a.Sign, mostOfName) + " " + md(a.Verb) + " " + md(a.Kind) + " " + code(a.Name)
	if a.Cause != "" {
		text += " (" + md(a.Cause) + ")"
	}
	return text
}

// mostFields is how many fields of one action are shown.
const mostFields = 8

func fields(list []report.Field) md {
	inCell := func(value string) md { return escapeCode(value, mostOfValue) }
	text := joined(list[:min(len(list), mostFields)], "; ", func(f report.Field) md {
		switch {
		case f.New:
			return code(f.Path) + ": " + inCell(f.To)
		case f.Gone:
			return code(f.Path) + ": " + inCell(f.From) + " → nothing"
		}
		return code(f.Path) + ": " + inCell(f.From) + " → " + inCell(f.To)
	})
	if rest := len(list) - mostFields; rest > 0 {
		text += "; and " + number(rest) + " more"
	}
	return text
}

func number(n int) md { return md(fmt.Sprint(n)) }

// declared is where something stands in the description.
func declared(at diag.Position) md {
	if at.IsZero() {
		return ""
	}
	return escapeCode(at.String(), mostOfText)
}

// detail adds a folded part, and what it is called where it is left out.
func (l *layout) detail(summary, text, name md) {
	l.option(yieldsDetails, name, folded(summary, text))
}

func (l *layout) warnings() {
	n := counted(len(l.doc.Findings), "warning")
	l.detail(n, items(l.doc.Findings, func(f report.Finding) md {
		text := escapeText(report.About(f))
		if f.Fix != "" {
			text += "; " + escapeText(f.Fix)
		}
		if !f.At.IsZero() {
			text += " (" + declared(f.At) + ")"
		}
		return text
	}), n)
}

func (l *layout) unmanaged() {
	n := counted(len(l.doc.Unmanaged), "object")
	l.detail("Not managed by Fairlead, left alone: "+n, items(l.doc.Unmanaged, code),
		n+" that Fairlead does not manage")
}

func (l *layout) clusters() {
	l.detail("Looked at: "+counted(len(l.doc.Clusters), "cluster"), items(l.doc.Clusters, func(c report.Cluster) md {
		text := code(c.Name) + ": " + escapeText(string(c.State))
		if c.Skupper != "" {
			text += ", Skupper " + code(c.Skupper)
		}
		return text
	}), "which clusters were looked at")
}
