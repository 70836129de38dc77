package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/diag"
)

// Verdict is what to know of a plan or drift where nothing else is read, for each kind of reader:
// a page has a title, a comment or an issue a line with a mark, and text ends with a summary.
type Verdict struct {
	// Level is "danger", "caution" or "fine"; Title and More say why.
	Level, Title, More string
	// Mark is a coloured sign, Line what follows the network's name.
	Mark, Line string
	// Summary words the counts: "2 to create, 1 to delete"; Nothing says why there is nothing to do,
	// or that it is not known whether there is.
	Summary, Nothing string
	// Of drift: Differ is how much is not as last applied, to go before that, NotCompared that
	// there may be more, Beside what else was found.
	Differ, NotCompared, Beside string
	// Counts are what a page counts.
	Counts []Count
}

// Count is a number of things. Verb is empty for what is no action of one verb.
type Count struct {
	Count      int
	Word, Verb string
}

func (d Document) verdict() Verdict {
	v := Verdict{
		Summary: d.summary(), Nothing: d.nothing(), Differ: differ(d.Actions), NotCompared: d.notCompared(),
		Beside: d.beside(), Counts: d.counts(),
	}
	if d.Drift {
		v.Level, v.Title, v.More = d.driftTitle(v)
		v.Mark, v.Line = d.driftLine(v)
	} else {
		v.Level, v.Title, v.More = d.planTitle(v)
		v.Mark, v.Line = d.planLine()
	}
	if list := d.Unread(); len(list) > 0 {
		v.Level = worse(v.Level)
		names := make([]string, 0, len(list))
		for _, c := range list {
			names = append(names, fmt.Sprintf("cluster %s (%s)", c.Name, c.State))
		}
		v.More = strings.TrimSpace("What " + strings.Join(names, ", ") +
			" holds is unknown, and nothing there is planned. " + v.More)
	}
	return v
}

// worse is caution at least.
func worse(level string) string {
	if level == "fine" {
		return "caution"
	}
	return level
}

// planTitle judges a plan by the worst in it.
func (d Document) planTitle(v Verdict) (level, title, more string) {
	lost, refused, deletes := d.Effects.Of(topology.High), d.Danger.Refused, d.Danger.Deletes
	nothing := strings.TrimSuffix(v.Nothing, ".")
	switch {
	case len(refused) > 0:
		takes := ""
		if len(deletes) > 0 {
			takes = "It would take away " + kindsIn(deletes, PageKinds, CountOf) + "."
		}
		title = "Refused: " + words.Plural(len(refused), "rule stands", "rules stand") + " against it"
		return "danger", title, cmp.Or(lossWords(lost), takes)
	case len(lost) > 0:
		return "danger", "Connections are lost", lossWords(lost)
	case len(deletes) > 0:
		return "caution", "Takes away " + kindsIn(deletes, PageKinds, CountOf), d.noneLost()
	case len(d.Settings()) > 0 && !d.Pending():
		return "caution", "Changes the policy, or how clusters are reached", v.Nothing
	case !d.Pending() && !d.Whole():
		return "caution", nothing, ""
	case !d.Pending():
		return "fine", nothing, ""
	case len(d.disturbed()) > 0:
		return "caution", "Disturbs traffic briefly: " + strings.Join(d.disturbed(), ", "), d.noneLost()
	case len(d.Effects.Of(topology.Medium)) > 0:
		return "caution", "Changes which ways traffic takes", d.noneLost()
	case slices.ContainsFunc(d.Actions, linksAlone):
		return "fine", "Disturbs no links", d.noneLost()
	}
	return "fine", "Disturbs no traffic", d.noneLost()
}

// lossWords sums up connections that are lost.
func lossWords(lost []Effect) string {
	if len(lost) == 0 {
		return ""
	}
	text := lost[0].Message
	if len(lost) > 1 {
		text += fmt.Sprintf(", and %d more like it", len(lost)-1)
	}
	return text + "."
}

// noneLost says that no connection is lost, where the networks before and after are known.
func (d Document) noneLost() string {
	if d.Before == nil || d.After == nil || len(d.Before.Sites) == 0 || d.Narrowed {
		return ""
	}
	return noneLost
}

// disturbed counts the actions that traffic notices, by how.
func (d Document) disturbed() (out []string) {
	for _, c := range []struct {
		disruption plan.Disruption
		word       string
	}{
		{plan.DisruptionRestart, "router restart"},
		{plan.DisruptionReconnect, "reconnect"},
		{plan.DisruptionReplace, "replacement"},
	} {
		by := func(a Action) bool { return a.disruption == c.disruption && !a.Deletes() }
		if n := len(Only(d.Actions, by)); n > 0 {
			out = append(out, words.CountOrNone(n, c.word))
		}
	}
	if n := len(Only(d.Actions, func(a Action) bool { return a.Traffic == otherTargets })); n > 0 {
		out = append(out, words.Plural(n, "listener or connector changes", "listeners and connectors change"))
	}
	return out
}

// planLine says what is deleted, lost, refused, unread or set otherwise.
func (d Document) planLine() (mark, line string) {
	const plain = "🔵"
	var parts []string
	mark = plain
	if deletes := d.Danger.Deletes; len(deletes) > 0 {
		mark, parts = "🟠", []string{KindsOf(deletes) + " deleted"}
	}
	if n := len(d.Danger.CutOff); n > 0 {
		mark, parts = "🔴", append([]string{words.Plural(n, "site loses", "sites lose") + " paths"}, parts...)
	}
	if n := len(d.Danger.Refused); n > 0 {
		mark, parts = "⛔", append([]string{"refused by " + words.CountOrNone(n, "rule")}, parts...)
	}
	if len(parts) == 0 && d.Pending() {
		parts = append(parts, words.CountOrNone(len(d.Actions), "change"))
	}
	known := len(parts)
	if list := d.Unread(); len(list) > 0 {
		parts = append(parts, words.CountOrNone(len(list), "cluster")+" could not be read")
	}
	if len(d.Settings()) > 0 {
		parts = append(parts, "policy or clusters' settings change")
	}
	if mark == plain && len(parts) > known {
		mark = "🟠"
	}
	switch {
	case len(parts) > 0:
		return mark, strings.Join(parts, "; ")
	case !d.Whole():
		return "🟠", "not all of it could be compared, and no change is known"
	}
	return "✅", "no change"
}

func (d Document) driftTitle(v Verdict) (level, title, more string) {
	troubles, none := len(d.LiveOf(diag.Error)), "No drift"
	if !d.Whole() {
		none = "No drift is known"
	}
	heal := ""
	if d.Pending() && len(d.Danger.Refused) == 0 {
		heal = "To heal: fairlead apply."
	}
	switch refused := d.Danger.Refused; {
	case len(d.Danger.CutOff) > 0:
		title = "Cut off" + d.Effects.Since + ": " + words.Plural(len(d.Danger.CutOff), "site", "sites")
		return "danger", title, strings.TrimSpace(lossWords(d.Danger.Lost) + " " + heal)
	case d.Pending() && troubles > 0:
		return "danger", "Drift: " + v.Differ + " not as last applied",
			strings.TrimSpace(heal + " Beside it, " + words.CountOrNone(troubles, "trouble") + " in how the network runs.")
	case d.Pending():
		return "caution", "Drift: " + v.Differ + " not as last applied", heal
	case len(refused) > 0:
		return "danger", words.Plural(len(refused), "thing stands", "things stand") + " in the way of an apply",
			refused[0].Subject + " " + refused[0].Message + "."
	case troubles > 0:
		return "danger", none + ", but " + words.CountOrNone(troubles, "trouble") + " in how the network runs", ""
	case !d.Whole():
		return "caution", v.NotCompared, ""
	case len(d.Live) > 0:
		return "caution", "No drift, but " + words.CountOrNone(len(d.Live), "warning") + " about how the network runs", ""
	case len(d.Behind) > 0:
		return "caution", "No drift, but git asks for what nobody applied yet", ""
	}
	return "fine", "No drift", ""
}

func (d Document) driftLine(v Verdict) (mark, line string) {
	broken := len(d.LiveOf(diag.Error))
	switch {
	case len(d.Danger.CutOff) > 0:
		return "🔴", cutOff(len(d.Danger.CutOff))
	case broken > 0:
		return "🔴", words.Plural(broken, "thing does", "things do") + " not run as it should"
	case d.Pending():
		return "🟠", v.Differ + " not as last applied"
	case len(d.Danger.Refusals) > 0:
		return "🟠", words.CountOrNone(len(d.Danger.Refusals), "thing") + " in the way of an apply"
	case !d.Whole():
		return "🟠", "not all could be compared"
	case len(d.Live) > 0:
		return "🟡", "no drift, and " + words.CountOrNone(len(d.Live), "thing") + " to look at"
	}
	return "✅", "no drift"
}

// nothing says why there is nothing to do, or that it is not known whether there is.
func (d Document) nothing() string {
	switch {
	case d.Totals.Unknown > 0:
		return "No change is known: " + words.CountOrNone(d.Totals.Unknown, "thing") + " could not be compared."
	case !d.Whole():
		return "No change is known."
	case d.Alone:
		return "Nothing changes for sites, links and objects."
	case d.Narrowed:
		return "Nothing to do for the part that was asked for."
	case len(d.Ignored) > 0:
		return "Nothing to do: the clusters are as described, but for what policy ignores."
	}
	return "Nothing to do: the clusters are as described."
}

// counts are what a plan or drift has, zeros left out.
func (d Document) counts() []Count {
	if !d.Drift {
		return d.verbs()
	}
	return notZero(
		Count{len(d.Actions), "not as last applied", ""}, Count{len(d.Live), "about how it runs", ""},
		Count{len(d.Behind), "not applied yet", ""},
		Count{len(d.Ignored), "ignored", ""}, Count{d.Totals.Unknown, "unknown", ""},
	)
}

func (d Document) verbs() []Count {
	s := d.Totals
	return notZero(
		Count{s.Create, "to create", "create"}, Count{s.Update, "to update", "update"},
		Count{s.Replace, "to replace", "replace"},
		Count{s.Adopt, "to adopt", "adopt"}, Count{s.Delete, "to delete", "delete"},
		Count{s.Drift, "because of drift", ""}, Count{s.Unknown, "unknown", ""},
	)
}

func notZero(list ...Count) []Count { return Only(list, func(c Count) bool { return c.Count > 0 }) }

// summary words the counts, leaving out zeros.
func (d Document) summary() string {
	var parts []string
	for _, c := range d.verbs() {
		parts = append(parts, fmt.Sprintf("%d %s", c.Count, c.Word))
	}
	if n := len(d.Danger.Refused); n > 0 {
		parts = append(parts, "refused by "+words.CountOrNone(n, "rule"))
	}
	if n := len(d.Danger.Overridden); n > 0 {
		parts = append(parts, words.CountOrNone(n, "rule")+" overridden")
	}
	return cmp.Or(strings.Join(parts, ", "), "nothing to do")
}

// notCompared says that drift may be more than what was found.
func (d Document) notCompared() string {
	if d.Totals.Unknown == 0 {
		return "Not all could be compared"
	}
	return "Not all could be compared: " + words.CountOrNone(d.Totals.Unknown, "unknown thing")
}

// beside words what a drift found beside differences, in one line: "2 sites are cut off; 1 error
// and 2 warnings about how it runs; 3 ignored by policy; git is ahead by 2 changes." It is empty
// where there is nothing.
func (d Document) beside() string {
	var parts, live []string
	if n := len(d.Danger.CutOff); n > 0 {
		parts = append(parts, cutOff(n))
	}
	errors := len(d.LiveOf(diag.Error))
	if errors > 0 {
		live = append(live, words.CountOrNone(errors, "error"))
	}
	if n := len(d.Live) - errors; n > 0 {
		live = append(live, words.CountOrNone(n, "warning"))
	}
	if len(live) > 0 {
		parts = append(parts, words.And(live)+" about how it runs")
	}
	if n := len(d.Ignored); n > 0 {
		parts = append(parts, fmt.Sprintf("%d ignored by policy", n))
	}
	if n := len(d.Behind); n > 0 {
		parts = append(parts, "git is ahead by "+words.CountOrNone(n, "change"))
	}
	if len(parts) == 0 {
		return ""
	}
	text := strings.Join(parts, "; ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}

// cutOff counts sites that lost their last path to others.
func cutOff(n int) string { return words.Plural(n, "site is", "sites are") + " cut off" }

// differ counts what is not as last applied.
func differ(actions []Action) string {
	one, many := "1 site or link is", "sites and links"
	for _, a := range actions {
		if a.Kind == plan.KindObject {
			one, many = "1 object is", "sites, links and objects"
		}
	}
	if len(actions) == 1 {
		return one
	}
	return fmt.Sprintf("%d %s are", len(actions), many)
}
