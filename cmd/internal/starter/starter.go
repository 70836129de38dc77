// Package starter holds what `fairlead init` writes into the repository of a new
// network: a description to begin with, the schema as a CUE module, and workflows
// for GitHub. It gives the files as data and writes nothing.
package starter

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

//go:embed templates
var templates embed.FS

// Options say what the files are made for.
type Options struct {
	// Network is the network's name, a DNS label.
	Network string
	// Dir is the description's directory inside the repository, a slash path, "."
	// for its root.
	Dir string
	// Action is the repository with Fairlead's action and its commit, for workflows that
	// use it; zero for no workflows.
	Action Action
	// Schema holds the .cue files of the package SchemaPath.
	Schema fs.FS
	// SchemaPath is the import path under which a description finds the schema.
	SchemaPath string
}

// Action names a commit of a repository on GitHub with Fairlead's action.
type Action struct {
	// Repository is OWNER/NAME, Commit a whole SHA.
	Repository, Commit string
}

// actionName is how an action is given. GitHub names owners and repositories so.
var actionName = regexp.MustCompile(`^([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/[A-Za-z0-9._-]+)@([0-9a-f]{40}|[0-9a-f]{64})$`)

// ParseAction reads OWNER/NAME@COMMIT. A branch or a tag is no commit: what either names can
// be exchanged.
func ParseAction(text string) (Action, bool) {
	found := actionName.FindStringSubmatch(text)
	if found == nil || strings.Trim(path.Base(found[1]), ".") == "" {
		return Action{}, false
	}
	return Action{Repository: found[1], Commit: found[2]}, true
}

// File is a file to write. Path is a slash path inside the repository.
type File struct {
	Path    string
	Content []byte
}

// moduleFile names the module. Nothing imports it, so any name will do; the language
// version is the oldest that the schema is tested with.
const moduleFile = `module: "fairlead.example/%s"
language: version: "v0.17.0"
`

// Files gives all files, sorted by path. An error means that the program itself is
// broken: a template or the schema cannot be read.
func Files(o Options) ([]File, error) {
	out := []File{{path.Join(o.Dir, "cue.mod", "module.cue"), fmt.Appendf(nil, moduleFile, o.Network)}}
	for _, name := range []string{"network.cue", "schema.cue"} {
		text, err := template(name)
		if err != nil {
			return nil, err
		}
		out = append(out, File{path.Join(o.Dir, name), []byte(strings.ReplaceAll(text, "NETWORK", o.Network))})
	}
	vendored, err := vendored(o)
	if err != nil {
		return nil, err
	}
	workflows, err := workflows(o)
	if err != nil {
		return nil, err
	}
	out = append(append(out, vendored...), workflows...)
	slices.SortFunc(out, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return out, nil
}

func template(name string) (string, error) {
	text, err := templates.ReadFile("templates/" + name)
	if err != nil {
		return "", fmt.Errorf("template %s: %w", name, err)
	}
	return string(text), nil
}

// vendored copies the schema to where CUE looks for packages of other modules.
func vendored(o Options) ([]File, error) {
	names, err := fs.Glob(o.Schema, "*.cue")
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	var out []File
	for _, name := range names {
		text, err := fs.ReadFile(o.Schema, name)
		if err != nil {
			return nil, fmt.Errorf("schema: %w", err)
		}
		out = append(out, File{path.Join(o.Dir, "cue.mod", "pkg", o.SchemaPath, name), text})
	}
	return out, nil
}

// workflows go to the root of the repository: GitHub looks nowhere else. Each is one that
// says when it starts, and the one with the jobs, which alone uses what is not in the
// repository. Without an action there are none.
func workflows(o Options) ([]File, error) {
	var out []File
	if o.Action == (Action{}) {
		return out, nil
	}
	for _, name := range []string{"fairlead-plan", "fairlead-apply", "fairlead-drift"} {
		for _, part := range []string{name, name + jobs} {
			text, err := template(part + ".yml")
			if err != nil {
				return nil, err
			}
			out = append(out, File{path.Join(".github", "workflows", part+".yml"), []byte(fit(text, o))})
		}
	}
	return out, nil
}

// What of a workflow depends on where the description is and on who wrote it.
const (
	copyHint  = "# Copy to .github/workflows/ in the repository of your network.\n#\n"
	directory = "description: ./network\n"
	watched   = `paths: ["network/**"]`
	ours      = "uses: fairlead-dev/fairlead/.github/"
	example   = "see ../examples/"
	jobs      = "-jobs"
)

// Where a workflow says which one of ours it calls, which action it uses, each of a release,
// and which example calls it.
var (
	called   = regexp.MustCompile(regexp.QuoteMeta(ours) + `workflows/([a-z-]+)\.yml@\S+`)
	used     = regexp.MustCompile(regexp.QuoteMeta(ours) + `actions/fairlead@\S+`)
	callerOf = regexp.MustCompile(regexp.QuoteMeta(example) + `(\w+)-on-[a-z-]+\.yml`)
)

// fit adapts a workflow to the repository.
func fit(text string, o Options) string {
	dir, all := ".", "**"
	if o.Dir != "." {
		dir, all = "./"+o.Dir, o.Dir+"/**"
	}
	text = strings.NewReplacer(
		copyHint, "",
		directory, "description: "+scalar(dir)+"\n",
		watched, fmt.Sprintf("paths: [%s]", quoted(all)),
	).Replace(text)
	text = called.ReplaceAllString(text, "uses: ./.github/workflows/${1}"+jobs+".yml")
	text = callerOf.ReplaceAllString(text, "see fairlead-${1}.yml beside")
	return used.ReplaceAllLiteralString(text, "uses: "+o.Action.Repository+"/.github/actions/fairlead@"+o.Action.Commit)
}

// plainScalar tells text that YAML takes as it stands.
var plainScalar = regexp.MustCompile(`^[A-Za-z0-9./][A-Za-z0-9._/-]*$`)

// scalar writes text for YAML, in quotes where it needs them.
func scalar(text string) string {
	if plainScalar.MatchString(text) {
		return text
	}
	return quoted(text)
}

// quoted writes text as a string of JSON, which YAML reads too.
func quoted(text string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil { // strings always encode
		panic(fmt.Errorf("quote %q: %w", text, err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
