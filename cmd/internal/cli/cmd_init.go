package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/starter"
	"fairlead.dev/fairlead/schema"
	"fairlead.dev/fairlead/schema/network"
)

type initFlags struct {
	sys     *System
	network string
	// action is OWNER/REPO@COMMIT, for workflows that use it; empty for no workflows.
	action string
	// update renews the copy of the schema and writes nothing else.
	update bool
	// arg is the directory as the user gave it.
	arg string
}

func newInit(sys *System) *cobra.Command {
	o := &initFlags{sys: sys, arg: "."}
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Start the repository of a network",
		Long: `Init writes a small description to begin with (a hub and a spoke), Fairlead's
schema as a CUE module, so that cue and editors can check it. It touches no
cluster and never overwrites: when a file is there already it writes nothing.
With --action OWNER/REPO@COMMIT it also writes workflows for GitHub: plan on pull
requests, apply on merge, drift at night. They use Fairlead's action from that
repository at that commit, a whole SHA, and nothing else of it.
With --update-schema it makes the copy of the schema that of this program, which vet asks
for when it is another one's, and writes no other file.`,
		Args: atMostOne("directory"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.arg = args[0]
			}
			if o.update {
				return o.updateSchema()
			}
			return o.run()
		},
	}
	c.Flags().StringVar(&o.network, "network", "", "name of the network (default: the directory's)")
	c.Flags().StringVar(&o.action, "action", "", "write workflows that use Fairlead's action of this repository on GitHub at this commit, OWNER/REPO@COMMIT")
	c.Flags().BoolVar(&o.update, "update-schema", false, "only renew the copy of Fairlead's schema that the directory's module has")
	return c
}

func (o *initFlags) run() error {
	dir := o.sys.abs(filepath.Clean(o.arg))
	name, err := o.networkName(dir)
	if err != nil {
		return err
	}
	action, ok := starter.ParseAction(o.action)
	if !ok && o.action != "" {
		return fail(exitInvalid, "--action %q is no action of a repository at a commit; write OWNER/REPO@COMMIT with the whole SHA of the commit, as a branch or a tag can be moved", o.action)
	}
	root, isRepository := repositoryOf(dir)
	inside, err := filepath.Rel(root, dir)
	if err != nil {
		return fmt.Errorf("%s: %w", o.arg, err)
	}
	files, err := starter.Files(starter.Options{
		Network: name, Dir: filepath.ToSlash(inside), Action: action,
		Schema: schema.Module(), SchemaPath: schema.ImportPath,
	})
	if err != nil {
		return err
	}
	if err := o.refuseExisting(root, files); err != nil {
		return err
	}
	if err := o.write(root, files); err != nil {
		return err
	}
	return o.tell(name, root, files, isRepository)
}

// networkName is that of --network, or the directory's own when it will do.
func (o *initFlags) networkName(dir string) (string, error) {
	switch base := filepath.Base(dir); {
	case o.network == "" && network.ValidNetworkName(base):
		return base, nil
	case o.network == "":
		return "", fail(exitInvalid, "%q is no name for a network: %s; give one with --network", base, networkNameRule)
	case !network.ValidNetworkName(o.network):
		return "", fail(exitInvalid, "--network %q is no name for a network: %s", o.network, networkNameRule)
	}
	return o.network, nil
}

var networkNameRule = fmt.Sprintf("it takes lower-case letters, digits and hyphens, at most %d, with a letter or digit at both ends", network.MaxNetworkName)

// repositoryOf finds the root of the git repository around a directory, which need
// not exist; without one it is the directory itself.
func repositoryOf(dir string) (root string, found bool) {
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, ".git")); err == nil {
			return d, true
		}
		if filepath.Dir(d) == d {
			return dir, false
		}
	}
}

func (o *initFlags) refuseExisting(root string, files []starter.File) error {
	var there []string
	for _, f := range files {
		file := filepath.Join(root, filepath.FromSlash(f.Path))
		if _, err := os.Lstat(file); err == nil {
			there = append(there, "  "+o.shown(file))
		} else if !errors.Is(err, os.ErrNotExist) {
			return coded(exitInvalid, err)
		}
	}
	if len(there) == 0 {
		return nil
	}
	return fail(exitInvalid, "nothing was written, because init never overwrites and these are there already:\n%s\nremove or rename them, or choose another directory",
		strings.Join(there, "\n"))
}

// write creates all files; none of them may exist by now either.
func (o *initFlags) write(root string, files []starter.File) error {
	for _, f := range files {
		file := filepath.Join(root, filepath.FromSlash(f.Path))
		err := os.MkdirAll(filepath.Dir(file), 0o755)
		if err == nil {
			err = createNew(file, f.Content)
		}
		if err != nil {
			return fmt.Errorf("init: %w", err)
		}
	}
	return nil
}

// createNew writes a file that must not exist yet.
func createNew(file string, content []byte) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

func (o *initFlags) tell(name, root string, files []starter.File, isRepository bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Network %s begins with:\n", name)
	for _, f := range files {
		fmt.Fprintf(&b, "  %s\n", o.shown(filepath.Join(root, filepath.FromSlash(f.Path))))
	}
	if o.action == "" {
		b.WriteString("\nNo workflows were written: name the action that they use with --action OWNER/REPO@COMMIT.\n")
	} else {
		fmt.Fprintf(&b, "\nThe workflows use Fairlead's action of %s. It is pinned: to change it, edit the commit in the files *-jobs.yml.\n", o.action)
	}
	b.WriteString("\nIn network.cue, edit the lines marked \"edit\": contexts of your kubeconfig, and namespaces.\n")
	if !isRepository {
		fmt.Fprintf(&b, "This is no git repository yet; make it one: git init %s\n", o.argument())
	}
	fmt.Fprintf(&b, "\nThen:\n  fairlead vet %[1]s\n  fairlead plan %[1]s\n  fairlead apply %[1]s\n", o.argument())
	_, err := fmt.Fprint(o.sys.Out, b.String())
	return err
}

// shown is a file as the user would name it from where they stand.
func (o *initFlags) shown(file string) string {
	if rel, err := filepath.Rel(o.sys.Dir, file); err == nil {
		return filepath.ToSlash(rel)
	}
	return file
}

// argument is the directory as it has to be typed in a shell.
func (o *initFlags) argument() string {
	if regexp.MustCompile(`^[A-Za-z0-9._/\\:~-]+$`).MatchString(o.arg) {
		return o.arg
	}
	return "'" + strings.ReplaceAll(o.arg, "'", `'\''`) + "'"
}

// updateSchema makes the copy of the schema in the directory's module that of this program.
func (o *initFlags) updateSchema() error {
	if o.network != "" {
		return fail(exitInvalid, "--network and --update-schema exclude each other: the schema is the same for every network")
	}
	if o.action != "" {
		return fail(exitInvalid, "--action and --update-schema exclude each other: with the latter no workflow is written")
	}
	file, err := schemaCopyOf(o.sys.abs(filepath.Clean(o.arg)))
	if err != nil {
		return fail(exitInvalid, "%s: %w", o.arg, err)
	}
	there, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if bytes.Equal(there, schema.Text()) {
		_, err := fmt.Fprintf(o.sys.Out, "%s is the schema of this program already.\n", o.shown(file))
		return err
	}
	if err := os.WriteFile(file, schema.Text(), 0o644); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	_, err = fmt.Fprintf(o.sys.Out, "%s was renewed; nothing else was written. Look at it with git diff, and commit it.\n", o.shown(file))
	return err
}

// schemaCopyOf finds the copy in the module that governs a directory.
func schemaCopyOf(dir string) (string, error) {
	for d := dir; ; d = filepath.Dir(d) {
		file := filepath.Join(d, filepath.FromSlash(schema.CopyOfSchema))
		switch _, err := os.Stat(file); {
		case err == nil:
			return file, nil
		case !errors.Is(err, os.ErrNotExist):
			return "", err
		}
		if _, err := os.Stat(filepath.Join(d, "cue.mod")); err == nil || filepath.Dir(d) == d {
			return "", fmt.Errorf("there is no copy of the schema to renew, no %s", schema.CopyOfSchema)
		}
	}
}
