package picture

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"fairlead.dev/fairlead/plan/words"
)

// layout places a picture. Sites that links lead to are the core: one in the middle, two
// above each other, more on a ring, with the one in the middle that most others have a
// link with. All others stand in columns beside it, in a box for
// each cluster, with what each of their links leads to and costs written next to them, so
// that nobody has to follow a line among hundreds. Lengths are pixels, whole numbers, so
// that the same picture gives the same text everywhere.
type layout struct {
	spots map[string]*spot
	core  []*spot
	boxes []box
	bands []band
	lines []line
	// tall is the height of the longer column, before there is one; twoSided says that there
	// will be one on each side.
	tall     int
	twoSided bool
	// left, top, right and bottom enclose everything.
	left, top, right, bottom int
}

// spot is where a node is; x and y are its middle. A turned one lies along a ray of the
// ring, at an angle in degrees.
type spot struct {
	Node
	x, y, w, h int
	turned     bool
	angle      float64
	// side is that of a node in a column: -1 left of the core, 1 right of it.
	side int
}

// box is a cluster's in a column.
type box struct {
	Group
	x, y, w, h int
}

// band is a cluster's outside of a ring: an arc between two places, and its title.
type band struct {
	Group
	x1, y1, x2, y2, radius int
	wide                   bool // more than half of the ring
	textX, textY           int
	anchor                 string
}

// line is where an edge begins and ends, and where its text stands.
type line struct {
	Edge
	x1, y1, x2, y2 int
	text           string
	textX, textY   int
	// anchor is that of the text: start, middle or end.
	anchor string
	// curved lines come from a column; bent ones stay inside of a ring, and bend towards
	// bendX and bendY.
	curved, bent bool
	bendX, bendY int
}

const (
	letter      = 7  // about the width of a letter
	smallLetter = 6  // of a cost
	nodeHeight  = 20 // of a node in a column
	coreHeight  = 36 // of a node of the core: name and cluster
	portHeight  = 13 // between the texts of links
	margin      = 24
	boxTitle    = 22
	oneColumn   = 12 // how many nodes stand on one side alone
	mostUpright = 24 // how many core nodes keep their text upright
	mostOnArc   = 6  // how many core nodes stand on an arc beside one column
	longestName = 26 // of a name; its title has all of it
)

func arrange(p Picture) *layout {
	l := &layout{spots: map[string]*spot{}}
	inner := coreOf(p)
	var outer []Node
	for _, n := range byGroup(p) {
		if !inner[n.Name] {
			outer = append(outer, n)
			continue
		}
		s := &spot{Node: n}
		l.core, l.spots[n.Name] = append(l.core, s), s
	}
	c := &columns{layout: l, ports: portsOf(p, inner, len(l.core) > 1)}
	if l.tall, l.twoSided = c.height(outer), len(outer) > oneColumn; l.twoSided {
		l.tall /= 2
	}
	l.placeCore(p)
	l.enclose()
	c.place(p, outer)
	l.addLines(p, c.ports)
	return l
}

// coreOf gives the sites that links lead to, and those that could have some and have
// several links themselves.
func coreOf(p Picture) map[string]bool {
	entered, leaving := map[string]bool{}, map[string]int{}
	for _, e := range p.Edges {
		entered[e.To] = true
		leaving[e.From]++
	}
	out := map[string]bool{}
	for _, n := range p.Nodes {
		out[n.Name] = entered[n.Name] || n.Listens && leaving[n.Name] > 2
	}
	return out
}

// byGroup sorts nodes by cluster and then as people count.
func byGroup(p Picture) []Node {
	nodes := slices.Clone(p.Nodes)
	slices.SortFunc(nodes, func(x, y Node) int {
		return cmp.Or(cmp.Compare(x.Group, y.Group), natural(x.Name, y.Name))
	})
	return nodes
}

func textWidth(s string) int { return letter * utf8.RuneCountInString(s) }

// textWidth is how wide the texts of a node are, its sign included.
func (n Node) textWidth() int {
	first, second := n.lines()
	wide := textWidth(first)
	if n.Change != Same {
		wide += textWidth(changeSigns[n.Change])
	}
	if len(n.Members) > 0 {
		wide = max(wide, smallLetter*utf8.RuneCountInString(second))
	}
	return wide
}

func (l *layout) placeCore(p Picture) {
	widest := 0
	for _, s := range l.core {
		widest = max(widest, s.textWidth(), textWidth(words.Clip(s.Group, longestName)))
	}
	for _, s := range l.core {
		s.w, s.h = widest+24, coreHeight
	}
	switch n := len(l.core); {
	case n > mostUpright:
		l.turnedRing()
	case n > 2 && n <= mostOnArc && l.tall > 0 && !l.twoSided:
		l.arc(p)
	case n > 2:
		l.uprightRing(p)
	case n == 2:
		l.core[0].y = -max(60, l.tall/8)
		l.core[1].y = -l.core[0].y
	}
}

// uprightRing makes the ring as large as it takes to see the links between neighbours,
// and as high as the columns beside it ask for.
func (l *layout) uprightRing(p Picture) {
	ring := l.core
	if middle := l.middle(p); middle >= 0 {
		ring = slices.Delete(slices.Clone(ring), middle, middle+1)
	}
	radius := 90
	start := 0.5
	if l.tall > 0 { // no two at the same height, so that lines from the sides pass by
		start = 0.25
	}
	for ellipse(ring, radius, radius, start); l.collides(); ellipse(ring, radius, radius, start) {
		radius += 10
	}
	ellipse(ring, radius, max(radius, l.tall/5), start)
}

// arc stands the core on an arc that faces the one column beside it, those that most lead
// to in its middle: a line from the column meets no other site on its way, and lines
// between those of the arc run behind it. A site in the middle of all stands behind.
func (l *layout) arc(p Picture) {
	entering := map[string]int{}
	for _, e := range p.Edges {
		if l.spots[e.From] == nil {
			entering[e.To]++
		}
	}
	list, behind := slices.Clone(l.core), l.middle(p)
	if behind >= 0 && entering[l.core[behind].Name] == 0 {
		list = slices.Delete(list, behind, behind+1)
	} else {
		behind = -1
	}
	slices.SortStableFunc(list, func(x, y *spot) int { return cmp.Compare(entering[x.Name], entering[y.Name]) })
	step := max(coreHeight+34, l.tall/len(list))
	height := step * (len(list) - 1)
	depth := (list[0].w/2 + 14) * height * height / (4 * step * step) // the line between the neighbours of a site passes it
	for i, s := range mostInside(list) {
		at := float64(2*i)/float64(len(list)-1) - 1
		s.x, s.y = round(float64(depth)*at*at), i*step-height/2
	}
	if behind >= 0 {
		l.core[behind].x = depth + l.core[behind].w + 60
		if len(list)%2 == 1 {
			l.core[behind].y = step / 2
		}
	}
}

// mostInside moves the last of a list to its middle, and the first to its ends.
func mostInside[T any](list []T) []T {
	out := make([]T, len(list))
	for i, v := range list {
		if i%2 == 0 {
			out[i/2] = v
		} else {
			out[len(list)-1-i/2] = v
		}
	}
	return out
}

// middle is the place in the core of the site that has links with most of it, -1 when
// several have.
func (l *layout) middle(p Picture) int {
	degrees := map[string]int{}
	for _, e := range p.Edges {
		from, to := l.spots[e.From], l.spots[e.To]
		if from != nil && to != nil {
			degrees[e.From]++
			degrees[e.To]++
		}
	}
	found, most, second := -1, 0, 0
	for i, s := range l.core {
		switch d := degrees[s.Name]; {
		case d > most:
			found, most, second = i, d, most
		case d > second:
			second = d
		}
	}
	if 2*most < len(l.core)-1 || 2*second > most {
		return -1
	}
	return found
}

// ellipse places spots clockwise around the origin; the first one is start places from
// the top.
func ellipse(ring []*spot, radiusX, radiusY int, start float64) {
	for i, s := range ring {
		turn := turnOf(float64(i)+start, len(ring))
		s.x, s.y = round(float64(radiusX)*math.Cos(turn)), round(float64(radiusY)*math.Sin(turn))
	}
}

// turnOf is the angle of the place i of n.
func turnOf(i float64, n int) float64 { return 2*math.Pi*i/float64(n) - math.Pi/2 }

// turnedRing lays the core along the rays of a ring, with a band around for each cluster.
func (l *layout) turnedRing() {
	n := len(l.core)
	half := l.core[0].w / 2
	radius := max(160, round(float64(n*(nodeHeight+4))/(2*math.Pi))) + half
	ellipse(l.core, radius, radius, 0.5)
	for i, s := range l.core {
		s.turned, s.h = true, nodeHeight
		s.angle = turnOf(float64(i)+0.5, n) * 180 / math.Pi
		if s.x < 0 { // never upside down
			s.angle += 180
		}
	}
	for first := 0; first < n; {
		next := first + 1
		for next < n && l.core[next].Group == l.core[first].Group {
			next++
		}
		l.band(first, next, radius+half+8)
		first = next
	}
}

// band goes around the places from first to next of the core.
func (l *layout) band(first, next, radius int) {
	n := len(l.core)
	at := func(i float64, radius int) (int, int) {
		turn := turnOf(i, n)
		return round(float64(radius) * math.Cos(turn)), round(float64(radius) * math.Sin(turn))
	}
	b := band{Group: Group{Name: l.core[first].Group}, radius: radius, wide: 2*(next-first) > n, anchor: "start"}
	b.x1, b.y1 = at(float64(first)+0.2, radius)
	b.x2, b.y2 = at(float64(next)-0.2, radius)
	b.textX, b.textY = at(float64(first+next)/2, radius+12)
	if b.textX < 0 {
		b.anchor = "end"
	}
	l.bands = append(l.bands, b)
}

func round(v float64) int { return int(math.Round(v)) }

func (l *layout) collides() bool {
	for i, a := range l.core {
		for _, b := range l.core[i+1:] {
			if abs(a.x-b.x) < a.w+44 && abs(a.y-b.y) < a.h+28 {
				return true
			}
		}
	}
	return false
}

func abs(n int) int { return max(n, -n) }

// enclose widens the bounds to all spots and boxes.
func (l *layout) enclose() {
	for _, s := range l.spots {
		w, h := s.w/2, s.h/2
		if s.turned {
			h = w
		}
		l.left, l.right = min(l.left, s.x-w), max(l.right, s.x+w)
		l.top, l.bottom = min(l.top, s.y-h), max(l.bottom, s.y+h)
	}
	for _, b := range l.bands {
		reach := b.radius + 24 + textWidth(words.Clip(b.Name, longestName))
		l.left, l.right = min(l.left, -reach), max(l.right, reach)
		l.top, l.bottom = min(l.top, -b.radius-24), max(l.bottom, b.radius+24)
	}
	for _, b := range l.boxes {
		l.left, l.right = min(l.left, b.x), max(l.right, b.x+b.w)
		l.top, l.bottom = min(l.top, b.y), max(l.bottom, b.y+b.h)
	}
}

// addLines finds the ends of the lines and the places of their texts.
func (l *layout) addLines(p Picture, ports map[string][]port) {
	reach := map[int]int{} // of the texts on each side
	between := 0
	for _, e := range p.Edges {
		if l.spots[e.From].side == 0 {
			between++
		}
	}
	for _, n := range p.Nodes {
		for _, port := range ports[n.Name] {
			side := l.spots[n.Name].side
			reach[side] = max(reach[side], port.wide)
		}
	}
	next := map[string]int{}
	for _, e := range p.Edges {
		from, to := l.spots[e.From], l.spots[e.To]
		w := line{Edge: e, x1: from.x, y1: from.y, x2: to.x, y2: to.y, anchor: "middle"}
		switch {
		case from.side != 0:
			w.leave(from, reach[from.side], next[e.From], ports[e.From])
			next[e.From]++
		case from.turned:
			w.bend(from, to, between)
		default:
			w.label(from, to, between)
		}
		l.lines = append(l.lines, w)
	}
}

// leaving counts the lines that begin beside a node of a column, where their costs stand.
func (l *layout) leaving() (n int) {
	for _, w := range l.lines {
		if w.curved {
			n++
		}
	}
	return n
}

// leave starts a line beside a node of a column, behind the texts there.
func (w *line) leave(from *spot, reach, i int, ports []port) {
	w.curved, w.text, w.anchor = true, ports[i].text, "start"
	if from.side > 0 {
		w.anchor = "end"
	}
	w.textX = from.x - from.side*(from.w/2+16)
	w.textY = from.y + portHeight*(2*i-len(ports)+1)/2
	w.x1, w.y1 = w.textX-from.side*(reach+4), w.textY
}

// bend leads a line from the inner end of one node of a ring to that of another, by way
// of the middle the more the farther they are apart.
func (w *line) bend(from, to *spot, many int) {
	inwards := func(s *spot, by int) (int, int) {
		share := 1 - float64(by)/math.Hypot(float64(s.x), float64(s.y))
		return round(share * float64(s.x)), round(share * float64(s.y))
	}
	w.x1, w.y1 = inwards(from, from.w/2)
	w.x2, w.y2 = inwards(to, to.w/2)
	w.bent, w.bendX, w.bendY = true, (w.x1+w.x2)*3/10, (w.y1+w.y2)*3/10
	const at = 0.12
	w.textX = round((1-at)*(1-at)*float64(w.x1) + 2*at*(1-at)*float64(w.bendX) + at*at*float64(w.x2))
	w.textY = round((1-at)*(1-at)*float64(w.y1) + 2*at*(1-at)*float64(w.bendY) + at*at*float64(w.y2))
	w.write(many)
}

// label puts the cost on the part of a line that the nodes at its ends do not cover: in
// its middle, or where there are many lines closer to where it begins.
func (w *line) label(from, to *spot, many int) {
	at := 0.5
	if many > 12 {
		at = 0.35
	}
	dx, dy := float64(to.x-from.x), float64(to.y-from.y)
	covered := min(float64(from.w)/2/max(1, math.Abs(dx)), float64(from.h)/2/max(1, math.Abs(dy)), 0.5)
	at = covered + at*(1-2*covered)
	w.textX, w.textY = from.x+round(at*dx), from.y+round(at*dy)
	w.write(many)
}

// write leaves out the cost 1 where there are very many lines.
func (w *line) write(many int) {
	if w.text = w.Label(); many > 150 && w.text == "1" {
		w.text = ""
	}
}
