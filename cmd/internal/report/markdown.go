package report

import (
	"errors"
	"io"
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
// It is at most MarkdownMost bytes long. What does not fit gives way in this order, and a
// line stands for each: collapsed details, pictures, rows of the tables, effects that take
// nothing away. Deletions, lost paths and refusals stay, at the end as bare names; only
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
	// run says where all of it is to be found.
	run markdown
}

// part is one part of a document in forms that become shorter, the first one all of it.
type part struct {
	forms []func() markdown
	text  markdown
	// yields is when it gives way: those with the lowest number first, 0 never.
	yields int
}

// When parts give way.
const (
	yieldsNever = iota
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

// add puts a part at the end; nothing is added where its first form is empty.
func (d *document) add(yields int, forms ...func() markdown) {
	if text := forms[0](); text != "" {
		d.parts = append(d.parts, &part{forms: forms[1:], text: text, yields: yields})
	}
}

// say adds a part that never gives way.
func (d *document) say(text markdown) { d.add(yieldsNever, func() markdown { return text }) }

// fit gives the document with as much of it as so many bytes hold.
func (d *document) fit(most int) string {
	for yields := range yieldsLast {
		for _, p := range d.parts {
			for p.yields == yields && yields > 0 && len(p.forms) > 0 && d.size() > most {
				p.text, p.forms = p.forms[0](), p.forms[1:]
			}
		}
	}
	var b strings.Builder
	for i, p := range d.parts {
		if i > 0 && p.text != "" {
			b.WriteByte('\n')
		}
		b.WriteString(string(p.text))
	}
	return b.String()
}

func (d *document) size() int {
	n := 0
	for _, p := range d.parts {
		n += len(p.text) + 1
	}
	return n
}

// dropped is the line that stands for what gave way.
func (d *document) dropped(what markdown) func() markdown {
	return func() markdown {
		return "_Left out here, for a comment can hold only so much: " + what + ". " + d.run + "_\n"
	}
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

// spoken lists parts as people do: "a, b and c".
func spoken(parts []markdown) markdown {
	last := len(parts) - 1
	if last < 1 {
		return joined(parts, "", same)
	}
	return joined(parts[:last], ", ", same) + " and " + parts[last]
}

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
