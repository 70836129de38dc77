package report

import (
	"math"
)

// wireUp finds the ends of the lines and the places of their texts.
func (l *layout) wireUp(p Picture, ports map[string][]port) {
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
		w := wire{Edge: e, x1: from.x, y1: from.y, x2: to.x, y2: to.y, anchor: "middle"}
		switch {
		case from.side != 0:
			w.leave(from, reach[from.side], next[e.From], ports[e.From])
			next[e.From]++
		case from.turned:
			w.bend(from, to, between)
		default:
			w.label(from, to, between)
		}
		l.wires = append(l.wires, w)
	}
}

// leave starts a line beside a node of a column, behind the texts there.
func (w *wire) leave(from *spot, reach, i int, ports []port) {
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
func (w *wire) bend(from, to *spot, many int) {
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
func (w *wire) label(from, to *spot, many int) {
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
func (w *wire) write(many int) {
	if w.text = w.CostLabel(); many > 150 && w.text == "1" {
		w.text = ""
	}
}
