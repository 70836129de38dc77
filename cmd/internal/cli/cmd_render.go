package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/desired/overlay"
)

type renderFlags struct {
	packageCommand
	partFlags
	kustomize string
	force     bool
}

func newRender(sys *System) *cobra.Command {
	o := &renderFlags{packageCommand: newPackageCommand(sys)}
	c := &cobra.Command{
		Use:   "render [PACKAGE]",
		Short: "Print the objects that a description stands for",
		Long: `Render prints the Sites and the objects of overlays as YAML, with the labels that
apply gives them. What an apply makes on its way (grants, tokens, Links, Secrets)
is not among them. It never touches a cluster.
With --kustomize DIR it writes a kustomization for each cluster instead.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.packageCommand.check(c, args); err != nil {
				return err
			}
			return o.run(c.Context())
		},
	}
	o.packageCommand.flags(c)
	o.signersFlag(c)
	f := c.Flags()
	f.StringArrayVar(&o.clusters, "cluster", nil, "only this cluster (repeatable)")
	f.StringArrayVar(&o.sites, "site", nil, "only this site (repeatable)")
	f.StringVar(&o.kustomize, "kustomize", "", "write a tree of kustomizations into this directory: DIR/CLUSTER/kustomization.yaml")
	f.BoolVar(&o.force, "force", false, "write into a directory that has other files, and over those in the way")
	return c
}

func (o *renderFlags) run(ctx context.Context) error {
	if o.kustomize != "" && o.output != "" {
		return fail(exitInvalid, "--output and --kustomize exclude each other")
	}
	d, err := o.loadFor(ctx, o.kustomize != "" || isFile(o.output))
	if err != nil {
		return err
	}
	if err := o.known(d, nil); err != nil {
		return err
	}
	manifests := slices.DeleteFunc(desired.Manifests(d.Network, d.desired), func(m desired.Manifest) bool {
		return !among(o.clusters, m.Cluster) || !among(o.sites, m.Site)
	})
	if o.kustomize != "" {
		return o.writeTree(manifests)
	}
	text, err := o.encode(manifests)
	if err != nil {
		return err
	}
	return o.out(func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

func (o *renderFlags) encode(manifests []desired.Manifest) ([]byte, error) {
	if o.format != "json" {
		return overlay.YAML(manifests)
	}
	objects := []map[string]any{}
	for _, m := range manifests {
		objects = append(objects, m.Object)
	}
	text, err := json.MarshalIndent(objects, "", "  ")
	return append(text, '\n'), err
}

// marker lists the files of a tree that render wrote, so that the next one may take
// them away.
const marker = ".fairlead-render"

// writeTree replaces what an earlier render wrote into the directory.
func (o *renderFlags) writeTree(manifests []desired.Manifest) error {
	files, err := overlay.Tree(manifests)
	if err != nil {
		return err
	}
	root, err := o.sys.openDir("--kustomize", o.kustomize)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // it was only a handle
	if err := o.clear(root, files); err != nil {
		return err
	}
	list := slices.Sorted(maps.Keys(files))
	files[marker] = []byte(strings.Join(list, "\n") + "\n")
	for _, name := range append([]string{marker}, list...) { // the marker first: what follows is then ours
		if err := writeInto(root, name, files[name]); err != nil {
			return fmt.Errorf("--kustomize: %w", err)
		}
	}
	fmt.Fprintf(o.sys.Err, "Wrote %d files to %s.\n", len(list), o.kustomize)
	return nil
}

func writeInto(root *os.Root, name string, content []byte) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	return root.WriteFile(name, content, 0o644)
}

// clear takes away what an earlier render wrote. Before it touches anything it refuses
// a directory that has files and no marker, and files of others in the places of those
// that are to be written.
func (o *renderFlags) clear(root *os.Root, files map[string][]byte) error {
	earlier, err := o.earlier(root)
	if err != nil {
		return err
	}
	if err := o.spare(root, files, earlier); err != nil {
		return err
	}
	for _, name := range earlier {
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--kustomize: %w", err)
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if root.Remove(dir) != nil { // it has other files
				break
			}
		}
	}
	return nil
}

// earlier gives the files that an earlier render wrote, and refuses a directory that
// has files and no marker.
func (o *renderFlags) earlier(root *os.Root) ([]string, error) {
	written, err := root.ReadFile(marker)
	if err == nil {
		return strings.FieldsFunc(string(written), func(r rune) bool { return r == '\n' }), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--kustomize: %w", err)
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err == nil && len(entries) > 0 && !o.force {
		return nil, fail(exitInvalid, "--kustomize %s: the directory has files that render did not write; name another, or pass --force", o.kustomize)
	}
	return nil, err
}

// spare refuses to write over files that no earlier render wrote.
func (o *renderFlags) spare(root *os.Root, files map[string][]byte, earlier []string) error {
	if o.force {
		return nil
	}
	ours := map[string]bool{}
	for _, name := range earlier {
		ours[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, err := root.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && ours[name]:
		case err == nil:
			return fail(exitInvalid, "--kustomize %s: render did not write %s, which is in its way; move it, or pass --force to write over it", o.kustomize, name)
		default:
			return fmt.Errorf("--kustomize: %w", err)
		}
	}
	return nil
}
