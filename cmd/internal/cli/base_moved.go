package cli

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/diag"
	"fairlead.dev/fairlead/schema/network"
	"fairlead.dev/fairlead/schema/revision"
)

// The codes of what is told of a base that is not at the description's own path.
const (
	codeBaseMoved = "base-moved"
	codeBaseNone  = "base-none"
)

// elsewhere looks for the network of head in the whole tree of a base that has, as found,
// nothing or another network at its path. The one description that can be meant is taken;
// several are an error, and without any all of head is new.
func (o *common) elsewhere(ctx context.Context, head, found description, tree revision.Tree) (description, error) {
	dirs, err := o.candidates(ctx, head, tree)
	if err != nil {
		return found, err
	}
	why := fmt.Sprintf("there is no description at %s", o.shown(head.tree, tree.Dir))
	if !found.empty() {
		why = fmt.Sprintf("the network at %s is %q", o.shown(head.tree, tree.Dir), found.Network.Name)
	}
	shown := make([]string, len(dirs))
	for i, dir := range dirs {
		shown[i] = o.shown(head.tree, dir)
	}
	switch {
	case len(dirs) > 1:
		return found, fail(exitInvalid, "--base %s: %s, and %q is described at %s there; name the one to compare with: --base-path PATH",
			o.base, why, head.Network.Name, strings.Join(shown[:len(shown)-1], ", ")+" and "+shown[len(shown)-1])
	case len(dirs) == 1:
		return o.moved(ctx, tree, dirs[0], why+"; compared with the same network at "+shown[0])
	case !found.empty():
		return found, o.renamed(found)
	}
	none := o.nothing(tree)
	none.told = o.tellBase(codeBaseNone, why+", so all of it is new", "if the network was called otherwise there, name its path: --base-path PATH")
	return none, nil
}

// moved reads the description at another directory of the base.
func (o *common) moved(ctx context.Context, tree revision.Tree, dir, told string) (description, error) {
	tree.Dir = dir
	d, err := o.readTree(ctx, tree)
	if err == nil && d.Findings.HasErrors() {
		err = o.invalidBase(d)
	}
	d.told = o.tellBase(codeBaseMoved, told, "if another one is meant, name its path: --base-path PATH")
	return d, err
}

func (o *common) tellBase(code, message, fix string) diag.List {
	return diag.List{{Severity: diag.Warning, Code: code, Subject: "--base " + o.base, Message: message, Fix: fix}}
}

// candidates are the directories of the base where the network of head is described: those
// that share a site's place with it, or else those where it is not described any more.
func (o *common) candidates(ctx context.Context, head description, tree revision.Tree) (dirs []string, err error) {
	all, err := directories(ctx, tree)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, dir := range all {
		there, err := o.networkAt(ctx, tree, dir, head.Network.Name)
		if err != nil {
			return nil, err
		}
		if there.Name != head.Network.Name {
			continue
		}
		if sharePlace(there, head.Network) {
			dirs = append(dirs, dir)
			continue
		}
		still, err := o.networkAt(ctx, head.tree, dir, head.Network.Name)
		if err != nil {
			return nil, err
		}
		if still.Name != head.Network.Name {
			left = append(left, dir)
		}
	}
	if len(dirs) > 0 {
		left = dirs
	}
	return left, o.lost(tree)
}

// directories are those of a tree with files of CUE, but for modules' own.
func directories(ctx context.Context, tree revision.Tree) (dirs []string, err error) {
	err = fs.WalkDir(tree.FS, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "cue.mod":
			return fs.SkipDir
		case !d.IsDir() && path.Ext(name) == ".cue":
			dirs = append(dirs, path.Dir(name))
		}
		return ctx.Err()
	})
	slices.Sort(dirs)
	return slices.Compact(dirs), err
}

// networkAt is the network with sites that a directory describes, the zero one for none. A
// description with mistakes that says the name has the name and no sites.
func (o *common) networkAt(ctx context.Context, tree revision.Tree, dir, name string) (network.Network, error) {
	res, err := schema.Load(ctx, schema.Source{FS: tree.FS, Dir: dir, Tags: o.tags})
	switch {
	case err != nil && ctx.Err() != nil:
		return network.Network{}, ctx.Err()
	case err != nil || len(res.Network.Sites) == 0 && !res.Findings.HasErrors():
		return network.Network{}, nil
	case res.Findings.HasErrors() && says(tree, dir, name):
		return network.Network{Name: name}, nil
	}
	return res.Network, nil
}

// says reports whether a file of a directory gives a network the name in plain words.
func says(tree revision.Tree, dir, name string) bool {
	line := regexp.MustCompile(`(?m)^\s*network:\s*"` + regexp.QuoteMeta(name) + `"`)
	entries, err := fs.ReadDir(tree.FS, dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		if e.IsDir() || path.Ext(e.Name()) != ".cue" {
			return false
		}
		content, err := fs.ReadFile(tree.FS, path.Join(dir, e.Name()))
		return err == nil && line.Match(content)
	})
}

// sharePlace reports whether two networks have a site in the same namespace of the same
// cluster, as far as a description tells which cluster it is.
func sharePlace(a, b network.Network) bool {
	cluster := func(n network.Network, name network.ClusterName) network.Cluster {
		i := slices.IndexFunc(n.Clusters, func(c network.Cluster) bool { return c.Name == name })
		return n.Clusters[max(i, 0)] // a valid description declares it
	}
	return slices.ContainsFunc(a.Sites, func(s network.Site) bool {
		return slices.ContainsFunc(b.Sites, func(t network.Site) bool {
			return s.Namespace == t.Namespace && cluster(a, s.Cluster).SameAs(cluster(b, t.Cluster))
		})
	})
}
