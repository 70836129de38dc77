package picture

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"fairlead.dev/fairlead/plan/words"
)

// port is the text beside a node where a link leaves it, and how wide it is.
type port struct {
	text string
	wide int
}

// portsOf gives for each node outside the core the texts of its links, in the order of
// the edges.
func portsOf(p Picture, inner map[string]bool, named bool) map[string][]port {
	out := map[string][]port{}
	for _, e := range p.Edges {
		if inner[e.From] {
			continue
		}
		text := e.Label()
		if named {
			text = words.Clip(e.To, longestName) + ": " + text
		}
		wide := smallLetter * utf8.RuneCountInString(text)
		if e.Change != Same { // bold, with a sign
			wide += wide/10 + 2*smallLetter
		}
		out[e.From] = append(out[e.From], port{text, wide})
	}
	return out
}

// columns places the nodes outside the core.
type columns struct {
	*layout
	ports map[string][]port
}

// place gives each side about half of the height, whole clusters where that is possible.
func (c *columns) place(p Picture, nodes []Node) {
	groups := c.inOrder(p, nodes)
	sides := [2][]cluster{groups, nil}
	if len(nodes) > oneColumn {
		sides = c.halves(groups)
	}
	left, right := c.left, c.right
	fan := 140 + min(90, c.tall/10)
	for i, side := range sides {
		edge, sign := left-fan, -1
		if i == 1 {
			edge, sign = right+fan, 1
		}
		c.column(side, edge, sign)
	}
	c.enclose()
}

// cluster is a group with nodes outside the core; from is the mean place of what their
// links lead to.
type cluster struct {
	Group
	nodes []Node
	x, y  float64
}

func (c *columns) rowHeight(n Node) int {
	gap := 6
	if len(n.Members) > 0 {
		gap = 12
	}
	return max(heightOf(n)+gap, portHeight*len(c.ports[n.Name])+6)
}

// heightOf is the height of a node in a column: several sites take two lines, and seem to
// lie on each other.
func heightOf(n Node) int {
	if len(n.Members) > 0 {
		return coreHeight
	}
	return nodeHeight
}

func (c *columns) height(nodes []Node) int {
	h := 0
	for _, n := range nodes {
		h += c.rowHeight(n)
	}
	return h
}

// inOrder gathers the clusters and sorts them, and their nodes, by where their links lead,
// then by name.
func (c *columns) inOrder(p Picture, nodes []Node) []cluster {
	aims := map[string][2]float64{}
	counts := map[string]float64{}
	for _, e := range p.Edges {
		to := c.spots[e.To]
		a := aims[e.From]
		aims[e.From] = [2]float64{a[0] + float64(to.x), a[1] + float64(to.y)}
		counts[e.From]++
	}
	var out []cluster
	for _, g := range p.Groups {
		in := cluster{Group: g}
		for _, n := range nodes {
			if n.Group != g.Name {
				continue
			}
			in.nodes = append(in.nodes, n)
			in.x += aims[n.Name][0] / max(1, counts[n.Name])
			in.y += aims[n.Name][1] / max(1, counts[n.Name])
		}
		if len(in.nodes) == 0 {
			continue
		}
		in.x, in.y = in.x/float64(len(in.nodes)), in.y/float64(len(in.nodes))
		slices.SortStableFunc(in.nodes, func(x, y Node) int {
			return cmp.Compare(math.Round(aims[x.Name][1]/max(1, counts[x.Name])),
				math.Round(aims[y.Name][1]/max(1, counts[y.Name])))
		})
		out = append(out, in)
	}
	slices.SortStableFunc(out, func(x, y cluster) int { return cmp.Compare(math.Round(x.x), math.Round(y.x)) })
	return out
}

// halves puts clusters on the left until half of the height is reached, and the rest on
// the right; the one on the border is divided where it is large.
func (c *columns) halves(groups []cluster) [2][]cluster {
	total := 0
	for _, g := range groups {
		total += c.height(g.nodes)
	}
	var out [2][]cluster
	used := 0
	for _, g := range groups {
		h := c.height(g.nodes)
		switch {
		case 2*used >= total:
			out[1] = append(out[1], g)
		case 2*(used+h) <= total+h/2 || len(g.nodes) <= oneColumn:
			out[0] = append(out[0], g)
		default:
			first, second := g, g
			fit := 0
			for at := used; fit < len(g.nodes)-1 && 2*at < total; fit++ {
				at += c.rowHeight(g.nodes[fit])
			}
			first.nodes, second.nodes = g.nodes[:fit], g.nodes[fit:]
			out[0], out[1] = append(out[0], first), append(out[1], second)
		}
		used += h
	}
	return out
}

// column stacks the boxes of one side, the one that aims highest first. Edge is the x
// where the lines begin.
func (c *columns) column(groups []cluster, edge, side int) {
	slices.SortStableFunc(groups, func(x, y cluster) int { return cmp.Compare(math.Round(x.y), math.Round(y.y)) })
	width, ports, height := 60, 0, 0
	for _, g := range groups {
		width = max(width, textWidth(words.Clip(g.Name, longestName)))
		height += c.height(g.nodes) + boxTitle + 20
		for _, n := range g.nodes {
			width = max(width, n.textWidth()+20)
			for _, port := range c.ports[n.Name] {
				ports = max(ports, port.wide)
			}
		}
	}
	y := -height / 2
	for _, g := range groups {
		b := box{Group: g.Group, y: y, w: width + 24, h: c.height(g.nodes) + boxTitle + 8}
		b.x = edge + side*(ports+10)
		if side < 0 {
			b.x -= b.w
		}
		c.boxes = append(c.boxes, b)
		y += boxTitle
		for _, n := range g.nodes {
			h := c.rowHeight(n)
			c.spots[n.Name] = &spot{Node: n, x: b.x + b.w/2, y: y + h/2, w: width, h: heightOf(n), side: side}
			y += h
		}
		y += 20
	}
}
