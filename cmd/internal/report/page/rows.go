package page

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/topology"
)

// builder makes the lists of a page; parts are nil without a picture.
type builder struct {
	doc   report.Document
	parts *parts
	// all are the rows of the document's actions.
	all []row
}

// section is a table of actions.
type section struct {
	ID, Title, Note string
	// Action heads the column of verbs.
	Action string
	Rows   []row
}

// row is one action.
type row struct {
	report.Action
	// Row is the row's ID in the page; Is are the parts of the picture that it is about, and Of
	// those and their neighbours, separated by spaces.
	Row, Is, Of string
	Tags        []string
	// Was and Becomes say what the two sides of a field are; empty where an arrow says it.
	Was, Becomes string
	Jumps        []jump
}

// jump is a link inside of the page; Row is empty where there is no such row.
type jump struct{ Row, Text string }

// sections are the tables: what the change does, what drifted, and what is to do anyway.
func (b builder) sections() []section {
	if b.doc.Drift {
		return filled(
			section{ID: "drift", Title: "Drift", Note: "The clusters are not as last applied.", Action: "To heal",
				Rows: b.all},
			section{ID: "behind", Title: "Not applied yet",
				Note: "What git asks for and nobody applied. It is no drift.", Action: "To apply",
				Rows: b.rows(b.doc.Behind, "b")},
		)
	}
	of := func(p report.Part) []row { return report.Only(b.all, func(r row) bool { return r.Part == p }) }
	title, note := "Changes", ""
	if b.doc.Based {
		title, note = "What this change does", "Actions that the change from base to head asks for."
	}
	return filled(
		section{ID: "changes", Title: title, Note: note, Action: "Action", Rows: of(report.OfChange)},
		section{ID: "drift", Title: "Drift", Note: "The clusters moved; this puts back what was applied, whatever the change is.", Action: "Action", Rows: of(report.OfDrift)},
		section{ID: "anyway", Title: "Pending anyway",
			Note: "Not from this change: the base asks for it too, and nobody applied it yet.", Action: "Action",
			Rows: of(report.OfOthers)},
	)
}

func filled(list ...section) []section {
	return slices.DeleteFunc(list, func(s section) bool { return len(s.Rows) == 0 })
}

// rows are those of a list of actions. The prefix tells them from those of another list.
func (b builder) rows(actions []report.Action, prefix string) []row {
	ids := map[string]string{}
	for i, a := range actions {
		ids[a.ID] = fmt.Sprintf("%s%d", prefix, i)
	}
	var out []row
	for _, a := range actions {
		r := row{Action: a, Row: ids[a.ID], Tags: b.tags(a)}
		r.Is, r.Of = b.parts.ofAction(a)
		if b.doc.Drift {
			r.Was, r.Becomes = "on the cluster", "when last applied"
		}
		for _, id := range a.After {
			r.Jumps = append(r.Jumps, jump{ids[id], id})
		}
		out = append(out, r)
	}
	return out
}

// tags tell of drift and of what is pending without the change.
func (b builder) tags(a report.Action) (out []string) {
	if b.doc.Drift {
		return nil
	}
	if a.Cause != "" {
		out = append(out, a.Cause)
	}
	if a.Otherwise {
		out = append(out, "pending otherwise without this change")
	}
	return out
}

// deletes are those of one kind; the rest of them is folded away.
type deletes struct {
	Title       string
	First, Rest []row
}

// mostDeletes is how many deletes of one kind are not folded away.
const mostDeletes = 6

func (b builder) deletes() (out []deletes) {
	if b.doc.Drift {
		return nil
	}
	for _, k := range report.PageKinds {
		rows := report.Only(b.all, func(r row) bool { return r.Deletes() && r.Kind == k })
		if len(rows) > 0 {
			most := min(len(rows), mostDeletes)
			title := report.CountOf(len(rows), k) + " deleted"
			out = append(out, deletes{Title: title, First: rows[:most], Rest: rows[most:]})
		}
	}
	return out
}

// effects are those of one severity.
type effects struct {
	Severity    topology.Severity
	Title, Sign string
	First, Rest []effect
}

// effect is a sentence and the parts of the picture that it is about.
type effect struct{ Is, Message string }

// mostEffects are how many effects of a severity are not folded away.
var mostEffects = map[topology.Severity]int{topology.Medium: 5, topology.Low: 2}

// effects are what a change does to traffic, but for what is lost: that is danger.
func (b builder) effects() (out []effects) {
	for _, e := range []effects{
		{Severity: topology.Medium, Title: "Gets worse", Sign: "▼"},
		{Severity: topology.Low, Title: "For your information", Sign: "·"},
	} {
		if list := b.effectsOf(e.Severity); len(list) > 0 {
			most := min(len(list), mostEffects[e.Severity])
			e.First, e.Rest = list[:most], list[most:]
			out = append(out, e)
		}
	}
	return out
}

func (b builder) effectsOf(s topology.Severity) (out []effect) {
	for _, e := range b.doc.Effects.Of(s) {
		out = append(out, effect{b.parts.ofEffect(e), e.Message})
	}
	return out
}
