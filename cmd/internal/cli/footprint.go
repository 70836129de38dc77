package cli

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"fairlead.dev/fairlead/schema/network"
)

// footprint says which files of a tree a description is made of. Names are slash paths
// from the tree's root.
type footprint struct {
	// dir is the description's directory: everything in it counts.
	dir string
	// files were read or looked for; of symbolic links both ends count, and each on the way.
	files map[string]bool
	// listed are directories in which any file counts, and packages those in which any
	// file of CUE does.
	listed, packages map[string]bool
}

// footprintOf gathers what loading read, and the files of secrets and signers that the
// description names. Of the CUE module everything in cue.mod counts, too.
func footprintOf(d description) footprint {
	dir, _, _ := strings.Cut(d.tree.Dir, ":")
	f := footprint{dir: path.Clean(dir), files: map[string]bool{}, listed: map[string]bool{}, packages: map[string]bool{}}
	for at := f.dir; ; at = path.Dir(at) { // the package may go on in each directory above
		f.packages[at] = true
		if at == "." {
			break
		}
	}
	for _, name := range d.Files {
		f.packages[path.Dir(name)] = true
	}
	for _, name := range d.reads.Listed() {
		f.listed[name] = true
	}
	for _, name := range slices.Concat(d.Files, d.reads.Asked(), named(d.Network, f.dir)) {
		f.add(d.tree.FS, name)
	}
	return f
}

// named are the files that a description refers to; those outside of the tree are not the
// repository's.
func named(n network.Network, dir string) (files []string) {
	refs := []*network.SecretRef{}
	for _, c := range n.Clusters {
		refs = append(refs, c.Kubeconfig)
	}
	for _, p := range n.Proxies {
		refs = append(refs, p.Username, p.Password)
	}
	add := func(file string) {
		if file != "" && !filepath.IsAbs(file) {
			files = append(files, path.Join(dir, filepath.ToSlash(file)))
		}
	}
	for _, ref := range refs {
		if ref == nil {
			continue
		}
		add(ref.File)
		for _, e := range []*network.EncryptedFile{ref.Age, ref.SOPS} {
			if e != nil {
				add(e.File)
			}
		}
	}
	for _, file := range n.Policy.Signers {
		add(file)
	}
	return files
}

// mostLinks bounds a chain of symbolic links.
const mostLinks = 40

// add notes a file and, where symbolic links are on its way, these and what they lead to.
func (f footprint) add(tree fs.FS, name string) {
	for range mostLinks {
		if !fs.ValidPath(name) || f.files[name] {
			return
		}
		f.files[name] = true
		link, rest := firstLink(tree, name)
		if link == "" {
			return
		}
		f.files[link] = true
		target, err := fs.ReadLink(tree, link)
		if err != nil || path.IsAbs(target) {
			return
		}
		name = path.Join(path.Dir(link), filepath.ToSlash(target), rest)
	}
}

// firstLink finds the first symbolic link on the way to a file, and what comes after it.
func firstLink(tree fs.FS, name string) (link, rest string) {
	parts := strings.Split(name, "/")
	for i := range parts {
		at := path.Join(parts[:i+1]...)
		if info, err := fs.Lstat(tree, at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return at, path.Join(parts[i+1:]...)
		}
	}
	return "", ""
}

// holds reports whether a file that changes may change the description.
func (f footprint) holds(file string) bool {
	if f.dir == "." || file == f.dir || strings.HasPrefix(file, f.dir+"/") {
		return true
	}
	if f.files[file] || path.Ext(file) == ".cue" && f.packages[path.Dir(file)] || slices.Contains(strings.Split(file, "/"), "cue.mod") {
		return true
	}
	for at := file; at != "."; at = path.Dir(at) { // a directory that comes to be there may be listed
		if f.listed[path.Dir(at)] {
			return true
		}
	}
	for name := range f.files { // a file where a directory is read takes it away
		if strings.HasPrefix(name, file+"/") {
			return true
		}
	}
	return false
}
