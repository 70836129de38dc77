package report

import (
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/topology"
)

// planDocument is the comment of a pull request.
func planDocument(r Report, pl plan.Plan) document {
	d := document{run: whereAllIs(r.Run)}
	d.head(kindOf(pl), pl)
	d.say("## " + verdict(pl) + "\n")
	d.say(explanation(pl))
	d.unread(pl)
	d.danger(pl)
	d.traffic(pl)
	d.changes(pl)
	d.picture(r)
	d.planDetails(pl)
	d.footer = footer(pl) + seeRun(r.Run)
	return d
}

func kindOf(pl plan.Plan) string {
	if alone(pl) {
		return "diff"
	}
	return "plan"
}

// verdict is what to know when nothing else is read.
func verdict(pl plan.Plan) markdown {
	name := "Network " + code(pl.Network) + ": "
	refused, losers, deletes := len(pl.Refused()), len(losing(pl)), deletions(pl.Actions)
	var parts []markdown
	const calm = markdown("🔵 ")
	sign := calm
	if len(deletes) > 0 {
		sign, parts = "🟠 ", []markdown{kindsOf(deletes) + " deleted"}
	}
	if losers > 0 {
		sign, parts = "🔴 ", append([]markdown{counted(losers, "site") + either(losers, " loses", " lose") + " paths"}, parts...)
	}
	if refused > 0 {
		sign, parts = "⛔ ", append([]markdown{"refused by " + counted(refused, "rule")}, parts...)
	}
	if len(parts) == 0 && pl.Pending() {
		parts = append(parts, counted(len(pl.Actions), "change"))
	}
	if list := unread(pl.Clusters); len(list) > 0 {
		if sign == calm {
			sign = "🟠 "
		}
		parts = append(parts, counted(len(list), "cluster")+" could not be read")
	}
	if len(settings(pl)) > 0 {
		if sign == calm {
			sign = "🟠 "
		}
		parts = append(parts, "policy or clusters' settings change")
	}
	switch {
	case len(parts) > 0:
		return sign + name + joined(parts, "; ", same)
	case !wholly(pl):
		return "🟠 " + name + "not all of it could be compared, and no change is known"
	}
	return "✅ " + name + "no change"
}

func counted(n int, one string) markdown { return markdown(count(n, one)) }

// either gives the form of a word that goes with a number.
func either(n int, one, many markdown) markdown {
	if n == 1 {
		return one
	}
	return many
}

// mostOfWorst is how much of an effect is told at the top.
const mostOfWorst = 500

// explanation says in a few sentences what is planned, and from what.
func explanation(pl plan.Plan) markdown {
	text := what(pl)
	text += worst(pl.Topology.Effects)
	for _, f := range settings(pl) {
		text += "\n\n⚠️ " + escapeText(clip(f.Subject+" "+f.Message+"; "+f.Fix, mostOfWorst)) + "."
	}
	text += "\n\n" + revisions(pl)
	if pl.Narrowed {
		text += " Only the part of the network that was asked for was planned."
	}
	return text + "\n"
}

// worst tells the most serious effect, and what is spared.
func worst(effects []plan.Effect) markdown {
	if len(effects) == 0 {
		return ""
	}
	first, compared := effects[0], !slices.ContainsFunc(effects, func(e plan.Effect) bool { return e.Code == topology.PathsNotCompared })
	if first.Severity == string(topology.Low) && compared {
		return " No path is lost, and none gets dearer."
	}
	text := markdown(" ")
	if !lost(first) {
		text += "No site that stays loses its last path to another. "
	}
	return text + "Worst for traffic: " + escapeText(clip(first.Message, mostOfWorst)) + "."
}

// what words the counts of a plan, apart from those that are not of the change.
func what(pl plan.Plan) markdown {
	if !pl.Pending() && len(pl.Refusals) == 0 {
		if alone(pl) {
			return "Both revisions describe the same network."
		}
		return markdown(nothing(pl))
	}
	text := "Planned: " + markdown(Summary(pl)) + "."
	if _, others := pl.ByOrigin(); len(others) > 0 {
		text += " Of these, " + number(len(others)) + " would be done without this change too."
	}
	return text
}

// revisions names what was planned and what it was compared with.
func revisions(pl plan.Plan) markdown {
	if pl.Base == nil {
		return "Description: " + source(pl.Source) + "."
	}
	text := "With this change: " + source(pl.Source) + ". Without it: " + source(pl.Base.Source) + "."
	if alone(pl) {
		text += " No cluster was read."
	}
	return text
}

func source(s plan.Source) markdown {
	if s.Commit == "" {
		return markdown(withoutCommit(s) + leftOut(s))
	}
	text := code(abbreviated(s.Commit))
	if s.Ref != "" {
		text = code(s.Ref) + " at " + text
	}
	if s.Dirty {
		text += ", with uncommitted changes"
	}
	return text + markdown(leftOut(s))
}

// mostOfReason is how much of an error is shown.
const mostOfReason = 500

// unread adds a box about clusters that could not be read.
func (d *document) unread(pl plan.Plan) {
	list := unread(pl.Clusters)
	if len(list) == 0 {
		return
	}
	title := "**" + counted(len(list), "cluster") + " could not be read.** Nothing there is planned, and what is there is not known."
	warn := func(f func(plan.Cluster) markdown) func() markdown {
		return func() markdown { return quoted("WARNING", title+"\n\n"+items(list, f)) }
	}
	d.add(yieldsWarning,
		warn(func(c plan.Cluster) markdown {
			return code(c.Name) + " is " + code(c.State) + ": " + escapeCode(c.Reason, mostOfReason)
		}),
		warn(func(c plan.Cluster) markdown { return code(c.Name) }),
		func() markdown { return quoted("WARNING", title) },
	)
}

// footer says how to go on.
func footer(pl plan.Plan) markdown {
	switch {
	case alone(pl):
		return "---\nCompared in git alone: no cluster was read, so what is pending or has drifted there is not in this. " +
			code("fairlead plan --base") + " shows both.\n"
	case !pl.Pending():
		return ""
	}
	text := "---\n"
	if len(pl.Refused()) > 0 {
		text += "It is refused as it stands: see each rule above. "
	}
	command := "fairlead apply --plan plan.json --expect-plan-id " + pl.ID
	if len(unread(pl.Clusters)) > 0 {
		command += " --allow-partial"
	}
	return markdown(text) + "To apply exactly this plan and nothing else: " + code(command) + ". What was edited on the clusters since is left alone.\n"
}

// seeRun links to the run.
func seeRun(run string) markdown {
	if link := linkTo(run); link != "" {
		return "\nMade by " + link + ".\n"
	}
	return ""
}
