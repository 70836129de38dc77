package page

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/picture"
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
	all     *parts
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
	Name    string         `json:"name"`
	Cluster string         `json:"cluster"`
	Kind    string         `json:"kind"`
	Change  picture.Change `json:"change"`
}

type linkData struct {
	Name   string         `json:"name"`
	From   string         `json:"from"`
	To     string         `json:"to"`
	Cost   string         `json:"cost"`
	Change picture.Change `json:"change"`
}

// newCanvas draws the networks of a document; nil where it has none.
func newCanvas(d report.Document) *canvas {
	before, after := d.Before, d.After
	if before == nil {
		before = after
	}
	if after == nil {
		after = before
	}
	if after == nil {
		return nil
	}
	whole := noted(picture.OfChange(*before, *after), d)
	c := &canvas{all: newParts(whole), Changes: len(whole.Changing().Nodes) > 0}
	c.data = c.all.data(whole)
	if some := whole.Coarse(picture.ReadableNodes); len(some.Nodes) < len(whole.Nodes) {
		c.Views = append(c.Views, c.view("some", "Alike sites as one", some))
	}
	c.Views = append(c.Views, c.view("all", "Every site", whole))
	word := "changed in another way"
	if d.Drift {
		word = "drift or trouble"
	}
	c.Legend = template.HTML(picture.InlineLegend(whole, word)) //nolint:gosec // constant words
	return c
}

// parts are nil where there is no picture.
func (c *canvas) parts() *parts {
	if c == nil {
		return nil
	}
	return c.all
}

func (c *canvas) view(key, title string, p picture.Picture) view {
	return view{key, title, template.HTML(picture.Inline(p, c.all.in(p)))} //nolint:gosec // every text in it is escaped
}

// noted marks what the shape of the network does not show: sites and links with another
// action, or of which something is known that is not well.
func noted(p picture.Picture, d report.Document) picture.Picture {
	about := map[string]bool{}
	for _, a := range d.Actions {
		if a.IsLink {
			about["link/"+a.Name] = true
		} else {
			about["site/"+a.Site] = true
		}
	}
	for _, f := range d.Live {
		about[f.Subject] = true
	}
	for i, n := range p.Nodes {
		if n.Change == picture.Same && about["site/"+n.Name] {
			p.Nodes[i].Change = picture.Noted
		}
	}
	for i, e := range p.Edges {
		if e.Change == picture.Same && about["link/"+e.Name] {
			p.Edges[i].Change = picture.Noted
		}
	}
	return p
}

// parts names the parts of a picture for the script of a page: s0, s1, … for the sites
// and l0, l1, … for the links of a network, so that no name of the network is ever part of
// a selector. All methods give nothing for a nil one.
type parts struct {
	sites, links map[string]string
	// leaving are the edges of each site, members the sites that the picture at hand draws
	// as one, by the name of the one.
	leaving map[string][]picture.Edge
	members map[string][]string
}

// newParts takes the picture in which every site is drawn by itself.
func newParts(whole picture.Picture) *parts {
	v := &parts{sites: map[string]string{}, links: map[string]string{}, leaving: map[string][]picture.Edge{}}
	for _, n := range whole.Nodes {
		v.sites[n.Name] = fmt.Sprintf("s%d", len(v.sites))
	}
	for _, e := range whole.Edges {
		if _, known := v.links[e.Name]; !known {
			v.links[e.Name] = fmt.Sprintf("l%d", len(v.links))
		}
		v.leaving[e.From] = append(v.leaving[e.From], e)
	}
	return v
}

// data is in the order of the numbers of the parts.
func (v *parts) data(p picture.Picture) pageData {
	out := pageData{Sites: []siteData{}, Links: []linkData{}}
	for _, n := range p.Nodes {
		out.Sites = append(out.Sites, siteData{n.Name, n.Group, n.Kind(), n.Change})
	}
	seen := map[string]bool{}
	for _, e := range p.Edges {
		if !seen[e.Name] {
			seen[e.Name] = true
			out.Links = append(out.Links, linkData{e.Name, v.sites[e.From], v.sites[e.To], e.Label(), e.Change})
		}
	}
	return out
}

// in gives the parts as the picture draws them.
func (v parts) in(p picture.Picture) *parts {
	v.members = map[string][]string{}
	for _, n := range p.Nodes {
		v.members[n.Name] = n.Members
	}
	return &v
}

// OfNode are the sites that a node stands for.
func (v *parts) OfNode(n picture.Node) string {
	names := n.Members
	if len(names) == 0 {
		names = []string{n.Name}
	}
	ids := make([]string, 0, len(names))
	for _, name := range names {
		ids = append(ids, v.sites[name])
	}
	return strings.Join(ids, " ")
}

// OfEdge are the links that an edge stands for: those of all alike sites.
func (v *parts) OfEdge(e picture.Edge) string {
	members := v.members[e.From]
	if len(members) == 0 {
		return v.links[e.Name]
	}
	var out []string
	for _, m := range members {
		for _, o := range v.leaving[m] {
			if o.To == e.To && o.Was == e.Was && o.Change == e.Change && (o.Cost == e.Cost || e.Most > 0) {
				out = append(out, v.links[o.Name])
			}
		}
	}
	return strings.Join(out, " ")
}

// ofAction gives the parts that an action is about, and those with their neighbours.
func (v *parts) ofAction(a report.Action) (is, of string) {
	if v == nil {
		return "", ""
	}
	if a.IsLink {
		is = v.links[a.Name]
		return is, withSpaces(is, v.sites[a.From], v.sites[a.To])
	}
	return v.sites[a.Site], v.sites[a.Site]
}

// ofEffect gives the parts that a sentence is about.
func (v *parts) ofEffect(e report.Effect) string {
	if v == nil {
		return ""
	}
	var out []string
	for _, s := range e.Sites {
		out = append(out, v.sites[string(s)])
	}
	for _, l := range e.Links {
		out = append(out, v.links[string(l)])
	}
	return withSpaces(out...)
}

// ofSubject gives the part that a fact is about: "site/hub" or "link/shop1-hub".
func (v *parts) ofSubject(id string) string {
	if v == nil {
		return ""
	}
	if name, ok := strings.CutPrefix(id, "link/"); ok {
		return v.links[name]
	}
	return v.sites[strings.TrimPrefix(id, "site/")]
}

// withSpaces joins what is not empty.
func withSpaces(list ...string) string {
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), " ")
}
