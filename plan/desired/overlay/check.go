package overlay

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"fairlead.dev/fairlead/schema/diag"
)

// mistake is what a user has to mend: a file, what is wrong with it, what to do.
type mistake struct{ file, message, fix string }

func (m mistake) Error() string {
	text := m.message
	if m.file != "" {
		text = m.file + ": " + text
	}
	return text
}

// checker reads the kustomizations that one directory leads to, before kustomize
// does, and refuses whatever would reach out of the tree or run a program.
type checker struct {
	tree fs.FS
	show func(string) string
	seen map[string]bool
	// modern are kustomization files in today's words, by path.
	modern map[string][]byte
	// notes are findings with places of their own, all the kustomizations that were read.
	notes diag.List
	all   []kustomization
}

// kustomization is a kustomization file, read.
type kustomization struct {
	file string
	// root is the file's outermost node.
	root *node
	// old is true when it has fields that kustomize calls deprecated; merges is how many
	// of its patches stand in the one for strategic merge.
	old    bool
	merges int
	types.Kustomization
}

// visit checks a directory and all that its kustomization takes in.
func (c *checker) visit(dir string) error {
	if c.seen[dir] {
		return nil
	}
	c.seen[dir] = true
	k, err := c.read(dir)
	if err != nil {
		return err
	}
	if err := c.plain(k); err != nil {
		return err
	}
	if err := c.modernise(k); err != nil {
		return err
	}
	c.all = append(c.all, k)
	for _, list := range bases(k) {
		for _, entry := range list.entries {
			if err := c.base(k, dir, list.field, entry); err != nil {
				return err
			}
		}
	}
	for _, list := range fileFields(k) {
		for _, entry := range list.entries {
			if _, err := c.entry(k, dir, list.field, entry); err != nil {
				return err
			}
		}
	}
	if err := c.texts(k, dir); err != nil {
		return err
	}
	return c.environment(k, dir)
}

// read finds and decodes a directory's kustomization file.
func (c *checker) read(dir string) (kustomization, error) {
	info, err := fs.Stat(c.tree, dir)
	if err != nil {
		return kustomization{}, c.unreadable(dir, err)
	}
	if !info.IsDir() {
		return kustomization{}, mistake{c.show(dir), "is not a directory", "name the directory that holds the kustomization.yaml"}
	}
	var found []kustomization
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if _, err := fs.Stat(c.tree, path.Join(dir, name)); missing(err) {
			continue
		}
		k, err := c.decode(path.Join(dir, name))
		if err != nil {
			return k, err
		}
		found = append(found, k)
	}
	switch len(found) {
	case 0:
		return kustomization{}, mistake{c.show(dir), "has no kustomization.yaml", "add one, or name the directory that holds it"}
	case 1:
		return found[0], nil
	}
	return kustomization{}, mistake{c.show(dir), "has more than one kustomization file", "keep one of " + strings.Join(konfig.RecognizedKustomizationFileNames(), ", ")}
}

// missing reports whether a file is plainly not there. An error that knows more, such as
// that of a submodule, is told.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) && !errors.As(err, new(explained))
}

// explained is an error of a tree that says what to do.
type explained interface {
	error
	Fix() string
}

// decode reads one kustomization file.
func (c *checker) decode(file string) (kustomization, error) {
	k := kustomization{file: file}
	content, err := c.text(file)
	if err != nil {
		return k, err
	}
	if err := k.Unmarshal(content); err != nil {
		return k, mistake{c.show(file), err.Error(), "mend the file; kustomize build shows the same"}
	}
	documents, _ := syntax(content)
	if len(documents) > 0 {
		k.root = documents[0]
	}
	c.whole(file, documents)
	k.old, k.merges = len(*k.CheckDeprecatedFields()) > 0, mergesOf(k.Kustomization)
	k.FixKustomization()
	k.Kustomization = modern(k.Kustomization)
	return k, nil
}

func (c *checker) unreadable(name string, err error) error {
	var more explained
	if errors.As(err, &more) {
		return mistake{c.show(name), more.Error(), more.Fix()}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return mistake{c.show(name), "is not there", "correct the path, which is relative to the description"}
	}
	if errors.Is(err, errGit) {
		return mistake{c.show(name), errGit.Error(), fixGit}
	}
	var broken *fs.PathError
	if errors.As(err, &broken) {
		err = broken.Err
	}
	return mistake{c.show(name), err.Error(), "keep everything that an overlay reads inside the tree"}
}

// plain refuses what needs other programs, and Secrets.
func (c *checker) plain(k kustomization) error {
	for _, f := range []struct {
		name string
		used bool
		fix  string
	}{
		{"helmCharts", len(k.HelmCharts) > 0 || k.HelmGlobals != nil, "render the chart beforehand and list the result as a resource"},
		{"generators", len(k.Generators) > 0, "overlays run without plugins and functions; list the generated resources"},
		{"transformers", len(k.Transformers) > 0, "overlays run without plugins and functions; use the kustomization's own fields"},
		{"validators", len(k.Validators) > 0, "overlays run without plugins and functions; remove it"},
		{"secretGenerator", len(k.SecretGenerator) > 0, "a Secret would stand in git in the clear; make it with another tool"},
	} {
		if f.used {
			return mistake{c.show(k.file), f.name + " cannot be used in an overlay", f.fix}
		}
	}
	return nil
}

// field is a list of paths in a kustomization.
type field struct {
	field   string
	entries []string
}

// bases are the fields whose entries are files or directories with a kustomization.
func bases(k kustomization) []field {
	return []field{{"resources", k.Resources}, {"components", k.Components}}
}

// fileFields are the fields whose entries are files.
func fileFields(k kustomization) []field {
	return []field{
		patchFiles(k), replacementFiles(k), {"configMapGenerator", generated(k)}, {"crds", k.Crds},
		{"configurations", k.Configurations}, {"openapi", []string{k.OpenAPI["path"]}},
	}
}

func patchFiles(k kustomization) field {
	out := field{field: "patches"}
	for _, p := range allPatches(k.Kustomization) {
		out.entries = append(out.entries, p.Path)
	}
	return out
}

func replacementFiles(k kustomization) field {
	out := field{field: "replacements"}
	for _, r := range k.Replacements {
		out.entries = append(out.entries, r.Path)
	}
	return out
}

// generated are the files that become content of ConfigMaps.
func generated(k kustomization) (out []string) {
	for _, g := range k.ConfigMapGenerator {
		for _, source := range g.FileSources {
			if _, file, ok := strings.Cut(source, "="); ok {
				source = file
			}
			out = append(out, source)
		}
	}
	return out
}

// base checks an entry that may be a directory with a kustomization of its own.
func (c *checker) base(k kustomization, dir, field, entry string) error {
	if entry == "" {
		return nil
	}
	at, err := c.entry(k, dir, field, entry)
	if err != nil {
		return err
	}
	if info, err := fs.Stat(c.tree, at); err == nil && info.IsDir() {
		return c.visit(resolved(c.tree, at))
	}
	return nil
}

// user matches an address like git@host:path.
var user = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]*@`)

// entry checks one path and gives it relative to the tree's root. What kustomize
// would fetch is everything that has a scheme or a user, or starts with github.com.
func (c *checker) entry(k kustomization, dir, field, entry string) (string, error) {
	if entry == "" {
		return dir, nil
	}
	wrong := func(message, fix string) (string, error) {
		return "", mistake{c.show(k.file), fmt.Sprintf("%s: %q %s", field, entry, message), fix}
	}
	lower := strings.ToLower(entry)
	if strings.Contains(entry, "://") || user.MatchString(entry) || strings.HasPrefix(lower, "git::") ||
		strings.HasPrefix(lower, "github.com/") || strings.HasPrefix(lower, "github.com:") {
		return wrong("is not in the tree", "overlays are read from git alone; keep a copy beside the description")
	}
	if path.IsAbs(entry) {
		return wrong("is an absolute path", "write it relative to the kustomization")
	}
	at := path.Join(dir, entry)
	if at == ".." || strings.HasPrefix(at, "../") {
		return wrong("leads out of the tree", "keep everything that an overlay reads inside the repository")
	}
	if _, err := fs.Stat(c.tree, at); err != nil {
		var more explained
		if errors.As(err, &more) {
			return wrong(more.Error(), more.Fix())
		}
		if errors.Is(err, fs.ErrNotExist) {
			return wrong("is not there", "correct the path, or add the file")
		}
		if errors.Is(err, errGit) {
			return wrong(errGit.Error(), fixGit)
		}
		return "", c.unreadable(at, err)
	}
	return at, nil
}

// environment refuses files of variables that take values from the environment:
// the same commit would give other objects elsewhere.
func (c *checker) environment(k kustomization, dir string) error {
	for _, g := range k.ConfigMapGenerator {
		for _, entry := range g.EnvSources {
			at, err := c.entry(k, dir, "configMapGenerator", entry)
			if err != nil {
				return err
			}
			content, err := c.text(at)
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(content)) {
				line = strings.TrimSpace(strings.TrimPrefix(line, "\uFEFF"))
				if line != "" && !strings.HasPrefix(line, "#") && !strings.Contains(line, "=") {
					return mistake{c.show(at), fmt.Sprintf("%q has no value", line), "write " + line + "=VALUE; values are not taken from the environment"}
				}
			}
		}
	}
	return nil
}

// modernise keeps the modern text of a kustomization that has deprecated fields.
func (c *checker) modernise(k kustomization) error {
	if !k.old {
		return nil
	}
	text, err := yaml.Marshal(k.Kustomization)
	if err != nil {
		return fmt.Errorf("overlay: %w", err)
	}
	c.modern[k.file] = text
	return nil
}
