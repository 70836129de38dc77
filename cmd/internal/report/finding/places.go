package finding

import (
	"cmp"
	"path"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// places finds where in the repository something is declared.
type places struct {
	stand    report.Stand
	declared map[string]diag.Position
	// home is the line of the network's name: where that stands which no line declares
	// any more, such as what is deleted.
	home diag.Position
}

func placesOf(r report.Report) places {
	p := places{stand: r.Stand, declared: map[string]diag.Position{}}
	if n := r.Described; n != nil {
		p.add(*n)
	}
	if pl := cmp.Or(r.Plan, r.Drift); pl != nil {
		for _, a := range pl.Actions {
			if !a.DeclaredAt.IsZero() {
				p.declared[a.ID] = a.DeclaredAt
			}
		}
	}
	return p
}

func (p *places) add(n network.Network) {
	p.home = n.DeclaredAt
	for _, c := range n.Clusters {
		p.declared["cluster/"+string(c.Name)] = c.DeclaredAt
	}
	for _, s := range n.Sites {
		p.declared["site/"+string(s.Name)] = s.DeclaredAt
	}
	for _, l := range n.Links {
		p.declared["link/"+string(l.Name)] = l.DeclaredAt
	}
	for _, x := range n.Proxies {
		p.declared["proxy/"+string(x.Name)] = x.DeclaredAt
	}
}

// find gives a place from the root of the repository: at, or else that of the first of
// the things (such as "site/hub") that is declared, or else the network's own, or failing
// all the directory of the description.
func (p places) find(at diag.Position, things ...string) diag.Position {
	candidates := []diag.Position{at}
	for _, t := range things {
		candidates = append(candidates, p.declared[t])
	}
	for _, c := range append(candidates, p.home) {
		if file, ok := p.stand.Rooted(c.File); ok {
			c.File = file
			return c
		}
	}
	return diag.Position{File: path.Clean(p.stand.Package)}
}

// known is a place from the root of the repository, or zero when it is not in there.
func (p places) known(at diag.Position) (diag.Position, bool) {
	file, ok := p.stand.Rooted(at.File)
	at.File = file
	return at, ok
}
