package report

import (
	"bytes"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// severityWords put a sign before each severity, for eyes that tell colors apart and for
// those that do not.
var severityWords = map[string]markdown{"high": "🔴 **high**", "medium": "🟠 **medium**", "low": "⚪ low"}

// mostLost is how many lost paths are told twice.
const mostLost = 12

// traffic adds what the plan does to connections, in the end and meanwhile. Where there are
// many lost paths, or little room, they are left to the box above.
func (d *document) traffic(pl plan.Plan) {
	list := pl.Topology.Effects
	if !pl.Pending() && len(list) == 0 {
		return
	}
	title := "### What it does to traffic" + markdown(sinceWhat(pl)) + "\n\n"
	if len(list) == 0 {
		d.say(title + noEffect(pl) + atWork(pl) + "\n")
		return
	}
	text := func(lines markdown) markdown {
		return title + shapes(pl.Topology) + lines + "\n" + reading + "\n\n" + atWork(pl) + "\n"
	}
	others := only(list, func(e plan.Effect) bool { return !lost(e) })
	some := func(most int) func() markdown {
		return func() markdown {
			lines := items(others[:most], effectLine)
			if n := len(list) - len(others); n > 0 {
				lines = "- " + severityWords["high"] + ": the lost paths of the box above, " + counted(n, "sentence") + "\n" + lines
			}
			return text(lines + d.rest(len(others)-most))
		}
	}
	forms := shorter(len(others), some)
	if len(list)-len(others) <= mostLost {
		forms = slices.Insert(forms, 0, func() markdown { return text(items(list, effectLine)) })
	}
	d.add(yieldsEffects, forms...)
}

func effectLine(e plan.Effect) markdown {
	word, known := severityWords[e.Severity]
	if !known {
		word = escapeText(e.Severity)
	}
	return word + ": " + escapeText(e.Message)
}

// reading is what to know of costs.
const reading = "_Traffic takes the path whose costs add up to the least; 99999 stands for a backup, taken when nothing else is left._"

// noEffect says why there is nothing to say.
func noEffect(pl plan.Plan) markdown {
	if !wholly(pl) && pl.Topology.Basis == "" {
		return "What it does to connections is not known, for not all clusters could be read. "
	}
	return "No site loses or gains a path, and no path changes its cost. "
}

// shapes says how the network holds together before and after.
func shapes(t plan.Topology) markdown {
	if t.Before.Sites == 0 {
		return ""
	}
	return "Before: " + shape(t.Before) + ". After: " + shape(t.After) + ".\n\n"
}

func shape(s plan.Shape) markdown {
	text := counted(s.Sites, "site") + ", " + counted(s.Links, "link")
	switch n := len(s.Components); {
	case s.Sites < 2:
		return text
	case n == 1:
		return text + ", all connected"
	default:
		return text + ", in " + number(n) + " parts that do not reach each other"
	}
}

func number(n int) markdown { return markdown(fmt.Sprint(n)) }

// atWork says what traffic meets while the plan is carried out.
func atWork(pl plan.Plan) markdown {
	var parts []markdown
	for _, c := range []struct{ word, one, many markdown }{
		{goesAway, "goes away", "go away"},
		{changes, "changes what is reached", "change what is reached"},
		{markdown(disruption[plan.DisruptionRestart]), "has a router that restarts", "have routers that restart"},
		{markdown(disruption[plan.DisruptionReplace]), "gets a new link before the old one goes", "get a new link before the old one goes"},
		{markdown(disruption[plan.DisruptionReconnect]), "reconnects briefly", "reconnect briefly"},
	} {
		if of := only(pl.Actions, func(a plan.Action) bool { return meanwhile(a) == c.word }); len(of) > 0 {
			parts = append(parts, kindsOf(of)+" "+either(len(of), c.one, c.many))
		}
	}
	switch {
	case len(parts) == 0 && slices.ContainsFunc(pl.Actions, linksAlone):
		return "While it is carried out, links are undisturbed."
	case len(parts) == 0:
		return "While it is carried out, traffic is undisturbed."
	}
	return "While it is carried out: " + joined(parts, "; ", same) + "."
}

// The bounds within which people can read a picture, and viewers draw it.
const (
	readableEdges   = 120
	readablePicture = 12_000 // bytes
)

// picture adds the network with what changes in it, and folded what it was and will be,
// where that is small enough to be read; else only what changes, if that is.
func (d *document) picture(r Report) {
	if r.Before == nil || r.After == nil {
		return
	}
	whole := PictureOfChange(*r.Before, *r.After)
	changed := whole.changed()
	if len(changed.Nodes) == 0 {
		return
	}
	title := markdown("### The network with this change\n\n")
	text, ok := fenced(whole)
	if !ok {
		title = "### What changes in the network\n\nOnly what changes is drawn, and what it touches.\n\n"
		if text, ok = fenced(changed); !ok {
			return
		}
	}
	d.option(yieldsPicture, "a picture of the network", title+legend+text)
	d.both(*r.Before, *r.After)
}

const legend = "Green is new, yellow is changed (was → is), red and dashed goes. Numbers are costs: traffic takes the path with " +
	"the smallest sum. Boxes with double sides accept links, rounded ones are edge sites.\n\n"

// both adds two pictures, folded.
func (d *document) both(before, after network.Network) {
	if len(before.Sites) == 0 || len(after.Sites) == 0 {
		return
	}
	was, okBefore := fenced(PictureOf(before))
	is, okAfter := fenced(PictureOf(after))
	if !okBefore || !okAfter {
		return
	}
	d.option(yieldsPictures, "pictures of the network before and after",
		folded("Pictures: the network before and after", "Before:\n\n"+was+"\nAfter:\n\n"+is))
}

// changed is the part of a picture that changes, and the sites at the ends of its links.
func (p Picture) changed() Picture {
	out, ends := Picture{Name: p.Name}, map[string]bool{}
	for _, e := range p.Edges {
		if e.Change != Same {
			out.Edges = append(out.Edges, e)
			ends[e.From], ends[e.To] = true, true
		}
	}
	groups := map[string]bool{}
	for _, n := range p.Nodes {
		if n.Change != Same || ends[n.Name] {
			out.Nodes = append(out.Nodes, n)
			groups[n.Group] = true
		}
	}
	for _, g := range p.Groups {
		if groups[g.Name] {
			out.Groups = append(out.Groups, g)
		}
	}
	return out
}

// fenced is a picture as a block that GitHub and GitLab draw; not ok where it would be too
// large to be read. Mermaid writes neither backticks nor line ends of others.
func fenced(p Picture) (text markdown, ok bool) {
	p = p.Condensed(ReadableNodes)
	if len(p.Nodes) > ReadableNodes || len(p.Edges) > readableEdges {
		return "", false
	}
	var b bytes.Buffer
	if err := Mermaid(&b, p); err != nil || b.Len() > readablePicture {
		return "", false
	}
	return "```mermaid\n" + markdown(b.String()) + "```\n", true
}
