package overlay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// document is one object of a site, and the file of the tree that it comes from.
type document struct {
	manifest map[string]any
	source   string
}

// Names of what is laid over the tree for one run.
const (
	generatedFile = "kustomization.yaml"
	generatedDir  = ".fairlead-overlay"
	inputFile     = ".fairlead-input.yaml"
)

// kustomizing keeps runs apart: kustomize's schema of the Kubernetes API is global.
var kustomizing sync.Mutex

// build runs the kustomization of a directory over documents, which are put before
// its own resources. A panic inside kustomize is an error.
func (r *runner) build(dir string, input []document) (out []document, err error) {
	file := dir // until it is known better
	defer func() {
		if p := recover(); p != nil {
			err = mistake{r.show(file), fmt.Sprintf("kustomize broke down: %v", p), "please report this with the kustomization that causes it"}
		}
	}()
	k, err := r.check(dir)
	if err != nil {
		return nil, err
	}
	file = k.file
	start, own, annotated, err := overlaid(k.kustomization, dir, input)
	if err != nil {
		return nil, err
	}
	for name, text := range k.modern {
		if _, ours := own[name]; !ours {
			own[name] = text
		}
	}
	kustomizing.Lock()
	defer kustomizing.Unlock()
	built, err := r.run(start, own)
	if err != nil {
		return nil, mistake{r.show(k.file), plainText(err, r), remedy(err)}
	}
	r.aim(k, dir, input, built)
	return documents(built, start, input, annotated)
}

// run runs kustomize, with some files laid over the tree. It says on the process's standard
// error that fields are deprecated and variables unused, once for each site and without a
// file, and has no switch for that; nobody else writes there while it is shut.
func (r *runner) run(start string, own map[string][]byte) (resmap.ResMap, error) {
	stderr, logs := os.Stderr, log.Writer()
	os.Stderr = nil
	log.SetOutput(io.Discard)
	defer func() {
		os.Stderr = stderr
		log.SetOutput(logs)
	}()
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsNone // the tree is all that files can show
	return krusty.MakeKustomizer(options).Run(newFiles(r.src.FS, own), "/"+start)
}

// aim finds out which targets of patches and replacements fit an object of this site, where
// no other site had one for them.
func (r *runner) aim(k checked, dir string, input []document, built resmap.ResMap) {
	defer func() {
		if p := recover(); p != nil { // what is marked is not what the user wrote
			r.aims.hits(nil, fmt.Errorf("overlay: %v", p))
		}
	}()
	r.aims.obvious(k.kustomization, built)
	c := &checker{tree: r.src.FS, show: r.show}
	texts, open := map[string][]byte{}, 0
	top := k.kustomization
	for _, one := range k.all {
		marked, count := c.marked(one, r.aims)
		open += count
		text, err := yaml.Marshal(marked)
		if err != nil {
			return
		}
		texts[one.file] = text
		if one.file == top.file {
			top.Kustomization = marked
		}
	}
	if open == 0 {
		return
	}
	start, own, _, err := overlaid(top, dir, input)
	if err != nil {
		return
	}
	for name, text := range texts {
		if _, ours := own[name]; !ours {
			own[name] = text
		}
	}
	r.aims.hits(r.run(start, own))
}

// overlaid gives the files to lay over the tree so that the kustomization has the
// input among its resources, and the directory to start in: its own, or for a
// component one that is made for it. Annotated tells that it asks for annotations
// of origin itself.
func overlaid(k kustomization, dir string, input []document) (start string, own map[string][]byte, annotated bool, err error) {
	text, err := encode(input)
	if err != nil {
		return "", nil, false, err
	}
	top, start, file := k.Kustomization, dir, k.file
	if k.Kind == types.ComponentKind {
		start, file = generatedDir, path.Join(generatedDir, generatedFile)
		top = types.Kustomization{Components: []string{path.Join("..", dir)}}
		top.FixKustomization()
	}
	top.Resources = append([]string{inputFile}, top.Resources...)
	annotated = slices.Contains(top.BuildMetadata, types.OriginAnnotations)
	if !annotated {
		top.BuildMetadata = append(slices.Clone(top.BuildMetadata), types.OriginAnnotations)
	}
	content, err := yaml.Marshal(top)
	if err != nil {
		return "", nil, false, fmt.Errorf("overlay: %w", err)
	}
	return start, map[string][]byte{file: content, path.Join(start, inputFile): text}, annotated, nil
}

func encode(input []document) ([]byte, error) {
	var manifests []map[string]any
	for _, d := range input {
		manifests = append(manifests, d.manifest)
	}
	return multiDocument(manifests)
}

// multiDocument writes manifests as one stream of documents, keys sorted.
func multiDocument(manifests []map[string]any) ([]byte, error) {
	var b bytes.Buffer
	for i, m := range manifests {
		if i > 0 {
			b.WriteString("---\n")
		}
		text, err := yaml.Marshal(m)
		if err != nil {
			return nil, fmt.Errorf("overlay: %w", err)
		}
		b.Write(text)
	}
	return b.Bytes(), nil
}

// kustomizationOf writes a kustomization file that lists resources.
func kustomizationOf(resources []string) ([]byte, error) {
	k := types.Kustomization{Resources: resources}
	k.FixKustomization()
	text, err := yaml.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("overlay: %w", err)
	}
	return text, nil
}

// documents reads what was built. What the input brought keeps its source.
func documents(built resmap.ResMap, start string, input []document, annotated bool) ([]document, error) {
	sources := map[string]string{}
	for _, d := range input {
		sources[identity(d.manifest)] = d.source
	}
	var origins []string
	for _, res := range built.Resources() {
		origin, err := res.GetOrigin()
		if err != nil || origin == nil {
			origins = append(origins, "")
			continue
		}
		from := origin.Path
		if from == "" {
			from = origin.ConfiguredIn
		}
		origins = append(origins, from)
	}
	if !annotated {
		if err := built.RemoveOriginAnnotations(); err != nil {
			return nil, fmt.Errorf("overlay: %w", err)
		}
	}
	var out []document
	for i, res := range built.Resources() {
		manifest, err := decoded(res)
		if err != nil {
			return nil, err
		}
		d := document{manifest: manifest, source: sources[identity(manifest)]}
		if origins[i] != "" && path.Base(origins[i]) != inputFile {
			d.source = path.Join(start, origins[i])
		}
		out = append(out, d)
	}
	return out, nil
}

// decoded gives a resource with whole numbers as int64 and others as float64.
func decoded(res json.Marshaler) (map[string]any, error) {
	data, err := res.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("overlay: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var out map[string]any
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("overlay: %w", err)
	}
	numbers(out)
	return out, nil
}

func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = numbers(value)
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // a number of JSON always has one
		return f
	}
	return v
}

// plainText takes our own names out of an error of kustomize.
func plainText(err error, r *runner) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	text = strings.ReplaceAll(text, inputFile, "the site's own manifest")
	return strings.ReplaceAll(text, "'/", "'"+strings.TrimSuffix(r.show("."), ".")) // paths inside the tree
}

// remedy says what to do about an error of kustomize.
func remedy(err error) string {
	if strings.Contains(err.Error(), "no matches for Id Site.") {
		return "a patch finds the Site by name and namespace; give both, or a target such as {kind: Site}"
	}
	return "mend the overlay; kustomize build tells the same where the Site is among the resources"
}

// check reads a directory's kustomization once, and all that it leads to.
func (r *runner) check(dir string) (checked, error) {
	if done, ok := r.checked[dir]; ok {
		return done, done.err
	}
	c := &checker{tree: r.src.FS, show: r.show, seen: map[string]bool{}, modern: map[string][]byte{}}
	done := checked{err: c.visit(dir), modern: c.modern}
	if done.err == nil {
		done.kustomization, done.err = c.read(dir)
	}
	if done.all = c.all; done.err == nil && c.notes.HasErrors() {
		done.err = errNoted
	}
	r.findings = append(r.findings, c.notes...)
	r.checked[dir] = done
	return done, done.err
}

// checked is a kustomization that was found good, or why it was not.
type checked struct {
	kustomization
	// modern are the files among those it takes in that are read in today's words.
	modern map[string][]byte
	// all are it and those that it takes in.
	all []kustomization
	err error
}

// directory finds the overlay's directory inside the tree.
func (r *runner) directory(overlay string) (string, error) {
	at := path.Join(r.dir, overlay)
	switch {
	case path.IsAbs(overlay):
		return "", mistake{"", fmt.Sprintf("overlay %q is an absolute path", overlay), "write it relative to the description"}
	case !fs.ValidPath(at):
		return "", mistake{"", fmt.Sprintf("overlay %q leads out of the tree", overlay), "keep it inside the repository"}
	}
	return resolved(r.src.FS, at), nil
}
