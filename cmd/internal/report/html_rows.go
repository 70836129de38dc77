package report

import (
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/schema/diag"
)

// pageBuilder makes the lists of a page; parts are nil without a picture.
type pageBuilder struct {
	plan  plan.Plan
	drift bool
	parts *liveParts
}

// section is a table of actions.
type section struct {
	ID, Title, Note string
	// Action heads the column of verbs.
	Action string
	Rows   []tableRow
}

// tableRow is one action.
type tableRow struct {
	// ID is the row's in the page; Is are the parts of the picture that it is about, and Of
	// those and their neighbours, separated by spaces.
	ID, Is, Of       string
	Verb             plan.Verb
	Sign             string
	Kind             plan.Kind
	Name, Where, Why string
	Tags             []string
	Fields           []plan.Field
	// Was and Becomes say what the two sides of a field are; empty where an arrow says it.
	Was, Becomes   string
	Traffic, Place string
	Source, Steps  string
	After          []jump
	Removes        []string
	// Anyway is true where the change is not the cause.
	Anyway bool
}

// jump is a link inside of the page; Row is empty where there is no such row.
type jump struct{ Row, Text string }

// sections are the tables: what the change does, what drifted, and what is to do anyway.
func (b pageBuilder) sections() []section {
	if b.drift {
		return filled(
			section{ID: "drift", Title: "Drift", Note: "The clusters are not as last applied.", Action: "To heal", Rows: b.rows(b.plan.Actions, nil, "a")},
			section{ID: "behind", Title: "Not applied yet", Note: "What git asks for and nobody applied. It is no drift.", Action: "To apply", Rows: b.rows(b.plan.Behind, nil, "b")},
		)
	}
	of := func(want string) func(plan.Action) bool {
		return func(a plan.Action) bool { return b.origin(a) == want }
	}
	title, note := "Changes", ""
	if b.plan.Base != nil {
		title, note = "What this change does", "Actions that the change from base to head asks for."
	}
	return filled(
		section{ID: "changes", Title: title, Note: note, Action: "Action", Rows: b.rows(b.plan.Actions, of("change"), "a")},
		section{ID: "drift", Title: "Drift", Note: "The clusters moved; this puts back what was applied, whatever the change is.", Action: "Action", Rows: b.rows(b.plan.Actions, of("drift"), "a")},
		section{ID: "anyway", Title: "Pending anyway", Note: "Not from this change: the base asks for it too, and nobody applied it yet.", Action: "Action", Rows: b.rows(b.plan.Actions, of("anyway"), "a")},
	)
}

func filled(list ...section) []section {
	return slices.DeleteFunc(list, func(s section) bool { return len(s.Rows) == 0 })
}

// origin sorts an action into one of the tables.
func (b pageBuilder) origin(a plan.Action) string {
	origin := b.plan.OriginOf(a.ID)
	switch {
	case a.Cause == plan.CauseDrift && (origin == plan.OriginAnyway || origin == ""):
		return "drift"
	case origin == plan.OriginAnyway:
		return "anyway"
	}
	return "change"
}

// rows are those of the actions that are wanted; nil wants all. The prefix tells the rows
// of one list from those of another.
func (b pageBuilder) rows(actions []plan.Action, want func(plan.Action) bool, prefix string) []tableRow {
	ids := map[string]string{}
	for i, a := range actions {
		ids[a.ID] = fmt.Sprintf("%s%d", prefix, i)
	}
	var out []tableRow
	for _, a := range actions {
		if want == nil || want(a) {
			out = append(out, b.tableRow(a, ids))
		}
	}
	return out
}

// tableRow takes the IDs that the rows of the list have in the page, by those of the actions.
func (b pageBuilder) tableRow(a plan.Action, ids map[string]string) tableRow {
	is, of := b.parts.ofAction(a)
	out := tableRow{
		ID: ids[a.ID], Is: is, Of: of, Verb: a.Verb, Sign: signs[a.Verb].symbol, Kind: a.Kind, Name: NameOf(a), Why: a.Why,
		Where: whereIs(a), Tags: b.tags(a), Fields: a.Fields, Traffic: trafficOf(a), Place: a.DeclaredAt.String(),
		Steps: steps(a.Steps), Anyway: anyway(b.plan, a),
	}
	if b.drift {
		out.Was, out.Becomes = "on the cluster", "when last applied"
	}
	if a.Object != nil {
		out.Source = a.Object.Source
	}
	for _, r := range removals(a) {
		out.Removes = append(out.Removes, r.String())
	}
	for _, d := range a.DependsOn {
		out.After = append(out.After, jump{ids[d], d})
	}
	return out
}

// tags tell of drift and of what is pending without the change.
func (b pageBuilder) tags(a plan.Action) (out []string) {
	if b.drift {
		return nil
	}
	if word := causeWords[a.Cause]; word != "" {
		out = append(out, word)
	}
	if b.plan.OriginOf(a.ID) == plan.OriginBoth {
		out = append(out, "pending otherwise without this change")
	}
	return out
}

// danger is what deserves to be read first.
type danger struct {
	Refusals []plan.Refusal
	// All is the flag that lifts several of them; empty where there is none.
	All     string
	Lost    []effect
	Deletes []deletes
}

// Any reports whether there is anything.
func (d danger) Any() bool { return len(d.Refusals)+len(d.Lost)+len(d.Deletes) > 0 }

// deletes are those of one kind; the rest of them is folded away.
type deletes struct {
	Title       string
	First, Rest []tableRow
}

// mostDeletes is how many deletes of one kind are not folded away.
const mostDeletes = 6

func (b pageBuilder) danger() danger {
	out := danger{Refusals: b.plan.Refusals, All: b.plan.AllowAll(), Lost: b.effectsOf(topology.High)}
	if b.drift {
		return out
	}
	for _, k := range allKinds {
		rows := b.rows(b.plan.Actions, func(a plan.Action) bool { return a.Verb == plan.VerbDelete && a.Kind == k }, "a")
		if len(rows) > 0 {
			most := min(len(rows), mostDeletes)
			out.Deletes = append(out.Deletes, deletes{Title: numberOf(len(rows), k) + " deleted", First: rows[:most], Rest: rows[most:]})
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
func (b pageBuilder) effects() (out []effects) {
	for _, e := range []effects{
		{Severity: topology.Medium, Title: "Gets worse", Sign: "▼"}, {Severity: topology.Low, Title: "For your information", Sign: "·"},
	} {
		if list := b.effectsOf(e.Severity); len(list) > 0 {
			most := min(len(list), mostEffects[e.Severity])
			e.First, e.Rest = list[:most], list[most:]
			out = append(out, e)
		}
	}
	return out
}

func (b pageBuilder) effectsOf(s topology.Severity) (out []effect) {
	for _, e := range effectsOf(b.plan, s) {
		out = append(out, effect{b.parts.ofEffect(e), e.Message})
	}
	return out
}

// live is a fact about how the network runs.
type live struct {
	plan.Live
	Is, Place string
}

func (b pageBuilder) live() (out []live) {
	for _, l := range b.plan.Live {
		out = append(out, live{l, b.parts.ofSubject(l.Subject), l.At.String()})
	}
	return out
}

// note is a finding.
type note struct{ Severity, Place, Text, Fix string }

func notesOf(list diag.List) (out []note) {
	for _, d := range list {
		out = append(out, note{string(d.Severity), d.At.String(), about(d), d.Fix})
	}
	return out
}
