package report

import (
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// liveParts names the parts of a picture for the script of a page: s0, s1, … for the sites
// and l0, l1, … for the links of a network, so that no name of the network is ever part of
// a selector. All methods give nothing for a nil one.
type liveParts struct {
	sites, links map[string]string
	// leaving are the edges of each site, members the sites that the picture at hand draws
	// as one, by the name of the one.
	leaving map[string][]Edge
	members map[string][]string
	// homes are the names of the sites, by where they are.
	homes map[home]string
}

// home is where a site is.
type home struct {
	cluster   network.ClusterName
	namespace string
}

func homeOf(a plan.Action) home { return home{a.Cluster, a.Namespace} }

// homesOf are the names of the sites of networks, by where they are.
func homesOf(networks ...network.Network) map[home]string {
	out := map[home]string{}
	for _, n := range networks {
		for _, s := range n.Sites {
			out[home{s.Cluster, s.Namespace}] = string(s.Name)
		}
	}
	return out
}

// newLiveParts takes the picture in which every site is drawn by itself.
func newLiveParts(whole Picture, homes map[home]string) *liveParts {
	v := &liveParts{sites: map[string]string{}, links: map[string]string{}, leaving: map[string][]Edge{}, homes: homes}
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

// in gives the parts as the picture draws them.
func (v liveParts) in(p Picture) *liveParts {
	v.members = map[string][]string{}
	for _, n := range p.Nodes {
		v.members[n.Name] = n.Members
	}
	return &v
}

// ofNode are the attributes of a site's element.
func (v *liveParts) ofNode(n Node) string {
	if v == nil {
		return ""
	}
	names := n.Members
	if len(names) == 0 {
		names = []string{n.Name}
	}
	ids := make([]string, 0, len(names))
	for _, name := range names {
		ids = append(ids, v.sites[name])
	}
	return fmt.Sprintf(` class="site%s" data-is="%s" tabindex="0" role="button" aria-label="%s"`, class(n.Change), strings.Join(ids, " "), xmlText((&spot{Node: n}).title()))
}

// ofEdge are the attributes of the elements of a link.
func (v *liveParts) ofEdge(e Edge) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf(` data-is="%s"`, strings.Join(v.linksOf(e), " "))
}

// linksOf are the links that a line stands for: those of all alike sites.
func (v *liveParts) linksOf(e Edge) (out []string) {
	members := v.members[e.From]
	if len(members) == 0 {
		return []string{v.links[e.Name]}
	}
	for _, m := range members {
		for _, o := range v.leaving[m] {
			if o.To == e.To && o.Was == e.Was && o.Change == e.Change && (o.Cost == e.Cost || e.Most > 0) {
				out = append(out, v.links[o.Name])
			}
		}
	}
	return out
}

// line puts a wide line below one that is drawn, which is easier to point at.
func (v *liveParts) line(d *drawing, w wire, path string) {
	if v != nil {
		d.printf(`<path class="hit" d="%s"%s><title>%s</title></path>`, path, v.ofEdge(w.Edge), xmlText(w.title()))
	}
}

// ofAction gives the parts that an action is about, and those with their neighbours.
func (v *liveParts) ofAction(a plan.Action) (is, of string) {
	if v == nil {
		return "", ""
	}
	switch {
	case a.Link != nil:
		is = v.links[a.Name]
		of = withSpaces(is, v.sites[string(a.Link.From.Site)], v.sites[string(a.Link.To.Site)])
	case a.Kind == plan.KindSite:
		is = v.sites[a.Name]
		of = is
	case a.Object != nil:
		is = v.sites[string(a.Object.Site)]
		of = is
	case a.Proxy != nil:
		is = v.sites[v.homes[homeOf(a)]]
		of = is
	}
	return is, of
}

// ofEffect gives the parts that a sentence is about.
func (v *liveParts) ofEffect(e plan.Effect) string {
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
func (v *liveParts) ofSubject(id string) string {
	if v == nil {
		return ""
	}
	if name, ok := strings.CutPrefix(id, "link/"); ok {
		return v.links[name]
	}
	return v.sites[strings.TrimPrefix(id, "site/")]
}

// withSpaces joins what is not empty.
func withSpaces(parts ...string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return s == "" }), " ")
}
