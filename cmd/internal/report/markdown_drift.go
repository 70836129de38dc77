package report

import (
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
)

// driftDocument is the text of an issue for those who operate the network.
func driftDocument(r Report, pl plan.Plan) document {
	d := document{run: whereAllIs(r.Run)}
	d.head(driftKind(pl), pl)
	d.say("## " + driftVerdict(pl) + "\n")
	d.say(driftExplanation(pl))
	d.unread(pl)
	d.troubles(pl)
	d.differences(pl.Actions)
	d.live(pl.Live)
	d.became(pl)
	d.behind(pl.Behind)
	d.warnings(pl.Diagnostics)
	d.ignored(pl.Ignored)
	d.leftovers(pl.Actions)
	d.unmanaged(pl.Unmanaged)
	d.clusters(pl.Clusters)
	d.footer = driftFooter(pl) + seeRun(r.Run)
	return d
}

// driftKind keeps the text about a part of the network apart from that about the whole:
// that nothing differs in a part says nothing of the rest.
func driftKind(pl plan.Plan) string {
	if pl.Narrowed {
		return "drift-part"
	}
	return "drift"
}

func driftVerdict(pl plan.Plan) markdown {
	name := "Network " + code(pl.Network) + ": "
	broken, cut := len(liveOf(pl, diag.Error)), len(losing(pl))
	switch {
	case cut > 0:
		return "🔴 " + name + markdown(cutOffWords(cut))
	case broken > 0:
		return "🔴 " + name + counted(broken, "thing") + either(broken, " does", " do") + " not run as it should"
	case pl.Pending():
		return "🟠 " + name + markdown(things(pl.Actions)) + " not as last applied"
	case len(pl.Refusals) > 0:
		return "🟠 " + name + counted(len(pl.Refusals), "thing") + " in the way of an apply"
	case !wholly(pl):
		return "🟠 " + name + "not all could be compared"
	case len(pl.Live) > 0:
		return "🟡 " + name + "no drift, and " + counted(len(pl.Live), "thing") + " to look at"
	}
	return "✅ " + name + "no drift"
}

func driftExplanation(pl plan.Plan) markdown {
	text := markdown("The clusters were compared with what the last apply left there.")
	switch {
	case pl.Pending():
		text += " " + markdown(things(pl.Actions)) + " not so any more."
	case wholly(pl):
		text += " Nothing differs."
	}
	if n := pl.Summary.Unknown; n > 0 {
		text += " " + counted(n, "unknown thing") + " could not be compared."
	}
	if n := len(pl.Behind); n > 0 {
		text += " Git is ahead by " + counted(n, "change") + ", which nobody applied yet; that is no drift."
	}
	if n := len(pl.Ignored); n > 0 {
		text += " " + counted(n, "difference") + either(n, " is", " are") + " left out by rules."
	}
	text += "\n\nDescription: " + source(pl.Source) + "."
	inCode := func(commit string) string { return string(code(commit)) }
	inText := func(names string) string { return string(escapeText(names)) }
	if applied := lastApplied(pl, inCode, inText); applied != "" && ofGit(pl) {
		text += " Last applied: " + markdown(applied) + "."
	}
	return text + "\n"
}

// troubles adds a box with who is cut off, and what is broken, gone or refused.
func (d *document) troubles(pl plan.Plan) {
	cut, broken := only(pl.Topology.Effects, lost), liveOf(pl, diag.Error)
	gone := only(pl.Actions, func(a plan.Action) bool { return a.Verb == plan.VerbCreate })
	show := func(most int) func() markdown {
		return func() markdown {
			return cautions(
				titled(cut, "Cut off: "+counted(len(losing(pl)), "site"), items(cut[:min(most, len(cut))], lossAlone)+d.rest(len(cut)-most)),
				titled(broken, "Does not run as it should", items(broken[:min(most, len(broken))], liveLine)+d.rest(len(broken)-most)),
				titled(gone, "Gone from the clusters: "+kindsOf(gone), items(gone[:min(most, len(gone))], goneLine)+d.rest(len(gone)-most)),
				titled(pl.Refusals, "In the way of an apply", items(pl.Refusals[:min(most, len(pl.Refusals))], refusal)+d.rest(len(pl.Refusals)-most)),
			)
		}
	}
	d.add(yieldsDanger, shorter(max(len(cut), len(broken), len(gone), len(pl.Refusals)), show)...)
}

// shorter are forms of a list: whole, and with ever fewer of its elements.
func shorter(all int, show func(most int) func() markdown) []func() markdown {
	forms := []func() markdown{show(all)}
	for most := all - 1; most >= 0; most = most * 9 / 10 {
		forms = append(forms, show(most))
		if most == 0 {
			break
		}
	}
	return forms
}

// rest counts what is missing from a list.
func (d *document) rest(n int) markdown {
	if n <= 0 {
		return ""
	}
	return "- … and " + number(n) + " more. " + d.run + "\n"
}

func goneLine(a plan.Action) markdown {
	return markdown(kindWords[a.Kind]) + " " + code(NameOf(a)) + " in " + whereOf(a) + ": " + escapeText(a.Why)
}

func whereOf(a plan.Action) markdown { return code(string(a.Cluster) + "/" + a.Namespace) }

// differences adds the table of what differs from what was last applied.
func (d *document) differences(actions []plan.Action) {
	if len(actions) == 0 {
		return
	}
	show := func(most int) func() markdown {
		return func() markdown {
			text := markdown("### Differs from what was last applied\n\n")
			if most > 0 {
				text += row("What", "Where", "On the cluster → when last applied", "Why", "Declared at") + "|---|---|---|---|---|\n" +
					joined(actions[:most], "", differenceRow)
			}
			if most < len(actions) {
				text += "\n" + d.rest(len(actions)-most)
			}
			return text
		}
	}
	d.add(yieldsRows, shorter(len(actions), show)...)
}

func differenceRow(a plan.Action) markdown {
	return row(markdown(a.Kind)+" "+code(NameOf(a)), whereOf(a), fields(a.Fields), escapeText(a.Why), declared(a.DeclaredAt))
}

// live adds what is known of how the network runs, but for what is broken.
func (d *document) live(list []plan.Live) {
	list = only(list, func(l plan.Live) bool { return l.Severity != diag.Error })
	if len(list) == 0 {
		return
	}
	show := func(most int) func() markdown {
		return func() markdown {
			return "### How it runs: worth a look\n\n" + items(list[:most], liveLine) + d.rest(len(list)-most)
		}
	}
	d.add(yieldsEffects, shorter(len(list), show)...)
}

// became adds what all that does to traffic, but for who is cut off.
func (d *document) became(pl plan.Plan) {
	list := only(pl.Topology.Effects, func(e plan.Effect) bool { return !lost(e) })
	if len(list) == 0 {
		return
	}
	show := func(most int) func() markdown {
		return func() markdown {
			title := "### What became of traffic" + markdown(sinceWhat(pl)) + "\n\n"
			return title + items(list[:most], effectLine) + d.rest(len(list)-most) + "\n" + reading + "\n"
		}
	}
	d.add(yieldsEffects, shorter(len(list), show)...)
}

func liveLine(l plan.Live) markdown {
	text := code(l.Subject)
	if l.Namespace != "" {
		text += " in " + code(string(l.Cluster)+"/"+l.Namespace)
	}
	text += ": " + escapeText(l.Message) + "."
	if l.Fix != "" {
		text += " What to do: " + escapeText(l.Fix) + "."
	}
	if !l.At.IsZero() {
		text += " (" + declared(l.At) + ")"
	}
	return text
}

// behind adds what git asks for and nobody applied yet.
func (d *document) behind(actions []plan.Action) {
	d.table(yieldsOthers, "Git is ahead", "Described and not applied yet. An apply does this too.", actions)
}

// ignored adds what rules leave out, and why.
func (d *document) ignored(list []plan.Ignored) {
	n := counted(len(list), "difference")
	d.detail("Left out by rules: "+n, items(list, func(i plan.Ignored) markdown {
		text := code(i.Action)
		if i.Field != "" {
			text += ", " + code(i.Field)
		}
		return text + ", by rule " + code(i.Rule) + ": " + escapeText(i.Reason)
	}), n+" that rules leave out")
}

// leftovers adds objects that earlier applies left, which an apply takes away.
func (d *document) leftovers(actions []plan.Action) {
	var list []plan.ObjectRef
	for _, a := range actions {
		list = append(list, removals(a)...)
	}
	n := counted(len(list), "object")
	d.detail("An apply removes: "+n, items(list, objectRef), n+" that an apply removes")
}

func driftFooter(pl plan.Plan) markdown {
	switch {
	case pl.Pending() && len(pl.Behind) > 0:
		return "---\nTo heal: " + code("fairlead apply") + ". It does what git is ahead by as well; " + code("fairlead plan") + " shows all of it.\n"
	case pl.Pending():
		return "---\nTo heal: " + code("fairlead apply") + "; " + code("fairlead plan") + " shows what it would do.\n"
	}
	return ""
}
