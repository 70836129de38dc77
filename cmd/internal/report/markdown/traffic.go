package markdown

import (
	"bytes"
	"slices"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/picture"
)

// severityWords put a sign before each severity, for eyes that tell colors apart and for
// those that do not.
var severityWords = map[string]md{"high": "🔴 **high**", "medium": "🟠 **medium**", "low": "⚪ low"}

// mostLost is how many lost paths are told twice.
const mostLost = 12

// traffic adds what the plan does to connections, in the end and meanwhile. Where there are
// many lost paths, or little room, they are left to the box above.
func (l *layout) traffic() {
	effects := l.doc.Effects
	if !l.doc.Pending() && len(effects.List) == 0 {
		return
	}
	title, meanwhile := "### What it does to traffic"+md(effects.Since)+"\n\n", md(effects.Meanwhile)+"\n"
	if len(effects.List) == 0 {
		l.say(title + md(effects.None) + " " + meanwhile)
		return
	}
	if effects.Shapes != "" {
		title += md(effects.Shapes) + "\n\n"
	}
	text := func(lines md) md { return title + lines + "\n" + reading + "\n\n" + meanwhile }
	others, lost := effects.Others(), len(l.doc.Danger.Lost)
	forms := shorter(len(others), func(most int) md {
		lines := first(l, others, most, effectLine)
		if lost > 0 {
			lines = "- " + severityWords["high"] + ": the lost paths of the box above, " + counted(lost, "sentence") +
				"\n" + lines
		}
		return text(lines)
	})
	if lost <= mostLost {
		forms = slices.Insert(forms, 0, func() md { return text(items(effects.List, effectLine)) })
	}
	l.add(yieldsEffects, forms...)
}

func effectLine(e report.Effect) md {
	word, known := severityWords[e.Severity]
	if !known {
		word = escapeText(e.Severity)
	}
	return word + ": " + escapeText(e.Message)
}

// reading is what to know of costs.
const reading = "_Traffic takes the path whose costs add up to the least; 99999 stands for a backup, taken when nothing else is left._"

// The bounds within which people can read a picture, and viewers draw it.
const (
	readableEdges   = 120
	readablePicture = 12_000 // bytes
)

// picture adds the network with what changes in it, and folded what it was and will be,
// where that is small enough to be read; else only what changes, if that is.
func (l *layout) picture() {
	before, after := l.doc.Before, l.doc.After
	if before == nil || after == nil {
		return
	}
	whole := picture.OfChange(*before, *after)
	changing := whole.Changing()
	if len(changing.Nodes) == 0 {
		return
	}
	title := md("### The network with this change\n\n")
	text, ok := fenced(whole)
	if !ok {
		title = "### What changes in the network\n\nOnly what changes is drawn, and what it touches.\n\n"
		if text, ok = fenced(changing); !ok {
			return
		}
	}
	l.option(yieldsPicture, "a picture of the network", title+legend+text)
	was, okBefore := fenced(picture.Of(*before))
	is, okAfter := fenced(picture.Of(*after))
	if okBefore && okAfter && len(before.Sites) > 0 && len(after.Sites) > 0 {
		l.option(yieldsPictures, "pictures of the network before and after",
			folded("Pictures: the network before and after", "Before:\n\n"+was+"\nAfter:\n\n"+is))
	}
}

const legend = "Green is new, yellow is changed (was → is), red and dashed goes. Numbers are costs: traffic takes the path with " +
	"the smallest sum. Boxes with double sides accept links, rounded ones are edge sites.\n\n"

// fenced is a picture as a block that GitHub and GitLab draw; not ok where it would be too
// large to be read. Mermaid writes neither backticks nor line ends of others.
func fenced(p picture.Picture) (text md, ok bool) {
	p = p.Condensed(picture.ReadableNodes)
	if len(p.Nodes) > picture.ReadableNodes || len(p.Edges) > readableEdges {
		return "", false
	}
	var b bytes.Buffer
	if err := picture.Mermaid(&b, p); err != nil || b.Len() > readablePicture {
		return "", false
	}
	return "```mermaid\n" + md(b.String()) + "```\n", true
}
