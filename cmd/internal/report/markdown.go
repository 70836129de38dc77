package report

import (
	"errors"
	"io"
	"sort"
	"strings"

	"fairlead.dev/fairlead/plan"
)

// MarkdownMost is how long a comment may be on GitHub, in characters; Markdown counts
// bytes, of which there are never fewer.
const MarkdownMost = 65_536

// markdownTarget leaves room for whoever adds a line of their own.
const markdownTarget = MarkdownMost - 1_536

var errNoMarkdown = errors.New("report: only plans and drift have a form in markdown")

// Markdown writes a plan, a comparison of revisions or drift for people who review it on
// GitHub or GitLab: the comment of a pull request, the summary of a run, the text of an
// issue. Its first line is what Marker gives, its second one the plan's ID in a comment of
// the same kind. Any other report is an error.
//
// It is at most MarkdownMost bytes long. What does not fit gives way in this order, and the
// text says so: collapsed details, pictures, rows of the tables, effects that take nothing
// away. Deletions, lost paths and refusals stay, at the end as bare names; only
// where not even those fit, as many as do, and the number of the others.
func Markdown(w io.Writer, r Report, _ Style) error {
	var d document
	switch {
	case r.Plan != nil:
		d = planDocument(r, *r.Plan)
	case r.Drift != nil:
		d = driftDocument(r, *r.Drift)
	default:
		return errNoMarkdown
	}
	_, err := io.WriteString(w, d.fit(markdownTarget))
	return err
}

// document is markdown in parts that can give way.
type document struct {
	parts []*part
	// run says where all of it is to be found; footer ends it.
	run, footer markdown
}

// part is one part of a document: the forms that it may take, each shorter than the one
// before, and which it has.
type part struct {
	forms []form
	at    int
	now   markdown
	// name is what to call the part where none of it is left.
	name markdown
}

// form is one way to write a part. Where room is short it is taken in its turn: forms with
// a lower number first, of all parts.
type form struct {
	yields int
	text   func() markdown
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
func (d *document) add(yields int, texts ...func() markdown) {
	p := part{}
	for _, text := range texts {
		p.forms = append(p.forms, form{yields, text})
	}
	d.put(p)
}

func (d *document) put(p part) {
	if p.now = p.forms[0].text(); p.now != "" {
		d.parts = append(d.parts, &p)
	}
}

// say adds a part that never gives way.
func (d *document) say(text markdown) { d.add(yieldsLast, always(text)) }

// option adds a part that is there or not, and what it is called where it is not.
func (d *document) option(yields int, name, text markdown) {
	d.put(part{name: name, forms: []form{{yields, always(text)}, {yields, always("")}}})
}

func always(text markdown) func() markdown { return func() markdown { return text } }

// fit gives the document with as much of it as so many bytes hold: it is shortened until
// it fits, and then what is worth most becomes longer again, as far as there is room.
func (d *document) fit(most int) string {
	fits := func() bool { return len(d.text()) <= most }
	for yields := range yieldsLast {
		for _, p := range d.parts {
			if last := p.lastAt(yields); last > p.at && !fits() {
				p.choose(p.at+1, last, fits)
			}
		}
	}
	for yields := yieldsLast - 1; yields >= 0; yields-- {
		for _, p := range d.parts {
			if p.at > 0 && p.forms[p.at].yields == yields {
				p.choose(0, p.at, fits)
			}
		}
	}
	return string(d.text())
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

// text is the document as it is now. What is left out is said in one line.
func (d *document) text() markdown {
	var left, gone []markdown
	for _, p := range d.parts {
		if p.now == "" {
			gone = append(gone, p.name)
		} else {
			left = append(left, p.now)
		}
	}
	if len(gone) > 0 {
		left = append(left, "Left out here, for a comment can hold only so much: "+joined(gone, "; ", same)+". "+d.run+"\n")
	}
	if d.footer != "" {
		left = append(left, d.footer)
	}
	return joined(left, "\n", same)
}

// head adds the lines by which the document is found again.
func (d *document) head(kind string, pl plan.Plan) {
	d.say(markdown(Marker(kind, pl.Network)+"\n") + markdown("<!-- fairlead:id:"+marked(pl.ID)+" -->\n"))
}

// whereAllIs says where the whole of a report is to be found.
func whereAllIs(run string) markdown {
	if link := linkTo(run); link != "" {
		return "All of it is in the plan that " + link + " has made."
	}
	return "All of it is in the plan's text and JSON."
}

// linkTo is a link to the page of the run; empty where there is none that can be linked.
func linkTo(run string) markdown {
	plain := func(r rune) bool {
		return r < 0x7f && (plainRune(r) && r != ' ' || strings.ContainsRune("-._~:/?#@!$&'*+,;=%", r))
	}
	if !strings.HasPrefix(run, "https://") && !strings.HasPrefix(run, "http://") || !allOf([]rune(run), plain) || len(run) > mostOfText {
		return ""
	}
	return markdown("[this run](<" + run + ">)")
}

// joined puts what f makes of each element in one line.
func joined[T any](list []T, between markdown, f func(T) markdown) markdown {
	var b strings.Builder
	for i, e := range list {
		if i > 0 {
			b.WriteString(string(between))
		}
		b.WriteString(string(f(e)))
	}
	return markdown(b.String())
}

func same(m markdown) markdown { return m }

// items makes a list, an element each.
func items[T any](list []T, f func(T) markdown) markdown {
	return joined(list, "", func(e T) markdown { return "- " + f(e) + "\n" })
}

// quoted puts a text into a box: a kind of alert on GitHub, a plain quote elsewhere.
func quoted(kind, text markdown) markdown {
	lines := strings.ReplaceAll(strings.TrimSuffix(string(text), "\n"), "\n", "\n> ")
	return markdown(strings.ReplaceAll("> [!"+string(kind)+"]\n> "+lines+"\n", "> \n", ">\n"))
}

// folded hides a text behind its summary, which no renderer looks into for markdown.
func folded(summary, text markdown) markdown {
	if text == "" {
		return ""
	}
	return "<details><summary>" + summary + "</summary>\n\n" + text + "\n</details>\n"
}
