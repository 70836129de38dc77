package report

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
)

// changes adds the tables of what is done: what the change asks for, and apart from it
// what would be done without it.
func (d *document) changes(pl plan.Plan) {
	own, others := parted(pl)
	if pl.Base != nil {
		d.table(yieldsRows, "What this change does", "", own)
		d.table(yieldsOthers, "Pending or drifted anyway", "An apply does this as well, with this change or without it.", others)
		d.spared(pl.Base.Spared)
		return
	}
	d.table(yieldsRows, "What will be done", "", own)
	d.table(yieldsOthers, "Drift that will be undone", "Somebody changed this on a cluster since the last apply; nobody changed it in git.", others)
}

// parted divides the actions: those of the change, and those that have nothing to do with
// it: without a base, what is drift alone.
func parted(pl plan.Plan) (own, others []plan.Action) {
	if pl.Base != nil {
		return pl.ByOrigin()
	}
	drifted := func(a plan.Action) bool { return a.Cause == plan.CauseDrift }
	return only(pl.Actions, func(a plan.Action) bool { return !drifted(a) }), only(pl.Actions, drifted)
}

// table adds a section with a row for each action.
func (d *document) table(yields int, title, intro markdown, actions []plan.Action) {
	if len(actions) == 0 {
		return
	}
	if intro != "" {
		intro += "\n\n"
	}
	d.add(yields, shorter(len(actions), func(most int) func() markdown {
		return func() markdown { return "### " + title + "\n\n" + intro + d.rows(actions, most) }
	})...)
}

// The longest tables that are not folded: of what is made or changed, and of deletions,
// which the box above has named.
const (
	mostRows      = 30
	mostDeletions = 10
)

// rows makes the rows of so many actions and counts the others.
func (d *document) rows(actions []plan.Action, most int) markdown {
	shown, others := important(actions, most)
	deletes := deletions(shown)
	shown = slices.DeleteFunc(shown, func(a plan.Action) bool { return a.Verb == plan.VerbDelete })
	if len(deletes) <= mostDeletions {
		shown, deletes = append(shown, deletes...), nil
	}
	parts := []markdown{foldedOver(mostRows, shown), foldedOver(mostDeletions, deletes)}
	if len(others) > 0 {
		parts = append(parts, "And "+verbsOf(others, " more")+". "+d.run+"\n")
	}
	return joined(slices.DeleteFunc(parts, func(p markdown) bool { return p == "" }), "\n", same)
}

// foldedOver is a table, folded where it has more rows than that.
func foldedOver(most int, actions []plan.Action) markdown {
	if len(actions) == 0 {
		return ""
	}
	text := row("Change", "Where", "Fields", "Traffic meanwhile", "Declared at") + "|---|---|---|---|---|\n" + joined(actions, "", actionRow)
	if len(actions) > most {
		return folded(verbsOf(actions, ""), text)
	}
	return text
}

// important are the most important of the actions, as many as asked for and in their
// order, and the others. Deletions come last: they are named in the box above.
func important(actions []plan.Action, most int) (shown, others []plan.Action) {
	order := []plan.Verb{plan.VerbReplace, plan.VerbCreate, plan.VerbAdopt, plan.VerbUpdate, plan.VerbDelete}
	places := make([]int, len(actions))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(i, j int) int {
		return cmp.Compare(slices.Index(order, actions[i].Verb), slices.Index(order, actions[j].Verb))
	})
	kept := map[int]bool{}
	for _, i := range places[:min(most, len(places))] {
		kept[i] = true
	}
	for i, a := range actions {
		if kept[i] {
			shown = append(shown, a)
		} else {
			others = append(others, a)
		}
	}
	return shown, others
}

// verbsOf counts actions by verb: "100 more to create and 312 more to update".
func verbsOf(actions []plan.Action, more string) markdown {
	var parts []string
	for _, v := range []plan.Verb{plan.VerbCreate, plan.VerbUpdate, plan.VerbReplace, plan.VerbAdopt, plan.VerbDelete} {
		if n := len(only(actions, func(a plan.Action) bool { return a.Verb == v })); n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s to %s", n, more, v))
		}
	}
	return markdown(spoken(parts))
}

func actionRow(a plan.Action) markdown {
	where := whereOf(a)
	if a.Link != nil {
		where = ends(a)
	}
	return row(titleOf(a), where, fields(shownFields(a)), meanwhile(a), declared(a.DeclaredAt))
}

// titleOf names an action, with its sign and what is odd about it.
func titleOf(a plan.Action) markdown {
	text := escapeCode(signs[a.Verb].symbol, mostOfName) + " " + markdown(a.Verb) + " " + markdown(a.Kind) + " " + code(NameOf(a))
	if word := causeWords[a.Cause]; word != "" {
		text += " (" + markdown(word) + ")"
	}
	return text
}

// mostFields is how many fields of one action are shown.
const mostFields = 8

// shownFields are those that the other columns do not show already.
func shownFields(a plan.Action) []plan.Field {
	if a.Verb != plan.VerbCreate || a.Link == nil {
		return a.Fields
	}
	return slices.DeleteFunc(slices.Clone(a.Fields), func(f plan.Field) bool { return f.Path == "from" || f.Path == "to" })
}

func fields(list []plan.Field) markdown {
	text := joined(list[:min(len(list), mostFields)], "; ", func(f plan.Field) markdown {
		switch {
		case f.From == nil:
			return code(f.Path) + ": " + codeOf(f.To)
		case f.To == nil:
			return code(f.Path) + ": " + codeOf(f.From) + " → nothing"
		}
		return code(f.Path) + ": " + codeOf(f.From) + " → " + codeOf(f.To)
	})
	if rest := len(list) - mostFields; rest > 0 {
		text += "; and " + number(rest) + " more"
	}
	return text
}

// codeOf is a field's value, or as much of it as can be read in a table.
func codeOf(v any) markdown { return escapeCode(value(v), mostOfValue) }

// meanwhile says what traffic meets while an action is carried out.
func meanwhile(a plan.Action) markdown {
	if word := trafficOf(a); word != "" {
		return markdown(word)
	}
	if linksAlone(a) {
		return "links are undisturbed"
	}
	return "undisturbed"
}

// spared adds what the base would do and the change makes needless.
func (d *document) spared(list []plan.Spared) {
	if len(list) == 0 {
		return
	}
	const title = "### No longer needed with this change\n\n"
	d.add(yieldsOthers,
		func() markdown {
			return title + items(list, func(s plan.Spared) markdown {
				return escapeText(string(s.Verb)) + " " + code(s.ID) + ": " + escapeText(s.Why)
			})
		},
		func() markdown { return title + counted(len(list), "action") + ". " + d.run + "\n" })
}
