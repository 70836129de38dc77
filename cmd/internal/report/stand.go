package report

import (
	"path"
	"strings"

	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
)

// Stand says where the files of positions are named from. People read them from where
// they stand, and forges from the root of the repository.
type Stand struct {
	// Root and Here are absolute paths with slashes: the root of the repository, and the
	// directory that the files of positions are relative to. Both are empty where that is
	// the root itself, as for a revision.
	Root, Here string
	// Package is the directory of the description, a slash path from the root.
	Package string
}

// rooted names a file from the root of the repository; not ok for one outside of it.
func (s Stand) rooted(file string) (string, bool) {
	if file == "" {
		return "", false
	}
	if s.Root == "" {
		file = path.Clean(file)
		return file, !path.IsAbs(file) && file != ".." && !strings.HasPrefix(file, "../")
	}
	if !path.IsAbs(file) {
		file = path.Join(s.Here, file)
	}
	root := strings.TrimSuffix(path.Clean(s.Root), "/")
	if file = path.Clean(file); file == root {
		return ".", true
	}
	return strings.CutPrefix(file, root+"/")
}

// places finds where in the repository something is declared.
type places struct {
	stand    Stand
	declared map[string]diag.Position
	// home is the line of the network's name: where that stands which no line declares
	// any more, such as what is deleted.
	home diag.Position
}

func placesOf(r Report) places {
	p := places{stand: r.Stand, declared: map[string]diag.Position{}}
	if n := r.Described; n != nil {
		p.add(*n)
	}
	if pl := planOf(r); pl != nil {
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
		if file, ok := p.stand.rooted(c.File); ok {
			c.File = file
			return c
		}
	}
	return diag.Position{File: path.Clean(p.stand.Package)}
}

// known is a place from the root of the repository, or zero when it is not in there.
func (p places) known(at diag.Position) (diag.Position, bool) {
	file, ok := p.stand.rooted(at.File)
	at.File = file
	return at, ok
}
