package finding

import (
	"path"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// index finds what is described or planned by its name, such as "site/hub".
type index struct {
	stand  report.Stand
	things map[string]thing
	// home is the line of the network's name: where that stands which no line declares
	// any more, such as what is deleted.
	home diag.Position
}

// thing is where something is declared, and in which cluster it is: a link is at its connecting
// site.
type thing struct {
	at      diag.Position
	cluster network.ClusterName
}

func indexOf(r report.Report) index {
	x := index{stand: r.Stand, things: map[string]thing{}}
	if n := r.Described; n != nil {
		x.describe(*n)
	}
	p := r.Planned()
	if p == nil {
		return x
	}
	for _, c := range p.Clusters {
		x.add("cluster/"+string(c.Name), diag.Position{}, c.Name)
	}
	for _, a := range p.Actions {
		x.add(a.ID, a.DeclaredAt, a.Cluster)
	}
	for _, a := range p.Behind {
		x.add(a.ID, diag.Position{}, a.Cluster)
	}
	for _, l := range p.Live {
		x.add(l.Subject, diag.Position{}, l.Cluster)
	}
	return x
}

func (x *index) describe(n network.Network) {
	x.home = n.DeclaredAt
	for _, c := range n.Clusters {
		x.add("cluster/"+string(c.Name), c.DeclaredAt, c.Name)
	}
	for _, s := range n.Sites {
		x.add("site/"+string(s.Name), s.DeclaredAt, s.Cluster)
	}
	for _, l := range n.Links {
		x.add("link/"+string(l.Name), l.DeclaredAt, x.things["site/"+string(l.From)].cluster)
	}
	for _, p := range n.Proxies {
		x.add("proxy/"+string(p.Name), p.DeclaredAt, "")
	}
}

// add notes the cluster, and the place where that is known.
func (x *index) add(id string, at diag.Position, cluster network.ClusterName) {
	if at.IsZero() {
		at = x.things[id].at
	}
	x.things[id] = thing{at, cluster}
}

// find gives a place from the root of the repository: at, or else that of the first of
// the things (such as "site/hub") that is declared, or else the network's own, or failing
// all the directory of the description.
func (x index) find(at diag.Position, ids ...string) diag.Position {
	candidates := []diag.Position{at}
	for _, t := range ids {
		candidates = append(candidates, x.things[t].at)
	}
	for _, c := range append(candidates, x.home) {
		if file, ok := x.stand.Rooted(c.File); ok {
			c.File = file
			return c
		}
	}
	return diag.Position{File: path.Clean(x.stand.Package)}
}

// known is a place from the root of the repository, or zero when it is not in there.
func (x index) known(at diag.Position) (diag.Position, bool) {
	file, ok := x.stand.Rooted(at.File)
	at.File = file
	return at, ok
}
