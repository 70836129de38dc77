package picture

import (
	_ "embed" // the style of a picture that stands alone
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan/words"
)

// svgStyle knows classes only, so that a picture can stand in a page with others.
//
//go:embed svg.css
var svgStyle string

// SVG writes a picture as one element that needs nothing else: no script, font or file.
// It follows the light or dark scheme of its viewer; each site and link has a title.
func SVG(w io.Writer, p Picture) error {
	l := arrange(p)
	legend := legendOf(p)
	width := max(l.right-l.left+2*margin, legendWidth(legend)+6*len(legend))
	height := l.bottom - l.top + 2*margin + 40
	d := &drawing{dx: margin - l.left + (width-(l.right-l.left+2*margin))/2, dy: margin - l.top}
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" class="fairlead" role="img" width="%d" height="%d" viewBox="0 0 %d %d">`+"\n", width, height, width, height)
	d.printf("<title>%s</title>\n<style>%s</style>\n", xmlText("Network "+p.Name), svgStyle)
	d.printf(`<rect class="back" width="%d" height="%d"/>`+"\n", width, height)
	d.all(p, l)
	d.legend(legend, margin, height-20)
	d.printf("</svg>\n")
	_, err := io.WriteString(w, d.out.String())
	return err
}

// Marks name what a node or an edge stands for, separated by spaces, so that a page's script
// finds it.
type Marks interface {
	OfNode(n Node) string
	OfEdge(e Edge) string
}

// mostCosts is how many costs between the sites of the core can be read at once; of more,
// a page shows those of what changes and of what is picked.
const mostCosts = 60

// Inline draws a picture for a page, which brings style and script. Every text in it is
// escaped.
func Inline(p Picture, marks Marks) string {
	l := arrange(p)
	const margin = 8
	width, height := l.right-l.left+2*margin, l.bottom-l.top+2*margin
	d := &drawing{dx: margin - l.left, dy: margin - l.top, marks: marks}
	kind := "drawing"
	if len(l.lines)-l.leaving() > mostCosts {
		kind += " dense"
	}
	d.printf(`<svg class="fairlead %s" role="group" aria-label="%s" width="%d" height="%d" viewBox="0 0 %d %d">`+"\n",
		kind, xmlText("Network "+p.Name), width, height, width, height)
	d.all(p, l)
	d.printf("</svg>\n")
	return d.out.String()
}

// InlineLegend explains the shapes and signs of a picture on a page; noted says what it is
// that the shape of the network does not show.
func InlineLegend(p Picture, noted string) string {
	entries := legendOf(p)
	for i, e := range entries {
		if e.Change == Noted {
			entries[i].word = noted
		}
	}
	width := legendWidth(entries)
	d := &drawing{}
	d.printf(`<svg class="fairlead legend" role="img" aria-label="Legend" width="%d" height="24" viewBox="0 0 %d 24">`, width, width)
	d.legend(entries, 2, 16)
	d.printf("</svg>")
	return d.out.String()
}

// drawing gathers elements; dx and dy move everything into view.
type drawing struct {
	out    strings.Builder
	dx, dy int
	// marks are for a page's script; nil for a picture that stands alone.
	marks Marks
}

// all draws what is laid out: lines below sites, costs above, and what changes above the
// rest.
func (d *drawing) all(p Picture, l *layout) {
	slices.SortStableFunc(l.lines, func(x, y line) int { return strings.Compare(string(x.Change), string(y.Change)) })
	for _, b := range l.boxes {
		d.box(b)
	}
	for _, b := range l.bands {
		d.band(b)
	}
	for _, v := range l.lines {
		d.line(v)
	}
	for _, n := range byGroup(p) {
		d.node(l.spots[n.Name])
	}
	for _, v := range l.lines {
		d.text(v)
	}
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.out, format, args...) }

func (d *drawing) box(b box) {
	d.printf(`<rect class="group%s" x="%d" y="%d" width="%d" height="%d" rx="6"/>`+"\n", class(b.Change), b.x+d.dx,
		b.y+d.dy, b.w, b.h)
	d.printf(`<text class="group-title" x="%d" y="%d">%s</text>`+"\n", b.x+d.dx+12, b.y+d.dy+15,
		xmlText(words.Clip(b.Name, longestName)))
}

func (d *drawing) band(b band) {
	wide := 0
	if b.wide {
		wide = 1
	}
	d.printf(`<path class="band" d="M%d %dA%d %d 0 %d 1 %d %d"/>`+"\n", b.x1+d.dx, b.y1+d.dy, b.radius, b.radius,
		wide, b.x2+d.dx, b.y2+d.dy)
	d.printf(`<text class="group-title" x="%d" y="%d" text-anchor="%s">%s</text>`+"\n", b.textX+d.dx, b.textY+d.dy+4,
		b.anchor, xmlText(words.Clip(b.Name, longestName)))
}

func (d *drawing) ofEdge(e Edge) string {
	if d.marks == nil {
		return ""
	}
	return fmt.Sprintf(` data-is="%s"`, d.marks.OfEdge(e))
}

func class(c Change) string {
	if c == Same {
		return ""
	}
	return " " + string(c)
}

func (d *drawing) line(w line) {
	x1, y1, x2, y2 := w.x1+d.dx, w.y1+d.dy, w.x2+d.dx, w.y2+d.dy
	path := fmt.Sprintf("M%d %dL%d %d", x1, y1, x2, y2)
	switch {
	case w.curved:
		middle := (x1 + x2) / 2
		path = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, middle, y1, middle, y2, x2, y2)
	case w.bent:
		path = fmt.Sprintf("M%d %dQ%d %d %d %d", x1, y1, w.bendX+d.dx, w.bendY+d.dy, x2, y2)
	}
	if d.marks != nil { // a wide line below is easier to point at
		d.printf(`<path class="hit" d="%s"%s><title>%s</title></path>`, path, d.ofEdge(w.Edge), xmlText(w.title()))
	}
	d.printf(`<path class="link%s" d="%s"%s><title>%s</title></path>`+"\n", class(w.Change), path, d.ofEdge(w.Edge),
		xmlText(w.title()))
}

// title says in words what a line is.
func (w line) title() string {
	title := fmt.Sprintf("%s: %s to %s, cost %s", w.Name, w.From, w.To, w.Label())
	if w.Change != Same {
		title += ", " + string(w.Change)
	}
	return title
}

func (d *drawing) text(w line) {
	if w.text == "" {
		return
	}
	kind := "cost"
	if w.curved {
		kind = "port"
	}
	d.printf(`<text class="%s%s" x="%d" y="%d" text-anchor="%s"%s>%s</text>`+"\n",
		kind, class(w.Change), w.textX+d.dx, w.textY+d.dy+4, w.anchor, d.ofEdge(w.Edge), d.costs(w))
}

// costs is the text of a line with its sign; in a page the costs before and after are
// parts of their own.
func (d *drawing) costs(w line) string {
	text := w.text
	if d.marks != nil && w.Change == Changed {
		if head, ok := strings.CutSuffix(text, w.Label()); ok {
			return fmt.Sprintf(`%s%s<tspan class="was">%d</tspan><tspan class="sign"> → </tspan><tspan class="is">%d</tspan>`, signSpan(w.Change), xmlText(head), w.Was, w.Cost)
		}
	}
	return signSpan(w.Change) + xmlText(text)
}

// changeSigns say without colour what changes.
var changeSigns = map[Change]string{Added: "+ ", Removed: "− ", Changed: "~ ", Noted: "• "}

func signSpan(c Change) string {
	if c == Same {
		return ""
	}
	return `<tspan class="sign">` + changeSigns[c] + `</tspan>`
}

func (d *drawing) node(s *spot) {
	x, y := s.x+d.dx, s.y+d.dy
	turn := ""
	if s.turned {
		turn = fmt.Sprintf(` transform="rotate(%.1f %d %d)"`, s.angle, x, y)
	}
	marks := ""
	if d.marks != nil {
		marks = fmt.Sprintf(` class="site%s" data-is="%s" tabindex="0" role="button" aria-label="%s"`,
			class(s.Change), d.marks.OfNode(s.Node), xmlText(s.title()))
	}
	d.printf(`<g%s%s><title>%s</title>`, marks, turn, xmlText(s.title()))
	d.shape(s.Node, x-s.w/2, y-s.h/2, s.w, s.h)
	first, second := s.lines()
	if s.h == coreHeight {
		d.printf(`<text x="%d" y="%d" text-anchor="middle">%s%s</text>`, x, y-2, signSpan(s.Change), xmlText(first))
		d.printf(`<text class="dim" x="%d" y="%d" text-anchor="middle">%s</text>`, x, y+11, xmlText(second))
	} else {
		d.printf(`<text x="%d" y="%d" text-anchor="middle">%s%s</text>`, x, y+4, signSpan(s.Change), xmlText(first))
	}
	d.printf("</g>\n")
}

// lines are the two texts of a node: its name, and its cluster or which sites it is.
func (n Node) lines() (first, second string) {
	if len(n.Members) == 0 {
		return words.Clip(n.Name, longestName), words.Clip(n.Group, longestName)
	}
	ordered := slices.SortedFunc(slices.Values(n.Members), natural)
	return fmt.Sprintf("%d sites", len(ordered)), words.Clip(ordered[0], longestName/2) + " … " +
		words.Clip(ordered[len(ordered)-1], longestName/2)
}

// shape tells kinds of sites apart: thick for one that accepts links, dashed and round
// for an edge site.
func (d *drawing) shape(n Node, x, y, w, h int) {
	kind, corner := "", 4
	switch {
	case n.Listens:
		kind = " listens"
	case n.Edge:
		kind, corner = " edge-site", h/2
	}
	if len(n.Members) > 0 {
		d.printf(`<rect class="node stack" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`, x+4, y+4, w, h, corner)
	}
	d.printf(`<rect class="node%s%s" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`, kind, class(n.Change), x, y, w,
		h, corner)
}

// entry explains a kind of site, or a change.
type entry struct {
	Node
	word string
}

// legendOf explains the kinds of sites, and the changes that there are.
func legendOf(p Picture) []entry {
	out := []entry{{Node{Listens: true}, "accepts links"}, {Node{}, "connects only"}, {Node{Edge: true}, "edge site"}}
	seen := map[Change]bool{}
	for _, n := range p.Nodes {
		seen[n.Change] = true
	}
	for _, e := range p.Edges {
		seen[e.Change] = true
	}
	for _, c := range []Change{Added, Changed, Removed, Noted} {
		if seen[c] {
			out = append(out, entry{Node{Change: c}, string(c)})
		}
	}
	return out
}

// legendWidth is how wide a legend is.
func legendWidth(entries []entry) int {
	width := 0
	for _, e := range entries {
		width += 54 + textWidth(e.word)
	}
	return width
}

func (d *drawing) legend(entries []entry, x, y int) {
	for _, e := range entries {
		d.shape(e.Node, x, y-9, 24, 12)
		if e.Change != Same {
			d.printf(`<text class="sign%s" x="%d" y="%d" text-anchor="middle">%s</text>`, class(e.Change), x+12, y+1,
				strings.TrimSpace(changeSigns[e.Change]))
		}
		d.printf(`<text class="dim" x="%d" y="%d">%s</text>`+"\n", x+30, y+1, e.word)
		x += 54 + textWidth(e.word)
	}
}

// xmlText escapes a text for an element or an attribute.
func xmlText(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(words.Visible(s))); err != nil {
		return "" // a Builder takes everything
	}
	return b.String()
}

// title says in words what a spot is.
func (s *spot) title() string {
	text := fmt.Sprintf("%s: cluster %s, %s", s.Label(), s.Group, s.Kind())
	if s.Change != Same {
		text += ", " + string(s.Change)
	}
	return text
}

// Kind says in words what links a site has.
func (n Node) Kind() string {
	switch {
	case n.Listens:
		return "accepts links"
	case n.Edge:
		return "edge site"
	}
	return "connects only"
}
