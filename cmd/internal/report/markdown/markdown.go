// Package markdown lays plans and drift out for comments and issues of a forge. Whatever is not
// our words goes through escapeText or escapeCode, and what does not fit gives way in an order.
package markdown

import (
	"errors"
	"io"
	"sort"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
)

// Most is how long a comment may be on GitHub, in characters; Write counts bytes, of which there
// are never fewer.
const Most = 65_536

// target leaves room for whoever adds a line of their own.
const target = Most - 1_536

var errNoMarkdown = errors.New("report: only plans and drift have a form in markdown")

// Write writes a plan, a comparison of revisions or drift for people who review it on
// GitHub or GitLab: the comment of a pull request, the summary of a run, the text of an
// issue. Its first line is what Marker gives, its second one the plan's ID in a comment of
// the same kind. Any other report is an error.
//
// It is at most Most bytes long. What does not fit gives way in this order, and the
// text says so: collapsed details, pictures, rows of the tables, effects that take nothing
// away. Deletions, lost paths and refusals stay, at the end as bare names; only
// where not even those fit, as many as do, and the number of the others.
func Write(w io.Writer, r report.Report) error {
	d, ok := report.DocumentOf(r)
	if !ok {
		return errNoMarkdown
	}
	l := layout{doc: d, run: whereAllIs(d.Run)}
	if d.Drift {
		l.drift()
	} else {
		l.plan()
	}
	_, err := io.WriteString(w, l.fit(target))
	return err
}

// layout is a document in parts that can give way.
type layout struct {
	doc   report.Document
	parts []*part
	// run says where all of it is to be found; footer ends it.
	run, footer md
}

// part is one part of a layout: the forms that it may take, each shorter than the one
// before, and which it has.
type part struct {
	forms []form
	at    int
	now   md
	// name is what to call the part where none of it is left.
	name md
}

// form is one way to write a part. Where room is short it is taken in its turn: forms with
// a lower number first, of all parts.
type form struct {
	yields int
	text   func() md
}

// When parts give way.
const (
	yieldsSteps = iota
	yieldsDetails
	yieldsPictures
	yieldsPicture
	yieldsOthers // what the change has no part in
	yieldsRows
	yieldsEffects
	yieldsWarning
	yieldsDanger
	yieldsLast
)

// add puts a part at the end, in forms of which each is shorter than the one before;
// nothing is added where the first one is empty.
func (l *layout) add(yields int, texts ...func() md) {
	p := part{}
	for _, text := range texts {
		p.forms = append(p.forms, form{yields, text})
	}
	l.put(p)
}

func (l *layout) put(p part) {
	if p.now = p.forms[0].text(); p.now != "" {
		l.parts = append(l.parts, &p)
	}
}

// say adds a part that never gives way.
func (l *layout) say(text md) { l.add(yieldsLast, always(text)) }

// option adds a part that is there or not, and what it is called where it is not.
func (l *layout) option(yields int, name, text md) {
	l.put(part{name: name, forms: []form{{yields, always(text)}, {yields, always("")}}})
}

func always(text md) func() md { return func() md { return text } }

// fit gives the layout with as much of it as so many bytes hold: it is shortened until
// it fits, and then what is worth most becomes longer again, as far as there is room.
func (l *layout) fit(most int) string {
	fits := func() bool { return len(l.text()) <= most }
	for yields := range yieldsLast {
		for _, p := range l.parts {
			if last := p.lastAt(yields); last > p.at && !fits() {
				p.choose(p.at+1, last, fits)
			}
		}
	}
	for yields := yieldsLast - 1; yields >= 0; yields-- {
		for _, p := range l.parts {
			if p.at > 0 && p.forms[p.at].yields == yields {
				p.choose(0, p.at, fits)
			}
		}
	}
	return string(l.text())
}

// lastAt is the place of the last form that has its turn then; 0 where there is none.
func (p *part) lastAt(yields int) int {
	for i := len(p.forms) - 1; i > 0; i-- {
		if p.forms[i].yields == yields {
			return i
		}
	}
	return 0
}

// choose gives a part the first of some forms with which all fits, or the last of them.
func (p *part) choose(first, last int, fits func() bool) {
	i := sort.Search(last-first, func(i int) bool {
		p.now = p.forms[first+i].text()
		return fits()
	})
	p.at = first + i
	p.now = p.forms[p.at].text()
}

// text is the layout as it is now. What is left out is said in one line.
func (l *layout) text() md {
	var left, gone []md
	for _, p := range l.parts {
		if p.now == "" {
			gone = append(gone, p.name)
		} else {
			left = append(left, p.now)
		}
	}
	if len(gone) > 0 {
		const why = "Left out here, for a comment can hold only so much: "
		left = append(left, why+joined(gone, "; ", same)+". "+l.run+"\n")
	}
	if l.footer != "" {
		left = append(left, l.footer)
	}
	return joined(left, "\n", same)
}

// head adds the lines by which the text is found again, the verdict, and what explains it.
func (l *layout) head(kind string, explanation md) {
	l.say(md(Marker(kind, l.doc.Network)+"\n") + md("<!-- fairlead:id:"+marked(l.doc.ID)+" -->\n"))
	l.say("## " + md(l.doc.Verdict.Mark) + " Network " + code(l.doc.Network) + ": " + md(l.doc.Verdict.Line) + "\n")
	l.say(explanation + "\n")
}

// whereAllIs says where the whole of a report is to be found.
func whereAllIs(run string) md {
	if link := linkTo(run); link != "" {
		return "All of it is in the plan that " + link + " has made."
	}
	return "All of it is in the plan's text and JSON."
}

// linkTo is a link to the page of the run; empty where there is none that can be linked.
func linkTo(run string) md {
	plain := func(r rune) bool {
		return r < 0x7f && (plainRune(r) && r != ' ' || strings.ContainsRune("-._~:/?#@!$&'*+,;=%", r))
	}
	if !strings.HasPrefix(run, "https://") && !strings.HasPrefix(run, "http://") || !allOf([]rune(run), plain) ||
		len(run) > mostOfText {
		return ""
	}
	return md("[this run](<" + run + ">)")
}

// joined puts what f makes of each element in one line.
func joined[T any](list []T, between md, f func(T) md) md {
	var b strings.Builder
	for i, e := range list {
		if i > 0 {
			b.WriteString(string(between))
		}
		b.WriteString(string(f(e)))
	}
	return md(b.String())
}

func same(m md) md { return m }

// items makes a list, an element each.
func items[T any](list []T, f func(T) md) md {
	return joined(list, "", func(e T) md { return "- " + f(e) + "\n" })
}

// quoted puts a text into a box: a kind of alert on GitHub, a plain quote elsewhere.
func quoted(kind, text md) md {
	lines := strings.ReplaceAll(strings.TrimSuffix(string(text), "\n"), "\n", "\n> ")
	return md(strings.ReplaceAll("> [!"+string(kind)+"]\n> "+lines+"\n", "> \n", ">\n"))
}

// folded hides a text behind its summary, which no renderer looks into for markdown.
func folded(summary, text md) md {
	if text == "" {
		return ""
	}
	return "<details><summary>" + summary + "</summary>\n\n" + text + "\n</details>\n"
}
