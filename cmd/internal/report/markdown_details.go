package report

import (
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/diag"
)

// planDetails adds what only some readers want, folded.
func (d *document) planDetails(pl plan.Plan) {
	d.warnings(pl.Diagnostics)
	d.steps(pl.Actions)
	d.unmanaged(pl.Unmanaged)
	d.clusters(pl.Clusters)
	d.glossary()
}

// detail adds a folded part, and what it is called where it is left out.
func (d *document) detail(summary, text, name markdown) {
	d.option(yieldsDetails, name, folded(summary, text))
}

func (d *document) steps(actions []plan.Action) {
	n := counted(len(actions), "change")
	d.option(yieldsSteps, "why, in which steps and in which order "+n+either(len(actions), " is", " are")+" made",
		folded("Why, in which steps and in which order: "+n, items(actions, stepLine)))
}

func stepLine(a plan.Action) markdown {
	text := titleOf(a) + ": " + escapeText(a.Why) + "."
	if a.Object != nil && a.Object.Source != "" {
		text += " From " + code(a.Object.Source) + "."
	}
	if len(a.Steps) > 0 {
		text += " Steps: " + markdown(steps(a.Steps)) + "."
	}
	if len(a.DependsOn) > 0 {
		text += " After " + joined(a.DependsOn, ", ", code) + "."
	}
	if list := removals(a); len(list) > 0 {
		text += " Removes " + joined(list, ", ", objectRef) + "."
	}
	return text
}

func objectRef(r plan.ObjectRef) markdown { return code(r.String()) }

func (d *document) warnings(list diag.List) {
	n := counted(len(list), "warning")
	d.detail(n, items(list, warning), n)
}

func warning(f diag.Finding) markdown {
	text := escapeText(about(f))
	if f.Fix != "" {
		text += "; " + escapeText(f.Fix)
	}
	if !f.At.IsZero() {
		text += " (" + declared(f.At) + ")"
	}
	return text
}

func (d *document) unmanaged(list []plan.ObjectRef) {
	n := counted(len(list), "object")
	d.detail("Not managed by Fairlead, left alone: "+n, items(list, objectRef), n+" that Fairlead does not manage")
}

func (d *document) clusters(list []plan.Cluster) {
	n := counted(len(list), "cluster")
	d.detail("Looked at: "+n, items(list, func(c plan.Cluster) markdown {
		text := code(c.Name) + ": " + escapeText(string(c.State))
		if c.Skupper != "" {
			text += ", Skupper " + code(c.Skupper)
		}
		return text
	}), "which clusters were looked at")
}

// glossary explains the words to those who see a network of Skupper for the first time.
func (d *document) glossary() {
	d.detail("The words used here", `- A **site** is a namespace of a cluster that takes part in the network, with a router of its own.
- A **link** joins two sites: one connects, the other listens. Traffic goes both ways, whoever connects.
- **Cost** is a number on a link. Traffic takes the path with the smallest sum. A dearer one gets new connections when the cheaper one is down, or has more of them open than the costs differ by; 99999 means backup only.
- An **edge** site passes nothing on between others.
- A **single point of failure** is a site or link without which others cannot reach each other.
- **Pending** is what git asks for and nobody applied yet; **drift** is what somebody changed on a cluster.
`, "what the words mean")
}

// declared is where something stands in the description.
func declared(at diag.Position) markdown {
	if at.IsZero() {
		return ""
	}
	return escapeCode(at.String(), mostOfText)
}
