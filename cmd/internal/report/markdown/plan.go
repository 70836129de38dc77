package markdown

import (
	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/words"
)

// plan lays out the comment of a pull request.
func (l *layout) plan() {
	kind := "plan"
	if l.doc.Alone {
		kind = "diff"
	}
	l.head(kind, explanation(l.doc))
	l.unread()
	l.danger()
	l.traffic()
	l.changes()
	l.picture()
	l.warnings()
	l.steps()
	l.unmanaged()
	l.clusters()
	l.glossary()
	l.footer = planFooter(l.doc) + seeRun(l.doc.Run)
}

// mostOfWorst is how much of an effect is told at the top.
const mostOfWorst = 500

// explanation says in a few sentences what is planned, and from what.
func explanation(d report.Document) md {
	text := planned(d)
	worst, spared := d.Effects.Worst()
	if spared != "" {
		text += " " + md(spared)
	}
	if worst != "" {
		text += " Worst for traffic: " + escapeText(words.Clip(worst, mostOfWorst)) + "."
	}
	for _, f := range d.Settings() {
		text += "\n\n⚠️ " + escapeText(words.Clip(f.Subject+" "+f.Message+"; "+f.Fix, mostOfWorst)) + "."
	}
	text += "\n\n" + revisions(d)
	if d.Narrowed {
		text += " Only the part of the network that was asked for was planned."
	}
	return text
}

// planned words the counts of a plan, apart from those that are not of the change.
func planned(d report.Document) md {
	switch {
	case d.Pending() || len(d.Danger.Refusals) > 0:
	case d.Alone:
		return "Both revisions describe the same network."
	default:
		return md(d.Verdict.Nothing)
	}
	text := "Planned: " + md(d.Verdict.Summary) + "."
	if n := len(report.Only(d.Actions, func(a report.Action) bool { return a.Anyway })); n > 0 {
		text += " Of these, " + number(n) + " would be done without this change too."
	}
	return text
}

// revisions names what was planned and what it was compared with.
func revisions(d report.Document) md {
	if !d.Based {
		return "Description: " + source(d.Source) + "."
	}
	text := "With this change: " + source(d.Source) + ". Without it: " + source(d.Base) + "."
	if d.Alone {
		text += " No cluster was read."
	}
	return text
}

func source(s report.Source) md { return md(s.Words(inCode)) }

// inCode writes a name as code, inText as words, amid words of ours.
func inCode(name string) string { return string(code(name)) }
func inText(name string) string { return string(escapeText(name)) }

func counted(n int, one string) md { return md(words.CountOrNone(n, one)) }

// mostOfReason is how much of an error is shown.
const mostOfReason = 500

// unread adds a box about clusters that could not be read.
func (l *layout) unread() {
	list := l.doc.Unread()
	if len(list) == 0 {
		return
	}
	title := "**" + counted(len(list), "cluster") +
		" could not be read.** Nothing there is planned, and what is there is not known."
	warn := func(f func(report.Cluster) md) func() md {
		return func() md { return quoted("WARNING", title+"\n\n"+items(list, f)) }
	}
	l.add(yieldsWarning,
		warn(func(c report.Cluster) md {
			return code(c.Name) + " is " + code(c.State) + ": " + escapeCode(c.Reason, mostOfReason)
		}),
		warn(func(c report.Cluster) md { return code(c.Name) }),
		func() md { return quoted("WARNING", title) },
	)
}

// changes adds the tables of what is done: what the change asks for, and apart from it
// what would be done without it.
func (l *layout) changes() {
	own, others := l.doc.Parted()
	if !l.doc.Based {
		l.table(yieldsRows, "What will be done", "", own)
		l.table(yieldsOthers, "Drift that will be undone",
			"Somebody changed this on a cluster since the last apply; nobody changed it in git.", others)
		return
	}
	l.table(yieldsRows, "What this change does", "", own)
	l.table(yieldsOthers, "Pending or drifted anyway", "An apply does this as well, with this change or without it.",
		others)
	if list := l.doc.Spared; len(list) > 0 {
		const title = "### No longer needed with this change\n\n"
		l.add(yieldsOthers,
			always(title+items(list, func(s report.Spared) md {
				return escapeText(string(s.Verb)) + " " + code(s.ID) + ": " + escapeText(s.Why)
			})),
			always(title+counted(len(list), "action")+". "+l.run+"\n"))
	}
}

// planFooter says how to go on.
func planFooter(d report.Document) md {
	switch {
	case d.Alone:
		return "---\nCompared in git alone: no cluster was read, so what is pending or has drifted there is not in this. " +
			code("fairlead plan --base") + " shows both.\n"
	case !d.Pending():
		return ""
	}
	text := md("---\n")
	if len(d.Danger.Refused) > 0 {
		text += "It is refused as it stands: see each rule above. "
	}
	command := "fairlead apply --plan plan.json --expect-plan-id " + d.ID
	if len(d.Unread()) > 0 {
		command += " --allow-partial"
	}
	return text + "To apply exactly this plan and nothing else: " + code(command) +
		". What was edited on the clusters since is left alone.\n"
}

// seeRun links to the run.
func seeRun(run string) md {
	if link := linkTo(run); link != "" {
		return "\nMade by " + link + ".\n"
	}
	return ""
}

// steps adds why and how each change is made.
func (l *layout) steps() {
	actions := l.doc.Actions
	n := counted(len(actions), "change")
	are := words.Either[md](len(actions), " is", " are")
	l.option(yieldsSteps, "why, in which steps and in which order "+n+are+" made",
		folded("Why, in which steps and in which order: "+n, items(actions, stepLine)))
}

func stepLine(a report.Action) md {
	text := titleOf(a) + ": " + escapeText(a.Why) + "."
	if a.Source != "" {
		text += " From " + code(a.Source) + "."
	}
	if a.Steps != "" {
		text += " Steps: " + md(a.Steps) + "."
	}
	if len(a.After) > 0 {
		text += " After " + joined(a.After, ", ", code) + "."
	}
	if len(a.Removes) > 0 {
		text += " Removes " + joined(a.Removes, ", ", code) + "."
	}
	return text
}

// glossary explains the words to those who see a network of Skupper for the first time.
func (l *layout) glossary() {
	l.detail("The words used here", `- A **site** is a namespace of a cluster that takes part in the network, with a router of its own.
- A **link** joins two sites: one connects, the other listens. Traffic goes both ways, whoever connects.
- **Cost** is a number on a link. Traffic takes the path with the smallest sum. A dearer one gets new connections when the cheaper one is down, or has more of them open than the costs differ by; 99999 means backup only.
- An **edge** site passes nothing on between others.
- A **single point of failure** is a site or link without which others cannot reach each other.
- **Pending** is what git asks for and nobody applied yet; **drift** is what somebody changed on a cluster.
`, "what the words mean")
}
