package report

import (
	"html/template"
	"strings"

	"fairlead.dev/fairlead/plan"
)

// canvas are the pictures of a page: the whole network, and where that has many sites one
// in which alike ones are drawn as one.
type canvas struct {
	// Views are the pictures, the first one to be seen first.
	Views []view
	// Legend explains them.
	Legend template.HTML
	// Changes says that before and after differ.
	Changes bool
	live    *liveParts
	data    pageData
}

// view is one picture. Key is a short word for it.
type view struct {
	Key, Title string
	SVG        template.HTML
}

// pageData is what the script needs to know about parts of the picture.
type pageData struct {
	Sites []siteData `json:"sites"`
	Links []linkData `json:"links"`
}

type siteData struct {
	Name    string `json:"name"`
	Cluster string `json:"cluster"`
	Kind    string `json:"kind"`
	Change  Change `json:"change"`
}

type linkData struct {
	Name   string `json:"name"`
	From   string `json:"from"`
	To     string `json:"to"`
	Cost   string `json:"cost"`
	Change Change `json:"change"`
}

// newCanvas draws the networks of a report; nil where it has none.
func newCanvas(r Report, p plan.Plan, drift bool) *canvas {
	before, after := r.Before, r.After
	if before == nil {
		before = after
	}
	if after == nil {
		after = before
	}
	if after == nil {
		return nil
	}
	homes := homesOf(*before, *after)
	whole := noted(PictureOfChange(*before, *after), p, homes)
	c := &canvas{live: newLiveParts(whole, homes)}
	c.data = c.live.data(whole)
	for _, e := range whole.Edges {
		c.Changes = c.Changes || e.Change != Same && e.Change != Noted
	}
	for _, n := range whole.Nodes {
		c.Changes = c.Changes || n.Change != Same && n.Change != Noted
	}
	if some := whole.Coarse(ReadableNodes); len(some.Nodes) < len(whole.Nodes) {
		c.Views = append(c.Views, c.view("some", "Alike sites as one", some))
	}
	c.Views = append(c.Views, c.view("all", "Every site", whole))
	c.Legend = legendHTML(whole, drift)
	return c
}

// parts are nil where there is no picture.
func (c *canvas) parts() *liveParts {
	if c == nil {
		return nil
	}
	return c.live
}

func (c *canvas) view(key, title string, p Picture) view {
	l := arrange(p)
	const margin = 8
	width, height := l.right-l.left+2*margin, l.bottom-l.top+2*margin
	d := &drawing{dx: margin - l.left, dy: margin - l.top, live: c.live.in(p)}
	kind := "drawing"
	if len(l.wires)-leaving(l) > mostCosts {
		kind += " dense"
	}
	d.printf(`<svg class="fairlead %s" role="group" aria-label="%s" width="%d" height="%d" viewBox="0 0 %d %d">`+"\n",
		kind, xmlText("Network "+p.Name), width, height, width, height)
	d.all(p, l)
	d.printf("</svg>\n")
	return view{key, title, template.HTML(d.out.String())} //nolint:gosec // every text in it went through xmlText
}

// mostCosts is how many costs between the sites of the core can be read at once; of more,
// the script shows those of what changes and of what is picked.
const mostCosts = 60

// leaving counts the lines that begin beside a node of a column, where their costs stand.
func leaving(l *layout) (n int) {
	for _, w := range l.wires {
		if w.curved {
			n++
		}
	}
	return n
}

// noted marks what the shape of the network does not show: sites and links with another
// action, or of which something is known that is not well.
func noted(p Picture, pl plan.Plan, homes map[home]string) Picture {
	sites, links := map[string]bool{}, map[string]bool{}
	for _, a := range pl.Actions {
		switch {
		case a.Link != nil:
			links[a.Name] = true
		case a.Kind == plan.KindSite:
			sites[a.Name] = true
		case a.Object != nil:
			sites[string(a.Object.Site)] = true
		case a.Proxy != nil:
			sites[homes[homeOf(a)]] = true
		}
	}
	for _, l := range pl.Live {
		switch kind, name, _ := strings.Cut(l.Subject, "/"); kind {
		case "site":
			sites[name] = true
		case "link":
			links[name] = true
		}
	}
	for i, n := range p.Nodes {
		if n.Change == Same && sites[n.Name] {
			p.Nodes[i].Change = Noted
		}
	}
	for i, e := range p.Edges {
		if e.Change == Same && links[e.Name] {
			p.Edges[i].Change = Noted
		}
	}
	return p
}

// data is in the order of the numbers of the parts.
func (v *liveParts) data(p Picture) pageData {
	out := pageData{Sites: []siteData{}, Links: []linkData{}}
	for _, n := range p.Nodes {
		out.Sites = append(out.Sites, siteData{n.Name, n.Group, n.kind(), n.Change})
	}
	seen := map[string]bool{}
	for _, e := range p.Edges {
		if !seen[e.Name] {
			seen[e.Name] = true
			out.Links = append(out.Links, linkData{e.Name, v.sites[e.From], v.sites[e.To], e.CostLabel(), e.Change})
		}
	}
	return out
}

// legendHTML explains shapes and signs in a picture of its own.
func legendHTML(p Picture, drift bool) template.HTML {
	entries := legendOf(p)
	for i, e := range entries {
		switch {
		case e.Change == Noted && drift:
			entries[i].word = "drift or trouble"
		case e.Change == Noted:
			entries[i].word = "changed in another way"
		}
	}
	width := legendWidth(entries)
	d := &drawing{}
	d.printf(`<svg class="fairlead legend" role="img" aria-label="Legend" width="%d" height="24" viewBox="0 0 %d 24">`, width, width)
	d.legend(entries, 2, 16)
	d.printf("</svg>")
	return template.HTML(d.out.String()) //nolint:gosec // constant words
}
